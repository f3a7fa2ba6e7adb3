"""Changes of many devices at once, in a fixed number of statements for each batch; `newcomers` adds new ones.

Part of the services.

The order is that of `services`: `lock_devices` locks the kinds, then the devices, in primary-key order; after the
last batch the caller raises the versions of the schools that `write_batch` returned.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.history import bulk_create_by, bulk_update_by
from apps.inventory.binding import BIND, is_bound, is_loosened, refusal
from apps.inventory.choices import ENDED_STATUSES, PLACED_STATUSES, DeviceStatus
from apps.inventory.models import Device, DeviceKind, Placement, Product, ProductPrice
from apps.inventory.placing import Spot, ensure_bought, ensure_day, ensure_open, goes_on, placement_for, search_text_of
from apps.inventory.services.common import ensure_may, undo_disposal
from apps.inventory.services.loan_rows import follow_statuses

if TYPE_CHECKING:
    from apps.accounts.models import User

BATCH = 500
FACTS = frozenset({"tag", "serial", "product", "kind", "ownership", "price", "bought_on", "status", "school", "site",
                   "room", "last_school", "use_until", "condition", "bound_until", "bound_by", "disposal",
                   "disposed_on", "proceeds", "note"})  # fmt: skip

BINDING = frozenset({"bound_until", "bound_by"})


@dataclass
class Entry:
    """A device as it is on file; what is to become of it; and from which day on it stands so.

    `facts` holds fields of FACTS with values of the model's kind.
    """

    device: Device
    facts: dict[str, Any]
    day: datetime.date


def lock_devices(ids: Iterable[int]) -> None:
    """Nobody changes what kinds count as, nor these devices, until the transaction ends."""
    list(DeviceKind.objects.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), BATCH):
        rows = Device.objects.select_for_update(no_key=True).filter(pk__in=ordered[start : start + BATCH])
        list(rows.order_by("pk").values_list("pk", flat=True))


def add_products(products: Sequence[Product], *, by: User | None, reason: str) -> list[Product]:
    """Puts products into the catalogue that only an import knows; `by` None is the portal itself.

    One that bears `price_of_day`, in euros, costs that from today on.
    """
    _ensure_may(by)
    known = [product.__dict__.get("price_of_day") for product in products]
    created = bulk_create_by(products, by=by, reason=reason)
    prices = [
        ProductPrice(product=row, gross_price=price, valid_from=today())
        for row, price in zip(created, known, strict=True)
        if price is not None
    ]
    bulk_create_by(prices, by=by, reason=reason)
    return created


def write_batch(
    entries: Sequence[Entry], *, by: User | None, reason: str, permission: str = "inventory.import_devices"
) -> set[int]:
    """Writes changed devices with placements and history; returns the schools whose figures moved.

    The devices must be locked and bear `product`, `kind`, `school`, `site` and `last_school` as they are.
    Raises `DomainError` for a day on which a device cannot stand at its school, and where a device would leave that a
    grant binds: there is nobody here who could say why.
    """
    _ensure_may(by, permission)
    before = [_standing(entry.device) for entry in entries]
    lent = [_is_lent(entry.device) for entry in entries]
    _ensure_bindings(entries, by)
    for entry in entries:
        _ensure_stays(entry)
        _fill(entry)
    moved = [entry for entry, was in zip(entries, before, strict=True) if was != _standing(entry.device)]
    touched = _replace_placements(moved, by=by)
    fields = {name for entry in entries for name in entry.facts}
    fields |= {"status", "school", "site", "room", "last_school", "search_text", "disposal", "disposed_on", "proceeds"}
    bulk_update_by([entry.device for entry in entries], sorted(fields), by=by, reason=reason)
    _follow_loans([entry for entry, was in zip(entries, lent, strict=True) if was != _is_lent(entry.device)], by=by)
    return touched


def _is_lent(device: Device) -> bool:
    return device.status == DeviceStatus.ON_LOAN


def _follow_loans(entries: Sequence[Entry], *, by: User | None) -> None:
    """Opens and ends loans where a list of devices says that they are, or are no longer, on loan."""
    if entries:
        days = {entry.device.pk: entry.day for entry in entries}
        follow_statuses([entry.device for entry in entries], days, by=by)


def _ensure_may(by: User | None, permission: str = "inventory.import_devices") -> None:
    if by is not None:
        ensure_may(by, permission)


def _standing(device: Device) -> tuple[Any, ...] | None:
    """What a placement says of the device; None where it has none."""
    if device.status not in PLACED_STATUSES:
        return None
    return device.school_id, device.site_id, device.room, device.ownership, device.kind_id


def _ensure_stays(entry: Entry) -> None:
    """A grant binds the device: it is neither retired nor handed over to another owner, nor does it leave."""
    device, facts = entry.device, entry.facts
    if not is_bound(device, entry.day):
        return
    retired = facts.get("status", device.status) == DeviceStatus.RETIRED != device.status
    changed = any(facts.get(name, getattr(device, name)) != getattr(device, name) for name in ("disposal", "ownership"))
    if retired or changed:
        raise DomainError(refusal(device), code="bound")


def ensure_may_bind(by: User | None) -> None:
    """A binding is entered by those who may, as on a device's page."""
    if by is not None and not by.has_perm(BIND):
        raise DomainError(_("You may not say which grant binds devices. Please leave these columns out."), code="bound")


