"""What a school does with an application besides drafting: submit, withdraw, discard, answer.

GET shows what will happen and changes nothing. A rule that says no is shown as its sentence on the application's
page, which is then as things stand now: so a second click is harmless.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, View

from apps.core.errors import DomainError
from apps.core.formats import euro
from apps.core.stash import StashMixin
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.forms import TextForm
from apps.funding.models import EquipmentApplication
from apps.funding.selectors import application_sum
from apps.funding.views.shared import ApplicationMixin
from apps.funding.workflow import TRANSITIONS


class SubmitView(ApplicationMixin, View):
    """Hands the application in; the button stands on its page, where everything can be checked."""

    permission_required = "funding.submit_application"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Nothing links here: people come back to this address after they had to sign in again."""
        application = self.find(pk)
        if TRANSITIONS.allowed("submit", source=application.state):
            messages.warning(request, gettext("Your session had ended. The application is not submitted yet."))
        return redirect("funding:detail", pk=application.pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        application = self.find(pk)
        revision = request.POST.get("revision", "")
        try:
            services.submit(
                application=application, by=request.user, revision=int(revision) if revision.isdecimal() else None
            )
        except DomainError as error:
            messages.error(request, str(error))
        else:
            text = gettext("The application is submitted: %(sum)s. The school office has it now.")
            messages.success(request, text % {"sum": euro(application_sum(application))})
        return redirect("funding:detail", pk=pk)


class TextActionView(StashMixin, ApplicationMixin, TemplateView, ABC):
    """A page that asks for a text, and a button that says what happens."""

    template_name = "funding/action.html"
    verb: str | Promise
    danger = False
    text_label: str | Promise = ""
    text_required = True
    text_help: str | Promise = ""
    done_text: str | Promise

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        application = self.find(pk)
        if not self.is_possible():
            return redirect("funding:detail", pk=application.pk)
        typed = self.stashed_input()
        form = self.get_form(None if typed is None else {"text": typed.get("text", "")})
        return self.render_to_response(self.get_context_data(form=form, is_restored=typed is not None))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.find(pk)
        form = self.get_form(data=request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=422)
        try:
            self.act(form.cleaned_data["text"])
        except DomainError as error:
            if self.is_possible():
                form.add_error("text" if error.field == "text" else None, str(error))
                return self.render_to_response(self.get_context_data(form=form), status=422)
            messages.error(request, str(error))
        else:
            messages.success(request, str(self.done_text))
        self.forget_input()
        return redirect("funding:detail", pk=pk)

    def get_form(self, initial: dict[str, Any] | None = None, data: Any = None) -> TextForm:
        return TextForm(
            data, initial=initial, label=self.text_label, required=self.text_required, help_text=self.text_help
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(application=self.application, verb=self.verb, danger=self.danger, **kwargs)

    @abstractmethod
    def is_possible(self) -> bool:
        """Whether the present state lets it happen; asked again after a refusal, so it reads the row anew."""

    @abstractmethod
    def act(self, text: str) -> None: ...

    def state_now(self) -> str:
        return str(EquipmentApplication.objects.values_list("state", flat=True).get(pk=self.application.pk))


class WithdrawView(TextActionView):
    permission_required = "funding.submit_application"
    heading = _("Withdraw application")
    verb = _("Withdraw application")
    danger = True
    text_label = _("Why?")
    text_required = False
    text_help = _("The school office reads this.")
    done_text = _("The application is withdrawn.")

    def is_possible(self) -> bool:
        return TRANSITIONS.allowed("withdraw", source=self.state_now())

    def act(self, text: str) -> None:
        services.withdraw(application=self.application, by=self.request.user, reason=text)


class AnswerView(TextActionView):
    permission_required = "funding.draft_application"
    heading = _("Answer question")
    verb = _("Send answer")
    text_label = _("Your answer")
    done_text = _("Your answer is saved. Please submit the application again, so that the school office goes on.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(question=self.application.messages.select_related("by").last(), **kwargs)

    def is_possible(self) -> bool:
        return self.state_now() == ApplicationState.RETURNED

    def act(self, text: str) -> None:
        services.answer(application=self.application, by=self.request.user, text=text)


class DiscardView(ApplicationMixin, TemplateView):
    """Deletes a draft, after saying once what is lost."""

    template_name = "funding/discard.html"
    permission_required = "funding.draft_application"
    heading = _("Delete draft")

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        application = self.find(pk)
        if application.state != ApplicationState.DRAFT:
            return redirect("funding:detail", pk=pk)
        lines = application.lines.select_related("product")
        return self.render_to_response(self.get_context_data(application=application, lines=lines))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if self._is_gone(pk):
            messages.info(request, gettext("This draft is deleted already."))
            return redirect("funding:list")
        application = self.find(pk)
        try:
            services.discard_draft(application=application, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("funding:detail", pk=pk)
        messages.success(request, gettext("The draft “%(title)s” is deleted.") % {"title": application.title})
        return redirect("funding:list")

    def _is_gone(self, pk: int) -> bool:
        """Whether this person has deleted it before: the second click of two."""
        gone = EquipmentApplication.history.filter(id=pk, history_type="-", history_user=self.request.user)
        return bool(gone.exists())
