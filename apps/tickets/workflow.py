"""The ticket's states as one reviewable table."""

from apps.core.transitions import TransitionTable, transition
from apps.tickets.choices import OPEN_STATES, TicketState

S = TicketState
_WORK = "tickets.work_ticket"
_AT_WORK = {S.ACCEPTED, S.WAITING_FOR_REPORTER, S.WAITING_FOR_SUPPLIER}

TRANSITIONS = TransitionTable(
    TicketState,
    {
        "accept": transition({S.NEW}, S.ACCEPTED, _WORK),
        "ask_reporter": transition({S.NEW, S.ACCEPTED, S.WAITING_FOR_SUPPLIER}, S.WAITING_FOR_REPORTER, _WORK),
        "wait_for_supplier": transition({S.ACCEPTED, S.WAITING_FOR_REPORTER}, S.WAITING_FOR_SUPPLIER, _WORK),
        "resume": transition({S.WAITING_FOR_REPORTER, S.WAITING_FOR_SUPPLIER}, S.ACCEPTED, _WORK),
        "solve": transition({S.NEW} | _AT_WORK, S.SOLVED, _WORK),
        "answer_question": transition({S.WAITING_FOR_REPORTER}, S.ACCEPTED, "tickets.report_ticket"),
        "reopen": transition({S.SOLVED}, S.ACCEPTED, "tickets.report_ticket"),
        "close": transition({S.SOLVED}, S.CLOSED, "tickets.report_ticket"),
        "withdraw": transition(OPEN_STATES, S.CLOSED, "tickets.report_ticket"),
    },
)
