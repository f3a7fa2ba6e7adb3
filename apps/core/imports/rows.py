"""From the cells of a file to rows with values and faults: what is wrong whatever the file means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.core import exports
from apps.core.errors import ImportFileError
from apps.core.imports.faults import Fault, shown
from apps.core.imports.reading import Table
from apps.core.imports.sources import ImportSource, Row


def read_rows(source: ImportSource, table: Table, positions: Mapping[str, int], present: set[str]) -> Iterator[Row]:
    """Rows of the file with their values and faults; `present` gathers all keys, of rows left out too."""
    width, seen = len(table.header), dict[str, int]()
    for line, cells in table.rows:
        if source.takes_exports and _is_end(source, cells):
            continue
        source.see_record(cells)
        data = {name: cells[place].strip() if place < len(cells) else "" for name, place in positions.items()}
        key = source.key_of(data)
        row = Row(line=line, data=data, key=shown(key))
        row.reason = source.left_out(data)
        present.add(key)
        if not row.reason:
            _check_width(row, cells, width)
            _check_once(row, source, key, seen)
            source.read(row)
        yield row


def _is_end(source: ImportSource, cells: Sequence[str]) -> bool:
    """Whether this is the last line of an export; raises `ImportFileError` where it says that rows are missing."""
    if any(cells[1:]):
        return False
    if exports.is_broken_off(cells):
        raise ImportFileError(_("This export broke off: rows are missing in it. Please export the list again."))
    rows = exports.end_of(cells)
    if rows is not None:
        source.see_end(rows)
    return rows is not None


def _check_width(row: Row, cells: Sequence[str], width: int) -> None:
    filled = len(cells)
    while filled > width and not cells[filled - 1].strip():
        filled -= 1
    if filled != width and len(cells) != width:
        row.errors.append(
            Fault(
                "",
                gettext_noop("The row has %(found)s cells instead of %(expected)s; it may be cut off."),
                {"found": filled, "expected": width},
            )
        )


def _check_once(row: Row, source: ImportSource, key: str, seen: dict[str, int]) -> None:
    """`seen` remembers on which line each key stood first."""
    if not key:
        return
    first = seen.setdefault(key, row.line)
    if first != row.line:
        row.errors.append(
            Fault(
                source.key_title(row.data),
                gettext_noop("“%(key)s” stands in line %(first)s already; each may stand in the file once."),
                {"key": row.key, "first": first},
            )
        )
