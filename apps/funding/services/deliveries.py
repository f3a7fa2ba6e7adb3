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
from apps.core import clock
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.funding.choices import DeliveryKind
from apps.funding.models import DeliveredItem, Delivery, Grant, Order, OrderLine, PurchasedDevice, ScannedReceipt
from apps.funding.purchase_selectors import is_scanned, receipt_of
from apps.funding.purchasing import state_by_deliveries
from apps.funding.services.following import follow_orders
from apps.funding.services.purchase_steps import (
    Locked,
    change_order_state,
    ensure_order_step,
    lock_order,
    not_yours,
)
from apps.funding.services.steps import ensure_may, money_transaction, required_text, validated
from apps.inventory.models import Device, ScanSession
from apps.inventory.services import bind_devices, return_to_supplier, start_scanning

_RECEIVE = "funding.receive_goods"


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
        locked = lock_order(order, by=by, permission=_RECEIVE)
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
        delivery = _delivery(locked.order, DeliveryKind.RECEIPT, note or Note(), by=by, form_key=form_key)
        for line, pieces in chosen.items():
            _receive(line, pieces, delivery, by=by)
        _follow(locked, "receive_goods", by=by)
    return delivery


def begin_scan(*, order_line: OrderLine, by: User, token: uuid.UUID, note: Note | None = None) -> ScanSession:
    """Begins to scan in the devices of an order line: product, school, price and missing pieces are known already.

    The second sending of the same form returns the delivery that the first began. The pieces count as delivered when
    the devices are taken in.
    """
    ensure_may(by, _RECEIVE)
    note = note or Note()
    with money_transaction():
        locked = lock_order(order_line.order, by=by, permission=_RECEIVE)
        ensure_order_step("receive_goods", locked.order)
        line = next(row for row in locked.lines if row.pk == order_line.pk)
        day = _checked_day(note.day, locked.order)
        _ensure_to_scan(line)
        session = start_scanning(
            token=token,
            by=by,
            product=line.product,
            school=line.school,
            price=line.unit_price,
            expected=line.quantity - line.delivered,
            bought_on=day,
            since=day,
            note=locked.order.number,
        )
        ScannedReceipt.objects.get_or_create(
            scan_session=session,
            defaults={"order_line": line, "note_number": note.number.strip(), "received_on": day},
        )
    return session


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
        locked = lock_order(order, by=by, permission=_RECEIVE)
        if (earlier := _of_form(form_key, by)) is not None:
            return earlier
        ensure_order_step("return_goods", locked.order)
        purchases = _purchases(locked.order, devices)
        wanted = Counter(row.order_line_id for row in purchases)
        wanted.update({pk: number for pk, number in (quantities or {}).items() if number})
        chosen = _chosen(locked, wanted)
        _ensure_returnable(chosen, purchases)
        day = _checked_day(on, locked.order)
        facts = Note(note_number, day, reason)
        delivery = _delivery(locked.order, DeliveryKind.RETURN, facts, by=by, form_key=form_key)
        for line, pieces in chosen.items():
            DeliveredItem.objects.create(delivery=delivery, order_line=line, quantity=pieces)
            line.delivered -= pieces
            save_by(line, by=by, update_fields=["delivered"], reason=reason)
        for row in sorted(purchases, key=lambda row: row.device_id):
            return_to_supplier(device=row.device, by=by, on=day, reason=f"{locked.order}: {reason}")
            row.returned_on = day
            row.save(update_fields=["returned_on"])
        _follow(locked, "return_goods", by=by, reason=reason)
    return delivery


class OrderFollower:
    """Hears of each scanned delivery that is taken in; what belongs to an order line becomes its delivery."""

    def prepare(self, session: ScanSession, number: int, by: User) -> None:
        """Locks the order and refuses what it does not ask for, before any device is made."""
        receipt = receipt_of(session)
        if receipt is None:
            return
        locked = lock_order(receipt.order_line.order, by=by, permission=_RECEIVE)
        ensure_order_step("receive_goods", locked.order)
        line = next(row for row in locked.lines if row.pk == receipt.order_line_id)
        is_other = session.kit_id is not None or session.product_id != line.product_id
        if is_other or (line.school_id and session.school_id != line.school_id):
            raise DomainError(
                _("The order %(order)s is about %(line)s for %(school)s. Please correct the delivery.")
                % {"order": locked.order, "line": line, "school": line.school or _("the depot")},
                code="other_goods",
            )
        _ensure_not_too_many(line, number)

    def taken_in(self, session: ScanSession, devices: Sequence[Device], by: User) -> None:
        """The devices know their order line and grant, and the line's `delivered` rises."""
        receipt = receipt_of(session)
        if receipt is None:
            return
        with money_transaction():
            locked = lock_order(receipt.order_line.order, by=by, permission=_RECEIVE)
            line = next(row for row in locked.lines if row.pk == receipt.order_line_id)
            note = Note(receipt.note_number, receipt.received_on)
            delivery = _same_note(locked.order, line, note) or _delivery(
                locked.order, DeliveryKind.RECEIPT, note, by=by, form_key=None
            )
            item = _receive(line, len(devices), delivery, by=by, session=session)
            PurchasedDevice.objects.bulk_create(
                PurchasedDevice(device=device, order_line=line, item=item) for device in devices
            )
            _bind(line, devices, by=by)
            _follow(locked, "receive_goods", by=by)


