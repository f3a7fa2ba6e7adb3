"""The queue: what waits for the office, the longest waiting first, and the way to each desk."""

from __future__ import annotations

import copy
import datetime
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList, IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.admin import ReadOnlyMixin, ScopedAdmin
from apps.core.history_pages import told
from apps.core.saved_filters_admin import PlainChangeList, SavedFiltersMixin
from apps.core.templatetags.portal import state_badge
from apps.core.text import sort_key
from apps.funding import selectors
from apps.funding.admin.bulk import BulkMixin
from apps.funding.admin.desk import Desk
from apps.funding.admin.filters import (
    LateFilter,
    ProposalFilter,
    ReservationFilter,
    RoundFilter,
    SchoolTypeFilter,
    StateFilter,
    YearFilter,
)
from apps.funding.admin.waiting_list import WaitingListMixin
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationLine, EquipmentApplication
from apps.quotas import selectors as quotas

KEPT = "_changelist_filters"
MOST_PLACES = 1000
Place = tuple[datetime.datetime, int]


def history_of_lines(application_id: str) -> list[tuple[str, list[Any]]]:
    """Each line's past, also of those that were taken out again: what was asked, what was approved."""
    records = ApplicationLine.history.filter(application_id=application_id).select_related("product", "history_user")
    by_line: dict[int, list[Any]] = {}
    for record in records.order_by("id", "-history_date", "-history_id"):
        by_line.setdefault(record.id, []).append(record)
    return [
        (pgettext("of an application", "Line %(number)s") % {"number": number}, told(rows, ("application",)))
        for number, rows in enumerate(by_line.values(), start=1)
    ]


class Queue(PlainChangeList):
    """One page of the queue. Quota figures for all of its rows are read in one go."""

    def get_results(self, request: HttpRequest) -> None:
        if getattr(request, "rows_only", False):
            self.result_list, self.result_count = [], 0
            return
        super().get_results(request)
        self.result_list = list(self.result_list)
        effects = selectors.application_effects(self.result_list)
        for row in self.result_list:
            row.effect = effects.get(row.pk)


