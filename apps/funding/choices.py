"""States of applications, kinds of budgets and of ledger entries."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.choices import StateChoices, Tone


class ApplicationState(StateChoices):
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted")
    RETURNED = "returned", _("returned with a question")
    APPROVED = "approved", _("approved")
    PARTIALLY_APPROVED = "partially_approved", _("approved in part")
    REJECTED = "rejected", _("rejected")
    WITHDRAWN = "withdrawn", _("withdrawn")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {
            "submitted": Tone.INFO,
            "returned": Tone.WARNING,
            "approved": Tone.SUCCESS,
            "partially_approved": Tone.SUCCESS,
            "rejected": Tone.DANGER,
        }


class ExpenditureType(models.TextChoices):
    """Investiv / konsumtiv (NKF)."""

    CAPITAL = "capital", _("capital")
    OPERATING = "operating", _("operating")


class ReasonKind(models.TextChoices):
    """For which decision a ready-made text is offered."""

    APPROVE = "approve", _("for an approval")
    RETURN = "return", _("for a question")
    REJECT = "reject", _("for a rejection")


class LedgerKind(models.TextChoices):
    """What happened to the money. Amounts are positive; a correction is the same kind with a negative amount."""

    COMMIT = "commit", _("committed")
    ORDER = "order", _("ordered")
    INVOICE = "invoice", _("invoiced")
    PAY = "pay", _("paid")
    RELEASE = "release", _("released")


LEDGER_EFFECTS: dict[str, tuple[int, int]] = {
    LedgerKind.COMMIT: (1, 0),
    LedgerKind.ORDER: (0, 0),
    LedgerKind.INVOICE: (0, 0),
    LedgerKind.PAY: (-1, 1),
    LedgerKind.RELEASE: (-1, 0),
}
"""Kind -> factors of its amount on (committed, spent) of the budget row."""
