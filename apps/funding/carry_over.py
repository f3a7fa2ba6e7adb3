"""What may go from one fiscal year into the next, and the list of it for the council (§ 22 Abs. 4 KomHVO NRW)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.core import clock
from apps.core.money import ZERO, total
from apps.funding.calculations import transferable
from apps.funding.choices import BudgetChangeKind, ProposalState
from apps.funding.models import Budget, BudgetChange


@dataclass(frozen=True)
class CarryOverRow:
    """A budget at the end of its year. `left`: what may go on; `waiting`: proposed already; `confirmed`: gone already.

    Open commitments stay payable out of the old year. `target` None: the budget of the next year is made.
    """

    budget: Budget
    left: Decimal
    target: Budget | None
    waiting: BudgetChange | None
    confirmed: tuple[BudgetChange, ...] = ()

    @property
    def may_go(self) -> bool:
        return self.left > ZERO and self.waiting is None


def year_to_close() -> int:
    """The fiscal year that is closed now: last year's until the end of June, then this year's."""
    today = clock.today()
    return today.year if today.month > 6 else today.year - 1


def carry_over_rows(user: User, year: int) -> list[CarryOverRow]:
    """The year's budgets with what is left of them; three queries whatever their number."""
    budgets = Budget.objects.visible_to(user).select_related("grant__programme")
    following = list(budgets.filter(fiscal_year=year + 1).order_by("pk"))
    waiting: dict[int | None, BudgetChange] = {}
    confirmed: defaultdict[int | None, list[BudgetChange]] = defaultdict(list)
    for change in _changes(user, year).order_by("decided_at", "pk"):
        if change.state == ProposalState.PROPOSED:
            waiting[change.budget_id] = change
        elif change.state == ProposalState.CONFIRMED:
            confirmed[change.budget_id].append(change)
    return [
        CarryOverRow(
            budget,
            max(transferable(budget), ZERO),
            _target(budget, following),
            waiting.get(budget.pk),
            tuple(confirmed[budget.pk]),
        )
        for budget in budgets.filter(fiscal_year=year).order_by("name", "pk")
    ]


def _target(budget: Budget, following: list[Budget]) -> Budget | None:
    """Next year's namesake, else the only one with the same measure, type and source."""
    named = next((row for row in following if row.name == budget.name), None)
    if named is not None or not budget.measure_number:
        return named
    same: defaultdict[tuple[object, ...], list[Budget]] = defaultdict(list)
    for row in following:
        same[row.measure_number, row.expenditure_type, row.grant_id].append(row)
    found = same[budget.measure_number, budget.expenditure_type, budget.grant_id]
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class CarryOverList:
    """Confirmed carry-overs out of a year, and those that still wait. Amounts in euros."""

    year: int
    confirmed: tuple[BudgetChange, ...]
    proposed: tuple[BudgetChange, ...]

    @property
    def sum_confirmed(self) -> Decimal:
        return total(change.amount or ZERO for change in self.confirmed)

    @property
    def sum_proposed(self) -> Decimal:
        return total(change.amount or ZERO for change in self.proposed)


def carry_over_list(user: User, year: int) -> CarryOverList:
    """One query. Declined and withdrawn ones are left out."""
    rows = list(_changes(user, year).order_by("budget__name", "pk"))
    confirmed = tuple(row for row in rows if row.state == ProposalState.CONFIRMED)
    return CarryOverList(year, confirmed, tuple(row for row in rows if row.state == ProposalState.PROPOSED))


def carried_into(budget: Budget) -> QuerySet[BudgetChange]:
    """The confirmed carry-overs that a budget has got, the oldest first: nothing else moves what they gave."""
    rows: QuerySet[BudgetChange] = BudgetChange.objects.filter(
        counterpart=budget, kind=BudgetChangeKind.CARRY_OVER, state=ProposalState.CONFIRMED
    )
    return rows.select_related("budget").order_by("decided_at", "pk")


def carried_between(source: Budget, target: Budget) -> Decimal:
    """Euros that confirmed carry-overs moved from one budget into the other, less what was taken back."""
    return total(change.amount or ZERO for change in carried_into(target).filter(budget=source))


def taken_back_of(change: BudgetChange) -> QuerySet[BudgetChange]:
    """What goes or went back between the two budgets of a confirmed carry-over, the oldest first; else nothing."""
    rows: QuerySet[BudgetChange] = BudgetChange.objects.filter(
        kind=BudgetChangeKind.CARRY_OVER,
        budget=change.budget_id,
        counterpart=change.counterpart_id,
        amount__lt=0,
        state__in=(ProposalState.PROPOSED, ProposalState.CONFIRMED),
    )
    found = rows if change.is_carried_over else rows.none()
    return found.select_related("decided_by").order_by("proposed_at", "pk")


def _changes(user: User, year: int) -> QuerySet[BudgetChange]:
    changes: QuerySet[BudgetChange] = BudgetChange.objects.visible_to(user).filter(
        kind=BudgetChangeKind.CARRY_OVER, budget__fiscal_year=year
    )
    return changes.select_related("budget__grant__programme", "counterpart", "proposed_by", "decided_by")
