"""Changes of budgets: one person proposes, another confirms or declines (KomHVO practice, master data included).

A proposal is tried out at once and taken back, so that it is refused where it is written. The confirmation locks the
budgets in the order of their keys, checks that nothing has moved since, applies and writes the history with both names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Unpack

from django.db import transaction
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock, formats
from apps.core.clock import day_of
from apps.core.errors import DomainError, StaleError
from apps.core.history import save_by
from apps.core.money import CENT, ZERO
from apps.funding.choices import BudgetChangeKind, ProposalState
from apps.funding.models import Budget, BudgetChange
from apps.funding.proposed import as_text, from_texts
from apps.funding.services import budgets as apply
from apps.funding.services.budgets import BudgetValues
from apps.funding.services.steps import (
    ensure_may,
    lock_budgets,
    money_transaction,
    required_text,
    told_proposer,
    validated,
)
from apps.funding.workflow import CHANGE_TRANSITIONS

_PROPOSE, _CONFIRM = "funding.change_budget", "funding.confirm_budget"
_ALONE = {"freeze": BudgetChangeKind.FREEZE, "supplement": BudgetChangeKind.SUPPLEMENT}
"""Field -> kind of a change that touches nothing else."""
_MOVES = frozenset({BudgetChangeKind.CARRY_OVER, BudgetChangeKind.VIREMENT})


@dataclass(frozen=True)
class CarryOver:
    """So many euros of a budget into the next year; `target_id` None: its namesake there, made if there is none."""

    budget_id: int
    amount: Decimal
    target_id: int | None = None


# Proposals


def propose_budget(*, by: User, reason: str, **values: Unpack[BudgetValues]) -> BudgetChange:
    """Proposes a new budget; `name`, `fiscal_year` and `appropriation` are needed."""
    ensure_may(by, "funding.add_budget")
    change = BudgetChange(kind=BudgetChangeKind.CREATE, values={name: as_text(value) for name, value in values.items()})
    with money_transaction():
        return _proposed(change, by=by, reason=reason)


def propose_edit(
    *, budget: Budget, by: User, reason: str, beyond_free: bool = False, **values: Unpack[BudgetValues]
) -> BudgetChange:
    """Proposes other values of a budget; what stays as it is, is left out. A lone freeze or supplement is named so.

    `beyond_free`: on purpose, a freeze above what is free.
    """
    ensure_may(by, _PROPOSE)
    with money_transaction():
        row = lock_budgets([budget.pk], by=by)[budget.pk]
        changed = {name: value for name, value in values.items() if getattr(row, name) != value}
        if not changed:
            raise DomainError(_("Nothing would change. Please change at least one value."), code="unchanged")
        kind = _ALONE.get(next(iter(changed)), BudgetChangeKind.EDIT) if len(changed) == 1 else BudgetChangeKind.EDIT
        return _proposed(_change_of(row, kind, changed), by=by, reason=reason, beyond_free=beyond_free)


def propose_overrun(*, budget: Budget, amount: Decimal, reason: str, by: User) -> BudgetChange:
    """Proposes that a budget may be overrun by so many euros more, on purpose: its own permission."""
    ensure_may(by, "funding.overrun_budget")
    reason = required_text(reason, _("Please say why the budget may be overrun."), field="reason")
    amount = _positive(amount)
    with money_transaction():
        row = lock_budgets([budget.pk], by=by)[budget.pk]
        change = _change_of(row, BudgetChangeKind.OVERRUN, {"overrun_allowed": row.overrun_allowed + amount})
        return _proposed(change, by=by, reason=reason)


def propose_virement(
    *, budget: Budget, counterpart: Budget | None, amount: Decimal, reason: str, by: User
) -> BudgetChange:
    """Proposes that available money goes to another budget of the same virement group, year and grant."""
    ensure_may(by, _PROPOSE)
    if counterpart is None:
        raise DomainError(_("Please choose the budget that receives the money."), field="counterpart")
    amount = _positive(amount)
    with money_transaction():
        rows = lock_budgets({budget.pk, counterpart.pk}, by=by)
        change = BudgetChange(
            kind=BudgetChangeKind.VIREMENT, budget=rows[budget.pk], counterpart=rows[counterpart.pk], amount=amount
        )
        return _proposed(change, by=by, reason=reason)


def propose_carry_overs(*, rows: Sequence[CarryOver], reason: str, by: User) -> list[BudgetChange]:
    """Proposes what goes into the next year, all of it or nothing; one proposal per budget may wait at a time."""
    ensure_may(by, _PROPOSE)
    if not rows:
        raise DomainError(_("Please choose at least one budget."), field="rows")
    with money_transaction():
        ids = {row.budget_id for row in rows} | {row.target_id for row in rows if row.target_id is not None}
        locked = lock_budgets(ids, by=by)
        _ensure_none_waits([row.budget_id for row in rows])
        return [_proposed(_carry_over(row, locked), by=by, reason=reason) for row in rows]


def propose_take_back(*, change: BudgetChange, amount: Decimal, reason: str, by: User) -> BudgetChange:
    """Proposes that so many euros of a confirmed carry-over go back into the year they came from: its counter-entry."""
    ensure_may(by, _PROPOSE)
    amount = _positive(amount)
    with money_transaction():
        row = get_object_or_404(BudgetChange.objects.visible_to(by), pk=change.pk)
        if not row.is_carried_over:
            raise DomainError(_("Only a confirmed carry-over can be taken back."), code="illegal_transition")
        source_id, target_id = row.budget_id, row.counterpart_id
        rows = lock_budgets([pk for pk in (source_id, target_id) if pk is not None], by=by)
        source = rows[source_id]  # what is confirmed has both
        _ensure_none_waits([source.pk])
        back = BudgetChange(
            kind=BudgetChangeKind.CARRY_OVER,
            budget=source,
            counterpart=rows[target_id],
            amount=-amount,
            before={"carried_out": as_text(source.carried_out)},
        )
        return _proposed(back, by=by, reason=reason)


def _carry_over(row: CarryOver, locked: Mapping[int, Budget]) -> BudgetChange:
    budget = locked[row.budget_id]
    target = locked[row.target_id] if row.target_id is not None else namesake(budget)
    return BudgetChange(
        kind=BudgetChangeKind.CARRY_OVER,
        budget=budget,
        counterpart=target,
        amount=_positive(row.amount),
        before={"carried_out": as_text(budget.carried_out)},
    )


def namesake(budget: Budget) -> Budget | None:
    """Next year's budget of the same name; None where there is none."""
    return Budget.objects.filter(fiscal_year=budget.fiscal_year + 1, name=budget.name).first()


