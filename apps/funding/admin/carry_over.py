"""The page on which what is left of a fiscal year goes into the next one, and its list for the council."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.exports import csv_response, file_name
from apps.core.form_layout import collect_errors, refuse
from apps.funding.admin.budget_changes import LIST
from apps.funding.admin.budget_forms import CarryOverForm
from apps.funding.carry_over import CarryOverList, carry_over_list, carry_over_rows, year_to_close
from apps.funding.carry_over_report import HEADER, cells, list_pdf
from apps.funding.models import Budget


class CarryOverPages:
    """Mixed into the budgets' admin."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("carry-over/", view(self.carry_over_view), name="funding_budget_carry_over"),
            path("carry-over/list.csv", view(self.carry_over_csv), name="funding_budget_carry_over_csv"),
            path("carry-over/list.pdf", view(self.carry_over_pdf), name="funding_budget_carry_over_pdf"),
        ]
        return own + super().get_urls()  # type: ignore[misc]

    def carry_over_view(self, request: HttpRequest) -> HttpResponse:
        """The budgets of a year with what is left; who may propose ticks those that go on."""
        _ensure_reads(request)
        year = _year(request)
        rows = carry_over_rows(request.user, year)  # type: ignore[arg-type]  # signed in
        may = request.user.has_perm("funding.change_budget")
        if request.method == "POST" and not may:
            raise PermissionDenied
        form = CarryOverForm(request.POST if request.method == "POST" else None, rows=rows)
        if form.is_valid() and _propose(request, form):
            return HttpResponseRedirect(f"{reverse(LIST)}?kind=carry_over")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Carry-overs into the fiscal year %(year)s") % {"year": year + 1},
            "year": str(year),
            "next_year": str(year + 1),
            "years": [str(row) for row in _years(request)],
            "rows": [(row, *(form.fields_of(row) if row.may_go else (None, None))) for row in rows],
            "list": carry_over_list(request.user, year),  # type: ignore[arg-type]  # signed in
            "form": form,
            "errors": collect_errors(form),
            "may_propose": may and any(row.may_go for row in rows),
        }
        return TemplateResponse(request, "admin/funding/budget/carry_over.html", context)

    def carry_over_csv(self, request: HttpRequest) -> HttpResponse:
        _ensure_reads(request)
        found = carry_over_list(request.user, _year(request))  # type: ignore[arg-type]  # signed in
        lines = (cells(change) for change in (*found.confirmed, *found.proposed))
        return csv_response(_stem(found), [str(word) for word in HEADER], lines)  # type: ignore[return-value]  # streams

    def carry_over_pdf(self, request: HttpRequest) -> HttpResponse:
        _ensure_reads(request)
        found = carry_over_list(request.user, _year(request))  # type: ignore[arg-type]  # signed in
        response = HttpResponse(list_pdf(found), content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="{file_name(_stem(found), "pdf")}"'
        return response


def _stem(found: CarryOverList) -> str:
    """The name of both files without their day."""
    return gettext("carry-overs-%(year)s") % {"year": found.year}


def _propose(request: HttpRequest, form: CarryOverForm) -> bool:
    try:
        changes = form.propose(request.user)  # type: ignore[arg-type]  # signed in
    except DomainError as error:
        refuse(form, error)
        return False
    sentence = ngettext(
        "%(count)s carry-over proposed. It waits for the confirmation of another person.",
        "%(count)s carry-overs proposed. They wait for the confirmation of another person.",
        len(changes),
    )
    messages.success(request, sentence % {"count": len(changes)})
    return True


def _ensure_reads(request: HttpRequest) -> None:
    if not request.user.has_perm("funding.view_budget"):
        raise PermissionDenied


def _year(request: HttpRequest) -> int:
    asked = request.GET.get("year", "")
    return int(asked) if asked.isdecimal() and len(asked) == 4 else year_to_close()


def _years(request: HttpRequest) -> Iterator[int]:
    rows = Budget.objects.visible_to(request.user).order_by("-fiscal_year")
    years = set(rows.values_list("fiscal_year", flat=True).distinct()) | {_year(request)}
    yield from sorted(years, reverse=True)
