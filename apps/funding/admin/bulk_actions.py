"""What can be done to several applications at once."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.funding.admin.verbs import VERBS, Verb
from apps.funding.choices import ReasonKind


@dataclass(frozen=True)
class BulkAction:
    """What is done to several: its right, its words, whether it needs a budget, a text, a look before."""

    name: str
    permission: str
    heading: str | Promise
    what: str | Promise
    button: str | Promise
    done: str | Promise
    verb: Verb | None
    budgets: bool

    @property
    def decides_lines(self) -> bool:
        """Whether all lines are approved or proposed out of the chosen budgets."""
        return self.verb is not None and self.verb.decides_lines

    @property
    def kind(self) -> ReasonKind | None:
        return self.verb.kind if self.verb else None


ACTIONS: dict[str, BulkAction] = {
    action.name: action
    for action in (
        BulkAction(
            "approve",
            "funding.approve_application",
            _("Approve several applications"),
            _("Budgets and reason"),
            _("Approve and send the mails"),
            _("approved"),
            VERBS["approve"],
            budgets=True,
        ),
        BulkAction(
            "approve_proposed",
            "funding.approve_application",
            _("Approve what is proposed"),
            _("Proposals"),
            _("Approve as proposed and send the mails"),
            _("approved"),
            VERBS["approve"],
            budgets=False,
        ),
        BulkAction(
            "propose",
            "funding.propose_approval",
            _("Propose the approval of several applications"),
            _("Budgets and reason"),
            _("Propose the approvals"),
            _("proposed"),
            VERBS["propose"],
            budgets=True,
        ),
        BulkAction(
            "reserve",
            "funding.reserve_budget",
            _("Pencil in several applications"),
            _("Budget"),
            _("Pencil in"),
            _("pencilled in"),
            None,
            budgets=True,
        ),
        BulkAction(
            "return",
            "funding.return_application",
            _("Return several applications with a question"),
            _("Question"),
            _("Return and send the mails"),
            _("returned"),
            VERBS["return"],
            budgets=False,
        ),
        BulkAction(
            "reject",
            "funding.reject_application",
            _("Reject several applications"),
            _("Reason"),
            _("Reject and send the mails"),
            _("rejected"),
            VERBS["reject"],
            budgets=False,
        ),
    )
}
