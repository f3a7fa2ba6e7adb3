"""All writes about applications and budgets. Each function is a transaction of its own and says its whole effect.

Wrong role: `PermissionDenied` (403). Outside the scope: `Http404`. What the user can mend: `DomainError`.
"""

from apps.funding.services.applications import answer, create_draft, discard_draft, save_draft, submit, withdraw
from apps.funding.services.budget_changes import (
    CarryOver,
    confirm_change,
    decline_change,
    propose_budget,
    propose_carry_overs,
    propose_edit,
    propose_overrun,
    propose_virement,
    withdraw_change,
)
from apps.funding.services.decisions import (
    Outcome,
    approve,
    cancel_reservation,
    decide_several,
    reject,
    reserve,
    return_with_question,
)
from apps.funding.services.drawdowns import (
    cancel_drawdown,
    choose_lines,
    create_drawdown,
    receive_drawdown,
    request_drawdown,
)
from apps.funding.services.grants import edit_grant, record_change_notice
from apps.funding.services.ledger import post_entry, record_payment, release
from apps.funding.services.proofs import changes_since, create_proof, hand_in, reopen, save_texts
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
    "CarryOver",
    "Outcome",
    "add_concept",
    "answer",
    "approve",
    "cancel_drawdown",
    "cancel_reservation",
    "changes_since",
    "choose_lines",
    "confirm_change",
    "create_draft",
    "create_drawdown",
    "create_proof",
    "decide_several",
    "decisions_of",
    "decline_change",
    "discard_draft",
    "edit_grant",
    "hand_in",
    "limit_for_two",
    "needs_two",
    "post_entry",
    "propose_approval",
    "propose_budget",
    "propose_carry_overs",
    "propose_edit",
    "propose_overrun",
    "propose_virement",
    "receive_drawdown",
    "record_change_notice",
    "record_payment",
    "reject",
    "release",
    "remind_of_rounds",
    "remove_concept",
    "reopen",
    "request_drawdown",
    "reserve",
    "return_with_question",
    "save_draft",
    "save_texts",
    "sentence_about_two",
    "submit",
    "withdraw",
    "withdraw_change",
    "withdraw_proposal",
]
