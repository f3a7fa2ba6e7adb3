"""The list of a drawdown (Mittelabruf) as tagged PDF and as spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.http import FileResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.core import formats
from apps.funding import cancelled
from apps.funding.choices import DrawdownState
from apps.funding.drawdown_selectors import Drawn, items_of, sums_of
from apps.funding.models import Drawdown, DrawdownItem, FreedItem
from apps.funding.proof_lists import Row, pieces, two_lines
from apps.funding.proof_words import vouchers_in_words
from apps.funding.sheets import Sheet, workbook_response
from apps.funding.typeset import pdf_of, table

_TEMPLATE = Path(__file__).with_name("drawdown.typ")


def drawdown_pdf(drawdown: Drawdown) -> bytes:
    """A tagged PDF (PDF/UA-1)."""
    items = items_of(drawdown)
    sums = sums_of(drawdown, items)
    is_marked = drawdown.state in (DrawdownState.DRAFT, DrawdownState.CANCELLED)
    document = {
        "title": f"{_('Drawdown')} {drawdown.number}, {_reference(drawdown)}",
        "heading": f"{_('Drawdown')} {drawdown.number}",
        "subtitle": drawdown.grant.programme.name,
        "running": _reference(drawdown),
        "mark": str(DrawdownState(drawdown.state).label) if is_marked else "",
        "facts": [list(fact) for fact in facts_of(drawdown)],
        "sums": {
            "title": _("Sums"),
            "rows": [[label, formats.euro(amount)] for label, amount in sums_in_words(drawdown, sums)],
        },
        "vouchers": table(*items_in_short(items, sums)) | {"title": vouchers_in_words(len(items))},
        "signatures": _signatures(drawdown, sums),
    }
    return pdf_of(_TEMPLATE, document)


def _signatures(drawdown: Drawdown, sums: Drawn) -> dict[str, Any]:
    """What is confirmed, and the lines to sign; nobody signs a cancelled one."""
    named = {"reference": _reference(drawdown), "amount": formats.euro(sums.amount)}
    if drawdown.state == DrawdownState.CANCELLED:
        return {
            "title": _("Drawdown cancelled"),
            "sum": _("Had been called out of the grant %(reference)s: %(amount)s.") % named,
            "text": _("It is cancelled: it counts as not called, and its vouchers are free for another drawdown."),
            "lines": [],
        }
    return {
        "title": _("Confirmation"),
        "sum": _("Called with this drawdown out of the grant %(reference)s: %(amount)s.") % named,
        "text": _("The money is needed for expenditure that has been paid, as the vouchers above show."),
        "lines": [_("Place, day"), _("Signature, name and office")],
    }


def drawdown_xlsx(drawdown: Drawdown) -> FileResponse:
    """A sheet with the facts and sums, and one with the vouchers."""
    items = items_of(drawdown)
    sums = sums_of(drawdown, items)
    facts: list[Row] = [
        *(list(fact) for fact in facts_of(drawdown)),
        *(list(row) for row in sums_in_words(drawdown, sums)),
    ]
    sheets = [
        Sheet(_("Drawdown"), [_("What"), _("Value")], facts),
        Sheet(_("Vouchers"), *item_list(items, sums)),
    ]
    return workbook_response(file_stem(drawdown), sheets)


def file_stem(drawdown: Drawdown) -> str:
    """The name of the file without its day: with the file reference and the number."""
    reference = "".join(sign if sign.isalnum() else "-" for sign in _reference(drawdown))
    name = pgettext("name of a file", "drawdown")  # gettext finds no words within an f-string
    return f"{name}-{reference}-{drawdown.number}"


def _reference(drawdown: Drawdown) -> str:
    """As it was when requested; of a draft the grant's."""
    return drawdown.file_reference or drawdown.grant.file_reference


def facts_of(drawdown: Drawdown) -> Iterator[tuple[str, str]]:
    """Label and value."""
    grant = drawdown.grant
    yield _("State"), str(DrawdownState(drawdown.state).label)
    yield _("Funding programme"), grant.programme.name
    yield _("File reference"), _reference(drawdown)
    yield _("Lucom number"), drawdown.lucom_number or grant.lucom_number or formats.missing()
    yield _("Amount of the grant"), formats.euro(grant.amount)
    if drawdown.requested_on is not None:
        yield _("Requested on"), formats.day(drawdown.requested_on)
    if drawdown.received_on is not None:
        yield _("Received on"), formats.day(drawdown.received_on)
    if (cancelling := cancelled.cancelling_of(drawdown)) is not None:
        yield pgettext("of a paper", "Cancelled"), cancelled.in_words(cancelling)
    if drawdown.remark:
        yield _("Remark"), drawdown.remark


def sums_in_words(drawdown: Drawdown, sums: Drawn) -> list[tuple[str, Any]]:
    """Label and euros."""
    called = _("Called with this drawdown")
    if drawdown.state == DrawdownState.CANCELLED:
        called = _("Called with this drawdown, cancelled")
    return [
        (_("Eligible expenditure of the vouchers"), sums.eligible),
        (called, sums.amount),
        (_("Called before"), sums.before),
        (_("Left of the grant"), sums.remaining),
    ]


def item_list(items: Sequence[DrawdownItem | FreedItem], sums: Drawn) -> tuple[list[str], list[Row], Row]:
    """Header, rows and sum."""
    header = [
        _("Voucher"), _("Invoice"), _("Invoice date"), _("Payee"), _("Subject"), _("School"), _("Quantity"),
        _("Of it eligible"), _("Paid by the grant"), _("Paid on"),
    ]  # fmt: skip
    rows: list[Row] = [_row(item) for item in items]
    return header, rows, [_("Sum"), None, None, None, None, None, None, sums.eligible, sums.amount, None]


def items_in_short(items: Sequence[DrawdownItem | FreedItem], sums: Drawn) -> tuple[list[str], list[Row], Row]:
    """As `item_list`, two facts to a cell: so the list stands upright on paper."""
    header = [
        f"{_('Voucher')}\n{_('Booking')}", f"{_('Invoice')}\n{_('Invoice date')}", _("Payee"),
        f"{_('Subject')}\n{_('School')}", _("Paid on"), _("Of it eligible"), _("Paid by the grant"),
    ]  # fmt: skip
    rows: list[Row] = [_short_row(item) for item in items]
    return header, rows, [_("Sum"), None, None, None, None, sums.eligible, sums.amount]


def _short_row(item: DrawdownItem | FreedItem) -> Row:
    number, invoice_number, dated_on, payee, subject, school, quantity, eligible, amount, paid_on = _row(item)
    return [
        two_lines(number, item.invoice_line.invoice.booking_reference), two_lines(invoice_number, dated_on), payee,
        two_lines(pieces(quantity, subject), school), paid_on, eligible, amount,
    ]  # fmt: skip


def _row(item: DrawdownItem | FreedItem) -> Row:
    line, ordered, invoice = item.invoice_line, item.invoice_line.order_line, item.invoice_line.invoice
    return [
        invoice.voucher_number, invoice.number, invoice.dated_on, invoice.payee,
        str(ordered.product or ordered.description), str(ordered.school or _("all schools")), line.quantity,
        line.eligible_amount, item.amount, invoice.paid_on,
    ]  # fmt: skip
