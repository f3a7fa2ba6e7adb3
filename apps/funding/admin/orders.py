"""Orders: what is to be ordered, the page of an order with its next step, suppliers and contracts."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.admin import ReadOnlyMixin, ScopedAdmin
from apps.core.errors import DomainError
from apps.core.form_layout import collect_errors
from apps.core.history_pages import told
from apps.core.money import total
from apps.core.overtaken import what_happened
from apps.core.templatetags.portal import state_badge
from apps.core.text import as_key
from apps.funding import purchase_selectors, services
from apps.funding.admin.order_forms import NEW_ORDER, BundleForm, OrderForm, OrderLines, line_initial
from apps.funding.admin.order_steps import STEPS, StepPages, beyond_on_page, why_not_cancelled
from apps.funding.admin.purchase_filters import OrderStateFilter, SupplierFilter
from apps.funding.admin.purchase_forms import ReasonForm
from apps.funding.choices import DeliveryKind, InvoiceState, OrderState
from apps.funding.models import ApplicationLine, Order, OrderLine, Supplier
from apps.funding.purchasing import OrderLineInput
from apps.funding.scan_selectors import kit_rows

_PLACE = "funding.place_order"
_REFUSED = "refused"
"""In the address: the draft was to be placed and is saved only; the page says why, told anew by the service."""


def history_of_order_lines(order_id: str) -> list[tuple[str, list[Any]]]:
    """Each line's past, also of those that were taken out again."""
    records = OrderLine.history.filter(order_id=order_id).select_related("product", "history_user")
    by_line: dict[int, list[Any]] = {}
    for record in records.order_by("id", "-history_date", "-history_id"):
        by_line.setdefault(record.id, []).append(record)
    return [
        (gettext("Line %(number)s") % {"number": number}, told(rows, ("order",)))
        for number, rows in enumerate(by_line.values(), start=1)
    ]


