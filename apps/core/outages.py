"""What people are told when the machine, not the portal, is at fault. These pages need neither database nor cache."""

from __future__ import annotations

import errno
import logging
import sys
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.template.loader import render_to_string
from django.utils import translation

from apps.core.logs import request_id

logger = logging.getLogger(__name__)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
RETRY_SECONDS = "30"


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a file could not be written for want of room."""
    return isinstance(error, OSError) and error.errno in FULL


@dataclass(frozen=True)
class Again:
    """The way on from a step that met no database: the address, and what was sent to it (name, value)."""

    address: str
    fields: tuple[tuple[str, str], ...] = ()
    lost_files: bool = False


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for what no view caught: database gone (503), disk full (507), or a fault of the portal (500)."""
    error = sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        response = _page("503.html", 503, again=again_of(request))
        response["Retry-After"] = RETRY_SECONDS
        response["Cache-Control"] = "no-store, private"
        return response
    if is_disk_full(error):
        return _page("507.html", 507)
    return _page("500.html", 500)


def again_of(request: HttpRequest) -> Again:
    """Offers to repeat the request as it came; its form's token is checked anew then. Never repeats a password."""
    address = request.get_full_path()
    if request.method != "POST":
        return Again(address)
    try:
        sent, files = request.POST, request.FILES
    except (SuspiciousOperation, UnreadablePostError, ValueError):
        return Again(address)
    if any("password" in name for name in sent):
        return Again(address)
    fields = tuple((name, value) for name in sent for value in sent.getlist(name))
    return Again(address, () if files else fields, lost_files=bool(files))


def _page(template: str, status: int, **context: Any) -> HttpResponse:
    """In the reader's language where it is known by then, else in German."""
    frame = {"city_name": settings.CITY_NAME, "support_email": settings.SUPPORT_EMAIL, "is_demo": settings.IS_DEMO}
    with translation.override(translation.get_language() or "de"):
        text = render_to_string(template, {**frame, **context, "request_id": request_id()})
    return HttpResponse(text, status=status)
