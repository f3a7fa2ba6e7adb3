"""What a proposed change of a budget holds: values as text in its row, and as people read them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.money import CENT, ZERO, CentsField, total
from apps.funding.amounts import goes_beyond, transferable
from apps.funding.choices import BudgetChangeKind, ProposalState
from apps.funding.models import Budget, BudgetChange, Grant


def as_text(value: Any) -> str:
    """A field's value as it is kept: euros with two places, a grant by its id, "" for none.

    More places stay, so that they are refused and not rounded.
    """
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}" if value == value.quantize(CENT) else str(value)
    return str(value.pk) if isinstance(value, Grant) else str(value)


def from_texts(values: Mapping[str, str]) -> dict[str, Any]:
    """Field -> value as the model takes it. A grant that is gone is an error, never a skip."""
    return {name: _from_text(name, text) for name, text in values.items()}


def _from_text(name: str, text: str) -> Any:
    if name == "grant":
        return Grant.objects.get(pk=int(text)) if text else None
    field = Budget._meta.get_field(name)
    if isinstance(field, CentsField):
        return Decimal(text)
    return int(text) if name == "fiscal_year" else text


@dataclass(frozen=True)
class Step:
    """One value that a change moves, in words; `before` "" for a new budget. `is_short`: it is less than nothing."""

    label: str
    before: str
    after: str
    is_short: bool = False


@dataclass(frozen=True)
class Waiting:
    """Euros that waiting proposals would take out of what is free in a budget, and bring to it."""

    takes: Decimal = ZERO
    brings: Decimal = ZERO

    @property
    def sum(self) -> Decimal:
        return self.brings - self.takes


Effects = Mapping[int, Mapping[int, Decimal]]
"""Budget id -> id of a waiting change -> what it adds to what is free there."""


def effects_on(budget_ids: Iterable[int]) -> Effects:
    """What all that waits does to these budgets, in one query."""
    ids = set(budget_ids)
    rows = BudgetChange.objects.filter(Q(budget__in=ids) | Q(counterpart__in=ids), state=ProposalState.PROPOSED)
    found: defaultdict[int, dict[int, Decimal]] = defaultdict(dict)
    for change in rows.select_related("budget").order_by("pk") if ids else ():
        for budget_id, amount in _effect_on_free(change).items():
            found[budget_id][change.pk] = amount
    return found


def waiting_for(budget: Budget, effects: Effects, *, apart_from: BudgetChange | None = None) -> Waiting:
    """What waits for a budget; `apart_from` is the change that is being looked at."""
    rows = effects.get(budget.pk, {})
    amounts = [amount for pk, amount in rows.items() if apart_from is None or pk != apart_from.pk]
    return Waiting(
        takes=total(-amount for amount in amounts if amount < ZERO),
        brings=total(amount for amount in amounts if amount > ZERO),
    )


def _effect_on_free(change: BudgetChange) -> dict[int, Decimal]:
    """Budget id -> what a change adds to what is free there (`transferable`)."""
    if change.budget is None:
        return {}
    if change.amount is None:
        return {change.budget.pk: transferable(_as_changed(change, change.budget)) - transferable(change.budget)}
    moved = {change.budget.pk: -change.amount}
    return moved if change.counterpart_id is None else moved | {change.counterpart_id: change.amount}


def steps_of(changes: Iterable[BudgetChange]) -> dict[int, list[Step]]:
    """Id of a change -> what it moves, in the order of the model's fields. Three queries at most for any number."""
    changes = list(changes)
    grants = _grants_named_in(changes)
    moves = [row for row in changes if row.amount is not None and row.state == ProposalState.PROPOSED]
    effects = effects_on({pk for row in moves for pk in (row.budget_id, row.counterpart_id) if pk is not None})
    return {change.pk: [*_steps(change, grants), *_moves(change, effects), *_effect(change)] for change in changes}


def _grants_named_in(changes: Iterable[BudgetChange]) -> dict[str, str]:
    ids = {kept.get("grant") for change in changes for kept in (change.values, change.before)} - {None, ""}
    rows = Grant.objects.filter(pk__in=ids).select_related("programme") if ids else []
    return {str(row.pk): str(row) for row in rows}


