"""The decisions about an application, and their rehearsal: the same service, with everything taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.mail import Letter, collected_mail
from apps.funding import services
from apps.funding.calculations import LineDecision
from apps.funding.choices import ReasonKind
from apps.funding.models import EquipmentApplication


class Typed(Protocol):
    """What a verb needs of what was typed."""

    revision: int | None

    def decisions(self) -> Sequence[LineDecision]: ...
    def text(self, name: str) -> str: ...


@dataclass(frozen=True)
class Verb:
    """One decision: the right it needs, the text that goes with it, and the service that makes it.

    `field` is the form field of the text; `required` is what to say when it is empty ("" where it may be).
    """

    name: str
    permission: str
    kind: ReasonKind
    field: str
    required: str | Promise
    heading: str | Promise
    check: str | Promise
    button: str | Promise
    run: Callable[[EquipmentApplication, User, Typed], EquipmentApplication]

    @property
    def decides_lines(self) -> bool:
        """Whether quantities and budgets belong to it."""
        return self.kind == ReasonKind.APPROVE


def _approve(application: EquipmentApplication, by: User, typed: Typed) -> EquipmentApplication:
    return services.approve(
        application=application,
        by=by,
        decisions=typed.decisions(),
        reason=typed.text("reason"),
        overrun_reason=typed.text("overrun_reason"),
        revision=typed.revision,
    )


def _propose(application: EquipmentApplication, by: User, typed: Typed) -> EquipmentApplication:
    proposal = services.propose_approval(
        application=application,
        by=by,
        decisions=typed.decisions(),
        reason=typed.text("reason"),
        overrun_reason=typed.text("overrun_reason"),
        revision=typed.revision,
    )
    return proposal.application


def _return(application: EquipmentApplication, by: User, typed: Typed) -> EquipmentApplication:
    return services.return_with_question(
        application=application, by=by, question=typed.text("question"), revision=typed.revision
    )


def _reject(application: EquipmentApplication, by: User, typed: Typed) -> EquipmentApplication:
    return services.reject(application=application, by=by, reason=typed.text("rejection"), revision=typed.revision)


VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "approve",
            "funding.approve_application",
            ReasonKind.APPROVE,
            "reason",
            "",
            _("Approve"),
            _("Check the approval"),
            _("Approve and send the mail"),
            _approve,
        ),
        Verb(
            "propose",
            "funding.propose_approval",
            ReasonKind.APPROVE,
            "reason",
            "",
            _("Propose the approval"),
            _("Check the proposal"),
            _("Propose the approval"),
            _propose,
        ),
        Verb(
            "return",
            "funding.return_application",
            ReasonKind.RETURN,
            "question",
            _("Please write what you would like to know."),
            _("Return with a question"),
            _("Check the question"),
            _("Return and send the mail"),
            _return,
        ),
        Verb(
            "reject",
            "funding.reject_application",
            ReasonKind.REJECT,
            "rejection",
            _("Please give the school a reason."),
            _("Reject"),
            _("Check the rejection"),
            _("Reject and send the mail"),
            _reject,
        ),
    )
}


@dataclass(frozen=True)
class Rehearsal:
    """What a decision would do: the state it leads to, and the mails exactly as they would go out."""

    state: str
    letters: tuple[Letter, ...]


def rehearse(verb: Verb, application: EquipmentApplication, *, by: User, typed: Typed) -> Rehearsal:
    """Makes the decision inside a transaction that is rolled back, so that what is shown is what will happen.

    Raises what the service raises. Nothing is written, mailed or nudged.
    """
    with collected_mail() as letters, transaction.atomic():
        row = verb.run(application, by, typed)
        transaction.set_rollback(True)
    return Rehearsal(row.state, tuple(letters))