def _ensure_none_waits(ids: Sequence[int]) -> None:
    waiting = BudgetChange.objects.filter(
        budget__in=ids, kind=BudgetChangeKind.CARRY_OVER, state=ProposalState.PROPOSED
    ).select_related("budget")
    first = waiting.order_by("pk").first()
    if first is not None or len(set(ids)) < len(ids):
        sentence = _("A carry-over of “%(budget)s” waits for its confirmation already. Please have it decided first.")
        if first is not None and (first.amount or ZERO) < ZERO:
            sentence = _(
                "That a carry-over of “%(budget)s” is taken back waits for its confirmation already. Please have it"
                " decided first."
            )
        raise DomainError(sentence % {"budget": first.budget if first else ""}, code="waits", field="rows")


def _change_of(budget: Budget, kind: str, values: Mapping[str, Any]) -> BudgetChange:
    return BudgetChange(
        kind=kind,
        budget=budget,
        values={name: as_text(value) for name, value in values.items()},
        before={name: as_text(getattr(budget, name)) for name in values},
    )


def _proposed(change: BudgetChange, *, by: User, reason: str, beyond_free: bool = False) -> BudgetChange:
    """Saves a proposal once it has been tried out; what the rehearsal writes is taken back.

    A form that is sent twice makes one proposal; and what another person has proposed, whatever their reason, is
    decided before it is proposed once more.
    """
    change.proposed_by = by
    change.reason = required_text(reason, _("Please say why the budget changes."), field="reason")
    validated(change, exclude=("budget", "counterpart", "proposed_by", "decided_by", "decided_at"))
    _ensure_not_waiting(change, by=by)
    with transaction.atomic():
        _apply(BudgetChange(**_values_of(change)), by=by, beyond_free=beyond_free)
        transaction.set_rollback(True)
    return save_by(change, by=by)


