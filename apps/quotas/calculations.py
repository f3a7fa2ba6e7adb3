"""How quotas are computed. Values in, values out; exact until output, where `two_places` rounds half-up.

The denominator is the weighted pupils: the official count times the weight of the school type (1 by default).
The city's quota is the sum of devices over the sum of pupils, never the mean of the schools' quotas.
A school without a pupil count keeps its devices in every sum of devices, but it is in neither part of a total's
quota: `quota_devices` leaves it out, and `schools_without_count` says how many there are.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

HUNDRED = Decimal(100)
TWO_PLACES = Decimal("0.01")
ONE = Decimal(1)
ONE_DAY = datetime.timedelta(days=1)


def two_places(value: Decimal | None) -> str | None:
    """A figure as text with two decimals, rounded half-up; None stays None."""
    return None if value is None else str(value.quantize(TWO_PLACES, rounding=ROUND_HALF_UP))


def weighted_pupils(pupils: int, weight: Decimal) -> Decimal:
    """Pupils times the weight of their school type (exact: the weight has two decimals)."""
    return (pupils * weight).quantize(TWO_PLACES)


def quota_percent(devices: int, pupils: Decimal | int | None) -> Decimal | None:
    """Devices per hundred (weighted) pupils, unrounded; None when nobody was counted."""
    return HUNDRED * devices / Decimal(pupils) if pupils else None


def pupils_per_device(devices: int, pupils: Decimal | int | None) -> Decimal | None:
    """The n of "1 : n", unrounded; None without devices or without a count."""
    return Decimal(pupils) / devices if pupils and devices else None


def target_percent(target: Decimal | None) -> Decimal | None:
    """A target of one device for `target` pupils in percent: 1 : 5 is 20."""
    return HUNDRED / target if target else None


def target_devices(pupils: Decimal | None, target: Decimal | None) -> int | None:
    """Devices that one for `target` pupils asks for, rounded up: half a device does not help a class."""
    if pupils is None or not target:
        return None
    return int((pupils / target).to_integral_value(rounding=ROUND_CEILING))


def needed_days(
    starts_on: datetime.date, ends_on: datetime.date, today: datetime.date, followed_on: datetime.date | None = None
) -> list[datetime.date]:
    """The days whose figures are stored for a plan, the latest last.

    Each first of a month from the plan's first day on, as long as it runs or is in force: it stays so after its last
    day until `followed_on`, when the next plan begins. Today while it is in force. And the last day of a plan that
    is over, because that is where a finished plan is read.
    """
    if starts_on > today:
        return []
    is_current = followed_on is None or followed_on > today
    in_force = today if is_current or followed_on is None else followed_on - ONE_DAY
    days = set(_firsts_of_months(starts_on, min(today, max(ends_on, in_force))))
    if is_current:
        days.add(today)
    if ends_on <= today:
        days.add(ends_on)
    return sorted(days)


def _firsts_of_months(first: datetime.date, last: datetime.date) -> Iterable[datetime.date]:
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    days = (datetime.date(month // 12, month % 12 + 1, 1) for month in months)
    return (day for day in days if day >= first)


@dataclass(frozen=True)
class FigureRow:
    """One school on one day: numerators and denominators; what is derived is computed on reading.

    `devices` counts pupils' devices of the city, `parent_financed` pupils' devices that parents paid for.
    `pupils`, `weighted_pupils`, `counted_on` and `rounded` are None when no count holds, the targets None when no
    target group of the plan holds the school's type on the day.
    """

    counted: bool
    devices: int
    parent_financed: int
    presentation_devices: int
    pupils: int | None
    weighted_pupils: Decimal | None
    counted_on: datetime.date | None
    rounded: bool | None
    target_pupils_per_device: Decimal | None
    target_devices: int | None

    @property
    def percent(self) -> Decimal | None:
        return quota_percent(self.devices, self.weighted_pupils)

    @property
    def pupils_per_device(self) -> Decimal | None:
        return pupils_per_device(self.devices, self.weighted_pupils)

    @property
    def difference(self) -> int | None:
        """Devices above (+) or below (-) the target."""
        return None if self.target_devices is None else self.devices - self.target_devices


def figure_row(
    *,
    counted: bool,
    devices: int,
    parent_financed: int,
    presentation_devices: int,
    pupils: int | None,
    weight: Decimal | None,
    counted_on: datetime.date | None,
    rounded: bool | None,
    target: Decimal | None,
) -> FigureRow:
    """A school's row from its inputs on a day."""
    weighted = None if pupils is None else weighted_pupils(pupils, ONE if weight is None else weight)
    return FigureRow(
        counted=counted,
        devices=devices,
        parent_financed=parent_financed,
        presentation_devices=presentation_devices,
        pupils=pupils,
        weighted_pupils=weighted,
        counted_on=counted_on,
        rounded=rounded,
        target_pupils_per_device=target,
        target_devices=target_devices(weighted, target),
    )


