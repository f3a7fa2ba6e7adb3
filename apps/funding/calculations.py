"""What applications cost, who pays which part, and what a decision would leave. Pure: euros in, euros out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from apps.core.money import ZERO, share_rounded_down, total
from apps.funding.amounts import appropriated, available, limit, line_cost, transferable
from apps.funding.choices import ExpenditureType

__all__ = [
    "Balance",
    "BudgetEffect",
    "LineDecision",
    "LineInput",
    "Need",
    "Part",
    "SeveralPreview",
    "Source",
    "Split",
    "Step",
    "appropriated",
    "available",
    "expected_expenditure_type",
    "limit",
    "limit_of",
    "line_cost",
    "may_need_own_share",
    "needed_per_budget",
    "needs_own_share",
    "own_part",
    "parts_of",
    "preview",
    "preview_several",
    "split_cost",
    "sum_of_lines",
    "transferable",
]


@dataclass(frozen=True)
class LineInput:
    """A line as typed; `line_id` of a line that stood there before, `replaced_device_ids` of the school's devices."""

    product_id: int
    quantity: int
    reason: str = ""
    replaces: str = ""
    replaces_quantity: int = 0
    line_id: int | None = None
    replaced_device_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class LineDecision:
    """What is decided about a line. `own_share_budget_id` only where a grant pays less than all."""

    line_id: int
    approved_quantity: int
    budget_id: int | None = None
    own_share_budget_id: int | None = None
    note: str = ""


class Source(Protocol):
    """How a budget pays: the grant's rate (None: municipal money) and the most it pays for a device, in euros."""

    @property
    def rate(self) -> Decimal | None: ...
    @property
    def limit_per_device(self) -> Decimal | None: ...


@dataclass(frozen=True)
class Split:
    """A cost in its two parts, in euros."""

    grant_share: Decimal
    own_share: Decimal


@dataclass(frozen=True)
class Part:
    """So many euros of a line out of a budget."""

    line_id: int
    budget_id: int
    amount: Decimal


@dataclass(frozen=True)
class Balance:
    """What a budget has available before a decision."""

    budget_id: int
    name: str
    available: Decimal


@dataclass(frozen=True)
class BudgetEffect:
    """What a decision does to a budget."""

    budget_id: int
    name: str
    available_before: Decimal
    needed: Decimal

    @property
    def available_after(self) -> Decimal:
        return self.available_before - self.needed

    @property
    def short_by(self) -> Decimal:
        return max(ZERO, self.needed - self.available_before)

    @property
    def sufficient(self) -> bool:
        return self.needed <= self.available_before


@dataclass(frozen=True)
class Need:
    """What an application would take out of which budgets."""

    application_id: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Step:
    """One application of several: its effect, and whether the money was enough when its turn came."""

    application_id: int
    cost: Decimal
    effects: tuple[BudgetEffect, ...]

    @property
    def affordable(self) -> bool:
        return all(effect.sufficient for effect in self.effects)


@dataclass(frozen=True)
class SeveralPreview:
    """Several applications in their order, and what the affordable ones do to the budgets altogether."""

    steps: tuple[Step, ...]
    budgets: tuple[BudgetEffect, ...]

    @property
    def affordable(self) -> int:
        """How many of the applications the money is enough for."""
        return sum(1 for step in self.steps if step.affordable)


def sum_of_lines(lines: Iterable[tuple[Decimal, int]]) -> Decimal:
    """Euros of lines given as (unit price, quantity)."""
    return total(line_cost(price, quantity) for price, quantity in lines)


def split_cost(cost: Decimal, rate: Decimal, limit: Decimal | None = None) -> Split:
    """The grant's share is rounded down to the cent: no grant exceeds its rate. The own share takes the rest.

    `limit`: the most euros that the grant pays of this cost (see `limit_of`); None: only its rate bounds it.
    """
    grant_share = share_rounded_down(cost, rate)
    if limit is not None:
        grant_share = min(grant_share, limit)
    return Split(grant_share=grant_share, own_share=cost - grant_share)


