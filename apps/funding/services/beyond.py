"""What an order commits beyond what is approved: shown before, and kept with the change of state that approved it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext

from apps.core.formats import euro
from apps.core.money import ZERO, total
from apps.funding.calculations import BudgetEffect
from apps.funding.choices import LedgerKind, OrderState
from apps.funding.models import LedgerEntry, OrderLine, OrderStatusChange
from apps.funding.purchasing import Paid, paid_in_vain
from apps.funding.services.commitments import Booking
from apps.funding.services.expected import paid_of


@dataclass(frozen=True)
class LineBeyond:
    """A line of an order that costs more than is approved and still held for it; euros gross.

    `approved_price` a piece; None: bought by the office on its own. `in_vain`: so much of what is approved was paid
    for pieces that never came and are ordered again.
    """

    name: str
    school: str
    approved_price: Decimal | None
    price: Decimal
    ordered: Decimal
    needed: Decimal
    in_vain: Decimal = ZERO

    @property
    def approved(self) -> Decimal:
        return self.ordered - self.needed


@dataclass(frozen=True)
class Beyond:
    """What an order would newly commit, or has: budget by budget, and line by line with the same sum."""

    effects: Sequence[BudgetEffect]
    lines: Sequence[LineBeyond]

    @property
    def is_affordable(self) -> bool:
        return all(effect.sufficient for effect in self.effects)

    @property
    def approved(self) -> Decimal:
        return total(row.approved for row in self.lines)

    @property
    def ordered(self) -> Decimal:
        return total(row.ordered for row in self.lines)

    @property
    def needed(self) -> Decimal:
        return total(row.needed for row in self.lines)


def beyond_of(booking: Booking, lines: Sequence[OrderLine]) -> Beyond:
    """What a booking, gathered to place an order, commits for its lines."""
    committed = booking.committed_by_line()
    needed = {line: amount for line in lines if (amount := committed.get(line, ZERO))}
    in_vain = _in_vain(list(needed))
    rows = [_line(line, amount, min(amount, in_vain[line.application_line_id])) for line, amount in needed.items()]
    return Beyond(booking.effects(), rows)


def _in_vain(lines: Sequence[OrderLine]) -> defaultdict[int | None, Decimal]:
    """Application line id -> euros paid in vain in its closed orders, less what later orders committed for it anew."""
    found: defaultdict[int | None, Decimal] = defaultdict(lambda: ZERO)
    applied = [line.application_line_id for line in lines if line.application_line_id is not None]
    if not applied:
        return found
    earlier = list(OrderLine.objects.filter(application_line__in=applied).select_related("order"))
    paid = paid_of(earlier)
    entries = LedgerEntry.objects.filter(order_line__in=earlier, kind=LedgerKind.COMMIT).order_by()
    anew = dict(entries.values_list("order_line").annotate(sum=Sum("amount")))
    for row in earlier:
        known = paid.get(row.pk, Paid())
        vain = paid_in_vain(known.amount, known.quantity, row.delivered)
        if row.order.state != OrderState.CLOSED:
            vain = ZERO
        found[row.application_line_id] += vain or -anew.get(row.pk, ZERO)
    return defaultdict(lambda: ZERO, {pk: max(ZERO, amount) for pk, amount in found.items()})


def _line(line: OrderLine, needed: Decimal, in_vain: Decimal) -> LineBeyond:
    applied = line.application_line
    return LineBeyond(
        name=str(line),
        school="" if line.school is None else str(line.school),
        approved_price=None if applied is None else applied.unit_price,
        price=line.unit_price,
        ordered=line.amount,
        needed=needed,
        in_vain=in_vain,
    )


def told_beyond(beyond: Beyond) -> str:
    """For the order's history, which names only who approved. In German, as mails are."""
    with translation.override("de"):
        text: str = gettext("%(amount)s approved beyond what was approved")
        return text % {"amount": euro(beyond.needed)}


def as_kept(beyond: Beyond) -> dict[str, Any]:
    """As JSON: euros as text, so that no cent is lost."""
    return {
        "effects": [_as_json(vars(effect)) for effect in beyond.effects],
        "lines": [_as_json(vars(row)) for row in beyond.lines],
    }


def kept_beyond(change: OrderStatusChange) -> Beyond | None:
    """What was approved with a change of state; None where nothing was, or before it was kept."""
    if not change.beyond:
        return None
    return Beyond(
        [BudgetEffect(**_euros(row, "available_before", "needed")) for row in change.beyond["effects"]],
        [
            LineBeyond(**_euros(row, "approved_price", "price", "ordered", "needed", "in_vain"))
            for row in change.beyond["lines"]
        ],
    )


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _euros(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: Decimal(value) if name in names and value is not None else value for name, value in row.items()}
