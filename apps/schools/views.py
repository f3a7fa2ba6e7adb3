"""Pages about schools."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import DetailView, TemplateView

from apps.core import clock
from apps.core.days import AskedDay, asked_day
from apps.core.formats import day
from apps.core.list_views import PortalListView
from apps.core.pages import PageMixin
from apps.core.panels import rendered_panels
from apps.schools import selectors
from apps.schools.choices import OperatingState
from apps.schools.filters import SchoolFilters
from apps.schools.models import School
from apps.schools.network import FIBRE, ROOMS, NetworkSummary, SiteNetwork, network_summary, rows_behind
from apps.schools.school_field import MOST_TYPED, SUGGESTED, schools_like, words_of
from apps.schools.site_map import draw
from apps.schools.tables import NOT_COUNTED, AllSchoolsTable, NetworkTable, PupilCountTable, SchoolTable
from apps.schools.wording import network_address, place_of


class SchoolListView(PortalListView):
    """Schools of the person's scope with today's pupil counts."""

    template_name = "schools/list.html"
    filterset_class = SchoolFilters
    heading = _("Schools")
    permission_required = "schools.view_school"
    export_name = "schools"
    default_order = ("short_name",)
    empty_text = _("You are not assigned to a school yet. Please ask the school office.")

    @property
    def table_class(self) -> type[SchoolTable]:
        return AllSchoolsTable if self.request.user.has_perm("schools.scope_all") else SchoolTable

    def get_queryset(self) -> QuerySet[Any]:
        rows = School.objects.visible_to(self.request.user)
        if self.request.GET.get("closed") != "true":
            rows = rows.exclude(closed_on__lte=clock.today())
        return selectors.with_facts(rows.select_related("school_type", "authority"))


class SuggestSchoolsView(PermissionRequiredMixin, TemplateView):
    """Options below a field that takes a school; the field's own name is `school`, whatever its form."""

    permission_required = "schools.view_school"
    template_name = "schools/_suggestions.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("school", "")[:MOST_TYPED].strip()
        found = schools_like(School.objects.visible_to(self.request.user), asked)[:SUGGESTED] if asked else ()
        return super().get_context_data(schools=[words_of(school) for school in found], **kwargs)


class SchoolDetailView(PermissionRequiredMixin, PageMixin, DetailView):
    """One school: facts, sites, pupil counts, people, and what other apps show about it; figures as of `?day=`."""

    permission_required = "schools.view_school"
    template_name = "schools/detail.html"
    context_object_name = "school"

    def get_object(self, queryset: Any = None) -> School:
        schools = School.objects.select_related("school_type", "authority")
        return schools.get_visible_or_404(self.request.user, number=self.kwargs["number"])

    def get_heading(self) -> str:
        return self.object.short_name

    def get_breadcrumbs(self) -> list[Any]:
        return [(_("Schools"), reverse("schools:list"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        school, user, asked = self.object, self.request.user, asked_day(self.request)
        return super().get_context_data(
            asked=asked,
            figures_context={
                "day": asked.day,
                "only_day": True,
                "panels": rendered_panels("schools.school.head", self.request, school),
            },
            sites=school.sites.visible_to(user),
            counts=self._counts(asked),
            index=selectors.social_index_of(school),
            people=selectors.people_of(school, user),
            may_see_people=user.has_perm("schools.view_membership"),
            not_counted="" if school.authority.is_own else NOT_COUNTED,
            state=OperatingState(school.operating_state).label,
            edit_url=self._edit_url(),
            panels=rendered_panels("schools.school", self.request, school),
            **kwargs,
        )

    def _counts(self, asked: AskedDay) -> PupilCountTable:
        """The counts up to the day; the first one is the one that holds."""
        counts = self.object.pupil_counts.visible_to(self.request.user).filter(counted_on__lte=asked.day)
        caption = _("Pupil counts") if asked.is_today else _("Pupil counts up to %(day)s") % {"day": day(asked.day)}
        return PupilCountTable(counts.order_by("-counted_on"), request=self.request, prefix="c-", caption=caption)

    def _edit_url(self) -> str:
        user = self.request.user
        may_edit = user.is_staff and user.has_perm("schools.change_school")
        return reverse("admin:schools_school_change", args=[self.object.pk]) if may_edit else ""


class CityNetworkView(PortalListView):
    """Fibre, LAN, Wi-Fi, platforms and IT staff of the city on a day: figures, a map, and the sites as a list."""

    template_name = "schools/network.html"
    table_class = NetworkTable
    heading = _("Network and platforms")
    caption = _("Sites")
    permission_required = "schools.view_city_network"
    export_name = "network"
    empty_text = _("There is no site of a counted school on this day.")

    @cached_property
    def asked(self) -> AskedDay:
        return asked_day(self.request)

    @cached_property
    def summary(self) -> NetworkSummary:
        return network_summary(self.asked.day)

    def get_queryset(self) -> list[SiteNetwork]:
        return rows_behind(self.rows, self.request.GET.get("shows", ""))

    @property
    def shows(self) -> Any:
        """What the list is narrowed to, in words; "" where it has all sites."""
        asked = self.request.GET.get("shows", "")
        platforms = {str(use.platform.pk): use.platform.name for use in self.summary.platforms}
        if asked in platforms:
            return _("Sites of schools with %(platform)s") % {"platform": platforms[asked]}
        return {FIBRE: _("Sites on fibre"), ROOMS: _("Sites whose rooms were counted")}.get(asked, "")

    @cached_property
    def rows(self) -> list[SiteNetwork]:
        visible = set(School.objects.visible_to(self.request.user).values_list("pk", flat=True))
        return [row for row in self.summary.sites if row.site.school_id in visible]

    def get_breadcrumbs(self) -> list[Any]:
        return [(_("Schools"), reverse("schools:list"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        places = [place_of(row) for row in self.rows]
        return super().get_context_data(
            network=self.summary,
            network_url=network_address(self.asked.day),
            shows=self.shows,
            day=self.asked.day,
            problem=self.asked.problem,
            map=draw(place for place in places if place is not None),
            without_place=places.count(None),
            **kwargs,
        )