def limit_of(per_device: Decimal | None, quantity: int) -> Decimal | None:
    """The most euros that a grant pays for so many pieces; None without a limit per device."""
    return None if per_device is None else per_device * quantity


def needs_own_share(cost: Decimal, source: Source, quantity: int) -> bool:
    """Whether a budget's grant pays less than all of a cost. Asked by the rate, so a cost of nothing needs one, too."""
    if source.rate is None:
        return False
    return source.rate < 1 or own_part(cost, source, quantity) < cost


def may_need_own_share(source: Source) -> bool:
    """Whether there are costs of which a budget's grant pays less than all."""
    return source.rate is not None and (source.rate < 1 or source.limit_per_device is not None)


def own_part(cost: Decimal, source: Source, quantity: int) -> Decimal:
    """What the budget itself pays of a cost of so many pieces: all of it if municipal, else the grant's share."""
    if source.rate is None:
        return cost
    return split_cost(cost, source.rate, limit_of(source.limit_per_device, quantity)).grant_share


def parts_of(
    line_id: int, cost: Decimal, *, quantity: int, budget_id: int, source: Source, own_share_budget_id: int | None
) -> tuple[Part, ...]:
    """Who pays a line. Parts of nothing are left out; the rest adds up to the cost.

    ValueError when a part has no budget: a missing budget is an error, never a skip.
    """
    first = own_part(cost, source, quantity)
    parts = [Part(line_id, budget_id, first)]
    if cost != first:
        if own_share_budget_id is None:
            raise ValueError("An own share needs a budget")
        parts.append(Part(line_id, own_share_budget_id, cost - first))
    return tuple(part for part in parts if part.amount)


def needed_per_budget(parts: Iterable[Part]) -> dict[int, Decimal]:
    """Budget id -> euros, in the order of the ids."""
    needed: dict[int, Decimal] = {}
    for part in parts:
        needed[part.budget_id] = needed.get(part.budget_id, ZERO) + part.amount
    return dict(sorted(needed.items()))


def preview(parts: Iterable[Part], balances: Mapping[int, Balance]) -> tuple[BudgetEffect, ...]:
    """What these parts do to each budget they touch. KeyError for a budget without a balance."""
    return tuple(
        BudgetEffect(budget_id, balances[budget_id].name, balances[budget_id].available, amount)
        for budget_id, amount in needed_per_budget(parts).items()
    )


def preview_several(needs: Sequence[Need], balances: Mapping[int, Balance]) -> SeveralPreview:
    """Walks applications in the given order; one that the money is not enough for takes nothing."""
    left = dict(balances)
    steps: list[Step] = []
    accepted: list[Part] = []
    for need in needs:
        step = Step(need.application_id, total(part.amount for part in need.parts), preview(need.parts, left))
        steps.append(step)
        if step.affordable:
            accepted.extend(need.parts)
            for effect in step.effects:
                left[effect.budget_id] = Balance(effect.budget_id, effect.name, effect.available_after)
    needed = needed_per_budget(accepted)
    effects = tuple(
        BudgetEffect(row.budget_id, row.name, row.available, needed.get(row.budget_id, ZERO))
        for row in balances.values()
    )
    return SeveralPreview(tuple(steps), effects)


def expected_expenditure_type(
    gross: Decimal, *, vat_percent: Decimal | None, limit_net: Decimal | None
) -> ExpenditureType | None:
    """What one device of this price (euros gross) is booked as; None where a rule is switched off.

    Up to the limit (euros net) a device may be booked as expense (§ 36 Abs. 3 KomHVO NRW), above it is an investment.
    Compared without division, so that nothing is rounded: gross / (1 + VAT) <= limit.
    """
    if vat_percent is None or limit_net is None:
        return None
    within = gross * 100 <= limit_net * (100 + vat_percent)
    return ExpenditureType.OPERATING if within else ExpenditureType.CAPITAL