def _ensure_bindings(entries: Sequence[Entry], by: User | None) -> None:
    """Nobody here could say why a binding ends earlier."""
    binding = [entry for entry in entries if not BINDING.isdisjoint(entry.facts)]
    if binding:
        ensure_may_bind(by)
    for entry in binding:
        if is_loosened(entry.device, entry.facts.get("bound_until", entry.device.bound_until)):
            raise DomainError(refusal(entry.device), code="bound")


def _fill(entry: Entry) -> None:
    """Sets what the device is to be. One that stands nowhere has no school; one that ended keeps where it stood."""
    device, facts = entry.device, entry.facts
    unknown = facts.keys() - FACTS
    if unknown:
        raise ValueError(f"no facts of a device: {sorted(unknown)}")
    former = device.school or device.last_school
    for name, value in facts.items():
        setattr(device, name, value)
    if device.status not in PLACED_STATUSES:
        device.school, device.site, device.room = None, None, ""
    if device.status != DeviceStatus.RETIRED:
        undo_disposal(device)
    if device.status not in ENDED_STATUSES:
        device.last_school = None
    else:
        device.last_school = facts.get("last_school", former)
    device.search_text = search_text_of(device)


def _replace_placements(entries: Sequence[Entry], *, by: User | None) -> set[int]:
    """Ends the open placements of these devices on their day and opens the next ones.

    A next one that is like what ended on that day is none: the former goes on, as nothing stood between them.
    """
    days = {entry.device.pk: entry.day for entry in entries}
    known = Placement.objects.filter(device__in=days.keys())
    ended: defaultdict[datetime.date, list[int]] = defaultdict(list)
    same_day, touched, former = [], set[int](), dict[int, Placement]()
    for row in known.filter(Q(until__isnull=True) | Q(until__in=set(days.values()))):
        day = days[row.device_id]
        if row.until is not None:
            former |= {row.device_id: row} if row.until == day else {}
            continue
        touched.add(row.school_id)
        if row.since == day:
            same_day.append(row.pk)
        else:
            ended[day].append(row.pk)
    Placement.objects.filter(pk__in=same_day).delete()
    for day, ids in ended.items():
        Placement.objects.filter(pk__in=ids).update(until=day)
    opened = [placement for entry in entries if (placement := _next_placement(entry, by)) is not None]
    going_on = {row.device_id: former[row.device_id] for row in opened if goes_on(former.get(row.device_id), row)}
    Placement.objects.filter(pk__in=[row.pk for row in going_on.values()]).update(until=None)
    Placement.objects.bulk_create([row for row in opened if row.device_id not in going_on], batch_size=BATCH)
    return touched | {placement.school_id for placement in opened}


def _next_placement(entry: Entry, by: User | None) -> Placement | None:
    spot = Spot.of(entry.device)
    if spot is None:
        return None
    _ensure_may_stand(entry)
    return placement_for(entry.device, spot, day=entry.day, by=by)


def _ensure_may_stand(entry: Entry) -> None:
    school = entry.device.school
    if school is not None:
        ensure_day(entry.day, None)
        ensure_bought(entry.device.bought_on, entry.day)
        ensure_open(school, entry.day)
