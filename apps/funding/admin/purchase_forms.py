"""Forms of the steps of an order: goods, invoices, payment. They read what is typed; the services check it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.form_fields import EuroField, GermanDateField, GermanIntegerField
from apps.core.form_layout import refuse
from apps.funding.choices import InvoiceKind
from apps.funding.models import Budget, PurchasedDevice
from apps.funding.purchase_selectors import LineStatus
from apps.funding.purchasing import InvoiceLineInput
from apps.funding.services import Note
from apps.inventory.models import Device


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


def text_area(rows: int = 2) -> forms.Textarea:
    return forms.Textarea({"rows": rows})


def number_field(label: Any, *, min_value: int = 0, **kwargs: Any) -> GermanIntegerField:
    return GermanIntegerField(label=label, required=False, min_value=min_value, **kwargs)


def choice_field(label: Any, rows: Iterable[Any], empty: Any, **kwargs: Any) -> forms.TypedChoiceField:
    """A choice of rows that are read once for all lines of a page."""
    return labelled_choice_field(label, ((row.pk, str(row)) for row in rows), empty, **kwargs)


def labelled_choice_field(
    label: Any, rows: Iterable[tuple[int, str]], empty: Any, **kwargs: Any
) -> forms.TypedChoiceField:
    """A choice of rows with their words."""
    choices = [("", empty), *rows]
    return forms.TypedChoiceField(label=label, choices=choices, coerce=int, empty_value=None, required=False, **kwargs)


class ReasonForm(PurchaseForm):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=text_area())


class RevisionForm(PurchaseForm):
    """Decides about just what the person has read."""

    revision = forms.IntegerField(widget=forms.HiddenInput)


class ReturnOrderForm(RevisionForm):
    """Back to a draft; whoever proposed the order needs no reason to take it back."""

    reason = forms.CharField(label=_("What is to be changed"), max_length=300, widget=text_area())

    def __init__(self, *args: Any, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason


class CloseForm(PurchaseForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        required=False,
        widget=text_area(),
        help_text=_("Needed where something is missing, not invoiced, or paid and not delivered."),
    )
    order_missing_again = forms.BooleanField(
        label=_("Order the missing pieces elsewhere: they stand among what is to be ordered again"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].hint_says_when_required = True  # type: ignore[attr-defined]  # read by the template


class NoteForm(FormKeyMixin, PurchaseForm):
    """What stands on the delivery note."""

    note_number = forms.CharField(label=_("Number of the delivery note"), required=False, max_length=60)
    received_on = GermanDateField(label=_("Received on"), initial=today)

    def note(self) -> Note:
        return Note(self.cleaned_data["note_number"], self.cleaned_data["received_on"])


class PiecesForm(PurchaseForm):
    """A number of pieces for each of its rows, at which a refusal about them stands."""

    rows: Sequence[LineStatus]
    names: Mapping[str, str] = {}
    """What the service names -> what the form calls it."""

    def refuse(self, error: DomainError) -> None:
        of_line = {} if error.line is None else {"quantity": f"pieces-{self.rows[error.line - 1].line.pk}"}
        refuse(self, error, {**self.names, **of_line})


class ReceiveForm(PiecesForm, NoteForm):
    """Pieces of what nobody scans."""

    remark = forms.CharField(label=_("Remark"), required=False, max_length=300)

    def __init__(self, *args: Any, rows: Sequence[LineStatus], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = [row for row in rows if not row.is_scanned and row.missing]
        for row in self.rows:
            self.fields[f"pieces-{row.line.pk}"] = number_field(
                _("%(line)s: pieces that came") % {"line": row.line.product or row.line.description},
                initial=row.missing,
                help_text=_("%(number)s are missing.") % {"number": row.missing},
            )

    def note(self) -> Note:
        return Note(self.cleaned_data["note_number"], self.cleaned_data["received_on"], self.cleaned_data["remark"])

    def quantities(self) -> dict[int, int]:
        return {row.line.pk: self.cleaned_data.get(f"pieces-{row.line.pk}") or 0 for row in self.rows}


class ReturnForm(FormKeyMixin, PiecesForm):
    """Which devices and how many pieces go back."""

    names = {"received_on": "on"}

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=text_area())
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
                choices=[(row.device_id, ", ".join(filter(None, _facts_of(row.device)))) for row in devices],
                widget=forms.CheckboxSelectMultiple,
            )
            self.fields["devices"].hint_says_when_required = True
        self.devices = {row.device_id: row.device for row in devices}
        for row in self.rows:
            self.fields[f"pieces-{row.line.pk}"] = number_field(
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


def _facts_of(device: Device) -> tuple[str, ...]:
    """What tells it from the others of its order."""
    return (device.tag, str(device.product), device.serial, str(device.school or ""))


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
        help_text=_(
            "Needed where more is invoiced than has come, it is dearer or older than the order, or the firm used the"
            " number before."
        ),
    )

    def __init__(
        self, *args: Any, rows: Sequence[LineStatus], kind: str, municipal: Sequence[Budget], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        is_credit = kind == InvoiceKind.CREDIT
        self.fields["remark"].hint_says_when_required = True  # type: ignore[attr-defined]  # read by the template
        if is_credit:
            self.fields["number"].label = _("Number of the credit note")
            self.fields["dated_on"].label = _("Date of the credit note")
            self.fields["remark"].help_text = _("Needed where more is credited than went back, or than was agreed.")
        for number, row in enumerate(rows, start=1):
            key, pieces = row.line.pk, 0 if is_credit else max(row.line.delivered - row.invoiced_pieces, 0)
            amount = row.line.unit_price * pieces or None
            self.fields[f"pieces-{key}"] = number_field(_("Pieces"), initial=pieces or None)
            self.fields[f"amount-{key}"] = EuroField(
                label=_("Amount gross"), required=False, min_value=0, initial=amount
            )
            if row.line.budget.grant_id is not None:
                self.fields[f"eligible-{key}"] = EuroField(
                    label=_("of which eligible"), required=False, min_value=0, help_text=_("Empty: all of it.")
                )
                if row.line.own_share_budget_id is None:
                    self.fields[f"own-{key}"] = choice_field(_("Budget of the own share"), municipal, _("None"))
            for name in self._names_of(row):
                self.fields[name].in_line = pgettext("of an application", "Line %(number)s") % {"number": number}  # type: ignore[attr-defined]  # read by the summary

    def _names_of(self, row: LineStatus) -> list[str]:
        names = (f"{name}-{row.line.pk}" for name in ("pieces", "amount", "eligible", "own"))
        return [name for name in names if name in self.fields]

    def line_forms(self) -> list[dict[str, Any]]:
        """For the template: each line with its fields."""
        return [{"row": row, "fields": [self[name] for name in self._names_of(row)]} for row in self.rows]

    def refuse(self, error: DomainError) -> None:
        """Also at the fields of a line."""
        if error.line is None:
            super().refuse(error)
            return
        key = self.rows[error.line - 1].line.pk
        names = {"quantity": "pieces", "amount": "amount", "eligible_amount": "eligible", "own_share_budget": "own"}
        refuse(self, error, {field: f"{name}-{key}" for field, name in names.items()})

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
