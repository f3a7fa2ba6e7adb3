"""States of loans, who borrows, and when people are reminded."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.choices import StateChoices, Tone


class LoanState(StateChoices):
    """`overdue` is no state: it follows from the due date and the day."""

    OUT = "out", pgettext_lazy("state of a loan", "handed out")
    RETURNED = "returned", pgettext_lazy("state of a loan", "returned")
    LOST = "lost", pgettext_lazy("state of a loan", "lost")
    STOLEN = "stolen", pgettext_lazy("state of a loan", "stolen")
    CANCELLED = "cancelled", pgettext_lazy("state of a loan", "called off")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"out": Tone.INFO, "returned": Tone.SUCCESS, "lost": Tone.DANGER, "stolen": Tone.DANGER}


class Borrower(models.TextChoices):
    """Kind of borrower; empty where a list of devices only said that the device is on loan."""

    PUPIL = "pupil", _("pupil")
    TEACHER = "teacher", _("teacher")


class ReminderStage(models.TextChoices):
    DUE_SOON = "due_soon", _("due soon")
    OVERDUE = "overdue", _("overdue")
