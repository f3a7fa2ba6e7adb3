"""The pages of an order's steps: what is asked, and the service that takes the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.form_layout import collect_errors
from apps.core.money import ZERO, total
from apps.core.overtaken import what_happened
from apps.core.text import as_key
from apps.funding import services
from apps.funding.admin import purchase_forms as forms
from apps.funding.choices import InvoiceKind
from apps.funding.models import Budget, Order
from apps.funding.purchase_selectors import LineStatus, devices_to_return, order_lines
from apps.funding.purchasing import UNPLACED_ORDERS
from apps.funding.services.purchase_steps import ensure_order_step
from apps.inventory.models import Kit


@dataclass
class Visit:
    """One request about one step of one order."""

    request: HttpRequest
    order: Order
    data: Any = None
    rows: list[LineStatus] = field(default_factory=list)

    @property
    def user(self) -> Any:
        return self.request.user

    @property
    def kind(self) -> str:
        """Of the paper that is recorded: an invoice unless a credit note is asked for."""
        return InvoiceKind.CREDIT if self.request.GET.get("kind") == InvoiceKind.CREDIT else InvoiceKind.INVOICE

    @property
    def line(self) -> LineStatus:
        """The line that the page is about."""
        asked = self.request.GET.get("line", "")
        found = next((row for row in self.rows if str(row.line.pk) == asked), None)
        if found is None:
            raise Http404
        return found

    def ensure_found(self) -> None:
        """404 where the address names a line or a kit that is not there."""
        _found = self.line, self.kit

    @property
    def kit(self) -> Kit | None:
        """The kit as which the line is to be scanned in; None: as single devices."""
        asked = self.request.GET.get("kit", "")
        if not asked:
            return None
        found: Kit | None = Kit.objects.visible_to(self.user).filter(pk=as_key(asked)).first()
        if found is None:
            raise Http404
        return found


@dataclass(frozen=True)
class Step:
    """A page: its right, its words, its form and what happens; `run` returns where to go, None: to the order."""

    name: str
    permission: str
    heading: str | Promise
    text: str | Promise
    button: str | Promise
    done: str | Promise
    form: Callable[[Visit], forms.PurchaseForm]
    run: Callable[[Visit, Any], str | None]
    is_danger: bool = False


def _cancel_form(visit: Visit) -> forms.ReasonForm:
    """What was never placed needs no reason, as in the service."""
    form = forms.ReasonForm(visit.data)
    form.fields["reason"].required = visit.order.state not in UNPLACED_ORDERS
    return form


def _cancel(visit: Visit, form: forms.ReasonForm) -> None:
    services.cancel_order(order=visit.order, by=visit.user, reason=form.cleaned_data["reason"])


def _approve(visit: Visit, form: forms.RevisionForm) -> None:
    services.approve_order(order=visit.order, by=visit.user, revision=form.cleaned_data["revision"])


def _send_back(visit: Visit, form: forms.ReturnOrderForm) -> None:
    services.return_order(order=visit.order, by=visit.user, **form.cleaned_data)


def _send_back_form(visit: Visit) -> forms.ReturnOrderForm:
    needs_reason = visit.user.pk != visit.order.proposed_by_id
    return forms.ReturnOrderForm(visit.data, needs_reason=needs_reason, initial={"revision": visit.order.revision})


def _close(visit: Visit, form: forms.CloseForm) -> None:
    services.close_order(order=visit.order, by=visit.user, **form.cleaned_data)


def _receive(visit: Visit, form: forms.ReceiveForm) -> None:
    services.receive_goods(
        order=visit.order,
        by=visit.user,
        quantities=form.quantities(),
        note=form.note(),
        form_key=form.cleaned_data["form_key"],
    )


def _scan(visit: Visit, form: forms.NoteForm) -> str:
    session = services.begin_scan(
        order_line=visit.line.line,
        kit=visit.kit,
        by=visit.user,
        token=form.cleaned_data["form_key"],
        note=form.note(),
    )
    return session.get_absolute_url()


def _return(visit: Visit, form: forms.ReturnForm) -> None:
    names = ("reason", "on", "note_number", "form_key")
    facts = {name: form.cleaned_data[name] for name in names}
    services.return_goods(order=visit.order, by=visit.user, **facts, **form.what())


def _record(visit: Visit, form: forms.InvoiceForm) -> str:
    invoice = services.record_invoice(
        order=visit.order, by=visit.user, kind=visit.kind, lines=form.inputs(), **form.facts()
    )
    return reverse("admin:funding_invoice_change", args=[invoice.pk])


def _invoice_form(visit: Visit) -> forms.InvoiceForm:
    municipal = list(Budget.objects.visible_to(visit.user).filter(grant__isnull=True).order_by("-fiscal_year", "name"))
    initial = {"payee": visit.order.supplier.name}
    return forms.InvoiceForm(visit.data, rows=visit.rows, kind=visit.kind, municipal=municipal, initial=initial)


STEPS = {
    step.name: step
    for step in (
        Step(
            "approve",
            "funding.approve_application",
            _("Approve the order"),
            _("The money that nobody has approved yet is committed, and the order goes to the supplier."),
            _("Approve and place the order"),
            _("The order is approved and placed."),
            lambda visit: forms.RevisionForm(visit.data, initial={"revision": visit.order.revision}),
            _approve,
        ),
        Step(
            "send-back",
            "funding.place_order",
            _("Back to the draft"),
            _("The order becomes a draft again, and its lines can be changed. No money is committed."),
            _("Back to the draft"),
            _("The order is a draft again."),
            _send_back_form,
            _send_back,
        ),
        Step(
            "cancel",
            "funding.place_order",
            _("Cancel the order"),
            _("What was committed for it becomes available; lines of applications can be ordered again."),
            _("Cancel the order"),
            _("The order is cancelled."),
            _cancel_form,
            _cancel,
            is_danger=True,
        ),
        Step(
            "close",
            "funding.place_order",
            _("Close the order"),
            _("Nothing more comes of it. What is committed for it and was not paid becomes available."),
            _("Close the order"),
            _("The order is closed."),
            lambda visit: forms.CloseForm(visit.data),
            _close,
        ),
        Step(
            "receive",
            "funding.receive_goods",
            _("Receive goods"),
            _("Only what nobody records piece by piece. Devices are scanned in from the page of the order."),
            _("Receive the goods"),
            _("The goods are received."),
            lambda visit: forms.ReceiveForm(visit.data, rows=visit.rows),
            _receive,
        ),
        Step(
            "scan",
            "funding.receive_goods",
            _("Scan devices in"),
            _("Product, school, price and missing pieces are known already. The scanner comes next."),
            _("Begin scanning"),
            "",
            lambda visit: forms.NoteForm(visit.data),
            _scan,
        ),
        Step(
            "return",
            "funding.receive_goods",
            _("Return goods"),
            _("Devices are retired as returned to the supplier, and no grant binds them any longer."),
            _("Return the goods"),
            _("The goods are noted as returned. Please record the credit note when it comes."),
            lambda visit: forms.ReturnForm(visit.data, rows=visit.rows, devices=devices_to_return(visit.order)),
            _return,
            is_danger=True,
        ),
        Step(
            "invoice",
            "funding.record_invoice",
            _("Record an invoice"),
            _("You check and record it; another person orders the payment (KomHVO § 31)."),
            _("Record the invoice"),
            _("The invoice is recorded. Another person orders the payment."),
            _invoice_form,
            _record,
        ),
    )
}
CREDIT_WORDS = {
    "title": _("Record a credit note"),
    "text": _("Enter the amounts without a sign: the portal takes them off."),
    "button": _("Record the credit note"),
    "done": _("The credit note is recorded. Another person accepts it."),
}

KIT_WORDS = {
    "title": _("Scan in as kits"),
    "text": _(
        "You scan the first device of each kit, and what else bears a number. All parts count as delivered then,"
        " each on its line."
    ),
}


class StepPages:
    """The step pages of the order admin."""

    def step_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Rows outside the scope: 404; who may not take the step: 403."""
        step = STEPS[name]
        if not request.user.has_perm(step.permission):
            raise PermissionDenied(step.permission)
        order = self.found(request, object_id)  # type: ignore[attr-defined]
        visit = Visit(request, order, request.POST if request.method == "POST" else None, order_lines(order))
        if name == "scan":
            visit.ensure_found()
        if request.method == "GET" and (obstacle := self._obstacle(visit, name)):
            messages.error(request, obstacle)
            return HttpResponseRedirect(reverse("admin:funding_order_change", args=[order.pk]))
        form = step.form(visit)
        if form.is_valid():
            try:
                target = step.run(visit, form)
            except DomainError as error:
                form.refuse(error)
            else:
                is_credit = name == "invoice" and visit.kind == InvoiceKind.CREDIT
                if done := CREDIT_WORDS["done"] if is_credit else step.done:
                    messages.success(request, done)
                return HttpResponseRedirect(target or reverse("admin:funding_order_change", args=[order.pk]))
        return TemplateResponse(request, "admin/funding/order/step.html", self._step_context(visit, step, form))

    def _obstacle(self, visit: Visit, name: str) -> str:
        """Why a step leads nowhere whatever is typed; its page is not shown then."""
        if name == "cancel":
            return why_not_cancelled(visit.order)
        if name == "approve":
            return services.why_not_approved(order=visit.order, by=visit.user)
        return ""

    def _step_context(self, visit: Visit, step: Step, form: Any) -> dict[str, Any]:
        words = {"title": step.heading, "text": step.text, "button": step.button}
        errors = collect_errors(form)
        is_credit = step.name == "invoice" and visit.kind == InvoiceKind.CREDIT
        return {
            **self.admin_site.each_context(visit.request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "order": visit.order,
            "original": visit.order,
            "step": step,
            "form": form,
            "plain_fields": [bound for bound in form if "-" not in bound.name or not hasattr(form, "line_forms")],
            "line_forms": form.line_forms() if hasattr(form, "line_forms") else (),
            **(_approving(visit, errors) if step.name == "approve" else {}),
            "nothing_to_note": step.name == "receive" and not form.rows,
            "to_scan": [row for row in visit.rows if row.is_scanned and row.missing],
            "paid_in_vain": total(row.paid_in_vain for row in visit.rows) if step.name == "close" else ZERO,
            "about": _about(visit) if step.name == "scan" else "",
            "errors": errors,
            "what_happened": what_happened(visit.order, visit.user, errors),
            "reload_url": reverse("admin:funding_order_change", args=[visit.order.pk]),
            "reload_label": gettext("To the order %(order)s") % {"order": visit.order},
            **words,
            **(CREDIT_WORDS if is_credit else {}),
            **(KIT_WORDS if step.name == "scan" and visit.kit else {}),
        }


def why_not_cancelled(order: Order) -> str:
    """What the service would refuse a cancellation with; "" where it would not."""
    try:
        ensure_order_step("cancel_order", order)
        services.ensure_untouched(order)
    except DomainError as error:
        return str(error)
    return ""


def _approving(visit: Visit, errors: Sequence[Any]) -> dict[str, Any]:
    """For the page of an approval; one that was refused is not offered again while it would be refused anew."""
    is_over = bool(errors) and bool(services.why_not_approved(order=visit.order, by=visit.user))
    said = {"saved": gettext("Nothing was committed and nothing was ordered."), "is_over": is_over}
    return beyond_on_page(visit.order, visit.user) | said


def beyond_on_page(order: Order, user: Any) -> dict[str, Any]:
    """For a template: what the order would commit beyond what is approved, while it is not placed."""
    if order.state not in UNPLACED_ORDERS:
        return {}
    try:
        beyond = services.beyond_approved(order, by=user)
    except DomainError as error:
        return {"beyond_unknown": str(error)}
    budgets = Budget.objects.visible_to(user).in_bulk([effect.budget_id for effect in beyond.effects])
    return {"beyond": beyond, "budget_effects": [(effect, budgets[effect.budget_id]) for effect in beyond.effects]}


def _about(visit: Visit) -> str:
    line = visit.line.line
    return gettext("%(line)s for %(school)s") % {
        "line": visit.kit or line,
        "school": line.school or gettext("the depot"),
    }
