"""The table of what falls due at each school in which year."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import formats
from apps.core.columns import PortalColumn, TextColumn
from apps.core.tables import PortalTable
from apps.inventory.ageing import Span
from apps.inventory.ageing_selectors import Due, DueOf

ROWS_PER_PAGE = 20
"""Each row has eight figures with their cost: more of them are no longer read on a phone."""
ON_A_PHONE = 3
"""The spans shown there; the page of the school has all of them."""


@dataclass(frozen=True)
class Cell:
    """One figure and the address of its devices."""

    span: Span
    due: Due
    url: str


class SpanColumn(PortalColumn):
    """How many devices fall due in a span, as a link to them, and what replacing them costs."""

    numeric = True

    def __init__(self, span: Span, cell_of: Callable[[DueOf, Span], Cell]) -> None:
        super().__init__(verbose_name=capfirst(str(span.label)), empty_values=(), orderable=False)
        self.span = span
        self.cell_of = cell_of

    def render(self, record: DueOf) -> Any:
        due = record.dues[self.span.code]
        if not due.number:
            return "–"
        return format_html(
            '<span><a class="kern-link" href="{}">{}</a> <span class="portal-cell-note">{}</span></span>',
            self.cell_of(record, self.span).url,
            formats.number(due.number),
            formats.euro(due.cost, 0),
        )


class AgeingTable(PortalTable):
    school = TextColumn(verbose_name=gettext_lazy("School"), empty_values=())

    class Meta(PortalTable.Meta):
        fields = ("school",)

    def __init__(
        self, data: Sequence[DueOf], *, spans: Sequence[Span], cell_of: Callable[[DueOf, Span], Cell], **kwargs: Any
    ) -> None:
        columns = [(f"due_{span.code}", SpanColumn(span, cell_of)) for span in spans]
        super().__init__(data, extra_columns=columns, **kwargs)

    @property
    def card_columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)[1 : 1 + ON_A_PHONE]

    def render_school(self, record: DueOf) -> Any:
        if record.school is None:
            return _("Depot")
        address = f"{reverse('inventory:ageing')}?{urlencode({'school': record.school.number})}"
        return format_html('<a class="kern-link" href="{}">{}</a>', address, record.school)
