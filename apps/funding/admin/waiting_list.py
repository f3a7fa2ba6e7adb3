"""The waiting list: in which order the office looks at what waits, why, and how far the money of a budget reaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.form_layout import collect_errors, refuse
from apps.funding.admin import reads
from apps.funding.admin.batch import BUDGETS
from apps.funding.admin.bulk_actions import ACTIONS
from apps.funding.admin.chosen import LIMIT, page_about
from apps.funding.admin_forms import BudgetsForm
from apps.funding.calculations import Step
from apps.funding.models import ApplicationRound
from apps.funding.priorities import most_points
from apps.funding.waiting_list import Entry, money_along, waiting_list, weights_on

PERMISSION = "funding.see_waiting_list"
MARK = ("list", "waiting")
"""Stands in the address of a desk that one came to from here."""


class WaitingListForm(BudgetsForm):
    """Of which round, and with which money."""

    round = forms.ModelChoiceField(
        ApplicationRound.objects.none(), label=_("Round of applications"), required=False, empty_label=_("all")
    )
    field_order = ("round", "budget", "own_share_budget")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, budgets=reads.budgets_to_choose(user), empty=_("without a budget"), **kwargs)
        self.fields["round"].queryset = ApplicationRound.objects.visible_to(user)


class Row:
    """One place of the page: the entry, the address of its desk, and its step along the money (None: no budget)."""

    def __init__(self, entry: Entry, url: str, step: Step | None) -> None:
        self.entry = entry
        self.place = entry.place
        self.application = entry.application
        self.url = url
        self.step = step


class WaitingListMixin:
    """The page, and the order in which the desk goes on from there."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.waiting_list_view)  # type: ignore[attr-defined]
        own = [path("waiting-list/", view, name="funding_equipmentapplication_waiting")]
        return own + super().get_urls()  # type: ignore[misc,no-any-return]

    def waiting_list_url(self, request: HttpRequest) -> str:
        """For those who may see it."""
        return reverse("admin:funding_equipmentapplication_waiting") if request.user.has_perm(PERMISSION) else ""

    def comes_from_waiting_list(self, kept: QueryDict) -> bool:
        return kept.get(MARK[0]) == MARK[1]

    def places_on_waiting_list(self, request: HttpRequest, kept: QueryDict) -> list[tuple[Any, int]]:
        user: Any = request.user
        if not user.has_perm(PERMISSION):
            return []
        form = WaitingListForm(kept, user=user)
        form.is_valid()
        entries = waiting_list(user, form.cleaned_data.get("round"))
        return [(entry.application.submitted_at, entry.application.pk) for entry in entries]

    def waiting_list_view(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not user.has_perm(PERMISSION):
            raise PermissionDenied(PERMISSION)
        form = WaitingListForm(request.GET or None, user=user)
        chosen = form.cleaned_data if form.is_valid() else {}
        entries = waiting_list(user, chosen.get("round"))
        money, ends_at = self._money(user, form, entries)
        enough = [step.application_id for step in money.steps if step.affordable] if money else []
        steps = {step.application_id: step for step in money.steps} if money else {}
        weights = weights_on(clock.today())
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": _("Waiting list"),
            "form": form,
            "errors": collect_errors(form),
            "rows": [Row(entry, self._desk_url(request, entry), steps.get(entry.application.pk)) for entry in entries],
            "money": money,
            "ends_at": ends_at,
            "enough": len(enough),
            "decide_url": _decide_url(user, enough, chosen),
            "weights": weights,
            "most_points": most_points({weight.criterion: weight.value for weight in weights}),
            "list_url": reverse("admin:funding_equipmentapplication_changelist"),
        }
        return TemplateResponse(request, "admin/funding/equipmentapplication/waiting_list.html", context)

    def _money(self, user: Any, form: WaitingListForm, entries: list[Entry]) -> tuple[Any, int | None]:
        """Along the list, if a budget is chosen; what is missing for it stands in the form."""
        if not form.is_bound or not form.is_valid() or not form.cleaned_data.get("budget"):
            return None, None
        budgets = {budget.pk: budget for budget in reads.budgets_to_choose(user)}
        own = budgets.get(form.cleaned_data.get("own_share_budget") or 0)
        try:
            return money_along(entries, budgets[form.cleaned_data["budget"]], own)
        except DomainError as error:
            refuse(form, error)
            return None, None

    def _desk_url(self, request: HttpRequest, entry: Entry) -> str:
        kept = request.GET.copy()
        kept[MARK[0]] = MARK[1]
        query = QueryDict(mutable=True)
        query["_changelist_filters"] = kept.urlencode()
        address = reverse("admin:funding_equipmentapplication_change", args=[entry.application.pk])
        return f"{address}?{query.urlencode()}"


def _decide_url(user: Any, ids: list[int], chosen: Mapping[str, Any]) -> str:
    """Where those for which the money is enough are approved or proposed together; "" where this person may not.

    The page begins with the budgets along which the list was counted.
    """
    name = next((name for name in ("approve", "propose") if user.has_perm(ACTIONS[name].permission)), "")
    if not name or not 0 < len(ids) <= LIMIT:
        return ""
    budgets = {field: str(chosen[field]) for field in BUDGETS if chosen.get(field)}
    return page_about("admin:funding_equipmentapplication_bulk", ids, name, **budgets)
