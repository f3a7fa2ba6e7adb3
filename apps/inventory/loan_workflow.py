"""Which step a loan may take from which state. Each name is a function of `services`.

Decisions: what was handed out or taken back by mistake is undone on the same day only; later it is a step of its own.
What is found again is a new loan: the one that ended in a loss stays so.
"""

from apps.core.transitions import TransitionTable, transition
from apps.inventory.loan_choices import LoanState

OUT, RETURNED, LOST, STOLEN, CANCELLED = LoanState
KEEP = "inventory.keep_loans"

TRANSITIONS = TransitionTable(
    LoanState,
    {
        "take_back": transition({OUT}, RETURNED, KEEP),
        "extend_loan": transition({OUT}, OUT, KEEP),
        "report_loan_lost": transition({OUT}, LOST, KEEP),
        "report_loan_stolen": transition({OUT}, STOLEN, KEEP),
        "undo_hand_out": transition({OUT}, CANCELLED, KEEP),
        "undo_take_back": transition({RETURNED}, OUT, KEEP),
    },
)
