"""Forms about schools."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from apps.core import clock, formats
from apps.core.form_fields import GermanDateField
from apps.core.imports.forms import ImportUploadForm
from apps.schools.calculations import counting_day, is_school_year

check_authority = RegexValidator(r"^[0-9]{1,10}\Z", _("A school authority has a number such as 10315."))
check_municipality = RegexValidator(r"^[0-9]{8}\Z", _("A municipality key has eight digits, e.g. 05915000."))


def check_school_year(text: str) -> None:
    """Two years that follow one another, as official files write them."""
    if not is_school_year(text):
        raise ValidationError(_("Enter a school year such as 2024/25."))


def check_counting_day(day: datetime.date | None, school_year: str) -> None:
    """The counting day must be over and lie in the school year that the counts are for; by default its 15 October."""
    day = day or counting_day(school_year)
    if clock.school_year_of(day) != school_year:
        raise ValidationError(_("The counting day lies outside of the school year %(year)s.") % {"year": school_year})
    check_counted(day)


def check_counted(day: datetime.date) -> None:
    """Nobody has counted on a day to come."""
    if day > clock.today():
        raise ValidationError(
            _("The counting day %(day)s lies in the future. Please enter the day on which the counting was done.")
            % {"day": formats.day(day)}
        )


class ScopeUploadForm(ImportUploadForm):
    """Official files hold all schools of the state; usually only those of the own authority are wanted."""

    authority = forms.CharField(
        label=_("Only this school authority"),
        required=False,
        validators=[check_authority],
        help_text=_("Number of the school authority (Traegernummer). Leave it empty to take in all schools."),
    )
    municipality = forms.CharField(
        label=_("Only this municipality"),
        required=False,
        validators=[check_municipality],
        help_text=_("Schools of other authorities in your city come along; they never count in the quota."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["authority"].initial = settings.OWN_AUTHORITY_NUMBER

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("authority") and cleaned.get("municipality"):
            self.add_error("municipality", _("Please fill in either the school authority or the municipality."))
        return cleaned

    def options(self) -> dict[str, str]:
        given = {name: self.cleaned_data[name] for name in self.fields if name != "file" and self.cleaned_data[name]}
        return {name: value.isoformat() if isinstance(value, datetime.date) else value for name, value in given.items()}


class SchuldatenUploadForm(ScopeUploadForm):
    """The register of schools."""


class SocialIndexUploadForm(ScopeUploadForm):
    """The file does not say which school year it is for."""

    school_year = forms.CharField(
        label=_("School year"),
        max_length=7,
        validators=[check_school_year],
        help_text=_("The school year that the file is for, e.g. 2025/26."),
    )
    field_order = ("file", "school_year")


class CountsUploadForm(SocialIndexUploadForm):
    """The file says neither the school year nor the day of its counts."""

    counted_on = GermanDateField(
        label=_("Counted on"),
        required=False,
        help_text=_("Leave it empty for 15 October of the school year, the day of the official statistics."),
    )
    field_order = ("file", "school_year", "counted_on")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("school_year") and "counted_on" in cleaned:
            try:
                check_counting_day(cleaned["counted_on"], cleaned["school_year"])
            except ValidationError as error:
                self.add_error("counted_on", error)
        return cleaned


class NetworkUploadForm(ScopeUploadForm):
    """The city's own table of network and platforms."""

    counted_on = GermanDateField(
        label=_("Rooms counted on"),
        required=False,
        validators=[check_counted],
        help_text=_("Leave it empty when the rooms were counted today."),
    )
    field_order = ("file", "counted_on")
