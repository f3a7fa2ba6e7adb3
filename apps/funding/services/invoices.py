"""Invoices and credit notes: recorded by one person, paid on another's order (KomHVO § 31).

Locks in each: order, applications, invoice, budgets.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.core.formats import euro
from apps.core.history import save_by
from apps.core.money import ZERO
from apps.funding.choices import InvoiceKind, InvoiceState, LedgerKind, OrderState
from apps.funding.models import Invoice, InvoiceLine, LedgerEntry, Order
from apps.funding.purchasing import PLACED_ORDERS, InvoiceLineInput, Paid
from apps.funding.services.commitments import Amounts, Booking, Books, amounts_of
from apps.funding.services.expected import expected_amounts, expected_parts, paid_of
from apps.funding.services.invoice_checks import check_facts, checked_lines
from apps.funding.services.oddities import ensure_explained, oddities_as_seen
from apps.funding.services.purchase_steps import Locked, lock_order, not_yours
from apps.funding.services.steps import ensure_may, money_transaction, required_text, validated
from apps.funding.workflow import INVOICE_TRANSITIONS

_RECORD = "funding.record_invoice"
_PAY = "funding.pay_invoice"


@dataclass(frozen=True)
class Payment:
    """How one invoice of several came out; `message` is the refusal, empty when its payment is ordered.

    `unread`: refused because something else is unusual about it than what its payer read. `field`: what to mend.
    """

    invoice: Invoice
    paid: bool
    message: str = ""
    unread: bool = False
    field: str | None = None


def record_invoice(
    *,
    order: Order,
    by: User,
    number: str,
    voucher_number: str,
    dated_on: datetime.date,
    lines: Sequence[InvoiceLineInput],
    kind: str = InvoiceKind.INVOICE,
    payee: str = "",
    booking_reference: str = "",
    remark: str = "",
    form_key: UUID | None = None,
) -> Invoice:
    """Writes an invoice or credit note of a placed order down; its payment is ordered by somebody else.

    Amounts are typed as positive on both; a credit note keeps them negative. Without `payee` it is the supplier.
    What is unusual needs a remark (see `oddities`). A credit note gives back at most what was invoiced.
    Posts what each budget is going to pay. A form that is sent twice makes one invoice.
    """
    with money_transaction():
        locked = lock_order(order, by=by, permission=_RECORD)
        if (earlier := _of_form(form_key, by)) is not None:
            return earlier
        _ensure_invoiceable(locked.order, kind)
        invoice = Invoice(
            order=locked.order,
            kind=kind,
            form_key=form_key,
            number=number.strip(),
            voucher_number=voucher_number.strip(),
            dated_on=dated_on,
            payee=payee.strip() or locked.order.supplier.name,
            booking_reference=booking_reference.strip(),
            remark=remark.strip(),
            recorded_by=by,
        )
        check_facts(invoice)
        rows = checked_lines(locked, invoice, lines, by=by)
        ensure_explained(invoice, rows, by=by)
        save_by(invoice, by=by)
        budgets = locked.lock_budgets(by=by)
        booking = Booking(budgets, by=by, note=str(invoice))
        for row in rows:
            row.invoice = invoice
            save_by(row, by=by)
            booking.add(LedgerKind.INVOICE, row.order_line, expected_amounts(row), invoice_line=row)
        booking.post()
    return invoice


def pay_invoice(
    *,
    invoice: Invoice,
    by: User,
    paid_on: datetime.date | None = None,
    booking_reference: str = "",
    seen: str | None = None,
) -> Invoice:
    """Orders the payment of a recorded invoice, once. Whoever recorded it cannot.

    Splits each line over grant and own share, keeps both parts with the line, and pays them out of what is committed;
    what costs more is committed now, or refused with a sentence. What is unusual is kept with the invoice, and refused
    when the payer read something else: `seen` is the mark of that (see `mark_of`; None: not asked). A credit note takes
    money back; of a closed order it is released at once.
    """
    with money_transaction():
        locked, row = _lock_invoice(invoice, by=by, permission=_PAY)
        INVOICE_TRANSITIONS.ensure("pay_invoice", source=row.state, target=InvoiceState.PAID)
        _ensure_second_person(row, by)
        day = _checked_payday(paid_on, row)
        budgets = locked.lock_budgets(by=by)
        row.oddities = oddities_as_seen(row, seen, by=by)
        order_lines = {line.pk: line for line in locked.lines}
        booking, books = Booking(budgets, by=by, note=str(row)), Books(locked.lines)
        for line in row.lines.order_by("pk"):
            line.order_line = order_lines[line.order_line_id]
            _pay_line(line, booking, books, is_closed=locked.order.state == OrderState.CLOSED, by=by)
        booking.post()
        row.state, row.paid_on, row.paid_by = InvoiceState.PAID, day, by
        row.booking_reference = booking_reference.strip() or row.booking_reference
        validated(row, exclude=("order", "recorded_by", "paid_by", "voucher_number"))
        save_by(row, by=by, update_fields=["state", "paid_on", "paid_by", "booking_reference", "oddities"])
    return row


def pay_several(
    *,
    invoices: Iterable[Invoice],
    by: User,
    paid_on: datetime.date | None = None,
    seen: Mapping[int, str] | None = None,
) -> list[Payment]:
    """Orders several payments, each in a transaction of its own; one that is refused does not keep the next back.

    `seen`: of each invoice the mark of what its payer read; one that has none was not read. None: not asked.
    """
    ensure_may(by, _PAY)
    ids = {invoice.pk for invoice in invoices}
    payments = []
    for row in Invoice.objects.visible_to(by).filter(pk__in=ids).order_by("dated_on", "pk"):
        try:
            mark = None if seen is None else seen.get(row.pk, "")
            payments.append(Payment(pay_invoice(invoice=row, by=by, paid_on=paid_on, seen=mark), paid=True))
        except DomainError as error:
            refused = Payment(row, paid=False, message=str(error), unread=error.code == "unread", field=error.field)
            payments.append(refused)
    return payments


def cancel_invoice(*, invoice: Invoice, by: User, reason: str) -> Invoice:
    """Takes back an invoice that was not paid, because it is wrong; what was invoiced is countered."""
    reason = required_text(reason, _("Please say why the invoice is cancelled."), field="reason")
    with money_transaction():
        locked, row = _lock_invoice(invoice, by=by, permission=_RECORD)
        INVOICE_TRANSITIONS.ensure("cancel_invoice", source=row.state, target=InvoiceState.CANCELLED)
        booking = Booking(locked.lock_budgets(by=by), by=by, note=reason)
        order_lines = {line.pk: line for line in locked.lines}
        for line in row.lines.order_by("pk"):
            booking.add(
                LedgerKind.INVOICE, order_lines[line.order_line_id], _invoiced(line), sign=-1, invoice_line=line
            )
        booking.post()
        row.state = InvoiceState.CANCELLED
        save_by(row, by=by, update_fields=["state"], reason=reason)
    return row


def _lock_invoice(invoice: Invoice, *, by: User, permission: str) -> tuple[Locked, Invoice]:
    ensure_may(by, permission)
    rows = Invoice.objects.visible_to(by)
    order = get_object_or_404(rows.select_related("order"), pk=invoice.pk).order
    locked = lock_order(order, by=by, permission=permission)
    row: Invoice = rows.select_for_update(of=("self",), no_key=True).get(pk=invoice.pk)
    return locked, row


def _of_form(form_key: UUID | None, by: User) -> Invoice | None:
    found = None if form_key is None else Invoice.objects.filter(form_key=form_key).first()
    if found is not None and found.recorded_by_id != by.pk:
        raise not_yours()
    return found


def _ensure_invoiceable(order: Order, kind: str) -> None:
    """Invoices about what stands at the supplier; credit notes may come after the order is closed."""
    allowed = PLACED_ORDERS if kind == InvoiceKind.CREDIT else PLACED_ORDERS - {OrderState.CLOSED}
    if order.state not in allowed:
        raise DomainError(
            _("The order is “%(state)s”: no invoice of it can be recorded.") % {"state": order.get_state_display()},
            code="illegal_transition",
        )


def _invoiced(row: InvoiceLine) -> Amounts:
    """What stands in the ledger as invoiced for a line."""
    entries = LedgerEntry.objects.filter(invoice_line=row, kind=LedgerKind.INVOICE)
    return dict(entries.order_by("budget").values_list("budget").annotate(sum=Sum("amount")))


def _ensure_second_person(invoice: Invoice, by: User) -> None:
    if invoice.recorded_by_id == by.pk:
        raise DomainError(
            _("You recorded this invoice yourself. Please ask another person to order the payment (KomHVO § 31)."),
            code="same_person",
        )


def _checked_payday(paid_on: datetime.date | None, invoice: Invoice) -> datetime.date:
    day = paid_on or clock.today()
    if not invoice.dated_on <= day <= clock.today():
        raise DomainError(
            _("The payment lies between the date of the invoice and today. Please correct the day."), field="paid_on"
        )
    return day


def _pay_line(line: InvoiceLine, booking: Booking, books: Books, *, is_closed: bool, by: User) -> None:
    """Freezes the parts of a line and pays them; where they differ from what was recorded, that is corrected."""
    split = expected_parts(line)
    if line.amount < ZERO:
        _ensure_paid_before(line)
    parts = amounts_of(line.order_line, split)
    booking.add(LedgerKind.INVOICE, line.order_line, _difference(parts, _invoiced(line)), invoice_line=line)
    if line.amount > ZERO:
        booking.cover(line.order_line, parts, books)
    booking.add(LedgerKind.PAY, line.order_line, parts, invoice_line=line)
    if line.amount < ZERO and is_closed:
        booking.add(LedgerKind.RELEASE, line.order_line, {pk: -amount for pk, amount in parts.items()})
    line.grant_amount, line.own_amount = split.grant_share, split.own_share
    save_by(line, by=by, update_fields=["grant_amount", "own_amount"])


def _ensure_paid_before(line: InvoiceLine) -> None:
    paid = paid_of([line.order_line]).get(line.order_line_id, Paid())
    if -line.amount > paid.amount or -line.eligible_amount > paid.eligible:
        raise DomainError(
            _("“%(line)s”: only %(paid)s are paid so far. Please have the invoice paid before the credit note.")
            % {"line": line.order_line, "paid": euro(paid.amount)},
            code="credit",
        )


def _difference(wanted: Mapping[int, Decimal], found: Mapping[int, Decimal]) -> Amounts:
    ids = sorted(wanted.keys() | found.keys())
    return {pk: wanted.get(pk, ZERO) - found.get(pk, ZERO) for pk in ids}
