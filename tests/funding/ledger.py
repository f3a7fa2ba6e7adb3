"""Entries of the ledger for tests that need money in a state, and not the orders and invoices that lead there."""

from decimal import Decimal

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.funding.choices import LedgerKind
from apps.funding.models import ApplicationLine, Budget
from apps.funding.services.ledger import Entry, effect_of, post_entries
from apps.funding.services.steps import lock_budgets, money_transaction


def post(
    budget: Budget, kind: LedgerKind, amount: Decimal, *, by: User, line: ApplicationLine | None = None, note: str = ""
) -> None:
    """One entry in euros; refuses to take more than is committed or paid."""
    entry = Entry(kind, amount, line, note)
    with money_transaction():
        row = lock_budgets([budget.pk], by=by)[budget.pk]
        committed, spent = effect_of([entry])
        if row.committed + committed < 0 or row.spent + spent < 0:
            raise DomainError("not committed", code="not_committed")
        post_entries(row, [entry], by=by)
    budget.committed, budget.spent = row.committed, row.spent


def commit(budget: Budget, amount: Decimal, *, by: User, note: str = "") -> None:
    post(budget, LedgerKind.COMMIT, amount, by=by, note=note)


def pay(budget: Budget, amount: Decimal, *, by: User, note: str = "") -> None:
    post(budget, LedgerKind.PAY, amount, by=by, note=note)


def release(budget: Budget, amount: Decimal, *, by: User, note: str = "") -> None:
    post(budget, LedgerKind.RELEASE, amount, by=by, note=note)
