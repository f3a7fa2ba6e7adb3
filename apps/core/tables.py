"""Tables: one look, whitelisted sorts, rows rendered without a template per cell.

A django-tables2 page of 50 rows spends most of its time in `inspect.signature` and in one template per date cell;
here each column's work is planned once per table.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import django_tables2 as tables
from django.db import models
from django.http import QueryDict
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django_tables2.columns import BoundColumn
from django_tables2.templatetags.django_tables2 import table_page_range
from django_tables2.utils import Accessor, signature

from apps.core import formats
from apps.core.columns import (
    BooleanColumn,
    DateColumn,
    DateTimeColumn,
    LinkColumn,
    MoneyColumn,
    NumberColumn,
    PercentColumn,
    PortalColumn,
    RatioColumn,
    StateColumn,
    TextColumn,
)
from apps.core.exports import csv_lines
from apps.core.text import as_html

__all__ = [
    "BooleanColumn",
    "DateColumn",
    "DateTimeColumn",
    "LinkColumn",
    "MoneyColumn",
    "NumberColumn",
    "PercentColumn",
    "PortalColumn",
    "PortalTable",
    "RatioColumn",
    "StateColumn",
    "TextColumn",
]

COUNT_LIMIT = 10_000
ROWS_PER_PAGE = 50


@lru_cache(maxsize=512)
def _asked(function: Callable[..., Any]) -> tuple[Sequence[str], bool]:
    """Names of the arguments that a function asks for, and whether it takes all. `self` is among them."""
    names, catch_all = signature(function)
    return names, catch_all is not None


@dataclass(frozen=True)
class _Cell:
    """How one column makes its cells, worked out once per table."""

    bound: BoundColumn
    read: Callable[[Any], Any]
    render: Callable[[Any, Any], Any]
    export: Callable[[Any, Any], Any]
    opening: str
    closing: str
    empty_values: Any


def _called(function: Callable[..., Any], bound: BoundColumn, table: PortalTable) -> Callable[[Any, Any], Any]:
    """Calls a render or value function, for a value and a record, with the arguments it asks for, as django-tables2
    does. The signature is kept by the function in the class: that of one table's own method would never be asked again.
    """
    names, catch_all = _asked(getattr(function, "__func__", function))
    fixed = {"column": bound.column, "bound_column": bound, "table": table}
    if not catch_all:
        fixed = {name: given for name, given in fixed.items() if name in names}
    takes_value, takes_record = (catch_all or name in names for name in ("value", "record"))
    if takes_value and takes_record:
        return lambda value, record: function(value=value, record=record, **fixed)
    if takes_record:
        return lambda value, record: function(record=record, **fixed)
    return (lambda value, record: function(value=value, **fixed)) if takes_value else lambda *_args: function(**fixed)


@dataclass(frozen=True)
class Header:
    """`sort` is "ascending", "descending" or "" for a column that does not sort the table now."""

    label: str
    numeric: bool
    href: str
    sort: str


@dataclass(frozen=True)
class Sum:
    label: str
    shown: Any
    numeric: bool


@dataclass(frozen=True)
class Row:
    cells: SafeString
    key: str
    name: str


@dataclass(frozen=True)
class PageLink:
    number: int | None
    href: str
    current: bool = False


class PortalTable(tables.Table):
    """Base of all tables.

    Meta: `sortable` names the columns that sort (give only indexed ones), `cards` the one to three columns shown
    beside the first on a phone. A caption stands above; `selectable` puts a checkbox named `ids` before each row.
    Rows are counted up to COUNT_LIMIT, or to `count_up_to` where even that takes too long; `count_exactly` counts past
    any limit, for rows that stand behind a number and must be seen to agree with it. `known_count` spares counting
    where the filters have counted as far as this already.
    `is_import_format`: an import takes the exported list back, so that its end is marked.
    """

    count_exactly = False
    count_up_to: int | None = None
    known_count: int | None = None
    is_import_format = False

    class Meta:
        template_name = "django_tables2/kern.html"
        per_page = ROWS_PER_PAGE
        orderable = False
        sortable: tuple[str, ...] = ()
        cards: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.base_columns = type(cls.base_columns)((name, copy.copy(col)) for name, col in cls.base_columns.items())
        sortable = getattr(cls.Meta, "sortable", ())
        unknown = set(sortable) - set(cls.base_columns)
        if unknown:
            raise TypeError(f"{cls.__name__}.Meta.sortable names unknown columns: {sorted(unknown)}")
        for name, column in cls.base_columns.items():
            column.orderable = name in sortable

    def __init__(
        self,
        data: Any = None,
        *args: Any,
        caption: str | Promise = "",
        selectable: bool = False,
        empty_hint: str | Promise = "",
        empty_action: tuple[str, str | Promise] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__([] if data is None else data, *args, **kwargs)
        self.caption = caption
        self.selectable = selectable
        self.empty_hint = empty_hint
        self.empty_action = empty_action

    def paginate(self, *args: Any, **kwargs: Any) -> Any:
        """Counts no further than the limit and breaks ties by key, so that no row shows twice or never."""
        rows = self.data.data
        if isinstance(rows, models.QuerySet):
            ordering = rows.query.order_by or (rows.query.get_meta().ordering if rows.query.default_ordering else ())
            if not {"pk", "-pk", "id", "-id"} & {item for item in ordering if isinstance(item, str)}:
                self.data.data = rows.order_by(*ordering, "pk")
            self.data._length = self._counted(rows) if self.known_count is None else self.known_count
        return super().paginate(*args, **kwargs)

    def _counted(self, rows: models.QuerySet[Any]) -> int:
        return rows.order_by().count() if self.count_exactly else capped_count(rows, self.count_limit)

    @property
    def card_columns(self) -> tuple[str, ...]:
        return tuple(getattr(self.Meta, "cards", ())) or tuple(column.name for column in self.columns)[1:3]

    @property
    def count(self) -> int:
        """How many rows there are; unless counted exactly, `count_limit` + 1 means more than `count_limit`."""
        return self.paginator.count if hasattr(self, "paginator") else len(self.rows)

    @property
    def is_capped(self) -> bool:
        return not self.count_exactly and self.count > self.count_limit

    @property
    def count_limit(self) -> int:
        return self.count_up_to or COUNT_LIMIT

    @cached_property
    def _cells(self) -> list[_Cell]:
        return [self._plan(bound, first=index == 0) for index, bound in enumerate(self.columns)]

    def _plan(self, bound: BoundColumn, *, first: bool) -> _Cell:
        column = bound.column
        classes = ["kern-table__header" if first else "kern-table__cell"]
        if getattr(column, "numeric", False):
            classes.append("kern-table__cell--numeric")
        if first:
            classes.append("portal-card-title")
        elif bound.name in self.card_columns:
            classes.append("portal-card-value")
        classes += str(column.attrs.get("td", {}).get("class", "")).split()
        tag = "th" if first else "td"
        extra = ' scope="row"' if first else format_html(' data-label="{}"', bound.header)
        return _Cell(
            bound=bound,
            read=self._reader(bound),
            render=_called(bound.render, bound, self),
            export=_called(getattr(self, f"value_{bound.name}", None) or self._default_export(bound), bound, self),
            opening=f'<{tag} class="{" ".join(classes)}"{extra}>',
            closing=f"</{tag}>",
            empty_values=column.empty_values,
        )

    def _default_export(self, bound: BoundColumn) -> Callable[..., Any]:
        own_render = getattr(self, f"render_{bound.name}", None)
        return own_render or bound.column.value

    def _reader(self, bound: BoundColumn) -> Callable[[Any], Any]:
        """Reads a cell's value; stored choices become their words, except for states."""
        accessor = Accessor(bound.accessor)
        model = getattr(self.data, "model", None)
        field = accessor.get_field(model) if model is not None else None
        if field is not None and getattr(field, "choices", None) and not isinstance(bound.column, StateColumn):
            words = dict(field.flatchoices)
            return lambda record: _worded(words, accessor.resolve(record, quiet=True))
        if "__" not in accessor and "." not in accessor and accessor:
            return lambda record: _simple(record, accessor)
        return lambda record: accessor.resolve(record, quiet=True)

    def body(self) -> Iterator[Row]:
        """The rows of this page: their cells as HTML, their key and name for the checkbox."""
        missing = format_html('<span class="portal-missing">{}</span>', formats.missing())
        for row in self.paginated_rows:
            record = row.record
            html = []
            name: Any = ""
            for cell in self._cells:
                value = cell.read(record)
                name = name or value
                if value in cell.empty_values:
                    default = cell.bound.column.default
                    content: Any = missing if default is None else default
                else:
                    content = cell.render(value, record)
                    if cell.bound.link is not None:
                        content = self._linked(cell, content, value, record)
                html.append(f"{cell.opening}{as_html(content)}{cell.closing}")
            yield Row(SafeString("".join(html)), str(_simple(record, "pk")), str(name))

    def headers(self) -> list[Header]:
        """The header cells; sorting starts again on page one."""
        headers = []
        for column in self.columns:
            href = sort = ""
            if column.orderable:
                href = self._address(
                    {self.prefixed_order_by_field: column.order_by_alias.next}, self.prefixed_page_field
                )
                if column.is_ordered:
                    sort = "descending" if column.order_by_alias.is_descending else "ascending"
            headers.append(Header(column.header, bool(getattr(column.column, "numeric", False)), href, sort))
        return headers

    def sums(self) -> Mapping[str, Any]:
        """Column -> sum of all rows, for the row below them; tables without such a row say nothing."""
        return {}

    def sum_cells(self) -> list[Sum]:
        """The row of sums: what its columns add up to, and empty cells between them."""
        sums = self.sums()
        if not sums:
            return []
        first, *others = self.columns
        cells = [Sum(first.header, _("Sum"), numeric=False)]
        for bound in others:
            shown = bound.column.render(sums[bound.name]) if bound.name in sums else ""
            cells.append(Sum(bound.header, shown, numeric=bool(getattr(bound.column, "numeric", False))))
        return cells

    def page_links(self) -> list[PageLink]:
        """First, last and the pages around this one; a link without number stands for a gap."""
        around = table_page_range(self.page, self.paginator)
        return [
            PageLink(None, "")
            if number == "..."
            else PageLink(number, self._page_address(number), number == self.page.number)
            for number in around
        ]

    def previous_address(self) -> str:
        return self._page_address(self.page.previous_page_number()) if self.page.has_previous() else ""

    def next_address(self) -> str:
        return self._page_address(self.page.next_page_number()) if self.page.has_next() else ""

    def _page_address(self, number: int) -> str:
        return self._address({self.prefixed_page_field: number})

    def _address(self, changes: Mapping[str, Any], *without: str) -> str:
        request = getattr(self, "request", None)
        parameters = request.GET.copy() if request is not None else QueryDict(mutable=True)
        for name, value in changes.items():
            parameters[name] = str(value)
        for name in without:
            parameters.pop(name, None)
        return f"?{parameters.urlencode()}"

    def _linked(self, cell: _Cell, content: Any, value: Any, record: Any) -> SafeString:
        url = cell.bound.link.compose_url(value=value, record=record, bound_column=cell.bound, table=self)
        return content if not url else format_html('<a class="kern-link" href="{}">{}</a>', url, content)

    def export_header(self) -> list[str]:
        return [str(column.header) for column in self.columns]

    def csv_file(self, records: Any) -> Iterator[str]:
        """The lines of the CSV export of records, read as they are needed."""
        if isinstance(records, models.QuerySet):
            records = records.iterator(chunk_size=2000)
        return csv_lines(self.export_header(), self.export_rows(records), ends=self.is_import_format)

    def export_rows(self, records: Iterable[Any]) -> Iterator[list[Any]]:
        """Raw values (Decimal, date, int, str; None where nothing is known) of the given records."""
        for record in records:
            row = []
            for cell in self._cells:
                value = cell.read(record)
                if value in cell.empty_values:
                    row.append(None)
                    continue
                exported = cell.export(value, record)
                row.append(strip_tags(exported) if isinstance(exported, SafeString) else exported)
            yield row


def _simple(record: Any, name: str) -> Any:
    value = record.get(name) if isinstance(record, Mapping) else getattr(record, name, None)
    return value() if callable(value) and not isinstance(value, models.Manager) else value


def _worded(words: Mapping[Any, Any], value: Any) -> Any:
    return value if value is None else str(words.get(value, value))


def capped_count(rows: Any, limit: int) -> int:
    """The number of rows, counted no further than one past the limit."""
    if isinstance(rows, models.QuerySet):
        return rows.order_by()[: limit + 1].count()
    return len(rows)
