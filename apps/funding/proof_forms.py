"""Forms of drawdowns and proofs of use."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.form_fields import GermanDateField
from apps.funding.models import Grant
from apps.funding.proof_figures import TEXTS
from apps.funding.proof_words import TEXT_HINTS, TEXT_LABELS
from apps.schools.models import School


class RemarkForm(forms.Form):
    remark = forms.CharField(label=_("Remark"), max_length=300, required=False)


class DayForm(forms.Form):
    """When it happened; empty for today."""

    on = GermanDateField(label=_("Day"), required=False, help_text=_("Empty: today."))


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea({"rows": 2}), help_text=_("Stands in the history.")
    )


class NewProofForm(forms.Form):
    """For which grant, and which school."""

    grant = forms.ModelChoiceField(label=_("Grant"), queryset=Grant.objects.none())
    school = forms.ModelChoiceField(
        label=_("School"), queryset=School.objects.none(), required=False, empty_label=_("all schools")
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["grant"].queryset = Grant.objects.visible_to(user).select_related("programme")
        fields["grant"].empty_label = _("Please choose")
        fields["school"].queryset = School.objects.visible_to(user)


ONE_FORM = {"form": "proof-form"}
"""The report and the handing in stand apart on the page and are sent as one, so that neither loses the other's text."""


class TextsForm(forms.Form):
    """The report in words."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in TEXTS:
            self.fields[name] = forms.CharField(
                label=TEXT_LABELS[name],
                help_text=TEXT_HINTS[name],
                required=False,
                widget=forms.Textarea({"rows": 5, **ONE_FORM}),
            )


class HandInForm(forms.Form):
    """`despite`: why it is handed in although something is missing."""

    seen = forms.IntegerField(widget=forms.HiddenInput)
    despite = forms.CharField(
        label=_("Why it is handed in all the same"),
        required=False,
        widget=forms.Textarea({"rows": 3, **ONE_FORM}),
        help_text=_("Stands in the proof beside what is missing."),
    )
