"""What a decision that is being typed would do: to the budgets, line by line, and to the school's quota.

The formulas are those of the approval itself (`funding.calculations`, `quotas.calculations`); only what is not
chosen yet is said to be open here instead of refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from apps.core.money import ZERO, total
from apps.funding.calculations import (
    Balance,
    BudgetEffect,
    LineDecision,
    Part,
    line_cost,
    needs_own_share,
    own_part,
    parts_of,
    preview,
)
from apps.funding.models import ApplicationLine, Budget


@dataclass(frozen=True)
class MoneyPreview:
    """Euros asked and approved, what each touched budget has before and after, and what has no budget yet."""

    asked: Decimal
    approved: Decimal
    effects: tuple[BudgetEffect, ...]
    open_amount: Decimal
    open_own_share: Decimal
    per_line: Mapping[int, Decimal] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.open_amount and not self.open_own_share

    @property
    def sufficient(self) -> bool:
        return all(effect.sufficient for effect in self.effects)

    @property
    def partial(self) -> bool:
        return self.approved < self.asked


def money_preview(
    lines: Sequence[ApplicationLine], decisions: Sequence[LineDecision], budgets: Mapping[int, Budget]
) -> MoneyPreview:
    """Euros before and after for the decisions as typed so far."""
    by_line = {decision.line_id: decision for decision in decisions}
    costs = {line.pk: line_cost(line.unit_price, by_line[line.pk].approved_quantity) for line in lines}
    parts: list[Part] = []
    without_budget, without_own_share = [], []
    for line in lines:
        decision, cost = by_line[line.pk], costs[line.pk]
        budget = budgets.get(decision.budget_id or 0)
        if budget is None:
            without_budget.append(cost)
        elif decision.own_share_budget_id is None and needs_own_share(cost, budget, decision.approved_quantity):
            granted = own_part(cost, budget, decision.approved_quantity)
            parts.append(Part(line.pk, budget.pk, granted))
            without_own_share.append(cost - granted)
        else:
            parts.extend(_parts(decision, cost, budget))
    balances = {pk: Balance(pk, str(row), row.available) for pk, row in budgets.items()}
    return MoneyPreview(
        asked=total(line.amount for line in lines),
        approved=total(costs.values()),
        effects=preview((part for part in parts if part.amount), balances),
        open_amount=total(without_budget),
        open_own_share=total(without_own_share),
        per_line=costs,
    )


def _parts(decision: LineDecision, cost: Decimal, budget: Budget) -> tuple[Part, ...]:
    if cost == ZERO:
        return ()
    return parts_of(
        decision.line_id,
        cost,
        quantity=decision.approved_quantity,
        budget_id=budget.pk,
        source=budget,
        own_share_budget_id=decision.own_share_budget_id,
    )
