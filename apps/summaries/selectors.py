"""What the department head reads, composed from the figures of the other apps; no figure is computed here."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.money import total
from apps.funding.models import Budget, LedgerEntry
from apps.funding.selectors import SourceTotals, StateCount, applications_by_state, money_by_source
from apps.quotas.figures import Figure, Overview
from apps.quotas.models import MediaDevelopmentPlan
from apps.quotas.selectors import FigureStatus, figure_status, overview
from apps.quotas.stored import StoredOverview
from apps.schools.network import NetworkSummary, network_summary

SHOWN_BELOW_TARGET = 15


@dataclass(frozen=True)
class MoneyTotals:
    """All sources of a fiscal year added up, in euros, so that each row is seen to add up.

    Available = appropriated + allowed overrun - frozen - committed - spent, see `apps.funding.amounts`.
    """

    appropriated: Decimal
    overrun_allowed: Decimal
    freeze: Decimal
    committed: Decimal
    spent: Decimal
    available: Decimal


@dataclass(frozen=True)
class SpentCell:
    """What was spent in a fiscal year, in euros; `day` is the last one on which the year's budgets are shown."""

    year: int
    day: datetime.date
    amount: Decimal


@dataclass(frozen=True)
class SpentRow:
    """What one source paid in each year of a plan, in euros."""

    name: str
    cells: Sequence[SpentCell]

    @property
    def whole(self) -> Decimal:
        return total(cell.amount for cell in self.cells)


@dataclass(frozen=True)
class PlanMoney:
    """What was spent in the fiscal years of a plan, up to this one. Spent, because money carried over counts twice."""

    years: Sequence[int]
    municipal: Sequence[SpentRow]
    programmes: Sequence[SpentRow]
    grants: SpentRow
    all_sources: SpentRow


@dataclass(frozen=True)
class Summary:
    """One day of one plan: quotas, the money of its year and of the plan, and the applications, as they stood then."""

    overview: Overview | StoredOverview
    status: FigureStatus
    schools_below_target: int
    below_target: Sequence[Figure]
    sources: Sequence[SourceTotals]
    money: MoneyTotals
    plan_money: PlanMoney
    applications: Sequence[StateCount]
    network: NetworkSummary

    @property
    def has_applications(self) -> bool:
        return any(row.count for row in self.applications)


def summary(user: User, plan: MediaDevelopmentPlan, day: datetime.date) -> Summary:
    """The summary that this person may read."""
    read = overview(plan, day)
    below, lowest = read.below_target(SHOWN_BELOW_TARGET)
    sources = money_by_source(user, day.year, day)
    return Summary(
        overview=read,
        status=figure_status(plan),
        schools_below_target=below,
        below_target=lowest,
        sources=sources,
        money=_all_sources(sources),
        plan_money=plan_money(user, plan, day),
        applications=applications_by_state(user, day),
        network=network_summary(day),
    )


def plan_money(user: User, plan: MediaDevelopmentPlan, day: datetime.date) -> PlanMoney:
    """The budgets of the plan's years that this person sees, as of a day; years without a budget are left out."""
    sources = money_by_source(user, day=day)
    known = {budget.fiscal_year for source in sources for budget in source.budgets}
    last = min(plan.ends_on, day)
    days = {year: min(datetime.date(year, 12, 31), last) for year in range(plan.starts_on.year, last.year + 1)}
    days = {year: day for year, day in days.items() if year in known}

    def row(name: str, chosen: Sequence[SourceTotals]) -> SpentRow:
        budgets = [budget for source in chosen for budget in source.budgets]
        amounts = {year: total(budget.spent for budget in budgets if budget.fiscal_year == year) for year in days}
        return SpentRow(name, [SpentCell(year, day, amounts[year]) for year, day in days.items()])

    municipal = [source for source in sources if source.programme is None]
    programmes = [source for source in sources if source.programme is not None]
    return PlanMoney(
        years=list(days),
        municipal=[row(source.name, [source]) for source in municipal],
        programmes=[spent for source in programmes if (spent := row(source.name, [source])).whole],
        grants=row(_("All grants"), programmes),
        all_sources=row(_("All sources"), sources),
    )


def _all_sources(sources: Sequence[SourceTotals]) -> MoneyTotals:
    return MoneyTotals(
        appropriated=total(source.appropriated for source in sources),
        overrun_allowed=total(source.overrun_allowed for source in sources),
        freeze=total(source.freeze for source in sources),
        committed=total(source.committed for source in sources),
        spent=total(source.spent for source in sources),
        available=total(source.available for source in sources),
    )


def budget_entries(user: User, budget: Budget, day: datetime.date) -> Sequence[LedgerEntry]:
    """The rows behind a budget's committed and spent sums of a day, newest first."""
    rows = LedgerEntry.objects.visible_to(user).filter(budget=budget, at__lt=clock.end_of(day))
    return list(
        rows.select_related("line__product", "line__application__school", "order_line__school", "by").order_by(
            "-at", "-pk"
        )
    )
