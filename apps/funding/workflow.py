"""The states of an application as one reviewable table; each verb is the service function of that name."""

from apps.core.transitions import TransitionTable, transition
from apps.funding.choices import ApplicationState

S = ApplicationState

EDITABLE_STATES = frozenset({S.DRAFT, S.RETURNED})
"""States in which the school may change title, reason and lines."""

APPROVED_STATES = frozenset({S.APPROVED, S.PARTIALLY_APPROVED})
"""States in which money is committed for the lines."""

TRANSITIONS = TransitionTable(
    ApplicationState,
    {
        "submit": transition({S.DRAFT, S.RETURNED}, S.SUBMITTED, "funding.submit_application"),
        "withdraw": transition({S.SUBMITTED, S.RETURNED}, S.WITHDRAWN, "funding.submit_application"),
        "return_with_question": transition({S.SUBMITTED}, S.RETURNED, "funding.return_application"),
        "reject": transition({S.SUBMITTED}, S.REJECTED, "funding.reject_application"),
        "approve": transition({S.SUBMITTED}, APPROVED_STATES, "funding.approve_application"),
    },
)
