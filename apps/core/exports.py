"""Lists as files: CSV that streams, XLSX for spreadsheets. Only what the list itself shows to the person.

A list that an import takes back ends with a line that says how many rows it has: without it the file is cut off.
"""

import csv
import datetime
import logging
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import xlsxwriter
from django.conf import settings
from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from apps.core import clock

logger = logging.getLogger(__name__)

FORMATS = ("csv", "xlsx")
XLSX_ROW_LIMIT = 1_048_575
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SOFT_HYPHEN = "\u00ad"
_BOM = "\ufeff"
_CHUNK = 64 * 1024
_END = gettext_noop("End of the list, complete. Rows: %(rows)s")
_BROKEN = gettext_noop("INCOMPLETE: the export broke off here. Please export again.")


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


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]], *, ends: bool = False) -> Iterator[str]:
    """The lines of the file, see `csv_file`."""
    writer: Any = csv.writer(_Echo(), delimiter=";")
    return csv_file(header, (writer.writerow([csv_cell(value) for value in row]) for row in rows), ends=ends)


def csv_file(header: Sequence[str], lines: Iterable[str], *, ends: bool = False) -> Iterator[str]:
    """Header, then `lines`, one for each row; see `csv_blocks`."""
    return csv_blocks(header, ((line, 1) for line in lines), ends=ends)


def csv_blocks(header: Sequence[str], blocks: Iterable[tuple[str, int]], *, ends: bool = False) -> Iterator[str]:
    """Header, then blocks of lines, each with its number of rows. When reading breaks midway, the last line says so.

    `ends`: otherwise the last line says how many rows there are; `end_of` reads it.
    """
    writer: Any = csv.writer(_Echo(), delimiter=";")
    yield _BOM + writer.writerow([escaped(name) for name in plain_header(header)])
    count = 0
    try:
        for lines, rows in blocks:
            count += rows
            yield lines
    except Exception:  # the answer is on its way; the file itself must say that rows are missing
        logger.exception("An export broke midway")
        yield writer.writerow([_(_BROKEN)])
    else:
        if ends:
            yield writer.writerow([_(_END) % {"rows": count}])


def end_of(cells: Sequence[str]) -> int | None:
    """How many rows a list has that ends with this record; None for any other record."""
    if any(cells[1:]):
        return None
    found = _end_marks()[0].fullmatch(cells[0])
    return int(next(filter(None, found.groups()))) if found else None


def is_broken_off(cells: Sequence[str]) -> bool:
    """Whether this record says that the export broke off here."""
    return not any(cells[1:]) and cells[0] in _end_marks()[1]


@lru_cache
def _end_marks() -> tuple[re.Pattern[str], frozenset[str]]:
    ends, broken = [], set()
    for language, _name in settings.LANGUAGES:
        with override(language):
            ends.append(re.escape(_(_END) % {"rows": 0}).replace("0", r"(\d{1,9})"))
            broken.add(_(_BROKEN))
    return re.compile("|".join(ends), re.ASCII), frozenset(broken)


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Streams `rows`; separator ";", UTF-8 with BOM, as spreadsheets in Germany expect."""
    return lines_response(name, csv_lines(header, rows))


def lines_response(name: str, lines: Iterable[str]) -> StreamingHttpResponse:
    """Streams the lines of a CSV file."""
    response = StreamingHttpResponse(_in_chunks(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{file_name(name, "csv")}"'
    return response


def _in_chunks(lines: Iterable[str]) -> Iterator[str]:
    """Some kilobytes at a time: one packet for each line would take longer than making it."""
    waiting, size = [], 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size > _CHUNK:
            yield "".join(waiting)
            waiting, size = [], 0
    yield "".join(waiting)


def xlsx_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """Writes row by row into a temporary file, so that memory stays small whatever the number of rows.

    The file is handed out when it is complete: an error while reading is an error of the request.
    """
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


def _local(value: datetime.datetime) -> datetime.datetime:
    """Local time without zone: spreadsheets know no time zones."""
    return timezone.localtime(value).replace(tzinfo=None) if timezone.is_aware(value) else value
