"""Small forms about one budget whose answer is a proposal: an overrun, a virement with its preview."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.errors import DomainError
from apps.core.form_layout import collect_errors, refuse
from apps.funding.admin.budget_changes import proposed
from apps.funding.admin.budget_forms import OverrunForm, VirementForm
from apps.funding.calculations import transferable
from apps.funding.models import Budget
from apps.funding.proposed import Step, effects_on, steps_of, waiting_for


class BudgetPages:
    """Mixed into the budgets' admin."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/overrun/", view(self.overrun_view), name="funding_budget_overrun"),
            path("<path:object_id>/virement/", view(self.virement_view), name="funding_budget_virement"),
        ]
        return own + super().get_urls()  # type: ignore[misc]

    def overrun_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """An overrun on purpose: its own right, with a reason."""
        if not request.user.has_perm("funding.overrun_budget"):
            raise PermissionDenied
        budget = self._budget(request, object_id)
        return self._ask(
            request,
            budget,
            OverrunForm(request.POST if request.method == "POST" else None),
            title=_("Propose an overrun"),
            facts=[
                (_("Available"), formats.euro(budget.available)),
                (_("Overrun allowed so far"), formats.euro(budget.overrun_allowed)),
            ],
            text=_("Once another person has confirmed it, the budget may be exceeded by this amount."),
            button=_("Propose the overrun"),
        )

    def virement_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Money for another budget of the group. GET with what is typed shows what it would do, POST proposes it.

        A POST to see it, without a preview or with something else than it showed, leads to the preview.
        """
        if not request.user.has_perm("funding.change_budget"):
            raise PermissionDenied
        budget = self._budget(request, object_id)
        is_previewed = request.method == "GET" and "amount" in request.GET
        data = request.GET if is_previewed else request.POST if request.method == "POST" else None
        form = VirementForm(data, others=_others_of_group(budget, request))
        if request.method == "POST":
            preview, seen = f"{request.path}?{form.typed()}", request.POST.get("previewed")
            if request.POST.get("step") == "show" or seen is None:
                return HttpResponseRedirect(f"{preview}#preview")
            if seen != form.typed():
                messages.warning(request, _("You changed something after the preview. Please check the new preview."))
                return HttpResponseRedirect(preview)
        return self._ask(
            request,
            budget,
            form,
            preview=_preview(form, budget, request.user) if is_previewed else None,
            template="admin/funding/budget/virement.html",
            title=_("Propose a virement"),
            facts=[*_may_move(budget), (_("Virement group"), budget.virement_group or formats.missing())],
            text=_("Money moves within the virement group and fiscal year once another person has confirmed it."),
            button=_("Propose the virement"),
        )

    def _budget(self, request: HttpRequest, object_id: str) -> Budget:
        budget: Budget | None = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if budget is None:
            raise Http404
        return budget

    def _ask(
        self, request: HttpRequest, budget: Budget, form: Any, *, title: Promise | str, **words: Any
    ) -> HttpResponse:
        """The form, or once it is filled and sent the proposal."""
        if request.method == "POST" and form.is_valid():
            try:
                return proposed(request, form.propose(budget, request.user))
            except DomainError as error:
                refuse(form, error)
        return form_page(self, request, budget, form, title=title, **words)


def form_page(
    of: Any,
    request: HttpRequest,
    row: Any,
    form: forms.BaseForm,
    *,
    title: Promise | str,
    template: str = "admin/funding/form_page.html",
    **words: Any,
) -> HttpResponse:
    """A small form about one row. `words`: `facts` (label, value), `text` and the `button`."""
    name = f"admin:{of.opts.app_label}_{of.opts.model_name}"
    context = {
        **of.admin_site.each_context(request),
        "opts": of.opts,
        "title": title,
        "original": row,
        "row_url": reverse(f"{name}_change", args=[row.pk]),
        "form": form,
        "errors": collect_errors(form),
        **words,
    }
    return TemplateResponse(request, template, context)


def _preview(form: VirementForm, budget: Budget, user: Any) -> list[Step] | None:
    """What the virement would do to both budgets; None with the refusal in the form. What that writes is undone."""
    if not form.is_valid():
        return None
    try:
        with transaction.atomic():
            change = form.propose(budget, user)
            steps = steps_of([change])[change.pk]
            transaction.set_rollback(True)
    except DomainError as error:
        refuse(form, error)
        return None
    return steps


def _may_move(budget: Budget) -> list[tuple[Promise | str, str]]:
    """What may go to another budget, why that is less than what is available, and what is proposed of it already."""
    facts = [(_("Free to move"), formats.euro(transferable(budget)))]
    if budget.overrun_allowed:
        facts = [
            (_("Available"), formats.euro(budget.available)),
            (_("Of it an allowed overrun, which does not move"), formats.euro(budget.overrun_allowed)),
            *facts,
        ]
    waiting = waiting_for(budget, effects_on([budget.pk]))
    return [*facts, (_("Of it proposed already"), formats.euro(waiting.takes))] if waiting.takes else facts


def _others_of_group(budget: Budget, request: HttpRequest) -> Any:
    """Budgets that may receive the money: same group, year and source."""
    rows = Budget.objects.visible_to(request.user).exclude(pk=budget.pk).order_by("name", "pk")
    if not budget.virement_group:
        return rows.none()
    return rows.filter(virement_group=budget.virement_group, fiscal_year=budget.fiscal_year, grant_id=budget.grant_id)
