"""Putting right which column goes where, and naming it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.imports.faults import shown
from apps.core.imports.mappings import Columns, ensure_new_name, signature_of
from apps.core.models import ImportMapping

NOT_TAKEN = "-"


class ColumnsForm(forms.Form):
    """One choice for each open column of a file, with its first values; and a name under which to keep them."""

    name = forms.CharField(
        label=_("Save this assignment as"),
        required=False,
        max_length=80,
        help_text=_(
            "The next file with these columns is then read in the same way. Leave it empty for this file only."
        ),
    )

    def __init__(self, *args: Any, columns: Columns, name: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = columns
        self.fields["name"].initial = name
        fields = dict(self.fields)
        choices = [(NOT_TAKEN, _("is not taken")), *columns.source.offered_fields()]
        self.fields = {
            f"column_{place}": forms.ChoiceField(
                label=columns.header[place],
                choices=choices,
                initial=columns.fields[place] or NOT_TAKEN,
                help_text=_first_values(columns.values(place)),
            )
            for place in columns.open_places()
        } | fields

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if name:
            _ensure_free(self.columns.source.name, name, signature_of(self.columns.header))
        return name

    def clean(self) -> dict[str, Any]:
        try:
            self.columns.source.ensure_fields(self.chosen())
        except DomainError as error:
            raise ValidationError(str(error)) from None
        return self.cleaned_data

    def chosen(self) -> list[str]:
        """Where each column of the file goes, by place."""
        given = {int(name.removeprefix("column_")): "" if value == NOT_TAKEN else value
                 for name, value in self.cleaned_data.items() if name.startswith("column_")}  # fmt: skip
        return self.columns.with_fields(given)


class MappingNameForm(forms.ModelForm):
    class Meta:
        model = ImportMapping
        fields = ("name",)

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        _ensure_free(self.instance.source, name, self.instance.signature)
        return name


def _first_values(values: list[str]) -> str:
    if not values:
        return gettext("The first rows hold nothing here.")
    return gettext("First values: %(values)s") % {"values": ", ".join(shown(value) for value in values)}


def _ensure_free(source: str, name: str, signature: str) -> None:
    try:
        ensure_new_name(source, name, signature=signature)
    except DomainError as error:
        raise ValidationError(str(error)) from None