@admin.register(Order)
class OrderAdmin(StepPages, ReadOnlyMixin, ScopedAdmin):
    """Nothing is saved by the admin itself: every change goes through a service."""

    change_list_template = "admin/funding/order/change_list.html"
    list_display = ("number", "supplier", "state_shown", "shown_amount", "came", "placed_on", "to_pay")
    list_filter = (OrderStateFilter, SupplierFilter)
    sortable_by = ("number", "placed_on")
    ordering = ("-pk",)
    search_fields = ("number", "supplier__name", "lines__school__search_text")
    search_help_text = _("Searches numbers, suppliers and schools.")

    # List

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return purchase_selectors.order_rows(request.user)  # type: ignore[arg-type]  # signed in

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Every word in the number, the supplier's or a school's name."""
        for word in search_term.split():
            schools = OrderLine.objects.filter(school__search_text__icontains=word).values("order")
            named = Q(number__icontains=word) | Q(supplier__name__icontains=word)
            queryset = queryset.filter(named | Q(pk__in=schools))
        return queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        own = {"may_order": request.user.has_perm(_PLACE)}
        return super().changelist_view(request, own | (extra_context or {}))

    @admin.display(description=_("state"))
    def state_shown(self, row: Order) -> str:
        return state_badge(row.state, OrderState)

    @admin.display(description=_("sum gross"))
    def shown_amount(self, row: Any) -> str:
        return format_html('<span class="desk-number">{}</span>', formats.euro(row.amount or 0))

    @admin.display(description=_("delivered"))
    def came(self, row: Any) -> str:
        return gettext("%(delivered)s of %(pieces)s") % {"delivered": row.delivered or 0, "pieces": row.pieces or 0}

    @admin.display(description=_("invoices to pay"))
    def to_pay(self, row: Any) -> str:
        return str(row.unpaid) if row.unpaid else pgettext("invoices", "none")

    # Addresses

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("to-order/", view(self.to_order_view), name="funding_order_to_order"),
            path("give-up/<int:line_id>/", view(self.give_up_view), name="funding_order_give_up"),
        ]
        own += [
            path(f"<path:object_id>/{name}/", view(partial(self.step_view, name=name)), name=f"funding_order_{name}")
            for name in STEPS
        ]
        return own + super().get_urls()

    def found(self, request: HttpRequest, object_id: str) -> Order:
        order: Order | None = self.get_object(request, unquote(object_id))
        if order is None:
            raise Http404
        return order

    def context(self, request: HttpRequest, **own: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, **own}

    # What is to be ordered

    def to_order_view(self, request: HttpRequest) -> HttpResponse:
        """Approved lines that stand in no order, by product; chosen ones become an order or join a draft."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        may_order = request.user.has_perm(_PLACE)
        if request.method == "POST" and not may_order:
            raise PermissionDenied(_PLACE)
        products = purchase_selectors.products_to_order(request.user)  # type: ignore[arg-type]  # signed in
        rows = [row for product in products for row in product.lines]
        drafts = list(self.get_queryset(request).filter(state=OrderState.DRAFT))
        form = BundleForm(
            request.POST if request.method == "POST" else None, user=request.user, rows=rows, drafts=drafts
        )
        if form.is_valid():
            try:
                order = self._bundle(request, form, drafts)
            except DomainError as error:
                form.refuse(error)
            else:
                messages.success(request, gettext("The lines stand in the order %(order)s.") % {"order": order})
                return HttpResponseRedirect(reverse("admin:funding_order_change", args=[order.pk]))
        groups = [{"product": product, "lines": form.fields_of(product.lines)} for product in products]
        shown = {"title": _("To order"), "groups": groups, "form": form, "may_order": may_order}
        context = self.context(request, errors=collect_errors(form), **shown)
        return TemplateResponse(request, "admin/funding/order/to_order.html", context)

    def _bundle(self, request: HttpRequest, form: BundleForm, drafts: list[Order]) -> Order:
        if form.cleaned_data["target"] == NEW_ORDER:
            return services.create_order(
                by=request.user,  # type: ignore[arg-type]  # signed in
                lines=form.lines(),
                form_key=form.cleaned_data["form_key"],
                **form.supplier_and_contract(),
            )
        draft = next(row for row in drafts if str(row.pk) == form.cleaned_data["target"])
        stored = [OrderLineInput(**line_initial(line)) for line in draft.lines.order_by("pk")]
        return services.save_order(
            order=draft,
            revision=draft.revision,
            by=request.user,  # type: ignore[arg-type]  # signed in
            supplier=draft.supplier,
            contract=draft.contract,
            note=draft.note,
            estimated_net=draft.estimated_net,
            procedure=draft.procedure,
            award_reason=draft.award_reason,
            no_price_reason=draft.no_price_reason,
            lines=[*form.lines(), *stored],  # the form knows its lines by their numbers in a refusal
        )

    def give_up_view(self, request: HttpRequest, line_id: int) -> HttpResponse:
        """The pieces of a line that are not ordered are not bought after all."""
        if not request.user.has_perm(_PLACE):
            raise PermissionDenied(_PLACE)
        rows = ApplicationLine.objects.visible_to(request.user).filter(approved_quantity__gt=0)
        line = rows.select_related("product", "application__school").filter(pk=line_id).first()
        if line is None:
            raise Http404
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                services.give_up_line(line=line, by=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
            except DomainError as error:
                form.refuse(error)
            else:
                messages.success(request, gettext("The money of this line is available again."))
                return HttpResponseRedirect(reverse("admin:funding_order_to_order"))
        words = {
            "title": _("Do not buy after all"),
            "text": _("What is not ordered of this line is given up; its money becomes available."),
            "button": _("Give up the rest of the line"),
            "about": f"{line.product}, {line.application.school}: {line.application.title}",
        }
        own = {"form": form, "plain_fields": list(form), "errors": collect_errors(form), "is_danger": True}
        return TemplateResponse(request, "admin/funding/order/step.html", self.context(request, **words, **own))

    # One order

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of an order. Not wrapped in a transaction: each service has its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        order = self.found(request, object_id)
        if request.method == "POST" and not request.user.has_perm(_PLACE):
            raise PermissionDenied(_PLACE)
        editable = order.state == OrderState.DRAFT and request.user.has_perm(_PLACE)
        data = request.POST if request.method == "POST" else None
        forms = self._draft_forms(request, order, data) if editable or data else None
        if editable and data is None and _REFUSED in request.GET:
            forms = self._refused_forms(request, order) or forms
        if data is not None and forms is not None:
            answer = self._save(request, order, forms, place=self._wants_place(data))
            if answer is not None:
                return answer
        return self._page(request, order, forms, editable=editable)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With the lines below; the template asks for them once the scope is checked."""
        parts = {"parts": partial(history_of_order_lines, unquote(object_id))}
        return super().history_view(request, object_id, parts | (extra_context or {}))

    def _wants_place(self, data: Any) -> bool:
        step = data.get("step", "")
        if step not in {"save", "place"}:
            raise BadRequest(f"Unknown step {step!r}")
        return bool(step == "place")

    def _refused_forms(self, request: HttpRequest, order: Order) -> tuple[OrderForm, Any] | None:
        """The draft as it is saved, with the reason why it cannot be placed; None where it can. Nothing is written."""
        by: Any = request.user
        try:
            services.ensure_placeable(order=order, by=by)
        except DomainError as error:
            form, lines = self._draft_forms(request, order, None, as_saved=True)
            form.refuse(error)
            return form, lines
        return None

    def _draft_forms(
        self, request: HttpRequest, order: Order, data: Any, *, as_saved: bool = False
    ) -> tuple[OrderForm, Any]:
        """`as_saved`: the head is what is saved and nothing suggested, so that a refusal finds its field."""
        names = ("revision", "supplier", "contract", "note", "estimated_net", "procedure", "award_reason",
                 "no_price_reason")  # fmt: skip
        initial = {name: getattr(order, name) for name in names}
        lines = [line_initial(line) for line in order.lines.order_by("pk")]
        if not as_saved and order.estimated_net is None and order.contract_id is None and lines:
            initial["estimated_net"] = purchase_selectors.estimated_net(order)
        return (
            OrderForm(initial if as_saved else data, user=request.user, order=order, initial=initial),
            OrderLines(data, initial=lines, prefix="lines", user=request.user, order=order),
        )

    def _save(
        self, request: HttpRequest, order: Order, forms: tuple[OrderForm, Any], *, place: bool
    ) -> HttpResponse | None:
        """Saves what is typed, and places the order when that is asked for; None with the refusal in the form."""
        form, lines = forms
        if not (form.is_valid() and lines.is_valid()):
            return None
        by: Any = request.user
        url = reverse("admin:funding_order_change", args=[order.pk])
        try:
            saved = services.save_order(order=order, by=by, lines=lines.inputs(), **form.facts())
        except DomainError as error:
            (lines if error.line else form).refuse(error)
            return None
        if not place:
            messages.success(request, gettext("The draft is saved."))
            return HttpResponseRedirect(url)
        try:
            placed = services.place_order(order=saved, by=by)
        except DomainError:
            return HttpResponseRedirect(f"{url}?{_REFUSED}=1")
        waits = placed.state == OrderState.PROPOSED
        text = (
            gettext("The order %(order)s waits for approval by another person.")
            if waits
            else gettext("The order %(order)s is placed.")
        )
        messages.success(request, text % {"order": order})
        return HttpResponseRedirect(url)

    def _page(
        self, request: HttpRequest, order: Order, forms: tuple[OrderForm, Any] | None, *, editable: bool
    ) -> HttpResponse:
        """What was sent about an order that is no draft any more is refused in sight, without the form."""
        errors = collect_errors(*forms) if forms is not None else ()
        happened = what_happened(order, request.user, errors)
        rows = purchase_selectors.order_lines(order)
        invoices = list(purchase_selectors.invoice_rows(request.user).filter(order=order))  # type: ignore[arg-type]
        waiting = any(row.state == InvoiceState.RECORDED for row in invoices)
        form, lines = forms if forms is not None and editable else (None, None)
        actions = self._actions(request, order, rows)
        not_approved = services.why_not_approved(order=order, by=request.user) if "approve" in actions else ""  # type: ignore[arg-type]
        context = self.context(
            request,
            title=order.number,
            original=order,
            order=order,
            states=OrderState,
            invoice_states=InvoiceState,
            rows=rows,
            kits=kit_rows(order, [row.line for row in rows]) if "scan" in actions else (),
            form=form,
            lines=lines,
            line_forms=list(self._line_forms(lines, rows)) if lines is not None else (),
            errors=errors,
            what_happened=happened,
            is_saved=bool(errors) and request.method != "POST",
            step=purchase_selectors.next_step(order, rows, waiting=waiting),
            paid_in_vain=total(row.paid_in_vain for row in rows),
            actions=actions - {"approve"} if not_approved else actions,
            not_approved=not_approved,
            **beyond_on_page(order, request.user),
            award=purchase_selectors.award_step(order.estimated_net),
            deliveries=order.deliveries.select_related("by").prefetch_related("items__order_line__product"),
            returned=DeliveryKind.RETURN,
            invoices=invoices,
            changes=[
                (change, services.kept_beyond(change))
                for change in order.status_changes.select_related("by").order_by("-at", "-pk")
            ],
        )
        return TemplateResponse(request, "admin/funding/order/page.html", context)

    def _line_forms(self, lines: Any, rows: list[Any]) -> Any:
        """Each line's form with the row behind it, None for a new one, and the hint about its saved price."""
        hints = {row.line.pk: row.price_hint for row in rows}
        for form in lines.forms:
            pk = as_key(str(form["line_id"].value() or ""))
            yield form, lines.lines.get(pk), hints.get(pk, "")

    def _actions(self, request: HttpRequest, order: Order, rows: list[Any]) -> set[str]:
        """Steps that this person may take now; the services decide anew."""
        live = order.state in {OrderState.PLACED, OrderState.PARTLY_DELIVERED, OrderState.DELIVERED}
        came = any(row.line.delivered for row in rows)
        proposed = order.state == OrderState.PROPOSED
        is_own = request.user.pk in (order.created_by_id, order.proposed_by_id)
        possible = {
            "approve": proposed and not is_own,
            "send-back": proposed,
            "cancel": not why_not_cancelled(order),
            "receive": live and any(row.missing and not row.is_scanned for row in rows),
            "scan": live,
            "return": live and came,
            "invoice": live,
            "credit": live or order.state == OrderState.CLOSED,
            "close": live and (came or any(row.paid for row in rows)),
        }
        rights = {name: step.permission for name, step in STEPS.items()} | {"credit": "funding.record_invoice"}
        return {name for name, is_open in possible.items() if is_open and request.user.has_perm(rights[name])}


@admin.register(Supplier)
class SupplierAdmin(ScopedAdmin):
    list_display = ("name", "customer_number", "contact", "is_active")
    sortable_by = ("name",)
    search_fields = ("name", "customer_number")