def _ensure_not_waiting(change: BudgetChange, *, by: User) -> None:
    same = {name: value for name, value in _values_of(change).items() if name not in {"reason", "proposed_by"}}
    found = BudgetChange.objects.filter(~Q(proposed_by=by) | Q(reason=change.reason), **same)
    waiting = found.filter(state=ProposalState.PROPOSED).select_related("proposed_by").first()
    if waiting is None:
        return
    if waiting.proposed_by_id == by.pk:
        sentence = _("You have proposed exactly this already. It waits until another person confirms it.")
    elif by.has_perm(_CONFIRM):
        sentence = _(
            "%(person)s proposed exactly this on %(day)s, and it waits. Please confirm or decline that proposal first."
        )
    else:
        sentence = _(
            "%(person)s proposed exactly this on %(day)s. It waits until another person confirms or declines it."
        )
    values = {"person": waiting.proposed_by, "day": formats.day(day_of(waiting.proposed_at))}
    raise DomainError(sentence % values, code="proposed_already")


def _values_of(change: BudgetChange) -> dict[str, Any]:
    """For a rehearsal's own copy, as what it changes in memory must not stay; and to tell whether the same waits."""
    names = ("kind", "budget_id", "counterpart_id", "amount", "values", "before", "reason", "proposed_by")
    return {name: getattr(change, name) for name in names}


# Decisions


def confirm_change(*, change: BudgetChange, by: User, note: str = "") -> BudgetChange:
    """Another person than the proposer puts the change into effect.

    `StaleError` when a value that it changes is no longer what it was; `DomainError` when the money is gone, and when
    more would be frozen than is free and the note does not say why.
    """
    with money_transaction():
        row = _locked("confirm_change", change, by=by)
        _ensure_other_person(row, by)
        try:
            _apply(row, by=by, beyond_free=bool(note.strip()))
        except apply.BudgetRefusalError as error:
            if error.code == apply.BEYOND_FREE:
                raise _asks_for_note(error) from error
            advice = gettext("The change cannot be confirmed so. Please decline it and have it proposed anew.")
            raise DomainError(f"{error.facts} {advice}", code=error.code) from error
        return _decided(row, ProposalState.CONFIRMED, by=by, note=note)


def refusals_of(*, changes: Sequence[BudgetChange], by: User, note: str = "") -> dict[int, str]:
    """Id of a change -> why it is refused when these are confirmed one after the other; what that writes is undone.

    With a `note`: only what is refused whatever the note says.
    """
    refused = {}
    with transaction.atomic():
        for change in changes:
            try:
                confirm_change(change=change, by=by, note=note)
            except DomainError as error:
                refused[change.pk] = str(error)
        transaction.set_rollback(True)
    return refused


def _asks_for_note(error: apply.BudgetRefusalError) -> DomainError:
    advice = gettext("Please say in the note why you confirm it all the same, or decline it.")
    return DomainError(f"{error.facts} {advice}", code=error.code, field="note")


def decline_change(*, change: BudgetChange, by: User, note: str) -> BudgetChange:
    """Another person than the proposer says no, and why."""
    with money_transaction():
        row = _locked("decline_change", change, by=by)
        _ensure_other_person(row, by)
        note = required_text(note, _("Please say why you decline the change."), field="note")
        return _decided(row, ProposalState.DECLINED, by=by, note=note)


