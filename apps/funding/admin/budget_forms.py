"""Forms of the budgets. A refusal of the service stands at its field, and everything typed stays."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.form_fields import EuroField, ShareField
from apps.funding import services
from apps.funding.models import Budget, Grant

VALUE_FIELDS = (
    "name",
    "fiscal_year",
    "measure_number",
    "product",
    "ledger_account",
    "expenditure_type",
    "grant",
    "appropriation",
    "carried_over",
    "supplement",
    "freeze",
)


class BudgetAdminForm(forms.ModelForm):
    """`by` is set by the admin. The service is rehearsed while the form is checked, and taken back."""

    by: Any = None
    change_reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("Stands in the history, for those who check later."),
    )

    class Meta:
        model = Budget
        fields = VALUE_FIELDS

    def _post_clean(self) -> None:
        """After the model's own checks, so that one fault is said once."""
        super()._post_clean()
        if not self.errors:
            self._rehearse()

    def _rehearse(self) -> None:
        values = {name: self.cleaned_data[name] for name in VALUE_FIELDS}
        try:
            with transaction.atomic():
                if self.instance.pk:
                    services.change_budget(budget=self.instance, by=self.by, **values)
                else:
                    services.create_budget(by=self.by, **values)
                transaction.set_rollback(True)
        except DomainError as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))


class OverrunForm(forms.Form):
    """By how much more a budget may be overrun, and why."""

    amount = EuroField(label=_("Additional amount"))
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 3}))


class GrantAdminForm(forms.ModelForm):
    rate = ShareField(
        label=_("funding rate"),
        help_text=_("What the grant pays of the eligible expenses, in percent: 90."),
    )

    class Meta:
        model = Grant
        fields = ("programme", "file_reference", "notice_on", "amount", "rate")
