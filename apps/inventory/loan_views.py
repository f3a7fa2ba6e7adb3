"""Pages about loans: the list, one loan with its steps, and its receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import DetailView, FormView, View

from apps.core.errors import DomainError
from apps.core.exports import file_name
from apps.core.formats import number as number_in_words
from apps.core.list_views import PortalListView
from apps.core.pages import PageMixin
from apps.inventory import loan_forms, loan_selectors, receipts, services
from apps.inventory.choices import Condition
from apps.inventory.loan_choices import LoanState
from apps.inventory.loan_filters import LoanFilters
from apps.inventory.loan_tables import LoanExportTable, LoanTable, NamedLoanExportTable, NamedLoanTable
from apps.inventory.models import Loan

Text = str | Promise


class LoanPageMixin(PermissionRequiredMixin, PageMixin):
    """Signed in and allowed, or sent to the sign-in, or 403; loans outside the scope are 404."""

    permission_required = "inventory.view_loan"

    def get_breadcrumbs(self) -> list[tuple[Text, str]]:
        return [(_("Loans"), reverse("inventory:loans"))]

    def loans(self) -> QuerySet[Any]:
        rows = Loan.objects.visible_to(self.request.user)  # type: ignore[attr-defined]
        return rows.select_related("device__product", "device__kind", "school")

    def loan(self) -> Loan:
        rows: Any = loan_selectors.with_parts(self.loans().select_related("main"))
        return rows.get_visible_or_404(self.request.user, number=self.kwargs["number"])  # type: ignore[attr-defined]


class LoanListView(PortalListView):
    """The loans of the person's schools, the newest first."""

    template_name = "inventory/loans.html"
    filterset_class = LoanFilters
    table_class = LoanTable
    heading = _("Loans")
    permission_required = "inventory.view_loan"
    export_name = "loans"

    def get_queryset(self) -> QuerySet[Any]:
        rows = Loan.objects.visible_to(self.request.user)
        return rows.select_related("device__product", "school")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.may_keep = request.user.has_perm("inventory.keep_loans")
        self.empty_text = _("No device is on loan, and none was yet.")
        if self.may_keep:
            self.empty_action = ("inventory:hand_out", _("Hand out devices"))
        return super().get(request, *args, **kwargs)

    def get_bulk_actions(self) -> Sequence[tuple[str, Text]]:
        if self.may_keep:
            return (("inventory:receipts", _("Receipts of these loans")),)
        return ()

    def _unpaged_table(self, rows: Any) -> Any:
        exporting = bool(self.request.GET.get("export"))
        if self.filterset.is_bound and not self.filterset.form.is_valid():
            self.empty_text = _("Nothing matches these filters.")
            self.empty_action = (self.filterset.reset_address(), _("Show all"))
        if loan_selectors.may_see_names(self.request.user):
            self.table_class = NamedLoanExportTable if exporting else NamedLoanTable
        elif exporting:
            self.table_class = LoanExportTable
        return super()._unpaged_table(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_keep=self.may_keep, **kwargs)


@dataclass(frozen=True)
class LoanAction:
    """A step of a loan as people see it; `name` is the service's name."""

    name: str
    slug: str
    label: Text
    done: Text
    form: type[loan_forms.LoanActionForm]
    hint: Text = ""
    danger: bool = False

    @property
    def service(self) -> Callable[..., Loan]:
        return getattr(services, self.name)  # type: ignore[no-any-return]


_ENDS = _("The loan ends, and the device no longer counts for the school. The history of both stays.")
_ALL_ACTIONS = (
    LoanAction("take_back", "return", _("Take back"), _("%(tag)s is back, loan %(number)s has ended."),
               loan_forms.TakeBackForm),
    LoanAction("extend_loan", "extend", _("Extend"), _("Loan %(number)s has another due date."),
               loan_forms.ExtendForm),
    LoanAction("undo_hand_out", "undo", _("Undo hand-out"), _("The hand-out %(number)s is called off."),
               loan_forms.UndoForm, hint=_("The device was not handed out after all. It is in use as before.")),
    LoanAction("undo_take_back", "undo-return", _("Undo return"), _("Loan %(number)s goes on."),
               loan_forms.UndoForm, hint=_("The device was not given back after all. The loan goes on as it was.")),
    LoanAction("report_loan_lost", "lost", _("Report as lost"), _("%(tag)s is reported as lost."),
               loan_forms.LossForm, hint=_ENDS, danger=True),
    LoanAction("report_loan_stolen", "stolen", _("Report as stolen"), _("%(tag)s is reported as stolen."),
               loan_forms.TheftForm, hint=_ENDS, danger=True),
)  # fmt: skip
ACTIONS = {action.name: action for action in _ALL_ACTIONS}
"""Service -> its page, in the order of the links."""
STEPS: dict[str, Text] = {
    "hand_out": _("handed out"),
    "take_back": _("taken back"),
    "extend_loan": _("extended"),
    "undo_hand_out": _("hand-out called off"),
    "undo_take_back": _("return called off"),
    "report_loan_lost": _("reported as lost"),
    "report_loan_stolen": _("reported as stolen"),
}


