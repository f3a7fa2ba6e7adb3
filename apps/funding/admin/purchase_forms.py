"""Forms of orders, deliveries and invoices. They read what is typed; the services check it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.form_fields import EuroField, GermanDateField, GermanIntegerField
from apps.core.form_layout import refuse
from apps.funding.choices import InvoiceKind
from apps.funding.models import Budget, FrameworkContract, Order, OrderLine, PurchasedDevice, Supplier
from apps.funding.purchase_selectors import LineStatus, LineToOrder
from apps.funding.purchasing import InvoiceLineInput, OrderLineInput
from apps.funding.rules import sets_thresholds
from apps.funding.services import Note
from apps.inventory.models import Product
from apps.schools.models import School

NEW_ORDER = "new"
_NEEDED_SUM = _("Of the whole need, before offers came in. Do not split it. Needed for placing.")
_NEEDED_SUM_OR_CONTRACT = _(
    "Of the whole need, before offers came in. Do not split it. Needed for placing without a framework contract."
)


class PurchaseForm(forms.Form):
    """Base: a refusal of the service stands at its field, or on top where it is about none."""

    def refuse(self, error: DomainError) -> None:
        refuse(self, error)


class FormKeyMixin(forms.Form):
    """A form that is sent twice does its work once."""

    form_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("form_key", uuid.uuid4())


def _text(rows: int = 2) -> forms.Textarea:
    return forms.Textarea({"rows": rows})


def _number(label: Any, **kwargs: Any) -> GermanIntegerField:
    return GermanIntegerField(label=label, required=False, min_value=0, **kwargs)


def _choice(label: Any, rows: Iterable[Any], empty: Any, **kwargs: Any) -> forms.TypedChoiceField:
    """A choice of rows that are read once for all lines of a page."""
    choices = [("", empty), *((row.pk, str(row)) for row in rows)]
    return forms.TypedChoiceField(label=label, choices=choices, coerce=int, empty_value=None, required=False, **kwargs)


class ContractField(forms.ModelChoiceField):
    """Contracts that hold today; one that a draft names stays in sight and says when it does not."""

    def label_from_instance(self, contract: FrameworkContract) -> str:
        day = today()
        if contract.holds_on(day):
            return str(contract)
        words = _("%(contract)s (not yet valid)") if day < contract.valid_from else _("%(contract)s (ended)")
        return words % {"contract": contract}


class BundleForm(FormKeyMixin, PurchaseForm):
    """Which approved lines go where: into a new order, or into a draft."""

    target = forms.ChoiceField(label=_("Order"))
    supplier = forms.ModelChoiceField(
        Supplier.objects.none(), label=_("Supplier"), required=False, help_text=_("For a new order without a contract.")
    )
    contract = ContractField(
        FrameworkContract.objects.none(),
        label=_("Framework contract"),
        required=False,
        help_text=_("It names the supplier, too."),
    )

    def __init__(self, *args: Any, user: User, rows: Sequence[LineToOrder], drafts: Sequence[Order], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = [
            (NEW_ORDER, _("New order")),
            *((str(order.pk), f"{order.number}, {order.supplier}") for order in drafts),
        ]
        self.fields["supplier"].queryset = Supplier.objects.visible_to(user).filter(is_active=True)
        contracts = FrameworkContract.objects.visible_to(user).holding_on(today())
        self.fields["contract"].queryset = contracts.select_related("supplier")
        for name in ("supplier", "contract"):
            self.fields[name].empty_label = _("Please choose")
        self.rows = rows
        for row in rows:
            self.fields[f"line-{row.line.pk}"] = forms.BooleanField(required=False, label=str(row.line.application))
            self.fields[f"pieces-{row.line.pk}"] = _number(
                _("Pieces to order"), initial=row.pieces, max_value=row.pieces
            )

    def fields_of(self, rows: Sequence[LineToOrder]) -> list[tuple[LineToOrder, forms.BoundField, forms.BoundField]]:
        """For the template: lines with their two fields."""
        return [(row, self[f"line-{row.line.pk}"], self[f"pieces-{row.line.pk}"]) for row in rows]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not self.lines():
            raise forms.ValidationError(_("Please choose at least one line."))
        if data.get("target") == NEW_ORDER and not data.get("supplier") and not data.get("contract"):
            self.add_error("supplier", _("Please choose the supplier or a framework contract."))
        return data

    def lines(self) -> list[OrderLineInput]:
        data = self.cleaned_data
        return [
            OrderLineInput(row.pieces if typed is None else typed, application_line_id=row.line.pk)
            for row, typed in ((row, data.get(f"pieces-{row.line.pk}")) for row in self.rows)
            if data.get(f"line-{row.line.pk}")
        ]

    def supplier_and_contract(self) -> dict[str, Any]:
        contract = self.cleaned_data["contract"]
        supplier = self.cleaned_data["supplier"] or (contract.supplier if contract else None)
        return {"supplier": supplier, "contract": contract}


class OrderForm(PurchaseForm):
    """Facts and award record of a draft."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    supplier = forms.ModelChoiceField(Supplier.objects.none(), label=_("Supplier"))
    contract = ContractField(
        FrameworkContract.objects.none(), label=_("Framework contract"), required=False, empty_label=_("None")
    )
    note = forms.CharField(label=_("Note"), required=False, widget=_text())
    estimated_net = EuroField(
        label=_("Estimated sum (net)"),
        required=False,
    )
    procedure = forms.CharField(
        label=_("Award procedure"),
        required=False,
        max_length=120,
        help_text=_(
            "Where a step of the city's rules holds for the sum, its procedure is taken. "
            "Needed for placing where none holds and no framework contract is called from."
        ),
    )
    award_reason = forms.CharField(
        label=_("Reason of the award"),
        required=False,
        widget=_text(3),
        help_text=_(
            "Why this supplier, and for this price. "
            "Needed for placing without a framework contract, and where a step of the city's rules holds."
        ),
    )

    def __init__(self, *args: Any, user: User, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        suppliers = Supplier.objects.visible_to(user)
        self.fields["supplier"].queryset = suppliers.filter(is_active=True) | suppliers.filter(pk=order.supplier_id)
        contracts = FrameworkContract.objects.visible_to(user)
        self.fields["contract"].queryset = contracts.holding_on(today()) | contracts.filter(pk=order.contract_id)
        self.fields["estimated_net"].help_text = _NEEDED_SUM if sets_thresholds(today()) else _NEEDED_SUM_OR_CONTRACT
        for name in ("estimated_net", "procedure", "award_reason"):
            self.fields[name].hint_says_when_required = True

    def facts(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class OrderLineForm(forms.Form):
    """One line of a draft; of an application's line only quantity, price and note can be typed."""

    line_id = forms.IntegerField(widget=forms.HiddenInput, required=False)
    application_line_id = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, choices: dict[str, Sequence[Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self["application_line_id"].value():
            self.fields["product_id"] = _choice(_("Product"), choices["products"], _("None of the catalogue"))
            self.fields["description"] = forms.CharField(label=_("Description"), required=False, max_length=200)
            self.fields["school_id"] = _choice(_("School"), choices["schools"], _("No school: the depot or all"))
        self.fields["quantity"] = GermanIntegerField(label=_("Quantity"), min_value=1)
        self.fields["unit_price"] = EuroField(label=_("Unit price gross"), min_value=0)
        if not self["application_line_id"].value():
            self.fields["budget_id"] = _choice(_("Budget"), choices["budgets"], _("Please choose"))
            self.fields["own_share_budget_id"] = _choice(_("Budget of the own share"), choices["municipal"], _("None"))
        self.fields["DELETE"] = forms.BooleanField(label=_("Take out of the order"), required=False)

    def as_input(self) -> OrderLineInput:
        known = {name: value for name, value in self.cleaned_data.items() if name != "DELETE"}
        return OrderLineInput(**known)


class BaseOrderLines(forms.BaseFormSet):
    """Lines of a draft; one that stays empty is none."""

    def __init__(self, *args: Any, order: Order, user: User, **kwargs: Any) -> None:
        related = ("product", "school", "application_line__application", "budget", "own_share_budget")
        self.lines = {line.pk: line for line in order.lines.select_related(*related)}
        budgets = list(Budget.objects.visible_to(user).order_by("-fiscal_year", "name"))
        choices = {
            "products": list(Product.objects.visible_to(user).filter(is_active=True)),
            "schools": list(School.objects.visible_to(user)),
            "budgets": budgets,
            "municipal": [row for row in budgets if row.grant_id is None],
        }
        super().__init__(*args, form_kwargs={"choices": choices}, **kwargs)

    def inputs(self) -> list[OrderLineInput]:
        typed = [form for form in self.forms if form.initial or form.has_changed()]
        return [form.as_input() for form in typed if not form.cleaned_data.get("DELETE")]


OrderLines = forms.formset_factory(OrderLineForm, formset=BaseOrderLines, extra=1)


def line_initial(line: OrderLine) -> dict[str, Any]:
    names = ("application_line_id", "product_id", "description", "school_id", "quantity", "unit_price", "budget_id")
    return {"line_id": line.pk, "own_share_budget_id": line.own_share_budget_id} | {
        name: getattr(line, name) for name in names
    }


class ReasonForm(PurchaseForm):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=_text())


class RevisionForm(PurchaseForm):
    """Decides about just what the person has read."""

    revision = forms.IntegerField(widget=forms.HiddenInput)


class ReturnOrderForm(RevisionForm):
    """Back to a draft; whoever proposed the order needs no reason to take it back."""

    reason = forms.CharField(label=_("What is to be changed"), max_length=300, widget=_text())

    def __init__(self, *args: Any, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason


class CloseForm(PurchaseForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        required=False,
        widget=_text(),
        help_text=_("Needed where something is missing or not invoiced."),
    )
    order_missing_again = forms.BooleanField(
        label=_("Order the missing pieces elsewhere: they stand among what is to be ordered again"), required=False
    )


class NoteForm(FormKeyMixin, PurchaseForm):
    """What stands on the delivery note."""

    note_number = forms.CharField(label=_("Number of the delivery note"), required=False, max_length=60)
    received_on = GermanDateField(label=_("Received on"), initial=today)

    def note(self) -> Note:
        return Note(self.cleaned_data["note_number"], self.cleaned_data["received_on"])


class ReceiveForm(NoteForm):
    """Pieces of what nobody scans."""

    remark = forms.CharField(label=_("Remark"), required=False, max_length=300)

    def __init__(self, *args: Any, rows: Sequence[LineStatus], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = [row for row in rows if not row.is_scanned and row.missing]
        for row in self.rows:
            self.fields[f"pieces-{row.line.pk}"] = _number(
                _("%(line)s: pieces that came") % {"line": row.line.product or row.line.description},
                initial=row.missing,
                help_text=_("%(number)s are missing.") % {"number": row.missing},
            )

    def note(self) -> Note:
        return Note(self.cleaned_data["note_number"], self.cleaned_data["received_on"], self.cleaned_data["remark"])

    def quantities(self) -> dict[int, int]:
        return {row.line.pk: self.cleaned_data.get(f"pieces-{row.line.pk}") or 0 for row in self.rows}


class ReturnForm(FormKeyMixin, PurchaseForm):
    """Which devices and how many pieces go back."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=_text())
    on = GermanDateField(label=_("Returned on"), initial=today)
    note_number = forms.CharField(label=_("Number of the return note"), required=False, max_length=60)

    def __init__(
        self, *args: Any, rows: Sequence[LineStatus], devices: Sequence[PurchasedDevice], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rows = [row for row in rows if not row.is_scanned and row.line.delivered]
        if devices:
            self.fields["devices"] = forms.TypedMultipleChoiceField(
                label=_("Devices that go back"),
                required=False,
                coerce=int,
                choices=[
                    (row.device_id, f"{row.device.tag}, {row.device.product}, {row.device.serial}") for row in devices
                ],
                widget=forms.CheckboxSelectMultiple,
            )
            self.fields["devices"].hint_says_when_required = True
        self.devices = {row.device_id: row.device for row in devices}
        for row in self.rows:
            self.fields[f"pieces-{row.line.pk}"] = _number(
                _("%(line)s: pieces that go back") % {"line": row.line.product or row.line.description}
            )

    def clean(self) -> dict[str, Any]:
        """Something goes back; said at the devices where there are any."""
        data: dict[str, Any] = super().clean() or {}
        names = [name for name in self.fields if name == "devices" or name.startswith("pieces-")]
        if names and not any(data.get(name) for name in names) and not set(names) & set(self.errors):
            words = _("Please choose the devices that go back, or enter how many pieces go back.")
            only_devices = names == ["devices"]
            self.add_error(names[0], _("Please choose at least one device that goes back.") if only_devices else words)
        return data

    def what(self) -> dict[str, Any]:
        return {
            "devices": [self.devices[pk] for pk in self.cleaned_data.get("devices", [])],
            "quantities": {row.line.pk: self.cleaned_data.get(f"pieces-{row.line.pk}") or 0 for row in self.rows},
        }


class InvoiceForm(FormKeyMixin, PurchaseForm):
    """An invoice or a credit note with a row for each line of the order; empty rows are left out."""

    voucher_number = forms.CharField(
        label=_("Voucher number"), max_length=40, help_text=_("Under which the city keeps it (Belegnummer).")
    )
    number = forms.CharField(label=_("Number of the invoice"), max_length=60)
    dated_on = GermanDateField(label=_("Date of the invoice"))
    payee = forms.CharField(label=_("Payee"), max_length=160)
    remark = forms.CharField(
        label=_("Remark"),
        required=False,
        max_length=300,
        help_text=_("Needed where more is invoiced than has come, or it is dearer than ordered."),
    )

    def __init__(
        self, *args: Any, rows: Sequence[LineStatus], kind: str, municipal: Sequence[Budget], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        is_credit = kind == InvoiceKind.CREDIT
        if is_credit:
            self.fields["number"].label = _("Number of the credit note")
            self.fields["dated_on"].label = _("Date of the credit note")
            self.fields["remark"].help_text = ""
        for row in rows:
            key, pieces = row.line.pk, 0 if is_credit else max(row.line.delivered - row.invoiced_pieces, 0)
            amount = row.line.unit_price * pieces or None
            self.fields[f"pieces-{key}"] = _number(_("Pieces"), initial=pieces or None)
            self.fields[f"amount-{key}"] = EuroField(
                label=_("Amount gross"), required=False, min_value=0, initial=amount
            )
            if row.line.budget.grant_id is not None:
                self.fields[f"eligible-{key}"] = EuroField(
                    label=_("of which eligible"), required=False, min_value=0, help_text=_("Empty: all of it.")
                )
                if row.line.own_share_budget_id is None:
                    self.fields[f"own-{key}"] = _choice(_("Budget of the own share"), municipal, _("None"))

    def line_forms(self) -> list[dict[str, Any]]:
        """For the template: each line with its fields."""
        names = ("pieces", "amount", "eligible", "own")
        return [
            {"row": row}
            | {"fields": [self[f"{name}-{row.line.pk}"] for name in names if f"{name}-{row.line.pk}" in self.fields]}
            for row in self.rows
        ]

    def inputs(self) -> list[InvoiceLineInput]:
        data = self.cleaned_data
        return [
            InvoiceLineInput(
                row.line.pk,
                data.get(f"pieces-{row.line.pk}") or 0,
                data.get(f"amount-{row.line.pk}") or Decimal(0),
                data.get(f"eligible-{row.line.pk}"),
                data.get(f"own-{row.line.pk}"),
            )
            for row in self.rows
        ]

    def facts(self) -> dict[str, Any]:
        names = ("voucher_number", "number", "dated_on", "payee", "remark", "form_key")
        return {name: self.cleaned_data[name] for name in names}


class PayForm(PurchaseForm):
    paid_on = GermanDateField(label=_("Paid on"), initial=today)
    booking_reference = forms.CharField(label=_("Booking reference"), required=False, max_length=60)
