"""Drawdowns: collected from paid vouchers, requested, received; the list as PDF and spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.errors import DomainError
from apps.core.form_layout import FieldError, collect_errors, refuse
from apps.core.templatetags.portal import state_badge
from apps.core.text import as_key
from apps.funding import drawdown_report as report
from apps.funding import services
from apps.funding.admin.columns import euros
from apps.funding.admin.papers import KEEP, PaperAdmin, Step, first_rows
from apps.funding.choices import DrawdownState
from apps.funding.drawdown_selectors import (
    LineGroup,
    credits_in_other_drafts,
    drawable_lines,
    drawdown_rows,
    grants_to_draw,
    grouped_lines,
    items_of,
    missing_numbers,
    owed_credits,
    sums_of,
)
from apps.funding.models import Drawdown, Grant, InvoiceLine, Order
from apps.funding.proof_forms import DayForm, ReasonForm, RemarkForm
from apps.funding.proof_words import vouchers_in_words

VOUCHERS_ON_A_PHONE = (0, 3, 4, 6)
"""Number, subject, school, paid by the grant."""


@admin.register(Drawdown)
class DrawdownAdmin(PaperAdmin):
    folder = "drawdown"
    list_display = ("name", "grant_shown", "state_shown", "sum", "requested", "received")
    list_display_links = ("name",)
    list_filter = ("state",)
    ordering = ("-pk",)
    sortable_by = ()
    search_fields = ("grant__file_reference", "grant__programme__name")
    search_help_text = _("Searches file references and programmes.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = drawdown_rows(request.user)  # type: ignore[arg-type]  # signed in
        return rows

    @admin.display(description=_("drawdown"))
    def name(self, row: Drawdown) -> str:
        return gettext("Drawdown %(number)s") % {"number": row.number}

    @admin.display(description=_("grant"))
    def grant_shown(self, row: Drawdown) -> str:
        return str(row.grant)

    @admin.display(description=_("state"))
    def state_shown(self, row: Drawdown) -> str:
        return state_badge(row.state, DrawdownState)

    @admin.display(description=_("sum"))
    def sum(self, row: Any) -> str:
        return euros(row.amount or 0)

    @admin.display(description=_("requested on"))
    def requested(self, row: Drawdown) -> str:
        return formats.day(row.requested_on) if row.requested_on else gettext("not yet")

    @admin.display(description=_("received on"))
    def received(self, row: Drawdown) -> str:
        return formats.day(row.received_on) if row.received_on else gettext("not yet")

    # Pages

    def new_page(self, request: HttpRequest) -> HttpResponse:
        """First the grants that something can be drawn from, then the vouchers of one."""
        key = request.GET.get("grant", "")
        if not key:
            rows = grants_to_draw(request.user)  # type: ignore[arg-type]
            return self.page(request, "grants.html", gettext("New drawdown: which grant?"), rows=rows)
        rows_seen = Grant.objects.visible_to(request.user).select_related("programme")
        grant = get_object_or_404(rows_seen, pk=as_key(key))
        return self._choose(request, grant, None)

    def _choose(self, request: HttpRequest, grant: Grant, drawdown: Drawdown | None) -> HttpResponse:
        """The vouchers to choose from: for a new drawdown, or for a draft."""
        free = list(drawable_lines(grant))
        own = [item.invoice_line for item in items_of(drawdown) if item.invoice_line not in free] if drawdown else []
        posted = request.method == "POST"
        unchosen = "none" in request.GET
        chosen = _chosen(request) if posted else {line.pk for line in ([] if unchosen else own or free)}
        if not posted:
            chosen |= {line.pk for line in owed_credits(grant, chosen)}
        form = RemarkForm(request.POST if posted else None, initial={"remark": drawdown.remark if drawdown else ""})
        errors: list[FieldError] = []
        if posted and form.is_valid():
            given: dict[str, Any] = {"lines": chosen, "by": request.user, "remark": form.cleaned_data["remark"]}
            try:
                if drawdown is None:
                    saved = services.create_drawdown(grant=grant, **given)
                else:
                    saved = services.choose_lines(drawdown=drawdown, **given)
                return self.done(request, saved, gettext("The drawdown is saved as a draft."))
            except DomainError as error:
                errors = [FieldError("", "", str(error), error.code)]
        everything = LineGroup(None, (*own, *free))
        by_school = request.GET.get("by") == "school"
        groups = [_group(group, chosen) for group in grouped_lines(everything.lines, by_school=by_school)]
        return self.page(
            request, "choose.html", gettext("Vouchers of the drawdown"), grant=grant, original=drawdown, form=form,
            groups=groups, everything=everything, all_keys=_keys(everything.lines), errors=errors, unchosen=unchosen,
            missing_numbers=missing_numbers(grant), by_school=by_school,
            has_credits=any((line.grant_amount or 0) < 0 for line in everything.lines),
            all_query=_query(request), none_query=_query(request, none=1),
            order_query=_query(request, by="order"), school_query=_query(request, by="school"),
        )  # fmt: skip

    def row_page(self, request: HttpRequest, row: Drawdown, **context: Any) -> HttpResponse:
        if request.GET.get("choose") and row.state == DrawdownState.DRAFT and request.user.has_perm(KEEP):
            return self._choose(request, row.grant, row)
        items = items_of(row)
        sums = sums_of(row, items)
        draft = row.state == DrawdownState.DRAFT
        own = {
            "original": row,
            "is_row_page": True,
            "state": DrawdownState(row.state),
            "facts": list(report.facts_of(row)),
            "sums": report.sums_in_words(row, sums),
            "vouchers_title": vouchers_in_words(len(items)),
            "vouchers": first_rows(*report.items_in_short(items, sums), brief=VOUCHERS_ON_A_PHONE),
            "missing_numbers": missing_numbers(row.grant) if draft else [],
            "credits_elsewhere": list(credits_in_other_drafts(row)) if draft else [],
            "may_keep": request.user.has_perm(KEEP),
            "day_form": DayForm(),
            "reason_form": ReasonForm(),
            "errors": [],
        }
        return self.page(request, "change.html", str(row), **(own | context))

    def steps(self) -> dict[str, Step]:
        return {
            "choose": self._choose_anew,
            "request": self._dated(services.request_drawdown, _("The drawdown is requested.")),
            "receive": self._dated(services.receive_drawdown, _("The money is recorded as received.")),
            "cancel": self._cancel,
        }

    def _choose_anew(self, request: HttpRequest, row: Drawdown) -> HttpResponse:
        return self._choose(request, row.grant, row)

    def _dated(self, service: Callable[..., Drawdown], sentence: Any) -> Step:
        def step(request: HttpRequest, row: Drawdown) -> HttpResponse:
            form = DayForm(request.POST)
            if form.is_valid():
                try:
                    saved = service(drawdown=row, by=request.user, on=form.cleaned_data["on"])
                    return self.done(request, saved, str(sentence))
                except DomainError as error:
                    refuse(form, error, {"requested_on": "on", "received_on": "on"})
            row.refresh_from_db()
            return self.row_page(request, row, day_form=form, errors=collect_errors(form))

        return step

    def _cancel(self, request: HttpRequest, row: Drawdown) -> HttpResponse:
        form = ReasonForm(request.POST)
        if form.is_valid():
            try:
                services.cancel_drawdown(drawdown=row, by=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
                return self.done(request, row, gettext("The drawdown is cancelled. Its vouchers are free again."))
            except DomainError as error:
                refuse(form, error)
        row.refresh_from_db()
        return self.row_page(request, row, reason_form=form, errors=collect_errors(form))

    # Files

    def pdf(self, row: Drawdown) -> bytes:
        return report.drawdown_pdf(row)

    def xlsx(self, row: Drawdown) -> Any:
        return report.drawdown_xlsx(row)

    def stem(self, row: Drawdown) -> str:
        return report.file_stem(row)


def _query(request: HttpRequest, **more: Any) -> str:
    """What the address asks for, without `none` unless it is given; `more` comes on top."""
    kept = {name: value for name, value in request.GET.items() if name != "none"}
    return urlencode(kept | more)


def _chosen(request: HttpRequest) -> set[int]:
    """Single vouchers, and those of whole groups: "12-13" names what its sum showed, even if more is paid by now."""
    groups = "-".join(request.POST.getlist("groups")).split("-")
    return {as_key(key) for key in (*request.POST.getlist("lines"), *filter(None, groups))}


def _keys(lines: Iterable[InvoiceLine]) -> str:
    return "-".join(str(line.pk) for line in lines)


def _group(group: LineGroup, chosen: set[int]) -> dict[str, Any]:
    """`whole`: all of it is chosen; then no single row is ticked, so that unticking the group is enough."""
    whole = all(line.pk in chosen for line in group.lines)
    single = len(group.lines) == 1
    rows = [_line(line, chosen if single or not whole else set()) for line in group.lines]
    return {
        "title": str(group.of or gettext("all schools")),
        "supplier": group.of.supplier if isinstance(group.of, Order) else "",
        "amount": group.amount,
        "vouchers": group.vouchers,
        "keys": _keys(group.lines),
        "whole": whole,
        "rows": rows,
        "in_part": any(row["chosen"] for row in rows),
    }


def _line(line: InvoiceLine, chosen: set[int]) -> dict[str, Any]:
    ordered = line.order_line
    return {
        "line": line,
        "invoice": line.invoice,
        "subject": str(ordered.product or ordered.description),
        "school": ordered.school,
        "chosen": line.pk in chosen,
    }
