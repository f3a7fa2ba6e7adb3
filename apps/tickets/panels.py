"""What other apps' pages show of tickets."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.models import User
from apps.inventory.models import Device
from apps.schools.models import School
from apps.tickets.choices import TicketState
from apps.tickets.selectors import open_tickets

SHOWN = 5


def address_to_report(user: User, tag: str) -> str:
    """Where the person reports a ticket about the device with this number at their schools; "" where they may not."""
    if not user.has_perm("tickets.report_ticket"):
        return ""
    found = Device.objects.filter(tag=tag, school__in=School.objects.visible_to(user)).select_related("school").first()
    if found is None or found.school is None:
        return ""
    known = {"school": found.school.number, "device": found.tag, "room": found.room}
    return f"{reverse('tickets:create')}?{urlencode(known)}"


def _panel(request: HttpRequest, rows: Any, *, more: dict[str, str], report: dict[str, str]) -> dict[str, Any] | None:
    user: Any = request.user
    if not (user.has_perm("tickets.view_ticket") or user.has_perm("tickets.report_ticket")):
        return None
    shown = list(rows[: SHOWN + 1])
    return {
        "tickets": shown[:SHOWN],
        "states": TicketState,
        "more_url": f"{reverse('tickets:list')}?{urlencode(more)}" if len(shown) > SHOWN else "",
        "report_url": f"{reverse('tickets:create')}?{urlencode(report)}"
        if user.has_perm("tickets.report_ticket")
        else "",
    }


def tickets_of_school(request: HttpRequest, school: School) -> dict[str, Any] | None:
    rows = open_tickets(request.user).filter(school=school)  # type: ignore[arg-type]  # signed in
    return _panel(request, rows, more={"school": school.number, "state": "open"}, report={"school": school.number})


def tickets_of_device(request: HttpRequest, device: Device) -> dict[str, Any] | None:
    rows = open_tickets(request.user).filter(device=device)  # type: ignore[arg-type]  # signed in
    return _panel(request, rows, more={"q": device.tag}, report={"device": device.tag, "room": device.room})
