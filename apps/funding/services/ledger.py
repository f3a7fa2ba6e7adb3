"""The ledger: entries are only ever added, and the sums on the budget's row move with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.formats import euro
from apps.core.money import to_cents, total
from apps.funding.calculations import BudgetEffect
from apps.funding.choices import LEDGER_EFFECTS
from apps.funding.models import ApplicationLine, Budget, InvoiceLine, LedgerEntry, OrderLine


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
    """Adds entries to a locked budget and moves its committed and spent by them, with history where they do.

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
    if not any(LEDGER_EFFECTS[entry.kind] != (0, 0) for entry in entries):
        return rows
    Budget.objects.filter(pk=budget.pk).update(
        committed=F("committed") + to_cents(committed), spent=F("spent") + to_cents(spent)
    )
    budget.refresh_from_db(fields=["committed", "spent"])
    reason = entries[0].note if entries else ""
    Budget.history.bulk_history_create([budget], update=True, default_user=by, default_change_reason=reason or None)
    return rows


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
