"""Forms of the admin for plans and target groups."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.form_fields import GermanDecimalField
from apps.quotas.models import Target, TargetGroup, TargetGroupMember
from apps.schools.models import SchoolType


class TargetForm(forms.ModelForm):
    """One device for so many pupils; reads "4,75"."""

    pupils_per_device = GermanDecimalField(
        label=_("pupils per device"), max_digits=5, decimal_places=2, min_value=Decimal("0.01")
    )

    class Meta:
        model = Target
        fields = ("valid_from", "pupils_per_device", "source")


class TargetGroupForm(forms.ModelForm):
    """A group with its school types; a type stands in one group of a plan only."""

    school_types = forms.ModelMultipleChoiceField(
        label=_("School types"),
        queryset=SchoolType.objects.filter(is_school=True),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("A school type stands in one group of a plan only."),
    )

    class Meta:
        model = TargetGroup
        fields = ("plan", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["school_types"] = list(self.instance.members.values_list("school_type", flat=True))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        plan, chosen = data.get("plan") or self.instance.plan_id, data.get("school_types")
        if plan is not None and chosen:
            others = TargetGroupMember.objects.filter(plan=plan, school_type__in=chosen).exclude(group=self.instance.pk)
            for member in others.select_related("school_type", "group"):
                sentence = _("%(type)s belongs to the group “%(group)s” of this plan. Please take it out there first.")
                self.add_error("school_types", sentence % {"type": member.school_type, "group": member.group.name})
        return data
