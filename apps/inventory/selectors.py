"""Reads about devices."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Value

from apps.accounts.models import User
from apps.core.clock import today
from apps.inventory.ageing import OF_THE_CITY, use_ends_expression
from apps.inventory.binding import DISPOSE_BOUND, is_bound
from apps.inventory.choices import ENDED_STATUSES, PLACED_STATUSES, CountedAs, Ownership
from apps.inventory.models import Device, Kit, Placement, Product
from apps.inventory.numbering import tidy
from apps.inventory.workflow import TRANSITIONS
from apps.schools.models import School

_DAY = datetime.timedelta(days=1)
CORRECTIONS = {
    "add_attachment": "inventory.change_device",
    "change_condition": "inventory.change_device",
    "change_ownership": "inventory.change_device",
    "change_kind": "inventory.classify_device",
    "bind_device": "inventory.bind_device",
    "change_details": "inventory.change_device",
}
"""Writes that are no transition -> permission."""


@dataclass(frozen=True)
class Counts:
    """Devices of a school on a day, by the lines of a quota figure."""

    devices: int = 0
    parent_financed: int = 0
    presentation: int = 0


def devices_of(school: School) -> QuerySet[Any]:
    """Devices that stand at a school now."""
    return Device.objects.filter(school=school).select_related("product", "kind")


@dataclass(frozen=True)
class KindAges:
    """Devices of a kind that stand at a school, by their age in whole years since they were bought.

    `overdue` are those of the city whose planned use has ended (`ageing.use_ends`); `unknown` have no day of purchase.
    """

    kind: str
    name: str
    number: int
    up_to_two: int
    three_to_four: int
    five_and_more: int
    unknown: int
    overdue: int


@dataclass(frozen=True)
class AgeBand:
    """The days of purchase of devices of some ages, both included; None: without an end."""

    first: datetime.date | None
    last: datetime.date | None

    def rows(self) -> Q:
        days = {"bought_on__gte": self.first, "bought_on__lte": self.last}
        return Q(**{name: day for name, day in days.items() if day is not None})


def age_bands(day: datetime.date) -> dict[str, AgeBand]:
    """By field of `KindAges`, of whole years on a day."""
    three, five = _years_before(day, 3), _years_before(day, 5)
    return {
        "up_to_two": AgeBand(three + _DAY, None),
        "three_to_four": AgeBand(five + _DAY, three),
        "five_and_more": AgeBand(None, five),
    }


def devices_by_kind(school: School, day: datetime.date | None = None) -> list[KindAges]:
    """How many devices of each kind stood at a school on a day (today), and how old they were; most first."""
    day = day or today()
    stood = Placement.objects.on(day).filter(school=school)
    bands = {name: Count(Value(1), filter=band.rows()) for name, band in age_bands(day).items()}
    rows = (
        Device.objects.filter(school=school) if day == today() else Device.objects.filter(pk__in=stood.values("device"))
    )
    counted = (
        rows.order_by()
        .annotate(use_ends_on=use_ends_expression())
        .values("kind__code", "kind__name")
        .annotate(
            number=Count("*"),
            unknown=Count(Value(1), filter=Q(bought_on__isnull=True)),
            overdue=Count(Value(1), filter=Q(use_ends_on__lte=day) & OF_THE_CITY),
            **bands,
        )
    )
    return [
        KindAges(row.pop("kind__code"), row.pop("kind__name"), **row)
        for row in counted.order_by("-number", "kind__name")
    ]


def _years_before(day: datetime.date, years: int) -> datetime.date:
    """The same day so many years earlier; 28 February for a leap day."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def prices_on(product_ids: Iterable[int], day: datetime.date | None = None) -> dict[int, Decimal]:
    """By product id what it costs on a day (today), in one query; products without a price are left out."""
    rows = Product.objects.priced(day).filter(pk__in=set(product_ids), price_of_day__isnull=False)
    return dict(rows.order_by().values_list("pk", "price_of_day"))


