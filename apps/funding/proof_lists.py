"""The lists of a proof of use as columns and rows: PDF and spreadsheet show the same."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.core import formats
from apps.funding.proof_figures import HUNDRED, Position, ProofFigures, percent_of
from apps.funding.proof_words import SOURCES

Row = Sequence[Any]


class Percent:
    """Percent points in a cell."""

    def __init__(self, value: Any) -> None:
        self.value = value


def financing(figures: ProofFigures) -> tuple[list[str], list[Row], Row]:
    """Header, rows and sum: where the money came from."""
    header = [_("Source"), _("Planned"), _("Planned, share"), _("Actual"), _("Actual, share")]
    rows: list[Row] = [
        [str(SOURCES[row.kind]), row.planned, Percent(row.planned_percent), row.actual, Percent(row.actual_percent)]
        for row in figures.sources
    ]
    planned = Percent(HUNDRED if figures.planned else None)
    actual = Percent(HUNDRED if figures.eligible else None)
    return header, rows, [_("Eligible expenditure"), figures.planned, planned, figures.eligible, actual]


def money(figures: ProofFigures) -> list[tuple[str, Decimal]]:
    """Label and euros: the way of the grant's money; empty for what was handed in before it was kept."""
    found = figures.money
    if found is None:
        return []
    granted = _("Committed for the school out of the grant") if figures.facts.school else _("Granted")
    return [
        (granted, found.granted),
        (_("Spent out of the grant"), found.spent),
        (_("Drawn down"), found.drawn),
        (_("Of it received"), found.received),
        (_("Still to draw"), found.to_draw),
        (_("To pay back or to set off"), found.to_pay_back),
        (_("Not used of the grant"), found.unused),
    ]


def spending(figures: ProofFigures) -> tuple[list[str], list[Row], Row]:
    """Header, rows and sum: what it was spent on, by budget of the grant."""
    header = [
        _("Position"), _("Year"), _("Planned"), _("Actual"), _("Difference"), _("Actual of planned"),
        _("Paid by the grant"), _("Own share"),
    ]  # fmt: skip
    rows: list[Row] = [
        [*_position(row), row.planned, row.actual, row.difference, Percent(row.percent), row.granted, row.own]
        for row in figures.positions
    ]
    difference = figures.eligible - figures.planned
    percent = Percent(percent_of(figures.eligible, figures.planned))
    last = [_("Sum"), None, figures.planned, figures.eligible, difference, percent, figures.granted, figures.own_share]
    return header, rows, last


def _position(row: Position) -> tuple[str, int | None]:
    """Name and year."""
    return (_("In no budget yet"), None) if row.kind == "unassigned" else (row.name, row.fiscal_year)


def agreement(figures: ProofFigures) -> tuple[list[str], list[Row], Row]:
    """Header, rows and sum: the proof against the ledger."""
    header = [_("Budget"), _("Proof"), _("Books"), _("Difference")]
    own = _("share of the city")
    rows: list[Row] = [
        [f"{row.name} ({own})" if row.own else row.name, row.proof, row.ledger, row.difference]
        for row in figures.agreements
    ]
    proof = sum((row.proof for row in figures.agreements), start=figures.difference * 0)
    return header, rows, [_("Sum"), proof, proof - figures.difference, figures.difference]


def vouchers(figures: ProofFigures) -> tuple[list[str], Iterable[Row], Row]:
    """Header, rows and sum: every paid line of an invoice."""
    header = [
        _("Voucher"), _("Invoice"), _("Invoice date"), _("Payee"), _("Subject"), _("School"), _("Quantity"),
        _("Amount gross"), _("Of it eligible"), _("Paid by the grant"), _("Own share"), _("Paid on"), _("Booking"),
    ]  # fmt: skip
    last = [
        _("Sum"), None, None, None, None, None, None, figures.spent, figures.eligible, figures.granted,
        figures.own_share, None, None,
    ]  # fmt: skip
    return header, _voucher_rows(figures), last


