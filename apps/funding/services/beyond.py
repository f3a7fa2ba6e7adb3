"""What an order commits beyond what is approved: shown before, and kept with the change of state that approved it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext

from apps.core.formats import euro
from apps.core.money import total
from apps.funding.calculations import BudgetEffect
from apps.funding.models import OrderLine, OrderStatusChange
from apps.funding.services.commitments import Booking


@dataclass(frozen=True)
class LineBeyond:
    """A line of an order that costs more than is approved and still held for it; euros gross.

    `approved_price` a piece; None: bought by the office on its own.
    """

    name: str
    school: str
    approved_price: Decimal | None
    price: Decimal
    ordered: Decimal
    needed: Decimal

    @property
    def approved(self) -> Decimal:
        return self.ordered - self.needed


@dataclass(frozen=True)
class Beyond:
    """What an order would newly commit, or has: budget by budget, and line by line with the same sum."""

    effects: Sequence[BudgetEffect]
    lines: Sequence[LineBeyond]

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
    rows = [_line(line, needed) for line in lines if (needed := booking.committed_for(line))]
    return Beyond(booking.effects(), rows)


def _line(line: OrderLine, needed: Decimal) -> LineBeyond:
    applied = line.application_line
    return LineBeyond(
        name=str(line),
        school="" if line.school is None else str(line.school),
        approved_price=None if applied is None else applied.unit_price,
        price=line.unit_price,
        ordered=line.amount,
        needed=needed,
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
        [LineBeyond(**_euros(row, "approved_price", "price", "ordered", "needed")) for row in change.beyond["lines"]],
    )


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _euros(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: Decimal(value) if name in names and value is not None else value for name, value in row.items()}
