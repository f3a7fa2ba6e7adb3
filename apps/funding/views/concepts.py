"""The media concepts of a school: shown, uploaded, fetched and removed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, View

from apps.core import formats
from apps.core.errors import DomainError
from apps.core.pages import Crumb, PageMixin
from apps.funding import services
from apps.funding.forms import ConceptForm
from apps.funding.models import EquipmentApplication, MediaConcept
from apps.funding.round_selectors import concepts_of
from apps.funding.services.rounds import KEEP
from apps.funding.views.shared import list_crumb
from apps.schools.models import School


class ConceptMixin(PermissionRequiredMixin, PageMixin):
    """A school of the person's scope: wrong role 403, outside the scope 404."""

    permission_required = "funding.view_mediaconcept"
    request: HttpRequest
    school: School

    def find_school(self) -> School:
        schools = School.objects.filter(pk__in=School.objects.visible_to(self.request.user).values("pk"))
        self.school = get_object_or_404(schools, number=self.kwargs["number"])  # type: ignore[attr-defined]
        return self.school

    def find(self) -> MediaConcept | None:
        """None where it was removed meanwhile: then `removed` answers."""
        rows = concepts_of(self.find_school(), self.request.user)  # type: ignore[arg-type]  # signed in by the mixin
        found: MediaConcept | None = rows.filter(pk=self.kwargs["pk"]).first()  # type: ignore[attr-defined]
        if found is None and not self.removal():
            raise Http404
        return found

    def removal(self) -> str:
        """Who removed it when, as a sentence; empty where there never was such a concept of this school."""
        rows = MediaConcept.history.filter(school=self.school, id=self.kwargs["pk"], history_type="-")  # type: ignore[attr-defined]
        last = rows.select_related("history_user").first()
        if last is None:
            return ""
        names = {"name": last.name, "moment": formats.moment(last.history_date), "person": last.history_user}
        if last.history_user == self.request.user:
            return gettext("You removed “%(name)s” yourself on %(moment)s, perhaps in another window.") % names
        return gettext("%(person)s removed “%(name)s” on %(moment)s.") % names

    def removed(self) -> HttpResponse:
        messages.warning(self.request, self.removal())
        return redirect(self.address())

    def address(self) -> str:
        return reverse("funding:concepts", args=[self.school.number])

    def get_breadcrumbs(self) -> list[Crumb]:
        return [(self.school.short_name, reverse("schools:detail", args=[self.school.number]))]


class ConceptsView(ConceptMixin, TemplateView):
    """The list, and for those who keep them the form. `?application=` names the one to go on with afterwards."""

    template_name = "funding/concepts.html"
    heading = _("Media concepts")

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        self.find_school()
        return self.render_to_response(self.get_context_data(form=ConceptForm()))

    def post(self, request: HttpRequest, number: str) -> HttpResponse:
        if not request.user.has_perm(KEEP):
            raise PermissionDenied(KEEP)
        school = self.find_school()
        form = ConceptForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=422)
        try:
            concept = services.add_concept(school=school, by=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
            return self.render_to_response(self.get_context_data(form=form), status=422)
        messages.success(request, gettext("The media concept “%(name)s” is kept.") % {"name": concept.name})
        application = self._application()
        return redirect("funding:detail", pk=application.pk) if application else redirect(self.address())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user: Any = self.request.user
        return super().get_context_data(
            school=self.school,
            concepts=concepts_of(self.school, user),
            may_keep=user.has_perm(KEEP),
            application=self._application(),
            **kwargs,
        )

    def _application(self) -> EquipmentApplication | None:
        """The one that the person came from, if they may see it."""
        key = self.request.GET.get("application", "")
        if not key.isdecimal() or len(key) > 18:
            return None
        rows = EquipmentApplication.objects.visible_to(self.request.user).filter(school=self.school)
        found: EquipmentApplication | None = rows.filter(pk=int(key)).first()
        return found

    def get_breadcrumbs(self) -> list[Crumb]:
        application = self._application()
        if application is None:
            return super().get_breadcrumbs()
        return [list_crumb(), (application.title, reverse("funding:detail", args=[application.pk]))]


class ConceptView(ConceptMixin, View):
    """Hands the file out for saving: no browser shows it, guesses another kind, or runs what may hide in it."""

    def get(self, request: HttpRequest, number: str, pk: int) -> HttpResponseBase:
        row = self.find()
        if row is None:
            return self.removed()
        try:
            content = row.file.open("rb")
        except FileNotFoundError:
            messages.error(request, _("The file is no longer there. Please upload it once more."))
            return redirect(self.address())
        response = FileResponse(content, as_attachment=True, filename=row.name, content_type=row.content_type)
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["Cache-Control"] = "private, no-store"
        return response


class RemoveConceptView(ConceptMixin, TemplateView):
    """Asks once, naming what is lost."""

    permission_required = KEEP
    template_name = "funding/remove_concept.html"
    heading = _("Remove media concept")

    def get(self, request: HttpRequest, number: str, pk: int) -> HttpResponse:
        row = self.find()
        if row is None:
            return self.removed()
        return self.render_to_response(self.get_context_data(concept=row, school=self.school))

    def post(self, request: HttpRequest, number: str, pk: int) -> HttpResponse:
        row = self.find()
        if row is None:
            return self.removed()
        try:
            services.remove_concept(concept=row, by=request.user)
        except DomainError as error:
            messages.error(request, self.removal() or str(error))
        else:
            messages.success(request, gettext("The media concept “%(name)s” is removed.") % {"name": row.name})
        return redirect(self.address())

    def get_breadcrumbs(self) -> list[Crumb]:
        return [*super().get_breadcrumbs(), (_("Media concepts"), self.address())]
