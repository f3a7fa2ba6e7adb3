"""Stored figures of a day, summed, narrowed, sorted and paged by the database."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, overload
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, F, OrderBy, OuterRef, Q, QuerySet

from apps.core import clock
from apps.quotas.calculations import Share
from apps.quotas.choices import Level
from apps.quotas.expressions import BELOW_TARGET, DIFFERENCE, PERCENT, PUPILS_PER_DEVICE
from apps.quotas.figures import Figure, row_of
from apps.quotas.kept import kept
from apps.quotas.models import ComputedDay, MediaDevelopmentPlan, QuotaFigure
from apps.quotas.sums import (
    EVERYTHING,
    below_target_of,
    mean_of,
    reaching,
    share_of,
    totals_of,
)
from apps.schools.models import School, SchoolType

CHUNK = 2_000
_ORDERS: dict[str, Any] = {
    "school__sort_key": F("school__sort_key"),
    "numbers__devices": F("devices"),
    "numbers__pupils": F("pupils"),
    "percent": PERCENT,
    "numbers__pupils_per_device": PUPILS_PER_DEVICE,
    "numbers__target_pupils_per_device": F("target_pupils_per_device"),
    "numbers__difference": DIFFERENCE,
    "numbers__parent_financed": F("parent_financed"),
    "numbers__presentation_devices": F("presentation_devices"),
}
"""What a column of the table of schools (its accessor) sorts by; rows without a value come last."""


def settled_state(plan: MediaDevelopmentPlan, day: datetime.date) -> UUID | None:
    """The state of a plan's figures when each school's is stored for the day and none is due; else None.

    To be read before the figures: what is read after it is of this state or newer.
    """
    computed = ComputedDay.objects.filter(plan=OuterRef("pk"), day=day, targets_version=OuterRef("targets_version"))
    plans = MediaDevelopmentPlan.objects.filter(Exists(computed), ~Exists(School.objects.due()), pk=plan.pk)
    return plans.order_by().values_list("figures_state", flat=True).first()


class StoredFigures(Sequence[Figure]):
    """Figures of schools that are read from the database as far as they are asked for."""

    def __init__(self, overview: StoredOverview, rows: QuerySet[QuotaFigure], number: int | None = None) -> None:
        self.overview = overview
        self._rows = rows
        self._number = number

    def count(self, _value: Any = None) -> int:
        if self._number is None:
            self._number = self._rows.order_by().count()
        return self._number

    def __len__(self) -> int:
        return self.count()

    @overload
    def __getitem__(self, asked: int) -> Figure: ...
    @overload
    def __getitem__(self, asked: slice) -> list[Figure]: ...
    def __getitem__(self, asked: int | slice) -> Figure | list[Figure]:
        """The order is made from the keys alone: sorting whole rows would read each of them with its school."""
        keys = self._rows.values_list("pk", flat=True)[asked]
        if isinstance(keys, int):
            return self.overview.figure_of(self._with_schools().get(pk=keys))
        wanted = list(keys)
        found = self._with_schools().order_by().in_bulk(wanted)
        return [self.overview.figure_of(found[key]) for key in wanted if key in found]

    def __iter__(self) -> Iterator[Figure]:
        return (self.overview.figure_of(row) for row in self._with_schools())

    def iterator(self, chunk_size: int = CHUNK) -> Iterator[Figure]:
        for row in self._with_schools().iterator(chunk_size=chunk_size):
            yield self.overview.figure_of(row)

    def order_by(self, *accessors: str) -> StoredFigures:
        orders = [self._order(accessor) for accessor in accessors]
        rows = self._rows.order_by(*orders, "school__sort_key", "school_id")
        return StoredFigures(self.overview, rows, self._number)

    @staticmethod
    def _order(accessor: str) -> OrderBy:
        expression = _ORDERS[accessor.removeprefix("-")]
        return OrderBy(expression, descending=accessor.startswith("-"), nulls_last=True)

    def _with_schools(self) -> QuerySet[QuotaFigure]:
        return self._rows.select_related("school__school_type")


class StoredOverview:
    """What `Overview` answers, from sums of the database, for a day on which all figures are stored.

    `state`: of the plan's figures while none is due (`settled_state`); what was added up for it is kept.
    """

    def __init__(self, plan: MediaDevelopmentPlan, day: datetime.date, state: UUID | None = None) -> None:
        self.plan = plan
        self.day = day
        self._state = state
        self._rows = QuotaFigure.objects.filter(plan=plan, day=day, counted=True, school__authority__is_own=True)
        self._stale = ~Q(inputs_version=F("school__inputs_version")) | ~Q(targets_version=plan.targets_version)

    @cached_property
    def _parts(self) -> list[dict[str, Any]]:
        """The sums of each school type, kept for as long as the figures behind them stay as they are."""
        if self._state is None:
            return self._sums()
        return kept("sums", (self.plan.pk, self.day, self._state), self._sums)

    def _sums(self) -> list[dict[str, Any]]:
        rows = self._rows.order_by().values("school__school_type")
        sums: list[dict[str, Any]] = list(rows.annotate(**EVERYTHING, stale=Count("pk", filter=self._stale)))
        return sorted(sums, key=lambda part: part["school__school_type"])

    @cached_property
    def city(self) -> Figure:
        return self._total(Level.CITY, settings.OWN_AUTHORITY_NUMBER, settings.CITY_NAME, self._parts)

    @cached_property
    def school_types(self) -> list[Figure]:
        """One figure for each school type that has schools, by its key."""
        names = dict(SchoolType.objects.values_list("key", "name"))
        keys = [(part["school__school_type"], part) for part in self._parts]
        return [self._total(Level.SCHOOL_TYPE, key, names[key], [part]) for key, part in keys]

    @property
    def schools(self) -> list[Figure]:
        """One figure for each school, by name; all of them, so rather ask `schools_among`."""
        return list(StoredFigures(self, self._rows).order_by())

    def schools_among(
        self, schools: QuerySet[School], *, school_type: str = "", reach: int | None = None, below_target: bool = False
    ) -> Sequence[Figure]:
        """Figures of these schools, narrowed to a type, to those at 1 : `reach` or better, to those below target."""
        rows, number = self._rows, None
        if schools.query.where:
            rows = rows.filter(school__in=schools.order_by())
        elif not school_type and reach is None and not below_target:
            number = totals_of(self._parts).schools
        if school_type:
            rows = rows.filter(school__school_type=school_type)
        if reach is not None:
            rows = rows.filter(reaching(reach))
        if below_target:
            rows = rows.filter(BELOW_TARGET)
        return StoredFigures(self, rows, number).order_by()

    def below_target(self, limit: int) -> tuple[int, Sequence[Figure]]:
        """How many schools are below their target, and the first ones, lowest quota first."""
        number = below_target_of(self._parts)
        found = StoredFigures(self, self._rows.filter(BELOW_TARGET), number).order_by("percent")
        return number, found[:limit]

    def share_at(self, most_pupils_per_device: int) -> Share:
        return share_of(self._parts, most_pupils_per_device)

    def figure_of(self, row: QuotaFigure) -> Figure:
        """A school's figure; `row` comes with its school."""
        versions = (row.school.inputs_version, self.plan.targets_version)
        return Figure(
            plan=self.plan.name,
            day=self.day,
            level=Level.SCHOOL,
            key=row.school.number,
            name=row.school.short_name,
            numbers=row_of(row),
            computed_at=row.computed_at,
            stale=(row.inputs_version, row.targets_version) != versions,
            school=row.school,
        )

    def _total(self, level: Level, key: str, name: str, parts: Sequence[dict[str, Any]]) -> Figure:
        return Figure(
            plan=self.plan.name,
            day=self.day,
            level=level,
            key=key,
            name=name,
            numbers=totals_of(parts),
            computed_at=min((part["oldest"] for part in parts), default=clock.now()),
            stale=any(part["stale"] for part in parts),
            mean_of_schools=mean_of(parts) if level == Level.CITY else None,
        )
