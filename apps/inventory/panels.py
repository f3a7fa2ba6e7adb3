"""What the page of a school shows of its devices."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from apps.core.days import asked_day
from apps.inventory.selectors import devices_by_kind
from apps.schools.models import School

_STOCKTAKES = "inventory.view_stocktake"


def devices_of_school(request: HttpRequest, school: School) -> dict[str, Any] | None:
    """How many devices of each kind stand there on the page's day, how old they are, and the way to their rows."""
    user: Any = request.user
    if not user.has_perm("inventory.view_device"):
        return None
    asked = asked_day(request)
    rows, query = devices_by_kind(school, asked.day), {"school": school.number, **asked.query}
    return {
        "kinds": [(row, _address("list", **query, kind=row.kind)) for row in rows],
        "total": sum(row.number for row in rows),
        "overdue": sum(row.overdue for row in rows),
        "ageing_url": _address("ageing", school=school.number),
        "list_url": _address("list", **query),
        "stocktakes_url": _address("stocktakes", school=school.number) if user.has_perm(_STOCKTAKES) else "",
        "add_url": _address("add", school=school.number) if user.has_perm("inventory.add_device") else "",
    }


def _address(page: str, **query: str) -> str:
    return f"{reverse(f'inventory:{page}')}?{urlencode(query)}"
