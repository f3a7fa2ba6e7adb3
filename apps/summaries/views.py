"""Start page by role, and the city's summary."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import DetailView, TemplateView

from apps.core import clock
from apps.core.days import asked_day
from apps.core.pages import PageMixin
from apps.core.panels import rendered_panels
from apps.funding.models import Budget
from apps.funding.past import budgets_on
from apps.quotas.charts import chart_of_school_types
from apps.quotas.selectors import figure_status
from apps.quotas.views import BELOW, asked_figures
from apps.quotas.wording import page_address
from apps.schools.wording import network_address
from apps.summaries import selectors
from apps.summaries.start import start_page
from apps.summaries.tables import LedgerTable


class StartView(LoginRequiredMixin, PageMixin, TemplateView):
    """What waits for this person. Whoever has nothing to do but to read goes straight to the summary."""

    template_name = "summaries/start.html"

    def get_heading(self) -> Any:
        """A coordinator of one school lands on it."""
        return self.page.schools[0].short_name if len(self.page.schools) == 1 else _("Overview")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.page = start_page(request.user)  # type: ignore[arg-type]  # signed in
        if self.page.is_empty and request.user.has_perm("summaries.view_summary"):
            return redirect("summaries:summary")
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        only = self.page.schools[0] if len(self.page.schools) == 1 else None
        return super().get_context_data(
            page=self.page,
            school=only,
            schools=[(school, self.page.figures.get(school.number)) for school in self.page.schools],
            status=figure_status() if self.page.figures else None,
            panels=rendered_panels("schools.school", self.request, only) if only else [],
            **kwargs,
        )


class SummaryView(PermissionRequiredMixin, PageMixin, TemplateView):
    """Quota, money and applications on one page; each number with a link leads to its rows."""

    permission_required = "summaries.view_summary"
    template_name = "summaries/summary.html"
    heading = _("Summary")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = asked_figures(self.request)
        if asked.plan is None:
            return super().get_context_data(summary=None, **kwargs)
        summary = selectors.summary(self.request.user, asked.plan, asked.day)  # type: ignore[arg-type]  # signed in
        types = {
            figure.key: page_address(asked.plan.pk, asked.day, school_type=figure.key)
            for figure in summary.overview.school_types
        }
        query = "" if asked.day == clock.today() else urlencode({"day": asked.day.isoformat()})
        return super().get_context_data(
            asked=asked,
            day_query=query,
            day_suffix=f"?{query}" if query else "",
            summary=summary,
            chart=chart_of_school_types(summary.overview.school_types, types),
            figures_context=asked.context(),
            below_target_url=f"{page_address(asked.plan.pk, asked.day, target=BELOW)}#schools",
            schools_url=f"{page_address(asked.plan.pk, asked.day)}#schools",
            network_url=network_address(asked.day),
            **kwargs,
        )


class BudgetView(PermissionRequiredMixin, PageMixin, DetailView):
    """The ledger entries that make a budget's sums."""

    permission_required = "funding.view_budget"
    template_name = "summaries/budget.html"
    context_object_name = "budget"

    def get_queryset(self) -> QuerySet[Budget]:
        return Budget.objects.visible_to(self.request.user).select_related("grant__programme")

    def get_object(self, queryset: QuerySet[Budget] | None = None) -> Budget:
        """As it stood on the day that the address asks for; 404 where there was no such budget yet."""
        budget: Budget = super().get_object(queryset)
        self.asked = asked_day(self.request)
        if self.asked.is_today:
            return budget
        then = budgets_on([budget], self.asked.day)
        if not then:
            raise Http404
        return then[0]

    def get_heading(self) -> str:
        return str(self.object)

    def get_breadcrumbs(self) -> list[tuple[Any, str]]:
        return [(_("Summary"), f"{reverse('summaries:summary')}?{urlencode(self.asked.query)}".rstrip("?"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        budget: Budget = self.object
        entries = selectors.budget_entries(self.request.user, budget, self.asked.day)  # type: ignore[arg-type]  # signed in
        return super().get_context_data(
            table=LedgerTable(entries, request=self.request, caption=_("Entries, newest first")),
            asked=self.asked,
            source=budget.grant.programme if budget.grant else _("Municipal money"),
            **kwargs,
        )