@admin.register(EquipmentApplication)
class EquipmentApplicationAdmin(SavedFiltersMixin, WaitingListMixin, BulkMixin, ReadOnlyMixin, ScopedAdmin):
    """Nothing is edited here: every change is a decision, made by a service on the decision screen."""

    saved_as = "admin.applications"

    change_list_template = "admin/funding/equipmentapplication/change_list.html"
    list_display = ("name", "age", "school_name", "amount", "state_shown", "quota", "social_index", "reserved")
    list_display_links = ("name",)
    list_filter = (
        StateFilter,
        RoundFilter,
        ProposalFilter,
        LateFilter,
        SchoolTypeFilter,
        ReservationFilter,
        YearFilter,
    )
    sortable_by = ("age", "school_name")
    ordering = ("submitted_at", "pk")
    search_fields = ("title",)
    search_help_text = _("Searches titles and schools.")

    # List

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Queue

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return selectors.office_rows(request.user)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Every word in the title or in the school's stored search text."""
        for word in search_term.split():
            queryset = queryset.filter(Q(title__icontains=word) | Q(school__search_text__contains=sort_key(word)))
        return queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        own = {
            "figure_status": quotas.figure_status(),
            "may_act": request.user.has_perm("funding.work_queue"),
            "waiting_list_url": self.waiting_list_url(request),
        }
        return super().changelist_view(request, own | (extra_context or {}))

    @admin.display(description=_("application"))
    def name(self, row: EquipmentApplication) -> str:
        return row.title

    @admin.display(description=_("waiting since"), ordering="submitted_at")
    def age(self, row: Any) -> str:
        days = row.waiting_days
        if days is None:
            return gettext("not handed in")
        if row.state != ApplicationState.SUBMITTED:
            return formats.day(row.submitted_at)
        return gettext("today") if days == 0 else ngettext("%(days)s day", "%(days)s days", days) % {"days": days}

    @admin.display(description=_("school"), ordering="school__sort_key")
    def school_name(self, row: EquipmentApplication) -> str:
        return format_html('{} <span class="desk-quiet">{}</span>', row.school, row.school.school_type.name)

    @admin.display(description=_("sum"))
    def amount(self, row: Any) -> str:
        return format_html('<span class="desk-number">{}</span>', formats.euro(row.amount))

    @admin.display(description=_("state"))
    def state_shown(self, row: EquipmentApplication) -> str:
        """With what else the office must know at a glance."""
        marks = [gettext("late")] if row.is_late else []
        if hasattr(row, "proposal"):
            marks.append(gettext("proposed"))
        badge = state_badge(row.state, ApplicationState)
        return format_html('{} <span class="desk-quiet">{}</span>', badge, ", ".join(marks)) if marks else badge

    @admin.display(description=_("quota now → then"))
    def quota(self, row: Any) -> str:
        """With the target in the same form; what is missing says so."""
        effect = row.effect
        if effect is None:
            return formats.missing()
        return format_html(
            '<span class="desk-number">{} → {}</span> <span class="desk-quiet">{}</span>',
            formats.percent(effect.percent_before),
            formats.percent(effect.percent_after),
            gettext("target %(percent)s") % {"percent": formats.percent(effect.target_percent)},
        )

    @admin.display(description=_("social index"))
    def social_index(self, row: Any) -> str:
        """Information only: neither sorted nor ranked by it."""
        return (
            formats.missing() if row.social_index is None else gettext("level %(level)s") % {"level": row.social_index}
        )

    @admin.display(description=_("pencilled into"))
    def reserved(self, row: Any) -> str:
        reservation = getattr(row, "reservation", None)
        return gettext("not pencilled in") if reservation is None else str(reservation.budget)

    # Desk

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The decision screen. Not wrapped in a transaction: each service has its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        application = self.get_object(request, unquote(object_id))
        if application is None:
            raise Http404
        return Desk(self, request, application).answer()

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the lines below; the template asks for them once the scope is checked."""
        parts = {"parts": partial(history_of_lines, unquote(object_id))}
        return super().history_view(request, object_id, parts | (extra_context or {}))

    # The way through the queue

    def waiting(self, request: HttpRequest) -> list[Place]:
        """What waits for a decision in the list that the person came from, in its order.

        That of the waiting list is its own; of the queue, the longest waiting first.
        """
        kept = QueryDict(request.GET.get(KEPT, ""))
        if self.comes_from_waiting_list(kept):
            return self.places_on_waiting_list(request, kept)
        asked: Any = copy.copy(request)
        asked.GET = kept
        asked.rows_only = True
        try:
            rows = self.get_changelist_instance(asked).queryset
        except IncorrectLookupParameters:
            rows = self.get_queryset(request)
        places = rows.filter(state=ApplicationState.SUBMITTED).order_by("submitted_at", "pk")
        return list(places.values_list("submitted_at", "pk")[:MOST_PLACES])

    def list_url(self, request: HttpRequest) -> str:
        """The list as the person left it."""
        kept = request.GET.get(KEPT, "")
        if self.comes_from_waiting_list(QueryDict(kept)):
            return f"{reverse('admin:funding_equipmentapplication_waiting')}?{kept}"
        url = reverse("admin:funding_equipmentapplication_changelist")
        return f"{url}?{kept}" if kept else url

    def desk_url(self, request: HttpRequest, application_id: int | None) -> str:
        """The desk of an application, which keeps the way back to the list; without one the list."""
        if application_id is None:
            return self.list_url(request)
        url = reverse("admin:funding_equipmentapplication_change", args=[application_id])
        kept = request.GET.get(KEPT, "")
        return f"{url}?{urlencode({KEPT: kept})}" if kept else url

    def history_url(self, application: EquipmentApplication) -> str:
        return reverse("admin:funding_equipmentapplication_history", args=[application.pk])
