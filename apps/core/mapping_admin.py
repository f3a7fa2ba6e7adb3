"""Which column of a list goes where, in the admin: put right for one file, kept for the next, renamed, deleted."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from apps.core.admin import OneRowMixin
from apps.core.admin_pages import ListPage
from apps.core.errors import DomainError
from apps.core.form_layout import KernFormHelper
from apps.core.imports import engine, mappings
from apps.core.imports.faults import shown
from apps.core.imports.mapping_forms import ColumnsForm, MappingNameForm
from apps.core.imports.sources import ImportSource, source_of
from apps.core.models import ImportMapping, ImportRow, ImportRun
from apps.core.nudge import nudge
from apps.core.tasks import run_due_imports

FIRST_ROWS = 20


def may_assign(run: ImportRun, source: type[ImportSource] | ImportSource | None) -> bool:
    """Whether the columns of this import's file can be put right now."""
    return source is not None and source.is_mappable and engine.may_check_again(run, otherwise=True)


def assigned_columns(run: ImportRun, source: ImportSource | None) -> list[tuple[str, str, list[str]]]:
    """Each column that was read: its name in the file, what it goes to, and its first values."""
    titles: dict[str, str] = json.loads(run.options.get("titles", "{}"))
    if source is None or not titles:
        return []
    first = [row.data for row in ImportRow.objects.filter(run=run, line__isnull=False).order_by("line")[:FIRST_ROWS]]
    found = []
    for name, label in source.offered_fields():
        if name in titles:
            values = [value for value in dict.fromkeys(data.get(name, "") for data in first) if value]
            found.append((titles[name], str(label), [shown(value) for value in values[: mappings.SHOWN_VALUES]]))
    return found


class ColumnsViewMixin:
    """The page of an import where columns are put right; part of the admin of imports."""

    def columns_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self._run(request, str(pk))  # type: ignore[attr-defined]
        if not request.user.has_perm(run.permission):
            raise PermissionDenied
        page = redirect("admin:core_importrun_change", run.pk)
        if not may_assign(run, _source_or_none(run)):
            return page
        try:
            columns = mappings.Columns(run)
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)  # type: ignore[attr-defined]
            return page
        form = ColumnsForm(request.POST or None, columns=columns, name=run.options.get("mapping_name", ""))
        form.helper = KernFormHelper(form, submit=_("Check with these columns"), cancel_url=page["Location"])
        if form.is_valid():
            try:
                mappings.use_columns(run, columns, form.chosen(), name=form.cleaned_data["name"], by=request.user)
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                nudge(run_due_imports)
                return page
        return TemplateResponse(request, "admin/core/import_columns.html", self._columns_context(request, run, form))

    def _columns_context(self, request: HttpRequest, run: ImportRun, form: ColumnsForm) -> dict[str, Any]:
        columns = form.columns
        closed = columns.source.closed_places(columns.header)
        return {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": _("Columns of %(file)s") % {"file": run.file_name},
            "opts": self.opts,  # type: ignore[attr-defined]
            "run": run,
            "form": form,
            "option_labels": columns.source.option_labels(),
            "closed": [columns.header[place] for place in sorted(closed)],
        }


def _source_or_none(run: ImportRun) -> type[ImportSource] | None:
    try:
        return source_of(run.source)
    except DomainError:
        return None


@admin.register(ImportMapping)
class ImportMappingAdmin(ListPage, OneRowMixin, admin.ModelAdmin):
    """Listed, renamed and deleted; made on the page of an import."""

    form = MappingNameForm
    list_display = ("name", "kind", "columns", "saved_at", "saved_by")
    list_select_related = ("saved_by",)
    fields = ("name", "kind", "columns", "saved_at", "saved_by")
    readonly_fields = ("kind", "columns", "saved_at", "saved_by")
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=_("kind of file"))
    def kind(self, mapping: ImportMapping) -> str:
        try:
            return str(source_of(mapping.source).label)
        except DomainError:
            return mapping.source

    @admin.display(description=_("columns"))
    def columns(self, mapping: ImportMapping) -> str:
        try:
            labels = {name: str(label) for name, label in source_of(mapping.source)().offered_fields()}
        except DomainError:
            labels = {}
        pairs = zip(mapping.header, mapping.fields, strict=True)
        return ", ".join(f"{title} → {labels.get(name, name)}" for title, name in pairs if name)

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        return None
