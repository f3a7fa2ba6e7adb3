"""What a decision about an application must fulfil, whether it is proposed or made. Called inside the locks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.core.money import total
from apps.funding.calculations import (
    Balance,
    BudgetEffect,
    LineDecision,
    Part,
    line_cost,
    may_need_own_share,
    needs_own_share,
    parts_of,
    preview,
)
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationLine, Budget, EquipmentApplication
from apps.funding.services.budgets import ensure_within_grant
from apps.funding.services.ledger import refusal
from apps.funding.services.steps import ensure_may, lock_budgets

_OVERRUN = "funding.overrun_budget"


@dataclass(frozen=True)
class Checked:
    """Decisions that fit their application: who pays what, and the state that they lead to. `budgets` are locked."""

    lines: Sequence[ApplicationLine]
    matched: Mapping[int, LineDecision]
    target: ApplicationState
    budgets: Mapping[int, Budget]
    parts: Sequence[Part]

    @property
    def amount(self) -> Decimal:
        """Euros that would be committed."""
        return total(part.amount for part in self.parts)

    @property
    def decisions(self) -> list[LineDecision]:
        """In the order of the lines and with only those budgets that pay, so that equal decisions are equal."""
        paying = {(part.line_id, part.budget_id) for part in self.parts}
        return [
            replace(
                decision,
                budget_id=decision.budget_id if decision.approved_quantity else None,
                own_share_budget_id=own if (decision.line_id, own) in paying else None,
                note=decision.note.strip(),
            )
            for decision, own in (
                (self.matched[line.pk], self.matched[line.pk].own_share_budget_id) for line in self.lines
            )
        ]


def checked(application: EquipmentApplication, decisions: Sequence[LineDecision], *, by: User) -> Checked:
    """Matches decisions with the lines and says who pays; locks the budgets in the order of their keys.

    Needs one decision for every line, refuses quantities beyond what was asked for, and a missing budget.
    """
    lines = list(application.lines.select_related("product").order_by("pk"))
    matched = _match(lines, decisions)
    target = _target_state(lines, matched)
    budgets = lock_budgets(_budget_ids(matched.values()), by=by)
    parts = [part for line in lines for part in _parts(line, matched[line.pk], budgets)]
    return Checked(lines, matched, target, budgets, parts)


def ensure_second_person(application: EquipmentApplication, by: User) -> None:
    """Whoever asks does not decide (Vier-Augen-Prinzip); nor does who only handed it in again after a question."""
    asked_again = application.status_changes.filter(to_state=ApplicationState.SUBMITTED, by=by)
    if by.pk in (application.submitted_by_id, application.created_by_id) or asked_again.exists():
        raise DomainError(
            _("You drafted or submitted this application yourself. Please ask another person to decide."),
            code="same_person",
        )


def _match(lines: Sequence[ApplicationLine], decisions: Sequence[LineDecision]) -> dict[int, LineDecision]:
    """Line id -> its one decision; every line has one, and no other line is decided about."""
    matched = {decision.line_id: decision for decision in decisions}
    if len(matched) != len(decisions):
        raise DomainError(_("A line was decided twice. Please load the page again."), code="duplicate_decision")
    if set(matched) != {line.pk for line in lines}:
        raise DomainError(
            _("The decision does not fit the lines of the application. Please load the page again."),
            code="lines_differ",
        )
    for line in lines:
        if not 0 <= matched[line.pk].approved_quantity <= line.quantity:
            raise DomainError(
                _("“%(product)s”: please approve between 0 and %(quantity)s.")
                % {"product": line.product, "quantity": line.quantity},
                code="quantity",
                field="approved_quantity",
            )
    return matched


def _target_state(lines: Sequence[ApplicationLine], matched: Mapping[int, LineDecision]) -> ApplicationState:
    quantities = [(line.quantity, matched[line.pk].approved_quantity) for line in lines]
    if not any(approved for _asked, approved in quantities):
        raise DomainError(
            _("Nothing would be approved. Please reject the application and give a reason."), code="nothing_approved"
        )
    in_full = all(asked == approved for asked, approved in quantities)
    return ApplicationState.APPROVED if in_full else ApplicationState.PARTIALLY_APPROVED


def _budget_ids(decisions: Iterable[LineDecision]) -> set[int]:
    return {
        budget_id
        for decision in decisions
        if decision.approved_quantity
        for budget_id in (decision.budget_id, decision.own_share_budget_id)
        if budget_id is not None
    }


def _parts(line: ApplicationLine, decision: LineDecision, budgets: Mapping[int, Budget]) -> tuple[Part, ...]:
    """Who pays the approved quantity of a line; the sum of its parts is the approved sum."""
    if not decision.approved_quantity:
        return ()
    if decision.budget_id is None:
        raise DomainError(
            _("“%(product)s”: please choose the budget that pays.") % {"product": line.product},
            code="missing_budget",
            field="budget",
        )
    budget = budgets[decision.budget_id]
    own = None if decision.own_share_budget_id is None else budgets[decision.own_share_budget_id]
    cost = line_cost(line.unit_price, decision.approved_quantity)
    is_needed = needs_own_share(cost, budget, decision.approved_quantity)
    _ensure_own_share(line, budget, own, is_needed=is_needed)
    return parts_of(
        line.pk,
        cost,
        quantity=decision.approved_quantity,
        budget_id=budget.pk,
        source=budget,
        own_share_budget_id=None if own is None else own.pk,
    )


def _ensure_own_share(line: ApplicationLine, budget: Budget, own: Budget | None, *, is_needed: bool) -> None:
    """A grant with a limit per device may have one for all lines, also for those that stay within the limit."""
    names = {"product": line.product, "budget": budget}
    if own is None:
        if is_needed:
            message = _("“%(product)s”: “%(budget)s” pays only a part. Please choose the budget for the own share.")
            raise DomainError(message % names, code="missing_own_share", field="own_share_budget")
        return
    if may_need_own_share(budget):
        if own.grant_id is not None:
            message = _("“%(product)s”: the own share comes from municipal money, not from another grant.")
            raise DomainError(message % names, code="own_share_from_grant", field="own_share_budget")
    else:
        message = _("“%(product)s”: “%(budget)s” pays all. Please leave the own share empty.")
        raise DomainError(message % names, code="needless_own_share", field="own_share_budget")


def short_budgets(checked: Checked) -> list[BudgetEffect]:
    """The budgets that have less available now, inside the locks, than is needed."""
    balances = {pk: Balance(pk, str(row), row.available) for pk, row in checked.budgets.items()}
    return [effect for effect in preview(checked.parts, balances) if not effect.sufficient]


def ensure_affordable(checked: Checked, *, by: User, overrun_reason: str) -> list[BudgetEffect]:
    """Refuses more than is available; with a reason and the right to it, returns what is overrun instead."""
    short = short_budgets(checked)
    if short and not overrun_reason:
        raise DomainError(refusal(short), code="unaffordable", field="budget")
    if short:
        ensure_may(by, _OVERRUN)
    return short


def allow_overruns(checked: Checked, short: Iterable[BudgetEffect], *, by: User, reason: str) -> None:
    """Raises the allowed overrun of these budgets by what is missing; no grant gives more than its notice says.

    `reason`: what the history of these budgets says about it.
    """
    for effect in short:
        budget = checked.budgets[effect.budget_id]
        budget.overrun_allowed += effect.short_by
        save_by(budget, by=by, update_fields=["overrun_allowed"], reason=reason)
        ensure_within_grant(budget)
