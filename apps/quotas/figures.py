"""Figures as pages and commands read them, and all figures of a day together."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
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
    school: School
    row: FigureRow
    computed_at: datetime.datetime
    stale: bool


class ReadFigures(Sequence[Figure]):
    """Figures in memory, for a table that sorts and pages them as it does with those of the database."""

    def __init__(self, figures: list[Figure]) -> None:
        self._figures = figures

    def count(self, _value: Any = None) -> int:
        return len(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    @overload
    def __getitem__(self, asked: int) -> Figure: ...
    @overload
    def __getitem__(self, asked: slice) -> list[Figure]: ...
    def __getitem__(self, asked: int | slice) -> Figure | list[Figure]:
        return self._figures[asked]

    def order_by(self, *accessors: str) -> ReadFigures:
        """Sorted by these values of a figure, unknown ones last, then as they were."""
        figures = self._figures
        for accessor in reversed(accessors):
            value = attrgetter(accessor.removeprefix("-").replace("__", ".", 1))
            known = [figure for figure in figures if value(figure) is not None]
            known.sort(key=value, reverse=accessor.startswith("-"))
            figures = known + [figure for figure in figures if value(figure) is None]
        return ReadFigures(figures)


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
        members: dict[SchoolType, list[SchoolRow]] = {}
        for row in self._rows:
            members.setdefault(row.school.school_type, []).append(row)
        return [
            self._total(Level.SCHOOL_TYPE, school_type.key, school_type.name, members[school_type])
            for school_type in sorted(members, key=lambda school_type: school_type.key)
        ]

    @cached_property
    def schools(self) -> list[Figure]:
        """One figure for each school, by name."""
        return [
            Figure(
                plan=self.plan.name,
                day=self.day,
                level=Level.SCHOOL,
                key=row.school.number,
                name=row.school.short_name,
                numbers=row.row,
                computed_at=row.computed_at,
                stale=row.stale,
                school=row.school,
            )
            for row in self._rows
        ]

    def schools_among(
        self, schools: QuerySet[School], *, school_type: str = "", reach: int | None = None, below_target: bool = False
    ) -> Sequence[Figure]:
        """Figures of these schools, narrowed to a type, to those at 1 : `reach` or better, to those below target."""
        wanted = set(schools.order_by().values_list("pk", flat=True))
        found = [
            figure
            for figure in self.schools
            if figure.school is not None
            and figure.school.pk in wanted
            and (not school_type or figure.school.school_type_id == school_type)
            and (reach is None or figure.reaches(reach))
            and (not below_target or figure.below_target)
        ]
        return ReadFigures(found)

    def below_target(self, limit: int) -> tuple[int, Sequence[Figure]]:
        """How many schools are below their target, and the first ones, lowest quota first."""
        found = sorted(
            (figure for figure in self.schools if figure.below_target), key=lambda figure: figure.percent or Decimal(0)
        )
        return len(found), found[:limit]

    def share_at(self, most_pupils_per_device: int) -> Share:
        return calculations.share_at((row.row for row in self._rows), most_pupils_per_device)

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
