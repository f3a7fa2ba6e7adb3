"""What the department head reads, composed from the figures of the other apps; no figure is computed here."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.accounts.models import User
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
class Summary:
    """One day of one plan, the money of the day's fiscal year, and the applications as they stand now."""

    overview: Overview | StoredOverview
    status: FigureStatus
    schools_below_target: int
    below_target: Sequence[Figure]
    sources: Sequence[SourceTotals]
    money: MoneyTotals
    applications: Sequence[StateCount]
    network: NetworkSummary


def summary(user: User, plan: MediaDevelopmentPlan, day: datetime.date) -> Summary:
    """The summary that this person may read."""
    read = overview(plan, day)
    below, lowest = read.below_target(SHOWN_BELOW_TARGET)
    sources = money_by_source(user, day.year)
    return Summary(
        overview=read,
        status=figure_status(plan),
        schools_below_target=below,
        below_target=lowest,
        sources=sources,
        money=_all_sources(sources),
        applications=applications_by_state(user),
        network=network_summary(day),
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


def budget_entries(user: User, budget: Budget) -> Sequence[LedgerEntry]:
    """The rows behind a budget's committed and spent sums, newest first."""
    rows = LedgerEntry.objects.visible_to(user).filter(budget=budget)
    return list(rows.select_related("line__product", "line__application__school", "by").order_by("-at", "-pk"))