def _voucher_rows(figures: ProofFigures) -> Iterator[Row]:
    for row in figures.vouchers:
        yield [
            row.voucher_number, row.invoice_number, row.dated_on, row.payee, row.subject,
            row.school or _("all schools"), row.quantity, row.amount, row.eligible, row.granted, row.own_share,
            row.paid_on, row.booking_reference,
        ]  # fmt: skip


def vouchers_in_short(figures: ProofFigures) -> tuple[list[str], Iterable[Row], Row]:
    """As `vouchers`, two facts to a cell: thirteen columns are too many for paper."""
    header = [
        f"{_('Voucher')}\n{_('Booking')}", f"{_('Invoice')}\n{_('Invoice date')}", _("Payee"),
        f"{_('Subject')}\n{_('School')}", _("Paid on"), _("Amount gross"), _("Of it eligible"), _("Paid by the grant"),
        _("Own share"),
    ]  # fmt: skip
    rows = (
        [
            two_lines(row.voucher_number, row.booking_reference), two_lines(row.invoice_number, row.dated_on),
            row.payee, two_lines(pieces(row.quantity, row.subject), row.school or _("all schools")), row.paid_on,
            row.amount, row.eligible, row.granted, row.own_share,
        ]
        for row in figures.vouchers
    )  # fmt: skip
    last = [
        _("Sum"), None, None, None, None, figures.spent, figures.eligible, figures.granted, figures.own_share,
    ]  # fmt: skip
    return header, rows, last


def two_lines(first: str, second: Any) -> str:
    """Two facts of a cell, the second below the first; empty ones take no line."""
    lines = (first, formats.day(second) if isinstance(second, datetime.date) else second)
    return "\n".join(line for line in lines if line)


def pieces(quantity: int, subject: str) -> str:
    """ "25 × Tablet"; of a single one, or of a rebate for none, the name is enough."""
    return subject if quantity in (0, 1) else f"{formats.number(quantity)} × {subject}"


def device_groups(figures: ProofFigures) -> list[dict[str, Any]]:
    """By school and, within it, by what devices have in common: {school, parts: [{label, facts, devices}]}.

    A line for each device would repeat product, price and voucher thousands of times.
    """
    groups: defaultdict[str, defaultdict[tuple[Any, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in figures.devices:
        same = (row.product, row.cost, row.voucher_number, row.bound_until)
        words = " ".join(filter(None, (row.tag, row.serial or _("without serial number"))))
        groups[row.school][same].append(f"{words} ({row.gone})" if row.gone else words)
    return [
        {"school": school, "parts": [_device_part(*same, found) for same, found in sorted(parts.items(), key=str)]}
        for school, parts in sorted(groups.items())
    ]


def _device_part(
    product: str, cost: Decimal, voucher: str, bound_until: datetime.date | None, found: list[str]
) -> dict[str, Any]:
    each, sum_of = formats.euro(cost), formats.euro(cost * len(found))
    facts = [_("Voucher %(number)s") % {"number": voucher}] if voucher else []
    if bound_until is not None:
        facts.append(_("bound until %(day)s") % {"day": formats.day(bound_until)})
    costs = each if len(found) == 1 else f"{formats.number(len(found))} × {each} = {sum_of}"
    return {"label": product, "facts": list(filter(None, [costs, ", ".join(facts)])), "devices": found}


def devices(figures: ProofFigures) -> tuple[list[str], Iterable[Row], Row]:
    """Header, rows and sum: every device that was bought and not sent back."""
    header = [
        pgettext("of a device", "Number"), _("Serial number"), _("Product"), _("School"), _("Cost"), _("Voucher"),
        _("Bound until"), _("Remark"),
    ]  # fmt: skip
    last = [_("Sum"), None, None, None, figures.cost_of_devices, None, None, None]
    return header, _device_rows(figures), last


def _device_rows(figures: ProofFigures) -> Iterator[Row]:
    for row in figures.devices:
        yield [
            row.tag, row.serial or None, row.product, row.school, row.cost, row.voucher_number, row.bound_until,
            row.gone,
        ]  # fmt: skip
