"""What an invoice or a credit note must fulfil to be recorded. Called inside the locks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock, formats
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.core.money import CENT, ZERO
from apps.funding.choices import InvoiceKind, InvoiceState
from apps.funding.models import Budget, Invoice, InvoiceLine, OrderLine
from apps.funding.purchasing import InvoiceLineInput
from apps.funding.services.purchase_steps import Locked
from apps.funding.services.steps import validated


def check_facts(invoice: Invoice) -> None:
    """Dates that can be, and numbers that no other invoice bears; a cancelled one gives its numbers back."""
    validated(invoice, exclude=("order", "recorded_by", "paid_by"))
    if invoice.dated_on > clock.today():
        raise DomainError(_("This day lies in the future. Please correct it."), field="dated_on")
    invoices = Invoice.objects.exclude(state=InvoiceState.CANCELLED)
    taken = invoices.filter(voucher_number=invoice.voucher_number).first()
    if taken is not None:
        raise DomainError(
            _("The voucher number %(number)s belongs to an invoice of the order %(order)s already.")
            % {"number": invoice.voucher_number, "order": taken.order},
            code="voucher_number",
            field="voucher_number",
        )
    if invoices.filter(order=invoice.order, number=invoice.number).exists():
        raise DomainError(_("This invoice of the order is recorded already."), code="number", field="number")


def checked_lines(
    locked: Locked, invoice: Invoice, typed: Sequence[InvoiceLineInput], *, by: User
) -> list[InvoiceLine]:
    """The lines as they will be stored; refuses what does not fit the order. What is only odd: see `oddities`."""
    order_lines = {line.pk: line for line in locked.lines}
    chosen = {number: row for number, row in enumerate(typed, start=1) if row.amount or row.quantity}
    if not chosen:
        raise DomainError(_("Please enter the amount of at least one line."), code="empty", field="amount", line=1)
    named = [row.order_line_id for row in chosen.values()]
    if len(set(named)) != len(named) or not set(named) <= set(order_lines):
        raise DomainError(_("A line does not belong to this order. Please load the page again."), code="stale")
    invoiced = _invoiced_so_far(locked.lines)
    rows = []
    for number, row in chosen.items():
        line = order_lines[row.order_line_id]
        try:
            rows.append(_checked_line(line, row, invoiced[line.pk], kind=invoice.kind, by=by))
        except DomainError as error:
            error.line = number
            raise
    return rows


@dataclass(frozen=True)
class _SoFar:
    quantity: int = 0
    amount: Decimal = ZERO
    eligible: Decimal = ZERO


def _invoiced_so_far(lines: Iterable[OrderLine]) -> defaultdict[int, _SoFar]:
    """Recorded and paid, credit notes subtracted."""
    rows = InvoiceLine.objects.filter(~Q(invoice__state=InvoiceState.CANCELLED), order_line__in=list(lines))
    sums = (
        rows.order_by()
        .values_list("order_line")
        .annotate(pieces=Sum("quantity"), euros=Sum("amount"), part=Sum("eligible_amount"))
    )
    found = {pk: _SoFar(quantity, amount, part) for pk, quantity, amount, part in sums}
    return defaultdict(_SoFar, found)


def _checked_line(line: OrderLine, row: InvoiceLineInput, so_far: _SoFar, *, kind: str, by: User) -> InvoiceLine:
    _ensure_amounts(line, row)
    if row.own_share_budget_id is not None and line.own_share_budget_id is None:
        _set_own_share(line, row.own_share_budget_id, by=by)
    return _credit_line(line, row, so_far) if kind == InvoiceKind.CREDIT else _invoice_line(line, row)


def _ensure_amounts(line: OrderLine, row: InvoiceLineInput) -> None:
    eligible = ZERO if row.eligible_amount is None else row.eligible_amount
    if row.quantity < 0 or row.amount <= ZERO or any(value != value.quantize(CENT) for value in (row.amount, eligible)):
        raise DomainError(
            _("“%(line)s”: please enter an amount above zero with at most two decimal places.") % {"line": line},
            field="amount",
        )
    if not ZERO <= eligible <= row.amount:
        raise DomainError(_("The eligible amount is a part of the amount."), field="eligible_amount")
    if eligible and line.budget.grant_id is None:
        raise DomainError(
            _("“%(line)s” is paid by municipal money: nothing of it is eligible.") % {"line": line},
            field="eligible_amount",
        )


def _set_own_share(line: OrderLine, budget_id: int, *, by: User) -> None:
    """A grant that was to pay all pays less: somebody has to pay the rest."""
    budget = Budget.objects.visible_to(by).filter(pk=budget_id, grant__isnull=True).first()
    if budget is None or line.budget.grant_id is None:
        raise DomainError(_("Please choose a municipal budget for the own share."), field="own_share_budget")
    line.own_share_budget = budget
    save_by(line, by=by, update_fields=["own_share_budget"])


def _invoice_line(line: OrderLine, row: InvoiceLineInput) -> InvoiceLine:
    default = row.amount if line.budget.grant_id is not None else ZERO
    eligible = default if row.eligible_amount is None else row.eligible_amount
    return InvoiceLine(order_line=line, quantity=row.quantity, amount=row.amount, eligible_amount=eligible)


def _credit_line(line: OrderLine, row: InvoiceLineInput, so_far: _SoFar) -> InvoiceLine:
    if row.amount > so_far.amount or row.quantity > so_far.quantity:
        raise DomainError(
            _("“%(line)s”: only %(amount)s for %(quantity)s pieces were invoiced. Please give back at most this.")
            % {"line": line, "amount": formats.euro(so_far.amount), "quantity": so_far.quantity},
            code="credit",
            field="amount",
        )
    # What is left stays a part of what is left of the amount.
    least = max(ZERO, so_far.eligible - (so_far.amount - row.amount))
    most = min(row.amount, so_far.eligible)
    eligible = most if row.eligible_amount is None else row.eligible_amount
    if not least <= eligible <= most:
        raise DomainError(
            _("“%(line)s”: please enter between %(least)s and %(most)s as the eligible part of the credit.")
            % {"line": line, "least": formats.euro(least), "most": formats.euro(most)},
            field="eligible_amount",
        )
    return InvoiceLine(order_line=line, quantity=-row.quantity, amount=-row.amount, eligible_amount=-eligible)
