"""Choosing a list of devices."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.imports.forms import ImportUploadForm
from apps.inventory.imports.formats import FORMATS
from apps.inventory.models import DeviceKind
from apps.schools.models import School


class DevicesUploadForm(ImportUploadForm):
    format = forms.ChoiceField(
        label=_("Kind of list"),
        required=False,
        help_text=_("Usually the columns tell which program the list comes from."),
    )
    school = forms.ModelChoiceField(
        School.objects.none(),
        label=_("School"),
        required=False,
        to_field_name="number",
        help_text=_("Only for lists whose rows name no school: where these devices stand."),
    )
    kind = forms.ModelChoiceField(
        DeviceKind.objects.all(),
        label=_("Device kind"),
        required=False,
        to_field_name="code",
        help_text=_("Only for lists whose rows name no kind: what products are that the catalogue does not know yet."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        listed = [(row.name, row.label) for row in FORMATS.values()]
        self.fields["format"].choices = [("", _("Recognise by its columns")), *listed]
        rows = School.objects.filter(school_type__is_school=True, authority__is_own=True)
        self.fields["school"].queryset = rows.order_by("sort_key")

    def options(self) -> dict[str, str]:
        school, kind = self.cleaned_data["school"], self.cleaned_data["kind"]
        given = {
            "format": self.cleaned_data["format"],
            "school": school.number if school else "",
            "kind": kind.code if kind else "",
        }
        return {name: value for name, value in given.items() if value}
