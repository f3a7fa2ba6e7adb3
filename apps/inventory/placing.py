"""The one place that writes placements, and the copies of them on the device.

Placements are half-open in days. Between two changes on the same day nothing stands still: the later replaces the
earlier, so that there are no placements of no length. Only `services` calls this module.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.text import search_text
from apps.inventory.models import Device, DeviceKind, Placement
from apps.schools.models import School, Site

if TYPE_CHECKING:
    from apps.accounts.models import User


EARLIEST_DAY = datetime.date(1990, 1, 1)
"""No device of the schools is older: an earlier day is a slip of the pen, and would count in every year since."""


@dataclass(frozen=True)
class Spot:
    """Where a device stands or is to stand."""

    school: School
    site: Site | None = None
    room: str = ""

    @classmethod
    def of(cls, device: Device) -> Spot | None:
        return None if device.school is None else cls(device.school, device.site, device.room)


@dataclass(frozen=True)
class LoanDays:
    """When a loan from which a device came back began and ended; to whom it went is nobody's business here."""

    since: datetime.date
    back: datetime.date


def ensure_day(
    day: datetime.date,
    earliest: datetime.date | None,
    *,
    lent_on: datetime.date | None = None,
    last_loan: LoanDays | None = None,
    field: str = "on",
) -> None:
    """Refuses the future, a day before any device, and a day before the last known change.

    For what takes a device from its place: `lent_on`, since when it is on loan; `last_loan`, from which it last came
    back.
    """
    if day > today():
        raise DomainError(_("This day lies in the future. Please enter today or an earlier day."), field=field)
    if day < EARLIEST_DAY:
        raise DomainError(
            _("This day is too early. Please enter %(day)s or a later day.") % {"day": formats.day(EARLIEST_DAY)},
            field=field,
        )
    if lent_on is not None and day < lent_on and (earliest is None or earliest <= lent_on):
        raise DomainError(
            _("It was lent on %(day)s. Please enter that day or a later one.") % {"day": formats.day(lent_on)},
            code="too_early",
            field=field,
        )
    if last_loan is not None and day < last_loan.back and (earliest is None or earliest <= last_loan.back):
        raise DomainError(
            _("It was on loan from %(since)s to %(day)s and came back. Please enter %(day)s or a later day.")
            % {"since": formats.day(last_loan.since), "day": formats.day(last_loan.back)},
            code="too_early",
            field=field,
        )
    if earliest is not None and day < earliest:
        raise DomainError(
            _("Something changed on %(day)s already. Please enter that day or a later one.")
            % {"day": formats.day(earliest)},
            code="too_early",
            field=field,
        )


def ensure_bought(bought_on: datetime.date | None, day: datetime.date, *, field: str = "on") -> None:
    """Refuses that a device stands somewhere before it was bought, where that day is known."""
    if bought_on is not None and day < bought_on:
        raise DomainError(
            _("The device was bought on %(day)s. Please enter that day or a later one.")
            % {"day": formats.day(bought_on)},
            field=field,
        )


def ensure_open(school: School, day: datetime.date, *, field: str = "school") -> None:
    """Refuses a school that is not yet, or no longer, open on a day."""
    if school.opened_on is not None and day < school.opened_on:
        raise DomainError(
            _("%(school)s opens on %(day)s only. Please choose another school or a later day.")
            % {"school": school, "day": formats.day(school.opened_on)},
            field=field,
        )
    if school.closed_on is not None and day >= school.closed_on:
        raise DomainError(
            _("%(school)s is closed since %(day)s. Please choose another school or an earlier day.")
            % {"school": school, "day": formats.day(school.closed_on)},
            field=field,
        )


def earliest_day(device: Device) -> datetime.date | None:
    """The first day from which the device's whereabouts may change; None: any day."""
    last = device.placements.order_by("-since").first()
    if last is None:
        return None
    return last.since if last.until is None else last.until


