"""States of a stocktake, what it finds, and how each finding is settled."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.choices import StateChoices, Tone


class StocktakeState(StateChoices):
    OPEN = "open", _("running")
    CLOSED = "closed", _("closed")
    CANCELLED = "cancelled", _("cancelled")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"open": Tone.INFO, "closed": Tone.SUCCESS}


class Outcome(StateChoices):
    """What a stocktake knows of one device, or of one number that belongs to none."""

    FOUND = "found", _("found")
    OTHER_ROOM = "other_room", _("found in another room")
    MISSING = "missing", _("not found")
    ELSEWHERE = "elsewhere", _("does not belong here")
    UNKNOWN = "unknown", _("unknown number")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {
            "found": Tone.SUCCESS,
            "other_room": Tone.WARNING,
            "missing": Tone.WARNING,
            "elsewhere": Tone.WARNING,
            "unknown": Tone.DANGER,
        }


class Settlement(models.TextChoices):
    """How a finding was settled; empty: it is still open."""

    ROOM_TAKEN_OVER = "room_taken_over", _("room taken over")
    MOVED_HERE = "moved_here", _("moved to this school")
    REPORTED_LOST = "reported_lost", _("reported as lost")
    AWAY = "away", _("on loan or in repair")
    FOUND_BY_HAND = "found_by_hand", _("found without scanning")
    RECORDED = "recorded", _("recorded as a device")
    GONE = "gone", _("reported on its page")
    IGNORED = "ignored", _("left as it is")


SETTLES: dict[str, frozenset[str]] = {
    Settlement.ROOM_TAKEN_OVER: frozenset({Outcome.OTHER_ROOM}),
    Settlement.MOVED_HERE: frozenset({Outcome.ELSEWHERE}),
    Settlement.REPORTED_LOST: frozenset({Outcome.MISSING}),
    Settlement.AWAY: frozenset({Outcome.MISSING}),
    Settlement.FOUND_BY_HAND: frozenset({Outcome.MISSING}),
    Settlement.RECORDED: frozenset({Outcome.UNKNOWN}),
    Settlement.IGNORED: frozenset({Outcome.OTHER_ROOM, Outcome.MISSING, Outcome.ELSEWHERE, Outcome.UNKNOWN}),
}
"""Settlement -> the findings that it settles. What was found where it belongs needs none.

Nobody chooses GONE: it is what a device was reported as elsewhere while the stocktake ran.
"""
