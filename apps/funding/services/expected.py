"""Who is going to pay a line of an invoice: what its recording posts, its page announces and its payment fixes."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TypedDict

from django.db.models import Sum

from apps.core.money import ZERO
from apps.funding.calculations import Split
from apps.funding.choices import InvoiceState
from apps.funding.models import InvoiceLine, OrderLine
from apps.funding.purchasing import Paid, split_credit, split_eligible, split_next
from apps.funding.services.commitments import Amounts, amounts_of


class _Terms(TypedDict):
    """At what a grant pays: share of the eligible amount, and euros a piece at most."""

    rate: Decimal | None
    limit: Decimal | None


def paid_of(lines: Iterable[OrderLine]) -> dict[int, Paid]:
    """Order line id -> what was paid for it so far; lines without payments are left out."""
    rows = InvoiceLine.objects.filter(order_line__in=list(lines), invoice__state=InvoiceState.PAID)
    sums = (
        rows.order_by()
        .values_list("order_line")
        .annotate(
            eligible=Sum("eligible_amount"), grant=Sum("grant_amount"), own=Sum("own_amount"), pieces=Sum("quantity")
        )
    )
    return {pk: Paid(eligible, grant, own, quantity) for pk, eligible, grant, own, quantity in sums}


def expected_parts(row: InvoiceLine, paid: Paid | None = None) -> Split:
    """Who pays the line once its payment is ordered, or gets it back; a credit note's parts are negative.

    `paid`: what was paid for its order line so far, where that is read already.
    """
    line = row.order_line
    grant = line.budget.grant
    terms: _Terms = {"rate": line.budget.rate, "limit": None if grant is None else grant.limit_per_device}
    paid = paid or paid_of([line]).get(line.pk, Paid())
    if row.amount > ZERO:
        pieces = min(paid.quantity + row.quantity, line.quantity)
        return split_next(row.amount, row.eligible_amount, quantity=pieces, paid=paid, **terms)
    if paid.amount < -row.amount:
        # Nothing to give back yet: what is expected, until the payment splits it.
        paid = _as_if_paid(-row.amount, -row.eligible_amount, -row.quantity, terms)
    back = split_credit(-row.amount, -row.eligible_amount, quantity=-row.quantity, paid=paid, **terms)
    return Split(grant_share=-back.grant_share, own_share=-back.own_share)


def _as_if_paid(amount: Decimal, eligible: Decimal, quantity: int, terms: _Terms) -> Paid:
    split = split_eligible(amount, eligible, quantity=quantity, **terms)
    return Paid(eligible, split.grant_share, split.own_share, quantity)


def expected_amounts(row: InvoiceLine, paid: Paid | None = None) -> Amounts:
    """The same, budget by budget."""
    return amounts_of(row.order_line, expected_parts(row, paid))
