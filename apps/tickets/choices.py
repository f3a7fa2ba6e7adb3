from django.utils.translation import gettext_lazy as _

from apps.core.choices import StateChoices, Tone


class TicketState(StateChoices):
    NEW = "new", _("new")
    ACCEPTED = "accepted", _("accepted")
    WAITING_FOR_REPORTER = "waiting_for_reporter", _("waiting for an answer")
    WAITING_FOR_SUPPLIER = "waiting_for_supplier", _("waiting for the supplier")
    SOLVED = "solved", _("solved")
    CLOSED = "closed", _("closed")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {
            "new": Tone.INFO,
            "accepted": Tone.INFO,
            "waiting_for_reporter": Tone.WARNING,
            "waiting_for_supplier": Tone.WARNING,
            "solved": Tone.SUCCESS,
        }


OPEN_STATES = frozenset(TicketState) - {TicketState.SOLVED, TicketState.CLOSED}
