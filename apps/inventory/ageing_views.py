"""The page about the age of devices and what replacing them costs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from django_tables2.config import RequestConfig

from apps.core import formats
from apps.core.charts import Bar, BarChart
from apps.core.clock import today
from apps.inventory.ageing import UNKNOWN, Span
from apps.inventory.ageing_selectors import Ageing, DueOf, ageing_of, ages_of, devices_to_replace
from apps.inventory.ageing_tables import ROWS_PER_PAGE, AgeingTable, Cell
from apps.inventory.choices import DeviceStatus
from apps.inventory.filters import SchoolOnlyFilters
from apps.inventory.views import DevicePageMixin
from apps.schools.models import School
from apps.schools.school_field import TypedSchoolField


class AgeingView(DevicePageMixin, TemplateView):
    """All schools of the person's scope, or the one that the address names (`school`); each figure opens its rows."""

    template_name = "inventory/ageing.html"
    heading = gettext_lazy("Age and replacement")

    @cached_property
    def filterset(self) -> SchoolOnlyFilters:
        return SchoolOnlyFilters(self.request.GET or None, request=self.request)

    @cached_property
    def school(self) -> School | None:
        """What was typed may be wrong and is asked again; a number that nobody could choose is not found."""
        form = self.filterset.form
        if form.is_bound and not form.is_valid() and not isinstance(form.fields["school"], TypedSchoolField):
            raise Http404
        return form.cleaned_data.get("school") if form.is_bound else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        day, rows = today(), devices_to_replace(self.request.user, self.school)  # type: ignore[arg-type]  # signed in
        found = ageing_of(rows, day)
        total = self._cells(found.total, found.spans)
        return super().get_context_data(
            school=self.school,
            filterset=self.filterset,
            day=day,
            total=total,
            cards=[cell for cell in total if cell.span.code != UNKNOWN][:3],
            in_all=found.total.in_all,
            table=self._table(found),
            chart=self._chart(found.total, ages_of(rows, day)),
            **kwargs,
        )

    def _cells(self, row: DueOf, spans: Sequence[Span]) -> list[Cell]:
        return [self._cell(row, span) for span in spans]

    def _cell(self, row: DueOf, span: Span) -> Cell:
        return Cell(span, row.dues[span.code], self._address(row, due=span.code))

    def _table(self, found: Ageing) -> AgeingTable:
        has_depot = any(row.is_depot for row in found.rows)
        caption = _("Schools and depot") if has_depot else _("Schools")
        table = AgeingTable(found.rows, spans=found.spans, cell_of=self._cell, caption=caption)
        return RequestConfig(self.request, paginate={"per_page": ROWS_PER_PAGE}).configure(table)  # type: ignore[no-any-return]  # untyped

    def _address(self, row: DueOf, **query: str) -> str:
        """The list of the devices behind a figure."""
        if row.is_depot:
            query["status"] = DeviceStatus.IN_STOCK.value
        school = row.school or self.school
        if school is not None:
            query["school"] = school.number
        return f"{reverse('inventory:list')}?{urlencode(query)}"

    def _chart(self, total: DueOf, ages: Sequence[tuple[Span, int]]) -> BarChart | None:
        if not any(number for _span, number in ages):
            return None
        bars = [
            Bar(span.label, Decimal(number), formats.number(number), url=self._address(total, age=span.code))
            for span, number in ages
        ]
        return BarChart(
            title=_("Devices by age"),
            description=_("Whole years since the purchase, youngest first."),
            bars=bars,
            label_header=_("Age"),
            value_header=_("Devices"),
        )
