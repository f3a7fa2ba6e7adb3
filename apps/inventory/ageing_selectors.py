"""Reads about what falls due when, what replacing it costs, and how old devices are. Few rows come from the database:
it adds up devices by school, product and year."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, IntegerField, QuerySet, Value, When
from django.db.models.functions import ExtractYear

from apps.accounts.models import User
from apps.inventory import ageing
from apps.inventory.ageing import LATER, OVERDUE, TO_BE_REPLACED, UNKNOWN, Span
from apps.inventory.models import Device
from apps.inventory.selectors import prices_on
from apps.schools.models import School

_OVERDUE_YEAR, _UNKNOWN_YEAR = 0, -1


@dataclass
class Due:
    """Devices and what they would cost today, gross in euros; `unpriced` of them have no price in the catalogue."""

    number: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0

    def add(self, number: int, price: Decimal | None) -> None:
        self.number += number
        if price is None:
            self.unpriced += number
        else:
            self.cost += number * price


@dataclass
class DueOf:
    """What falls due by the code of the span: of one school, of the depot, or (neither) of all of them."""

    school: School | None = None
    is_depot: bool = False
    dues: defaultdict[str, Due] = field(default_factory=lambda: defaultdict(Due))

    @property
    def in_all(self) -> Due:
        found = list(self.dues.values())
        cost = sum((due.cost for due in found), Decimal(0))
        return Due(sum(due.number for due in found), cost, sum(due.unpriced for due in found))


@dataclass(frozen=True)
class Ageing:
    """`total` adds up `rows`: schools by what is overdue, dearest first, the depot last."""

    spans: Sequence[Span]
    total: DueOf
    rows: Sequence[DueOf]


def devices_to_replace(user: User, school: School | None = None) -> QuerySet[Any]:
    """Devices of the person's scope that the city replaces one day."""
    rows: Any = Device.objects.visible_to(user)
    found = rows.filter(TO_BE_REPLACED)
    return found if school is None else found.filter(school=school)  # type: ignore[no-any-return]  # built at run time


def ageing_of(rows: QuerySet[Any], day: datetime.date) -> Ageing:
    """What falls due of these devices, by school and span, at the present prices of their products."""
    spans = ageing.spans_of_use(day)
    counted = _counted(rows, day)
    prices = prices_on({row["product_id"] for row in counted})
    schools = School.objects.in_bulk({row["school_id"] for row in counted} - {None})
    total = DueOf()
    by_school = {None: DueOf(is_depot=True), **{key: DueOf(row) for key, row in schools.items()}}
    for row in counted:
        code = _code_of(row["year"], spans)
        for kept in (total, by_school[row["school_id"]]):
            kept.dues[code].add(row["number"], prices.get(row["product_id"]))
    shown = [kept for kept in by_school.values() if kept.dues]
    return Ageing(spans, total, sorted(shown, key=_turn))


def _counted(rows: QuerySet[Any], day: datetime.date) -> list[dict[str, Any]]:
    ends = ageing.use_ends_expression()
    year = Case(
        When(use_ends_on__isnull=True, then=Value(_UNKNOWN_YEAR)),
        When(use_ends_on__lte=day, then=Value(_OVERDUE_YEAR)),
        default=ExtractYear("use_ends_on"),
        output_field=IntegerField(),
    )
    annotated = rows.order_by().annotate(use_ends_on=ends).annotate(year=year)
    return list(annotated.values("school_id", "product_id", "year").annotate(number=Count("pk")))


def _code_of(year: int, spans: Sequence[Span]) -> str:
    if year in (_OVERDUE_YEAR, _UNKNOWN_YEAR):
        return OVERDUE if year == _OVERDUE_YEAR else UNKNOWN
    return str(year) if any(span.code == str(year) for span in spans) else LATER


def _turn(row: DueOf) -> tuple[bool, Decimal, str]:
    return row.is_depot, -row.dues[OVERDUE].cost, row.school.sort_key if row.school else ""


def ages_of(rows: QuerySet[Any], day: datetime.date) -> list[tuple[Span, int]]:
    """How many of these devices have each age, youngest first."""
    spans = ageing.spans_of_age(day)
    place = Case(
        *(When(span.rows("bought_on"), then=Value(index)) for index, span in enumerate(spans)),
        output_field=IntegerField(),
    )
    counted = rows.order_by().annotate(place=place).values("place").annotate(number=Count("pk"))
    found = {row["place"]: row["number"] for row in counted}
    return [(span, found.get(index, 0)) for index, span in enumerate(spans)]


def due_within(day: datetime.date, until: datetime.date) -> tuple[int, Due]:
    """Devices of all schools that are overdue on a day, and what falls due from then until `until`, included."""
    rows = Device.objects.filter(TO_BE_REPLACED).annotate(use_ends_on=ageing.use_ends_expression()).order_by()
    due = Due()
    soon = rows.filter(use_ends_on__gt=day, use_ends_on__lte=until).values("product_id").annotate(number=Count("pk"))
    counted = list(soon)
    prices = prices_on({row["product_id"] for row in counted})
    for row in counted:
        due.add(row["number"], prices.get(row["product_id"]))
    return rows.filter(use_ends_on__lte=day).count(), due


def warranties_ending(day: datetime.date, until: datetime.date) -> int:
    """How many present devices lose their warranty from a day until `until`, included."""
    rows = Device.objects.filter(status__in=sorted(ageing.AGEING_STATUSES))
    ends = rows.annotate(warranty_ends_on=ageing.warranty_ends_expression())
    return ends.filter(warranty_ends_on__gte=day, warranty_ends_on__lte=until).count()
