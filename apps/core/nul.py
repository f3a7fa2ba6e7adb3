"""NUL, which no name, number or search word holds and PostgreSQL refuses to store or to compare."""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponseBase

NUL = "\x00"
_REFUSALS = ("(0x00)", "\\u0000")


class NulMiddleware:
    """Nothing is found at an address with a NUL in it (404). Form fields refuse one by themselves, with a sentence.

    What gets past them as far as PostgreSQL, such as a hidden value, is a request that cannot be read (400). SQLite
    takes it as any other sign.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        query = request.META.get("QUERY_STRING", "")
        if NUL in request.path or NUL in query or "%00" in query:
            raise Http404
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        if isinstance(exception, DataError) and any(words in str(exception) for words in _REFUSALS):
            raise SuspiciousOperation("NUL in what was sent") from exception
