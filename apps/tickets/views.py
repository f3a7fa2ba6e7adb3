"""Pages about tickets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin, UserPassesTestMixin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import DetailView, FormView

from apps.core.errors import DomainError
from apps.core.list_views import PortalListView
from apps.core.pages import PageMixin
from apps.schools.models import School
from apps.tickets import selectors, services
from apps.tickets.choices import TicketState
from apps.tickets.filters import TicketFilters
from apps.tickets.forms import HandOverForm, ReportForm, WriteForm
from apps.tickets.models import Ticket
from apps.tickets.tables import TicketTable

VERBS: dict[str, tuple[Any, Any, bool]] = {
    "accept": (_("Accept ticket"), None, False),
    "ask_reporter": (_("Ask the reporter"), _("Question"), True),
    "wait_for_supplier": (_("Wait for the supplier"), _("What the supplier is to do"), False),
    "resume": (_("Go on working"), None, False),
    "solve": (_("Mark as solved"), _("What solved it"), True),
    "reopen": (_("It does not work yet"), _("What still happens"), True),
    "close": (_("It works again"), None, False),
    "withdraw": (_("Withdraw ticket"), _("Why it is no longer needed"), True),
}
"""Transition -> button, label of its text field (None: no text), whether the text is required."""


class TicketPageMixin(LoginRequiredMixin, UserPassesTestMixin):
    def test_func(self) -> bool:
        user = self.request.user  # type: ignore[attr-defined]
        return user.has_perm("tickets.view_ticket") or user.has_perm("tickets.report_ticket")


class TicketListView(TicketPageMixin, PortalListView):
    table_class = TicketTable
    filterset_class = TicketFilters
    heading = _("Tickets")
    empty_text = _("There are no tickets here. If something does not work at school, report it.")
    empty_action = ("tickets:create", _("Report ticket"))
    export_name = "tickets"
    saved_as = "tickets"
    template_name = "tickets/list.html"

    def get_queryset(self) -> QuerySet[Ticket]:
        return Ticket.objects.visible_to(self.request.user).select_related("school", "responsible")


class TicketCreateView(LoginRequiredMixin, UserPassesTestMixin, PageMixin, FormView):
    form_class = ReportForm
    template_name = "tickets/report.html"
    heading = _("Report ticket")

    def test_func(self) -> bool:
        return self.request.user.has_perm("tickets.report_ticket")

    def get_breadcrumbs(self) -> list[tuple[Any, str]]:
        return [(_("Tickets"), reverse("tickets:list"))]

    def get_initial(self) -> dict[str, Any]:
        """A link from a device or a school fills in what it knows; the form's own defaults fill in the rest."""
        asked = self.request.GET
        school = School.objects.visible_to(self.request.user).filter(number=asked.get("school", "")).first()
        known = {"school": school, "device": asked.get("device"), "room": asked.get("room")}
        return {name: value for name, value in known.items() if value}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def form_valid(self, form: ReportForm) -> HttpResponse:
        try:
            ticket = services.report_ticket(by=self.request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(error.field, str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("Your ticket is reported. You get a mail as soon as there is news."))
        return redirect("tickets:detail", pk=ticket.pk)


class TicketDetailView(TicketPageMixin, PageMixin, DetailView):
    template_name = "tickets/detail.html"
    context_object_name = "ticket"

    def get_queryset(self) -> QuerySet[Ticket]:
        rows = Ticket.objects.visible_to(self.request.user)
        return rows.select_related("school", "device", "reporter", "responsible")

    def get_heading(self) -> str:
        return self.object.title

    def get_breadcrumbs(self) -> list[tuple[Any, str]]:
        return [(_("Tickets"), reverse("tickets:list"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        ticket, user = self.object, self.request.user
        typed: dict[str, Any] = kwargs.pop("typed", {})
        works = user.has_perm("tickets.work_ticket")
        is_open = ticket.state != TicketState.CLOSED
        return super().get_context_data(
            state=TicketState(ticket.state),
            conversation=selectors.conversation(ticket, user),
            status_changes=ticket.status_changes.select_related("by"),
            actions=[self._action(name, typed) for name in selectors.actions_for(ticket, user)],
            answer_form=typed.get("answer") or WriteForm(label=_("Answer"), prefix="answer"),
            may_answer=is_open and user.has_perm("tickets.report_ticket"),
            note_form=typed.get("note") or WriteForm(label=_("Internal note"), prefix="note"),
            may_note=works,
            hand_over_form=typed.get("hand_over")
            or HandOverForm(prefix="hand_over", initial={"responsible": ticket.responsible_id}),
            may_hand_over=works and is_open,
            **kwargs,
        )

    def _action(self, name: str, typed: dict[str, Any]) -> dict[str, Any]:
        label, text_label, required = VERBS[name]
        form = typed.get(name)
        if form is None and text_label is not None:
            form = WriteForm(label=text_label, prefix=name)
        if form is not None:
            form.fields["text"].required = required
        return {"name": name, "label": label, "form": form, "open": name in typed}


class TicketActionView(TicketDetailView):
    """One POST per verb; an error shows the ticket again with what was typed."""

    def get(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """Nothing links here: people come back to this address after they had to sign in again."""
        self.object = self.get_object()
        if action not in self._handlers():
            raise Http404
        messages.warning(request, _("Your session had ended. Nothing is saved yet, please try again."))
        return redirect("tickets:detail", pk=self.object.pk)

    def post(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        self.object = self.get_object()
        handler = self._handlers().get(action)
        if handler is None:
            raise Http404
        form = self._form(action)
        if form is not None and not form.is_valid():
            return self._again(action, form)
        try:
            handler(form.cleaned_data if form is not None else {})
        except DomainError as error:
            if error.code == "forbidden":
                raise PermissionDenied from error
            if form is None or error.code == "illegal_transition":
                messages.error(request, str(error))
                return redirect("tickets:detail", pk=pk)
            form.add_error(error.field, str(error))
            return self._again(action, form)
        messages.success(request, _("Saved."))
        return redirect("tickets:detail", pk=pk)

    def _again(self, action: str, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(typed={action: form}), status=422)

    def _form(self, action: str) -> Any:
        if action == "hand_over":
            return HandOverForm(self.request.POST, prefix=action)
        if action in {"answer", "note"}:
            labels = {"answer": _("Answer"), "note": _("Internal note")}
            return WriteForm(self.request.POST, prefix=action, label=labels[action])
        _label, text_label, required = VERBS[action]
        if text_label is None:
            return None
        form = WriteForm(self.request.POST, prefix=action, label=text_label)
        form.fields["text"].required = required
        return form

    def _handlers(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        who: dict[str, Any] = {"ticket": self.object, "by": self.request.user}
        return {
            "accept": lambda _data: services.accept(**who),
            "ask_reporter": lambda data: services.ask_reporter(**who, text=data["text"]),
            "wait_for_supplier": lambda data: services.wait_for_supplier(**who, text=data["text"]),
            "resume": lambda _data: services.resume(**who),
            "solve": lambda data: services.solve(**who, text=data["text"]),
            "reopen": lambda data: services.reopen(**who, text=data["text"]),
            "close": lambda _data: services.close(**who),
            "withdraw": lambda data: services.withdraw(**who, text=data["text"]),
            "answer": lambda data: services.answer(**who, text=data["text"]),
            "note": lambda data: services.note_internally(**who, text=data["text"]),
            "hand_over": lambda data: services.hand_over(**who, to=data["responsible"]),
        }
