"""What a confirmed change does to budgets. Only `budget_changes` calls this: nobody changes a budget alone."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypedDict

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.formats import euro
from apps.core.history import save_by
from apps.core.money import ZERO, total
from apps.funding.amounts import goes_beyond
from apps.funding.calculations import limit, transferable
from apps.funding.carry_over import carried_between, carried_into
from apps.funding.models import Budget, Grant
from apps.funding.services.steps import validated

_FIXED_ONCE_USED = ("fiscal_year", "grant")
BEYOND_FREE = "beyond_free"
_NOT_NEGATIVE = ("appropriation", "carried_over", "freeze", "overrun_allowed")


class BudgetValues(TypedDict, total=False):
    """What may be given of a budget; amounts in euros, `grant` None for municipal money."""

    name: str
    fiscal_year: int
    measure_number: str
    product: str
    ledger_account: str
    expenditure_type: str
    grant: Grant | None
    virement_group: str
    appropriation: Decimal
    carried_over: Decimal
    supplement: Decimal
    freeze: Decimal


def make_budget(values: Mapping[str, Any], *, by: User, reason: str) -> Budget:
    """A new budget; `name`, `fiscal_year` and `appropriation` are needed."""
    budget = Budget(**values)
    validated(budget, exclude=("grant",))
    _ensure_within_limit(budget)
    save_by(budget, by=by, reason=reason)
    ensure_within_grant(budget)
    return budget


def alter_budget(
    budget: Budget, values: Mapping[str, Any], *, by: User, reason: str, beyond_free: bool = False
) -> Budget:
    """Changes a locked budget and leaves the rest. `beyond_free`: it may leave less than nothing available.

    Refuses amounts below what is committed and spent, another year or grant once money has moved, and another amount
    carried over than the carry-overs say.
    """
    changed = [name for name, value in values.items() if getattr(budget, name) != value]
    _ensure_changeable(budget, changed)
    given, grant_id, free = limit(budget), budget.grant_id, budget.available
    for name in changed:
        setattr(budget, name, values[name])
    validated(budget, exclude=("grant",))
    _ensure_within_limit(budget)
    if goes_beyond(free, budget.available) and not beyond_free:
        raise _beyond_free(budget)
    save_by(budget, by=by, update_fields=changed, reason=reason)
    if limit(budget) > given or budget.grant_id != grant_id:
        ensure_within_grant(budget)
    return budget


def carry_over(source: Budget, target: Budget | None, amount: Decimal, *, by: User, reason: str) -> Budget:
    """Moves what is left into the next year's budget, which is made where there is none (§ 22 KomHVO NRW).

    Both are locked. Open commitments stay in their year and are paid out of it.
    """
    ensure_left(source, amount)
    if target is not None:
        _ensure_next_year(source, target)
    source.carried_out += amount
    save_by(source, by=by, update_fields=["carried_out"], reason=reason)
    if target is None:
        values = {name: getattr(source, name) for name in _COPIED}
        following = {"fiscal_year": source.fiscal_year + 1, "appropriation": ZERO, "carried_over": amount}
        return make_budget(values | following, by=by, reason=reason)
    target.carried_over += amount
    return save_by(target, by=by, update_fields=["carried_over"], reason=reason)


def take_back(source: Budget, target: Budget, amount: Decimal, *, by: User, reason: str) -> Budget:
    """Moves back what was carried over too much: at most what went from one to the other, and is still free there."""
    carried = carried_between(source, target)
    if amount > carried:
        raise BudgetRefusalError(
            _("%(carried)s were carried over from “%(source)s” into “%(target)s”.")
            % {"carried": euro(carried), "source": source, "target": target},
            _("Please enter at most this amount."),
            code="above_carried",
            field="amount",
        )
    ensure_left(target, amount)
    source.carried_out -= amount
    save_by(source, by=by, update_fields=["carried_out"], reason=reason)
    target.carried_over -= amount
    return save_by(target, by=by, update_fields=["carried_over"], reason=reason)


_COPIED = ("name", "measure_number", "product", "ledger_account", "expenditure_type", "grant", "virement_group")


def move_money(source: Budget, target: Budget, amount: Decimal, *, by: User, reason: str) -> None:
    """A virement within a Deckungskreis (§ 20 KomHVO NRW): one budget gives, the other gets. Both are locked."""
    _ensure_same_group(source, target)
    ensure_left(source, amount)
    source.virement -= amount
    target.virement += amount
    for budget in sorted((source, target), key=lambda row: row.pk):
        save_by(budget, by=by, update_fields=["virement"], reason=reason)


class BudgetRefusalError(DomainError):
    """What budget money does not allow: `facts` for everybody, and advice for the person who types the amounts."""

    def __init__(self, facts: Any, advice: Any, *, code: str, field: str) -> None:
        super().__init__(f"{facts} {advice}", code=code, field=field)
        self.facts = str(facts)


def _beyond_free(budget: Budget) -> BudgetRefusalError:
    """A freeze (§ 25 KomHVO NRW) may lie above what is free, since what is committed goes on; but on purpose only."""
    return BudgetRefusalError(
        _("More would be frozen in “%(budget)s” than is free: %(available)s would be available.")
        % {"budget": budget, "available": euro(budget.available)},
        _("Please enter at most %(most)s as frozen, or say below that it may be more.")
        % {"most": euro(max(budget.freeze + budget.available, ZERO))},
        code=BEYOND_FREE,
        field="freeze",
    )


def ensure_left(budget: Budget, amount: Decimal) -> None:
    """`DomainError` when so much cannot leave the budget."""
    left = transferable(budget)
    if left < ZERO < amount:
        raise BudgetRefusalError(
            _("Nothing is left in “%(budget)s”: %(left)s are neither committed nor frozen.")
            % {"budget": budget, "left": euro(left)},
            _("Please choose another budget."),
            code="unaffordable",
            field="amount",
        )
    if amount > max(left, ZERO):
        raise BudgetRefusalError(
            _("“%(budget)s” has %(left)s left that is neither committed nor frozen.")
            % {"budget": budget, "left": euro(left)},
            _("Please enter at most this amount."),
            code="unaffordable",
            field="amount",
        )


def given_out_of(grant: Grant) -> Decimal:
    """Euros that the grant's budgets may use altogether, allowed overruns included; a carry-over counts once."""
    return total(limit(budget) for budget in Budget.objects.filter(grant=grant))


