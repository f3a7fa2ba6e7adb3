"""Keys of the official school data of North Rhine-Westphalia (key lists of the ministry, 2016)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.choices import StateChoices, Tone


class LegalForm(models.TextChoices):
    """Rechtsform."""

    PUBLIC = "1", _("public")
    PRIVATE = "2", _("private")


class OperatingState(models.TextChoices):
    """Schulbetriebsschlüssel."""

    CLOSING_THIS_YEAR = "0", _("closes at the end of this school year")
    OPEN = "1", _("open")
    CLOSING_LATER = "2", _("closes in a later year")
    OPENING = "3", _("opens later")
    DORMANT = "4", _("dormant")
    DELETED = "5", _("deleted, kept for the register of posts")
    OPEN_PARTLY = "6", _("open, takes part in some surveys only")
    DELETED_LAST_YEAR = "9", _("deleted at the end of the last school year")

    @classmethod
    def deleted(cls) -> frozenset[str]:
        """Rows of the register that stand for no school any more."""
        return frozenset({cls.DELETED, cls.DELETED_LAST_YEAR})


class PlatformState(StateChoices):
    """How far a school is with a platform from a day on."""

    PLANNED = "planned", _("planned")
    IN_USE = "in_use", _("in use")
    ENDED = "ended", _("no longer in use")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"planned": Tone.INFO, "in_use": Tone.SUCCESS}


NON_SCHOOL_KEYS = frozenset({"0A", "50", "51", "52", "56", "58"})
"""School type keys of offices (0A Schulamt) and teacher seminars, which stand in the same register."""

OFFICIAL_SCHOOL_TYPES: tuple[tuple[str, str], ...] = (
    ("02", "Grundschule"),
    ("04", "Hauptschule"),
    ("06", "Volksschule"),
    ("08", "Förderschule"),
    ("10", "Realschule"),
    ("13", "Primus (Schulversuch)"),
    ("14", "Sekundarschule"),
    ("15", "Gesamtschule"),
    ("16", "Gemeinschaftsschule (Schulversuch)"),
    ("17", "Waldorfschule"),
    ("18", "Hiberniaschule"),
    ("19", "Freie Waldorfförderschule"),
    ("20", "Gymnasium"),
    ("25", "Weiterbildungskolleg"),
    ("30", "Berufskolleg"),
    ("83", "Schule für Kranke"),
    ("85", "Förderschule im Bereich der Realschule"),
    ("87", "Förderschule im Bereich des Gymnasiums"),
    ("88", "Förderschule im Bereich des Berufskollegs"),
)
"""Schulformschlüssel with their official names (key list of the ministry, 2016; 19 from the current register)."""