def withdraw_change(*, change: BudgetChange, by: User, note: str = "") -> BudgetChange:
    """The proposer takes their proposal back."""
    with money_transaction():
        row = _locked("withdraw_change", change, by=by)
        if row.proposed_by_id != by.pk:
            raise DomainError(
                _("Only %(person)s can withdraw this proposal. You may decline it.") % {"person": row.proposed_by},
                code="not_yours",
            )
        return _decided(row, ProposalState.WITHDRAWN, by=by, note=note)


def _locked(action: str, change: BudgetChange, *, by: User) -> BudgetChange:
    transition = CHANGE_TRANSITIONS.transitions[action]
    ensure_may(by, transition.permission)
    rows = BudgetChange.objects.visible_to(by).select_related("proposed_by").select_for_update(of=("self",))
    row: BudgetChange = get_object_or_404(rows, pk=change.pk)
    CHANGE_TRANSITIONS.ensure(action, source=row.state, target=min(transition.targets))
    return row


def _ensure_other_person(change: BudgetChange, by: User) -> None:
    if change.proposed_by_id == by.pk:
        raise DomainError(
            _("You have proposed this change yourself. Another person confirms or declines it; you may withdraw it."),
            code="own_proposal",
        )


def _decided(change: BudgetChange, state: str, *, by: User, note: str) -> BudgetChange:
    """The only place that assigns a state."""
    change.state, change.decided_by, change.decided_at = state, by, clock.now()
    change.decision_note = note.strip()
    validated(change, exclude=("budget", "counterpart", "proposed_by", "decided_by"))
    return save_by(change, by=by)


# Effects


def _apply(change: BudgetChange, *, by: User, beyond_free: bool = False) -> None:
    """Locks the budgets, compares with what was proposed, and writes. `change` gets the budgets that are made."""
    reason = _history_reason(change)
    if change.kind == BudgetChangeKind.CREATE:
        change.budget = apply.make_budget(from_texts(change.values), by=by, reason=reason)
        return
    source_id = change.budget_id
    if source_id is None:
        raise ValueError("Only a new budget has no row yet")
    target_id = change.counterpart_id or _target_made_since(change)
    rows = lock_budgets([pk for pk in (source_id, target_id) if pk is not None], by=by)
    source = rows[source_id]
    _ensure_unmoved(change, source)
    if change.kind not in _MOVES:
        apply.alter_budget(source, from_texts(change.values), by=by, reason=reason, beyond_free=beyond_free)
        return
    amount = change.amount or ZERO
    if amount < ZERO and target_id is not None:
        apply.take_back(source, rows[target_id], -amount, by=by, reason=reason)
    elif change.kind == BudgetChangeKind.CARRY_OVER:
        target = rows[target_id] if target_id is not None else None
        change.counterpart = apply.carry_over(source, target, amount, by=by, reason=reason)
    elif target_id is not None:
        apply.move_money(source, rows[target_id], amount, by=by, reason=reason)


def _target_made_since(change: BudgetChange) -> int | None:
    """Of a carry-over without a target: its namesake, if the next year has one by now."""
    if change.kind != BudgetChangeKind.CARRY_OVER or change.budget_id is None:
        return None
    found = namesake(Budget.objects.get(pk=change.budget_id))
    return None if found is None else found.pk


def _ensure_unmoved(change: BudgetChange, budget: Budget) -> None:
    moved = [name for name, text in change.before.items() if as_text(getattr(budget, name)) != text]
    if moved:
        field = Budget._meta.get_field(moved[0])
        raise StaleError(
            _(
                "“%(field)s” of this budget has changed since the proposal. "
                "Please decline it and have it proposed anew with the present values."
            )
            % {"field": capfirst(str(getattr(field, "verbose_name", moved[0])))},
            code="stale",
        )


def _history_reason(change: BudgetChange) -> str:
    """The budget's history names who confirmed; the reason adds who proposed."""
    return f"{change.reason} ({told_proposer(change.proposed_by)})"


def _positive(amount: Decimal) -> Decimal:
    if amount <= ZERO:
        raise DomainError(_("Please enter an amount above zero."), field="amount")
    if amount != amount.quantize(CENT):
        raise DomainError(_("Enter at most two decimal places."), field="amount")
    return amount
