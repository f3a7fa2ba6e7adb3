"""What the office does with a submitted application: pencil in, return, reject, approve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.core.history import bulk_update_by, save_by
from apps.core.money import total
from apps.funding.calculations import (
    Balance,
    BudgetEffect,
    LineDecision,
    Part,
    line_cost,
    may_need_own_share,
    needs_own_share,
    own_part,
    parts_of,
    preview,
)
from apps.funding.choices import ApplicationState, LedgerKind
from apps.funding.models import (
    ApplicationLine,
    ApplicationMessage,
    Budget,
    EquipmentApplication,
    LineAllocation,
    Reservation,
)
from apps.funding.services import notices
from apps.funding.services.ledger import Entry, post_entries, refusal
from apps.funding.services.steps import (
    UNSEEN,
    change_state,
    ensure_may,
    ensure_revision,
    lock_application,
    lock_budgets,
    lock_for,
    money_transaction,
    required_text,
)
from apps.schools.services import raise_inputs_version

_APPROVE = "funding.approve_application"
_OVERRUN = "funding.overrun_budget"
_RESERVE = "funding.reserve_budget"


@dataclass(frozen=True)
class Outcome:
    """How one application of several came out; `message` is the refusal, empty when it is approved."""

    application: EquipmentApplication
    approved: bool
    message: str = ""


@transaction.atomic
def return_with_question(
    *, application: EquipmentApplication, by: User, question: str, revision: int | None = None
) -> EquipmentApplication:
    """Back to the school with a question, which is kept as a message and mailed.

    `revision`, here and below: `StaleError` when the application is no longer what the person saw.
    """
    question = required_text(question, _("Please write what you would like to know."), field="question")
    row = lock_for("return_with_question", application, by=by)
    ensure_revision(row, revision)
    ApplicationMessage.objects.create(application=row, by=by, text=question)
    change_state(row, "return_with_question", ApplicationState.RETURNED, by=by, reason=question)
    save_by(row, by=by, update_fields=["state"])
    notices.returned(row, by=by, question=question)
    return row


@transaction.atomic
def reject(
    *, application: EquipmentApplication, by: User, reason: str, revision: int | None = None
) -> EquipmentApplication:
    """No, with a reason, which is mailed. No money moves."""
    reason = required_text(reason, _("Please give the school a reason."), field="reason")
    row = lock_for("reject", application, by=by)
    ensure_revision(row, revision)
    change_state(row, "reject", ApplicationState.REJECTED, by=by, reason=reason)
    row.decided_at = clock.now()
    save_by(row, by=by, update_fields=["state", "decided_at"])
    notices.rejected(row, by=by, reason=reason)
    return row


def approve(
    *,
    application: EquipmentApplication,
    by: User,
    decisions: Sequence[LineDecision],
    reason: str = "",
    overrun_reason: str = "",
    revision: int | None = None,
) -> EquipmentApplication:
    """Approves an application in full or in part, line by line, and commits the money.

    Locks the application, then the budgets, then the school, each in the order of their keys, and checks inside
    the locks. Writes quantities and notes, allocations, ledger entries, the sums on the budgets, status change,
    history and mail in one transaction; the reservation is removed.

    Needs one decision for every line. Refuses the person who drafted or submitted it, a missing budget, and more
    than a budget has available; with `overrun_reason` and `funding.overrun_budget` the allowed overrun is raised
    by what is missing.
    """
    with money_transaction():
        row = lock_for("approve", application, by=by)
        ensure_revision(row, revision)
        _ensure_second_person(row, by)
        lines = list(row.lines.select_related("product").order_by("pk"))
        matched = _match(lines, decisions)
        target = _target_state(lines, matched)
        budgets = lock_budgets(_budget_ids(matched.values()), by=by)
        parts = [part for line in lines for part in _parts(line, matched[line.pk], budgets)]
        _ensure_affordable(parts, budgets, by=by, overrun_reason=overrun_reason.strip())
        _write_lines(lines, matched, by=by)
        _commit_money(lines, parts, budgets, by=by, note=overrun_reason.strip())
        change_state(row, "approve", target, by=by, reason=reason.strip())
        row.decided_at = clock.now()
        save_by(row, by=by, update_fields=["state", "decided_at"])
        notices.approved(row, lines, by=by, reason=reason.strip())
        raise_inputs_version([row.school_id])
    return row


def decide_several(
    *,
    applications: Iterable[EquipmentApplication],
    by: User,
    budget: Budget,
    own_share_budget: Budget | None = None,
    reason: str = "",
    revisions: Mapping[int, int] | None = None,
) -> list[Outcome]:
    """Approves several applications in full, in the order of their submission, each in a transaction of its own.

    One that is refused (not enough money, decided meanwhile, no longer what its entry in `revisions` says that the
    person saw) does not keep the next from being approved.
    """
    ensure_may(by, _APPROVE)
    ids = {application.pk for application in applications}
    rows = EquipmentApplication.objects.visible_to(by).filter(pk__in=ids).select_related("school")
    return [
        _approve_in_full(
            row,
            by=by,
            budget=budget,
            own_share_budget=own_share_budget,
            reason=reason,
            revision=None if revisions is None else revisions.get(row.pk, UNSEEN),
        )
        for row in rows.order_by("submitted_at", "pk")
    ]


@transaction.atomic
def reserve(*, application: EquipmentApplication, budget: Budget, by: User, revision: int | None = None) -> Reservation:
    """Pencils a submitted application into a budget, instead of an earlier budget. Shown, not subtracted.

    A grant's budget is pencilled with the grant's share only.
    """
    row = lock_application(application, by=by, permission=_RESERVE)
    ensure_revision(row, revision)
    _ensure_submitted(row)
    chosen = Budget.objects.visible_to(by).select_related("grant").filter(pk=budget.pk).first()
    if chosen is None:
        raise DomainError(_("A chosen budget no longer exists. Please choose another one."), field="budget")
    amount = total(own_part(line.amount, chosen, line.quantity) for line in row.lines.all())
    reservation, _created = Reservation.objects.update_or_create(
        application=row, defaults={"budget": chosen, "amount": amount, "by": by, "at": clock.now()}
    )
    return reservation


@transaction.atomic
def cancel_reservation(*, application: EquipmentApplication, by: User) -> None:
    """Rubs the pencil mark out; harmless when there is none."""
    row = lock_application(application, by=by, permission=_RESERVE)
    Reservation.objects.filter(application=row).delete()


def _ensure_submitted(application: EquipmentApplication) -> None:
    if application.state != ApplicationState.SUBMITTED:
        raise DomainError(
            _("Only submitted applications are pencilled in; the state is now “%(state)s”.")
            % {"state": application.get_state_display()},
            code="illegal_transition",
        )


def _ensure_second_person(application: EquipmentApplication, by: User) -> None:
    """Whoever asks does not decide (Vier-Augen-Prinzip)."""
    if by.pk in (application.submitted_by_id, application.created_by_id):
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


def _ensure_affordable(parts: Sequence[Part], budgets: Mapping[int, Budget], *, by: User, overrun_reason: str) -> None:
    """Compares with what is available now, inside the locks; raises the allowed overrun where that is asked for."""
    balances = {pk: Balance(pk, str(row), row.available) for pk, row in budgets.items()}
    short = [effect for effect in preview(parts, balances) if not effect.sufficient]
    if not short:
        return
    if not overrun_reason:
        raise DomainError(refusal(short), code="unaffordable", field="budget")
    ensure_may(by, _OVERRUN)
    for effect in short:
        _allow(budgets[effect.budget_id], effect, by=by, reason=overrun_reason)


def _allow(budget: Budget, effect: BudgetEffect, *, by: User, reason: str) -> None:
    budget.overrun_allowed += effect.short_by
    save_by(budget, by=by, update_fields=["overrun_allowed"], reason=reason)


def _write_lines(lines: Sequence[ApplicationLine], matched: Mapping[int, LineDecision], *, by: User) -> None:
    for line in lines:
        line.approved_quantity = matched[line.pk].approved_quantity
        line.decision_note = matched[line.pk].note.strip()
        _ensure_short_note(line)
    bulk_update_by(lines, ["approved_quantity", "decision_note"], by=by)


def _ensure_short_note(line: ApplicationLine) -> None:
    longest = 300
    if len(line.decision_note) > longest:
        raise DomainError(
            _("“%(product)s”: please write at most %(longest)s characters as a note.")
            % {"product": line.product, "longest": longest},
            field="note",
        )


def _commit_money(
    lines: Sequence[ApplicationLine], parts: Sequence[Part], budgets: Mapping[int, Budget], *, by: User, note: str
) -> None:
    by_id = {line.pk: line for line in lines}
    LineAllocation.objects.bulk_create(
        LineAllocation(line_id=part.line_id, budget_id=part.budget_id, amount=part.amount) for part in parts
    )
    for budget_id, budget in budgets.items():
        entries = [
            Entry(LedgerKind.COMMIT, part.amount, by_id[part.line_id], note)
            for part in parts
            if part.budget_id == budget_id
        ]
        if entries:
            post_entries(budget, entries, by=by)


def _approve_in_full(
    application: EquipmentApplication,
    *,
    by: User,
    budget: Budget,
    own_share_budget: Budget | None,
    reason: str,
    revision: int | None,
) -> Outcome:
    own = own_share_budget.pk if own_share_budget is not None and may_need_own_share(budget) else None
    decisions = [
        LineDecision(line_id, quantity, budget.pk, own)
        for line_id, quantity in application.lines.values_list("pk", "quantity")
    ]
    try:
        approved = approve(application=application, by=by, decisions=decisions, reason=reason, revision=revision)
    except DomainError as error:
        return Outcome(application, approved=False, message=str(error))
    return Outcome(approved, approved=True)