def _bind(line: OrderLine, devices: Sequence[Device], *, by: User) -> None:
    """Binds what a grant pays until the end of its earmarking, under its file reference.

    The grant is locked: a change notice recorded meanwhile finds these devices, or they find what it says.
    """
    if line.budget.grant_id is None:
        return
    grant = Grant.objects.select_for_update(no_key=True).get(pk=line.budget.grant_id)
    if grant.earmarked_until is not None:
        bind_devices(devices=devices, until=grant.earmarked_until, file_reference=grant.file_reference, by=by)


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
        raise DomainError(_("Please enter for at least one line how many pieces it is about."), field="quantity")
    return chosen


def _delivery(order: Order, kind: str, note: Note, *, by: User, form_key: uuid.UUID | None) -> Delivery:
    delivery = Delivery(
        order=order,
        kind=kind,
        form_key=form_key,
        note_number=note.number.strip(),
        received_on=_checked_day(note.day, order),
        remark=note.remark.strip()[:300],
        by=by,
    )
    validated(delivery, exclude=("order", "by"))
    delivery.save()
    return delivery


def _same_note(order: Order, line: OrderLine, note: Note) -> Delivery | None:
    """The delivery with this note's number and day that the line is not in yet: one note, several lines."""
    if not note.number or note.day is None:
        return None
    same = order.deliveries.filter(kind=DeliveryKind.RECEIPT, note_number=note.number, received_on=note.day)
    found: Delivery | None = same.exclude(items__order_line=line).order_by("pk").first()
    return found


def _checked_day(day: datetime.date | None, order: Order) -> datetime.date:
    chosen = day or clock.today()
    if chosen > clock.today():
        raise DomainError(_("This day lies in the future. Please correct it."), field="received_on")
    if order.placed_on is not None and chosen < order.placed_on:
        raise DomainError(_("This day lies before the order. Please correct it."), field="received_on")
    return chosen


def _ensure_to_scan(line: OrderLine) -> None:
    if not is_scanned(line):
        raise DomainError(
            _("“%(line)s” is not recorded piece by piece. Please enter the quantity that came.") % {"line": line},
            code="no_scan",
        )
    if line.delivered >= line.quantity:
        raise DomainError(_("All pieces of “%(line)s” are there already.") % {"line": line}, code="too_many")


def _ensure_not_too_many(line: OrderLine, number: int) -> None:
    missing = line.quantity - line.delivered
    if number > missing:
        raise DomainError(
            ngettext(
                "“%(line)s”: only %(missing)s piece is still missing, not %(number)s. Please correct the quantity.",
                "“%(line)s”: only %(missing)s pieces are still missing, not %(number)s. Please correct the quantity.",
                missing,
            )
            % {"line": line, "missing": missing, "number": number},
            code="too_many",
            field="quantity",
        )


def _receive(
    line: OrderLine, pieces: int, delivery: Delivery, *, by: User, session: ScanSession | None = None
) -> DeliveredItem:
    _ensure_not_too_many(line, pieces)
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


def _ensure_returnable(chosen: Mapping[OrderLine, int], purchases: Sequence[PurchasedDevice]) -> None:
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
                % {"line": line, "delivered": line.delivered},
                code="too_many",
                field="quantity",
            )


def _follow(locked: Locked, verb: str, *, by: User, reason: str = "") -> None:
    """The order's state by what has come, then that of its applications."""
    target = state_by_deliveries((line.quantity, line.delivered) for line in locked.lines)
    change_order_state(locked.order, verb, target, by=by, reason=reason)
    locked.order.revision += 1
    save_by(locked.order, by=by, update_fields=["state", "revision"])
    follow_orders(locked.applications.values(), by=by, reason=reason or locked.order.number)
