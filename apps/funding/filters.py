"""Filters of the list of applications. Numbers on other pages link here: `?state=submitted`, `?school=<number>`."""

from __future__ import annotations

import datetime
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.filters import DayFilter, PortalFilterSet
from apps.core.text import sort_key
from apps.funding.choices import ApplicationState
from apps.funding.models import EquipmentApplication
from apps.funding.past import is_past
from apps.funding.selectors import OPEN_STATES, application_states
from apps.funding.workflow import GRANTED_STATES
from apps.schools.models import School
from apps.schools.school_field import SchoolFilter

GROUPS = {"open": OPEN_STATES, "granted": GRANTED_STATES}
"""Values of `?state=` that stand for several states."""


class ApplicationFilters(PortalFilterSet):
    q = django_filters.CharFilter(
        label=_("Search"),
        method="filter_words",
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[
            ("open", _("all open ones")),
            ("granted", _("approved in whole or in part")),
            *ApplicationState.choices,
        ],
        method="filter_later",
    )
    school = SchoolFilter(label=_("School"))
    day = DayFilter(label=_("State as of"), method="filter_later")

    class Meta:
        model = EquipmentApplication
        fields = ("q", "state", "school", "day")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        schools = School.objects.visible_to(self.request.user).order_by("sort_key")
        if len(schools[:2]) < 2:
            del self.filters["school"]
        else:
            self.filters["school"].queryset = schools

    def filter_words(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Every word in the title, or in the school's stored search text."""
        for word in value.split():
            rows = rows.filter(Q(title__icontains=word) | Q(school__search_text__contains=sort_key(word)))
        return rows

    def filter_later(self, rows: QuerySet[Any], _name: str, _value: Any) -> QuerySet[Any]:
        """State and day belong together: see `filter_queryset`."""
        return rows

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows, name = application_states(super().filter_queryset(queryset), self.request.user, self.shown_day)
        state = self.form.cleaned_data["state"]
        return rows.filter(**{f"{name}__in": GROUPS.get(state, [state])}) if state else rows

    @property
    def shown_day(self) -> datetime.date | None:
        """The day whose states are asked for; None: today's."""
        day: datetime.date | None = self.form.cleaned_data["day"] if self.form.is_valid() else None
        return day if is_past(day) else None
