"""All writes about applications and budgets. Each function is a transaction of its own and says its whole effect.

Wrong role: `PermissionDenied` (403). Outside the scope: `Http404`. What the user can mend: `DomainError`.
"""

from apps.funding.services.applications import answer, create_draft, discard_draft, save_draft, submit, withdraw
from apps.funding.services.beyond import kept_beyond
from apps.funding.services.budget_changes import (
    CarryOver,
    confirm_change,
    decline_change,
    propose_budget,
    propose_carry_overs,
    propose_edit,
    propose_overrun,
    propose_take_back,
    propose_virement,
    refusals_of,
    withdraw_change,
)
from apps.funding.services.budgets import BEYOND_FREE
from apps.funding.services.decisions import (
    Outcome,
    approve,
    approve_proposed,
    cancel_reservation,
    decide_several,
    reject,
    reserve,
    return_with_question,
)
from apps.funding.services.deliveries import Note, receive_goods, return_goods
from apps.funding.services.drawdowns import (
    cancel_drawdown,
    choose_lines,
    create_drawdown,
    receive_drawdown,
    request_drawdown,
)
from apps.funding.services.expected import expected_parts
from apps.funding.services.grants import edit_grant, record_change_notice
from apps.funding.services.invoices import (
    Payment,
    cancel_invoice,
    pay_invoice,
    pay_several,
    record_invoice,
)
from apps.funding.services.oddities import mark_of, oddities_of
from apps.funding.services.orders import (
    cancel_order,
    close_order,
    create_order,
    ensure_untouched,
    give_up_line,
    save_order,
)
from apps.funding.services.placing import (
    approve_order,
    beyond_approved,
    ensure_placeable,
    place_order,
    return_order,
    why_not_approved,
)
from apps.funding.services.proofs import changes_since, create_proof, hand_in, reopen, save_texts
from apps.funding.services.proposals import (
    decisions_of,
    limit_for_two,
    needs_two,
    propose_approval,
    sentence_about_two,
    withdraw_proposal,
)
from apps.funding.services.rounds import add_concept, remind_of_rounds, remove_concept, tell_of_earlier_end
from apps.funding.services.rules import confirm_rule, decline_rule, ensure_rule_open
from apps.funding.services.scanned_receipts import begin_scan
from apps.funding.services.steps import UNSEEN

__all__ = [
    "BEYOND_FREE",
    "UNSEEN",
    "CarryOver",
    "Note",
    "Outcome",
    "Payment",
    "add_concept",
    "answer",
    "approve",
    "approve_order",
    "approve_proposed",
    "begin_scan",
    "beyond_approved",
    "cancel_drawdown",
    "cancel_invoice",
    "cancel_order",
    "cancel_reservation",
    "changes_since",
    "choose_lines",
    "close_order",
    "confirm_change",
    "confirm_rule",
    "create_draft",
    "create_drawdown",
    "create_order",
    "create_proof",
    "decide_several",
    "decisions_of",
    "decline_change",
    "decline_rule",
    "discard_draft",
    "edit_grant",
    "ensure_placeable",
    "ensure_rule_open",
    "ensure_untouched",
    "expected_parts",
    "give_up_line",
    "hand_in",
    "kept_beyond",
    "limit_for_two",
    "mark_of",
    "needs_two",
    "oddities_of",
    "pay_invoice",
    "pay_several",
    "place_order",
    "propose_approval",
    "propose_budget",
    "propose_carry_overs",
    "propose_edit",
    "propose_overrun",
    "propose_take_back",
    "propose_virement",
    "receive_drawdown",
    "receive_goods",
    "record_change_notice",
    "record_invoice",
    "refusals_of",
    "reject",
    "remind_of_rounds",
    "remove_concept",
    "reopen",
    "request_drawdown",
    "reserve",
    "return_goods",
    "return_order",
    "return_with_question",
    "save_draft",
    "save_order",
    "save_texts",
    "sentence_about_two",
    "submit",
    "tell_of_earlier_end",
    "why_not_approved",
    "withdraw",
    "withdraw_change",
    "withdraw_proposal",
]
