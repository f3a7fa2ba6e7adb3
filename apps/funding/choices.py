"""States of applications, orders and papers; kinds of budgets, rules and ledger entries."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.choices import StateChoices, Tone


class ApplicationState(StateChoices):
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted")
    RETURNED = "returned", _("returned with a question")
    APPROVED = "approved", _("approved")
    PARTIALLY_APPROVED = "partially_approved", _("approved in part")
    REJECTED = "rejected", _("rejected")
    WITHDRAWN = "withdrawn", _("withdrawn")
    ORDERED = "ordered", _("ordered")
    DELIVERED = "delivered", _("delivered")
    CLOSED = "closed", _("closed")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {
            "submitted": Tone.INFO,
            "returned": Tone.WARNING,
            "approved": Tone.SUCCESS,
            "partially_approved": Tone.SUCCESS,
            "rejected": Tone.DANGER,
            "ordered": Tone.INFO,
            "delivered": Tone.SUCCESS,
        }


class OrderState(StateChoices):
    """An order at a supplier; `partly_delivered` until every line is there.

    `proposed`: it would commit money beyond what is approved, and waits for a second person.
    """

    DRAFT = "draft", _("draft")
    PROPOSED = "proposed", _("waits for approval")
    PLACED = "placed", _("placed")
    PARTLY_DELIVERED = "partly_delivered", _("delivered in part")
    DELIVERED = "delivered", _("delivered")
    CLOSED = "closed", _("closed")
    CANCELLED = "cancelled", pgettext_lazy("of a paper", "cancelled")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {
            "proposed": Tone.WARNING,
            "placed": Tone.INFO,
            "partly_delivered": Tone.WARNING,
            "delivered": Tone.SUCCESS,
            "cancelled": Tone.DANGER,
        }


class DeliveryKind(models.TextChoices):
    """Goods come in, or go back to the supplier."""

    RECEIPT = "receipt", _("goods received")
    RETURN = "return", _("goods returned")


class InvoiceKind(models.TextChoices):
    """A credit note (Gutschrift) takes money back: its amounts are negative."""

    INVOICE = "invoice", _("invoice")
    CREDIT = "credit", _("credit note")


class InvoiceState(StateChoices):
    """`recorded`: checked and written down by one person; `paid`: ordered to be paid by another."""

    RECORDED = "recorded", _("recorded")
    PAID = "paid", _("paid")
    CANCELLED = "cancelled", pgettext_lazy("of a paper", "cancelled")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"recorded": Tone.WARNING, "paid": Tone.SUCCESS, "cancelled": Tone.DANGER}


class DrawdownState(StateChoices):
    """Money called from a grant (Mittelabruf)."""

    DRAFT = "draft", _("draft")
    REQUESTED = "requested", _("requested")
    RECEIVED = "received", _("received")
    CANCELLED = "cancelled", pgettext_lazy("of a paper", "cancelled")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"requested": Tone.INFO, "received": Tone.SUCCESS, "cancelled": Tone.DANGER}


CALLED = (DrawdownState.REQUESTED, DrawdownState.RECEIVED)
"""What counts as drawn."""


class ProofState(StateChoices):
    """A proof of use (Verwendungsnachweis): figures move until it is handed in."""

    DRAFT = "draft", _("draft")
    HANDED_IN = "handed_in", _("handed in")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"handed_in": Tone.SUCCESS}


class BudgetChangeKind(models.TextChoices):
    """What a proposed change of a budget does."""

    CREATE = "create", _("new budget")
    EDIT = "edit", _("change of the budget")
    SUPPLEMENT = "supplement", _("supplement")
    FREEZE = "freeze", _("freeze")
    OVERRUN = "overrun", _("allowed overrun")
    CARRY_OVER = "carry_over", _("carry-over into the next year")
    VIREMENT = "virement", _("virement")


class ProposalState(StateChoices):
    """What one person proposes and another confirms or declines."""

    PROPOSED = "proposed", _("proposed")
    CONFIRMED = "confirmed", _("confirmed")
    DECLINED = "declined", _("declined")
    WITHDRAWN = "withdrawn", _("withdrawn")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"proposed": Tone.INFO, "confirmed": Tone.SUCCESS, "declined": Tone.DANGER}


class RuleKind(models.TextChoices):
    """What the city sets with a date, because no law fixes it or because it changes."""

    SECOND_APPROVER_FROM = "second_approver_from", _("second approver from this sum of an application (euros gross)")
    LOW_VALUE_ASSET_LIMIT = "low_value_asset_limit", _("low-value assets up to (euros net a piece)")
    VAT_RATE = "vat_rate", _("value added tax (percent)")
    WEIGHT_NEED = "weight_need", _("waiting list: weight of the need against the target")
    WEIGHT_AGE = "weight_age", _("waiting list: weight of the age of what is replaced")
    WEIGHT_SOCIAL_INDEX = "weight_social_index", _("waiting list: weight of the social index (0: switched off)")


RULES_OF_TWO = frozenset({RuleKind.SECOND_APPROVER_FROM})
"""Who alone could change these could switch off that two people decide."""

PERCENTAGES = frozenset({RuleKind.VAT_RATE})
"""Kinds whose value is a part of a hundred."""


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
