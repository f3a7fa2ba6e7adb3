"""What the office does with a submitted application: pencil in, return, reject, approve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError, StaleError
from apps.core.history import bulk_update_by, save_by
from apps.core.money import total
from apps.funding.calculations import LineDecision, may_need_own_share, own_part
from apps.funding.choices import ApplicationState, LedgerKind
from apps.funding.models import (
    ApplicationLine,
    ApplicationMessage,
    ApprovalProposal,
    Budget,
    EquipmentApplication,
    LineAllocation,
    Reservation,
)
from apps.funding.overruns import as_kept, sentences
from apps.funding.services import notices
from apps.funding.services.checks import Checked, allow_overruns, checked, ensure_affordable, ensure_second_person
from apps.funding.services.ledger import Entry, post_entries
from apps.funding.services.proposals import decisions_of, ensure_proposed_by_another, ensure_two_approve
from apps.funding.services.rounds import take_concept
from apps.funding.services.steps import (
    UNSEEN,
    change_state,
    ensure_may,
    ensure_revision,
    ensure_submitted,
    lock_application,
    lock_for,
    money_transaction,
    required_text,
    told_proposer,
)
from apps.schools.services import raise_inputs_version

_APPROVE = "funding.approve_application"
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
    history and mail in one transaction; reservation and proposal are removed.

    Needs one decision for every line. Refuses the person who drafted or submitted it, a missing budget, one person
    alone where two must approve (see `proposals.ensure_two_approve`), and more than a budget has available; where
    two have agreed on an `overrun_reason`, the allowed overrun is raised by what is missing. Money of a programme that
    asks for the school's media concept needs one (see `rounds.take_concept`).
    """
    overrun_reason = overrun_reason.strip()
    with money_transaction():
        row = lock_for("approve", application, by=by)
        ensure_revision(row, revision)
        ensure_second_person(row, by)
        decided = checked(row, decisions, by=by)
        take_concept(row, decided.budgets.values())
        short = ensure_affordable(decided, by=by, overrun_reason=overrun_reason)
        overruns = as_kept(short, decided.budgets)
        first = ensure_two_approve(row, decided, by=by, overrun_reason=overrun_reason, goes_over=bool(short))
        if first is not None:
            allow_overruns(decided, short, by=by, reason=f"{overrun_reason} ({told_proposer(first.by)})")
        lines = decided.lines
        _write_lines(lines, decided.matched, by=by)
        _commit_money(decided, by=by, note=overrun_reason)
        agreed = (first, overruns, overrun_reason)
        change_state(row, "approve", decided.target, by=by, reason=reason.strip(), **_facts_of_two(*agreed))
        row.decided_at = clock.now()
        save_by(row, by=by, update_fields=["state", "concept", "decided_at"], reason=_history_reason(*agreed))
        notices.approved(row, lines, by=by, reason=reason.strip())
        raise_inputs_version([row.school_id])
    return row


def approve_proposed(
    *, application: EquipmentApplication, by: User, proposal_id: int, revision: int | None = None
) -> EquipmentApplication:
    """Approves exactly what another person has proposed, with their reason. `proposal_id`: the proposal that was seen.

    A changed proposal has another id: `StaleError`. Refuses what `approve` refuses.
    """
    with money_transaction():
        row = lock_application(application, by=by, permission=_APPROVE)
        ensure_submitted(row, _("Only submitted applications are decided; the state is now “%(state)s”."))
        proposal = ApprovalProposal.objects.filter(application=row, pk=proposal_id).first()
        if proposal is None or proposal.revision != row.revision:
            raise StaleError(_("The proposal has changed in the meantime. Please look at it again."))
        ensure_proposed_by_another(proposal, by)
        return approve(
            application=row,
            by=by,
            decisions=decisions_of(proposal),
            reason=proposal.reason,
            overrun_reason=proposal.overrun_reason,
            revision=revision,
        )


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
    ensure_submitted(row, _("Only submitted applications are pencilled in; the state is now “%(state)s”."))
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


def _facts_of_two(first: ApprovalProposal | None, overruns: list[dict[str, str]], reason: str) -> dict[str, Any]:
    """What stays of a proposal with the change of state; the proposal itself does not outlive it."""
    if first is None:
        return {}
    facts: dict[str, Any] = {"proposed_by": first.by, "proposed_at": first.at}
    if overruns:
        overrun = total(Decimal(row["amount"]) for row in overruns)
        facts |= {"overrun": overrun, "overruns": overruns, "overrun_reason": reason}
    return facts


def _history_reason(first: ApprovalProposal | None, overruns: list[dict[str, str]], reason: str) -> str:
    """The application's history names who approved; the reason adds who proposed, and what is overrun."""
    if first is None:
        return ""
    if not overruns:
        return told_proposer(first.by)
    with translation.override("de"):
        text = ", ".join(sentences(overruns))
    return f"{told_proposer(first.by)}; {text}: {reason}"


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


def _commit_money(decided: Checked, *, by: User, note: str) -> None:
    by_id = {line.pk: line for line in decided.lines}
    LineAllocation.objects.bulk_create(
        LineAllocation(line_id=part.line_id, budget_id=part.budget_id, amount=part.amount) for part in decided.parts
    )
    for budget_id, budget in decided.budgets.items():
        entries = [
            Entry(LedgerKind.COMMIT, part.amount, by_id[part.line_id], note)
            for part in decided.parts
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
