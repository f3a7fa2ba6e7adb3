"""Filters of the list of tickets."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.filters import PortalFilterSet, SearchFilter
from apps.schools.models import School
from apps.schools.school_field import SchoolFilter
from apps.tickets.choices import OPEN_STATES, TicketState
from apps.tickets.models import Ticket


class TicketFilters(PortalFilterSet):
    q = SearchFilter(field_name="search_text", label=_("Search"))
    state = django_filters.ChoiceFilter(
        label=_("State"), choices=[("open", _("all open ones")), *TicketState.choices], method="filter_state"
    )
    school = SchoolFilter(label=_("School"))
    mine = django_filters.BooleanFilter(label=_("I am responsible"), method="filter_mine")

    class Meta:
        model = Ticket
        fields = ("q", "state", "school", "mine")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["school"].queryset = School.objects.visible_to(self.request.user)

    def filter_state(self, rows: QuerySet[Ticket], _name: str, value: str) -> QuerySet[Ticket]:
        return rows.filter(state__in=OPEN_STATES) if value == "open" else rows.filter(state=value)

    def filter_mine(self, rows: QuerySet[Ticket], _name: str, value: bool) -> QuerySet[Ticket]:
        return rows.filter(responsible=self.request.user) if value else rows.exclude(responsible=self.request.user)
