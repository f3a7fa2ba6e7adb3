"""Excel workbooks (XLSX) as rows of text, in bounded memory whatever the file holds.

A workbook is a ZIP of XML parts. What could fill the memory is refused first: by the ZIP's directory before anything
is unpacked, then by one pass over each part that keeps nothing. Only then openpyxl reads the sheet row by row.
"""

from __future__ import annotations

import datetime
import re
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO
from xml.parsers import expat

import openpyxl
from django.utils.translation import gettext as _

from apps.core.errors import ImportFileError

MARK = b"PK\x03\x04"
CHUNK = 64 * 1024
ENTRIES = 1_000
DIRECTORY_BYTES = 1024 * 1024
UNPACKED_BYTES = 128 * 1024 * 1024
RATIO, SMALL_PART_BYTES = 200, 1024 * 1024
"""Real sheets shrink to a fifth or a fiftieth, bombs to a thousandth; small parts may shrink as they like."""
SHEETS, SHEET_ROWS = 50, 1_048_576
GATHERERS = {"row": 300_000, "si": 800_000}
"""Elements that openpyxl takes one at a time -> how many of them a part may have."""
ELEMENTS_AT_ONCE, CHARACTERS_AT_ONCE = 100_000, 5_000_000
"""What may stand between two of them, and in a part that has none; comments count as characters."""
TEXT_CHARACTERS = 20_000_000
"""All shared texts: openpyxl keeps them, at up to four bytes a character."""
TOKEN_BYTES = 1024 * 1024
"""A tag or comment: expat reads one that is not complete yet from its beginning with each chunk."""
CELLS = 20_000_000
"""All rows times their widths: openpyxl fills each row up to its last cell, one in column XFD with 16,384."""
OTHER_PART_BYTES = 8 * 1024 * 1024
TABLE_PARTS = ("xl/worksheets/", "xl/sharedStrings")
"""All other parts are small, and some of them are read as a whole."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of others `zipfile` unpacks as much at once as the file likes, whatever size the directory tells."""
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _LOCATOR_BYTES, _LONGEST_COMMENT = 22, 20, 65_535
_ENCODED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True)
class Sheet:
    """The rows of one sheet with their numbers, and how many there are at most."""

    lines: int
    rows: Iterator[tuple[int, list[str]]]


def open_sheet(stream: BinaryIO, known_columns: Callable[[Sequence[str]], int]) -> Sheet:
    """The sheet of a seekable stream whose first row has most known columns; hidden ones do not count.

    Formulas give their value, days read "01.08.2024", and numbers have a decimal comma. Raises `ImportFileError`, also
    while the rows are read.
    """
    _check_directory(stream)
    try:
        with zipfile.ZipFile(stream) as package:
            lines = _check_parts(package)
        sheets = _sheets(stream)
        first_rows = [next((cells for _number, cells in _rows(sheet) if any(cells)), []) for sheet in sheets]
    except ImportFileError:
        raise
    except Exception as error:  # openpyxl and zipfile raise whatever a damaged file leads them to
        raise _damaged() from error
    if not any(first_rows):
        raise ImportFileError(_("The file holds no table. Please choose another file."))
    best = max(range(len(sheets)), key=lambda place: (known_columns(first_rows[place]), bool(first_rows[place])))
    return Sheet(lines, _guarded(sheets[best]))


def _damaged() -> ImportFileError:
    return ImportFileError(_("The Excel file is damaged or cut off. Please fetch it again, or save it as CSV."))


def _too_large() -> ImportFileError:
    return ImportFileError(
        _("The Excel file is far too large once it is unpacked. Please save the table as CSV and choose that file.")
    )


# -- before anything is unpacked ----------------------------------------------------------------------------------


def _check_directory(stream: BinaryIO) -> None:
    """Refuses a directory that is too large to be read at all: `zipfile` loads it as a whole."""
    size = stream.seek(0, 2)
    start = max(0, size - _END_BYTES - _LONGEST_COMMENT - _LOCATOR_BYTES)
    stream.seek(start)
    tail = stream.read(size - start)
    place = len(tail) - _END_BYTES
    if not (tail[place : place + 4] == _END and tail.endswith(b"\0\0")):
        place = tail.rfind(_END)
    if place < 0 or len(tail) < place + _END_BYTES:
        raise _damaged()
    directory_bytes = struct.unpack_from("<L", tail, place + 12)[0]
    if directory_bytes > DIRECTORY_BYTES or tail[place - _LOCATOR_BYTES : place].startswith(_END_64):
        raise _too_large()
    stream.seek(0)


