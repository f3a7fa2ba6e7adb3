"""When a device is planned to be used up, in Python and for the database; and when its warranty ends, for the database.

Periods end as § 188 (2) and (3) BGB says: on the day of the same number, or on the last one of a shorter month.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import DateField, F, Func, Q
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.inventory.calculations import months_later
from apps.inventory.choices import PLACED_STATUSES, DeviceStatus, Ownership
from apps.inventory.models import Device

YEARS_AHEAD = 5
"""Years after the present one that stand in columns of their own."""
OLDEST = 9
"""Ages in years that have a bar of their own: 0 to this one; older ones share the last."""
LATER, OVERDUE, UNKNOWN = "later", "overdue", "unknown"
AGEING_STATUSES = frozenset({*PLACED_STATUSES, DeviceStatus.IN_STOCK})
"""Devices that are there: neither merely ordered nor lost, stolen or retired."""
OF_THE_CITY = ~Q(ownership=Ownership.PARENT_FINANCED)
TO_BE_REPLACED = Q(status__in=sorted(AGEING_STATUSES)) & OF_THE_CITY
"""The city replaces what is there, but not what the parents paid."""


class MonthsLater(Func):
    """`months_later` in the database: a day, and a number of months; NULL where either is."""

    arity = 2
    output_field = DateField()

    def as_postgresql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, tuple[Any, ...]]:
        (day, of_day), (months, of_months) = map(compiler.compile, self.get_source_expressions())
        return f"({day} + make_interval(months => ({months})::int))::date", (*of_day, *of_months)

    def as_sqlite(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, tuple[Any, ...]]:
        """SQLite runs over into the next month, so that the earlier of that day and the month's last one is right."""
        (day, of_day), (months, of_months) = map(compiler.compile, self.get_source_expressions())
        same = f"date({day}, '+' || ({months}) || ' months')"
        last = f"date({day}, 'start of month', '+' || (({months}) + 1) || ' months', '-1 day')"
        return f"min({same}, {last})", (*of_day, *of_months, *of_day, *of_months)


def years_of_use(device: Device) -> int:
    """How many years the device is planned for: by its product, else by its kind."""
    return device.product.years_of_use or device.kind.years_of_use


def use_ends(device: Device) -> datetime.date | None:
    """The day from which a device is due for replacement: its own, else the end of the planned years of use.

    None where nobody has said when it was bought.
    """
    if device.use_until is not None:
        return device.use_until
    return None if device.bought_on is None else months_later(device.bought_on, 12 * years_of_use(device))


def use_ends_expression() -> Any:
    """`use_ends` for a query of devices."""
    years = Coalesce(F("product__years_of_use"), F("kind__years_of_use"))
    return Coalesce(F("use_until"), MonthsLater(F("bought_on"), years * 12), output_field=DateField())


def warranty_ends_expression() -> Any:
    """`calculations.warranty_ends` for a query of devices."""
    return MonthsLater(F("bought_on"), F("product__warranty_months"))


@dataclass(frozen=True)
class Span:
    """A column of the page and a value of the list's filter: days from `since` (included) to `until` (excluded)."""

    code: str
    label: str | Promise
    since: datetime.date | None = None
    until: datetime.date | None = None

    def rows(self, field: str) -> Q:
        """The rows whose day lies in it; `unknown` are those without a day."""
        if self.code == UNKNOWN:
            return Q(**{f"{field}__isnull": True})
        found = Q(**{f"{field}__isnull": False})
        if self.since is not None:
            found &= Q(**{f"{field}__gte": self.since})
        return found if self.until is None else found & Q(**{f"{field}__lt": self.until})


def spans_of_use(day: datetime.date) -> list[Span]:
    """Overdue, the rest of this year, each of the years ahead, what comes later, and what nobody knows."""
    tomorrow, first = day + datetime.timedelta(days=1), day.year
    years = [
        Span(str(year), str(year), max(tomorrow, datetime.date(year, 1, 1)), datetime.date(year + 1, 1, 1))
        for year in range(first, first + YEARS_AHEAD + 1)
    ]
    return [
        Span(OVERDUE, gettext_lazy("due for replacement"), until=tomorrow),
        *years,
        Span(LATER, gettext_lazy("later"), since=years[-1].until),
        Span(UNKNOWN, gettext_lazy("day not known")),
    ]


def spans_of_age(day: datetime.date) -> list[Span]:
    """Whole years since the purchase: 0 to OLDEST, then older ones, and what nobody knows. Youngest first."""
    tomorrow = day + datetime.timedelta(days=1)
    starts = [months_later(tomorrow, -12 * years) for years in range(OLDEST + 2)]
    spans = [Span(str(age), _age_words(age), starts[age + 1], starts[age]) for age in range(OLDEST + 1)]
    return [*spans, Span(LATER, gettext_lazy("10 years and more"), until=starts[-1]),
            Span(UNKNOWN, gettext_lazy("day of purchase not known"))]  # fmt: skip


def _age_words(age: int) -> str:
    if age == 0:
        return _("under 1 year")
    return _("1 year") if age == 1 else _("%(years)s years") % {"years": age}
