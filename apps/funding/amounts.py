"""What a budget can still give and what a line costs. A leaf, so that the models' properties may call it, too."""

from decimal import Decimal
from typing import Protocol

from apps.core.money import ZERO
from apps.funding.choices import LEDGER_EFFECTS


class BudgetAmounts(Protocol):
    """Euros of a budget; the model's row and the balances of a preview both have them."""

    @property
    def appropriation(self) -> Decimal: ...
    @property
    def carried_over(self) -> Decimal: ...
    @property
    def carried_out(self) -> Decimal: ...
    @property
    def supplement(self) -> Decimal: ...
    @property
    def virement(self) -> Decimal: ...
    @property
    def overrun_allowed(self) -> Decimal: ...
    @property
    def freeze(self) -> Decimal: ...
    @property
    def committed(self) -> Decimal: ...
    @property
    def spent(self) -> Decimal: ...


def appropriated(budget: BudgetAmounts) -> Decimal:
    """What may be used: appropriation, carried over, supplement and virements, less what went into the next year."""
    return budget.appropriation + budget.carried_over + budget.supplement + budget.virement - budget.carried_out


def limit(budget: BudgetAmounts) -> Decimal:
    """What may be committed and spent altogether, without a freeze (as in the constraint on the row)."""
    return appropriated(budget) + budget.overrun_allowed


def available(budget: BudgetAmounts) -> Decimal:
    """What may still be committed. Negative when a freeze came after the commitments.

    Availability under § 22 KomHVO practice: appropriation, carried over, supplement and virements, less
    freeze, commitments and payments. Reservations are shown beside it and not subtracted.
    """
    return limit(budget) - budget.freeze - budget.committed - budget.spent


def frozen_left(budget: BudgetAmounts, needed: Decimal = ZERO) -> Decimal:
    """What of the frozen money is still there, once `needed` is committed as well."""
    return min(budget.freeze, max(ZERO, appropriated(budget) - budget.committed - budget.spent - needed))


def goes_beyond(before: Decimal, after: Decimal) -> bool:
    """Whether a change leaves less than nothing available, and less than there was."""
    return after < min(before, ZERO)


def transferable(budget: BudgetAmounts) -> Decimal:
    """What may move to another budget: available without an allowed overrun, which is no money."""
    return available(budget) - budget.overrun_allowed


def line_cost(unit_price: Decimal, quantity: int) -> Decimal:
    """Euros gross of so many pieces."""
    return unit_price * quantity


def ledger_effect(kind: str, amount: Decimal) -> tuple[Decimal, Decimal]:
    """What an entry adds to (committed, spent) of its budget, in euros: a payment frees what it spends."""
    committed, spent = LEDGER_EFFECTS[kind]
    return committed * amount, spent * amount
