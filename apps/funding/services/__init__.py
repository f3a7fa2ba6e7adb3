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
from apps.funding.services.deliveries import Note, begin_scan, receive_goods, return_goods
from apps.funding.services.invoices import Payment, cancel_invoice, pay_invoice, pay_several, record_invoice
from apps.funding.services.ledger import allow_overrun, post_entry, record_payment, release
from apps.funding.services.orders import cancel_order, close_order, create_order, give_up_line, place_order, save_order
from apps.funding.services.steps import UNSEEN

__all__ = [
    "UNSEEN",
    "Note",
    "Outcome",
    "Payment",
    "allow_overrun",
    "answer",
    "approve",
    "begin_scan",
    "cancel_invoice",
    "cancel_order",
    "cancel_reservation",
    "change_budget",
    "close_order",
    "create_budget",
    "create_draft",
    "create_order",
    "decide_several",
    "discard_draft",
    "give_up_line",
    "pay_invoice",
    "pay_several",
    "place_order",
    "post_entry",
    "receive_goods",
    "record_invoice",
    "record_payment",
    "reject",
    "release",
    "reserve",
    "return_goods",
    "return_with_question",
    "save_draft",
    "save_order",
    "set_freeze",
    "submit",
    "withdraw",
]