def kit_companions(device: Device, user: User) -> QuerySet[Any]:
    """The other devices that came in the same kit, within the person's scope."""
    rows: Any = Device.objects.visible_to(user)
    if device.kit_set_id is None:
        return rows.none()  # type: ignore[no-any-return]  # the managers are built at run time
    return rows.filter(kit_set=device.kit_set_id).exclude(pk=device.pk).select_related("product")  # type: ignore[no-any-return]  # likewise


def left_behind(device: Device, action: str, user: User) -> list[Device]:
    """What came in the same kit and stands in the same place, where this action may take the device away from it."""
    if action not in {"move_device", "take_to_stock"}:
        return []
    rows = kit_companions(device, user).filter(school=device.school)
    return list(rows.exclude(status__in=ENDED_STATUSES).order_by("tag"))


def countable_counts(day: datetime.date, schools: Iterable[School]) -> dict[int, Counts]:
    """By school id what stood there on a day, in one query; schools without devices are left out."""
    parents = Q(ownership=Ownership.PARENT_FINANCED)
    rows = (
        Placement.objects.on(day)
        .filter(school__in=schools)
        .order_by()
        .values("school_id")
        .annotate(
            devices=Count(Value(1), filter=Q(countable=True) & ~parents),
            parent_financed=Count(Value(1), filter=Q(countable=True) & parents),
            presentation=Count(Value(1), filter=Q(presentation=True)),
        )
    )
    return {row["school_id"]: Counts(row["devices"], row["parent_financed"], row["presentation"]) for row in rows}


def placements_behind(
    user: User,
    day: datetime.date,
    *,
    counted_as: CountedAs | None = None,
    school: School | None = None,
    school_type: str = "",
) -> QuerySet[Any]:
    """The placements behind a figure of a day, within the person's scope.

    With `counted_as` only at schools that the quota counts on that day, so that the rows add up to the figure.
    """
    rows: Any = Placement.objects.visible_to(user)
    rows = rows.on(day)
    if counted_as is not None:
        rows = rows.counted_as(counted_as).filter(school__in=School.objects.counted_on(day))
    if school is not None:
        rows = rows.filter(school=school)
    if school_type:
        rows = rows.filter(school__school_type=school_type)
    return rows  # type: ignore[no-any-return]  # the managers are built at run time


def device_called(text: str, user: User) -> Device | None:
    """The one device whose whole inventory number or serial number this is, as people type or scan it.

    Small letters and blanks for hyphens do no harm, and scanners of some makers put an "S" before a serial number. A
    number with fewer zeros is another one. None where nothing, or more than one device, is called so.
    """
    tidied = tidy(text).upper()
    if not tidied:
        return None
    solid = tidied.replace(" ", "")
    tags = {tidied, solid, tidied.replace(" ", "-")}
    serials = {tidy(text), tidied, solid, solid.removeprefix("S")} - {""}
    found = list(Device.objects.visible_to(user).filter(Q(tag__in=tags) | Q(serial__in=serials))[:2])
    return found[0] if len(found) == 1 else None


def actions_for(device: Device, user: User) -> list[str]:
    """Names of the services that this person may call for the device now: transitions first, then corrections."""
    names = [
        name
        for name in TRANSITIONS.actions_from(device.status)
        if user.has_perm(TRANSITIONS.transitions[name].permission)
    ]
    names += [name for name, permission in CORRECTIONS.items() if user.has_perm(permission)]
    return [name for name in names if not is_held_back(name, device, user)]


def is_held_back(name: str, device: Device, user: User) -> bool:
    """Whether only the binding by a grant keeps this person from it. What a bound device is worth stays the city's."""
    if not is_bound(device, today()):
        return False
    return name == "change_ownership" or (
        name in {"retire_device", "record_disposal"} and not user.has_perm(DISPOSE_BOUND)
    )


def is_placed(device: Device) -> bool:
    return device.status in PLACED_STATUSES


def accessories_of(kit: Kit) -> str:
    """The parts that are no devices, in words: "1 × Muster Stift, 2 × Muster Hülle"."""
    parts = kit.parts.filter(product__kind__tracked_singly=False).select_related("product").order_by("pk")
    return ", ".join(str(part) for part in parts)
