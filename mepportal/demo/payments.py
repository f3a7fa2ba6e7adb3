"""What the money of earlier years was paid for: each purchase of devices by its budgets, the rest in instalments.

Written set-based, but like every payment: committed first, then paid, each an entry of the ledger, and the sums on
the budgets are those of their entries.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count

from apps.accounts.models import User
from apps.core.history import bulk_update_by
from apps.core.money import ZERO, share_rounded_down, total
from apps.funding.choices import LedgerKind
from apps.funding.models import Budget, LedgerEntry
from apps.inventory.choices import Ownership
from apps.inventory.models import Device
from mepportal.demo.days import at_noon, working_day
from mepportal.demo.past_budgets import Pot

TERM = datetime.timedelta(days=28)
EXTRAS = "Hüllen, Zubehör, Einrichtung und Transport"
QUARTERS = ((3, 26), (6, 25), (9, 24), (12, 10))


@dataclass(frozen=True)
class Payment:
    """Committed on one day and paid on another, in euros with the own share."""

    committed_on: datetime.date
    paid_on: datetime.date
    amount: Decimal
    note: str


@dataclass
class _Delivery:
    """Devices of one product that were bought on one day; `left`: how many are not paid yet."""

    day: datetime.date
    code: str
    product: str
    price: Decimal
    left: int


def load_payments(pots: Sequence[Pot], *, by: User) -> int:
    """Spends all pots to the last cent; returns the number of entries.

    ValueError when a year's devices cost more than its pots for devices hold: the table of budgets is wrong then.
    """
    deliveries = _deliveries()
    entries: list[tuple[datetime.date, LedgerEntry]] = []
    for year in sorted({pot.year for pot in pots}):
        bought = [delivery for delivery in deliveries if delivery.day.year == year]
        for pot in (pot for pot in pots if pot.year == year):
            payments = _purchases(pot, bought) if pot.line.codes else _instalments(pot)
            entries += _entries(pot, payments, by)
        unpaid = [delivery for delivery in bought if delivery.left]
        if unpaid:
            raise ValueError(f"No money for {unpaid[0]}")
    _write(entries)
    _write_sums([entry for _day, entry in entries], pots, by)
    return len(entries)


def _deliveries() -> list[_Delivery]:
    rows = Device.objects.filter(ownership=Ownership.BOUGHT, bought_on__year__gte=2020).order_by()
    groups = rows.values_list("bought_on", "kind__code", "product__manufacturer", "product__model", "price").annotate(
        number=Count("pk")
    )
    return [
        _Delivery(day, code, f"{manufacturer} {model}", price, number)
        for day, code, manufacturer, model, price, number in groups.order_by("bought_on", "kind__code")
    ]


def _purchases(pot: Pot, deliveries: Sequence[_Delivery]) -> Iterator[Payment]:
    """As many of the devices as the pot can pay, and what they need; the next pot goes on with the others."""
    left = pot.amount
    for delivery in deliveries:
        number = min(delivery.left, int(left // delivery.price)) if delivery.code in pot.line.codes else 0
        if number:
            amount = number * delivery.price
            left -= amount
            delivery.left -= number
            paid_on = working_day(delivery.day + TERM)
            yield Payment(delivery.day, paid_on, amount, f"{number} × {delivery.product}")
    if left:
        paid_on = working_day(datetime.date(pot.year, 12, 10))
        yield Payment(paid_on - TERM, paid_on, left, EXTRAS)


def _instalments(pot: Pot) -> Iterator[Payment]:
    """A quarter of the money each, the last with what is left."""
    left = pot.amount
    for number, (month, day) in enumerate(QUARTERS, start=1):
        last = number == len(QUARTERS)
        amount = left if last else share_rounded_down(pot.amount, Decimal("0.23"))
        left -= amount
        paid_on = working_day(datetime.date(pot.year, month, day))
        bill = f"Rechnungen {number}. Quartal" if pot.line.operating else f"{number}. Abschlagsrechnung"
        note = bill if pot.line.operating or not last else "Schlussrechnung"
        yield Payment(paid_on - TERM, paid_on, amount, note)


def _entries(pot: Pot, payments: Iterator[Payment], by: User) -> Iterator[tuple[datetime.date, LedgerEntry]]:
    """Entries with their days. The last payment takes what rounding has left in the grant's budget."""
    granted, whole = pot.budget.appropriation, pot.amount
    for payment in payments:
        whole -= payment.amount
        rate = pot.budget.grant.rate if pot.budget.grant is not None else Decimal(1)
        part = share_rounded_down(payment.amount, rate) if whole else granted
        granted -= part
        for budget, amount in ((pot.budget, part), (pot.own_share, payment.amount - part)):
            if budget is not None and amount:
                for kind, day in ((LedgerKind.COMMIT, payment.committed_on), (LedgerKind.PAY, payment.paid_on)):
                    yield day, LedgerEntry(budget=budget, kind=kind, amount=amount, by=by, note=payment.note)


def _write(entries: list[tuple[datetime.date, LedgerEntry]]) -> None:
    """In the order of their days; raw, as fixtures are loaded, because each entry keeps its own moment.

    Entries cannot be set back later: the database itself lets nobody change the ledger.
    """
    for day, entry in sorted(entries, key=lambda pair: pair[0]):
        entry.at = at_noon(day)
        entry.save_base(raw=True, force_insert=True)


def _write_sums(entries: Sequence[LedgerEntry], pots: Sequence[Pot], by: User) -> None:
    """Everything that was committed is paid, so that only `spent` stays."""
    paid: dict[int, list[Decimal]] = {}
    for entry in entries:
        if entry.kind == LedgerKind.PAY:
            paid.setdefault(entry.budget_id, []).append(entry.amount)
    budgets: dict[int, Budget] = {}
    for pot in pots:
        budgets |= {budget.pk: budget for budget in (pot.budget, pot.own_share) if budget is not None}
    for budget in budgets.values():
        budget.spent = total(paid.get(budget.pk, [ZERO]))
        budget._history_date = at_noon(datetime.date(budget.fiscal_year, 12, 30))  # type: ignore[attr-defined]
    bulk_update_by(list(budgets.values()), ["spent"], by=by, reason="Jahresabschluss")
