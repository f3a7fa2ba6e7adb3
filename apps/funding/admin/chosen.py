"""Rows that were chosen in a list, in the address of the page about them: the way back never sends a form again."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from apps.core.text import as_key

LIMIT = 100
"""So many at once."""


def page_about(name: str, ids: Iterable[int], *args: str, **query: str) -> str:
    """`args`: of the address; `query`: what stands there beside the rows."""
    return f"{reverse(name, args=args)}?{urlencode({'ids': ','.join(map(str, ids))} | query)}"


def ids_of(request: HttpRequest) -> list[int]:
    """Each once; an id that is no number is none of ours."""
    texts = request.GET.get("ids", "").split(",")[:LIMIT]
    return sorted({as_key(text) for text in texts if text})
