"""One line per request, with an id that the browser is told, too."""

from __future__ import annotations

import re
import secrets

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from apps.core.logs import current_request

KEY_IN_PATH = re.compile(r"(/reset/key/)[^/]+")


class RequestLogMiddleware(RequestMiddleware):
    """Binds `request_id` to all lines of a request and returns it as `X-Request-ID`.

    Neither the query (what people search for) nor keys of mailed links nor addresses of computers are logged.
    """

    def prepare(self, request: HttpRequest) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=secrets.token_hex(6))
        current_request.set(request)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        response["X-Request-ID"] = structlog.contextvars.get_contextvars().get("request_id", "")
        super().handle_response(request, response)
        current_request.set(None)

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        """`logs.add_user` adds the number where it is known; asking here would cost each request a query."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {_shown(request.path)}"


def _shown(path: str) -> str:
    return KEY_IN_PATH.sub(r"\1…", path)
