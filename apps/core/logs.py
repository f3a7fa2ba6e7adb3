"""Logs as lines with fields: JSON in production, readable in the demo; on every line who caused it, by number only.

A line carries `request_id`, `user_id`, `task_id` and `job_id` where there are such. A task carries the id of the
request that nudged it. No names and no search words; mail addresses are masked wherever they turn up.
"""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog
from django.http import HttpRequest

Line = MutableMapping[str, Any]
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
MASKED = "…@…"
QUIET = {
    "celery.app.trace": "CRITICAL",  # told by `task_failed` and `task_succeeded`, with ids
    "celery.worker.strategy": "WARNING",
    "django.request": "CRITICAL",  # told by `request_finished` and `request_failed`, with ids
    "django.server": "WARNING",
    "django_structlog.celery.receivers": "INFO",
    "fontTools": "WARNING",
    "post_office": "WARNING",
}

current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)


def request_id() -> str:
    """The id of the request at hand, as the person sees it on an error page; "" outside of requests."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def add_user(_logger: Any, _method: str, line: Line) -> Line:
    """The number of the signed-in person, once the request has asked for it: a log line never costs a query."""
    request = current_request.get()
    user = getattr(request, "_cached_user", None)
    if user is not None and user.pk is not None:
        line.setdefault("user_id", user.pk)
    return line


def mask_addresses(_logger: Any, _method: str, line: Line) -> Line:
    """Errors of mail servers and of the database quote addresses."""
    for name, value in line.items():
        if isinstance(value, str) and "@" in value:
            line[name] = ADDRESS.sub(MASKED, value)
    return line


def leave_out_health(_logger: Any, _method: str, line: Line) -> Line:
    """Monitoring asks all the time; only what is not well is told."""
    if str(line.get("request", "")).startswith("GET /health/") and line.get("code") == 200:
        raise structlog.DropEvent
    return line


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=False),
    add_user,
]


def logging_config(*, json_lines: bool) -> dict[str, Any]:
    """The value of LOGGING: all loggers, ours and foreign ones, write the same lines to standard error."""
    renderer: Any
    if json_lines:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            leave_out_health,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_addresses,
            renderer,
        ],
        "foreign_pre_chain": SHARED,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": logging.getLevelName(logging.INFO)},
        "loggers": {name: {"level": level} for name, level in QUIET.items()},
    }
