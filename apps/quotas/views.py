"""The page of quotas: city, school types and schools of a plan on a day."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from apps.core import clock, formats
from apps.core.charts import LineChart
from apps.core.days import NO_DAY
from apps.core.errors import DomainError
from apps.core.form_fields import GermanDateField
from apps.core.list_views import PortalListView
from apps.core.tables import PortalTable
from apps.quotas import selectors
from apps.quotas.charts import chart_of_course, chart_of_school_types
from apps.quotas.course import course, up_to
from apps.quotas.figures import Figure, Overview
from apps.quotas.models import MediaDevelopmentPlan
from apps.quotas.stored import StoredOverview
from apps.quotas.tables import SchoolFigureExportTable, SchoolFigureTable, SchoolTypeFigureTable
from apps.quotas.wording import may_follow, page_address
from apps.schools.models import School

REACHES = {"1": 1, "2": 2}
"""`at` in the address: schools at 1 : 1, or at 1 : 2 or better."""
BELOW = "below"
"""`target` in the address: schools below their target."""


@dataclass(frozen=True)
class AskedFigures:
    """The plan and the day that an address asks for; `problem` says what is wrong with it, then both are defaults."""

    plans: list[MediaDevelopmentPlan]
    plan: MediaDevelopmentPlan | None
    day: datetime.date
    problem: str | Promise = ""

    @property
    def plan_is_over(self) -> bool:
        """Whether the plan had ended by the day, so that its targets only hold for want of another one."""
        return self.plan is not None and self.plan.ends_on < self.day

    @property
    def next_plan(self) -> MediaDevelopmentPlan | None:
        """The plan in force on the day, where that is a later one than the shown plan."""
        if self.plan is None:
            return None
        start = self.plan.starts_on
        return _latest(other for other in self.plans if start < other.starts_on <= self.day)

    @property
    def past_day(self) -> datetime.date | None:
        """The day, where it lies in the past: pages then say of which day their figures are."""
        return self.day if self.day < clock.today() else None

    def context(self, **keep: str) -> dict[str, Any]:
        """For the switch in the page's head (`figures_context`); `keep` are other parameters that stay."""
        return {
            "plan": self.plan.name if self.plan else "",
            "day": self.day,
            "plans": [(str(plan.pk), plan.name) for plan in self.plans],
            "plan_value": str(self.plan.pk) if self.plan else "",
            "keep": keep,
        }


def asked_figures(request: HttpRequest) -> AskedFigures:
    """Reads `plan` (number or name) and `day` from the address; the current plan on its newest day by default.

    A day without a plan, or before the chosen plan, is read from the plan that was in force then.
    """
    plans = list(MediaDevelopmentPlan.objects.visible_to(request.user).filter(starts_on__lte=clock.today()))
    plan, problem = _asked_plan(plans, request.GET.get("plan", ""))
    newest = (selectors.newest_day(plan) if plan else None) or clock.today()
    if plan is None or problem:
        return AskedFigures(plans, plan, newest, problem)
    try:
        day = GermanDateField(required=False).clean(request.GET.get("day", "")) or newest
        then = selectors.plan_on(plans, day)
    except DomainError as error:
        return AskedFigures(plans, plan, newest, str(error))
    except ValidationError:
        return AskedFigures(plans, plan, newest, NO_DAY)
    if not request.GET.get("plan"):
        return AskedFigures(plans, then, day)
    if day < plan.starts_on:
        return AskedFigures(plans, then, day, _other_plan(plan, then))
    return AskedFigures(plans, plan, day)


def _latest(plans: Iterable[MediaDevelopmentPlan]) -> MediaDevelopmentPlan | None:
    return max(plans, key=lambda plan: (plan.starts_on, plan.pk), default=None)


def _other_plan(asked: MediaDevelopmentPlan, shown: MediaDevelopmentPlan) -> str:
    sentence = _("%(asked)s begins on %(day)s. You see %(shown)s, which was in force on the day that you chose.")
    return sentence % {"asked": asked.name, "day": formats.day(asked.starts_on), "shown": shown.name}


