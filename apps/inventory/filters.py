"""Filters of the inventory. `day` and `counts` show the rows behind a quota figure: what stood where on that day."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import django_filters
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.forms import HiddenInput
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from apps.core.clock import today
from apps.core.filters import DayFilter, FilterForm, PortalFilterSet, SearchFilter
from apps.inventory.ageing import (
    OF_THE_CITY,
    OVERDUE,
    TO_BE_REPLACED,
    Span,
    spans_of_age,
    spans_of_use,
    use_ends_expression,
)
from apps.inventory.choices import PRESENT_STATUSES, CountedAs, DeviceStatus, Ownership
from apps.inventory.models import AddRequest, BulkChange, Device, DeviceKind, Product, ScanSession
from apps.inventory.numbering import running_tag
from apps.inventory.selectors import placements_behind
from apps.schools.models import School, SchoolType
from apps.schools.school_field import SchoolFilter, TypedSchoolField

ALL = "all"
FEW_HITS = 2_000
"""A search that finds no more is read by the keys of what it found; one that finds more fills its page soon."""


class DeviceSearch(SearchFilter):
    """Words in the search text; where nothing has them, a running number with fewer or more zeros.

    Few hits are read by their keys: in the order of the list millions would be passed.
    """

    hits: int | None = None
    """How many rows a search found; FEW_HITS + 1: more than these. None: nothing was searched for."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        found = super().filter(qs, value)
        if not value:
            return found
        keys = found.order_by().values_list("pk", flat=True)
        if keys[FEW_HITS : FEW_HITS + 1]:
            self.hits = FEW_HITS + 1
            return found
        few = list(keys[: FEW_HITS + 1])
        if not few and (tag := running_tag(value)):
            return qs.filter(tag=tag)
        self.hits = len(few)
        return qs.filter(pk__in=few)


