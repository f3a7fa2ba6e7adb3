"""Goods that come in and go back. Locks in each: scanned delivery, order, applications, budgets, devices, schools."""

from __future__ import annotations

import datetime
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import clock, formats
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.funding.choices import DeliveryKind
from apps.funding.models import DeliveredItem, Delivery, Order, OrderLine, PurchasedDevice
from apps.funding.purchase_selectors import is_scanned
from apps.funding.purchasing import state_by_deliveries
from apps.funding.services.following import follow_orders
from apps.funding.services.purchase_steps import (
    Locked,
    change_order_state,
    ensure_order_step,
    lock_order,
    not_yours,
)
from apps.funding.services.steps import money_transaction, required_text, validated
from apps.inventory.models import Device, ScanSession
from apps.inventory.services import return_to_supplier

RECEIVE = "funding.receive_goods"


@dataclass(frozen=True)
class Note:
    """What a delivery note says: its number and the day on which the goods came; None: today."""

    number: str = ""
    day: datetime.date | None = None
    remark: str = ""


def receive_goods(
    *,
    order: Order,
    by: User,
    quantities: Mapping[int, int],
    note: Note | None = None,
    form_key: uuid.UUID | None = None,
) -> Delivery:
    """Takes in goods that nobody records piece by piece: order line id -> pieces. The rest may come later.

    Devices are scanned in instead, see `begin_scan`. Refuses more than was ordered. A form that is sent twice makes
    one delivery. The order and its applications follow.
    """
    with money_transaction():
        locked = lock_order(order, by=by, permission=RECEIVE)
        if (earlier := _of_form(form_key, by)) is not None:
            return earlier
        ensure_order_step("receive_goods", locked.order)
        chosen = _chosen(locked, quantities)
        for line in chosen:
            if is_scanned(line):
                raise DomainError(
                    _("“%(line)s” is recorded piece by piece. Please scan the devices in.") % {"line": line},
                    code="scan",
                )
        delivery = new_delivery(locked.order, DeliveryKind.RECEIPT, note or Note(), by=by, form_key=form_key)
        for line, pieces in chosen.items():
            receive_pieces(line, pieces, delivery, by=by, number=_number(line, quantities))
        follow_goods(locked, "receive_goods", by=by)
    return delivery


def return_goods(
    *,
    order: Order,
    by: User,
    reason: str,
    devices: Sequence[Device] = (),
    quantities: Mapping[int, int] | None = None,
    on: datetime.date | None = None,
    note_number: str = "",
    form_key: uuid.UUID | None = None,
) -> Delivery:
    """Goods go back to the supplier: single devices, and pieces of order lines that nobody scans.

    Devices are retired as returned, and no grant binds them any longer; that is no disposal. What went back counts as
    not delivered. The order and its applications follow.
    """
    reason = required_text(reason, _("Please say why the goods go back."), field="reason")
    with money_transaction():
        locked = lock_order(order, by=by, permission=RECEIVE)
        if (earlier := _of_form(form_key, by)) is not None:
            return earlier
        ensure_order_step("return_goods", locked.order)
        purchases = _purchases(locked.order, devices)
        wanted = Counter(row.order_line_id for row in purchases)
        wanted.update({pk: number for pk, number in (quantities or {}).items() if number})
        chosen = _chosen(locked, wanted)
        _ensure_returnable(chosen, purchases, quantities or {})
        day = checked_day(on, locked.order)
        facts = Note(note_number, day, reason)
        delivery = new_delivery(locked.order, DeliveryKind.RETURN, facts, by=by, form_key=form_key)
        for line, pieces in chosen.items():
            DeliveredItem.objects.create(delivery=delivery, order_line=line, quantity=pieces)
            line.delivered -= pieces
            save_by(line, by=by, update_fields=["delivered"], reason=reason)
        for row in sorted(purchases, key=lambda row: row.device_id):
            return_to_supplier(device=row.device, by=by, on=day, reason=f"{locked.order}: {reason}")
            row.returned_on = day
            row.save(update_fields=["returned_on"])
        follow_goods(locked, "return_goods", by=by, reason=reason)
    return delivery


def _of_form(form_key: uuid.UUID | None, by: User) -> Delivery | None:
    found = None if form_key is None else Delivery.objects.filter(form_key=form_key).first()
    if found is not None and found.by_id != by.pk:
        raise not_yours()
    return found


