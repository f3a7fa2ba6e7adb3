"""What the tests of the applications' pages share: sending the draft form as a browser does."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from apps.accounts.models import User


def client_of(user: User | None) -> Client:
    """A browser of its own, signed in."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def hidden(response: HttpResponse, name: str) -> str:
    """The value of a hidden field on the page."""
    page = response.content.decode()
    tag = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', page)
    assert tag, f"no field {name}"
    value = re.search(r'value="([^"]*)"', tag.group())
    return value.group(1) if value else ""


def form_data(response: HttpResponse, lines: list[dict[str, Any]] | None = None, **head: Any) -> dict[str, Any]:
    """What a browser would send from a page with the draft form."""
    rows = lines or []
    data: dict[str, Any] = {
        "title": "Tablets für Klasse 5",
        "reason": "Siehe Medienkonzept, Seite 12.",
        **{name: hidden(response, name) for name in ("stash", "revision", "form_key")},
        "lines-TOTAL_FORMS": str(len(rows)),
        "lines-INITIAL_FORMS": hidden(response, "lines-INITIAL_FORMS"),
        "lines-MIN_NUM_FORMS": "0",
        "lines-MAX_NUM_FORMS": "50",
    }
    for number, row in enumerate(rows):
        data |= {f"lines-{number}-{name}": str(value) for name, value in row.items()}
    return data | head


def texts(response: HttpResponse) -> str:
    """The page's text without markup and with plain blanks."""
    plain = re.sub(r"<(script|template)[^>]*>.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    plain = re.sub(r"<[^>]+>", " ", plain).replace("\u202f", " ").replace("\xa0", " ")
    return re.sub(r"\s+", " ", plain)


def messages_of(response: HttpResponse) -> list[str]:
    return [str(message) for message in response.context["messages"]]