class LoanDetailView(LoanPageMixin, DetailView):
    template_name = "inventory/loan.html"
    context_object_name = "loan"

    def get_object(self, queryset: Any = None) -> Loan:
        return self.loan()

    def get_heading(self) -> str:
        return gettext("Loan %(number)s") % {"number": self.object.number}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        loan, user = self.object, self.request.user
        allowed = loan_selectors.actions_for(loan, user)
        links = [
            {"label": action.label, "url": reverse(f"inventory:loan_{action.slug}", args=[loan.number])}
            for name, action in ACTIONS.items()
            if name in allowed
        ]
        return super().get_context_data(
            states=LoanState,
            conditions=dict(Condition.choices),
            may_see_names=loan_selectors.may_see_names(user),
            may_print=user.has_perm("inventory.keep_loans"),
            main_action=links[0] if links and loan.is_open else None,
            steps=links[1:] if loan.is_open else links,
            course=[(change, STEPS.get(change.step, change.step)) for change in loan_selectors.course_of(loan)],
            **kwargs,
        )


class LoanActionView(LoanPageMixin, FormView):
    """One step of one loan. What is no longer possible leads back to the loan's page and says so."""

    permission_required = "inventory.keep_loans"
    template_name = "inventory/loan_action.html"
    action: LoanAction = ACTIONS["take_back"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.has_permission():
            return self.handle_no_permission()
        self.row = self.loan()
        if self.action.name not in loan_selectors.actions_for(self.row, request.user):
            messages.error(request, loan_selectors.why_not(self.row, self.action.name))
            return redirect(self.row)
        return super().dispatch(request, *args, **kwargs)

    def get_form_class(self) -> type[loan_forms.LoanActionForm]:
        return self.action.form

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "loan": self.row, "cancel_url": self.row.get_absolute_url()}

    def get_heading(self) -> str:
        return f"{self.action.label}: {self.row.number}"

    def get_breadcrumbs(self) -> list[tuple[Text, str]]:
        return [*super().get_breadcrumbs(), (self.row.number, self.row.get_absolute_url())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(loan=self.row, action=self.action, states=LoanState, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            self.action.service(loan=self.row, by=self.request.user, **form.cleaned_data)
        except DomainError as error:
            if error.field in form.fields:
                form.add_error(error.field, str(error))
                return self.form_invalid(form)
            messages.error(self.request, str(error))
            return redirect(self.row)
        words = {"tag": self.row.device.tag, "number": self.row.number}
        messages.success(self.request, self.action.done % words)
        return redirect(self.row)


# Receipts


def pdf_response(loans: Sequence[Loan], *, back: bool, user: Any) -> HttpResponse:
    pdf = receipts.receipts_pdf(loans, back=back, names=loan_selectors.may_see_names(user))
    name = loans[0].number if len(loans) == 1 else gettext("receipts")
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{file_name(name, "pdf")}"'
    return response


class ReceiptView(LoanPageMixin, View):
    """The receipt of one loan: of its hand-out, or of its return."""

    permission_required = "inventory.keep_loans"
    back = False

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        loan = self.loan()
        if loan.state == LoanState.CANCELLED:
            messages.error(request, _("This loan was called off, so there is no receipt of it."))
            return redirect(loan)
        return pdf_response([loan], back=self.back, user=request.user)


class ReceiptsView(LoanPageMixin, View):
    """Receipts in one file: of the loans that the list sends (`ids`), or of what its filters show.

    `back=1` prints those of the returns. Loans that were called off have none; parts of a kit stand on the receipt of
    the loan that they went out with.
    """

    permission_required = "inventory.keep_loans"

    def get(self, request: HttpRequest) -> HttpResponse:
        if "ids" in request.GET:
            return self._printed(self._chosen(request.GET), back=request.GET.get("back") == "1")
        rows = LoanFilters(request.GET or None, queryset=self.loans(), request=request).qs
        return self._printed(rows, back=request.GET.get("back") == "1")

    def post(self, request: HttpRequest) -> HttpResponse:
        return self._printed(self._chosen(request.POST), back=request.POST.get("back") == "1")

    def _chosen(self, sent: QueryDict) -> QuerySet[Any]:
        ids = [key for key in sent.getlist("ids") if key.isdecimal() and len(key) < 19]
        return self.loans().filter(pk__in=ids)

    def _printed(self, rows: QuerySet[Any], *, back: bool) -> HttpResponse:
        rows = rows.filter(state=LoanState.RETURNED) if back else rows.exclude(state=LoanState.CANCELLED)
        rows = rows.exclude(main__in=rows.order_by().values("pk"))
        rows = loan_selectors.with_parts(rows).order_by("group", "device__tag", "pk")
        loans = list(rows[: receipts.AT_ONCE + 1])
        if loans and len(loans) <= receipts.AT_ONCE:
            return pdf_response(loans, back=back, user=self.request.user)
        limit = ngettext("%(number)s receipt", "%(number)s receipts", receipts.AT_ONCE)
        limit %= {"number": number_in_words(receipts.AT_ONCE)}
        messages.error(
            self.request,
            _("At most %(limit)s are printed at once. Please choose a school and a class.") % {"limit": limit}
            if loans
            else _("There is no loan here that has a receipt. Please choose others in the list."),
        )
        return redirect("inventory:loans")
