"""Filters of the inventory. `day` and `counts` show the rows behind a quota figure: what stood where on that day."""

from __future__ import annotations

import datetime
from typing import Any

import django_filters
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from apps.core.clock import today
from apps.core.filters import DayFilter, PortalFilterSet, SearchFilter
from apps.inventory.choices import CountedAs, DeviceStatus, Ownership
from apps.inventory.models import Device, DeviceKind, Product
from apps.inventory.selectors import placements_behind
from apps.schools.models import School, SchoolType


class DeviceFilters(PortalFilterSet):
    """With a day, `school` and `school_type` mean where a device stood then, else where it stands now."""

    q = SearchFilter(field_name="search_text", label=_("Search"))
    status = django_filters.ChoiceFilter(label=_("Status"), choices=DeviceStatus.choices)
    kind = django_filters.ModelChoiceFilter(
        label=_("Device kind"), queryset=DeviceKind.objects.all(), to_field_name="code"
    )
    school = django_filters.ModelChoiceFilter(
        label=_("School"), queryset=School.objects.none(), to_field_name="number", method="filter_later"
    )
    ownership = django_filters.ChoiceFilter(label=_("Ownership"), choices=Ownership.choices)
    product = django_filters.ModelChoiceFilter(label=_("Product"), queryset=Product.objects.all())
    school_type = django_filters.ModelChoiceFilter(
        label=_("School type"), queryset=SchoolType.objects.filter(is_school=True), method="filter_later"
    )
    counts = django_filters.ChoiceFilter(label=_("Counts as"), choices=CountedAs.choices, method="filter_later")
    day = DayFilter(label=_("Stood there on"), method="filter_later")

    class Meta:
        model = Device
        fields = ("q", "status", "kind", "school", "ownership", "product", "school_type", "counts", "day")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        schools = School.objects.visible_to(self.request.user)
        self.filters["school"].queryset = schools
        self.filters["school_type"].queryset = SchoolType.objects.filter(
            is_school=True, pk__in=schools.values("school_type")
        ).order_by("name")

    @cached_property
    def shown_day(self) -> datetime.date | None:
        """The day that the rows are of; today where only `counts` is asked for; None: as things are now."""
        if not self.is_bound or not self.form.is_valid():
            return None
        chosen = self.form.cleaned_data
        return chosen["day"] or (today() if chosen["counts"] else None)

    @property
    def counted_as(self) -> CountedAs | None:
        return (
            CountedAs(self.form.cleaned_data["counts"]) if self.shown_day and self.form.cleaned_data["counts"] else None
        )

    def placements(self) -> QuerySet[Any]:
        """Placements that hold on the day that is shown."""
        chosen = self.form.cleaned_data
        return placements_behind(
            self.request.user,
            self.shown_day or today(),
            counted_as=self.counted_as,
            school=chosen["school"],
            school_type=chosen["school_type"].pk if chosen["school_type"] else "",
        )

    def filter_later(self, rows: QuerySet[Any], _name: str, _value: Any) -> QuerySet[Any]:
        """These filters work together: see `filter_queryset`."""
        return rows

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.form.is_valid():
            return queryset.none()
        rows = super().filter_queryset(queryset)
        if self.shown_day is not None:
            placements = self.placements()
            stood = placements.filter(device=OuterRef("pk")).order_by("since")
            return rows.filter(pk__in=placements.values("device")).annotate(
                stood_at=Subquery(stood.values("school__short_name")[:1]),
                stood_in=Subquery(stood.values("room")[:1]),
                placed_since=Subquery(stood.values("since")[:1]),
            )
        chosen = self.form.cleaned_data
        if chosen["school"]:
            rows = rows.filter(school=chosen["school"])
        if chosen["school_type"]:
            rows = rows.filter(school__school_type=chosen["school_type"])
        return rows
