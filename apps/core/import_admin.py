"""Imports in the admin: upload, see what would change, apply or discard. Nothing is lost by leaving the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models, transaction
from django.db.models import Case, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core import jobs
from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.core.form_layout import KernFormHelper
from apps.core.imports import engine
from apps.core.imports.faults import faults_of
from apps.core.imports.reading import WORKBOOK
from apps.core.imports.sources import ImportSource, source_of, sources
from apps.core.mapping_admin import ColumnsViewMixin, assigned_columns, may_assign
from apps.core.models import ImportRow, ImportRun, ImportState, RowAction
from apps.core.nudge import nudge
from apps.core.tasks import run_due_imports
from apps.core.templatetags.portal import state_badge
from apps.core.text import sort_key

ROWS_PER_PAGE = 50
UNDER_WAY = (ImportState.CHECKING, ImportState.APPLYING)
CHARACTERS = {WORKBOOK: "", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}
"""Encodings whose name in Python is not the one that people know."""


class ImportButtonMixin:
    """A button on a change list that leads to the upload of one or more kinds of files."""

    change_list_template = "admin/core/import_change_list.html"
    import_sources: Sequence[tuple[str, Any]] = ()

    def offered_sources(self) -> Sequence[tuple[str, Any]]:
        return self.import_sources

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        links = [
            (reverse("admin:core_importrun_upload", args=[name]), label)
            for name, label in self.offered_sources()
            if request.user.has_perm(source_of(name).permission)
        ]
        return super().changelist_view(request, {**(extra_context or {}), "import_links": links})  # type: ignore[misc]


@admin.register(ImportRun)
class ImportRunAdmin(ColumnsViewMixin, ImportButtonMixin, ReadOnlyAdmin):
    """The list of imports, and per import its preview. All writes go through the engine."""

    change_list_template = "admin/core/import_runs.html"
    list_display = (
        "file_name",
        "kind",
        "state_word",
        "summary",
        "created_at",
        "created_by",
        "applied_at",
        "applied_by",
    )
    list_filter = ("state",)
    list_select_related = ("created_by", "applied_by")
    list_display_links = ("file_name",)

    def offered_sources(self) -> Sequence[tuple[str, Any]]:
        """Every kind of file: here people look for it first."""
        return [(source.name, source.label) for source in sources()]

    @admin.display(description=_("kind of file"))
    def kind(self, run: ImportRun) -> str:
        return _label_of(run)

    @admin.display(description=_("state"), ordering="state")
    def state_word(self, run: ImportRun) -> SafeString:
        return state_badge(run.state, ImportState)

    @admin.display(description=_("rows"))
    def summary(self, run: ImportRun) -> str:
        return ", ".join(f"{action.label}: {run.counts[action]}" for action in RowAction if run.counts.get(action))

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("upload/<slug:source>/", self._wrapped(self.upload_view), name="core_importrun_upload"),
            path("<int:pk>/apply/", self._wrapped(self.apply_view), name="core_importrun_apply"),
            path("<int:pk>/discard/", self._wrapped(self.discard_view), name="core_importrun_discard"),
            path("<int:pk>/check/", self._wrapped(self.check_view), name="core_importrun_check"),
            path("<int:pk>/columns/", self._wrapped(self.columns_view), name="core_importrun_columns"),
            path("<int:pk>/progress/", self._wrapped(self.progress_view), name="core_importrun_progress"),
        ]
        return own + super().get_urls()

    def _wrapped(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        return self.admin_site.admin_view(view)

    # -- upload -----------------------------------------------------------------------------------------------------

    def upload_view(self, request: HttpRequest, source: str) -> HttpResponse:
        """The form for a file; a good upload is checked by the worker and shown on the import's own page."""
        kind = _known_source(source)
        if not request.user.has_perm(kind.permission):
            raise PermissionDenied
        sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
        form = kind.upload_form(*sent, limits=kind.limits)
        form.helper = KernFormHelper(
            form, submit=_("Check file"), cancel_url=reverse("admin:core_importrun_changelist")
        )
        if form.is_bound and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                run = engine.create_run(
                    kind.name, by=request.user, file_name=file.name, upload=file, options=form.options()
                )
            except DomainError as error:
                form.add_error("file", str(error))
            else:
                nudge(run_due_imports)
                unread = run.state == ImportState.UNREADABLE
                return redirect(f"admin:core_importrun_{'columns' if unread else 'change'}", run.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import: %(what)s") % {"what": kind.label},
            "form": form,
            "opts": self.opts,
            "recent": ImportRun.objects.visible_to(request.user).filter(source=kind.name)[:5],
        }
        return TemplateResponse(request, "admin/core/import_upload.html", context)

    # -- preview ----------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        run = self._run(request, object_id)
        source = _source_for(run)
        preview = Preview(run, source, request.GET)
        context = {
            **self.admin_site.each_context(request),
            "title": run.file_name,
            "opts": self.opts,
            "run": run,
            "state": ImportState(run.state),
            "kind": _label_of(run),
            "option_labels": source.option_labels() if source else [],
            "characters": CHARACTERS.get(run.encoding, run.encoding.upper()),
            "preview": preview,
            "under_way": run.state in UNDER_WAY,
            "progress": _progress_of(run),
            "may_act": request.user.has_perm(run.permission),
            "may_apply": run.state == ImportState.CHECKED and not run.counts.get(RowAction.WRONG),
            "may_assign": may_assign(run, source),
            "may_check": engine.may_check_again(run),
            "may_discard": run.state not in {ImportState.APPLYING, ImportState.APPLIED, ImportState.DISCARDED},
            "nothing_to_do": not (run.counts.get(RowAction.NEW) or run.counts.get(RowAction.CHANGED)),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/core/import_run.html", context)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far the worker is; tells htmx to load the whole page again once it has ended."""
        run = self._run(request, str(pk))
        response = TemplateResponse(
            request, "admin/core/import_progress.html", {"run": run, "progress": _progress_of(run)}
        )
        if run.state not in UNDER_WAY:
            response["HX-Refresh"] = "true"
        return response

    # -- decisions --------------------------------------------------------------------------------------------------

    def apply_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act(request, pk, lambda run: engine.request_apply(run, by=request.user), work=True)

    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act(request, pk, lambda run: engine.check_again(run, by=request.user), work=True)

    def discard_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._act(request, pk, engine.discard, work=False)

    def _act(self, request: HttpRequest, pk: int, step: Callable[[ImportRun], None], *, work: bool) -> HttpResponse:
        run = self._run(request, str(pk))
        if not request.user.has_perm(run.permission):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:core_importrun_change", run.pk)
        try:
            with transaction.atomic():
                step(run)
                if work:
                    nudge(run_due_imports)
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
        return redirect("admin:core_importrun_change", run.pk)

    def _run(self, request: HttpRequest, pk: str) -> ImportRun:
        if not self.has_view_permission(request):
            raise PermissionDenied
        runs = self.get_queryset(request).select_related("job", "created_by", "applied_by")
        run = runs.filter(pk=pk).first() if pk.isdecimal() else None
        if run is None:
            raise Http404
        return run


class Preview:
    """Rows of a run as people read them: faulty ones first, then by line; filtered, searched and paged."""

    def __init__(self, run: ImportRun, source: ImportSource | None, asked: Any) -> None:
        self.run, self.source, self.asked = run, source, asked
        self.action = asked.get("action", "") if asked.get("action") in RowAction.values else ""
        self.reason = asked.get("reason", "")
        self.query = asked.get("q", "").strip()
        if source:
            source.prepare()
        self.page = Paginator(self._rows(), ROWS_PER_PAGE).get_page(asked.get("page"))

    def columns(self) -> list[tuple[str, str, list[str]]]:
        return assigned_columns(self.run, self.source)

    def _rows(self) -> QuerySet[ImportRow]:
        rows = ImportRow.objects.filter(run=self.run)
        if self.action:
            rows = rows.filter(action=self.action)
        if self.reason:
            rows = rows.filter(reason=self.reason)
        if self.query:
            rows = rows.filter(models.Q(key__startswith=self.query) | models.Q(label__icontains=self.query))
        rank = Case(
            *(When(action=action, then=Value(place)) for place, action in enumerate(RowAction.values)),
            output_field=models.IntegerField(),
        )
        return rows.order_by(rank, "line", "key")

    def lines(self) -> list[dict[str, Any]]:
        """The rows of this page with translated faults and readable changes."""
        return [
            {
                "row": row,
                "badge": state_badge(row.action, RowAction),
                "errors": faults_of(row.errors),
                "hints": faults_of(row.hints),
                "reason": self._reason(row.reason),
                "changes": self._changes(row),
                "kinds": self._kinds(row),
            }
            for row in self.page.object_list
        ]

    def _changes(self, row: ImportRow) -> list[tuple[str, str, str]]:
        if self.source is None:
            return []
        changes = [(name, *row.changes[name]) for name in self.source.fields if name in row.changes]
        return [
            (self.source.field_label(name), self.source.display(name, old), self.source.display(name, new))
            for name, old, new in changes
        ]

    def _kinds(self, row: ImportRow) -> str:
        words = self.source.kinds(row.changes) if self.source and row.action == RowAction.CHANGED else []
        return ", ".join(words)

    def _reason(self, code: str) -> str:
        return str(self.source.reasons.get(code, code)) if self.source and code else ""

    def actions(self) -> list[dict[str, Any]]:
        """One filter per action, with its count."""
        total = sum(self.run.counts.get(action, 0) for action in RowAction.values)
        links = [{"label": _("All"), "count": total, "value": "", "current": not self.action}]
        return links + [
            {
                "label": action.label,
                "count": self.run.counts.get(action, 0),
                "value": action.value,
                "current": self.action == action,
            }
            for action in RowAction
        ]

    def reasons(self) -> list[dict[str, Any]]:
        """Why rows were left out, with counts."""
        found = sorted(self.run.reasons.items(), key=lambda item: sort_key(self._reason(item[0])))
        return [
            {"label": self._reason(code), "count": count, "value": code, "current": self.reason == code}
            for code, count in found
        ]

    def kept(self) -> str:
        """The filters as part of an address, for the links to other pages."""
        kept = self.asked.copy()
        kept.pop("page", None)
        return kept.urlencode()


def _progress_of(run: ImportRun) -> jobs.Progress | None:
    return jobs.progress_of(run.job) if run.job is not None else None


def _known_source(name: str) -> type[ImportSource]:
    try:
        return source_of(name)
    except DomainError:
        raise Http404 from None


def _source_for(run: ImportRun) -> ImportSource | None:
    try:
        return source_of(run.source)(run.options)
    except DomainError:
        return None


def _label_of(run: ImportRun) -> str:
    source = _source_for(run)
    return str(source.label) if source else run.source
