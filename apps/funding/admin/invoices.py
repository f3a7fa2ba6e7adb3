"""Invoices: what waits for the second person, one by one or several at once."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.admin import ReadOnlyMixin, ScopedAdmin
from apps.core.errors import DomainError
from apps.core.form_layout import collect_errors
from apps.core.money import ZERO, total
from apps.core.overtaken import what_happened
from apps.core.templatetags.portal import state_badge
from apps.funding import purchase_selectors, services
from apps.funding.admin.chosen import LIMIT, ids_of, page_about
from apps.funding.admin.purchase_filters import InvoiceStateFilter, SupplierOfOrderFilter
from apps.funding.admin.purchase_forms import PayForm, ReasonForm
from apps.funding.calculations import Split
from apps.funding.cancelled import cancelling_of
from apps.funding.choices import InvoiceKind, InvoiceState
from apps.funding.models import Invoice
from apps.funding.oddity_words import Oddity

_PAY = "funding.pay_invoice"
_RECORD = "funding.record_invoice"
_SEEN = "seen"
"""Under this name a page sends the mark of what it showed as unusual; of several with the key of each invoice."""
_several = partial(page_about, "admin:funding_invoice_pay_several")
"""The page on which these are paid together."""


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyMixin, ScopedAdmin):
    """Recorded from the page of an order; paid here by somebody else."""

    change_list_template = "admin/funding/invoice/change_list.html"
    list_display = (
        "voucher_number",
        "number",
        "dated_on",
        "payee",
        "order",
        "shown_amount",
        "state_shown",
        "who",
    )
    list_filter = (InvoiceStateFilter, SupplierOfOrderFilter)
    sortable_by = ("dated_on", "voucher_number")
    ordering = ("dated_on", "pk")
    search_fields = (
        "voucher_number",
        "number",
        "order__number",
        "payee",
        "lines__order_line__budget__grant__file_reference",
    )
    search_help_text = _("Searches vouchers, invoices, orders, payees and file references of grants.")
    actions = ("pay_selected",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return purchase_selectors.invoice_rows(request.user)  # type: ignore[arg-type]  # signed in

    @admin.display(description=_("sum gross"))
    def shown_amount(self, row: Any) -> str:
        return format_html('<span class="desk-number">{}</span>', formats.euro(row.amount))

    @admin.display(description=_("state"))
    def state_shown(self, row: Invoice) -> str:
        return state_badge(row.state, InvoiceState)

    @admin.display(description=_("recorded by"))
    def who(self, row: Invoice) -> str:
        return str(row.recorded_by)

    # Several

    def has_pay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(_PAY)

    @admin.action(description=_("Order the payment of the selection …"), permissions=["pay"])
    def pay_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        ids = list(rows.values_list("pk", flat=True)[: LIMIT + 1])
        if len(ids) > LIMIT:
            sentence = gettext("Please choose at most %(limit)s invoices at once.") % {"limit": LIMIT}
            messages.warning(request, sentence)
            return None
        return HttpResponseRedirect(_several(ids))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.pay_several_view)
        return [path("pay/", view, name="funding_invoice_pay_several"), *super().get_urls()]

    def pay_several_view(self, request: HttpRequest) -> HttpResponse:
        """What would be paid and what is left out; then the payments, each by itself."""
        if not request.user.has_perm(_PAY):
            raise PermissionDenied(_PAY)
        ids = ids_of(request)
        rows = list(self.get_queryset(request).filter(pk__in=ids))
        if not ids or len(rows) != len(ids):
            raise Http404
        form = PayForm(request.POST if request.method == "POST" else None, initial=_kept_day(request))
        del form.fields["booking_reference"]
        if form.is_valid():
            seen = {row.pk: request.POST.get(_mark_name(row), "") for row in rows}
            day = form.cleaned_data["paid_on"]
            payments = services.pay_several(invoices=rows, by=request.user, paid_on=day, seen=seen)  # type: ignore[arg-type]
            if any(row.paid or row.field != "paid_on" for row in payments):
                _tell(request, payments)
                return HttpResponseRedirect(_next_page(payments, day))
            form.add_error("paid_on", payments[0].message)
        odd = services.oddities_of(rows, by=request.user)  # type: ignore[arg-type]  # signed in
        told = [
            {
                "invoice": row,
                "obstacle": self._obstacle(request, row) or _blocked(odd[row.pk]),
                "oddities": [oddity for oddity in odd[row.pk] if not oddity.blocks_payment],
                "mark": (_mark_name(row), request.POST.get(_mark_name(row), services.mark_of(odd[row.pk]))),
            }
            for row in rows
        ]
        payable = [line["invoice"] for line in told if not line["obstacle"]]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Order payments"),
            "rows": told,
            "payable": len(payable),
            "sum": total(row.amount for row in payable),
            "form": form,
            "errors": collect_errors(form),
        }
        return TemplateResponse(request, "admin/funding/invoice/pay_several.html", context)

    def _obstacle(self, request: HttpRequest, row: Invoice) -> str:
        if row.state != InvoiceState.RECORDED:
            return gettext("It is “%(state)s” already.") % {"state": row.get_state_display()}
        if row.recorded_by_id == request.user.pk:
            return gettext("You recorded it yourself; another person orders the payment.")
        return ""

    # One

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of an invoice. Not wrapped in a transaction: each service has its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        invoice: Any = self.get_object(request, unquote(object_id))
        if invoice is None:
            raise Http404
        pay, cancel = PayForm(prefix="pay"), ReasonForm(prefix="cancel")
        if request.method == "POST":
            step = request.POST.get("step", "")
            if step not in {"pay", "cancel"}:
                raise BadRequest(f"Unknown step {step!r}")
            permission = _PAY if step == "pay" else _RECORD
            if not request.user.has_perm(permission):
                raise PermissionDenied(permission)
            kind = PayForm if step == "pay" else ReasonForm
            form: Any = kind(request.POST, prefix=step)
            if form.is_valid() and self._take(request, invoice, step, form):
                return HttpResponseRedirect(reverse("admin:funding_invoice_change", args=[invoice.pk]))
            pay, cancel = (form, cancel) if step == "pay" else (pay, form)
        return self._page(request, invoice, pay, cancel)

    def _take(self, request: HttpRequest, invoice: Invoice, step: str, form: Any) -> bool:
        by: Any = request.user
        try:
            if step == "pay":
                seen = request.POST.get(_SEEN, "")
                services.pay_invoice(invoice=invoice, by=by, seen=seen, **form.cleaned_data)
                messages.success(request, _paid_words(invoice))
            else:
                services.cancel_invoice(invoice=invoice, by=by, **form.cleaned_data)
                messages.success(request, _cancelled_words(invoice))
        except DomainError as error:
            form.refuse(error)
            return False
        return True

    def _page(self, request: HttpRequest, invoice: Any, pay: PayForm, cancel: ReasonForm) -> HttpResponse:
        errors = collect_errors(pay, cancel)
        told = what_happened(invoice, request.user, errors)
        is_open = invoice.state == InvoiceState.RECORDED
        is_own = invoice.recorded_by_id == request.user.pk
        is_unread = any(error.code == "unread" for error in errors)
        oddities = services.oddities_of([invoice], by=request.user)[invoice.pk]  # type: ignore[arg-type]  # signed in
        may_pay = is_open and not is_own and request.user.has_perm(_PAY)
        is_blocked = may_pay and bool(_blocked(oddities))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(invoice),
            "original": invoice,
            "invoice": invoice,
            "states": InvoiceState,
            "is_credit": invoice.kind == InvoiceKind.CREDIT,
            "lines": _told_lines(invoice),
            "oddities": oddities,
            "seen": services.mark_of(oddities) if is_unread else request.POST.get(_SEEN, services.mark_of(oddities)),
            "cancelling": cancelling_of(invoice),
            "pay": pay if may_pay and (pay.is_bound or not is_blocked) else None,
            "is_blocked": is_blocked,
            "is_own": is_open and is_own and request.user.has_perm(_PAY),
            "cancel": cancel if is_open and request.user.has_perm(_RECORD) else None,
            "errors": errors,
            "is_unread": is_unread,
            "what_happened": told,
        }
        return TemplateResponse(request, "admin/funding/invoice/page.html", context)


def _blocked(oddities: Iterable[Oddity]) -> str:
    """What a payment would be refused with now; empty where it would not."""
    return " ".join(oddity.sentence for oddity in oddities if oddity.blocks_payment)


def _told_lines(invoice: Invoice) -> list[dict[str, Any]]:
    """Each line with the progress of what was ordered, and who pays what: as paid, or as the payment will do it."""
    progress = {row.line.pk: row for row in purchase_selectors.order_lines(invoice.order)}
    told = []
    for line in invoice.lines.order_by("pk"):
        row = progress[line.order_line_id]
        line.order_line = row.line
        split = None
        if invoice.state == InvoiceState.RECORDED:
            split = services.expected_parts(line)
        elif line.own_amount is not None:
            split = Split(grant_share=line.grant_amount or ZERO, own_share=line.own_amount)
        told.append({"line": line, "progress": row, "split": split})
    return told


def _paid_words(invoice: Invoice) -> str:
    is_credit = invoice.kind == InvoiceKind.CREDIT
    return gettext("The credit note is accepted.") if is_credit else gettext("The payment is ordered.")


def _cancelled_words(invoice: Invoice) -> str:
    is_credit = invoice.kind == InvoiceKind.CREDIT
    return gettext("The credit note is cancelled.") if is_credit else gettext("The invoice is cancelled.")


def _mark_name(invoice: Invoice) -> str:
    return f"{_SEEN}-{invoice.pk}"


def _next_page(payments: Iterable[services.Payment], paid_on: datetime.date) -> str:
    """The list; or, with the day as typed, once more those that the payer has to read anew or whose day is wrong."""
    again = [row.invoice.pk for row in payments if row.unread or row.field == "paid_on"]
    return _several(again, paid_on=str(paid_on)) if again else reverse("admin:funding_invoice_changelist")


def _kept_day(request: HttpRequest) -> dict[str, str]:
    """As the address has it."""
    return {"paid_on": request.GET["paid_on"]} if "paid_on" in request.GET else {}


def _tell(request: HttpRequest, payments: list[services.Payment]) -> None:
    if paid := sum(row.paid for row in payments):
        sentence = ngettext("%(number)s payment is ordered.", "%(number)s payments are ordered.", paid)
        messages.success(request, sentence % {"number": paid})
    for row in payments:
        if not row.paid:
            messages.warning(request, _refused(row))


def _refused(payment: services.Payment) -> str:
    """Why one of several was not paid, with the way to it."""
    url = reverse("admin:funding_invoice_change", args=[payment.invoice.pk])
    return format_html('<a href="{}">{}</a>: {}', url, payment.invoice, payment.message)
