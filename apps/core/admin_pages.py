"""How the admin's pages read: lists named as what they are and looking alike, amounts with their unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from apps.core import formats
from apps.core.form_fields import GermanDateField, day_input
from apps.core.money import CentsField
from apps.core.tables import COUNT_LIMIT, capped_count


class CappedPaginator(Paginator):
    """Counts no further than one past COUNT_LIMIT; pages beyond it are reached by filters and search."""

    limit = COUNT_LIMIT

    @cached_property
    def count(self) -> int:
        return capped_count(self.object_list, self.limit)

    @property
    def is_capped(self) -> bool:
        return self.count > self.limit


class ListPage:
    """A change list: its name as heading, filters above, cards on phones, counted up to a bound."""

    paginator = CappedPaginator

    change_list_template = "admin/core/change_list.html"
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    show_full_result_count = False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)  # type: ignore[attr-defined]
        response: HttpResponse = super().changelist_view(request, {"title": title} | (extra_context or {}))  # type: ignore[misc]
        return response


class DaysMixin:
    """Days are asked for by the browser's own date input, as on the portal's pages."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        if isinstance(db_field, models.DateField) and not isinstance(db_field, models.DateTimeField):
            kwargs = {"form_class": GermanDateField, "widget": day_input()} | kwargs
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]


class AmountsMixin:
    """Amounts read "1.234,56 €" in lists, and on the pages of those who change nothing."""

    model: type[models.Model]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._worded(super().get_list_display(request))  # type: ignore[misc]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if obj is None or self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            return sets
        return [(title, options | {"fields": self._worded(options["fields"])}) for title, options in sets]

    def _worded(self, names: Iterable[Any]) -> list[Any]:
        amounts = {field.name: field for field in self.model._meta.fields if isinstance(field, CentsField)}
        return [shown_amount(amounts[name]) if name in amounts else name for name in names]


def shown_amount(field: CentsField) -> Callable[[models.Model], SafeString]:
    """What Django's admin takes in place of the name of a field of money."""

    @admin.display(description=field.verbose_name, ordering=field.name)
    def show(row: models.Model) -> SafeString:
        return format_html('<span class="desk-number">{}</span>', formats.euro(getattr(row, field.name)))

    show.__name__ = f"shown_{field.name}"
    return show


def shown_as_text(model: type[models.Model], name: str) -> Callable[[models.Model], str]:
    """For a field that names a row which its readers may not open: Django's admin links it whoever reads."""

    @admin.display(description=model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]  # a field of the model
    def show(row: models.Model) -> str:
        value = getattr(row, name)
        return formats.missing() if value is None else str(value)

    show.__name__ = f"{name}_as_text"
    return show