def place(device: Device, spot: Spot | None, *, day: datetime.date, by: User) -> set[int]:
    """Ends the open placement on `day` and opens the next at `spot` (None: nowhere), counting as the device does now.

    What ended on that very day and is like the next goes on: nothing stood between them.

    Sets the copies on `device`, which the caller saves. The device's row must be locked. Returns the ids of the
    schools whose figures moved.
    """
    ensure_day(day, earliest_day(device))
    if spot is not None:
        ensure_bought(device.bought_on, day)
        ensure_open(spot.school, day)
    touched = _end_open(device, day)
    if spot is not None:
        _open(placement_for(device, spot, day=day, by=by))
        touched.add(spot.school.pk)
    _copy(device, spot)
    return touched


def placement_for(device: Device, spot: Spot, *, day: datetime.date, by: User | None) -> Placement:
    """The unsaved placement from `day` on, counting as the kind says: the device or the kind must be locked."""
    return Placement(
        device=device,
        school=spot.school,
        site=spot.site,
        room=spot.room,
        since=day,
        countable=device.kind.countable,
        presentation=device.kind.presentation,
        ownership=device.ownership,
        by=by,
    )


def goes_on(former: Placement | None, new: Placement) -> bool:
    """Whether the placement that ended as the new one begins is like it: same place, counting as the same."""
    names = ("school_id", "site_id", "room", "countable", "presentation", "ownership")
    return former is not None and all(getattr(former, name) == getattr(new, name) for name in names)


def _open(new: Placement) -> None:
    former = Placement.objects.filter(device=new.device_id, until=new.since).first()
    if former is not None and goes_on(former, new):
        former.until = None
        former.save(update_fields=["until"])
    else:
        new.save(force_insert=True)


def _end_open(device: Device, day: datetime.date) -> set[int]:
    placement = device.placements.filter(until__isnull=True).first()
    if placement is None:
        return set()
    if placement.since == day:
        placement.delete()
    else:
        placement.until = day
        placement.save(update_fields=["until"])
    return {placement.school_id}


def _copy(device: Device, spot: Spot | None) -> None:
    device.school = spot.school if spot else None
    device.site = spot.site if spot else None
    device.room = spot.room if spot else ""
    device.search_text = search_text_of(device)


def search_text_of(device: Device) -> str:
    """What the device is found by. A school is found by its number and its short name."""
    school = device.school
    place_words = (school.number, school.short_name) if school else ()
    return search_text(device.tag, device.serial, device.product, device.room, *place_words)


def recount(kind: DeviceKind, *, day: datetime.date, by: User) -> set[int]:
    """Lets the devices of a kind count from `day` on as the kind says now; what lies before stays as it was.

    Set-based whatever their number. The kind's row must be locked. Returns the ids of the schools whose figures moved.
    """
    devices = Device.objects.filter(kind=kind)
    list(devices.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    placements = Placement.objects.filter(device__kind=kind)
    latest = placements.aggregate(since=Max("since"), until=Max("until"))
    ensure_day(day, max(filter(None, latest.values()), default=None))
    now_open = placements.filter(until__isnull=True).filter(
        ~Q(countable=kind.countable) | ~Q(presentation=kind.presentation)
    )
    touched = set(now_open.order_by().values_list("school_id", flat=True).distinct())
    counts = {"countable": kind.countable, "presentation": kind.presentation}
    now_open.filter(since=day).update(**counts, by=by)
    now_open.filter(since__lt=day).update(until=day)
    _reopen(kind, day=day, by=by)
    return touched


_REOPEN = """
INSERT INTO inventory_placement
    (device_id, school_id, site_id, room, since, until, countable, presentation, ownership, by_id)
SELECT ended.device_id, ended.school_id, ended.site_id, ended.room, ended.until, NULL, %s, %s, ended.ownership, %s
FROM inventory_placement AS ended
JOIN inventory_device AS device ON device.id = ended.device_id
WHERE device.kind_id = %s AND device.school_id IS NOT NULL AND ended.until = %s
  AND NOT EXISTS (SELECT 1 FROM inventory_placement AS other
                  WHERE other.device_id = ended.device_id AND other.until IS NULL)
"""


def _reopen(kind: DeviceKind, *, day: datetime.date, by: User) -> None:
    """Opens a placement for each placed device of the kind that has none; the ORM knows no INSERT ... SELECT."""
    with connection.cursor() as cursor:
        moment = connection.ops.adapt_datefield_value(day)
        cursor.execute(_REOPEN, [kind.countable, kind.presentation, by.pk, kind.pk, moment])
