"""All writes about applications and budgets. Each function is a transaction of its own and says its whole effect.

Wrong role: `PermissionDenied` (403). Outside the scope: `Http404`. What the user can mend: `DomainError`.
"""

from apps.funding.services.applications import answer, create_draft, discard_draft, save_draft, submit, withdraw
from apps.funding.services.budgets import change_budget, create_budget, set_freeze
from apps.funding.services.decisions import (
    Outcome,
    approve,
    cancel_reservation,
    decide_several,
    reject,
    reserve,
    return_with_question,
)
from apps.funding.services.ledger import allow_overrun, post_entry, record_payment, release
from apps.funding.services.proposals import (
    decisions_of,
    limit_for_two,
    needs_two,
    propose_approval,
    sentence_about_two,
    withdraw_proposal,
)
from apps.funding.services.rounds import add_concept, remind_of_rounds, remove_concept
from apps.funding.services.steps import UNSEEN

__all__ = [
    "UNSEEN",
    "Outcome",
    "add_concept",
    "allow_overrun",
    "answer",
    "approve",
    "cancel_reservation",
    "change_budget",
    "create_budget",
    "create_draft",
    "decide_several",
    "decisions_of",
    "discard_draft",
    "limit_for_two",
    "needs_two",
    "post_entry",
    "propose_approval",
    "record_payment",
    "reject",
    "release",
    "remind_of_rounds",
    "remove_concept",
    "reserve",
    "return_with_question",
    "save_draft",
    "sentence_about_two",
    "set_freeze",
    "submit",
    "withdraw",
    "withdraw_proposal",
]
