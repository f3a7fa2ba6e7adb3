"""Forms of programmes, grant notices and their changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.form_fields import EuroField, GermanDateField, GermanIntegerField, ShareField
from apps.core.form_layout import refuse
from apps.funding import services
from apps.funding.models import FundingProgramme, Grant, GrantChange
from apps.funding.models.grants import MOST_YEARS_BOUND
from apps.funding.services.grants import NOTICE_FIELDS

BEGINS_WITH = ("rate", "limit_per_device", "implementation_until", "earmarking_years")
"""What a new grant notice takes from its programme."""
GRANT_FIELDS = (
    "programme",
    "file_reference",
    "lucom_number",
    "notice_on",
    "amount",
    "rate",
    "limit_per_device",
    "implementation_from",
    "implementation_until",
    "earmarking_years",
    "proof_due_on",
    "contact",
)


class ProgrammeForm(forms.ModelForm):
    rate = ShareField(
        label=_("usual funding rate"),
        required=False,
        help_text=_("What a grant pays of the eligible expenses, in percent: 90. Empty where it is not known."),
    )

    class Meta:
        model = FundingProgramme
        fields = (
            "code",
            "name",
            "legal_basis",
            "rate",
            "limit_per_device",
            "eligible",
            "not_eligible",
            "begins_on",
            "implementation_until",
            "earmarking_years",
            "requires_media_concept",
            "source",
            "checked_on",
        )


class GrantAdminForm(forms.ModelForm):
    """`by` is set by the admin. An edit is rehearsed while the form is checked, and taken back."""

    by: Any = None
    rate = ShareField(
        label=_("funding rate"),
        required=False,
        help_text=_("What the grant pays of the eligible expenses, in percent: 90. Empty: as in the programme."),
    )

    class Meta:
        model = Grant
        fields = GRANT_FIELDS

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "rate" in self.fields and "rate" in cleaned and cleaned["rate"] is None:
            programme = cleaned.get("programme")
            cleaned["rate"] = programme.rate if programme is not None else None
            if cleaned["rate"] is None and programme is not None:
                self.add_error("rate", _("The programme names no rate. Please enter the one of the notice."))
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors or not self.instance.pk:
            return
        try:
            with transaction.atomic():
                services.edit_grant(grant=self.instance, by=self.by, **self.cleaned_data)
                transaction.set_rollback(True)
        except DomainError as error:
            refuse(self, error)


class ChangeNoticeForm(forms.ModelForm):
    """What a change notice says; fields that it leaves as they are keep their value."""

    notice_on = GermanDateField(label=_("date of the change notice"))
    file_reference = forms.CharField(label=_("file reference of the change notice"), max_length=80, required=False)
    rate = ShareField(label=_("funding rate"))
    amount = EuroField(label=_("amount"))
    limit_per_device = EuroField(label=_("limit per device"), required=False, min_value=Decimal("0.01"))
    implementation_until = GermanDateField(label=_("implementation until"), required=False)
    earmarking_years = GermanIntegerField(
        label=_("earmarking in years"), required=False, min_value=0, max_value=MOST_YEARS_BOUND
    )
    proof_due_on = GermanDateField(label=_("proof of use due on"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea({"rows": 2}))

    class Meta:
        model = GrantChange
        fields = ("notice_on", "file_reference", "reason")

    def __init__(self, *args: Any, grant: Grant, **kwargs: Any) -> None:
        initial = {name: getattr(grant, name) for name in NOTICE_FIELDS}
        super().__init__(*args, initial=initial, **kwargs)
        self.grant = grant
        self.order_fields(["notice_on", "file_reference", *NOTICE_FIELDS, "reason"])

    def record(self, by: Any) -> GrantChange:
        return services.record_change_notice(grant=self.grant, by=by, **self.cleaned_data)
