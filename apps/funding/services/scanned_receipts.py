"""Goods of an order that are scanned in: the devices of a line, or kits whose parts are lines of it.

Locks as in `deliveries`; the grants of what was bought come last, in the order of their keys.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import formats
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.funding.choices import DeliveryKind
from apps.funding.models import Delivery, Grant, Order, OrderLine, PurchasedDevice, ScannedLine, ScannedReceipt
from apps.funding.purchase_selectors import is_scanned
from apps.funding.purchasing import LIVE_ORDERS
from apps.funding.scan_selectors import Part, ToScan, goods_of, kits_to_scan, receipt_of
from apps.funding.services.deliveries import (
    RECEIVE,
    Note,
    checked_day,
    ensure_not_too_many,
    follow_goods,
    new_delivery,
    receive_pieces,
)
from apps.funding.services.purchase_steps import Locked, ensure_order_step, lines_of, lock_order
from apps.funding.services.steps import ensure_may, money_transaction
from apps.inventory.models import Device, Kit, ScanSession
from apps.inventory.services import bind_devices, start_scanning


def begin_scan(
    *, order_line: OrderLine, by: User, token: uuid.UUID, note: Note | None = None, kit: Kit | None = None
) -> ScanSession:
    """Begins to scan in the devices of an order line, or kits for its school of which it is a part.

    Product or kit, school, prices and missing pieces are known already. The second sending of the same form returns
    the delivery that the first began. The pieces count as delivered when the devices are taken in.
    """
    ensure_may(by, RECEIVE)
    note = note or Note()
    with money_transaction():
        locked = lock_order(order_line.order, by=by, permission=RECEIVE)
        ensure_order_step("receive_goods", locked.order)
        line = next(row for row in locked.lines if row.pk == order_line.pk)
        day = checked_day(note.day, locked.order)
        goods = _devices(line) if kit is None else _kits(kit, line, locked)
        what: dict[str, Any] = {"product": line.product, "price": line.unit_price} if kit is None else {"kit": kit}
        is_resent = ScanSession.objects.filter(token=token).exists()
        session = start_scanning(
            token=token,
            by=by,
            school=line.school,
            expected=goods.number,
            bought_on=day,
            since=day,
            note=locked.order.number,
            **what,
        )
        if is_resent:
            return session
        facts = {"order": locked.order, "kit": kit, "note_number": note.number.strip(), "received_on": day}
        receipt = ScannedReceipt.objects.create(scan_session=session, **facts)
        ScannedLine.objects.bulk_create(
            ScannedLine(receipt=receipt, order_line=row, per_kit=part.per_kit)
            for part in goods.parts
            for row in part.lines
        )
    return session


def _devices(line: OrderLine) -> ToScan:
    if not is_scanned(line):
        raise DomainError(
            _("“%(line)s” is not recorded piece by piece. Please enter the quantity that came.") % {"line": line},
            code="no_scan",
        )
    if line.delivered >= line.quantity:
        raise DomainError(_("All pieces of “%(line)s” are there already.") % {"line": line}, code="too_many")
    return ToScan((Part((line,), 1),))


def _kits(kit: Kit, line: OrderLine, locked: Locked) -> ToScan:
    offers = kits_to_scan(locked.lines, pk=kit.pk)
    found = next((offer for offer in offers if offer.school == line.school), None)
    if found is None:
        raise DomainError(
            _("For %(school)s no whole kit “%(kit)s” is missing any more. Please scan what is missing in singly.")
            % {"kit": kit, "school": line.school or _("the depot")},
            code="too_many",
        )
    return found


class OrderFollower:
    """Hears of each scanned delivery that is taken in; what belongs to an order becomes its delivery."""

    def obstacle(self, session: ScanSession, number: int) -> str:
        """What `prepare` would refuse, read without locks."""
        receipt = receipt_of(session)
        if receipt is None:
            return ""
        return _obstacle(session, receipt.order, goods_of(receipt, lines_of(receipt.order)), number)

    def may_release(self, session: ScanSession, by: User) -> bool:
        """Whoever takes in what an order brings; only where an order stands behind the delivery."""
        return by.has_perm(RECEIVE) and receipt_of(session) is not None

    def release(self, session: ScanSession, number: int, by: User) -> bool:
        """Gives the receipt up where the order refuses the delivery as it stands; the order's history says so."""
        receipt = receipt_of(session)
        if receipt is None:
            return False
        with money_transaction():
            locked = lock_order(receipt.order, by=by, permission=RECEIVE)
            ensure_order_step("release_scan", locked.order)
            if not _obstacle(session, locked.order, goods_of(receipt, locked.lines), number):
                raise DomainError(_("By now this delivery can be taken in with its order."), code="no_obstacle")
            told = _("The scanned delivery “%(delivery)s” goes on without this order.") % {"delivery": session}
            receipt.delete()
            save_by(locked.order, by=by, update_fields=["revision"], reason=told)
        return True

    def prepare(self, session: ScanSession, number: int, by: User) -> Mapping[int, Sequence[Decimal]]:
        """Locks the order and refuses what it does not ask for, before any device is made. Prices are the order's."""
        receipt = receipt_of(session)
        if receipt is None:
            return {}
        locked = lock_order(receipt.order, by=by, permission=RECEIVE)
        prices: defaultdict[int | None, list[Decimal]] = defaultdict(list)
        for line, pieces in _checked_shares(session, locked.order, goods_of(receipt, locked.lines), number):
            prices[line.product_id] += [line.unit_price] * pieces
        return {product: each for product, each in prices.items() if product is not None}

    def taken_in(self, session: ScanSession, number: int, devices: Sequence[Device], by: User) -> None:
        """The devices know their order lines and grants, and `delivered` of each line rises."""
        receipt = receipt_of(session)
        if receipt is None:
            return
        with money_transaction():
            locked = lock_order(receipt.order, by=by, permission=RECEIVE)
            shares = _shares(goods_of(receipt, locked.lines), number)
            note = Note(receipt.note_number, receipt.received_on)
            delivery = _same_note(locked.order, [line for line, _pieces in shares], note) or new_delivery(
                locked.order, DeliveryKind.RECEIPT, note, by=by, form_key=None
            )
            new = _by_product(devices)
            bought: list[PurchasedDevice] = []
            for line, pieces in shares:
                item = receive_pieces(line, pieces, delivery, by=by, session=session)
                theirs = islice(new.get(line.product_id, iter(())), pieces)
                bought += [PurchasedDevice(device=device, order_line=line, item=item) for device in theirs]
            PurchasedDevice.objects.bulk_create(bought)
            _bind(bought, by=by)
            follow_goods(locked, "receive_goods", by=by)


