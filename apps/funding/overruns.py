"""Budgets that two people went over on purpose: kept with the decision, and what people read about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from apps.core.formats import euro
from apps.core.money import ZERO
from apps.funding.amounts import frozen_left
from apps.funding.calculations import BudgetEffect
from apps.funding.models import ApplicationStatusChange, Budget


def as_kept(short: Iterable[BudgetEffect], budgets: Mapping[int, Budget]) -> list[dict[str, str]]:
    """As JSON: names and euros as they are before the decision is booked; a freeze where frozen money is used."""
    return [
        {
            "budget": effect.name,
            "amount": str(effect.short_by),
            "freeze": str(_freeze(budgets[effect.budget_id], effect)),
        }
        for effect in short
    ]


def _freeze(budget: Budget, effect: BudgetEffect) -> Decimal:
    """Nothing where no frozen money was left: what is overrun then lies beyond the appropriation."""
    return budget.freeze if frozen_left(budget, effect.needed) < frozen_left(budget) else ZERO


def sentences(kept: Iterable[Mapping[str, Any]]) -> list[str]:
    """One for each budget, in the language of the reader."""
    return [_sentence(row["budget"], Decimal(row["amount"]), Decimal(row["freeze"])) for row in kept]


def overruns_of(change: ApplicationStatusChange) -> list[str]:
    """Nothing where no budget was overrun; the sum alone, where the budgets were not kept yet."""
    if not change.overrun:
        return []
    if change.overruns:
        return sentences(change.overruns)
    return [_("budget overrun by %(amount)s") % {"amount": euro(change.overrun)}]


def _sentence(budget: str, amount: Decimal, freeze: Decimal) -> str:
    names = {"budget": budget, "amount": euro(amount), "freeze": euro(freeze)}
    if freeze:
        return _("“%(budget)s” overrun by %(amount)s, beyond its freeze of %(freeze)s") % names
    return _("“%(budget)s” overrun by %(amount)s") % names
