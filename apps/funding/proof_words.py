"""How proofs of use and drawdowns are worded: the same on the page, in the PDF and in the spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core import formats
from apps.funding.proof_figures import Facts, Gap, ProofFigures
from apps.funding.proof_keeping import COUNTED, Difference

TEXT_LABELS = {
    "purpose": gettext_lazy("What was planned and why"),
    "course": gettext_lazy("What was done"),
    "result": gettext_lazy("What it brought to teaching"),
    "deviations": gettext_lazy("Where it differs from the plan, and why"),
    "award_note": gettext_lazy("How contracts were awarded"),
}

TEXT_HINTS = {
    "purpose": gettext_lazy("The aim of the funding, the schools and their media concepts, what the notice allows."),
    "course": gettext_lazy("What was bought and built, when and where; who set it up and handed it over."),
    "result": gettext_lazy("How teaching uses it, what was reached and how one can tell."),
    "deviations": gettext_lazy(
        "Other amounts or days than planned, late invoices, lost devices and what replaced them."
    ),
    "award_note": gettext_lazy(
        "Procedure, framework contract, who got the contract and why; splitting and exceptions."
    ),
}

SOURCES = {
    "grant": gettext_lazy("Grant"),
    "own_share": gettext_lazy("Own share of the city"),
    "third_party": gettext_lazy("Third parties"),
}

FIGURES = {
    "planned": gettext_lazy("Eligible, planned"),
    "spent": gettext_lazy("Paid altogether"),
    "eligible": gettext_lazy("Eligible, actual"),
    "granted": gettext_lazy("Grant"),
    "own_share": gettext_lazy("Own share of the city"),
    "vouchers": gettext_lazy("Number of lines of vouchers"),
    "devices": gettext_lazy("Number of devices"),
    "cost_of_devices": gettext_lazy("Cost of the devices"),
    "drawn": gettext_lazy("Drawn down"),
    "received": gettext_lazy("Of it received"),
}

_GAPS = {
    "unpaid": (gettext_lazy("Invoice without payment date"), gettext_lazy("Record the payment")),
    "undelivered": (gettext_lazy("Paid, but not delivered"), gettext_lazy("Record the delivery")),
    "undelivered_closed": (
        gettext_lazy("Paid, not delivered, and the order is closed"),
        gettext_lazy("Record a credit note"),
    ),
    "still_committed": (
        gettext_lazy("Money of the grant that is still committed"),
        gettext_lazy("Pay what is open, or close its orders"),
    ),
    "open_order": (gettext_lazy("Order of which something is still to come"), gettext_lazy("Open the order")),
    "outside_period": (
        gettext_lazy("Invoice outside of the implementation period"),
        gettext_lazy("Explain it in the report"),
    ),
    "no_serial": (gettext_lazy("Device without serial number"), gettext_lazy("Enter the serial number")),
    "gone": (gettext_lazy("Bound device that is gone"), gettext_lazy("Explain it in the report")),
    "unbound": (
        gettext_lazy("Device that the grant does not bind"),
        gettext_lazy("Enter the binding, or explain it in the report"),
    ),
    "over_grant": (gettext_lazy("More paid by the grant than it holds"), gettext_lazy("Check the vouchers")),
    "over_rate": (
        gettext_lazy("More paid by the grant than its rate allows"),
        gettext_lazy("Check the invoices and record credit notes"),
    ),
    "over_limit": (
        gettext_lazy("More paid by the grant than its limit per device allows"),
        gettext_lazy("Record a credit note"),
    ),
    "overdrawn": (
        gettext_lazy("More drawn down than spent"),
        gettext_lazy("Set it off with the next drawdown, or pay it back"),
    ),
    "no_lucom": (gettext_lazy("No Lucom number"), gettext_lazy("Enter it at the grant")),
    "no_contact": (gettext_lazy("No contact for questions"), gettext_lazy("Enter it at the grant")),
    "no_text": (gettext_lazy("Part of the report is empty"), gettext_lazy("Write it")),
}


_PLANNED = {
    "notice": gettext_lazy(
        "Planned is what the grant notice with its changes granted, with the own share that belongs to it."
    ),
    "committed": gettext_lazy(
        "Planned is what was committed for the school out of the grant, with the own share that belongs to it."
    ),
    "budgets": gettext_lazy("Planned is what the grant's budgets held, with the own share that belongs to it."),
}


def planned_in_words(figures: ProofFigures) -> str:
    """What the column of planned amounts stands for."""
    return str(_PLANNED[figures.financing_plan.basis])


def devices_in_words(figures: ProofFigures) -> str:
    """Why the devices cost something else than the vouchers; "" where both are the same, or without devices."""
    if not figures.devices or figures.cost_of_devices == figures.spent:
        return ""
    return _(
        "The vouchers add up to %(vouchers)s, the devices to %(devices)s: vouchers hold also what is no device or has"
        " not come; a device stands here before its invoice is paid, too, and has the price of its order where an"
        " invoice or a credit note differs from it."
    ) % {"vouchers": formats.euro(figures.spent), "devices": formats.euro(figures.cost_of_devices)}


def sums_in_words(sums: Mapping[str, Decimal]) -> Iterator[tuple[str, str]]:
    """Label and figure of each sum that was kept."""
    for name, amount in sums.items():
        yield str(FIGURES[name]), _written(name, amount)


def _written(name: str, amount: Decimal) -> str:
    return formats.number(amount) if name in COUNTED else formats.euro(amount)


def difference_in_words(difference: Difference) -> tuple[str, str, str, str]:
    """Label, before, after, and by how much with its sign."""
    name, by = difference.what, difference.after - difference.before
    sign = "+\u202f" if by > 0 else ""
    before, after = _written(name, difference.before), _written(name, difference.after)
    return (str(FIGURES[name]), before, after, f"{sign}{_written(name, by)}")


def vouchers_in_words(lines: int) -> str:
    """The heading of a list of vouchers: one with several lines stands in it several times."""
    words = ngettext("Vouchers (%(number)s line)", "Vouchers (%(number)s lines)", lines)
    return words % {"number": formats.number(lines)}


def gap_label(gap: Gap) -> str:
    """What is missing: "Device without serial number"."""
    return str(_GAPS[gap.kind][0])


def gap_verb(gap: Gap) -> str:
    """What to do about it."""
    return str(_GAPS[gap.kind][1])


def gap_subject(gap: Gap) -> str:
    """Which row it is about."""
    return str(TEXT_LABELS[gap.subject]) if gap.kind == "no_text" else gap.subject


def facts_in_words(facts: Facts) -> Iterator[tuple[str, str]]:
    """Label and value of what the grant notice says."""
    yield _("Funding programme"), facts.programme
    if facts.legal_basis:
        yield _("Legal basis"), facts.legal_basis
    yield _("File reference"), facts.file_reference
    yield _("Lucom number"), facts.lucom_number or formats.missing()
    yield _("Date of the notice"), formats.day(facts.notice_on)
    yield _("Amount of the grant"), formats.euro(facts.amount)
    yield _("Funding rate"), formats.percent(facts.rate * 100)
    if facts.implementation_until is not None:
        first = formats.day(facts.implementation_from) if facts.implementation_from else "…"
        yield _("Implementation period"), f"{first} – {formats.day(facts.implementation_until)}"
    yield _("Bound until"), formats.day(facts.bound_until) if facts.bound_until else _("no earmarking")
    yield _("School"), facts.school or _("all schools")
    yield _("Contact"), facts.contact or formats.missing()
