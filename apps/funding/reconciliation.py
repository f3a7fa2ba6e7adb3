"""Is the ledger right? Compares it with everything that is written together with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from apps.core.money import ZERO
from apps.funding.amounts import ledger_effect
from apps.funding.choices import (
    BudgetChangeKind,
    DeliveryKind,
    InvoiceState,
    LedgerKind,
    OrderState,
    ProposalState,
)
from apps.funding.models import (
    ApplicationLine,
    Budget,
    BudgetChange,
    DeliveredItem,
    InvoiceLine,
    LedgerEntry,
    LineAllocation,
    OrderLine,
    PurchasedDevice,
)
from apps.funding.purchasing import PLACED_ORDERS, Ordered, Pieces
from apps.funding.workflow import GRANTED_STATES


@dataclass(frozen=True)
class LedgerDifference:
    """Two numbers that should be the same, euros or pieces. The ids are None where the check has none."""

    check: str
    budget: int | None
    line: int | None
    expected: Decimal
    found: Decimal
    order_line: int | None = None


def ledger_differences() -> list[LedgerDifference]:
    """Compares the ledger with the budgets' rows, allocations with commitments, and approved lines with allocations.

    Then carry-overs on both sides, orders, deliveries and invoices with their entries, see `purchase_differences`. So
    many queries whatever the number of rows; read them in one snapshot. Empty when everything agrees to the cent.
    """
    entries = list(LedgerEntry.objects.order_by().values_list("budget", "line", "kind").annotate(sum=Sum("amount")))
    return [
        *_row_differences(entries),
        *_allocation_differences(entries),
        *_line_differences(),
        *_carry_over_differences(),
        *purchase_differences(),
    ]


def _row_differences(entries: Sequence[tuple[int, int | None, str, Decimal]]) -> list[LedgerDifference]:
    """The ledger is what is expected, the budget's row is what is found."""
    sums: defaultdict[int, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for budget, _line, kind, amount in entries:
        for column, effect in enumerate(ledger_effect(kind, amount)):
            sums[budget][column] += effect
    differences = []
    for pk, *found in Budget.objects.order_by("pk").values_list("pk", "committed", "spent"):
        for name, expected, value in zip(("committed", "spent"), sums[pk], found, strict=True):
            if expected != value:
                differences.append(LedgerDifference(name, pk, None, expected, value))
    return differences


def _allocation_differences(entries: Sequence[tuple[int, int | None, str, Decimal]]) -> list[LedgerDifference]:
    """The allocations are what is expected, the commitments of their lines are what is found."""
    commitments = {
        (budget, line): amount
        for budget, line, kind, amount in entries
        if kind == LedgerKind.COMMIT and line is not None
    }
    allocations = {
        (budget, line): amount
        for budget, line, amount in LineAllocation.objects.values_list("budget", "line", "amount")
    }
    return [
        LedgerDifference(
            "allocation", budget, line, allocations.get((budget, line), ZERO), commitments.get((budget, line), ZERO)
        )
        for budget, line in sorted(commitments.keys() | allocations.keys())
        if allocations.get((budget, line), ZERO) != commitments.get((budget, line), ZERO)
    ]


def _line_differences() -> list[LedgerDifference]:
    """What is approved is what is expected, the sum of a line's allocations is what is found."""
    found = dict(LineAllocation.objects.order_by().values_list("line").annotate(sum=Sum("amount")))
    approved = ApplicationLine.objects.filter(
        Q(pk__in=LineAllocation.objects.order_by().values("line"))
        | Q(application__state__in=GRANTED_STATES, approved_quantity__gt=0)
    )
    differences = []
    for line in approved.select_related("application").order_by("pk"):
        is_approved = line.application.state in GRANTED_STATES
        expected = (line.approved_amount or ZERO) + line.extra_cost if is_approved else ZERO
        if expected != found.get(line.pk, ZERO):
            differences.append(LedgerDifference("line", None, line.pk, expected, found.get(line.pk, ZERO)))
    return differences


def _carry_over_differences() -> list[LedgerDifference]:
    """What confirmed carry-overs moved is what is expected, out of one budget and into another what is found.

    Into it also goes what was typed before the first of them: what came from a year that the portal does not know.
    """
    out: defaultdict[int | None, Decimal] = defaultdict(lambda: ZERO)
    into: defaultdict[int | None, Decimal] = defaultdict(lambda: ZERO)
    typed: dict[int | None, Decimal] = {}
    rows = BudgetChange.objects.filter(state=ProposalState.CONFIRMED).filter(
        Q(kind=BudgetChangeKind.CARRY_OVER) | Q(values__has_key="carried_over")
    )
    for change in rows.order_by("decided_at", "pk"):
        if change.kind == BudgetChangeKind.CARRY_OVER:
            out[change.budget_id] += change.amount or ZERO
            into[change.counterpart_id] += change.amount or ZERO
        elif change.budget_id not in into:
            typed[change.budget_id] = Decimal(change.values["carried_over"])
    differences = []
    for pk, carried_out, carried_over in Budget.objects.order_by("pk").values_list("pk", "carried_out", "carried_over"):
        if carried_out != out[pk]:
            differences.append(LedgerDifference("carried_out", pk, None, out[pk], carried_out))
        if pk in into and carried_over != (expected := into[pk] + typed.get(pk, ZERO)):
            differences.append(LedgerDifference("carried_over", pk, None, expected, carried_over))
    return differences


def purchase_differences() -> list[LedgerDifference]:
    """What was ordered, has come, was invoiced and paid agrees with what stands in the ledger about it."""
    lines = list(OrderLine.objects.select_related("order", "product__kind").order_by("pk"))
    return [
        *_order_differences(lines),
        *_delivery_differences(lines),
        *_piece_differences(),
        *_invoice_differences(),
        *_payments_without_invoice(),
        *_open_differences(lines),
    ]


def _order_differences(lines: Sequence[OrderLine]) -> list[LedgerDifference]:
    """Placed lines are what is expected, their entries what is found: of the line's budgets, and of no other."""
    rows = LedgerEntry.objects.filter(kind=LedgerKind.ORDER).order_by().values_list("order_line", "budget")
    found: defaultdict[int, dict[int, Decimal]] = defaultdict(dict)
    for line_id, budget, amount in rows.annotate(sum=Sum("amount")):
        found[line_id][budget] = amount
    differences = []
    for line in lines:
        expected = line.amount if line.order.state in PLACED_ORDERS else ZERO
        own = sum((found[line.pk].pop(pk, ZERO) for pk in (line.budget_id, line.own_share_budget_id) if pk), ZERO)
        if own != expected:
            differences.append(_of(line, "order", expected, own))
        differences += [_of(line, "order", ZERO, amount, pk) for pk, amount in found[line.pk].items() if amount]
    return differences


def _delivery_differences(lines: Sequence[OrderLine]) -> list[LedgerDifference]:
    """Receipts less returns are what is expected, `delivered` what is found; so many devices are still there."""
    items: defaultdict[int, int] = defaultdict(int)
    for line_id, kind, number in DeliveredItem.objects.order_by().values_list(
        "order_line", "delivery__kind", "quantity"
    ):
        items[line_id] += number if kind == DeliveryKind.RECEIPT else -number
    devices = dict(
        PurchasedDevice.objects.filter(returned_on__isnull=True)
        .order_by()
        .values_list("order_line")
        .annotate(number=Count("pk"))
    )
    differences = []
    for line in lines:
        if line.delivered != items[line.pk]:
            differences.append(_of(line, "delivered", Decimal(items[line.pk]), Decimal(line.delivered)))
        is_scanned = line.product is not None and line.product.kind.tracked_singly
        if is_scanned and devices.get(line.pk, 0) != line.delivered:
            differences.append(_of(line, "devices", Decimal(line.delivered), Decimal(devices.get(line.pk, 0))))
    return differences


def _piece_differences() -> list[LedgerDifference]:
    """No more pieces of an approved line are ordered and given up than were approved."""
    orders: defaultdict[int, list[Ordered]] = defaultdict(list)
    rows = OrderLine.objects.filter(application_line__isnull=False).order_by("pk")
    for line_id, *order in rows.values_list("application_line", "order__state", "quantity", "delivered"):
        orders[line_id].append(Ordered(*order))
    differences = []
    for pk, approved, given_up in ApplicationLine.objects.filter(pk__in=orders).values_list(
        "pk", "approved_quantity", "given_up"
    ):
        pieces = Pieces(approved or 0, given_up, tuple(orders[pk]))
        if pieces.to_order < 0:
            used = Decimal(pieces.approved - pieces.to_order)
            differences.append(LedgerDifference("pieces", None, pk, Decimal(pieces.approved), used))
    return differences


def _invoice_differences() -> list[LedgerDifference]:
    """Invoice lines are what is expected, their entries what is found; paid ones budget by budget."""
    entries: defaultdict[tuple[int, str], dict[int, Decimal]] = defaultdict(dict)
    rows = LedgerEntry.objects.filter(invoice_line__isnull=False).order_by()
    for line_id, kind, budget, amount in rows.values_list("invoice_line", "kind", "budget").annotate(sum=Sum("amount")):
        entries[line_id, kind][budget] = amount
    differences: list[LedgerDifference] = []
    for line in InvoiceLine.objects.select_related("invoice", "order_line__budget").order_by("pk"):
        invoiced, paid = entries[line.pk, LedgerKind.INVOICE], entries[line.pk, LedgerKind.PAY]
        state = line.invoice.state
        expected = ZERO if state == InvoiceState.CANCELLED else line.amount
        if sum(invoiced.values(), ZERO) != expected:
            differences.append(_of(line.order_line, "invoice", expected, sum(invoiced.values(), ZERO)))
        parts = paid_parts(line) if state == InvoiceState.PAID else {}
        for budget in sorted(parts.keys() | paid.keys()):
            if parts.get(budget, ZERO) != paid.get(budget, ZERO):
                pair = parts.get(budget, ZERO), paid.get(budget, ZERO)
                differences.append(_of(line.order_line, "pay", *pair, budget))
    return differences


def _payments_without_invoice() -> list[LedgerDifference]:
    """What is paid for a line is paid by an invoice: nothing is expected beside."""
    about = Q(line__isnull=False) | Q(order_line__isnull=False)
    rows = LedgerEntry.objects.filter(about, kind=LedgerKind.PAY, invoice_line__isnull=True).order_by()
    sums = rows.values_list("budget", "line", "order_line").annotate(sum=Sum("amount"))
    return [
        LedgerDifference("pay", budget, line, ZERO, amount, order_line)
        for budget, line, order_line, amount in sorted(sums, key=str)
        if amount
    ]


def paid_parts(line: InvoiceLine) -> dict[int, Decimal]:
    """Budget id -> euros that a paid invoice line took out of it, as frozen at the payment."""
    order_line = line.order_line
    if order_line.budget.grant_id is None:
        parts = {order_line.budget_id: (line.grant_amount or ZERO) + (line.own_amount or ZERO)}
    else:
        parts = {order_line.budget_id: line.grant_amount or ZERO}
        if order_line.own_share_budget_id is not None:
            parts[order_line.own_share_budget_id] = line.own_amount or ZERO
    return {pk: amount for pk, amount in parts.items() if amount}


def _open_differences(lines: Sequence[OrderLine]) -> list[LedgerDifference]:
    """What is committed for something is never less than nothing, and nothing once its order has ended.

    `line` for what is committed for an application's line, else the order line of the office's own.
    """
    rows = (
        LedgerEntry.objects.order_by().values_list("line", "order_line", "budget", "kind").annotate(sum=Sum("amount"))
    )
    amounts: defaultdict[tuple[int | None, int | None, int], Decimal] = defaultdict(lambda: ZERO)
    for line_id, order_line, budget, kind, amount in rows:
        if line_id is not None or order_line is not None:
            key = (line_id, None if line_id is not None else order_line, budget)
            amounts[key] += ledger_effect(kind, amount)[0]
    ended = {line.pk for line in lines if line.order.state in {OrderState.CLOSED, OrderState.CANCELLED}}
    return [
        LedgerDifference("open", budget, line_id, ZERO, amount, order_line)
        for (line_id, order_line, budget), amount in sorted(amounts.items(), key=str)
        if amount < ZERO or (order_line in ended and amount)
    ]


def _of(line: OrderLine, check: str, expected: Decimal, found: Decimal, budget: int | None = None) -> LedgerDifference:
    return LedgerDifference(check, budget, line.application_line_id, expected, found, line.pk)
