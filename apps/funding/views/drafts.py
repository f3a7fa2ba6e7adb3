"""The draft form: new and existing applications, saved by hand, by itself, and never over somebody else's work.

One address takes everything that the form sends: `X-Autosave` answers in JSON, htmx gets the sums only, buttons
say in `action` what they want. Nothing that was typed is lost: a refused save shows it again, a stale one beside
what was saved in the meantime, and a save after the session ended comes back after signing in (`StashMixin`).
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from apps.core import clock
from apps.core.errors import DomainError, StaleError
from apps.core.formsets import grown, wants_more
from apps.core.pages import Crumb, PageMixin
from apps.core.stash import StashMixin
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.forms import Catalogue, SchoolChoiceForm
from apps.funding.kit_lines import KitForm
from apps.funding.models import EquipmentApplication
from apps.funding.round_selectors import pause_between_rounds
from apps.funding.selectors import planned
from apps.funding.views.draft_input import DraftInput, conflict_of
from apps.funding.views.shared import ApplicationMixin, list_crumb
from apps.funding.workflow import EDITABLE_STATES
from apps.quotas.selectors import figure_status
from apps.schools.models import School


class DraftView(StashMixin, PermissionRequiredMixin, PageMixin, TemplateView):
    """Base of both forms. Subclasses set `school` and, once there is one, `application`."""

    template_name = "funding/draft.html"
    permission_required = "funding.draft_application"
    school: School
    application: EquipmentApplication | None = None

    # Showing

    def show_form(self) -> HttpResponse:
        typed = self.stashed_input()
        if typed is not None:
            return self._show(self._read(typed).without_errors(), is_restored=True)
        return self._show(DraftInput.stored(self.school, self.application, self._catalogue()))

    def _show(self, draft: DraftInput, status: int = 200, **context: Any) -> HttpResponse:
        context.setdefault("kit_form", KitForm(catalogue=draft.catalogue))
        context |= self._sums(draft) | {"draft": draft, "autosaves": "conflict" not in context}
        return self.render_to_response(self.get_context_data(**context), status=status)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs |= {
            "school": self.school,
            "application": self.application,
            "figure_status": figure_status(),
            "pause": pause_between_rounds() if self.application is None else None,
        }
        return super().get_context_data(**kwargs)

    def _sums(self, draft: DraftInput) -> dict[str, Any]:
        """The sum and its effect, and which lines are missing in it."""
        sums = planned(self.school, draft.lines(), draft.catalogue.products)
        return {"planned": sums, "missing_lines": draft.missing_lines()}

    # Receiving

    def receive(self, request: HttpRequest) -> HttpResponse:
        if request.headers.get("X-Autosave") == "1":
            return self._autosave(self._read(request.POST))
        action = request.POST.get("action", "save")
        if action == "drop":
            self.forget_input()
            return redirect(request.get_full_path())
        if wants_more(request, "lines"):
            return self._show(self._read(_with_empty_line(request.POST)).without_errors())
        if action == "add_kit":
            return self._add_kit(request.POST)
        if action == "recalculate":
            return self._show_sums(self._read(request.POST))
        return self._save(self._read(request.POST, complete=action == "check"), action)

    def _add_kit(self, data: QueryDict) -> HttpResponse:
        kit_form = KitForm(data, catalogue=self._catalogue())
        if not kit_form.is_valid():
            return self._show(self._read(data).without_errors(), status=422, kit_form=kit_form)
        return self._show(self._read(kit_form.added_to(data)).without_errors())

    def _show_sums(self, draft: DraftInput) -> HttpResponse:
        if self.request.headers.get("HX-Request") == "true":
            return render(self.request, "funding/_sums.html", self._sums(draft))
        return self._show(draft.without_errors())

    def _save(self, draft: DraftInput, action: str) -> HttpResponse:
        if not draft.is_valid():
            return self._show(draft, status=422)
        try:
            saved = self._write(draft, take_mine=action == "mine")
        except StaleError:
            return self._show_conflict(draft)
        except DomainError as error:
            draft.form.add_error(None, str(error))
            return self._show(draft, status=422)
        self.forget_input()
        if action == "check":
            return redirect("funding:detail", pk=saved.pk)
        messages.success(self.request, gettext("Saved at %(time)s.") % {"time": _time()})
        return redirect("funding:edit", pk=saved.pk)

    def _show_conflict(self, draft: DraftInput) -> HttpResponse:
        conflict = conflict_of(self._current(draft), draft)
        return self._show(draft, status=409, conflict=conflict)

    # Saving by itself

    def _autosave(self, draft: DraftInput) -> HttpResponse:
        """Saves what can be saved; says which lines are not complete yet."""
        draft.is_valid()
        if draft.form.errors:
            return self._not_saved(gettext("Not saved yet. Please check the marked entries."))
        try:
            saved = self._unchanged(draft) or self._write(draft)
        except StaleError as error:
            conflict = conflict_of(self._current(draft), draft)
            return self._not_saved(conflict.sentence or str(error), status=409, stop=True)
        except DomainError as error:
            return self._not_saved(str(error))
        time = _time()
        answer: dict[str, Any] = {
            "saved_at": time,
            "values": draft.values_after(saved),
            "url": reverse("funding:edit", args=[saved.pk]),
        }
        missing = draft.line_forms.unfinished_numbers()
        if not missing:
            self.forget_input()
        else:
            words = gettext("Saved at %(time)s, except for line %(numbers)s: it is not complete yet.")
            answer["message"] = words % {"time": time, "numbers": ", ".join(map(str, missing))}
        return JsonResponse(answer)

    def _unchanged(self, draft: DraftInput) -> EquipmentApplication | None:
        """The saved row, when it holds already what was typed: nothing to write, no new entry in its history."""
        if draft.revision is None or draft.line_forms.unfinished():
            return None
        row = self._current(draft)
        conflict = conflict_of(row, draft)
        return row if conflict.revision == draft.revision and not conflict.differences else None

    @staticmethod
    def _not_saved(message: str, status: int = 422, **more: Any) -> JsonResponse:
        return JsonResponse({"message": message, **more}, status=status)

    # Reading and writing

    def _catalogue(self) -> Catalogue:
        return Catalogue.load(self.application)

    def _read(self, data: QueryDict, *, complete: bool = False) -> DraftInput:
        return DraftInput.posted(data, self.school, self.application, self._catalogue(), complete=complete)

    def _current(self, draft: DraftInput) -> EquipmentApplication:
        """The row as it is saved now."""
        raise NotImplementedError

    def _write(self, draft: DraftInput, *, take_mine: bool = False) -> EquipmentApplication:
        raise NotImplementedError

    def _overwrite(self, row: EquipmentApplication, draft: DraftInput, *, revision: int) -> EquipmentApplication:
        """Saves over `row` as of `revision`. Sent twice, the second finds its own content and changes nothing."""
        try:
            return services.save_draft(
                application=row,
                revision=revision,
                by=self.request.user,
                title=draft.title,
                reason=draft.reason,
                lines=draft.lines_for(row),
                in_round=draft.in_round,
            )
        except StaleError:
            current = self._current(draft)
            if conflict_of(current, draft).differences:
                raise
            return current


class EditView(DraftView, ApplicationMixin):
    """An existing draft, or an application that came back with a question."""

    permission_required = "funding.draft_application"
    heading = _("Edit application")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        is_asked = self.application.state == ApplicationState.RETURNED
        question = self.application.messages.select_related("by").last() if is_asked else None
        return super().get_context_data(question=question, **kwargs)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._open(pk)
        if self.application.state not in EDITABLE_STATES:
            messages.info(request, gettext("This application is submitted and cannot be changed any more."))
            return redirect("funding:detail", pk=pk)
        return self.show_form()

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._open(pk)
        return self.receive(request)

    def _open(self, pk: int) -> None:
        self.school = self.find(pk).school

    def _current(self, draft: DraftInput) -> EquipmentApplication:
        return self.rows().get(pk=self.application.pk)

    def _write(self, draft: DraftInput, *, take_mine: bool = False) -> EquipmentApplication:
        revision = draft.accepted_revision if take_mine else draft.revision
        return self._overwrite(self.application, draft, revision=revision or 0)


class CreateView(DraftView):
    """A new application. Its `form_key` makes one draft of it, however often the form is sent."""

    heading = _("New application")

    def get_breadcrumbs(self) -> list[Crumb]:
        return [list_crumb()]

    def get(self, request: HttpRequest) -> HttpResponse:
        if not self._choose_school():
            return self._ask_school()
        return self.show_form()

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self._choose_school():
            raise Http404
        return self.receive(request)

    def _choose_school(self) -> bool:
        """The school named in the address, else the only one; False: it must be asked."""
        schools = School.objects.visible_to(self.request.user).select_related("school_type")
        number = self.request.GET.get("school")
        if number:
            self.school = get_object_or_404(schools, number=number)
            return True
        first_two = list(schools[:2])
        if len(first_two) == 1:
            self.school = first_two[0]
        return len(first_two) == 1

    def _ask_school(self) -> HttpResponse:
        schools = School.objects.visible_to(self.request.user).order_by("sort_key")
        context = {
            "form": SchoolChoiceForm(self.request.GET or None, schools=schools),
            "has_school": schools.exists(),
            "heading": self.heading,
            "breadcrumbs": self.get_breadcrumbs(),
        }
        return render(self.request, "funding/choose_school.html", context)

    def _drafted(self, key: uuid.UUID | None) -> EquipmentApplication | None:
        rows = EquipmentApplication.objects.visible_to(self.request.user).filter(created_by=self.request.user)
        return rows.select_related("school", "round").filter(form_key=key).first() if key else None

    def _current(self, draft: DraftInput) -> EquipmentApplication:
        row = self._drafted(draft.form_key)
        if row is None:
            raise Http404
        return row

    def _write(self, draft: DraftInput, *, take_mine: bool = False) -> EquipmentApplication:
        row = self._drafted(draft.form_key)
        if row is None:
            try:
                return self._create(draft)
            except IntegrityError:
                row = self._current(draft)
        revision = draft.accepted_revision if take_mine else draft.revision
        return self._overwrite(row, draft, revision=revision or 1)

    def _create(self, draft: DraftInput) -> EquipmentApplication:
        return services.create_draft(
            by=self.request.user,
            school=self.school,
            title=draft.title,
            reason=draft.reason,
            lines=draft.lines_for(None),
            in_round=draft.in_round,
            form_key=draft.form_key,
        )


def _with_empty_line(data: QueryDict) -> QueryDict:
    """One more line, with the quantity that a new line begins with."""
    changed = grown(data, "lines")
    changed[f"lines-{int(changed['lines-TOTAL_FORMS']) - 1}-quantity"] = "1"
    return changed


def _time() -> str:
    """ "10:42"."""
    return formats.time_format(timezone.localtime(clock.now()), "H:i")
