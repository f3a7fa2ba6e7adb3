"""Workbooks with several sheets for papers about money; amounts, days and shares keep their type."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.http import FileResponse

from apps.core.exports import file_name
from apps.funding.proof_lists import Percent, Row

WIDEST = 48


@dataclass(frozen=True)
class Sheet:
    """`last`: the row of sums, set apart."""

    title: str
    header: Sequence[str]
    rows: Iterable[Row]
    last: Row | None = None


def workbook_response(name: str, sheets: Iterable[Sheet]) -> FileResponse:
    """The file is handed out when it is complete."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        writer = _Writer(book)
        for sheet in sheets:
            writer.add(sheet)
    target.seek(0)
    return FileResponse(target, as_attachment=True, filename=file_name(name, "xlsx"))


class _Writer:
    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.book = book
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"})
        self.formats = {
            bold: {
                kind: book.add_format({"num_format": number, "bold": bold, "top": 1 if bold else 0})
                for kind, number in (("day", "dd.mm.yyyy"), ("money", "#,##0.00"), ("percent", "0.0%"), ("text", "@"))
            }
            for bold in (False, True)
        }

    def add(self, sheet: Sheet) -> None:
        page = self.book.add_worksheet(sheet.title[:31])
        page.write_row(0, 0, list(sheet.header), self.head)
        page.freeze_panes(1, 0)
        page.repeat_rows(0)
        page.set_landscape()
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        widths = [len(name) + 2 for name in sheet.header]
        number = 0
        for number, row in enumerate(sheet.rows, start=1):
            self._write(page, number, row, widths, bold=False)
        if sheet.last is not None:
            self._write(page, number + 1, sheet.last, widths, bold=True)
        for column, width in enumerate(widths):
            page.set_column(column, column, min(width, WIDEST))

    def _write(self, page: Any, number: int, row: Row, widths: list[int], *, bold: bool) -> None:
        formats = self.formats[bold]
        for column, value in enumerate(row):
            if value is None or (isinstance(value, Percent) and value.value is None):
                page.write_blank(number, column, None, formats["text"])
                continue
            widths[column] = max(widths[column], len(str(value)) + 3 if not isinstance(value, Percent) else 8)
            if isinstance(value, Percent):
                page.write_number(number, column, value.value / 100, formats["percent"])
            elif isinstance(value, datetime.date):
                page.write_datetime(number, column, value, formats["day"])
            elif isinstance(value, Decimal):
                page.write_number(number, column, value, formats["money"])
            elif isinstance(value, int):
                page.write_number(number, column, value)
            else:
                page.write_string(number, column, str(value), formats["text"])
