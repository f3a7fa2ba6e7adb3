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
from apps.funding.services.grants import edit_grant, record_change_notice
from apps.funding.services.ledger import post_entry, record_payment, release
from apps.funding.services.steps import UNSEEN

__all__ = [
    "UNSEEN",
    "CarryOver",
    "Outcome",
    "answer",
    "approve",
    "cancel_reservation",
    "confirm_change",
    "create_draft",
    "decide_several",
    "decline_change",
    "discard_draft",
    "edit_grant",
    "post_entry",
    "propose_budget",
    "propose_carry_overs",
    "propose_edit",
    "propose_overrun",
    "propose_virement",
    "record_change_notice",
    "record_payment",
    "reject",
    "release",
    "reserve",
    "return_with_question",
    "save_draft",
    "submit",
    "withdraw",
    "withdraw_change",
]
