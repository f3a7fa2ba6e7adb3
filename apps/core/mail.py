"""Mail goes into a queue in the database, in the caller's transaction; the worker sends it afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from celery import signature
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from post_office import mail

from apps.core.nudge import nudge

SENDING_JOB = "core.send_queued_mail"  # by name: tasks stand above services, which send mail


@dataclass(frozen=True)
class Letter:
    """A mail as it would go out."""

    to: str
    subject: str
    body: str


_collected: ContextVar[list[Letter] | None] = ContextVar("collected_mail", default=None)


@contextmanager
def collected_mail() -> Iterator[list[Letter]]:
    """Inside, mails are collected instead of queued: a rehearsed decision shows its mail before it goes out."""
    letters: list[Letter] = []
    token = _collected.set(letters)
    try:
        yield letters
    finally:
        _collected.reset(token)


def render_mail(template: str, context: Mapping[str, Any]) -> str:
    """The body of `templates/mail/<template>.txt` in German, with the city and the portal's address."""
    with translation.override("de"):
        return (
            render_to_string(
                f"mail/{template}.txt",
                {
                    **context,
                    "city_name": settings.CITY_NAME,
                    "support_email": settings.SUPPORT_EMAIL,
                    "portal_url": settings.PORTAL_URL,
                },
            ).strip()
            + "\n"
        )


def queue_mail(*, to: str | Iterable[str], subject: str | Promise, template: str, context: Mapping[str, Any]) -> None:
    """Puts one mail per recipient into the queue. The subject is one line and says it all."""
    addresses = [to] if isinstance(to, str) else list(to)
    body = render_mail(template, context)
    with translation.override("de"):
        line = " ".join(str(subject).split())
    collected = _collected.get()
    if collected is not None:
        collected.extend(Letter(address, line, body) for address in addresses)
        return
    for address in addresses:
        mail.send(
            recipients=address,
            sender=settings.DEFAULT_FROM_EMAIL,
            subject=line,
            message=body,
        )
    if addresses:
        nudge(signature(SENDING_JOB))
