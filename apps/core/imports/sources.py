"""What a kind of file means. A source is a small class; the engine does the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.files import File
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.core.errors import DomainError
from apps.core.imports.columns import Column, find_columns
from apps.core.imports.faults import CellError, Fault
from apps.core.imports.forms import ImportUploadForm
from apps.core.imports.reading import Limits
from apps.core.models import ImportRow, RowAction

Changes = dict[str, list[Any]]
ReadAgain = Callable[[QuerySet[ImportRow]], "list[Row]"]
REMEMBERED = 2_000


@dataclass(slots=True)
class Row:
    """One row on its way: its cells as text, then as values, then what it would do to `target`, if there is one."""

    line: int
    data: dict[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    label: str = ""
    action: str = RowAction.UNCHANGED
    reason: str = ""
    changes: Changes = field(default_factory=dict)
    errors: list[Fault] = field(default_factory=list)
    hints: list[Fault] = field(default_factory=list)
    target: Any = None

    @property
    def is_sound(self) -> bool:
        return not self.errors and not self.reason

    def settle(self) -> None:
        """Being left out or faulty outweighs what the comparison found."""
        if self.reason:
            self.action, self.changes = RowAction.LEFT_OUT, {}
        elif self.errors:
            self.action, self.changes = RowAction.WRONG, {}


class ImportSource:
    """One kind of file. Class attributes describe it, methods say what its rows mean.

    `key_column` tells rows apart, `reasons` explains the codes of `left_out`, `fields` names what can change in the
    order in which it is shown (the database does not keep the order of `changes`). Rows left out for one of
    `named_reasons` are reported one by one, not only counted. A source may add to `options` while it checks a file:
    what it found out is kept with the run. `takes_exports`: its parsers undo what `exports.escaped` does.
    `is_mappable`: people may put right which column goes where, see `mappings`.
    """

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    permission: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    key_column: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]
    reasons: ClassVar[Mapping[str, str | Promise]] = {}
    named_reasons: ClassVar[frozenset[str]] = frozenset()
    legacy_encodings: ClassVar[tuple[str, str]] = ("cp1252", "cp850")
    limits: ClassVar[Limits] = Limits()
    takes_exports: ClassVar[bool] = False
    is_mappable: ClassVar[bool] = False
    upload_form: ClassVar[type[ImportUploadForm]] = ImportUploadForm

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self.options = dict(options or {})
        self._read: defaultdict[str, dict[str, Any]] = defaultdict(dict)

    @classmethod
    def kept_file(cls, upload: File, options: dict[str, str]) -> File:
        """What is stored of an uploaded file until it is written; may add to `options` what it left out.

        Raises `ImportFileError` for a file that cannot be read: nothing of it is stored then.
        """
        return upload

    def all_columns(self) -> Sequence[Column]:
        """The columns of this kind; a source whose columns depend on the database adds them here."""
        return self.columns

    def see_header(self, header: Sequence[str]) -> None:
        """Looks at the names in the header before columns are searched; may raise `ImportFileError`."""

    def positions(self, header: Sequence[str]) -> Mapping[str, int]:
        """Column name -> its place, after `see_header`; raises `ImportFileError` where one is missing."""
        return find_columns(header, self.all_columns())

    def offered_fields(self) -> Sequence[tuple[str, str | Promise]]:
        """What columns can be assigned to, with labels; of a mappable source, as the four below."""
        return ()

    def fields_by_place(self, header: Sequence[str]) -> list[str]:
        """What each column goes to at present, empty where it is not taken; after `see_header`."""
        return [""] * len(header)

    def closed_places(self, header: Sequence[str]) -> set[int]:
        """Columns that must never be taken."""
        return set(range(len(header)))

    def ensure_fields(self, fields: Sequence[str]) -> None:
        """Refuses an assignment with which no row could be read; raises `DomainError`."""

    def mapping_options(self) -> dict[str, str]:
        """The options that are saved with an assignment."""
        return {}

    def see_record(self, cells: Sequence[str]) -> None:
        """Looks at all cells of a row, also those that no column takes, before it is read."""

    def see_end(self, rows: int) -> None:
        """Looks at the line that ends our exports: how many rows stood in the list; sources that take exports."""

    def see_end_of_file(self, rows: int, *, is_workbook: bool) -> None:
        """Looks at the number of rows that were there, before the check ends. No workbook is cut off unseen."""

    def key_of(self, data: Mapping[str, str]) -> str:
        """What tells rows apart: each may stand in the file once."""
        return data.get(self.key_column, "")

    def key_title(self, data: Mapping[str, str]) -> str:
        """How the file calls the column that `key_of` took its answer from."""
        return next(column.title for column in self.columns if column.name == self.key_column)

    def expected(self) -> Sequence[tuple[str, str]]:
        """Key and name of what is on file and would stand in a complete file; what does not is listed as missing."""
        return ()

    def prepare(self) -> None:
        """Loads what many rows need (keys, reference rows); runs before each check and each write."""

    def left_out(self, data: Mapping[str, str]) -> str:
        """A code of `reasons` when the row is none of ours, judged by its text alone; else empty."""
        return ""

    def clean(self, row: Row) -> None:
        """Rules over several cells: adds to `row.errors` and `row.hints`, sets `row.label`."""

    def lock(self, staged: QuerySet[ImportRow]) -> None:
        """Locks all rows that will be written, in primary-key order; first statement of the transaction."""

    def compare(self, rows: Sequence[Row]) -> None:
        """Sets action, changes and target of sound rows against the database, in a fixed number of queries.

        `changes` holds JSON values: field -> [old, new]; old is None for a new row.
        """
        raise NotImplementedError

    def write(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        """Writes new and changed rows in a fixed number of statements; called inside the one transaction."""
        raise NotImplementedError

    def write_alike(
        self, staged: QuerySet[ImportRow], read_again: ReadAgain, *, by: Any, reason: str
    ) -> QuerySet[ImportRow]:
        """Writes those of the staged rows that need not be read one by one; returns the others.

        `read_again` reads and compares some of them, and raises `DomainError` where the outcome is not what was shown.
        """
        return staged

    def finish(self) -> None:
        """The last statement of the transaction, e.g. raising versions."""

    def field_label(self, name: str) -> str:
        """How people call a field of `changes`."""
        raise NotImplementedError

    def display(self, name: str, value: Any) -> str:
        """A value of `changes` as people read it, after `prepare`; empty for none."""
        return "" if value is None else str(value)

    def kinds(self, changes: Changes) -> list[str]:
        """What sorts of changes these are, in a word each ("renamed"), for those who only skim the list."""
        return []

    def option_labels(self) -> list[str]:
        """The run's options as people read them."""
        return []

    def remarks(self) -> list[str]:
        """Sentences about the file as a whole, below the counts of a report."""
        return []

    def more_figures(self) -> dict[str, Any]:
        """What a report as JSON says on top, for this kind of file."""
        return {}

    def read(self, row: Row) -> None:
        """Turns the row's text into values, once on checking and again on writing."""
        for column in self.all_columns():
            text = row.data.get(column.name)
            if text is None:
                row.values[column.name] = None
                continue
            try:
                row.values[column.name] = self._parsed(column, text)
            except CellError as error:
                (row.hints if column.lenient else row.errors).append(Fault.of(column.title, error))
                row.values[column.name] = None
        if not row.errors:
            self.clean(row)

    def _parsed(self, column: Column, text: str) -> Any:
        """Most cells of a column repeat: each text is read once, as far as the memory for them goes."""
        known = self._read[column.name]
        if text in known:
            return known[text]
        value = column.parse(text)
        if len(known) < REMEMBERED:
            known[text] = value
        return value


_sources: dict[str, type[ImportSource]] = {}


def register(source: type[ImportSource]) -> None:
    """Called in `AppConfig.ready` of the app that owns the source."""
    _sources[source.name] = source


def source_of(name: str) -> type[ImportSource]:
    """The source of that name; raises `DomainError` for one that this version does not know."""

    if name not in _sources:
        raise DomainError(_("Files of the kind “%(kind)s” cannot be imported here.") % {"kind": name})
    return _sources[name]


def sources() -> list[type[ImportSource]]:
    return list(_sources.values())
