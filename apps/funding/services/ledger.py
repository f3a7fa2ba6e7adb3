"""The ledger: entries are only ever added, and the sums on the budget's row move with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Sum
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.formats import euro
from apps.core.money import CENT, ZERO, to_cents, total
from apps.funding.calculations import BudgetEffect
from apps.funding.choices import LEDGER_EFFECTS, LedgerKind
from apps.funding.models import ApplicationLine, Budget, InvoiceLine, LedgerEntry, OrderLine
from apps.funding.services.steps import ensure_may, lock_budgets, money_transaction

_KEEP = "funding.pay_invoice"


@dataclass(frozen=True)
class Entry:
    """An entry to be posted; amount in euros."""

    kind: str
    amount: Decimal
    line: ApplicationLine | None = None
    note: str = ""
    order_line: OrderLine | None = None
    invoice_line: InvoiceLine | None = None


def post_entries(budget: Budget, entries: Sequence[Entry], *, by: User) -> list[LedgerEntry]:
    """Adds entries to a locked budget and moves its committed and spent by them, with history.

    The row is moved relative to what stands in the database, so the constraint sees the truth even if a lock
    were missing. The caller has checked that the money is there.
    """
    rows = LedgerEntry.objects.bulk_create(
        LedgerEntry(
            budget=budget,
            kind=entry.kind,
            amount=entry.amount,
            line=entry.line,
            order_line=entry.order_line,
            invoice_line=entry.invoice_line,
            by=by,
            note=entry.note[:300],
        )
        for entry in entries
    )
    committed, spent = effect_of(entries)
    Budget.objects.filter(pk=budget.pk).update(
        committed=F("committed") + to_cents(committed), spent=F("spent") + to_cents(spent)
    )
    budget.refresh_from_db(fields=["committed", "spent"])
    reason = entries[0].note if entries else ""
    Budget.history.bulk_history_create([budget], update=True, default_user=by, default_change_reason=reason or None)
    return rows


def post_entry(
    *,
    budget: Budget,
    kind: str,
    amount: Decimal,
    by: User,
    line: ApplicationLine | None = None,
    note: str = "",
) -> LedgerEntry:
    """One entry of any kind in euros; a negative amount corrects an earlier one of the same kind.

    Locks the budget. Refuses what the budget has not available (freeze included), and what would pay or release
    more than is committed, for the line if one is named, else for the budget.
    """
    ensure_may(by, _KEEP)
    if not amount:
        raise DomainError(_("Please enter an amount other than zero."), field="amount")
    if amount != amount.quantize(CENT):
        raise DomainError(_("Enter at most two decimal places."), field="amount")
    entry = Entry(kind, amount, line, note.strip())
    with money_transaction():
        row = lock_budgets([budget.pk], by=by)[budget.pk]
        _ensure_possible(row, entry)
        posted = post_entries(row, [entry], by=by)[0]
    budget.committed, budget.spent = row.committed, row.spent
    return posted


def record_payment(
    *, budget: Budget, amount: Decimal, by: User, line: ApplicationLine | None = None, note: str = ""
) -> LedgerEntry:
    """Money that was committed is paid, in euros."""
    return post_entry(budget=budget, kind=LedgerKind.PAY, amount=_positive(amount), by=by, line=line, note=note)


def release(
    *, budget: Budget, amount: Decimal, by: User, line: ApplicationLine | None = None, note: str = ""
) -> LedgerEntry:
    """Money that was committed and is not needed becomes available again, in euros."""
    return post_entry(budget=budget, kind=LedgerKind.RELEASE, amount=_positive(amount), by=by, line=line, note=note)


def effect_of(entries: Sequence[Entry]) -> tuple[Decimal, Decimal]:
    """What entries add to (committed, spent), in euros."""
    factors = [(entry.amount, *LEDGER_EFFECTS[entry.kind]) for entry in entries]
    return total(amount * first for amount, first, _ in factors), total(amount * last for amount, _, last in factors)


def refusal(effects: Sequence[BudgetEffect]) -> str:
    """The sentence that names each budget that is short, what it has and what is needed."""
    return " ".join(
        str(
            _("The budget “%(budget)s” has %(available)s available, but %(needed)s are needed.")
            % {"budget": effect.name, "available": euro(effect.available_before), "needed": euro(effect.needed)}
        )
        for effect in effects
        if not effect.sufficient
    )


def _ensure_possible(budget: Budget, entry: Entry) -> None:
    committed, spent = effect_of([entry])
    needed = BudgetEffect(budget.pk, str(budget), budget.available, committed + spent)
    if needed.needed > ZERO and not needed.sufficient:
        raise DomainError(refusal([needed]), code="unaffordable", field="amount")
    open_amount = budget.committed if entry.line is None else _open_commitment(budget, entry.line)
    if open_amount + committed < ZERO:
        raise DomainError(
            _("Only %(open)s are committed here. Please enter at most this amount.") % {"open": euro(open_amount)},
            code="not_committed",
            field="amount",
        )
    if budget.spent + spent < ZERO:
        raise DomainError(
            _("Only %(spent)s were paid. Please correct at most this amount.") % {"spent": euro(budget.spent)},
            field="amount",
        )


def _open_commitment(budget: Budget, line: ApplicationLine) -> Decimal:
    """What is committed for a line out of a budget and neither paid nor released."""
    sums = LedgerEntry.objects.filter(budget=budget, line=line).values_list("kind").annotate(sum=Sum("amount"))
    return total(amount * LEDGER_EFFECTS[kind][0] for kind, amount in sums)


def _positive(amount: Decimal) -> Decimal:
    if amount <= ZERO:
        raise DomainError(_("Please enter an amount above zero."), field="amount")
    return amount
