"""What became of a grant: given to budgets, committed, paid, drawn down."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core import formats
from apps.core.money import ZERO, total
from apps.funding.choices import DrawdownState
from apps.funding.models import Budget, DrawdownItem, Grant, GrantChange


@dataclass(frozen=True)
class GrantFigures:
    """In euros. `requested` was asked for and has not come yet, `received` has."""

    amount: Decimal
    budgets: tuple[Budget, ...]
    given: Decimal
    committed: Decimal
    spent: Decimal
    requested: Decimal
    received: Decimal

    @property
    def free(self) -> Decimal:
        """What no budget has yet."""
        return self.amount - self.given


def grant_figures(grant: Grant, user: User) -> GrantFigures:
    """Two queries whatever the number of budgets and drawdowns."""
    budgets = tuple(Budget.objects.visible_to(user).filter(grant=grant).order_by("fiscal_year", "name", "pk"))
    drawn = DrawdownItem.objects.visible_to(user).filter(drawdown__grant=grant).order_by()
    sums = dict(drawn.values_list("drawdown__state").annotate(sum=Sum("amount")))
    return GrantFigures(
        amount=grant.amount,
        budgets=budgets,
        given=total(budget.appropriated for budget in budgets),
        committed=total(budget.committed for budget in budgets),
        spent=total(budget.spent for budget in budgets),
        requested=sums.get(DrawdownState.REQUESTED, ZERO),
        received=sums.get(DrawdownState.RECEIVED, ZERO),
    )


@dataclass(frozen=True)
class NoticeStep:
    """One value of a change notice, in words."""

    label: str
    before: str
    after: str


def steps_of_notice(notice: GrantChange) -> Iterator[NoticeStep]:
    """What the notice changed, in the order of the grant's fields."""
    for field in Grant._meta.concrete_fields:
        if field.name in notice.after:
            before, after = (_shown(field.name, kept.get(field.name, "")) for kept in (notice.before, notice.after))
            yield NoticeStep(str(field.verbose_name), before, after)


def _shown(name: str, text: str) -> str:
    if not text:
        return formats.missing()
    if name in ("amount", "limit_per_device"):
        return formats.euro(text)
    if name == "rate":
        return formats.percent(Decimal(text) * 100)
    if name == "earmarking_years":
        return _("%(years)s years") % {"years": text}
    return formats.day(datetime.date.fromisoformat(text))
