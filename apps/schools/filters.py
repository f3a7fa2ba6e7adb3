"""Filters of the list of schools."""

from __future__ import annotations

from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _

from apps.core.filters import PortalFilterSet, SearchFilter
from apps.schools.models import School, SchoolType

OWN, OTHER = "own", "other"


class SchoolFilters(PortalFilterSet):
    """`closed` is handled by the view: without it, closed schools are left out."""

    q = SearchFilter(field_name="search_text", label=_("Search"))
    type = django_filters.ModelChoiceFilter(
        field_name="school_type", label=_("School type"), queryset=SchoolType.objects.none()
    )
    startchancen = django_filters.BooleanFilter(label=_("Startchancen school"))
    authority = django_filters.ChoiceFilter(
        label=_("School authority"),
        choices=[(OWN, _("maintained by the city")), (OTHER, _("others, not in the quota"))],
        method="filter_authority",
    )
    closed = django_filters.BooleanFilter(label=_("Also closed schools"), method="filter_nothing")

    class Meta:
        model = School
        fields = ("q", "type", "startchancen", "authority", "closed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        visible = School.objects.visible_to(self.request.user)
        self.filters["type"].queryset = SchoolType.objects.filter(pk__in=visible.values("school_type")).order_by("name")
        if not self.request.user.has_perm("schools.scope_all"):
            del self.filters["authority"]

    def filter_authority(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(authority__is_own=value == OWN)

    def filter_nothing(self, rows: Any, name: str, value: bool) -> Any:
        return rows
