"""The course of quotas over time, read from the figures stored for each first of a month."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from apps.core import clock
from apps.quotas import calculations
from apps.quotas.calculations import Totals
from apps.quotas.figures import Figure
from apps.quotas.kept import kept
from apps.quotas.models import MediaDevelopmentPlan, QuotaFigure
from apps.quotas.sums import QUOTA, target_of
from apps.schools.models import School


@dataclass(frozen=True)
class CoursePoint:
    """Sums over the asked schools on one stored day; percents are computed on reading, as everywhere."""

    day: datetime.date
    devices: int
    pupils: Decimal | None
    target_pupils_per_device: Decimal | None

    @property
    def percent(self) -> Decimal | None:
        return calculations.quota_percent(self.devices, self.pupils)

    @property
    def target_percent(self) -> Decimal | None:
        return calculations.target_percent(self.target_pupils_per_device)


def course(
    until: datetime.date | None = None, *, school_type: str = "", schools: QuerySet[School] | None = None
) -> list[CoursePoint]:
    """Quota and target on each stored day up to `until` (today), of all own schools or of those asked for.

    Each day is read from the plan in force then. One query whatever the number of schools; a total equals
    `calculations.totals` of the same rows. A course of many schools is kept until figures of its plans are written.
    """
    last = until or clock.today()
    plans = list(MediaDevelopmentPlan.objects.filter(starts_on__lte=last).order_by("starts_on", "pk"))
    if schools is not None:
        return _read(QuotaFigure.objects.filter(_in_force(plans, last), school__in=schools))
    figures = QuotaFigure.objects.filter(_in_force(plans, last))
    if school_type:
        figures = figures.filter(school__school_type=school_type)
    stands_on = (school_type, last, [(plan.pk, plan.starts_on, plan.figures_state) for plan in plans])
    return kept("course", stands_on, lambda: _read(figures))


def _read(figures: QuerySet[QuotaFigure]) -> list[CoursePoint]:
    sums = figures.filter(counted=True).order_by().values("day").annotate(**QUOTA).order_by("day")
    return [_point(row) for row in sums]


def up_to(figure: Figure, points: Sequence[CoursePoint]) -> list[CoursePoint]:
    """The stored points and, where the figure's day is not stored, the figure as the last one: both tell the same."""
    if points and points[-1].day >= figure.day:
        return list(points)
    numbers = figure.numbers
    devices = numbers.quota_devices if isinstance(numbers, Totals) else numbers.devices
    return [*points, CoursePoint(figure.day, devices, numbers.weighted_pupils, numbers.target_pupils_per_device)]


def _in_force(plans: Sequence[MediaDevelopmentPlan], until: datetime.date) -> Q:
    """Rows of each plan on the days from its first until the next plan begins."""
    days = Q(pk__in=[])
    for plan, following in zip(plans, [*plans[1:], None], strict=True):
        own = Q(plan=plan, day__gte=plan.starts_on, day__lte=until)
        days |= own & Q(day__lt=following.starts_on) if following else own
    return days


def _point(row: dict[str, Any]) -> CoursePoint:
    return CoursePoint(
        day=row["day"],
        devices=row["quota_devices"],
        pupils=row["weighted"],
        target_pupils_per_device=target_of([row]),
    )
