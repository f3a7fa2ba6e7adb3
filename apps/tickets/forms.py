"""Reporting a ticket, and what is written on it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.form_layout import KernFormHelper
from apps.inventory.models import Device
from apps.inventory.numbering import tag_of
from apps.schools.models import School


class ReportForm(forms.Form):
    """School (not asked when there is one), what does not work, where. The device is named by its number."""

    school = forms.ModelChoiceField(School.objects.none(), label=_("School"))
    title = forms.CharField(
        label=_("What does not work?"),
        max_length=120,
        help_text=_("In a few words, for example: no picture from the projector."),
    )
    text = forms.CharField(
        label=_("What happens?"),
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Since when, what you tried, and when somebody may come by. Please name no pupils."),
    )
    device = forms.CharField(
        label=_("Inventory number of the device"),
        required=False,
        max_length=32,
        help_text=format_lazy(_("It is on the label, for example {tag}."), tag=tag_of(123)),
    )
    room = forms.CharField(label=_("Room"), required=False, max_length=60)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        schools = School.objects.visible_to(user).order_by("sort_key")
        self.fields["school"].queryset = schools
        first_two = list(schools[:2])
        if len(first_two) == 1:
            self.fields["school"].initial = first_two[0]
            self.fields["school"].widget = forms.HiddenInput()
        self.helper = KernFormHelper(self, submit=_("Report ticket"), keep="ticket")

    def clean_device(self) -> Device | None:
        """The device of that number at the chosen school; whether it exists elsewhere is not told."""
        tag = self.cleaned_data["device"].strip().upper()
        school = self.cleaned_data.get("school")
        if not tag or school is None:
            return None
        device = Device.objects.filter(tag=tag, school=school).first()
        if device is None:
            raise forms.ValidationError(
                _("There is no device “%(tag)s” at this school. Please check the number, or leave it empty.")
                % {"tag": tag}
            )
        return device


class WriteForm(forms.Form):
    """One text on a ticket."""

    text = forms.CharField(label=_("Text"), widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, label: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if label:
            self.fields["text"].label = label
        self.helper = KernFormHelper(self)
        self.helper.form_tag = False


class HandOverForm(forms.Form):
    """Who takes care of the ticket."""

    responsible = forms.ModelChoiceField(User.objects.none(), label=_("Person responsible"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["responsible"].queryset = User.objects.with_permission("tickets.work_ticket").order_by("name")
        self.helper = KernFormHelper(self)
        self.helper.form_tag = False
