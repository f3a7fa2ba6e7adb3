"""Steps of a device's life: each function is one step of `workflow.TRANSITIONS`."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.inventory.binding import ensure_may_go
from apps.inventory.choices import ENDED_STATUSES, LENT_OWNERSHIPS, Condition, DeviceStatus, Disposal
from apps.inventory.loan_selectors import last_loans, lent_since
from apps.inventory.models import Device
from apps.inventory.placing import Spot, earliest_day, ensure_day
from apps.inventory.services.common import ensure_may, locked, reason_of_loss, spot_at, write
from apps.inventory.services.loan_rows import follow_status, value_before
from apps.inventory.workflow import TRANSITIONS
from apps.schools.models import School, Site

if TYPE_CHECKING:
    from apps.accounts.models import User


@transaction.atomic
def move_device(
    *,
    device: Device,
    school: School,
    by: User,
    site: Site | None = None,
    room: str = "",
    on: datetime.date | None = None,
    reason: str = "",
) -> Device:
    """Puts a device to another school, site or room; it is in use there from `on` on."""
    row = _step("move_device", device, DeviceStatus.IN_USE, by=by)
    spot = spot_at(school, site, room, by=by)
    if spot == Spot.of(row):
        raise DomainError(
            _("The device stands there already. Please choose another school, site or room."), field="school"
        )
    _ensure_day(row, on or today())
    return write(row, spot, status=DeviceStatus.IN_USE, on=on, by=by, reason=reason)


@transaction.atomic
def take_to_stock(*, device: Device, by: User, on: datetime.date | None = None) -> Device:
    """Takes a device into the depot, where it counts for no school; also undoes a mistaken loss or retirement."""
    row = _step("take_to_stock", device, DeviceStatus.IN_STOCK, by=by)
    _ensure_day(row, on or today())
    return write(row, None, status=DeviceStatus.IN_STOCK, on=on, by=by)


@transaction.atomic
def retire_device(
    *,
    device: Device,
    by: User,
    reason: str,
    on: datetime.date | None = None,
    condition: str = "",
    disposal: str = "",
    proceeds: Decimal | None = None,
    binding_reason: str = "",
) -> Device:
    """Takes a device out of service. It no longer counts from `on` on; its past stays.

    `disposal` says where it goes, if that is known: one of `Disposal`, with `proceeds` in euros where it is sold; else
    `record_disposal` does later. A device that a grant still binds on that day stays, but for those who may say in
    `binding_reason` why it goes. `condition` is left as it was where it is empty.
    """
    if not reason.strip():
        raise DomainError(_("Please say why the device is retired."), field="reason")
    day = on or today()
    row = _step("retire_device", device, DeviceStatus.RETIRED, by=by)
    allowed = ensure_may_go(row, day, by=by, reason=binding_reason)
    _ensure_day(row, day)
    row.condition = Condition(condition) if condition else row.condition
    row.status = DeviceStatus.RETIRED
    _let_go(row, disposal, day, proceeds)
    reason = "\n".join(filter(None, (reason.strip(), allowed)))
    return write(row, None, status=DeviceStatus.RETIRED, on=day, by=by, reason=reason)


@transaction.atomic
def return_to_supplier(*, device: Device, by: User, reason: str, on: datetime.date | None = None) -> Device:
    """Sends a bought device back to where it was ordered. It no longer counts from `on` on, and nothing binds it.

    That is no disposal in the sense of a grant: the money comes back, or another device does.
    """
    day = on or today()
    row = _step("retire_device", device, DeviceStatus.RETIRED, by=by)
    if row.status in ENDED_STATUSES:
        raise DomainError(_("%(tag)s is not there, so it cannot go back to the supplier.") % {"tag": row.tag})
    _ensure_day(row, day)
    row.disposal, row.disposed_on, row.proceeds = Disposal.SUPPLIER, day, None
    row.bound_until, row.bound_by = None, ""
    row.status = DeviceStatus.RETIRED
    return write(row, None, status=DeviceStatus.RETIRED, on=day, by=by, reason=reason)


@transaction.atomic
def record_disposal(
    *,
    device: Device,
    by: User,
    disposal: str,
    on: datetime.date | None = None,
    proceeds: Decimal | None = None,
    binding_reason: str = "",
) -> Device:
    """Says where a retired device went, and on which day. For a bound device as in `retire_device`."""
    if not disposal:
        raise DomainError(_("Please say where the device went."), field="disposal")
    day = on or today()
    row = _step("record_disposal", device, DeviceStatus.RETIRED, by=by)
    allowed = ensure_may_go(row, day, by=by, reason=binding_reason)
    ensure_day(day, earliest_day(row))
    _let_go(row, disposal, day, proceeds)
    return save_by(row, by=by, update_fields=["disposal", "disposed_on", "proceeds"], reason=allowed)


@transaction.atomic
def report_lost(*, device: Device, by: User, on: datetime.date | None = None, reason: str = "") -> Device:
    """Notes that a device cannot be found. It no longer counts from `on` on."""
    return _end(device, "report_lost", DeviceStatus.LOST, by=by, on=on, reason=reason)


@transaction.atomic
def report_stolen(*, device: Device, by: User, on: datetime.date | None = None, reason: str = "") -> Device:
    """Notes a theft. It no longer counts from `on` on."""
    return _end(device, "report_stolen", DeviceStatus.STOLEN, by=by, on=on, reason=reason)


@transaction.atomic
def send_to_repair(*, device: Device, by: User, reason: str = "") -> Device:
    """Sends a device to repair. It stays placed and counts, so there is no day to name."""
    return _stay(device, "send_to_repair", DeviceStatus.IN_REPAIR, by=by, reason=reason)


@transaction.atomic
def return_from_repair(*, device: Device, by: User, reason: str = "", condition: str = "") -> Device:
    """Takes a device back from repair to where it stands; an empty `condition` leaves it as it was."""
    return _stay(device, "return_from_repair", DeviceStatus.IN_USE, by=by, reason=reason, condition=condition)


@transaction.atomic
def lend_device(*, device: Device, by: User, reason: str = "", condition: str = "") -> Device:
    """Notes that a device is lent out by its school. It stays placed and counts. People lend by `hand_out`."""
    return _stay(device, "lend_device", DeviceStatus.ON_LOAN, by=by, reason=reason, condition=condition)


@transaction.atomic
def undo_lending(*, device: Device, by: User) -> Device:
    """Undoes `lend_device`: the device is in use, in the condition in which it was before."""
    row = locked(device, by)
    others = set(DeviceStatus) - {DeviceStatus.ON_LOAN}
    condition = value_before(row, "condition", state="status", was=others)
    return _stay(row, "return_loan", DeviceStatus.IN_USE, by=by, restored=condition)


@transaction.atomic
def undo_return(*, device: Device, by: User) -> Device:
    """Undoes `return_loan`: the device is on loan, in the condition in which it was before."""
    row = locked(device, by)
    condition = value_before(row, "condition", state="status", was={DeviceStatus.ON_LOAN})
    return _stay(row, "lend_device", DeviceStatus.ON_LOAN, by=by, restored=condition)


@transaction.atomic
def return_loan(*, device: Device, by: User, reason: str = "", condition: str = "") -> Device:
    """Takes a lent device back. People do so by `take_back`."""
    return _stay(device, "return_loan", DeviceStatus.IN_USE, by=by, reason=reason, condition=condition)


def _step(name: str, device: Device, target: DeviceStatus, *, by: User) -> Device:
    """Locks the device and checks role and transition."""
    ensure_may(by, TRANSITIONS.transitions[name].permission)
    row = locked(device, by)
    TRANSITIONS.ensure(name, source=row.status, target=target)
    return row


def _ensure_day(row: Device, day: datetime.date) -> None:
    """Refuses that a device leaves its place before a loan of it began, or before it came back from one."""
    lent_on, last_loan = lent_since([row]).get(row.pk), last_loans([row]).get(row.pk)
    ensure_day(day, earliest_day(row), lent_on=lent_on, last_loan=last_loan)


def _end(device: Device, name: str, target: DeviceStatus, *, by: User, on: datetime.date | None, reason: str) -> Device:
    row = _step(name, device, target, by=by)
    _ensure_day(row, on or today())
    row = write(row, None, status=target, on=on, by=by, reason=reason_of_loss(target, on, reason))
    follow_status(row, by=by, on=on)
    return row


def _stay(
    device: Device,
    name: str,
    target: DeviceStatus,
    *,
    by: User,
    reason: str = "",
    condition: str = "",
    restored: str | None = None,
) -> Device:
    """Changes the status alone. `condition`: the new one, if named; `restored`: the former one, though it be empty."""
    row = _step(name, device, target, by=by)
    row.status = target
    if restored is not None:
        row.condition = restored
    elif condition:
        row.condition = Condition(condition)
    save_by(row, by=by, update_fields=["status", "condition"], reason=reason.strip())
    follow_status(row, by=by)
    return row


def _let_go(row: Device, disposal: str, day: datetime.date, proceeds: Decimal | None) -> None:
    """Sets where a device goes. What belongs to others goes back to them; only a sale brings proceeds."""
    if proceeds is not None and disposal != Disposal.SOLD:
        raise DomainError(_("Only a sale brings proceeds. Please leave the amount empty, or choose “sold”."),
                          field="proceeds")  # fmt: skip
    if disposal and (disposal == Disposal.RETURNED) != (row.ownership in LENT_OWNERSHIPS):
        raise DomainError(
            _("The device belongs to others: it goes back to its owner. Please choose that, or correct the ownership.")
            if row.ownership in LENT_OWNERSHIPS
            else _("The device belongs to the city, so there is no owner to return it to. Please choose another way."),
            field="disposal",
        )
    row.disposal = Disposal(disposal) if disposal else ""
    row.disposed_on = day if disposal else None
    row.proceeds = proceeds