def _steps(change: BudgetChange, grants: Mapping[str, str]) -> Iterable[Step]:
    is_new = change.kind == BudgetChangeKind.CREATE
    for field in Budget._meta.concrete_fields:
        if field.name not in change.values:
            continue
        text = change.values[field.name]
        if is_new and text in ("", "0.00"):
            continue
        before = "" if is_new else _shown(field, change.before.get(field.name, ""), grants)
        yield Step(str(capfirst(field.verbose_name)), before, _shown(field, text, grants))


def _shown(field: Any, text: str, grants: Mapping[str, str]) -> str:
    if field.name == "grant":
        return grants.get(text, formats.missing()) if text else _("municipal money")
    if isinstance(field, CentsField):
        return formats.euro(text)
    if field.flatchoices:
        return str(dict(field.flatchoices).get(text, text))
    return text or formats.missing()


def _effect(change: BudgetChange) -> Iterable[Step]:
    """Of other amounts that wait for their confirmation: what is available of the budget, before and after."""
    after = _available_after(change)
    if after is not None and change.budget is not None and after != change.budget.available:
        before = formats.euro(change.budget.available)
        yield Step(_("Available in “%(budget)s”") % {"budget": change.budget}, before, formats.euro(after))


def leaves_less_than_nothing(change: BudgetChange) -> bool:
    """Whether a waiting change freezes more than is free."""
    after = _available_after(change)
    return after is not None and change.budget is not None and goes_beyond(change.budget.available, after)


def _available_after(change: BudgetChange) -> Decimal | None:
    """What the changed budget would have available; None of a new budget, of a move, and of what is decided."""
    if change.budget is None or change.amount is not None or change.state != ProposalState.PROPOSED:
        return None
    return _as_changed(change, change.budget).available


def _as_changed(change: BudgetChange, budget: Budget) -> Budget:
    """The budget with the amounts that the change would give it; nothing is stored."""
    budget = copy(budget)
    for name, text in change.values.items():
        if isinstance(Budget._meta.get_field(name), CentsField):
            setattr(budget, name, Decimal(text))
    return budget


def _moves(change: BudgetChange, effects: Effects) -> Iterable[Step]:
    """Of a carry-over or virement: what each budget has left, before and after; once decided, only the amount."""
    amount, source, target = change.amount, change.budget, change.counterpart
    if amount is None or source is None:
        return
    goes_to = str(target) if target else f"{source.name} {source.fiscal_year + 1}"
    if amount < ZERO:
        yield Step(_("Comes back"), "", formats.euro(-amount))
        yield Step(_("Out of"), "", goes_to)
    else:
        yield Step(_("Amount"), "", formats.euro(amount))
        yield Step(_("Goes to"), "", goes_to if target else _("%(budget)s (new)") % {"budget": goes_to})
    if change.state == ProposalState.PROPOSED:
        yield _left(str(source), source, -amount)
        yield from _with_others(source, -amount, waiting_for(source, effects, apart_from=change))
        yield _left(goes_to, target, amount)
        if target is not None:
            yield from _with_others(target, amount, waiting_for(target, effects, apart_from=change))


def _with_others(budget: Budget, moved: Decimal, others: Waiting) -> Iterable[Step]:
    """What is free once all that waits is confirmed, where there is more than this change."""
    if others.takes:
        yield Step(
            _("Of it proposed already, out of “%(budget)s”") % {"budget": budget}, "", formats.euro(others.takes)
        )
    if others.brings:
        yield Step(_("Proposed to come, into “%(budget)s”") % {"budget": budget}, "", formats.euro(others.brings))
    if others.takes or others.brings:
        left = transferable(budget) + moved + others.sum
        label = _("Free in “%(budget)s” once all of it is confirmed") % {"budget": budget}
        yield Step(label, "", formats.euro(left), is_short=left < ZERO)


def _left(name: str, budget: Budget | None, change: Decimal) -> Step:
    left = ZERO if budget is None else transferable(budget)
    label = _("Free in “%(budget)s”") % {"budget": name}
    if budget is not None and budget.overrun_allowed:
        label = _("Free in “%(budget)s” (available without the allowed overrun of %(overrun)s)") % {
            "budget": name,
            "overrun": formats.euro(budget.overrun_allowed),
        }
    return Step(label, formats.euro(left), formats.euro(left + change))
