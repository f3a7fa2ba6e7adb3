"""Orders: bundled, cancelled, closed; placing.py places them. Locks: order, contract, applications, budgets."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypedDict, Unpack
from uuid import UUID

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.core.formats import euro
from apps.core.history import save_by
from apps.core.money import ZERO, total
from apps.funding.choices import InvoiceState, LedgerKind, OrderState
from apps.funding.models import (
    ApplicationLine,
    EquipmentApplication,
    FrameworkContract,
    Invoice,
    InvoiceLine,
    Order,
    OrderNumber,
    Supplier,
)
from apps.funding.purchase_selectors import pieces_of
from apps.funding.purchasing import UNPLACED_ORDERS, OrderLineInput, Paid, paid_in_vain
from apps.funding.services.commitments import Booking, Books
from apps.funding.services.expected import paid_of
from apps.funding.services.following import follow_orders
from apps.funding.services.order_lines import pot_of, write_lines
from apps.funding.services.purchase_steps import (
    Locked,
    ensure_order_revision,
    ensure_order_step,
    lines_of,
    lock_applications,
    lock_order,
    move_order,
    not_yours,
)
from apps.funding.services.steps import (
    ensure_may,
    lock_application,
    lock_budgets,
    money_transaction,
    required_text,
    validated,
)

_ORDER = "funding.place_order"


class OrderFacts(TypedDict, total=False):
    """What a draft has beside its supplier and lines; what is left out is empty. `estimated_net` in euros."""

    contract: FrameworkContract | None
    note: str
    estimated_net: Decimal | None
    procedure: str
    award_reason: str
    no_price_reason: str


_NOTHING: OrderFacts = {
    "contract": None,
    "note": "",
    "estimated_net": None,
    "procedure": "",
    "award_reason": "",
    "no_price_reason": "",
}


def create_order(
    *,
    by: User,
    supplier: Supplier,
    lines: Sequence[OrderLineInput] = (),
    form_key: UUID | None = None,
    **facts: Unpack[OrderFacts],
) -> Order:
    """A draft with the next number of the year. A form that is sent twice (`form_key`) makes one order.

    Lines of applications: approved, and not more than stands in no other order. Lines of the office's own name a
    product or say in words what is bought, and the budget that pays.
    """
    ensure_may(by, _ORDER)
    with money_transaction():
        numbers = _locked_numbers()
        if (earlier := _of_form(form_key, by)) is not None:
            return earlier
        order = Order(number=_next(numbers), form_key=form_key, created_by=by)
        _take_facts(order, supplier, facts)
        save_by(order, by=by)
        write_lines(order, lines, by=by)
        return order


def save_order(
    *,
    order: Order,
    revision: int,
    by: User,
    supplier: Supplier,
    lines: Sequence[OrderLineInput],
    **facts: Unpack[OrderFacts],
) -> Order:
    """Replaces facts, award record and lines of a draft; lines that are not named are removed.

    `StaleError` when somebody saved since `revision` was read.
    """
    with money_transaction():
        named = [line.application_line_id for line in lines if line.application_line_id is not None]
        row = lock_order(order, by=by, permission=_ORDER, also_lines=named).order
        ensure_order_revision(row, revision)
        _ensure_draft(row)
        _take_facts(row, supplier, facts)
        row.revision += 1
        save_by(row, by=by, update_fields=["supplier", *_NOTHING, "revision"])
        write_lines(row, lines, by=by)
    return row


def cancel_order(*, order: Order, by: User, reason: str = "", revision: int | None = None) -> Order:
    """Takes back an order of which nothing has come and nothing is paid. Its lines can be ordered again.

    What was ordered is countered; what was committed for this order is committed no longer.
    """
    with money_transaction():
        locked = lock_order(order, by=by, permission=_ORDER)
        row = locked.order
        ensure_order_revision(row, revision)
        ensure_order_step("cancel_order", row)
        if row.state not in UNPLACED_ORDERS:
            reason = required_text(reason, _("Please say why the order is cancelled."), field="reason")
        ensure_untouched(row)
        budgets = locked.lock_budgets(by=by)
        move_order(row, "cancel_order", OrderState.CANCELLED, by=by, reason=reason.strip())
        books, booking = Books(locked.lines), Booking(budgets, by=by, note=reason.strip())
        for line in locked.lines:
            booking.add(LedgerKind.ORDER, line, books.posted(line, LedgerKind.ORDER), sign=-1)
            if line.application_line_id is None:
                open_amounts = {pk: books.open(line, pk) for pk in sorted(books.budgets_of(line))}
                booking.add(LedgerKind.RELEASE, line, open_amounts)
            else:
                booking.commit(line, books.posted(line, LedgerKind.COMMIT), sign=-1)
        booking.post()
        follow_orders(locked.applications.values(), by=by, reason=reason.strip())
    return row


def close_order(
    *, order: Order, by: User, reason: str = "", order_missing_again: bool = False, revision: int | None = None
) -> Order:
    """Nothing more comes of this order: what is committed for it and was not paid becomes available again.

    Pieces that did not come are given up, or (`order_missing_again`) stand again among what is to be ordered, with
    their money. Needs a reason when pieces are missing or not invoiced; refuses while an invoice waits for payment.
    """
    with money_transaction():
        locked = lock_order(order, by=by, permission=_ORDER)
        row = locked.order
        ensure_order_revision(row, revision)
        ensure_order_step("close_order", row)
        _ensure_may_close(locked, reason)
        budgets = locked.lock_budgets(by=by)
        move_order(row, "close_order", OrderState.CLOSED, by=by, reason=reason.strip())
        if not order_missing_again:
            _give_up_missing(locked, by=by, reason=reason)
        books, booking = Books(locked.lines), Booking(budgets, by=by, note=reason.strip())
        for line in locked.lines:
            booking.release_surplus(line, books)
        booking.post()
        _follow_closing(locked, by=by, reason=reason.strip())
    return row


def give_up_line(*, line: ApplicationLine, by: User, reason: str) -> ApplicationLine:
    """The pieces of an approved line that stand in no order are not bought after all; their money is released."""
    reason = required_text(reason, _("Please say why this is not bought after all."), field="reason")
    application = EquipmentApplication(pk=line.application_id)
    with money_transaction():
        lock_application(application, by=by, permission=_ORDER)
        applications = lock_applications([line.application_id])
        row: ApplicationLine = ApplicationLine.objects.select_related("product").get(pk=line.pk)
        number = pieces_of([row])[row.pk].to_order
        if number < 1 or row.application_id not in applications:
            raise DomainError(
                _("Nothing of this line is left to order. Please load the page again."), code="nothing_left"
            )
        pot = pot_of(row)
        budgets = lock_budgets({pk for pk in (pot.budget_id, pot.own_share_budget_id) if pk is not None}, by=by)
        row.given_up += number
        save_by(row, by=by, update_fields=["given_up"], reason=reason)
        booking = Booking(budgets, by=by, note=reason)
        booking.release_surplus(pot, Books([pot]))
        booking.post()
        follow_orders(applications.values(), by=by, reason=reason)
    return row


def _locked_numbers() -> OrderNumber:
    """The row of this year, locked until the transaction ends: no number is missing, and no form makes two orders."""
    year = clock.today().year
    OrderNumber.objects.get_or_create(year=year)
    row: OrderNumber = OrderNumber.objects.select_for_update(no_key=True).get(year=year)
    return row


def _next(numbers: OrderNumber) -> str:
    numbers.last += 1
    numbers.save(update_fields=["last"])
    return f"B-{numbers.year}-{numbers.last:04d}"


def _of_form(form_key: UUID | None, by: User) -> Order | None:
    found = None if form_key is None else Order.objects.filter(form_key=form_key).first()
    if found is not None and found.created_by_id != by.pk:
        raise not_yours()
    return found


def _take_facts(order: Order, supplier: Supplier, given: OrderFacts) -> None:
    facts: OrderFacts = {**_NOTHING, **given}
    contract = facts["contract"]
    if not supplier.is_active and supplier.pk != order.supplier_id:
        raise DomainError(_("We no longer order at “%(supplier)s”. Please choose another supplier.")
                          % {"supplier": supplier}, field="supplier")  # fmt: skip
    if contract is not None and contract.supplier_id != supplier.pk:
        raise DomainError(_("“%(contract)s” is a contract with another supplier. Please choose one of this supplier.")
                          % {"contract": contract}, field="contract")  # fmt: skip
    order.supplier = supplier
    for name, value in facts.items():
        setattr(order, name, value.strip() if isinstance(value, str) else value)
    validated(order, exclude=("number", "supplier", "contract", "created_by", "placed_by"))
    if order.estimated_net is not None and order.estimated_net <= ZERO:
        raise DomainError(_("Please enter an amount above zero."), field="estimated_net")


def _ensure_draft(order: Order) -> None:
    if order.state != OrderState.DRAFT:
        raise DomainError(
            _("This order can no longer be changed: its state is now “%(state)s”. Please load the page again.")
            % {"state": order.get_state_display()},
            code="not_editable",
        )


def ensure_untouched(order: Order) -> None:
    """Nothing stands in the way of a cancellation: no goods, no invoice that waits, no money paid."""
    if order.deliveries.exists() and any(line.delivered for line in lines_of(order)):
        raise DomainError(_("Goods of this order have come. Please return them first, or close the order."))
    if order.invoices.filter(state=InvoiceState.RECORDED).exists():
        raise DomainError(_("An invoice of this order waits for payment. Please cancel the invoice first."))
    paid = InvoiceLine.objects.filter(invoice__order=order, invoice__state=InvoiceState.PAID)
    if any(amount for (amount,) in paid.order_by().values("order_line").annotate(sum=Sum("amount")).values_list("sum")):
        raise DomainError(_("Something of this order is paid. Please record the credit note first."))


def _ensure_may_close(locked: Locked, reason: str) -> None:
    order = locked.order
    if Invoice.objects.filter(order=order, state=InvoiceState.RECORDED).exists():
        raise DomainError(_("An invoice of this order waits for payment. Please have it paid or cancel it first."))
    if reason.strip():
        return
    paid = {line.pk: Paid() for line in locked.lines} | paid_of(locked.lines)
    in_vain = total(paid_in_vain(paid[line.pk].amount, paid[line.pk].quantity, line.delivered) for line in locked.lines)
    if in_vain:
        raise DomainError(
            _(
                "%(amount)s are paid and not delivered; a credit note is still to come. "
                "Please say why the order is closed all the same."
            )
            % {"amount": euro(in_vain)},
            field="reason",
        )
    if any(line.delivered < line.quantity for line in locked.lines):
        raise DomainError(
            _("Not everything has come. Please say why the order is closed all the same."), field="reason"
        )
    if any(paid[line.pk].quantity < line.delivered for line in locked.lines):
        raise DomainError(
            _("Not everything is invoiced. Please say why the order is closed all the same."), field="reason"
        )


def _follow_closing(locked: Locked, *, by: User, reason: str) -> None:
    """A school reads why the order was closed where its own pieces are missing, and nothing about those of others."""
    missing = [line.application_line for line in locked.lines if line.delivered < line.quantity]
    affected = {applied.application_id for applied in missing if applied is not None}
    for pk, application in locked.applications.items():
        follow_orders([application], by=by, reason=reason if pk in affected else "")


def _give_up_missing(locked: Locked, *, by: User, reason: str) -> None:
    for line in locked.lines:
        missing = line.quantity - line.delivered
        if missing and line.application_line_id is not None:
            applied = ApplicationLine.objects.get(pk=line.application_line_id)
            applied.given_up += missing
            save_by(applied, by=by, update_fields=["given_up"], reason=reason.strip())
