"""The states of applications, orders and papers as reviewable tables; each verb is the service of that name."""

from apps.core.transitions import TransitionTable, transition
from apps.funding.choices import (
    ApplicationState,
    DrawdownState,
    InvoiceState,
    OrderState,
    ProofState,
    ProposalState,
)

S = ApplicationState

EDITABLE_STATES = frozenset({S.DRAFT, S.RETURNED})
"""States in which the school may change title, reason and lines."""

APPROVED_STATES = frozenset({S.APPROVED, S.PARTIALLY_APPROVED})
"""What a decision may end in with money committed."""

GRANTED_STATES = APPROVED_STATES | {S.ORDERED, S.DELIVERED, S.CLOSED}
"""States after an approval: money was committed for the lines."""

TRANSITIONS = TransitionTable(
    ApplicationState,
    {
        "submit": transition({S.DRAFT, S.RETURNED}, S.SUBMITTED, "funding.submit_application"),
        "withdraw": transition({S.SUBMITTED, S.RETURNED}, S.WITHDRAWN, "funding.submit_application"),
        "return_with_question": transition({S.SUBMITTED}, S.RETURNED, "funding.return_application"),
        "reject": transition({S.SUBMITTED}, S.REJECTED, "funding.reject_application"),
        "approve": transition({S.SUBMITTED}, APPROVED_STATES, "funding.approve_application"),
        # These steps follow from what happens to the orders of its lines.
        "order": transition(APPROVED_STATES, S.ORDERED, "funding.place_order"),
        "cancel_order": transition({S.ORDERED}, APPROVED_STATES, "funding.place_order"),
        "deliver": transition({S.ORDERED}, S.DELIVERED, "funding.receive_goods"),
        "return_goods": transition({S.DELIVERED}, S.ORDERED, "funding.receive_goods"),
        "close": transition({S.DELIVERED, *APPROVED_STATES}, S.CLOSED, "funding.place_order"),
    },
)

RECEIVING_STATES = frozenset(OrderState) - {OrderState.DRAFT, OrderState.PROPOSED}
"""States of an order of which something may have been scanned."""

ORDER_TRANSITIONS = TransitionTable(
    OrderState,
    {
        "place_order": transition({OrderState.DRAFT}, {OrderState.PLACED, OrderState.PROPOSED}, "funding.place_order"),
        "approve_order": transition({OrderState.PROPOSED}, OrderState.PLACED, "funding.approve_application"),
        "return_order": transition({OrderState.PROPOSED}, OrderState.DRAFT, "funding.place_order"),
        "cancel_order": transition(
            {OrderState.DRAFT, OrderState.PROPOSED, OrderState.PLACED}, OrderState.CANCELLED, "funding.place_order"
        ),
        "receive_goods": transition(
            {OrderState.PLACED, OrderState.PARTLY_DELIVERED},
            {OrderState.PARTLY_DELIVERED, OrderState.DELIVERED},
            "funding.receive_goods",
        ),
        "return_goods": transition(
            {OrderState.PARTLY_DELIVERED, OrderState.DELIVERED},
            {OrderState.PLACED, OrderState.PARTLY_DELIVERED},
            "funding.receive_goods",
        ),
        # A delivery that an order refuses goes on without it; the order stays as it is.
        "release_scan": transition(RECEIVING_STATES, RECEIVING_STATES, "funding.receive_goods"),
        "close_order": transition(
            {OrderState.PLACED, OrderState.PARTLY_DELIVERED, OrderState.DELIVERED},
            OrderState.CLOSED,
            "funding.place_order",
        ),
    },
)

INVOICE_TRANSITIONS = TransitionTable(
    InvoiceState,
    {
        "pay_invoice": transition({InvoiceState.RECORDED}, InvoiceState.PAID, "funding.pay_invoice"),
        "cancel_invoice": transition({InvoiceState.RECORDED}, InvoiceState.CANCELLED, "funding.record_invoice"),
    },
)

DRAWDOWN_TRANSITIONS = TransitionTable(
    DrawdownState,
    {
        "request_drawdown": transition({DrawdownState.DRAFT}, DrawdownState.REQUESTED, "funding.keep_proofs"),
        "receive_drawdown": transition({DrawdownState.REQUESTED}, DrawdownState.RECEIVED, "funding.keep_proofs"),
        "cancel_drawdown": transition(
            {DrawdownState.DRAFT, DrawdownState.REQUESTED}, DrawdownState.CANCELLED, "funding.keep_proofs"
        ),
    },
)

PROOF_TRANSITIONS = TransitionTable(
    ProofState,
    {
        "hand_in": transition({ProofState.DRAFT}, ProofState.HANDED_IN, "funding.hand_in_proof"),
        "reopen": transition({ProofState.HANDED_IN}, ProofState.DRAFT, "funding.hand_in_proof"),
    },
)

CHANGE_TRANSITIONS = TransitionTable(
    ProposalState,
    {
        "confirm_change": transition({ProposalState.PROPOSED}, ProposalState.CONFIRMED, "funding.confirm_budget"),
        "decline_change": transition({ProposalState.PROPOSED}, ProposalState.DECLINED, "funding.confirm_budget"),
        "withdraw_change": transition({ProposalState.PROPOSED}, ProposalState.WITHDRAWN, "funding.change_budget"),
    },
)
