"""Figures as pages and commands read them, and all figures of a day together."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import Any, overload

from django.conf import settings
from django.db.models import QuerySet

from apps.core import clock
from apps.quotas import calculations
from apps.quotas.calculations import FigureRow, Share, Totals
from apps.quotas.choices import Level
from apps.quotas.models import MediaDevelopmentPlan, QuotaFigure
from apps.schools.models import School, SchoolType


@dataclass(frozen=True)
class Figure:
    """A figure of the city, a school type or a school, with what it stands on.

    `numbers` holds sums (`Totals`) or one school's row; `computed_at` is the oldest moment behind them, and
    `stale` says that inputs have changed since and the job is due.
    """

    plan: str
    day: datetime.date
    level: Level
    key: str
    name: str
    numbers: FigureRow | Totals
    computed_at: datetime.datetime
    stale: bool
    mean_of_schools: Decimal | None = None
    school: School | None = None

    @property
    def percent(self) -> Decimal | None:
        return self.numbers.percent

    @property
    def target_percent(self) -> Decimal | None:
        return calculations.target_percent(self.numbers.target_pupils_per_device)

    @property
    def devices_missing(self) -> int:
        """How many devices short of the target; 0 when it is reached or not known."""
        return max(-(self.numbers.difference or 0), 0)

    @property
    def below_target(self) -> bool:
        return (self.numbers.difference or 0) < 0

    @property
    def missing_devices(self) -> int:
        """Devices that are missing to the target."""
        return max(-(self.numbers.difference or 0), 0)

    def reaches(self, most_pupils_per_device: int) -> bool:
        """Whether there is a device for so many pupils; False where nobody was counted."""
        return calculations.reaches(self.numbers.devices, self.numbers.weighted_pupils, most_pupils_per_device)


@dataclass(frozen=True)
class SchoolRow:
    """A school's row, with as much of the school as sums, narrowing and order need."""

    school_id: int
    school_type: str
    sort_key: str
    row: FigureRow
    computed_at: datetime.datetime
    stale: bool

    @property
    def below_target(self) -> bool:
        return (self.row.difference or 0) < 0


class ReadFigures(Sequence[Figure]):
    """Figures of rows in memory; their schools are read as far as they are asked for, such as those of a page."""

    def __init__(self, overview: Overview, rows: Sequence[SchoolRow]) -> None:
        self._overview = overview
        self._rows = rows

    def count(self, _value: Any = None) -> int:
        return len(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, asked: int) -> Figure: ...
    @overload
    def __getitem__(self, asked: slice) -> list[Figure]: ...
    def __getitem__(self, asked: int | slice) -> Figure | list[Figure]:
        if isinstance(asked, int):
            return self._figures([self._rows[asked]])[0]
        return self._figures(self._rows[asked])

    def __iter__(self) -> Iterator[Figure]:
        return iter(self._figures(self._rows))

    def order_by(self, *accessors: str) -> ReadFigures:
        """Sorted by these values of a figure, unknown ones last, then as they were."""
        rows = list(self._rows)
        for accessor in reversed(accessors):
            value = _sorted_by(accessor.removeprefix("-"))
            known = [row for row in rows if value(row) is not None]
            known.sort(key=value, reverse=accessor.startswith("-"))
            rows = known + [row for row in rows if value(row) is None]
        return ReadFigures(self._overview, rows)

    def _figures(self, rows: Sequence[SchoolRow]) -> list[Figure]:
        """A school that was deleted meanwhile has none."""
        wanted = School.objects.select_related("school_type").order_by()
        schools = wanted.in_bulk([row.school_id for row in rows])
        figure_of = self._overview.figure_of
        return [figure_of(row, schools[row.school_id]) for row in rows if row.school_id in schools]


def _sorted_by(accessor: str) -> Callable[[SchoolRow], Any]:
    """The value behind a figure's `numbers__devices`, `percent` or `school__sort_key`."""
    if accessor == "school__sort_key":
        return attrgetter("sort_key")
    return attrgetter(f"row.{accessor.removeprefix('numbers__')}")


class Overview:
    """All figures of a plan on a day out of one reading, so that sums and rows on a page agree."""

    def __init__(self, plan: MediaDevelopmentPlan, day: datetime.date, rows: Sequence[SchoolRow]) -> None:
        self.plan = plan
        self.day = day
        self._rows = [row for row in rows if row.row.counted]

    @cached_property
    def city(self) -> Figure:
        return self._total(Level.CITY, settings.OWN_AUTHORITY_NUMBER, settings.CITY_NAME, self._rows)

    @cached_property
    def school_types(self) -> list[Figure]:
        """One figure for each school type that has schools, by its key."""
        members: dict[str, list[SchoolRow]] = {}
        for row in self._rows:
            members.setdefault(row.school_type, []).append(row)
        names = dict(SchoolType.objects.values_list("key", "name"))
        return [self._total(Level.SCHOOL_TYPE, key, names[key], members[key]) for key in sorted(members)]

    @cached_property
    def schools(self) -> list[Figure]:
        """One figure for each school, by name; all of them, so rather ask `schools_among`."""
        return list(ReadFigures(self, self._rows))

    def schools_among(
        self, schools: QuerySet[School], *, school_type: str = "", reach: int | None = None, below_target: bool = False
    ) -> Sequence[Figure]:
        """Figures of these schools, narrowed to a type, to those at 1 : `reach` or better, to those below target."""
        rows = self._rows
        if schools.query.where:
            wanted = set(schools.order_by().values_list("pk", flat=True))
            rows = [row for row in rows if row.school_id in wanted]
        if school_type:
            rows = [row for row in rows if row.school_type == school_type]
        if reach is not None:
            rows = [row for row in rows if calculations.reaches(row.row.devices, row.row.weighted_pupils, reach)]
        if below_target:
            rows = [row for row in rows if row.below_target]
        return ReadFigures(self, rows)

    def below_target(self, limit: int) -> tuple[int, Sequence[Figure]]:
        """How many schools are below their target, and the first ones, lowest quota first."""
        found = [row for row in self._rows if row.below_target]
        found.sort(key=lambda row: row.row.percent or Decimal(0))
        return len(found), ReadFigures(self, found)[:limit]

    def share_at(self, most_pupils_per_device: int) -> Share:
        return calculations.share_at((row.row for row in self._rows), most_pupils_per_device)

    def figure_of(self, row: SchoolRow, school: School) -> Figure:
        return Figure(
            plan=self.plan.name,
            day=self.day,
            level=Level.SCHOOL,
            key=school.number,
            name=school.short_name,
            numbers=row.row,
            computed_at=row.computed_at,
            stale=row.stale,
            school=school,
        )

    def _total(self, level: Level, key: str, name: str, rows: Sequence[SchoolRow]) -> Figure:
        values = [row.row for row in rows]
        return Figure(
            plan=self.plan.name,
            day=self.day,
            level=level,
            key=key,
            name=name,
            numbers=calculations.totals(values),
            computed_at=min((row.computed_at for row in rows), default=clock.now()),
            stale=any(row.stale for row in rows),
            mean_of_schools=calculations.mean_of_schools(values) if level == Level.CITY else None,
        )


def row_of(figure: QuotaFigure) -> FigureRow:
    return FigureRow(
        counted=figure.counted,
        devices=figure.devices,
        parent_financed=figure.parent_financed,
        presentation_devices=figure.presentation_devices,
        pupils=figure.pupils,
        weighted_pupils=figure.weighted_pupils,
        counted_on=figure.counted_on,
        rounded=figure.rounded,
        target_pupils_per_device=figure.target_pupils_per_device,
        target_devices=figure.target_devices,
    )
