"""What people are told when the machine, not the portal, is at fault. These pages need neither database nor cache."""

from __future__ import annotations

import errno
import logging
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from apps.core.logs import request_id

logger = logging.getLogger(__name__)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
RETRY_SECONDS = "30"


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a file could not be written for want of room."""
    return isinstance(error, OSError) and error.errno in FULL


def server_error(_request: HttpRequest) -> HttpResponse:
    """The page for what no view caught: database gone (503), disk full (507), or a fault of the portal (500)."""
    error = sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        response = _page("503.html", 503)
        response["Retry-After"] = RETRY_SECONDS
        return response
    if is_disk_full(error):
        return _page("507.html", 507)
    return _page("500.html", 500)


def _page(template: str, status: int) -> HttpResponse:
    """In the reader's language where it is known by then, else in German."""
    with translation.override(translation.get_language() or "de"):
        return HttpResponse(render_to_string(template, {"request_id": request_id()}), status=status)
