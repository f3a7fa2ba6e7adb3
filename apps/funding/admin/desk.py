"""The decision screen: one application on the desk, from the first look to the mail that goes out.

GET shows it. POST names a `step`: what only recalculates or fills in, what is pencilled in, what is shown for
checking (`check_…`) and what is decided. Everything typed stays in the form until a decision is made. What is
checked is kept in the session and shown by a GET, so that the way back never asks to send a form again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import formats
from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.admin import reads
from apps.funding.admin.figures import MoneyPreview, money_preview
from apps.funding.admin.timeline import last_change, timeline
from apps.funding.admin.verbs import VERBS, Rehearsal, Verb, rehearse
from apps.funding.admin_forms import DecisionForms, LineDecisionForm
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationLine, Budget, EquipmentApplication, ReasonTemplate, Reservation
from apps.quotas import selectors as quotas

if TYPE_CHECKING:
    from apps.funding.admin.queue import EquipmentApplicationAdmin

FOLDER = "admin/funding/equipmentapplication"
CHECKED = "desk_checked"
"""Key of the session: the application, its revision and all that was typed for the last check."""


class LineRow:
    """One line on the desk with its form and what it replaces."""

    def __init__(self, line: ApplicationLine, form: LineDecisionForm) -> None:
        self.line = line
        self.form = form
        self.replaced = reads.replaced_by(line)
        self.ages = reads.ages_of(self.replaced)

    @property
    def replaces_something(self) -> bool:
        return bool(self.line.replaces_quantity or self.line.replaces or self.replaced)


class Desk:
    """One request about one application that lies inside the person's scope."""

    def __init__(
        self, site: EquipmentApplicationAdmin, request: HttpRequest, application: EquipmentApplication
    ) -> None:
        self.site = site
        self.request = request
        self.user: User = request.user  # type: ignore[assignment]  # the admin lets in signed-in people only
        self.application = application
        self._checked = False

    # Who may do what

    @cached_property
    def waiting(self) -> bool:
        return self.application.state == ApplicationState.SUBMITTED

    @cached_property
    def is_own(self) -> bool:
        """Whoever asks does not decide."""
        return self.user.pk in (self.application.submitted_by_id, self.application.created_by_id)

    def may(self, verb: str) -> bool:
        """Whether the button of a verb is offered; the service checks again."""
        if not self.waiting or not self.user.has_perm(VERBS[verb].permission):
            return False
        return verb != "approve" or not self.is_own

    @cached_property
    def may_reserve(self) -> bool:
        return self.waiting and self.user.has_perm("funding.reserve_budget")

    @property
    def may_act(self) -> bool:
        return self.may_reserve or any(self.may(name) for name in VERBS)

    # What lies on the desk

    @cached_property
    def lines(self) -> Sequence[ApplicationLine]:
        return reads.lines_on_desk(self.application, self.user)

    @cached_property
    def budgets(self) -> Sequence[Budget]:
        return reads.budgets_to_choose(self.user)

    @cached_property
    def templates(self) -> Sequence[ReasonTemplate]:
        return list(ReasonTemplate.objects.visible_to(self.user))

    @cached_property
    def reservation(self) -> Reservation | None:
        rows = Reservation.objects.visible_to(self.user).select_related("budget", "by")
        return rows.filter(application=self.application).first()

    @cached_property
    def forms(self) -> DecisionForms:
        return DecisionForms(
            lines=self.lines,
            budgets=self.budgets,
            templates=self.templates,
            editable=self.may("approve"),
            may_overrun=self.user.has_perm("funding.overrun_budget"),
            revision=self.application.revision,
            initial={"budget": self.reservation.budget_id} if self.reservation else None,
            data=self.typed,
        )

    @cached_property
    def typed(self) -> QueryDict | None:
        """What was typed: sent just now, or kept for the look before the decision; None on a first look."""
        if self.request.method == "POST":
            return self.request.POST
        kept = self.request.session.get(CHECKED, {}) if "preview" in self.request.GET else {}
        return QueryDict(kept["typed"]) if kept.get("application") == self.application.pk else None

    @cached_property
    def money(self) -> MoneyPreview:
        return money_preview(self.lines, self.forms.decisions(), self.forms.budgets)

    # The way through the queue

    @cached_property
    def queue(self) -> Sequence[tuple[Any, int]]:
        return self.site.waiting(self.request)

    @property
    def next_id(self) -> int | None:
        """The application after this one in the queue, else the first; None when no other waits."""
        others = [row for row in self.queue if row[1] != self.application.pk]
        here = (self.application.submitted_at, self.application.pk)
        later = (pk for at, pk in others if here[0] is not None and (at, pk) > here)
        return next(later, others[0][1] if others else None)

    @property
    def place(self) -> tuple[int, int] | None:
        """(place, of how many); None outside of the list that the person came from."""
        ids = [pk for _at, pk in self.queue]
        return (ids.index(self.application.pk) + 1, len(ids)) if self.application.pk in ids else None

    # Steps

    def answer(self) -> HttpResponse:
        """The page for a GET, else what the step leads to."""
        if self.request.method != "POST":
            verb = VERBS.get(self.request.GET.get("preview", ""))
            return self._preview(verb) if verb and self.typed else self.show()
        step = self.request.POST.get("step", "")
        if not self.user.has_perm("funding.work_queue"):
            raise PermissionDenied
        if step.startswith("insert_"):
            return self._insert(step.removeprefix("insert_"))
        if step.removeprefix("check_") in VERBS:
            verb = VERBS[step.removeprefix("check_")]
            return self._check(verb) if step.startswith("check_") else self._decide(verb)
        simple: dict[str, Callable[[], HttpResponse]] = {
            "edit": self.show,
            "recalculate": self._recalculate,
            "fill": self._fill,
            "reserve": self._reserve,
            "cancel_reservation": self._cancel_reservation,
        }
        if step not in simple:
            raise BadRequest(f"Unknown step {step!r}")
        return simple[step]()

    def _recalculate(self) -> HttpResponse:
        """Only the figures for the page's own script, else the whole page."""
        if self.request.headers.get("HX-Request"):
            return TemplateResponse(self.request, f"{FOLDER}/_figures.html", self.figures_context() | {"live": True})
        return self.show()

    def _fill(self) -> HttpResponse:
        """All lines as applied for."""
        self.forms.change({f"line-{line.pk}-approved_quantity": str(line.quantity) for line in self.lines})
        return self.show()

    def _insert(self, field: str) -> HttpResponse:
        """A template's text behind what is typed already."""
        if field not in {verb.field for verb in VERBS.values()}:
            raise BadRequest(f"Unknown text {field!r}")
        chosen = self.forms.template_text(field)
        if chosen:
            self.forms.change({field: "\n\n".join(filter(None, (self.forms.text(field), chosen)))})
        return self.show()

    def _reserve(self) -> HttpResponse:
        if not self.forms.check_budget(_("Please choose the budget to pencil the application into.")):
            return self.show()
        budget = self.forms.budgets[self.forms.typed_budgets()[0] or 0]
        try:
            services.reserve(application=self.application, budget=budget, by=self.user)
        except DomainError as error:
            return self._refuse(error)
        self._reload()
        messages.success(self.request, gettext("Pencilled into “%(budget)s”.") % {"budget": budget})
        return self.show()

    def _cancel_reservation(self) -> HttpResponse:
        services.cancel_reservation(application=self.application, by=self.user)
        self._reload()
        messages.success(self.request, gettext("The application is no longer pencilled in."))
        return self.show()

    def _check(self, verb: Verb) -> HttpResponse:
        """Keeps what is complete for the page that shows what would happen."""
        answer = self._preview(verb)
        if not self._checked:
            return answer
        typed = self.request.POST.copy()
        for name in ("csrfmiddlewaretoken", "step"):
            typed.pop(name, None)
        self.request.session[CHECKED] = {"application": self.application.pk, "typed": typed.urlencode()}
        asked = self.request.GET.copy()
        asked["preview"] = verb.name
        return HttpResponseRedirect(f"{self.request.path}?{asked.urlencode()}")

    def _preview(self, verb: Verb) -> HttpResponse:
        """What would happen, with the mail as it would go out; nothing is written."""
        self._ensure_permitted(verb)
        if not self._complete(verb):
            return self.show()
        try:
            rehearsal = rehearse(verb, self._fresh(), by=self.user, typed=self.forms)
        except DomainError as error:
            return self._refuse(error, verb)
        self._checked = True
        return self._page("confirm.html", self.confirm_context(verb, rehearsal))

    def _decide(self, verb: Verb) -> HttpResponse:
        """The decision, then the next application that waits."""
        self._ensure_permitted(verb)
        if not self._complete(verb):
            return self.show()
        try:
            decided = verb.run(self._fresh(), self.user, self.forms)
        except DomainError as error:
            return self._refuse(error, verb)
        self.request.session.pop(CHECKED, None)
        next_id = self.next_id
        messages.success(self.request, self._what_happened(decided, is_last=next_id is None))
        return HttpResponseRedirect(self.site.desk_url(self.request, next_id))

    def _ensure_permitted(self, verb: Verb) -> None:
        if not self.user.has_perm(verb.permission):
            raise PermissionDenied(verb.permission)

    def _complete(self, verb: Verb) -> bool:
        if verb.name == "approve":
            return self.forms.check_approval()
        return self.forms.check_text(verb.field, verb.required)

    def _fresh(self) -> EquipmentApplication:
        """An instance of its own, so that a rehearsal or a refusal leaves no trace in what is shown."""
        fresh: EquipmentApplication = EquipmentApplication.objects.get(pk=self.application.pk)
        return fresh

    def _refuse(self, error: DomainError, verb: Verb | None = None) -> HttpResponse:
        """The same screen with the service's sentence; with the present state if somebody was faster."""
        self._reload()
        if self.waiting:
            self.forms.refuse(error, field=verb.field if verb else "budget")
        return self.show()

    def _reload(self) -> None:
        """Reads everything anew after a write or a refusal; what was typed stays in the request."""
        self.application = self.site.get_queryset(self.request).get(pk=self.application.pk)
        for name in ("waiting", "is_own", "may_reserve", "reservation", "lines", "budgets", "forms", "money"):
            self.__dict__.pop(name, None)

    def _what_happened(self, decided: EquipmentApplication, *, is_last: bool) -> str:
        sentence = gettext("“%(title)s” of %(school)s: %(state)s. The mail is on its way.") % {
            "title": decided.title,
            "school": self.application.school,
            "state": decided.get_state_display(),
        }
        then = gettext("No other application is waiting.") if is_last else gettext("This is the next one.")
        return f"{sentence} {then}"

    # Pages

    def show(self) -> HttpResponse:
        return self._page("decision.html", self.screen_context())

    def _page(self, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = {
            **self.site.admin_site.each_context(self.request),
            "opts": self.site.opts,
            "original": self.application,
            "application": self.application,
            "desk": self,
            "forms": self.forms,
            "list_url": self.site.list_url(self.request),
        }
        return TemplateResponse(self.request, f"{FOLDER}/{template}", {**shared, **context})

    def screen_context(self) -> dict[str, Any]:
        return {
            "title": self.application.title,
            "errors": self.forms.errors() if self.forms.is_bound and self.waiting else [],
            "overtaken": self._overtaken(),
            "line_rows": [LineRow(line, form) for line, form in zip(self.lines, self.forms.lines, strict=True)],
            "states": ApplicationState,
            "sections": [self._section(verb) for verb in VERBS.values() if self.may(verb.name)],
            "approvers": [] if self.may("approve") else reads.names_of_approvers(self.user),
            "events": timeline(self.application, self.user),
            "place": self.place,
            "next_url": self.site.desk_url(self.request, self.next_id) if self.next_id else "",
            "history_url": self.site.history_url(self.application),
            **self.figures_context(),
        }

    def _section(self, verb: Verb) -> dict[str, Any]:
        """One way to decide; open where something is typed or to be mended, and the approval by itself."""
        field = self.forms.top[verb.field]
        overrun = self.forms.top["overrun_reason"] if "overrun_reason" in self.forms.top.fields else None
        started = bool(self.forms.text(verb.field) or field.errors)
        return {
            "verb": verb,
            "field": field,
            "template": self.forms.top[f"{verb.field}_template"],
            "templates": [row for row in self.templates if row.kind == verb.kind],
            "optional": not verb.required,
            "overrun": overrun if verb.name == "approve" else None,
            "overrun_open": bool(self.forms.text("overrun_reason")),
            "open": started or verb.name == "approve",
        }

    def _overtaken(self) -> dict[str, Any] | None:
        """Somebody (perhaps this person, with a second click) decided before: who, what, and the unused text."""
        if self.waiting or self.typed is None:
            return None
        change = last_change(self.application)
        texts = (self.forms.text(verb.field) for verb in VERBS.values())
        return {
            "change": change,
            "state": ApplicationState(self.application.state),
            "by_oneself": change is not None and change.by_id == self.user.pk,
            "text": "\n\n".join(filter(None, texts)),
        }

    def figures_context(self) -> dict[str, Any]:
        """What the column on the right computes from what is typed."""
        quota = reads.effect_of_decisions(self.application, self.lines, self.forms.decisions())
        touched = {effect.budget_id for effect in self.money.effects}
        for form in self.forms.lines:
            form.cost = self.money.per_line[form.line.pk]
        return {
            "desk": self,
            "forms": self.forms,
            "application": self.application,
            "money": self.money,
            "budget_effects": [(effect, self.forms.budgets[effect.budget_id]) for effect in self.money.effects],
            "other_budgets": [budget for budget in self.budgets if budget.pk not in touched],
            "quota": quota,
            "quota_sentence": reads.sentence_about(quota) if quota else "",
            "social_index": reads.social_index_of(self.application.school),
            "figure_status": quotas.figure_status(),
            "overrun_reason": self._overrun_reason(),
            "spoken": self._spoken(),
        }

    def _overrun_reason(self) -> str:
        """Why a budget is overrun on purpose; "" where nothing is typed or the person has no such right."""
        return self.forms.text("overrun_reason") if "overrun_reason" in self.forms.top.fields else ""

    def _cut_without_reason(self) -> bool:
        """Whether less is approved than asked, with no word of why: neither for the whole nor at a line."""
        asked = {line.pk: line.quantity for line in self.lines}
        cut = [row for row in self.forms.decisions() if row.approved_quantity < asked[row.line_id]]
        return bool(cut) and not self.forms.text("reason") and not any(row.note for row in cut)

    def _spoken(self) -> str:
        """The new figures as one sentence for screen readers."""
        parts = [gettext("To approve: %(sum)s.") % {"sum": formats.euro(self.money.approved)}]
        for effect in self.money.effects:
            sentence = (
                gettext("%(budget)s: %(amount)s available then.")
                if effect.sufficient
                else gettext("%(budget)s: not enough, %(amount)s are missing.")
            )
            amount = effect.available_after if effect.sufficient else effect.short_by
            parts.append(sentence % {"budget": effect.name, "amount": formats.euro(amount)})
        return " ".join(parts)

    def confirm_context(self, verb: Verb, rehearsal: Rehearsal) -> dict[str, Any]:
        state = ApplicationState(rehearsal.state)
        decisions = {decision.line_id: decision for decision in self.forms.decisions()}
        return {
            "title": _("Check before it goes out"),
            "verb": verb,
            "state": state,
            "letters": rehearsal.letters,
            "text": self.forms.text(verb.field),
            "outcome": [(line, decisions[line.pk], self.money.per_line[line.pk]) for line in self.lines],
            "typed": [(name, value) for name, values in (self.typed or QueryDict()).lists() for value in values
                      if name not in ("csrfmiddlewaretoken", "step")],
            "gives_no_reason": verb.name == "approve" and self._cut_without_reason(),
            **(self.figures_context() if verb.name == "approve" else {}),
        }  # fmt: skip
