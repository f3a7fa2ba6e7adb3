"""Budgets as reference data: made, changed and frozen; every change with its person and reason in the history."""

from __future__ import annotations

from decimal import Decimal
from typing import TypedDict, Unpack

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.formats import euro
from apps.core.history import save_by
from apps.core.money import ZERO
from apps.funding.calculations import limit
from apps.funding.models import Budget, Grant
from apps.funding.services.steps import ensure_may, lock_budgets, money_transaction, required_text, validated

_FIXED_ONCE_USED = ("fiscal_year", "grant")


class BudgetValues(TypedDict, total=False):
    """What may be given of a budget; amounts in euros, `grant` None for municipal money."""

    name: str
    fiscal_year: int
    measure_number: str
    product: str
    ledger_account: str
    expenditure_type: str
    grant: Grant | None
    appropriation: Decimal
    carried_over: Decimal
    supplement: Decimal
    freeze: Decimal


def create_budget(*, by: User, reason: str = "", **values: Unpack[BudgetValues]) -> Budget:
    """A new budget; `name`, `fiscal_year` and `appropriation` are needed."""
    ensure_may(by, "funding.add_budget")
    budget = Budget(**values)
    validated(budget, exclude=("grant",))
    _ensure_within_limit(budget)
    with money_transaction():
        return save_by(budget, by=by, reason=reason.strip())


def change_budget(*, budget: Budget, by: User, reason: str = "", **values: Unpack[BudgetValues]) -> Budget:
    """Changes what is given and leaves the rest; locks the budget.

    Refuses amounts below what is committed and spent, and another year or grant once money has moved.
    """
    ensure_may(by, "funding.change_budget")
    with money_transaction():
        row = lock_budgets([budget.pk], by=by)[budget.pk]
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        _ensure_changeable(row, changed)
        for name in changed:
            setattr(row, name, values[name])  # type: ignore[literal-required]  # the names come from `values`
        validated(row, exclude=("grant",))
        _ensure_within_limit(row)
        if changed:
            save_by(row, by=by, update_fields=changed, reason=reason.strip())
    return row


def set_freeze(*, budget: Budget, amount: Decimal, reason: str, by: User) -> Budget:
    """Freezes so many euros (Haushaltssperre), or lifts the freeze with zero. What is committed stays committed."""
    reason = required_text(reason, _("Please say why the freeze changes."), field="reason")
    return change_budget(budget=budget, by=by, reason=reason, freeze=amount)


def _ensure_changeable(budget: Budget, changed: list[str]) -> None:
    fixed = [name for name in changed if name in _FIXED_ONCE_USED]
    if fixed and budget.entries.exists():
        raise DomainError(
            _("Money of this budget has moved already: its year and grant stay. Please make another budget."),
            code="in_use",
            field=fixed[0],
        )


def _ensure_within_limit(budget: Budget) -> None:
    negative = [name for name in ("appropriation", "carried_over", "freeze") if getattr(budget, name) < ZERO]
    if negative or limit(budget) < ZERO:
        raise DomainError(_("These amounts are not negative."), field=negative[0] if negative else "supplement")
    used = budget.committed + budget.spent
    if limit(budget) < used:
        raise DomainError(
            _("%(used)s are committed or spent already. Please enter amounts that add up to at least this.")
            % {"used": euro(used)},
            code="below_used",
            field="appropriation",
        )
