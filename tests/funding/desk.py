"""What the tests of the office's pages share: reading a page's form as a browser does, and sending it on."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from post_office.models import Email

from apps.funding.models import (
    ApplicationStatusChange,
    Budget,
    EquipmentApplication,
    LedgerEntry,
    LineAllocation,
)

QUEUE = reverse("admin:funding_equipmentapplication_changelist")


def desk_of(application: EquipmentApplication) -> str:
    return reverse("admin:funding_equipmentapplication_change", args=[application.pk])


class _Form(HTMLParser):
    """Values of the form in the page's content, and the buttons that it offers."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.buttons: list[str] = []
        self._inside = False
        self._form = False
        self._text = self._select = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if given.get("id") == "content-main":
            self._inside = True
        if tag == "form":
            self._form = self._inside and given.get("method") == "post"
        if not self._form:
            return
        name = given.get("name") or ""
        if tag == "button" and name:
            self.buttons.append(f"{name}={given.get('value')}")
        elif tag == "input" and name:
            self.values[name] = given.get("value") or ""
        elif tag == "textarea":
            self._text, self.values[name] = name, ""
        elif tag == "select":
            self._select, self.values[name] = name, ""
        elif tag == "option" and "selected" in given:
            self.values[self._select] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = False
        if tag == "textarea":
            self._text = ""

    def handle_data(self, data: str) -> None:
        if self._text:
            self.values[self._text] += data


def _read(text: str) -> _Form:
    form = _Form()
    form.feed(text)
    form.values.pop("csrfmiddlewaretoken", None)
    return form


def form_values(text: str) -> dict[str, str]:
    """Everything that stands in the form of a page's HTML."""
    return {name: value.removeprefix("\n") for name, value in _read(text).values.items()}


def typed_in(response: HttpResponse) -> dict[str, str]:
    """Everything that stands in the page's form."""
    return form_values(response.content.decode())


def buttons_of(response: HttpResponse) -> list[str]:
    """`name=value` of each button in the page's form, in the order of the page."""
    return _read(response.content.decode()).buttons


def send(client: Client, address: str, step: str, page: HttpResponse | None = None, **changes: Any) -> HttpResponse:
    """Sends the form of a page (by default of the address itself) with these changes, by the button of a step.

    Follows to the page of the same address that shows what was sent, and nowhere else.
    """
    data = typed_in(page or client.get(address)) | {name: str(value) for name, value in changes.items()}
    answer = client.post(address, data | {"step": step})
    is_shown_there = answer.get("Location", "").partition("?")[0] == address.partition("?")[0]
    return client.get(answer["Location"]) if is_shown_there else answer


def approve(client: Client, application: EquipmentApplication, **typed: Any) -> HttpResponse:
    """Approves on the desk through both pages, as a person does."""
    check = send(client, desk_of(application), "check_approve", **typed)
    return send(client, desk_of(application), "approve", check)


def quantity(application: EquipmentApplication, number: int = 0) -> str:
    """The name of the field for the quantity of a line."""
    return f"line-{list(application.lines.order_by('pk'))[number].pk}-approved_quantity"


def written() -> tuple[int, ...]:
    """How many rows there are of all that a decision would add."""
    models = (ApplicationStatusChange, LineAllocation, LedgerEntry, Email, Budget.history)
    return tuple(getattr(model, "objects", model).count() for model in models)


def state_of(application: EquipmentApplication) -> str:
    return EquipmentApplication.objects.values_list("state", flat=True).get(pk=application.pk)
