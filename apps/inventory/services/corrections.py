"""Corrections: what a device is, whose it is, what it counts as, and what it is found by."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.inventory.binding import is_bound, refusal
from apps.inventory.choices import Condition, Ownership
from apps.inventory.models import Device, DeviceKind, Product
from apps.inventory.numbering import ensure_new_serials, tidy
from apps.inventory.placing import EARLIEST_DAY, Spot, ensure_day, recount, search_text_of
from apps.inventory.services.common import ensure_may, lock_kinds, locked, write
from apps.schools.models import School
from apps.schools.services import raise_inputs_version

if TYPE_CHECKING:
    from apps.accounts.models import User


@transaction.atomic
def change_kind(*, device: Device, kind: DeviceKind, by: User, on: datetime.date | None = None) -> Device:
    """Gives a device another kind: it counts as that kind from `on` on, and as the former before."""
    ensure_may(by, "inventory.classify_device")
    lock_kinds(device.kind_id, kind.pk)
    row = locked(device, by)
    if row.kind_id == kind.pk:
        raise DomainError(_("The device is of this kind already. Please choose another kind."), field="kind")
    row.kind = DeviceKind.objects.get(pk=kind.pk)
    return write(row, Spot.of(row), on=on, by=by)


@transaction.atomic
def change_ownership(*, device: Device, ownership: str, by: User, on: datetime.date | None = None) -> Device:
    """Says whose the device is from `on` on; parent-financed devices stand on a line of their own."""
    ensure_may(by, "inventory.change_device")
    row = locked(device, by)
    if row.ownership == ownership:
        raise DomainError(_("This is the ownership already. Please choose another one."), field="ownership")
    if is_bound(row, today()):
        raise DomainError(refusal(row), code="bound", field="ownership")
    row.ownership = Ownership(ownership)
    return write(row, Spot.of(row), on=on, by=by)


@transaction.atomic
def change_condition(*, device: Device, condition: str, by: User, reason: str = "") -> Device:
    """Says in which condition a device is."""
    ensure_may(by, "inventory.change_device")
    row = locked(device, by)
    if row.condition == condition:
        raise DomainError(_("The device is in this condition already. Please choose another one."), field="condition")
    row.condition = Condition(condition)
    return save_by(row, by=by, update_fields=["condition"], reason=reason.strip())


@transaction.atomic
def change_details(
    *,
    device: Device,
    by: User,
    serial: str,
    price: Decimal | None,
    bought_on: datetime.date | None,
    note: str,
    use_until: datetime.date | None = None,
) -> Device:
    """Corrects facts that move no figure. Without `use_until` the use ends after the planned years."""
    ensure_may(by, "inventory.change_device")
    row = locked(device, by)
    serial = tidy(serial).upper()
    ensure_new_serials([serial], but=row)
    ensure_day(bought_on or today(), None, field="bought_on")
    if bought_on is not None and bought_on != row.bought_on:
        _ensure_bought_before_placed(row, bought_on)
    if use_until is not None and use_until < (bought_on or EARLIEST_DAY):
        raise DomainError(
            _("The use cannot end before the purchase. Please enter a later day, or leave the field empty."),
            field="use_until",
        )
    row.serial, row.price, row.bought_on, row.note = serial, price, bought_on, note.strip()
    row.use_until = use_until
    row.search_text = search_text_of(row)
    return save_by(row, by=by)


@transaction.atomic
def change_kind_counting(
    *, kind: DeviceKind, countable: bool, presentation: bool, by: User, on: datetime.date | None = None
) -> DeviceKind:
    """Says what a kind counts as from `on` on, for all its devices at once; what lies before stays as it was."""
    ensure_may(by, "inventory.change_devicekind")
    if countable and presentation:
        raise DomainError(_("A kind is either a pupils' device or a presentation device."), field="countable")
    lock_kinds(kind.pk)
    row = DeviceKind.objects.get(pk=kind.pk)
    if (row.countable, row.presentation) == (countable, presentation):
        return row
    row.countable, row.presentation = countable, presentation
    save_by(row, by=by, update_fields=["countable", "presentation"])
    raise_inputs_version(recount(row, day=on or today(), by=by))
    return row


def _ensure_bought_before_placed(row: Device, bought_on: datetime.date) -> None:
    first = row.placements.order_by("since").first()
    if first is not None and first.since < bought_on:
        raise DomainError(
            _("The device stands at a school since %(day)s. Please enter that day or an earlier one.")
            % {"day": formats.day(first.since)},
            field="bought_on",
        )


@transaction.atomic
def refresh_search_text(*, product: Product | None = None, school: School | None = None) -> None:
    """Rewrites what devices are found by after their product or their school was renamed."""
    devices = Device.objects.select_related("product", "school").order_by("pk")
    if product is not None:
        devices = devices.filter(product=product)
    if school is not None:
        devices = devices.filter(school=school)
    rows = list(devices)
    for row in rows:
        row.search_text = search_text_of(row)
    Device.objects.bulk_update(rows, ["search_text"], batch_size=500)


def refresh_devices_of(school_ids: Sequence[int]) -> None:
    """Rewrites what the devices of renamed schools are found by."""
    for school in School.objects.filter(pk__in=school_ids).order_by("pk"):
        refresh_search_text(school=school)
