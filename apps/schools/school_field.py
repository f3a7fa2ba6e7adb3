"""Choosing a school: from a list where there are few, by typing its name or number where a list would be too long."""

from __future__ import annotations

import re
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django_filters.conf import settings as filter_settings

from apps.core.text import sort_key
from apps.schools.models import School

MOST_IN_A_LIST = 150
"""A longer list is slow to load, and slower to read than typing a name."""
MOST_TYPED, SUGGESTED = 200, 12
NAMED = 8
"""As many schools are named where a name fits several."""
_NUMBER_LAST = re.compile(r"\(([0-9A-Za-z-]+)\)\s*$")


def words_of(school: School) -> str:
    """How a school stands in the field: its name, and its number by which it is found for sure."""
    return f"{school.short_name} ({school.number})"


def schools_like(schools: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Schools whose number, name or place holds all words of the text."""
    return schools.search(text).order_by("sort_key", "pk")  # type: ignore[attr-defined,no-any-return]  # own queryset


class SchoolInput(forms.TextInput):
    """A text field with suggestions; without JavaScript it takes what is typed."""

    template_name = "schools/school_input.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        attrs = attrs or {}
        listed = f"{attrs.get('id', name)}-schools"
        own = {
            "list": listed,
            "autocomplete": "off",
            "hx-get": reverse_lazy("schools:suggest"),
            "hx-trigger": "input changed delay:250ms",
            "hx-target": f"#{listed}",
            "hx-sync": "this:replace",
        }
        return super().get_context(name, value, {**attrs, **own}) | {"listed": listed}


class TypedSchoolField(forms.CharField):
    """A school of `schools` by its number or its name. A name that fits several is refused, naming them."""

    widget = SchoolInput
    default_error_messages = {
        "unknown": _("No school is called “%(text)s”. Please enter its number or a part of its name."),
    }

    def __init__(self, schools: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(max_length=MOST_TYPED, **kwargs)
        self.schools = schools
        self.found: School | None = None

    def clean(self, value: Any) -> School | None:  # type: ignore[override]  # a school for a text
        text = super().clean(value)
        self.found = self._school(text) if text else None
        return self.found

    def prepare_value(self, value: Any) -> Any:
        """A school that was found by its number is shown with its name."""
        if isinstance(value, School):
            return words_of(value)
        return words_of(self.found) if self.found is not None else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(self.prepare_value(initial) or "") != str(data or "")

    def _school(self, text: str) -> School:
        numbered = _NUMBER_LAST.search(text)
        number = numbered.group(1) if numbered else text
        exact = self.schools.filter(number=number).first() or self._of_name(text)
        if exact is not None:
            return exact
        found = list(schools_like(self.schools, text)[: NAMED + 1])
        if not found:
            raise ValidationError(self.error_messages["unknown"], "unknown", {"text": text})
        if len(found) > 1:
            raise ValidationError(_several(found), "several")
        return found[0]  # type: ignore[no-any-return]

    def _of_name(self, text: str) -> School | None:
        called = list(self.schools.filter(sort_key=sort_key(text))[:2])
        return called[0] if len(called) == 1 else None


def _several(found: list[School]) -> Any:
    named = "; ".join(words_of(school) for school in found[:NAMED])
    if len(found) > NAMED:
        return _("Many schools fit, such as %(schools)s. Please enter more of the name, or the number.") % {
            "schools": named
        }
    return ngettext_lazy(
        "%(number)d school fits: %(schools)s. Please enter its number.",
        "%(number)d schools fit: %(schools)s. Please enter the number of one.",
        len(found),
    ) % {"number": len(found), "schools": named}


def has_many(schools: QuerySet[Any]) -> bool:
    """Whether there are more schools than a list should hold; counts no further."""
    return len(schools.order_by().values_list("pk", flat=True)[: MOST_IN_A_LIST + 1]) > MOST_IN_A_LIST


def school_field(schools: QuerySet[Any], *, empty_label: Any = None, **kwargs: Any) -> forms.Field:
    """A list of the schools, or a field to type into; both take a school's number and give a school."""
    if has_many(schools):
        return TypedSchoolField(schools, **kwargs)
    return forms.ModelChoiceField(schools, to_field_name="number", empty_label=empty_label, **kwargs)


class SchoolFilter(django_filters.Filter):
    """Filter by a school of `queryset`, which the filter set gives per person."""

    queryset: QuerySet[Any] = School.objects.none()

    @property
    def field(self) -> forms.Field:
        if not hasattr(self, "_field"):
            empty = filter_settings.EMPTY_CHOICE_LABEL
            self._field = school_field(self.queryset, empty_label=empty, label=self.label, required=False)
        return self._field
