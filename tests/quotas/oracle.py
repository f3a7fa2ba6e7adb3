"""What figures must be, said naively: loops over rows in Python, without the SQL and the formulas of the portal."""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from apps.inventory.models import Placement
from apps.quotas.models import MediaDevelopmentPlan, QuotaFigure, Target, TargetGroupMember
from apps.schools.models import PupilCount, PupilWeight, School

FIELDS = (
    "counted", "devices", "parent_financed", "presentation_devices", "pupils", "weighted_pupils", "counted_on",
    "rounded", "target_pupils_per_device", "target_devices",
)  # fmt: skip


class Oracle:
    """A copy of all rows at one moment; `row` answers for one school on one day."""

    def __init__(self) -> None:
        self.schools = {school.pk: school for school in School.objects.select_related("authority", "school_type")}
        self.placements = _by_school(Placement.objects.all())
        self.counts = _by_school(PupilCount.objects.all())
        self.weights = list(PupilWeight.objects.all())
        self.members = list(TargetGroupMember.objects.all())
        self.targets = list(Target.objects.all())

    def row(self, plan: MediaDevelopmentPlan, school_id: int, day: datetime.date) -> dict[str, Any]:
        school = self.schools[school_id]
        standing = [
            placement
            for placement in self.placements[school_id]
            if placement.since <= day and (placement.until is None or day < placement.until)
        ]
        parents = [one for one in standing if one.countable and one.ownership == "parent_financed"]
        counts = [one for one in self.counts[school_id] if one.counted_on <= day]
        count = max(counts, key=lambda one: one.counted_on) if counts else None
        pupils = None if count is None else Fraction(count.pupils) * self._weight(school.school_type_id, day)
        target = self._target(plan, school.school_type_id, day)
        return {
            "counted": self._counts(school, day),
            "devices": sum(1 for one in standing if one.countable) - len(parents),
            "parent_financed": len(parents),
            "presentation_devices": sum(1 for one in standing if one.presentation),
            "pupils": None if count is None else count.pupils,
            "weighted_pupils": None if pupils is None else Decimal(pupils.numerator) / pupils.denominator,
            "counted_on": None if count is None else count.counted_on,
            "rounded": None if count is None else count.rounded,
            "target_pupils_per_device": target,
            "target_devices": None if pupils is None or target is None else _up(pupils / Fraction(target)),
        }

    def _counts(self, school: School, day: datetime.date) -> bool:
        if not school.authority.is_own or not school.school_type.is_school:
            return False
        if school.opened_on is not None and day < school.opened_on:
            return False
        return school.closed_on is None or day < school.closed_on

    def _weight(self, school_type: str, day: datetime.date) -> Fraction:
        weights = [one for one in self.weights if one.school_type_id == school_type and one.valid_from <= day]
        return Fraction(max(weights, key=lambda one: one.valid_from).weight) if weights else Fraction(1)

    def _target(self, plan: MediaDevelopmentPlan, school_type: str, day: datetime.date) -> Decimal | None:
        groups = [one.group_id for one in self.members if one.plan_id == plan.pk and one.school_type_id == school_type]
        targets = [one for one in self.targets if one.group_id in groups and one.valid_from <= day]
        return max(targets, key=lambda one: one.valid_from).pupils_per_device if targets else None

    def differences(self, figures: Iterable[QuotaFigure]) -> list[str]:
        """What the stored rows say, and what they should say."""
        rows = [(figure, self.row(figure.plan, figure.school_id, figure.day)) for figure in figures]
        return [
            f"{figure.plan} {figure.school_id} {figure.day} {name}: {getattr(figure, name)} instead of {right[name]}"
            for figure, right in rows
            for name in FIELDS
            if getattr(figure, name) != right[name]
        ]

    def city(self, plan: MediaDevelopmentPlan, day: datetime.date) -> "Answer":
        return self.total(self.counted_rows(plan, day).values())

    def counted_rows(self, plan: MediaDevelopmentPlan, day: datetime.date) -> dict[int, dict[str, Any]]:
        """School -> its row, of the schools that count on the day."""
        rows = {pk: self.row(plan, pk, day) for pk in self.schools}
        return {pk: row for pk, row in rows.items() if row["counted"]}

    def total(self, rows: Collection[dict[str, Any]]) -> "Answer":
        counted = [row for row in rows if row["pupils"] is not None]
        aimed = [row for row in rows if row["target_devices"] is not None]
        pupils = sum(Fraction(row["weighted_pupils"]) for row in counted)
        quotas = [Fraction(100 * row["devices"]) / Fraction(row["weighted_pupils"]) for row in counted if row["pupils"]]
        return Answer(
            devices=sum(row["devices"] for row in rows),
            parent_financed=sum(row["parent_financed"] for row in rows),
            presentation_devices=sum(row["presentation_devices"] for row in rows),
            pupils=sum(row["pupils"] for row in counted) if counted else None,
            target_devices=sum(row["target_devices"] for row in aimed) if aimed else None,
            difference=sum(row["devices"] - row["target_devices"] for row in aimed) if aimed else None,
            percent=_text(100 * sum(row["devices"] for row in counted) / pupils) if pupils else None,
            mean_of_schools=_text(sum(quotas) / len(quotas)) if quotas else None,
        )


@dataclass(frozen=True)
class Answer:
    devices: int
    parent_financed: int
    presentation_devices: int
    pupils: int | None
    target_devices: int | None
    difference: int | None
    percent: str | None
    mean_of_schools: str | None


def _by_school(rows: Iterable[Any]) -> defaultdict[int, list[Any]]:
    by_school = defaultdict(list)
    for row in rows:
        by_school[row.school_id].append(row)
    return by_school


def _up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def _text(value: Fraction) -> str:
    """Two decimals, rounded half-up: exact in hundredths, then as text."""
    hundredths = int((Decimal((value * 1000).__floor__()) / 10).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return f"{hundredths // 100}.{hundredths % 100:02d}"
