"""Approvals that two people make: one proposes, another one approves exactly that (Vier-Augen-Prinzip)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.core.formats import euro
from apps.funding.calculations import LineDecision
from apps.funding.choices import RuleKind
from apps.funding.models import ApprovalProposal, EquipmentApplication
from apps.funding.rules import rule_on
from apps.funding.services.checks import Checked, checked, ensure_affordable, ensure_second_person
from apps.funding.services.rounds import take_concept
from apps.funding.services.steps import ensure_revision, ensure_submitted, lock_application, validated

_PROPOSE = "funding.propose_approval"


@transaction.atomic
def propose_approval(
    *,
    application: EquipmentApplication,
    by: User,
    decisions: Sequence[LineDecision],
    reason: str = "",
    overrun_reason: str = "",
    revision: int | None = None,
) -> ApprovalProposal:
    """Writes down what to approve, in place of an earlier proposal; no money is committed and nothing is mailed.

    Refuses what the approval itself would refuse now: the person who drafted or submitted the application, decisions
    that do not fit its lines, a missing budget or media concept, and more than a budget has available (with
    `overrun_reason` and `funding.overrun_budget` it is proposed to go over it). The same proposal by the same person
    is kept as it is.
    """
    row = lock_application(application, by=by, permission=_PROPOSE)
    ensure_submitted(row, _("Only submitted applications are decided; the state is now “%(state)s”."))
    ensure_revision(row, revision)
    ensure_second_person(row, by)
    decided = checked(row, decisions, by=by)
    take_concept(row, decided.budgets.values())
    overrun_reason = overrun_reason.strip()
    ensure_affordable(decided, by=by, overrun_reason=overrun_reason)
    proposal = ApprovalProposal(
        application=row,
        revision=row.revision,
        decisions=as_json(decided),
        amount=decided.amount,
        reason=reason.strip(),
        overrun_reason=overrun_reason,
        by=by,
        at=clock.now(),
    )
    validated(proposal, exclude=("application", "by"))
    return _kept(proposal)


@transaction.atomic
def withdraw_proposal(*, application: EquipmentApplication, by: User) -> None:
    """Takes the proposal about an application back; harmless when there is none."""
    row = lock_application(application, by=by, permission=_PROPOSE)
    ApprovalProposal.objects.filter(application=row).delete()


def ensure_two_approve(
    application: EquipmentApplication, decided: Checked, *, by: User, overrun_reason: str, goes_over: bool
) -> ApprovalProposal | None:
    """From the sum of the city's rule on, and over a budget, approves only what another person has proposed just so.

    What counts is the sum that is approved, in euros gross. Within the budgets and without a rule for the day, one
    person is enough. Returns what another person has proposed just so, whether it is needed or not.
    """
    rows = ApprovalProposal.objects.filter(application=application, revision=application.revision)
    proposal: ApprovalProposal | None = rows.select_related("by").first()
    if not goes_over and not needs_two(decided.amount):
        followed = proposal is not None and proposal.by_id != by.pk and is_proposed(proposal, decided, overrun_reason)
        return proposal if followed else None
    if proposal is None:
        raise DomainError(sentence_about_two(goes_over=goes_over), code="second_approver")
    if not is_proposed(proposal, decided, overrun_reason):
        raise DomainError(
            _("This is not what %(person)s has proposed. Please propose it, so that another person approves it.")
            % {"person": proposal.by},
            code="second_approver",
        )
    ensure_proposed_by_another(proposal, by)
    return proposal


def ensure_proposed_by_another(proposal: ApprovalProposal, by: User) -> None:
    """Refuses to let a person approve their own proposal."""
    if proposal.by_id == by.pk:
        raise DomainError(
            _("You proposed this approval yourself. Please ask another person to approve it."), code="same_person"
        )


def limit_for_two() -> Decimal | None:
    """The sum (euros gross) from which on two people approve today; None: one person is always enough."""
    return rule_on(RuleKind.SECOND_APPROVER_FROM, clock.today())


def needs_two(amount: Decimal) -> bool:
    """Whether two people approve a sum (euros gross) today."""
    limit = limit_for_two()
    return limit is not None and amount >= limit


def sentence_about_two(*, goes_over: bool = False) -> str:
    """Why one person is not enough, and what to do."""
    if goes_over:
        return str(_("Two people go over a budget. Please propose the approval; another person then approves it."))
    text = _("From %(sum)s on, two people approve. Please propose the approval; another person then approves it.")
    return text % {"sum": euro(limit_for_two())}


def as_json(decided: Checked) -> list[dict[str, Any]]:
    return [asdict(decision) for decision in decided.decisions]


def is_proposed(proposal: ApprovalProposal, decided: Checked, overrun_reason: str) -> bool:
    """Whether these are the proposal's decisions; the words to the school are the approver's own."""
    return bool(proposal.decisions == as_json(decided) and proposal.overrun_reason == overrun_reason)


def decisions_of(proposal: ApprovalProposal) -> list[LineDecision]:
    stored: Sequence[Mapping[str, Any]] = proposal.decisions
    return [LineDecision(**row) for row in stored]


def _kept(proposal: ApprovalProposal) -> ApprovalProposal:
    earlier: ApprovalProposal | None = ApprovalProposal.objects.filter(application=proposal.application).first()
    if earlier is not None and _values(earlier) == _values(proposal):
        return earlier
    if earlier is not None:
        earlier.delete()
    proposal.save()
    return proposal


def _values(proposal: ApprovalProposal) -> tuple[Any, ...]:
    return (proposal.by_id, proposal.revision, proposal.decisions, proposal.reason, proposal.overrun_reason)
