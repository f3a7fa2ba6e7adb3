"""The form that asks for the sheet of labels and for the place of the first one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crispy_forms.utils import TEMPLATE_PACK
from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core.form_layout import KernFormHelper, Layout
from apps.inventory import label_sheets
from apps.inventory.label_sheets import SHEETS, Sheet


class LabelForm(forms.Form):
    """Each sheet with several labels has a group of radio buttons of its own, laid out like the sheet.

    So the place is picked in the picture with mouse, finger or arrow keys and without script; the style sheet shows
    the group of the chosen sheet only, and only that one is read.
    """

    ids = forms.Field(required=False, widget=forms.MultipleHiddenInput)
    sheet = forms.ChoiceField(
        label=_("Sheet"),
        choices=[(sheet.code, sheet.name) for sheet in SHEETS.values()],
        widget=forms.RadioSelect,
        initial=next(iter(SHEETS)),
    )

    def __init__(self, *args: Any, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pictured = [sheet for sheet in SHEETS.values() if label_sheets.places_on(sheet) > 1]
        for sheet in pictured:
            places = range(1, label_sheets.places_on(sheet) + 1)
            self.fields[_start(sheet)] = forms.TypedChoiceField(
                label=_("First label on"),
                choices=[(place, place) for place in places],
                coerce=int,
                initial=1,
                empty_value=1,
                required=False,
                widget=forms.RadioSelect,
            )
        self.helper = KernFormHelper(self, submit=_("Save labels as PDF"), cancel_url=cancel_url, mark_optional=False)
        self.helper.attrs["data-download"] = True
        self.helper.layout = Layout("sheet", *(SheetPicture(sheet) for sheet in pictured))

    def clean(self) -> dict[str, Any]:
        """`sheet` becomes the sheet itself, `start` the place of the first label on it."""
        cleaned = super().clean() or {}
        sheet = SHEETS.get(cleaned.get("sheet", ""))
        if sheet is not None:
            cleaned["start"] = cleaned.get(_start(sheet), 1)
            cleaned["sheet"] = sheet
        return cleaned


class SheetPicture:
    """A sheet drawn as its rows and columns, in which the place of the first label is picked."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet

    def render(self, form: Any, context: Any, template_pack: str = TEMPLATE_PACK, **_kwargs: Any) -> SafeString:
        field = form[_start(self.sheet)]
        form.rendered_fields.add(field.name)
        return render_to_string(
            "inventory/sheet_picture.html", {"field": field, "sheet": self.sheet, "cells": list(self._cells(field))}
        )

    def _cells(self, field: forms.BoundField) -> Iterator[dict[str, Any]]:
        for place, option in enumerate(field.subwidgets, start=1):
            row, column = label_sheets.row_and_column(self.sheet, place)
            yield {"option": option, "place": place, "row": row, "column": column}


def _start(sheet: Sheet) -> str:
    return f"start_{sheet.code}"