def _chosen(locked: Locked, quantities: Mapping[int, int]) -> dict[OrderLine, int]:
    """Lines of this order with the pieces that were typed; zeros are left out."""
    lines = {line.pk: line for line in locked.lines}
    if not set(quantities) <= set(lines):
        raise DomainError(_("A line does not belong to this order. Please load the page again."), code="stale")
    if any(number < 0 for number in quantities.values()):
        raise DomainError(_("Please enter a quantity of at least 1."), field="quantity")
    chosen = {lines[pk]: number for pk, number in sorted(quantities.items()) if number}
    if not chosen:
        raise DomainError(
            _("Please enter for at least one line how many pieces it is about."),
            field="quantity",
            line=1 if quantities else None,
        )
    return chosen


def _number(line: OrderLine, quantities: Mapping[int, int]) -> int | None:
    """From 1, among those whose pieces were typed; None where only devices of it were chosen."""
    return list(quantities).index(line.pk) + 1 if line.pk in quantities else None


def new_delivery(order: Order, kind: str, note: Note, *, by: User, form_key: uuid.UUID | None) -> Delivery:
    delivery = Delivery(
        order=order,
        kind=kind,
        form_key=form_key,
        note_number=note.number.strip(),
        received_on=checked_day(note.day, order),
        remark=note.remark.strip()[:300],
        by=by,
    )
    validated(delivery, exclude=("order", "by"))
    delivery.save()
    return delivery


def checked_day(day: datetime.date | None, order: Order) -> datetime.date:
    chosen = day or clock.today()
    if chosen > clock.today():
        raise DomainError(_("This day lies in the future. Please correct it."), field="received_on")
    if order.placed_on is not None and chosen < order.placed_on:
        raise DomainError(_("This day lies before the order. Please correct it."), field="received_on")
    return chosen


def ensure_not_too_many(lines: Sequence[OrderLine], pieces: int, *, number: int | None = None) -> None:
    """Refuses more pieces than lines of one product miss together. `number`: of the line that the form shows."""
    missing = sum(line.quantity - line.delivered for line in lines)
    if pieces > missing:
        raise DomainError(
            ngettext(
                "“%(line)s”: only %(missing)s piece is still missing, not %(number)s. Please correct the quantity.",
                "“%(line)s”: only %(missing)s pieces are still missing, not %(number)s. Please correct the quantity.",
                missing,
            )
            % {
                "line": lines[0] if len(lines) == 1 else lines[0].product,
                "missing": formats.number(missing),
                "number": formats.number(pieces),
            },
            code="too_many",
            field="quantity",
            line=number,
        )


def receive_pieces(
    line: OrderLine,
    pieces: int,
    delivery: Delivery,
    *,
    by: User,
    session: ScanSession | None = None,
    number: int | None = None,
) -> DeliveredItem:
    """`number`: of the line that the form shows."""
    ensure_not_too_many([line], pieces, number=number)
    item = DeliveredItem.objects.create(delivery=delivery, order_line=line, quantity=pieces, scan_session=session)
    line.delivered += pieces
    save_by(line, by=by, update_fields=["delivered"])
    return item


def _purchases(order: Order, devices: Sequence[Device]) -> list[PurchasedDevice]:
    """The purchases behind these devices; each was bought with this order and is still there."""
    ids = {device.pk for device in devices}
    rows = PurchasedDevice.objects.filter(device__in=ids, order_line__order=order, returned_on__isnull=True)
    found = list(rows.select_related("device").order_by("pk"))
    if len(found) != len(ids):
        raise DomainError(
            _("A device was not bought with this order, or went back already. Please load the page again."),
            code="other_goods",
        )
    return found


def _ensure_returnable(
    chosen: Mapping[OrderLine, int], purchases: Sequence[PurchasedDevice], quantities: Mapping[int, int]
) -> None:
    named = Counter(row.order_line_id for row in purchases)
    for line, pieces in chosen.items():
        if is_scanned(line) and named[line.pk] != pieces:
            raise DomainError(
                _("“%(line)s” is recorded piece by piece. Please choose the devices that go back.") % {"line": line},
                code="scan",
            )
        if pieces > line.delivered:
            raise DomainError(
                _("“%(line)s”: only %(delivered)s came. Please correct the quantity.")
                % {"line": line, "delivered": formats.number(line.delivered)},
                code="too_many",
                field="quantity",
                line=_number(line, quantities),
            )


def follow_goods(locked: Locked, verb: str, *, by: User, reason: str = "") -> None:
    """The order's state by what has come, then that of its applications."""
    target = state_by_deliveries((line.quantity, line.delivered) for line in locked.lines)
    change_order_state(locked.order, verb, target, by=by, reason=reason)
    locked.order.revision += 1
    save_by(locked.order, by=by, update_fields=["state", "revision"])
    follow_orders(locked.applications.values(), by=by, reason=reason or locked.order.number)
