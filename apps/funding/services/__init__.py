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
from apps.funding.services.drawdowns import (
    cancel_drawdown,
    choose_lines,
    create_drawdown,
    receive_drawdown,
    request_drawdown,
)
from apps.funding.services.ledger import allow_overrun, post_entry, record_payment, release
from apps.funding.services.proofs import changes_since, create_proof, hand_in, reopen, save_texts
from apps.funding.services.steps import UNSEEN

__all__ = [
    "UNSEEN",
    "Outcome",
    "allow_overrun",
    "answer",
    "approve",
    "cancel_drawdown",
    "cancel_reservation",
    "change_budget",
    "changes_since",
    "choose_lines",
    "create_budget",
    "create_draft",
    "create_drawdown",
    "create_proof",
    "decide_several",
    "discard_draft",
    "hand_in",
    "post_entry",
    "receive_drawdown",
    "record_payment",
    "reject",
    "release",
    "reopen",
    "request_drawdown",
    "reserve",
    "return_with_question",
    "save_draft",
    "save_texts",
    "set_freeze",
    "submit",
    "withdraw",
]
