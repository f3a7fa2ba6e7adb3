"""Proposed changes of budgets: what waits, what was and will be, and the decision of another person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import formats
from apps.core.admin import ReadOnlyMixin, ScopedAdmin
from apps.core.errors import DomainError
from apps.core.form_layout import collect_errors, refuse
from apps.core.history_pages import told
from apps.core.money import ZERO
from apps.core.overtaken import what_happened
from apps.core.templatetags.portal import state_badge
from apps.funding import services
from apps.funding.admin.budget_forms import DecisionForm, TakeBackForm
from apps.funding.admin.chosen import LIMIT, ids_of, page_about
from apps.funding.admin.filters import ChangeKindFilter, ProposalStateFilter
from apps.funding.amounts import transferable
from apps.funding.carry_over import carried_between, taken_back_of
from apps.funding.choices import ProposalState
from apps.funding.models import Budget, BudgetChange
from apps.funding.proposed import Step, leaves_less_than_nothing, steps_of

LIST = "admin:funding_budgetchange_changelist"
_CONFIRM = "funding.confirm_budget"
_TAKE_BACK = "take_back"
_SHOWN = "shown"
"""In the form: the changes that were shown as possible to confirm."""
_VERBS: dict[str, Callable[..., BudgetChange]] = {
    "confirm": services.confirm_change,
    "decline": services.decline_change,
    "withdraw": services.withdraw_change,
}


def proposed(request: HttpRequest, change: BudgetChange) -> HttpResponse:
    """Leads to the change that waits now."""
    messages.success(request, gettext("Change proposed. It waits for the confirmation of another person."))
    return HttpResponseRedirect(reverse("admin:funding_budgetchange_change", args=[change.pk]))


def changes_of(budget: Budget, user: User) -> QuerySet[BudgetChange]:
    """What waits for this budget, also as the one that would receive."""
    rows: QuerySet[BudgetChange] = BudgetChange.objects.visible_to(user).filter(state=ProposalState.PROPOSED)
    both = rows.filter(budget=budget) | rows.filter(counterpart=budget)
    return both.select_related("budget", "counterpart", "proposed_by").order_by("proposed_at", "pk")


def shown_changes(changes: Iterable[BudgetChange]) -> list[tuple[BudgetChange, list[Step]]]:
    """Each change with what it moves."""
    rows = list(changes)
    steps = steps_of(rows)
    return [(row, steps[row.pk]) for row in rows]


@admin.register(BudgetChange)
class BudgetChangeAdmin(ReadOnlyMixin, ScopedAdmin):
    """Nothing is edited here: a change is confirmed, declined or withdrawn as it stands."""

    list_display = ("subject", "kind_shown", "moves", "reason", "proposed", "state_shown")
    list_display_links = ("subject",)
    list_filter = (ProposalStateFilter, ChangeKindFilter)
    list_select_related = ("budget", "counterpart", "proposed_by")
    search_fields = ("budget__name", "reason")
    sortable_by = ()
    ordering = ("-proposed_at", "-pk")
    actions = ("confirm_chosen",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        return actions if request.user.has_perm(_CONFIRM) else {}

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With what each row moves, read for the whole page at once."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)
        steps = steps_of(page.result_list)
        for row in page.result_list:
            row.steps = steps[row.pk]
        return page

    # Columns

    @admin.display(description=_("budget"))
    def subject(self, row: BudgetChange) -> str:
        return str(row.budget) if row.budget else f"{row.values.get('name')} {row.values.get('fiscal_year')}"

    @admin.display(description=_("kind"))
    def kind_shown(self, row: BudgetChange) -> str:
        return row.what

    @admin.display(description=_("what changes"))
    def moves(self, row: Any) -> str:
        return format_html_join(mark_safe("<br>"), "{}: {}{}", ((s.label, _was(s), s.after) for s in row.steps))

    @admin.display(description=_("proposed"))
    def proposed(self, row: BudgetChange) -> str:
        return format_html("{}<br>{}", row.proposed_by, formats.moment(row.proposed_at))

    @admin.display(description=_("state"))
    def state_shown(self, row: BudgetChange) -> str:
        return state_badge(ProposalState(row.state))

    # Decisions

    @admin.action(description=_("Confirm the chosen changes"))
    def confirm_chosen(self, request: HttpRequest, queryset: QuerySet[BudgetChange]) -> HttpResponse | None:
        """Leads to what would change."""
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: LIMIT + 1])
        if len(ids) > LIMIT:
            messages.warning(request, gettext("Please choose at most %(limit)s changes at once.") % {"limit": LIMIT})
            return None
        return HttpResponseRedirect(page_about("admin:funding_budgetchange_confirm_several", ids))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.confirm_several_view)
        return [path("confirm/", view, name="funding_budgetchange_confirm_several"), *super().get_urls()]

    def confirm_several_view(self, request: HttpRequest) -> HttpResponse:
        """What would change; then what was shown as possible is confirmed one by one, and what is refused says why."""
        if not request.user.has_perm(_CONFIRM):
            raise PermissionDenied(_CONFIRM)
        ids = ids_of(request)
        changes = list(self.get_queryset(request).filter(pk__in=ids).order_by("proposed_at", "pk"))
        if not ids or len(changes) != len(ids):
            raise Http404
        if request.method != "POST":
            return self._preview(request, changes)
        shown = request.POST.getlist(_SHOWN)
        self._confirm(request, [change for change in changes if str(change.pk) in shown])
        return HttpResponseRedirect(reverse(LIST))

    def _confirm(self, request: HttpRequest, changes: Iterable[BudgetChange]) -> None:
        done = 0
        for change in changes:
            try:
                services.confirm_change(change=change, by=request.user)  # type: ignore[arg-type]  # signed in
                done += 1
            except DomainError as error:
                messages.error(request, _refused(change, error))
        if done:
            sentence = ngettext("%(count)s change confirmed.", "%(count)s changes confirmed.", done)
            messages.success(request, sentence % {"count": done})

    def _preview(self, request: HttpRequest, changes: list[BudgetChange]) -> HttpResponse:
        refused = services.refusals_of(changes=changes, by=request.user)  # type: ignore[arg-type]  # signed in
        rows = [
            {"change": change, "steps": steps, "obstacle": refused.get(change.pk, "")}
            for change, steps in shown_changes(changes)
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Confirm several changes"),
            "rows": rows,
            "possible": len(rows) - len(refused),
            "shown": _SHOWN,
        }
        return TemplateResponse(request, "admin/funding/budgetchange/confirm_several.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """GET shows the change, POST names a `step`: confirm, decline or withdraw."""
        self._ensure_row(request, object_id, allowed=self.has_view_or_change_permission(request))
        change: Any = self.get_object(request, unquote(object_id))
        if request.POST.get("step") == _TAKE_BACK:
            return self._take_back(request, change)
        form = DecisionForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and self._decide(request, change, form):
            return HttpResponseRedirect(reverse(LIST))
        return TemplateResponse(request, "admin/funding/budgetchange/change.html", self._page(request, change, form))

    def _take_back(self, request: HttpRequest, change: BudgetChange) -> HttpResponse:
        """Of a carry-over that was too high: a proposal of its own, which another person confirms."""
        if not request.user.has_perm("funding.change_budget"):
            raise PermissionDenied
        form = TakeBackForm(request.POST, prefix="back")
        if form.is_valid():
            try:
                return proposed(
                    request, services.propose_take_back(change=change, by=request.user, **form.cleaned_data)
                )
            except DomainError as error:
                refuse(form, error)
        page = self._page(request, change, DecisionForm()) | {"back_form": form, "errors": collect_errors(form)}
        return TemplateResponse(request, "admin/funding/budgetchange/change.html", page)

    def _decide(self, request: HttpRequest, change: BudgetChange, form: DecisionForm) -> bool:
        step = request.POST.get("step", "")
        if step not in _VERBS:
            raise BadRequest(f"Unknown step {step!r}")
        try:
            decided = _VERBS[step](change=change, by=request.user, note=form.cleaned_data["note"])
        except DomainError as error:
            refuse(form, error)
            return False
        sentence = gettext("“%(change)s” is %(state)s now.")
        messages.success(request, sentence % {"change": decided, "state": ProposalState(decided.state).label})
        return True

    def _page(self, request: HttpRequest, change: BudgetChange, form: DecisionForm) -> dict[str, Any]:
        user, waits = request.user, change.state == ProposalState.PROPOSED
        is_own = change.proposed_by_id == user.pk
        may_decide = waits and not is_own and user.has_perm(_CONFIRM)
        obstacle = self._obstacle(user, change) if may_decide else ""
        beyond_free = waits and not obstacle and leaves_less_than_nothing(change)
        if is_own:
            form["note"].help_text = ""
        elif obstacle:
            form["note"].help_text = _("Why you decline it.")
            form.fields["note"].required = True
        elif beyond_free:
            form["note"].help_text = _("Needed: why you confirm or decline.")
            form.fields["note"].hint_says_when_required = True  # type: ignore[attr-defined]  # read by the template
        errors = collect_errors(form)
        moved = change.budget if any(error.code == "stale" for error in errors) else change
        happened = what_happened(moved, user, errors)
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": change.what,
            "change": change,
            "steps": steps_of([change])[change.pk],
            "state": ProposalState(change.state),
            "waits": waits,
            "also_waiting": self._also_waiting(user, change) if waits else (),
            "beyond_free": beyond_free,
            "may_decide": may_decide,
            "obstacle": obstacle,
            "may_withdraw": waits and is_own and user.has_perm("funding.change_budget"),
            "is_own": is_own,
            "taken_back": taken_back_of(change),
            "back_form": self._back_form(user, change),
            "form": form,
            "errors": errors,
            "what_happened": happened,
        }

    def _also_waiting(self, user: Any, change: BudgetChange) -> list[BudgetChange]:
        """What else is proposed for its budgets: whichever comes first may leave too little for the others."""
        found: dict[int, BudgetChange] = {}
        for budget in filter(None, (change.budget, change.counterpart)):
            found |= {row.pk: row for row in changes_of(budget, user).exclude(pk=change.pk)}
        return list(found.values())

    def _obstacle(self, user: Any, change: BudgetChange) -> str:
        """Why it cannot be confirmed as the budgets are now, whatever the note says."""
        return services.refusals_of(changes=[change], by=user, note=change.reason).get(change.pk, "")

    def _back_form(self, user: Any, change: BudgetChange) -> TakeBackForm | None:
        """None where nothing of it can be taken back, or not by this person."""
        if change.budget is None or change.counterpart is None or not change.is_carried_over:
            return None
        left = carried_between(change.budget, change.counterpart)
        may = left > ZERO and user.has_perm("funding.change_budget")
        initial = {"amount": max(min(left, change.amount or ZERO, transferable(change.counterpart)), ZERO)}
        return TakeBackForm(prefix="back", initial=initial) if may else None

    def get_queryset(self, request: HttpRequest) -> QuerySet[BudgetChange]:
        rows: QuerySet[BudgetChange] = super().get_queryset(request)
        return rows.select_related("budget", "counterpart", "proposed_by", "decided_by")

    def get_history_queryset(self, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        records: QuerySet[Any] = super().get_history_queryset(*args, **kwargs)
        return records.select_related("budget", "counterpart", "proposed_by", "decided_by")

    def set_history_delta_changes(self, request: HttpRequest, historical_records: Any, *_args: Any) -> None:
        """Who proposed and who decided; what changes stands on the page itself."""
        told(historical_records, ("values", "before"))


def _refused(change: BudgetChange, error: DomainError) -> str:
    """Why one of several was left as it is, with the way to it."""
    url = reverse("admin:funding_budgetchange_change", args=[change.pk])
    return format_html('{}: {} <a href="{}">{}</a>', change, error, url, gettext("Open the change"))


def _was(step: Step) -> str:
    return f"{step.before} → " if step.before else ""
