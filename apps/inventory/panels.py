"""What the page of a school shows of its devices and loans, and that of a device of its loans."""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.core.days import asked_day
from apps.inventory.ageing import OVERDUE
from apps.inventory.loan_choices import LoanState
from apps.inventory.loan_selectors import counts_of, groups_of, loans_of
from apps.inventory.models import Device
from apps.inventory.selectors import KindAges, age_bands, devices_by_kind
from apps.schools.models import School
from apps.schools.querysets import serves_all

_STOCKTAKES = "inventory.view_stocktake"
SHOWN = 10
AGE_WORDS = {
    "up_to_two": _("up to 2 years"),
    "three_to_four": _("3 to 4 years"),
    "five_and_more": _("5 years and more"),
}


def devices_of_school(request: HttpRequest, school: School) -> dict[str, Any] | None:
    """How many devices of each kind stand there on the page's day, how old they are, and the way to their rows."""
    user: Any = request.user
    if not user.has_perm("inventory.view_device"):
        return None
    asked = asked_day(request)
    rows, query = devices_by_kind(school, asked.day), {"school": school.number, **asked.query}
    return {
        "kinds": [_figures(row, {**query, "kind": row.kind}, asked.day) for row in rows],
        "total": sum(row.number for row in rows),
        "overdue": sum(row.overdue for row in rows),
        "ageing_url": _address("ageing", school=school.number),
        "list_url": _address("list", **query),
        "stocktakes_url": _address("stocktakes", school=school.number) if user.has_perm(_STOCKTAKES) else "",
        "add_url": _address("add", school=school.number) if user.has_perm("inventory.add_device") else "",
    }


def _figures(row: KindAges, query: dict[str, str], day: datetime.date) -> dict[str, Any]:
    """The numbers of one kind, each with the address of its rows."""
    ages = []
    for name, band in age_bands(day).items():
        bought = {"bought_from": band.first, "bought_until": band.last}
        days = {field: end.isoformat() for field, end in bought.items() if end is not None}
        ages.append((AGE_WORDS[name], getattr(row, name), _address("list", **query, **days)))
    return {
        "name": row.name,
        "number": row.number,
        "url": _address("list", **query),
        "ages": ages,
        "overdue": row.overdue,
        "overdue_url": _address("list", **query, due=OVERDUE),
    }


def loans_of_school(request: HttpRequest, school: School) -> dict[str, Any] | None:
    """How many devices are on loan, to which classes, and what is overdue."""
    user: Any = request.user
    if not user.has_perm("inventory.view_loan"):
        return None
    number = school.number
    may_keep = user.has_perm("inventory.keep_loans")
    return {
        "counts": counts_of(school),
        "groups": [(row, _address("loans", school=number, state="out", group=row.group)) for row in groups_of(school)],
        "open_url": _address("loans", school=number, state="out"),
        "overdue_url": _address("loans", school=number, state="overdue"),
        "hand_out_url": _address("hand_out", school=number) if may_keep else "",
        "take_back_url": _address("take_back", school=number) if may_keep else "",
    }


def loans_of_device(request: HttpRequest, device: Device) -> dict[str, Any] | None:
    """The present loan and the last ones, by number."""
    user: Any = request.user
    if not user.has_perm("inventory.view_loan"):
        return None
    rows = list(loans_of(device, user)[: SHOWN + 1])
    return {
        "open": next((row for row in rows if row.is_open), None),
        "past": [row for row in rows[:SHOWN] if not row.is_open],
        "never": "" if rows else _never_lent(user),
        "states": LoanState,
        "more_url": _address("loans", device=device.tag) if len(rows) > SHOWN else "",
        "may_keep": user.has_perm("inventory.keep_loans"),
    }


def _never_lent(user: Any) -> str:
    """Who sees single schools only cannot know of loans at others."""
    if serves_all(user):
        return gettext("This device was never on loan.")
    return ngettext(
        "At your school this device was never on loan.",
        "At your schools this device was never on loan.",
        School.objects.visible_to(user).count(),
    )


def _address(page: str, **query: str) -> str:
    return f"{reverse(f'inventory:{page}')}?{urlencode(query)}"
