"""Placing an order: at once where all of its money is approved, else by the approval of a second person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.core.money import ZERO
from apps.funding.choices import LedgerKind, OrderState
from apps.funding.models import Budget, Order, OrderLine
from apps.funding.purchase_selectors import pieces_of
from apps.funding.services.awards import complete_award, ensure_contract
from apps.funding.services.beyond import Beyond, as_kept, beyond_of, told_beyond
from apps.funding.services.commitments import Booking, Books, cost_of
from apps.funding.services.following import follow_orders
from apps.funding.services.purchase_steps import (
    Locked,
    budgets_behind,
    ensure_order_revision,
    ensure_order_step,
    lines_of,
    lock_order,
    move_order,
)
from apps.funding.services.steps import money_transaction, required_text

_ORDER = "funding.place_order"
_APPROVE = "funding.approve_application"


def place_order(*, order: Order, by: User, revision: int | None = None) -> Order:
    """The order goes to the supplier, and its applications follow; or it waits for a second person.

    Posts what is ordered per budget. What it costs less than is committed stays committed until the order is closed.
    What it costs beyond that (dearer than approved, or bought by the office on its own) would commit money that nobody
    has approved: then the order becomes `PROPOSED`, nothing is posted, and another person decides (`approve_order`).

    Refuses an empty order, a contract that does not reach, a missing award record (needed where the city's table has
    a step for the sum, or without a contract), a line at no price without its reason, and more than a budget has
    available.
    """
    with money_transaction():
        locked = lock_order(order, by=by, permission=_ORDER)
        row = locked.order
        ensure_order_revision(row, revision)
        ensure_order_step("place_order", row)
        booking = _checked(locked, by=by)
        if booking.effects():
            booking.ensure_affordable()
            row.proposed_by = by
            move_order(row, "place_order", OrderState.PROPOSED, by=by)
        else:
            row.proposed_by = None
            _place(locked, booking, "place_order", by=by)
    return row


def approve_order(*, order: Order, by: User, revision: int | None = None) -> Order:
    """What the order commits beyond what is approved is committed, and the order goes to the supplier.

    Refuses whoever made or proposed the order (Vier-Augen-Prinzip): so two people decide, whatever the sum; and
    whatever placing refuses, which is checked anew. What is approved beyond is kept with the change of state.
    """
    with money_transaction():
        locked = lock_order(order, by=by, permission=_APPROVE)
        row = locked.order
        ensure_order_revision(row, revision)
        ensure_order_step("approve_order", row)
        if by.pk in (row.created_by_id, row.proposed_by_id):
            raise DomainError(
                _("You made or proposed this order yourself. Please ask another person to approve it."),
                code="same_person",
            )
        _place(locked, _checked(locked, by=by), "approve_order", by=by)
    return row


def why_not_approved(*, order: Order, by: User) -> str:
    """The sentence with which `approve_order` would refuse now; empty where it would not. Nothing stays written."""
    sentence = ""
    with transaction.atomic():
        try:
            approve_order(order=order, by=by)
        except DomainError as error:
            sentence = str(error)
        transaction.set_rollback(True)
    return sentence


def return_order(*, order: Order, by: User, reason: str = "", revision: int | None = None) -> Order:
    """A proposed order becomes a draft again: taken back by who proposed it, or returned by another with a reason."""
    with money_transaction():
        row = lock_order(order, by=by, permission=_ORDER).order
        ensure_order_revision(row, revision)
        ensure_order_step("return_order", row)
        if by.pk != row.proposed_by_id:
            reason = required_text(reason, _("Please say what is to be changed."), field="reason")
        row.proposed_by = None
        move_order(row, "return_order", OrderState.DRAFT, by=by, reason=reason.strip())
    return row


def ensure_placeable(*, order: Order, by: User) -> None:
    """Raises what `place_order` would refuse now, and writes nothing."""
    with money_transaction():
        locked = lock_order(order, by=by, permission=_ORDER)
        ensure_order_step("place_order", locked.order)
        _checked(locked, by=by).ensure_affordable()


def beyond_approved(order: Order, *, by: User) -> Beyond:
    """What placing would commit beyond what is approved now: a preview, read without locks."""
    lines = lines_of(order)
    booking = _gathered(order, lines, Budget.objects.in_bulk(budgets_behind(lines)), by=by)
    return beyond_of(booking, lines)


def _checked(locked: Locked, *, by: User) -> Booking:
    """Locks contract and budgets, and gathers what placing the order posts; refuses what must not be placed."""
    row = locked.order
    if not locked.lines:
        raise DomainError(_("The order is empty. Please add what is to be ordered."), code="empty")
    ensure_contract(row, locked.lines)
    complete_award(row)
    _ensure_still_approved(locked)
    _ensure_priced(locked)
    return _gathered(row, locked.lines, locked.lock_budgets(by=by), by=by)


def _ensure_priced(locked: Locked) -> None:
    """What costs nothing is a gift or a price that nobody has typed: the order says which."""
    if locked.order.no_price_reason:
        return
    for number, line in enumerate(locked.lines, start=1):
        if line.unit_price == ZERO:
            raise DomainError(
                _("Line %(number)s (“%(line)s”) costs nothing. Please enter its price, or say why.")
                % {"number": number, "line": line},
                code="no_price",
                field="no_price_reason",
            )


def _gathered(order: Order, lines: Sequence[OrderLine], budgets: Mapping[int, Budget], *, by: User) -> Booking:
    books, booking = Books(lines), Booking(budgets, by=by, note=order.number)
    for line in lines:
        need = cost_of(line, line.unit_price, line.quantity)
        booking.cover(line, need, books)
        booking.add(LedgerKind.ORDER, line, need)
    return booking


def _place(locked: Locked, booking: Booking, verb: str, *, by: User) -> None:
    row = locked.order
    row.placed_by, row.placed_on = by, clock.today()
    beyond = beyond_of(booking, locked.lines)
    if beyond.effects:
        move_order(row, verb, OrderState.PLACED, by=by, told=told_beyond(beyond), beyond=as_kept(beyond))
    else:
        move_order(row, verb, OrderState.PLACED, by=by)
    booking.post()
    follow_orders(locked.applications.values(), by=by, reason=row.number)


def _ensure_still_approved(locked: Locked) -> None:
    """What an application's line has left may have been given up since the draft was written."""
    applied = [line.application_line for line in locked.lines if line.application_line is not None]
    pieces = pieces_of(applied)
    for line in locked.lines:
        if line.application_line_id is not None and pieces[line.application_line_id].to_order < 0:
            raise DomainError(
                _("“%(line)s”: not so many are approved any more. Please correct the line.") % {"line": line},
                code="quantity",
            )
