"""From the bytes of a text file or workbook to its rows, whatever program saved it. Memory stays bounded throughout."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.errors import ImportFileError
from apps.core.exports import escaped
from apps.core.imports import workbooks

CHUNK = 64 * 1024
GERMAN_LETTERS = frozenset("äöüÄÖÜßéèç")
DELIMITERS = (";", ",", "\t")
WORKBOOK = "xlsx"
"""Stands where a text file has its encoding."""
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_WEB_PAGE = _("This is a web page or XML, no table. Please fetch the table once more, as XLSX or CSV.")
FOREIGN_MARKS = {
    b"\xd0\xcf\x11\xe0": _("This is an old Excel file. Please save the table as XLSX or CSV and choose that file."),
    b"%PDF": _("This is a PDF file. Please choose the table as XLSX or CSV."),
    b"\x1f\x8b": _("This is a compressed file. Please unpack it and choose the table in it."),
    **dict.fromkeys((b"<!DO", b"<!do", b"<htm", b"<HTM", b"<?xm"), _NO_WEB_PAGE),
}


@dataclass(frozen=True)
class Limits:
    """What a file may be at most; a file beyond it is refused with one sentence."""

    file_bytes: int = 20 * 1024 * 1024
    rows: int = 100_000
    columns: int = 200
    line_characters: int = 50_000
    cell_characters: int = 5_000


@dataclass(frozen=True)
class Content:
    """What one pass over the bytes tells: the encoding and roughly how many lines there are."""

    encoding: str
    lines: int

    @property
    def is_workbook(self) -> bool:
        return self.encoding == WORKBOOK


@dataclass(frozen=True)
class Table:
    """An opened table: the header's names, and the rows after it with their line numbers."""

    content: Content
    delimiter: str
    header: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]


def open_table(
    stream: BinaryIO,
    *,
    known_columns: Callable[[Sequence[str]], int],
    legacy_encodings: tuple[str, str] = ("cp1252", "cp850"),
    limits: Limits | None = None,
    like_exports: bool = False,
) -> Table:
    """Recognises encoding, delimiter and header of a seekable stream.

    `known_columns` says how many names of a header it knows: that decides between delimiters, and between sheets.
    `legacy_encodings` are tried for files that are not UTF-8, the expected one first. `like_exports` gives the cells
    of a workbook the apostrophe that they bear in our CSV exports, for parsers that take it off.
    Raises `ImportFileError`, also while the rows are read.
    """
    limits = limits or Limits()
    stream.seek(0)
    if stream.read(len(workbooks.MARK)) == workbooks.MARK:
        return _open_workbook(stream, known_columns, limits, like_exports=like_exports)
    content = scan(stream, legacy_encodings=legacy_encodings, limits=limits)
    stream.seek(0)
    lines = _Lines(stream, content.encoding, limits)
    first = lines.next_filled()
    delimiter = _declared_delimiter(first)
    if delimiter:
        first = lines.next_filled()
    delimiter = delimiter or _best_delimiter(first, known_columns)
    lines.put_back(first)
    records = _within(_records(lines, delimiter), limits)
    _line, header = next(records)
    return Table(content, delimiter, _without_empty_end(header), records)


def _open_workbook(
    stream: BinaryIO, known_columns: Callable[[Sequence[str]], int], limits: Limits, *, like_exports: bool
) -> Table:
    if stream.seek(0, io.SEEK_END) > limits.file_bytes:
        raise _too_large(limits)
    sheet = workbooks.open_sheet(stream, known_columns)
    rows = ((line, [escaped(cell) for cell in cells]) for line, cells in sheet.rows) if like_exports else sheet.rows
    records = _within(rows, limits)
    _line, first = next(records)
    header = _without_empty_end(first)
    filled = ((line, [*cells, *[""] * (len(header) - len(cells))]) for line, cells in records)
    return Table(Content(WORKBOOK, sheet.lines), "", header, filled)


def scan(stream: BinaryIO, *, legacy_encodings: tuple[str, str], limits: Limits) -> Content:
    """One pass over the bytes: refuses what is no text or too large, and settles the encoding."""
    stream.seek(0)
    head = stream.read(4)
    _refuse_foreign(head)
    stream.seek(0)
    utf8 = codecs.getincrementaldecoder("utf-8")()
    is_utf8, size, counts = True, 0, Counter[int]()
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limits.file_bytes:
            raise _too_large(limits)
        if b"\x00" in chunk:
            raise ImportFileError(
                _("This is neither a text file nor an Excel workbook. Please choose a CSV or XLSX file.")
            )
        counts.update(chunk)
        is_utf8 = is_utf8 and _accepts(utf8, chunk)
    if not any(byte not in b" \t\r\n" for byte in counts):
        raise ImportFileError(_("The file is empty. Please choose another file."))
    if is_utf8 and not _accepts(utf8, b"", final=True):
        raise ImportFileError(_("The file is cut off at its end. Please fetch it again."))
    encoding = _utf8_kind(head) if is_utf8 else _legacy_encoding(counts, legacy_encodings)
    return Content(encoding, counts[10] + 1)


