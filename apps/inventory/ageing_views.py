"""The page about the age of devices and what replacing them costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from apps.core import formats
from apps.core.charts import Bar, BarChart
from apps.core.clock import today
from apps.inventory.ageing import UNKNOWN, Span
from apps.inventory.ageing_selectors import Due, DueOf, ageing_of, ages_of, devices_to_replace
from apps.inventory.choices import DeviceStatus
from apps.inventory.views import DevicePageMixin
from apps.schools.models import School


@dataclass(frozen=True)
class Cell:
    """One figure and the address of its devices."""

    span: Span
    due: Due
    url: str


class AgeingView(DevicePageMixin, TemplateView):
    """All schools of the person's scope, or the one that the address names (`school`); each figure opens its rows."""

    template_name = "inventory/ageing.html"
    heading = gettext_lazy("Age and replacement")

    @cached_property
    def school(self) -> School | None:
        number = self.request.GET.get("school")
        schools: Any = School.objects
        return schools.get_visible_or_404(self.request.user, number=number) if number else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        day, rows = today(), devices_to_replace(self.request.user, self.school)  # type: ignore[arg-type]  # signed in
        found = ageing_of(rows, day)
        total = self._cells(found.total, found.spans)
        return super().get_context_data(
            school=self.school,
            day=day,
            spans=found.spans,
            total=total,
            cards=[cell for cell in total if cell.span.code != UNKNOWN][:3],
            rows=[(row, self._cells(row, found.spans)) for row in found.rows],
            unpriced=sum(due.unpriced for due in found.total.dues.values()),
            chart=self._chart(found.total, ages_of(rows, day)),
            **kwargs,
        )

    def _cells(self, row: DueOf, spans: Sequence[Span]) -> list[Cell]:
        return [Cell(span, row.dues[span.code], self._address(row, due=span.code)) for span in spans]

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