class BulkFilter(django_filters.ModelChoiceFilter):
    """What a change of many devices wrote; few are read by their keys, as in `DeviceSearch`."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return qs
        changed = value.items.order_by().values_list("device", flat=True)
        few = list(changed[: FEW_HITS + 1])
        return qs.filter(pk__in=few if len(few) <= FEW_HITS else changed)


def _spans(spans: Callable[[datetime.date], list[Span]]) -> Callable[[], list[tuple[str, Any]]]:
    """The choices of this day: years move on."""
    return lambda: [(span.code, span.label) for span in spans(today())]


class DeviceFilterForm(FilterForm):
    spans = (("bought_from", "bought_until"),)


class DeviceFilters(PortalFilterSet):
    """With a day, `school` and `school_type` mean where a device stood then, else where it stands now.

    Without a status it shows present devices, with a day or `counts` all that stood there.
    """

    q = DeviceSearch(field_name="search_text", label=_("Search"))
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[(ALL, _("all, retired and lost ones, too")), *DeviceStatus.choices],
        empty_label=_("present devices"),
        method="filter_later",
    )
    kind = django_filters.ModelChoiceFilter(
        label=_("Device kind"), queryset=DeviceKind.objects.all(), to_field_name="code"
    )
    school = SchoolFilter(label=_("School"), method="filter_later")
    ownership = django_filters.ChoiceFilter(label=_("Ownership"), choices=Ownership.choices)
    binding = django_filters.ChoiceFilter(
        label=_("Binding by a grant"),
        choices=[("bound", _("bound by a grant")), ("free", _("not bound"))],
        method="filter_binding",
    )
    product = django_filters.ModelChoiceFilter(label=_("Product"), queryset=Product.objects.all())
    school_type = django_filters.ModelChoiceFilter(
        label=_("School type"), queryset=SchoolType.objects.filter(is_school=True), method="filter_later"
    )
    counts = django_filters.ChoiceFilter(label=_("Counts as"), choices=CountedAs.choices, method="filter_later")
    day = DayFilter(label=_("Stood there on"), method="filter_later")
    due = django_filters.ChoiceFilter(label=_("Planned end of use"), choices=_spans(spans_of_use), method="filter_due")
    age = django_filters.ChoiceFilter(label=_("Age"), choices=_spans(spans_of_age), method="filter_age")
    bought_from = DayFilter(label=_("Bought from"), field_name="bought_on", lookup_expr="gte")
    bought_until = DayFilter(label=_("Bought until"), field_name="bought_on", lookup_expr="lte")
    scan = django_filters.ModelChoiceFilter(
        field_name="scan__session", label=_("Scanned delivery"), queryset=ScanSession.objects.none(), widget=HiddenInput
    )

    added = django_filters.ModelChoiceFilter(
        label=_("Added"), queryset=AddRequest.objects.none(), widget=HiddenInput, method="filter_added"
    )
    together = BulkFilter(label=_("Changed together"), queryset=BulkChange.objects.none(), widget=HiddenInput)

    class Meta:
        model = Device
        form = DeviceFilterForm
        fields = ("q", "status", "kind", "school", "ownership", "binding", "product", "school_type", "counts", "day",
                  "due", "age", "bought_from", "bought_until", "scan", "added", "together")  # fmt: skip

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(QueryDict() if data is None else data, *args, **kwargs)
        schools = School.objects.visible_to(self.request.user)
        self.filters["school"].queryset = schools
        self.filters["scan"].queryset = ScanSession.objects.visible_to(self.request.user).select_related("product")
        self.filters["added"].queryset = AddRequest.objects.visible_to(self.request.user)
        changes: Any = BulkChange.objects.visible_to(self.request.user)
        self.filters["together"].queryset = changes.only("action", "at", "undoes")
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

    def filter_binding(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Bound today, whatever day the list is of."""
        bound = Q(bound_until__gte=today())
        return rows.filter(bound if value == "bound" else ~bound)

    def filter_added(self, rows: QuerySet[Any], _name: str, value: AddRequest) -> QuerySet[Any]:
        """What one sending of the form made."""
        return rows.filter(tag__in=value.tags)

    def filter_later(self, rows: QuerySet[Any], _name: str, _value: Any) -> QuerySet[Any]:
        """These filters work together: see `filter_queryset`."""
        return rows

    def filter_due(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Devices that the city replaces, by the end of their use: what the page about ageing counts.

        Of a list of a day, what was overdue on that day, whatever became of it since.
        """
        day = self.shown_day if value == OVERDUE and self.shown_day else today()
        span = next(span for span in spans_of_use(day) if span.code == value)
        asked = TO_BE_REPLACED if self.shown_day is None else OF_THE_CITY
        return rows.filter(asked).annotate(use_ends_on=use_ends_expression()).filter(span.rows("use_ends_on"))

    def filter_age(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        span = next(span for span in spans_of_age(today()) if span.code == value)
        return rows.filter(TO_BE_REPLACED).filter(span.rows("bought_on"))

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The search comes last, among the rows that the other filters leave."""
        if not self.form.is_valid():
            return queryset.none()
        rows = queryset
        for name, value in self.form.cleaned_data.items():
            if name != "q":
                rows = self.filters[name].filter(rows, value)
        return self.filters["q"].filter(self._filter_together(rows), self.form.cleaned_data["q"])

    def _filter_together(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = self._of_status(rows)
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

    def _of_status(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        status = self.form.cleaned_data["status"]
        if status == ALL or (not status and self.shown_day is not None):
            return rows
        return rows.filter(status=status) if status else rows.filter(status__in=PRESENT_STATUSES)

    @property
    def has_typed_school(self) -> bool:
        """Whether the schools are too many for a list; sorting all devices by their names takes seconds."""
        return isinstance(self.form.fields["school"], TypedSchoolField)

    @property
    def count_up_to(self) -> int | None:
        """Among millions of devices, counting the usual number of hits would take a third of the page's time."""
        return FEW_HITS if self.has_typed_school else None

    @property
    def known_count(self) -> int | None:
        """What the search counted among the rows that the other filters leave, where that is as far as is counted."""
        hits: int | None = self.filters["q"].hits
        counted_further = self.counted_as is not None or self.count_up_to is None
        return None if hits is not None and hits > FEW_HITS and counted_further else hits

    def why_nothing(self) -> Any:
        """Why a list shows no row, where what is asked for cannot be read or is not for this person."""
        wrong = self.form.errors
        if "together" in wrong:
            return _(
                "This list shows what somebody changed at once. Only that person sees it, for 30 days. Please ask them"
                " for the numbers of the devices."
            )
        if "day" in wrong:
            return _("This is no day. Please enter one such as 31.12.2024.")
        days = (errors[0] for name, errors in wrong.items() if name in ("bought_from", "bought_until"))
        return next(days, _("Nothing matches these filters."))

    @property
    def shows_present_only(self) -> bool:
        """Whether rows are left out that nobody asked to leave out."""
        return self.form.is_valid() and not self.form.cleaned_data["status"] and self.shown_day is None

    def address_of_all(self) -> str:
        """The same list with devices that were retired, lost or stolen."""
        parameters = self.data.copy()
        parameters.pop("page", None)
        parameters["status"] = ALL
        return f"?{parameters.urlencode()}"


class SchoolOnlyFilters(PortalFilterSet):
    """Above figures that are of all schools or of one."""

    school = SchoolFilter(label=_("School"))

    class Meta:
        model = Device
        fields = ("school",)

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(data, *args, **kwargs)
        self.filters["school"].queryset = School.objects.visible_to(self.request.user)
