"""Who cancelled an invoice or a drawdown, when and why: from its history."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.core import formats
from apps.funding.choices import DrawdownState, InvoiceState
from apps.funding.models import Drawdown, Invoice


@dataclass(frozen=True)
class Cancelling:
    """`person` is the portal's name where nobody is known."""

    person: str
    at: datetime.datetime
    reason: str


def cancelling_of(paper: Invoice | Drawdown) -> Cancelling | None:
    """None where it is not cancelled, or from before there was a history."""
    if paper.state not in (InvoiceState.CANCELLED, DrawdownState.CANCELLED):
        return None
    records = paper.history.filter(state=paper.state).select_related("history_user")
    record = records.order_by("history_date", "history_id").first()
    if record is None:
        return None
    person = str(record.history_user or _("The portal"))
    return Cancelling(person, record.history_date, record.history_change_reason or "")


def in_words(cancelling: Cancelling) -> str:
    """When, by whom and why, in one line."""
    words = _("%(moment)s by %(person)s") % {"moment": formats.moment(cancelling.at), "person": cancelling.person}
    return f"{words}: {cancelling.reason}" if cancelling.reason else words
