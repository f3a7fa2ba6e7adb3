"""Filters of the list of loans."""

from __future__ import annotations

import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.clock import today
from apps.core.filters import DayFilter, PortalFilterSet
from apps.inventory.codes import read_code
from apps.inventory.loan_choices import LoanState
from apps.inventory.loan_selectors import rules_on
from apps.inventory.models import Loan
from apps.schools.models import School
from apps.schools.school_field import SchoolFilter

OVERDUE, DUE_SOON = "overdue", "due_soon"


class LoanFilters(PortalFilterSet):
    q = django_filters.CharFilter(label=_("Loan, inventory or serial number"), method="filter_number")
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[*LoanState.choices[:1], (OVERDUE, _("overdue")), (DUE_SOON, _("due soon")), *LoanState.choices[1:]],
        method="filter_state",
    )
    school = SchoolFilter(label=_("School"))
    group = django_filters.CharFilter(label=_("Class"), lookup_expr="iexact")
    since = DayFilter(label=_("Handed out on"))
    device = django_filters.CharFilter(label=_("Inventory number"), field_name="device__tag", lookup_expr="iexact")

    class Meta:
        model = Loan
        fields = ("q", "state", "school", "group", "since", "device")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["school"].queryset = School.objects.visible_to(self.request.user)

    def filter_number(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        code = read_code(value).upper()
        return rows.filter(Q(number__contains=code) | Q(device__tag__contains=code) | Q(device__serial=code))

    def filter_state(self, rows: Any, _name: str, value: str) -> QuerySet[Any]:
        if value == OVERDUE:
            return rows.overdue(today())  # type: ignore[no-any-return]
        if value == DUE_SOON:
            ahead = datetime.timedelta(days=rules_on().remind_days_before)
            return rows.due_within(today(), today() + ahead)  # type: ignore[no-any-return]
        return rows.filter(state=value)  # type: ignore[no-any-return]

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Nothing for filters that make no sense, so that no receipts are printed for more than was meant."""
        return super().filter_queryset(queryset) if self.form.is_valid() else queryset.none()
