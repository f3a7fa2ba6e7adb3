"""What is unusual about an invoice or a credit note, as people read it, and the way to what it is about."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import formats


@dataclass(frozen=True)
class Oddity:
    """`kind`, `values`: its code and what the sentence of the code names, as JSON. `needs_remark`: whoever records it
    says why. `told`: the sentence itself, where only that was kept.
    """

    kind: str
    values: Mapping[str, Any]
    needs_remark: bool = True
    told: str = ""

    @property
    def sentence(self) -> str:
        """In the language of the reader."""
        if self.told:
            return self.told
        words = _WORDS[self.kind]
        shown = {name: words.formats.get(name, str)(value) for name, value in self.values.items()}
        return str(words.sentence) % shown

    @property
    def blocks_payment(self) -> bool:
        """Whether the payment is refused as long as this holds."""
        return self.kind in _BLOCKING

    @property
    def url(self) -> str:
        """Where to see or mend it; empty where only the sentence was kept."""
        return "" if self.told else _WORDS[self.kind].link.url(self.values)

    @property
    def verb(self) -> str:
        return "" if self.told else str(_WORDS[self.kind].link.verb)


_BLOCKING = frozenset({"beyond_available", "beyond_frozen", "missing_own_share"})


def as_kept(oddity: Oddity) -> dict[str, Any]:
    return {"kind": oddity.kind, "values": dict(oddity.values), "needs_remark": oddity.needs_remark}


def kept(row: Mapping[str, Any]) -> Oddity:
    """Rows of before the values were kept hold a finished sentence."""
    return Oddity(row["kind"], row.get("values", {}), row["needs_remark"], row.get("sentence", ""))


class _Link(NamedTuple):
    verb: Any
    url: Callable[[Mapping[str, Any]], str]


class _Words(NamedTuple):
    sentence: Any
    link: _Link
    formats: Mapping[str, Callable[[Any], str]] = {}


def _euro(value: str) -> str:
    return formats.euro(Decimal(value))


def _day(value: str) -> str:
    return formats.day(datetime.date.fromisoformat(value))


def _school(value: str | None) -> str:
    return value or _("all schools")


def _order(values: Mapping[str, Any]) -> str:
    return reverse("admin:funding_order_change", args=[values["order_id"]])


_ORDER = _Link(gettext_lazy("To the order"), _order)
_LINE = _Link(gettext_lazy("To the line of the order"), lambda values: f"{_order(values)}#line-{values['line_id']}")
_INVOICE = _Link(
    gettext_lazy("To that invoice"), lambda values: reverse("admin:funding_invoice_change", args=[values["invoice_id"]])
)
_BUDGET = _Link(
    gettext_lazy("To the budget"), lambda values: reverse("admin:funding_budget_change", args=[values["budget_id"]])
)
_PROOF = _Link(
    gettext_lazy("To the proof of use"),
    lambda values: reverse("admin:funding_proofofuse_change", args=[values["proof_id"]]),
)

_WORDS = {
    "older": _Words(gettext_lazy("The invoice is older than its order of %(day)s."), _ORDER, {"day": _day}),
    "same_number": _Words(
        gettext_lazy("“%(payee)s” has an invoice %(number)s already, recorded with the order %(order)s."), _INVOICE
    ),
    "not_delivered": _Words(
        gettext_lazy("“%(line)s”: only %(delivered)s have come, but %(invoiced)s are invoiced."),
        _LINE,
        {"delivered": formats.number, "invoiced": formats.number},
    ),
    "dearer": _Words(
        gettext_lazy("“%(line)s”: %(agreed)s are agreed for this, but %(invoiced)s are invoiced."),
        _LINE,
        {"agreed": _euro, "invoiced": _euro},
    ),
    "not_returned": _Words(
        gettext_lazy("“%(line)s”: %(back)s invoiced pieces are not there or went back, but %(credited)s are credited."),
        _LINE,
        {"back": formats.number, "credited": formats.number},
    ),
    "much_credited": _Words(
        gettext_lazy("“%(line)s”: %(worth)s are agreed for this, but %(credited)s are credited."),
        _LINE,
        {"worth": _euro, "credited": _euro},
    ),
    "missing_own_share": _Words(
        gettext_lazy("“%(line)s”: the grant does not pay all of it. Please choose the budget for the own share."), _LINE
    ),
    "beyond_approval": _Words(
        gettext_lazy("The payment commits another %(amount)s out of “%(budget)s”, beyond what is approved."),
        _BUDGET,
        {"amount": _euro},
    ),
    "beyond_available": _Words(
        gettext_lazy("The payment would need another %(amount)s out of “%(budget)s”, and only %(available)s are free."),
        _BUDGET,
        {"amount": _euro, "available": _euro},
    ),
    "beyond_frozen": _Words(
        gettext_lazy(
            "The payment would need another %(amount)s out of “%(budget)s”, and only %(available)s are free: %(frozen)s"
            " are frozen."
        ),
        _BUDGET,
        {"amount": _euro, "available": _euro, "frozen": _euro},
    ),
    "after_proof": _Words(
        gettext_lazy(
            "The proof of use of “%(grant)s” (%(school)s) was handed in on %(day)s. After the payment"
            " its figures are no longer right: it has to be reopened and handed in anew."
        ),
        _PROOF,
        {"school": _school, "day": _day},
    ),
    "credit_after_proof": _Words(
        gettext_lazy(
            "The proof of use of “%(grant)s” (%(school)s) was handed in on %(day)s. Once the credit note is"
            " accepted, its figures are no longer right: it has to be reopened and handed in anew."
        ),
        _PROOF,
        {"school": _school, "day": _day},
    ),
}