@dataclass(frozen=True)
class Totals:
    """Sums over schools. Each sum is the sum of the rows behind it that know the value.

    `quota_devices` are the devices of schools with a pupil count: numerator of `percent`.
    `target_weighted_pupils` and `difference` are those of schools with a target.
    """

    schools: int
    devices: int
    quota_devices: int
    parent_financed: int
    presentation_devices: int
    pupils: int | None
    weighted_pupils: Decimal | None
    counted_on: datetime.date | None
    counted_on_latest: datetime.date | None
    rounded: bool | None
    target_pupils_per_device: Decimal | None
    target_devices: int | None
    difference: int | None
    schools_without_count: int

    @property
    def percent(self) -> Decimal | None:
        return quota_percent(self.quota_devices, self.weighted_pupils)

    @property
    def pupils_per_device(self) -> Decimal | None:
        return pupils_per_device(self.quota_devices, self.weighted_pupils)

    @property
    def devices_without_count(self) -> int:
        return self.devices - self.quota_devices


def totals(rows: Iterable[FigureRow]) -> Totals:
    """Sums of the schools that count on the day; rows of other schools are left out."""
    every = [row for row in rows if row.counted]
    known = [row for row in every if row.weighted_pupils is not None]
    aimed = [row for row in known if row.target_devices is not None]
    days = [row.counted_on for row in known if row.counted_on is not None]
    return Totals(
        schools=len(every),
        devices=sum(row.devices for row in every),
        quota_devices=sum(row.devices for row in known),
        parent_financed=sum(row.parent_financed for row in every),
        presentation_devices=sum(row.presentation_devices for row in every),
        pupils=sum(row.pupils or 0 for row in known) if known else None,
        weighted_pupils=_sum_of_weighted(known) if known else None,
        counted_on=min(days, default=None),
        counted_on_latest=max(days, default=None),
        rounded=any(row.rounded for row in known) if known else None,
        target_pupils_per_device=_target_of_total(aimed),
        target_devices=sum(row.target_devices or 0 for row in aimed) if aimed else None,
        difference=sum(row.difference or 0 for row in aimed) if aimed else None,
        schools_without_count=len(every) - len(known),
    )


def _sum_of_weighted(rows: Iterable[FigureRow]) -> Decimal:
    return sum((row.weighted_pupils for row in rows if row.weighted_pupils is not None), Decimal("0.00"))


def _target_of_total(rows: Sequence[FigureRow]) -> Decimal | None:
    """The agreed target where all schools share one, else what the schools' targets come to together."""
    agreed = {row.target_pupils_per_device for row in rows}
    only = agreed.pop() if len(agreed) == 1 else None
    return target_of_sums(only, sum(row.target_devices or 0 for row in rows), _sum_of_weighted(rows))


def target_of_sums(agreed: Decimal | None, devices: int, pupils: Decimal) -> Decimal | None:
    """A total's target in pupils per device: the one that all schools share, else pupils over target devices."""
    return agreed or pupils_per_device(devices, pupils)


def mean_of_schools(rows: Iterable[FigureRow]) -> Decimal | None:
    """Mean of the schools' quotas in percent, each school alike; not the city's quota."""
    percents = [row.percent for row in rows if row.counted and row.percent is not None]
    return sum(percents, Decimal(0)) / len(percents) if percents else None


@dataclass(frozen=True)
class Share:
    """`schools` of `of` schools (those with pupils)."""

    schools: int
    of: int

    @property
    def percent(self) -> Decimal | None:
        return HUNDRED * self.schools / self.of if self.of else None


def share_at(rows: Iterable[FigureRow], most_pupils_per_device: int) -> Share:
    """Schools with at least one device for so many pupils, of those with pupils (1 : 2 includes 1 : 1)."""
    asked = [row for row in rows if row.counted and row.weighted_pupils]
    reached = [row for row in asked if reaches(row.devices, row.weighted_pupils, most_pupils_per_device)]
    return Share(len(reached), len(asked))


def reaches(devices: int, pupils: Decimal | None, most_pupils_per_device: int) -> bool:
    """Whether there is at least one device for so many pupils; False where nobody was counted."""
    return bool(pupils) and devices * most_pupils_per_device >= (pupils or 0)


@dataclass(frozen=True)
class Effect:
    """A school's quota before and after a change of its devices, against its target."""

    before: FigureRow
    devices_after: int

    @property
    def percent_before(self) -> Decimal | None:
        return self.before.percent

    @property
    def percent_after(self) -> Decimal | None:
        return quota_percent(self.devices_after, self.before.weighted_pupils)

    @property
    def pupils_per_device_before(self) -> Decimal | None:
        return self.before.pupils_per_device

    @property
    def pupils_per_device_after(self) -> Decimal | None:
        return pupils_per_device(self.devices_after, self.before.weighted_pupils)

    @property
    def target_percent(self) -> Decimal | None:
        return target_percent(self.before.target_pupils_per_device)

    @property
    def target_pupils_per_device(self) -> Decimal | None:
        return self.before.target_pupils_per_device

    @property
    def target_devices(self) -> int | None:
        return self.before.target_devices

    @property
    def difference_after(self) -> int | None:
        return None if self.target_devices is None else self.devices_after - self.target_devices
