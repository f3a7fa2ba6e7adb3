"""Filters above lists: one line, GET, active ones as removable chips."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.db import models
from django.forms.utils import flatatt
from django.http import QueryDict
from django.utils.choices import BaseChoiceIterator
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.core.form_fields import GermanDateField
from apps.core.form_layout import KernFormHelper
from apps.core.formats import day
from apps.core.text import as_html, sort_key

IN_LINE = 4


@dataclass(frozen=True)
class Chip:
    """An active filter and the address without it."""

    label: str
    value: str
    href: str


class SearchFilter(django_filters.CharFilter):
    """Free words, each of which must appear in the stored search text (folded like it: "Öl" finds "oel" texts)."""

    def __init__(self, field_name: str = "search_text", **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Search"))
        kwargs.setdefault("widget", forms.TextInput(attrs={"type": "search", "autocomplete": "off"}))
        super().__init__(field_name=field_name, **kwargs)

    def filter(self, qs: models.QuerySet[Any], value: Any) -> models.QuerySet[Any]:
        for word in sort_key(str(value or "")).split():
            qs = qs.filter(**{f"{self.field_name}__contains": word})
        return qs


class DayFilter(django_filters.Filter):
    """One day, e.g. with `lookup_expr="gte"`."""

    field_class = GermanDateField


class QuickSelect(forms.Select):
    """Says the same as Django's select, without a template for each option: they took a sixth of a list's time."""

    def use_required_attribute(self, initial: Any) -> bool:
        """No filter is required; Django would read all options to see whether the first one is empty."""
        return False

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        given = self.build_attrs(self.attrs, {**(attrs or {}), "name": name})
        chosen = set(self.format_value(value))
        options = SafeString("".join(self._options(self.choices, chosen)))
        return format_html("<select{}>{}</select>", flatatt(given), options)

    def _options(self, choices: Iterable[Any], chosen: set[str]) -> Iterator[str]:
        for code, word in choices:
            if isinstance(word, (list, tuple)):
                yield f'<optgroup label="{as_html(code)}">{"".join(self._options(word, chosen))}</optgroup>'
            else:
                text = "" if code is None else str(code)
                mark = " selected" if text in chosen else ""
                yield f'<option value="{as_html(text)}"{mark}>{as_html(word)}</option>'


class RowOptions(BaseChoiceIterator):
    """Options that are rows, read in one go: Django's own way opens, reads and closes a cursor for each list."""

    def __init__(self, field: Any) -> None:
        self.field = field

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        field = self.field
        if field.empty_label is not None:
            yield "", field.empty_label
        if getattr(field, "null_label", None) is not None:
            yield field.null_value, field.null_label
        for row in field.queryset.all():
            yield field.prepare_value(row), field.label_from_instance(row)


class FilterForm(forms.Form):
    """Refuses spans that end before they begin. `spans`: names of two fields, from and to."""

    spans: Sequence[tuple[str, str]] = ()

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or self.cleaned_data
        for first, last in self.spans:
            if chosen.get(first) and chosen.get(last) and chosen[first] > chosen[last]:
                since = {"field": self.fields[first].label, "day": day(chosen[first])}
                self.add_error(
                    last,
                    _("This day lies before “%(field)s” (%(day)s). Please enter that day or a later one.") % since,
                )
        return chosen


class PortalFilterSet(django_filters.FilterSet):
    """Base of all filter sets. The first IN_LINE fields stand in the line, the others behind "more filters"."""

    plain_address = "?"
    """The list without any filter, where another one would open with it."""

    @cached_property
    def form(self) -> forms.Form:
        form = super().form
        form.order_fields([name for name, filter_ in self.filters.items() if isinstance(filter_, SearchFilter)])
        for field in form.fields.values():
            _word_options(field)
            if type(field.widget) is forms.Select:
                rows = isinstance(field, forms.ModelChoiceField)
                choices = RowOptions(field) if rows else field.widget.choices
                field.widget = QuickSelect(attrs=field.widget.attrs, choices=choices)
        form.helper = KernFormHelper(form, mark_optional=False)
        form.helper.form_method = "get"
        return form

    def fields_in_line(self) -> list[forms.BoundField]:
        return list(self.form)[:IN_LINE]

    def more_fields(self) -> list[forms.BoundField]:
        return list(self.form)[IN_LINE:]

    def more_is_active(self) -> bool:
        names = {field.name for field in self.more_fields()}
        return not names.isdisjoint(self.form.errors) or any(name in names for name, _value in self._active())

    def chips(self) -> list[Chip]:
        """The active filters in the order of the form."""
        return [
            Chip(str(self.form.fields[name].label or name), self._shown(name, value), self._address_without(name))
            for name, value in self._active()
        ]

    def reset_address(self) -> str:
        """This list without any filter; sorting stays."""
        return self._address_without(*self.form.fields)

    def kept_parameters(self) -> Iterable[tuple[str, str]]:
        """What else stands in the address and stays when filters change, except for the page."""
        for name, values in (self.data or QueryDict()).lists():
            if name not in self.form.fields and name not in ("page", "export", "saved"):
                for value in values:
                    yield name, value

    def _active(self) -> Sequence[tuple[str, Any]]:
        if not self.is_bound or not self.form.is_valid():
            return []
        return [
            (name, value)
            for name, value in self.form.cleaned_data.items()
            if value not in (None, "", []) and not (isinstance(value, models.QuerySet) and not value)
        ]

    def _shown(self, name: str, value: Any) -> str:
        if isinstance(value, (list, tuple, models.QuerySet)):
            return ", ".join(self._shown(name, item) for item in value)
        if hasattr(value, "year"):
            return day(value)
        if isinstance(value, bool):
            return str(_("Yes") if value else _("No"))
        choices = getattr(self.form.fields[name], "choices", None)
        if choices is not None and not isinstance(value, models.Model):
            words = {str(code): str(word) for code, word in _flat(choices)}
            return capfirst(words.get(str(value), str(value)))
        return str(value)

    def _address_without(self, *names: str) -> str:
        parameters = self.data.copy() if isinstance(self.data, QueryDict) else QueryDict(mutable=True)
        for name in (*names, "page", "export", "saved"):
            parameters.pop(name, None)
        return f"?{parameters.urlencode()}" if parameters else self.plain_address


def _word_options(field: forms.Field) -> None:
    """Options begin with a capital letter. A yes-no filter reads "All" instead of "unknown".

    The first option of other filters: settings.FILTERS_EMPTY_CHOICE_LABEL. Names of rows stay as they are.
    """
    if isinstance(field, forms.NullBooleanField):
        field.widget.choices = [("", _("All")), ("true", _("Yes")), ("false", _("No"))]
    elif isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        field.widget.choices = [(code, _begun(word)) for code, word in field.widget.choices]


def _begun(word: Any) -> Any:
    """A word with a capital letter, or a group of options with each of its words."""
    return [(code, capfirst(each)) for code, each in word] if isinstance(word, (list, tuple)) else capfirst(word)


def _flat(choices: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    for code, word in choices:
        if isinstance(word, (list, tuple)):
            yield from word
        else:
            yield code, word