def _obstacle(session: ScanSession, order: Order, goods: ToScan, number: int) -> str:
    try:
        _checked_shares(session, order, goods, number)
    except DomainError as error:
        return str(error)
    return ""


def _checked_shares(session: ScanSession, order: Order, goods: ToScan, number: int) -> list[tuple[OrderLine, int]]:
    """The pieces of each line; refuses what the order does not ask for, or no longer, and says what to do instead."""
    if order.state not in LIVE_ORDERS:
        raise DomainError(
            _(
                "The order %(order)s is “%(state)s”: nothing of it can be taken in any more. Please take the devices in"
                " without the order under “Check and take in”, or give them back to the supplier and cancel this"
                " delivery."
            )
            % {"order": order, "state": order.get_state_display()},
            code="order_ended",
        )
    _ensure_as_ordered(session, order, goods)
    _ensure_enough_missing(goods, number)
    return _shares(goods, number)


def _ensure_enough_missing(goods: ToScan, number: int) -> None:
    """There is no quantity to correct: numbers are removed, and what is left over is no longer of this order."""
    over = number - goods.number
    if over < 1:
        return
    if goods.kit is None:
        words = ngettext(
            "Of “%(what)s” %(missing)s are still to come, and %(number)s are scanned. Please remove one number, and"
            " take the device that is left over in without an order or give it back to the supplier.",
            "Of “%(what)s” %(missing)s are still to come, and %(number)s are scanned. Please remove %(over)s numbers,"
            " and take the devices that are left over in without an order or give them back to the supplier.",
            over,
        )
    else:
        words = ngettext(
            "Of “%(what)s” %(missing)s are still to come, and %(number)s are scanned. Please remove the numbers of"
            " one kit, and take it in without an order or give it back to the supplier.",
            "Of “%(what)s” %(missing)s are still to come, and %(number)s are scanned. Please remove the numbers of"
            " %(over)s kits, and take them in without an order or give them back to the supplier.",
            over,
        )
    what = goods.kit or goods.line.product or goods.line.description
    figures = {"missing": goods.number, "number": number, "over": over}
    shown = {name: formats.number(figure) for name, figure in figures.items()}
    raise DomainError(words % ({"what": what} | shown), code="too_many")


