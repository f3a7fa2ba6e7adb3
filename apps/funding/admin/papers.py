"""What the pages of drawdowns and proofs of use share: pages without a form of Django's, steps, and files."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Container, Iterable
from itertools import islice
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.forms.widgets import MediaDefiningClass
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from apps.core import exports
from apps.core.admin import ReadOnlyMixin, ScopedAdmin
from apps.core.overtaken import what_happened
from apps.funding.proof_lists import Row
from apps.funding.typeset import table

SHOWN = 50
KEEP = "funding.keep_proofs"

Step = Callable[[HttpRequest, Any], HttpResponse]


class PaperMeta(MediaDefiningClass, ABCMeta):
    """The admin's own metaclass with abstract methods: a kind of paper that lacks one is refused when registered."""


class PaperAdmin(ReadOnlyMixin, ScopedAdmin, metaclass=PaperMeta):
    """Written by services only: a page for a row, whose buttons send `step`, and the row as PDF and spreadsheet."""

    folder = ""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(KEEP)

    def get_urls(self) -> list[Any]:
        name = f"funding_{self.opts.model_name}"
        own = [
            path("<path:object_id>/pdf/", self.admin_site.admin_view(self.pdf_view), name=f"{name}_pdf"),
            path("<path:object_id>/xlsx/", self.admin_site.admin_view(self.xlsx_view), name=f"{name}_xlsx"),
        ]
        return own + super().get_urls()

    def get_history_queryset(self, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """With what a grant is called by."""
        return super().get_history_queryset(*args, **kwargs).select_related("grant__programme")

    def row_of(self, request: HttpRequest, object_id: str) -> Any:
        """403 for the wrong role, 404 outside of the scope."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self.new_page(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Not wrapped in a transaction: each service has its own."""
        row = self.row_of(request, object_id)
        if request.method != "POST":
            return self.row_page(request, row)
        if not request.user.has_perm(KEEP):
            raise PermissionDenied(KEEP)
        steps = self.steps()
        name = request.POST.get("step", "")
        if name not in steps:
            raise BadRequest(f"Unknown step {name!r}")
        return steps[name](request, row)

    def pdf_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_of(request, object_id)
        response = HttpResponse(self.pdf(row), content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="{exports.file_name(self.stem(row), "pdf")}"'
        return response

    def xlsx_view(self, request: HttpRequest, object_id: str) -> Any:
        return self.xlsx(self.row_of(request, object_id))

    # What each kind of paper says of itself

    @abstractmethod
    def new_page(self, request: HttpRequest) -> HttpResponse: ...

    @abstractmethod
    def row_page(self, request: HttpRequest, row: Any, **context: Any) -> HttpResponse: ...

    @abstractmethod
    def steps(self) -> dict[str, Step]: ...

    @abstractmethod
    def pdf(self, row: Any) -> bytes: ...

    @abstractmethod
    def xlsx(self, row: Any) -> Any: ...

    @abstractmethod
    def stem(self, row: Any) -> str: ...

    # Shared by the pages

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        happened = what_happened(context.get("original"), request.user, context.get("errors", ()))
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "what_happened": happened,
        }
        return TemplateResponse(request, f"admin/funding/{self.folder}/{template}", shared | context)

    def done(self, request: HttpRequest, row: Any, sentence: str) -> HttpResponse:
        messages.success(request, sentence)
        return HttpResponseRedirect(self.url("change", row))

    def url(self, what: str, row: Any) -> str:
        return reverse(f"admin:funding_{self.opts.model_name}_{what}", args=[row.pk])


def first_rows(
    header: list[str], rows: Iterable[Row], last: Row, *, shown: int = SHOWN, brief: Container[int] | None = None
) -> dict[str, Any]:
    """The table of `typeset`, cut after so many rows; `left_out`: how many there are besides.

    `lines` and `sums`: each value with its column, whose label a phone shows beside it. A phone shows the columns
    `brief` only (None: all).
    """
    every = list(rows)
    cut = table(header, islice(every, shown), last)
    columns = [
        {
            "name": name,
            "label": name.replace("\n", ", "),
            "number": number,
            "wide": brief is not None and index not in brief,
        }
        for index, (name, number) in enumerate(zip(header, cut["numbers"], strict=True))
    ]
    return cut | {
        "columns": columns,
        "lines": [list(zip(columns, row, strict=True)) for row in cut["rows"]],
        "sums": list(zip(columns, cut["last"], strict=True)),
        "left_out": max(len(every) - shown, 0),
        "count": len(every),
    }