def _check_parts(package: zipfile.ZipFile) -> int:
    """Refuses bombs; returns the highest number of rows that a part has."""
    parts = package.infolist()
    if "[Content_Types].xml" not in package.namelist() or not any(part.filename.startswith("xl/") for part in parts):
        raise ImportFileError(
            _("This is a ZIP file, but no Excel workbook (XLSX). Please choose a table as XLSX or CSV.")
        )
    if any(part.flag_bits & 1 for part in parts):
        raise ImportFileError(_("The Excel file has a password. Please save it without one."))
    if any(part.compress_type not in METHODS for part in parts):
        raise _damaged()
    is_large = any(
        part.file_size > OTHER_PART_BYTES and part.filename.endswith((".xml", ".rels"))
        and not part.filename.startswith(TABLE_PARTS) for part in parts
    )  # fmt: skip
    is_bomb = any(part.file_size > SMALL_PART_BYTES and part.file_size > RATIO * part.compress_size for part in parts)
    if is_bomb or is_large or len(parts) > ENTRIES or sum(part.file_size for part in parts) > UNPACKED_BYTES:
        raise _too_large()
    return max(_scanned(package, part) for part in parts)


def _scanned(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """Rows of a part. What is no XML is passed over: openpyxl would get no farther than this."""
    scan = _Scan()
    with package.open(part) as content:
        while chunk := content.read(CHUNK):
            try:
                scan.feed(chunk)
            except expat.ExpatError:
                break
    return scan.found["row"]


class _Scan:
    """Counts elements, cells and characters as they pass by; raises `ImportFileError` beyond the limits."""

    def __init__(self) -> None:
        self.found = dict.fromkeys(GATHERERS, 0)
        self._elements = self._characters = self._texts = self._cells = self._fed = 0
        self._last_cell = ""
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._element
        self._parser.CharacterDataHandler = self._parser.CommentHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk, False)
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > TOKEN_BYTES:
            raise _too_large()

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition("}")[2]
        self._elements += 1
        if name in self.found:
            self.found[name] += 1
            self._elements = self._characters = 0
            self._cells += _width(self._last_cell)
            self._last_cell = ""
            if self.found[name] > GATHERERS[name] or self._cells > CELLS:
                raise _too_large()
        elif self._elements > ELEMENTS_AT_ONCE:
            raise _too_large()
        elif name == "c":
            self._last_cell = attributes.get("r", "")

    def _text(self, text: str) -> None:
        self._characters += len(text)
        self._texts += len(text) if self.found["si"] else 0
        if self._characters > CHARACTERS_AT_ONCE or self._texts > TEXT_CHARACTERS:
            raise _too_large()

    def _doctype(self, *_declaration: object) -> None:
        """Workbooks have no document type; one may hold entities that grow without end."""
        raise _damaged()


def _width(cell: str) -> int:
    """The number of a cell's column: 28 for "AB7"; 0 where it does not say."""
    width = 0
    for letter in cell[:3].upper():
        width = width * 26 + ord(letter) - 64 if "A" <= letter <= "Z" else width
    return width


# -- rows ---------------------------------------------------------------------------------------------------------


def _sheets(stream: BinaryIO) -> list[Any]:
    stream.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    return [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"][:SHEETS]


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """What a sheet says of its own size may be wrong, so it is not asked."""
    sheet.reset_dimensions()
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > SHEET_ROWS:
            raise _damaged()
        cells = [text_of(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def _guarded(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from _rows(sheet)
    except ImportFileError:
        raise
    except Exception as error:  # as above
        raise _damaged() from error


def text_of(value: Any) -> str:
    """A cell as a German CSV would have it; text stays as it is, with its leading zeros."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _ENCODED.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}".replace(".", ",")
    if isinstance(value, datetime.datetime):
        return f"{value:%d.%m.%Y}" if value.time() == datetime.time() else f"{value:%d.%m.%Y %H:%M:%S}"
    return str(value)
