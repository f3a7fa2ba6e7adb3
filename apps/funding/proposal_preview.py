"""What approving several proposals as they stand would do to the budgets, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apps.funding.calculations import (
    Balance,
    LineDecision,
    Need,
    Part,
    SeveralPreview,
    line_cost,
    needs_own_share,
    own_part,
    parts_of,
    preview_several,
)
from apps.funding.models import ApplicationLine, Budget, EquipmentApplication

Lines = Sequence[tuple[ApplicationLine, LineDecision]]


def preview_of_proposals(proposed: Sequence[tuple[EquipmentApplication, Lines]]) -> SeveralPreview:
    """In the order that is given. Without locks: the service decides anew."""
    decisions = [decision for _row, lines in proposed for _line, decision in lines if decision.approved_quantity]
    ids = {pk for row in decisions for pk in (row.budget_id, row.own_share_budget_id) if pk is not None}
    budgets = {row.pk: row for row in Budget.objects.select_related("grant").filter(pk__in=ids).order_by("pk")}
    needs = [
        Need(row.pk, tuple(part for line, decision in lines for part in _parts(line, decision, budgets)))
        for row, lines in proposed
    ]
    return preview_several(needs, {pk: Balance(pk, str(row), row.available) for pk, row in budgets.items()})


def _parts(line: ApplicationLine, decision: LineDecision, budgets: Mapping[int, Budget]) -> tuple[Part, ...]:
    """Who would pay. Where the grant's terms have changed since and an own share is missing, the service refuses."""
    budget = budgets.get(decision.budget_id or 0)
    if not decision.approved_quantity or budget is None:
        return ()
    quantity = decision.approved_quantity
    cost = line_cost(line.unit_price, quantity)
    if decision.own_share_budget_id is None and needs_own_share(cost, budget, quantity):
        return (Part(line.pk, budget.pk, own_part(cost, budget, quantity)),)
    return parts_of(
        line.pk,
        cost,
        quantity=quantity,
        budget_id=budget.pk,
        source=budget,
        own_share_budget_id=decision.own_share_budget_id,
    )