def _too_large(limits: Limits) -> ImportFileError:
    return ImportFileError(
        _("The file is larger than %(megabytes)s MB. Please choose a smaller file.")
        % {"megabytes": limits.file_bytes // 1024 // 1024}
    )


def _refuse_foreign(head: bytes) -> None:
    if head.startswith(UTF16_MARKS):
        raise ImportFileError(
            _("The file is saved as “Unicode text” (UTF-16). Please save it as “CSV UTF-8” and choose that file.")
        )
    for mark, sentence in FOREIGN_MARKS.items():
        if head.startswith(mark):
            raise ImportFileError(sentence)


def _accepts(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _utf8_kind(head: bytes) -> str:
    return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"


def _legacy_encoding(counts: Counter[int], candidates: tuple[str, str]) -> str:
    """The encoding under which the bytes are valid and spell more German letters; the expected one on a tie."""

    def score(encoding: str) -> int:
        letters = 0
        for byte, times in counts.items():
            if byte < 128:
                continue
            try:
                letters += times if bytes([byte]).decode(encoding) in GERMAN_LETTERS else 0
            except UnicodeDecodeError:
                return -1
        return letters

    return max(candidates, key=score)


class _Lines:
    """Lines of the file as csv wants them; a line beyond the limit is refused before it fills the memory."""

    def __init__(self, stream: BinaryIO, encoding: str, limits: Limits) -> None:
        self._text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        self._limits = limits
        self._waiting: str | None = None
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._waiting is not None:
            line, self._waiting = self._waiting, None
        else:
            line = self._text.readline(self._limits.line_characters + 1)
        if not line:
            self._text.detach()
            raise StopIteration
        self.number += 1
        if len(line) > self._limits.line_characters:
            raise ImportFileError(
                _("Line %(line)s is far too long. This is not the expected table; please choose another file.")
                % {"line": self.number}
            )
        return line

    def next_filled(self) -> str:
        """The next line that holds anything; the file has one, `scan` saw to it."""
        for line in self:
            if line.strip():
                return line
        raise ImportFileError(_("The file holds no table. Please choose another file."))

    def put_back(self, line: str) -> None:
        self._waiting = line
        self.number -= 1


def _declared_delimiter(line: str) -> str:
    """The delimiter of a line `sep=;` as Excel writes it, else nothing."""
    text = line.strip("\r\n").strip('"').rstrip(" ")
    is_declaration = text.lower().startswith("sep=") and len(text) == len("sep=") + 1
    return text[-1] if is_declaration and text[-1] in DELIMITERS else ""


def _best_delimiter(line: str, known_columns: Callable[[Sequence[str]], int]) -> str:
    def score(delimiter: str) -> tuple[int, int]:
        names = [name.strip().strip('"') for name in line.strip("\r\n").split(delimiter)]
        return known_columns(names), len(names)

    return max(DELIMITERS, key=score)


def _records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the line they begin on."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines.number + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise ImportFileError(
                _("The table is damaged or cut off from line %(line)s on (quotation marks). Please fetch it again.")
                % {"line": line}
            ) from None
        yield line, record


def _within(records: Iterator[tuple[int, list[str]]], limits: Limits) -> Iterator[tuple[int, list[str]]]:
    """The records that hold anything; beyond the limits the file is refused."""
    count = 0
    for line, record in records:
        if not "".join(record).strip():
            continue
        _check_size(record, line, limits)
        count += 1
        if count > limits.rows + 1:
            raise ImportFileError(
                _("The file has more than %(rows)s rows. Please split it up.") % {"rows": formats.number(limits.rows)}
            )
        yield line, record


def _check_size(record: list[str], line: int, limits: Limits) -> None:
    if len(record) > limits.columns:
        raise ImportFileError(
            _("Line %(line)s has more than %(columns)s columns. This is not the expected table.")
            % {"line": line, "columns": limits.columns}
        )
    if max(map(len, record)) > limits.cell_characters:
        raise ImportFileError(
            _("A cell in line %(line)s is far too long. This is not the expected table.") % {"line": line}
        )


def _without_empty_end(header: list[str]) -> tuple[str, ...]:
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()
    return tuple(names)