def _ensure_as_ordered(session: ScanSession, order: Order, goods: ToScan) -> None:
    """Refuses a delivery that was edited into one of other goods, or for another school."""
    asked = {part.lines[0].product_id: part.per_kit for part in goods.parts if is_scanned(part.lines[0])}
    made = {product: pieces for product, pieces, _scanned in session.kit_parts} or {session.product_id: 1}
    is_other = session.kit_id != (goods.kit.pk if goods.kit else None) or made != asked
    if is_other or (goods.school and session.school_id != goods.school.pk):
        raise DomainError(
            _("The order %(order)s is about %(line)s for %(school)s. Please correct the delivery.")
            % {"order": order, "line": goods.what, "school": goods.school or _("the depot")},
            code="other_goods",
        )


def _shares(goods: ToScan, number: int) -> list[tuple[OrderLine, int]]:
    """The pieces that so many kits, or devices, bring to each line; refuses more than the lines of a product miss."""
    shares: list[tuple[OrderLine, int]] = []
    for part in goods.parts:
        ensure_not_too_many(part.lines, number * part.per_kit)
        shares += part.shares(number * part.per_kit)
    return sorted(shares, key=lambda share: share[0].pk)


def _by_product(devices: Sequence[Device]) -> dict[int | None, Iterator[Device]]:
    found: defaultdict[int, list[Device]] = defaultdict(list)
    for device in devices:
        found[device.product_id].append(device)
    return {product: iter(rows) for product, rows in found.items()}


def _same_note(order: Order, lines: Sequence[OrderLine], note: Note) -> Delivery | None:
    """The delivery with this note's number and day that none of the lines is in yet: one note, several lines."""
    if not note.number or note.day is None:
        return None
    same = order.deliveries.filter(kind=DeliveryKind.RECEIPT, note_number=note.number, received_on=note.day)
    found: Delivery | None = same.exclude(items__order_line__in=lines).order_by("pk").first()
    return found


def _bind(bought: Sequence[PurchasedDevice], *, by: User) -> None:
    """Binds what a grant pays until the end of its earmarking, under its file reference.

    The grants are locked: a change notice recorded meanwhile finds these devices, or they find what it says.
    """
    theirs: defaultdict[int, list[Device]] = defaultdict(list)
    for row in bought:
        if row.order_line.budget.grant_id is not None:
            theirs[row.order_line.budget.grant_id].append(row.device)
    for grant in Grant.objects.select_for_update(no_key=True).filter(pk__in=theirs).order_by("pk"):
        if grant.earmarked_until is not None:
            bind_devices(
                devices=theirs[grant.pk], until=grant.earmarked_until, file_reference=grant.file_reference, by=by
            )
