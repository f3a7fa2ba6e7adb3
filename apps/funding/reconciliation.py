"""Is the ledger right? Compares it with everything that is written together with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum

from apps.core.money import ZERO
from apps.funding.amounts import ledger_effect
from apps.funding.choices import LedgerKind
from apps.funding.models import ApplicationLine, Budget, LedgerEntry, LineAllocation
from apps.funding.workflow import GRANTED_STATES


@dataclass(frozen=True)
class LedgerDifference:
    """Two numbers that should be the same. `budget` and `line` are ids, None where the check has none."""

    check: str
    budget: int | None
    line: int | None
    expected: Decimal
    found: Decimal


def ledger_differences() -> list[LedgerDifference]:
    """Compares the ledger with the budgets' rows, allocations with commitments, and approved lines with allocations.

    Four queries whatever the number of rows; read them in one snapshot. Empty when everything agrees to the cent.
    """
    entries = list(LedgerEntry.objects.order_by().values_list("budget", "line", "kind").annotate(sum=Sum("amount")))
    return [*_row_differences(entries), *_allocation_differences(entries), *_line_differences()]


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