def ensure_within_grant(budget: Budget) -> None:
    """`DomainError` where the grant's budgets may use more than it gives.

    Locks the grant, so that two new budgets cannot share its last euro. The budget is saved already."""
    if budget.grant_id is None:
        return
    grant = Grant.objects.select_for_update(no_key=True).get(pk=budget.grant_id)
    given = given_out_of(grant)
    if given > grant.amount:
        raise BudgetRefusalError(
            _("The notice %(reference)s grants %(amount)s, but its budgets would add up to %(given)s.")
            % {"reference": grant.file_reference, "amount": euro(grant.amount), "given": euro(given)},
            _("Please enter less, or record the change notice first."),
            code="above_grant",
            field="appropriation",
        )


def _ensure_next_year(source: Budget, target: Budget) -> None:
    if target.fiscal_year != source.fiscal_year + 1:
        raise DomainError(_("Money is carried into the year that follows. Please choose one of its budgets."),
                          field="counterpart")  # fmt: skip
    if target.grant_id != source.grant_id:
        raise DomainError(
            _("Money of a grant stays with its grant. Please choose a budget of the same grant."), field="counterpart"
        )


def _ensure_same_group(source: Budget, target: Budget) -> None:
    if source.pk == target.pk:
        raise DomainError(_("Please choose another budget as the one that receives."), field="counterpart")
    if not source.virement_group or (source.virement_group, source.fiscal_year) != (
        target.virement_group,
        target.fiscal_year,
    ):
        raise DomainError(
            _("Money moves only within one virement group and year. Please choose a budget of the same group."),
            code="other_group",
            field="counterpart",
        )
    if target.grant_id != source.grant_id:
        raise DomainError(
            _("Money of a grant stays with its grant. Please choose a budget of the same grant."), field="counterpart"
        )


def _ensure_changeable(budget: Budget, changed: list[str]) -> None:
    carried = carried_into(budget).exists()
    if carried and "carried_over" in changed:
        raise DomainError(
            _("This amount comes from a confirmed carry-over and only another carry-over changes it. Please enter a"
              " supplement if the budget gets more or less."),
            code="carried",
            field="carried_over",
        )  # fmt: skip
    fixed = [name for name in changed if name in _FIXED_ONCE_USED]
    if fixed and (carried or budget.carried_out or budget.entries.exists()):
        raise DomainError(
            _("Money of this budget has moved already: its year and grant stay. Please make another budget."),
            code="in_use",
            field=fixed[0],
        )


def _ensure_within_limit(budget: Budget) -> None:
    negative = [name for name in _NOT_NEGATIVE if getattr(budget, name) < ZERO]
    if negative or limit(budget) < ZERO:
        raise DomainError(_("These amounts are not negative."), field=negative[0] if negative else "supplement")
    used = budget.committed + budget.spent
    if limit(budget) < used:
        raise BudgetRefusalError(
            _("%(used)s are committed or spent already.") % {"used": euro(used)},
            _("Please enter amounts that add up to at least this."),
            code="below_used",
            field="appropriation",
        )
