"""Hints where the price of a device does not fit the kind of budget, capital or operating. Never a refusal."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.formats import euro
from apps.funding.choices import ExpenditureType
from apps.funding.models import Budget
from apps.funding.rules import expenditure_type_hints, highest_operating_price
from apps.inventory.models import Product

Key = TypeVar("Key")


@dataclass(frozen=True)
class Bought:
    """What is bought, for how much a piece (euros gross), and the budgets that pay."""

    product: Product | None
    price: Decimal
    budgets: tuple[Budget | None, ...]

    @property
    def is_device(self) -> bool:
        """The limit is about what can be used by itself: neither services nor accessories."""
        return self.product is not None and self.product.kind.tracked_singly and self.price > 0


def price_hints(rows: Mapping[Key, Bought], day: datetime.date) -> dict[Key, str]:
    """A sentence for each row whose price speaks for the other kind of budget by the rules of the day."""
    devices = {key: row for key, row in rows.items() if row.is_device}
    if not devices:
        return {}
    expected = expenditure_type_hints({row.price for row in devices.values()}, day)
    found = {key: _misfits(row.budgets, expected[row.price]) for key, row in devices.items()}
    if not any(found.values()):
        return {}
    limit = euro(highest_operating_price(day))
    return {key: _sentence(budgets, limit) for key, budgets in found.items() if budgets}


def _misfits(budgets: Iterable[Budget | None], expected: ExpenditureType | None) -> list[Budget]:
    if expected is None:
        return []
    return [row for row in budgets if row is not None and row.expenditure_type != expected]


def _sentence(budgets: list[Budget], limit: str) -> str:
    *others, last = [_("“%(budget)s”") % {"budget": row} for row in dict.fromkeys(budgets)]
    names = _("%(others)s and %(last)s") % {"others": ", ".join(others), "last": last} if others else last
    if budgets[0].expenditure_type == ExpenditureType.OPERATING:
        text = ngettext(
            "A device dearer than %(limit)s gross is usually capital; operating is %(budgets)s. Please check.",
            "A device dearer than %(limit)s gross is usually capital; operating are %(budgets)s. Please check.",
            len(others) + 1,
        )
    else:
        text = ngettext(
            "A device up to %(limit)s gross may be operating; capital is %(budgets)s. Please check.",
            "A device up to %(limit)s gross may be operating; capital are %(budgets)s. Please check.",
            len(others) + 1,
        )
    return text % {"limit": limit, "budgets": names}
