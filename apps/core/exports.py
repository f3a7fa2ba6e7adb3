"""Lists as files: CSV that streams, XLSX for spreadsheets. Only what the list itself shows to the person."""

import csv
import datetime
import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core import clock

logger = logging.getLogger(__name__)

FORMATS = ("csv", "xlsx")
XLSX_ROW_LIMIT = 1_048_575
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SOFT_HYPHEN = "\u00ad"
_BOM = "\ufeff"


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def escaped(text: str) -> str:
    """Text that a spreadsheet does not take for a formula. `unescaped` gives it back."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA_STARTS) else text


def unescaped(text: str) -> str:
    """What `escaped` was made of; other text as it is."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA_STARTS) else text


def plain_header(header: Sequence[str]) -> list[str]:
    """Column names without the soft hyphens that break them on narrow screens: other programs look them up."""
    return [str(name).replace(_SOFT_HYPHEN, "") for name in header]


def csv_cell(value: Any) -> str:
    """A value as German spreadsheets read it: "1234,56", "22.11.2026", "22.11.2026 10:42"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", ",")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime.datetime):
        return f"{_local(value):%d.%m.%Y %H:%M}"
    if isinstance(value, datetime.date):
        return f"{value:%d.%m.%Y}"
    return escaped(str(value))


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of the file. When reading breaks midway, the last line says that the file is incomplete."""
    writer: Any = csv.writer(_Echo(), delimiter=";")
    yield _BOM + writer.writerow([escaped(name) for name in plain_header(header)])
    try:
        for row in rows:
            yield writer.writerow([csv_cell(value) for value in row])
    except Exception:  # the answer is on its way; the file itself must say that rows are missing
        logger.exception("An export broke midway")
        yield writer.writerow([_("INCOMPLETE: the export broke off here. Please export again.")])


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Streams `rows`; separator ";", UTF-8 with BOM, as spreadsheets in Germany expect."""
    response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name(name, "csv")}"'
    return response


def xlsx_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """Writes row by row into a temporary file, so that memory stays small whatever the number of rows."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        _Sheet(book, header).write(rows)
    target.seek(0)
    return FileResponse(target, as_attachment=True, filename=file_name(name, "xlsx"))


class _Sheet:
    """One worksheet; each kind of value keeps its type and gets its format."""

    def __init__(self, book: xlsxwriter.Workbook, header: Sequence[str]) -> None:
        self.sheet = book.add_worksheet()
        self.day = book.add_format({"num_format": "dd.mm.yyyy"})
        self.moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        self.decimal = book.add_format({"num_format": "#,##0.00"})
        self.sheet.freeze_panes(1, 0)
        self.sheet.set_column(0, max(len(header) - 1, 0), 20)
        self.sheet.write_row(0, 0, plain_header(header), book.add_format({"bold": True, "bottom": 1}))

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        for number, row in enumerate(rows, start=1):
            if number > XLSX_ROW_LIMIT - 1:
                self.sheet.write_string(number, 0, _("INCOMPLETE: a sheet holds no more rows. Please filter the list."))
                return
            for column, value in enumerate(row):
                self._write_cell(number, column, value)

    def _write_cell(self, row: int, column: int, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, bool):
            self.sheet.write_string(row, column, _("yes") if value else _("no"))
        elif isinstance(value, datetime.datetime):
            self.sheet.write_datetime(row, column, _local(value), self.moment)
        elif isinstance(value, datetime.date):
            self.sheet.write_datetime(row, column, value, self.day)
        elif isinstance(value, Decimal):
            self.sheet.write_number(row, column, value, self.decimal)
        elif isinstance(value, int):
            self.sheet.write_number(row, column, value)
        else:
            self.sheet.write_string(row, column, str(value))


def file_name(name: str, extension: str) -> str:
    """ "inventory-2026-11-22.csv"."""
    return f"{name}-{clock.today():%Y-%m-%d}.{extension}"


def export_response(kind: str, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponseBase:
    """The file in the given format, one of FORMATS."""
    return csv_response(name, header, rows) if kind == "csv" else xlsx_response(name, header, rows)


def _local(value: datetime.datetime) -> datetime.datetime:
    """Local time without zone: spreadsheets know no time zones."""
    return timezone.localtime(value).replace(tzinfo=None) if timezone.is_aware(value) else value
