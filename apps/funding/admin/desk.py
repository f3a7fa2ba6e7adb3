"""The decision screen: one application on the desk, from the first look to the mail that goes out.

GET shows it. POST names a `step`: what only recalculates or fills in, what is pencilled in, what is shown for
checking (`check_…`) and what is decided. Everything typed is kept until a decision is made, and each step leads to a
page to GET, so that the way back never asks to send a form again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.admin.desk_contents import DeskContents
from apps.funding.admin.desk_pages import confirm_context, figures_context, screen_context
from apps.funding.admin.verbs import VERBS, Rehearsal, Verb, rehearse
from apps.funding.models import EquipmentApplication

FOLDER = "admin/funding/equipmentapplication"


class Desk(DeskContents):
    """One request about one application."""

    def answer(self) -> HttpResponse:
        """The page for a GET; for a POST what the step leads to."""
        if self.request.method == "POST":
            return self._take(self.request.POST.get("step", ""))
        page, name = self.kept.asked()
        if self.typed is not None and name in VERBS:
            verb = VERBS[name]
            self._ensure_permitted(verb)
            rehearsal = self._rehearse(verb)
            if rehearsal and page == "preview":
                return self._page("confirm.html", confirm_context(self, verb, rehearsal))
        elif self.typed is not None and name == "reserve":
            self._names_budget()
        return self._show()

    def _take(self, step: str) -> HttpResponse:
        if not self.user.has_perm("funding.work_queue"):
            raise PermissionDenied
        if step.startswith("insert_"):
            return self._insert(step.removeprefix("insert_"))
        if step.removeprefix("check_") in VERBS:
            verb = VERBS[step.removeprefix("check_")]
            return self._check(verb) if step.startswith("check_") else self._decide(verb)
        simple: dict[str, Callable[[], HttpResponse]] = {
            "check": self._check_lines,
            "edit": self._keep,
            "recalculate": self._recalculate,
            "fill": self._fill,
            "reserve": self._reserve,
            "cancel_reservation": self._cancel_reservation,
            "withdraw_proposal": self._withdraw_proposal,
        }
        if step not in simple:
            raise BadRequest(f"Unknown step {step!r}")
        return simple[step]()

    def _keep(self, **asked: str) -> HttpResponse:
        """Keeps what is typed for the page that shows it."""
        self.kept.keep_typed(self.forms.data)
        return self.kept.look(**asked)

    def _recalculate(self) -> HttpResponse:
        """Only the figures for the page's own script, else the whole page."""
        if self.request.headers.get("HX-Request"):
            return TemplateResponse(self.request, f"{FOLDER}/_figures.html", figures_context(self) | {"live": True})
        return self._keep()

    def _fill(self) -> HttpResponse:
        """All lines as applied for."""
        self.forms.change({f"line-{line.pk}-approved_quantity": str(line.quantity) for line in self.lines})
        return self._keep()

    def _insert(self, field: str) -> HttpResponse:
        """A template's text behind what is typed already."""
        if field not in {verb.field for verb in VERBS.values()}:
            raise BadRequest(f"Unknown text {field!r}")
        chosen = self.forms.template_text(field)
        if chosen:
            self.forms.change({field: "\n\n".join(filter(None, (self.forms.text(field), chosen)))})
        return self._keep()

    def _names_budget(self) -> bool:
        return self.forms.check_budget(_("Please choose the budget to pencil the application into."))

    def _reserve(self) -> HttpResponse:
        if not self._names_budget():
            return self._keep(mend="reserve")
        budget = self.forms.budgets[self.forms.typed_budgets()[0] or 0]
        try:
            services.reserve(application=self.application, budget=budget, by=self.user, revision=self.forms.revision)
        except DomainError as error:
            self._reload()
            if not self.waiting:
                return self._keep(mend="reserve")
            messages.error(self.request, str(error))
            return self._keep()
        messages.success(self.request, gettext("Pencilled into “%(budget)s”.") % {"budget": budget})
        return self._keep()

    def _cancel_reservation(self) -> HttpResponse:
        services.cancel_reservation(application=self.application, by=self.user)
        messages.success(self.request, gettext("The application is no longer pencilled in."))
        return self._keep()

    def _withdraw_proposal(self) -> HttpResponse:
        services.withdraw_proposal(application=self.application, by=self.user)
        messages.success(self.request, gettext("The proposal is taken back."))
        return self._keep()

    def _check(self, verb: Verb) -> HttpResponse:
        """Leads to what would happen, with the mail as it would go out, or to the screen that says what is missing."""
        self._ensure_permitted(verb)
        if verb.name == "approve" and self._takes_two():
            verb = VERBS["propose"]
        return self._keep(preview=verb.name) if self._rehearse(verb) else self._keep(mend=verb.name)

    def _check_lines(self) -> HttpResponse:
        """What Enter in a field does: the look before approving, or before proposing by those who do not approve."""
        return self._check(VERBS["approve" if self.user.has_perm(VERBS["approve"].permission) else "propose"])

    def _takes_two(self) -> bool:
        """Whether one person may not approve this alone, so that it becomes a proposal; the service says so itself."""
        if not self._complete(VERBS["approve"]):
            return False
        try:
            rehearse(VERBS["approve"], self._fresh(), by=self.user, typed=self.forms)
        except DomainError as error:
            return error.code == "second_approver"
        return False

    def _rehearse(self, verb: Verb) -> Rehearsal | None:
        """What would happen, told by the service itself; nothing is written. None with its refusal in the form."""
        if not self._complete(verb):
            return None
        try:
            return rehearse(verb, self._fresh(), by=self.user, typed=self.forms)
        except DomainError as error:
            self._reload()
            if self.waiting:
                self.forms.refuse(error, field=verb.field)
            return None

    def _decide(self, verb: Verb) -> HttpResponse:
        """The decision, then the next application that waits. The page after a refusal hears it from a rehearsal."""
        self._ensure_permitted(verb)
        if not self._complete(verb):
            return self._keep(mend=verb.name)
        next_id = self.next_id
        try:
            decided = verb.run(self._fresh(), self.user, self.forms)
        except DomainError:
            return self._keep(mend=verb.name)
        self.kept.drop()
        if verb.decides_lines:
            budget_id, own_id = self.forms.typed_budgets()
            self.kept.keep_budgets(budget_id, own_id if self.forms.takes_own_share(budget_id) else None)
        messages.success(self.request, self._what_happened(verb, decided, is_last=next_id is None))
        return HttpResponseRedirect(self.site.desk_url(self.request, next_id))

    def _ensure_permitted(self, verb: Verb) -> None:
        if not self.user.has_perm(verb.permission):
            raise PermissionDenied(verb.permission)

    def _complete(self, verb: Verb) -> bool:
        if verb.decides_lines:
            return self.forms.check_approval()
        return self.forms.check_text(verb.field, verb.required)

    def _fresh(self) -> EquipmentApplication:
        """An instance of its own, so that a rehearsal or a refusal leaves no trace in what is shown."""
        fresh: EquipmentApplication = EquipmentApplication.objects.get(pk=self.application.pk)
        return fresh

    def _reload(self) -> None:
        """Reads everything anew after a write or a refusal; what was typed stays in the request."""
        self.application = self.site.get_queryset(self.request).get(pk=self.application.pk)
        for name in (
            "waiting",
            "is_own",
            "may_reserve",
            "reservation",
            "proposal",
            "lines",
            "budgets",
            "forms",
            "money",
        ):
            self.__dict__.pop(name, None)

    def _what_happened(self, verb: Verb, decided: EquipmentApplication, *, is_last: bool) -> str:
        if verb.name == "propose":
            words = gettext("“%(title)s” of %(school)s: the approval is proposed. Another person approves it.")
        else:
            words = gettext("“%(title)s” of %(school)s: %(state)s. The mail is on its way.")
        sentence = words % {
            "title": decided.title,
            "school": self.application.school,
            "state": decided.get_state_display(),
        }
        then = gettext("No other application is waiting.") if is_last else gettext("This is the next one.")
        return f"{sentence} {then}"

    def _show(self) -> HttpResponse:
        return self._page("decision.html", screen_context(self))

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