def _asked_plan(plans: list[MediaDevelopmentPlan], asked: str) -> tuple[MediaDevelopmentPlan | None, str | Promise]:
    current = _latest(plans)
    if not asked:
        return current, ""
    for plan in plans:
        if asked in (str(plan.pk), plan.name):
            return plan, ""
    return current, _("There is no such plan. Please choose one from the list.")


class QuotaOverviewView(PortalListView):
    """City, school types and the person's schools; the city's figures are public, schools' rows follow the scope.

    `school_type`, `at` and `target` narrow the table of schools, so that each number on the page leads to its rows.
    """

    template_name = "quotas/overview.html"
    heading = _("Device quotas")
    permission_required = "quotas.view_quotafigure"
    table_class = SchoolFigureTable
    export_name = "quotas"
    default_order = ("difference",)
    caption = _("Schools")
    empty_text = _("No school of yours counts for the quota on this day.")

    @cached_property
    def asked(self) -> AskedFigures:
        return asked_figures(self.request)

    @cached_property
    def read(self) -> Overview | StoredOverview | None:
        return selectors.overview(self.asked.plan, self.asked.day) if self.asked.plan else None

    def get_queryset(self) -> Sequence[Figure]:
        """The person's schools, narrowed by `school_type`, `at` and `target`."""
        if self.read is None:
            return []
        return self.read.schools_among(
            School.objects.visible_to(self.request.user),
            school_type=self.request.GET.get("school_type", ""),
            reach=REACHES.get(self.request.GET.get("at", "")),
            below_target=self._below_target,
        )

    @property
    def _below_target(self) -> bool:
        return self.request.GET.get("target") == BELOW

    def _unpaged_table(self, rows: Any) -> PortalTable:
        if self.request.GET.get("export"):
            self.table_class = SchoolFigureExportTable
        return super()._unpaged_table(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked, read = self.asked, self.read
        kwargs |= {"asked": asked, "figures_context": asked.context() if asked.plan else None}
        if read is not None and asked.plan is not None:
            kwargs |= {
                "city": read.city,
                "status": selectors.figure_status(asked.plan),
                "shares": [(reach, read.share_at(reach), self._schools(read, at=str(reach))) for reach in (1, 2)],
                "chart": chart_of_school_types(read.school_types, self._addresses(read)),
                "course": self._course(read),
                "types": self._types(read),
                "narrowed": self._narrowed(read),
                "all_schools": _schools_address(read),
                "schools_url": self._schools(read),
            }
        return super().get_context_data(**kwargs)

    def _course(self, read: Overview | StoredOverview) -> LineChart | None:
        """Of the city, or of the school type that the page is narrowed to."""
        types = {figure.key: figure for figure in read.school_types}
        asked = types.get(self.request.GET.get("school_type", ""))
        points = course(read.day, school_type=asked.key if asked else "")
        figure = asked or read.city
        return chart_of_course(up_to(figure, points), figure.name)

    def _types(self, read: Overview | StoredOverview) -> SchoolTypeFigureTable:
        return SchoolTypeFigureTable(
            read.school_types,
            request=self.request,
            caption=_("School types"),
            addresses=self._addresses(read),
        )

    def _addresses(self, read: Overview | StoredOverview) -> dict[str, str]:
        """Key of a school type -> its schools."""
        return {figure.key: self._schools(read, school_type=figure.key) for figure in read.school_types}

    def _schools(self, read: Overview | StoredOverview, **narrowing: str) -> str:
        """The way to the schools behind a number; none for people who would see only some of them."""
        return _schools_address(read, **narrowing) if may_follow(read.city, self.request.user) else ""

    def _narrowed(self, read: Overview | StoredOverview) -> list[str | Promise]:
        """In words, what the table of schools is narrowed to."""
        names = {figure.key: figure.name for figure in read.school_types}
        words = {"1": _("at 1 : 1"), "2": _("at 1 : 2 or better")}
        found = [names.get(self.request.GET.get("school_type", "")), words.get(self.request.GET.get("at", ""))]
        found.append(_("below target") if self._below_target else None)
        return [word for word in found if word]


def _schools_address(read: Overview | StoredOverview, **narrowing: str) -> str:
    return f"{page_address(read.plan.pk, read.day, **narrowing)}#schools"
