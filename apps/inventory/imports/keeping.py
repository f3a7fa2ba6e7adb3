"""What is kept of an uploaded list until it is written: nothing of columns with secrets or personal data."""

from __future__ import annotations

import csv
import io
import tempfile
from typing import TYPE_CHECKING, Any

from django.core.files import File

from apps.core.imports.columns import known_columns
from apps.core.imports.reading import open_table
from apps.inventory.imports.assigning import KEYS
from apps.inventory.imports.cells import LINE_BREAK

if TYPE_CHECKING:
    from apps.inventory.imports.devices import DevicesSource

IN_MEMORY = 2 * 1024 * 1024


def stripped(upload: File, source: DevicesSource, options: dict[str, str]) -> File:
    """The list with the cells of these columns emptied, each row on the line where it stood.

    The other columns stay until the import is applied or discarded, because people may assign them yet; of private
    devices nothing stays. Adds to `options` what the source found, the `encoding` of the upload, and
    `unassigned` where no column tells devices apart. Raises `ImportFileError` when the list cannot be read.
    """
    table = open_table(
        _Undying(upload.file),
        known_columns=known_columns(source.all_columns()),
        legacy_encodings=source.legacy_encodings,
        limits=source.limits,
        like_exports=source.takes_exports,
    )
    source.see_header(table.header)
    fields = source.fields_by_place(table.header)
    positions = {name: place for place, name in enumerate(fields) if name}
    target: Any = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the caller's File closes it
    text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
    writer = _Writer(text)
    writer.row(1, list(table.header))
    closed = source.closed_places(table.header)
    kept, breaks = set(range(len(table.header))) - closed, LINE_BREAK if table.content.is_workbook else "\n"
    for line, cells in table.rows:
        source.see_record(cells)
        data = {name: cells[place].strip() for name, place in positions.items() if place < len(cells)}
        private = source.left_out(data) == "private"
        only = {positions["private"]} if private else kept
        writer.row(
            line,
            [_lines(cell).replace("\n", breaks) if place in only else _breaks(cell, breaks)
             for place, cell in enumerate(cells)],
        )  # fmt: skip
    if KEYS.isdisjoint(positions):
        options["unassigned"] = "1"
    options |= source.options | {"encoding": table.content.encoding}
    options |= {"workbook": "1"} if table.content.is_workbook else {}
    text.detach()
    target.seek(0)
    return File(target, name=upload.name)


class _Writer:
    """Writes rows so that each begins on a given line; rows only move down where the header stood lower."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self._next = text, 1
        self._csv: Any = csv.writer(self, delimiter=";", lineterminator="\n")

    def write(self, chunk: str) -> None:
        self._text.write(chunk)
        self._next += chunk.count("\n")

    def row(self, line: int, cells: list[str]) -> None:
        self.write("\n" * (line - self._next))
        self._csv.writerow(cells)


class _Undying(io.RawIOBase):
    """A stream whose end of reading does not close the upload."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        return int(self._stream.seek(place, whence))

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _lines(cell: str) -> str:
    return cell.replace("\r\n", "\n").replace("\r", "\n")


def _breaks(cell: str, breaks: str) -> str:
    """Nothing but the line breaks of a cell, so that the rows below keep their lines."""
    return "\n" * _lines(cell).count("\n") if breaks == "\n" else ""
