"""Filters of the lists of orders and invoices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.choices import StateChoices
from apps.funding.admin.filters import ALL
from apps.funding.choices import InvoiceState, OrderState
from apps.funding.models import Supplier


class OpenStateFilter(admin.SimpleListFilter):
    """What still has to be done by default; each state, and all of them, on request."""

    title = _("state")
    parameter_name = "state"
    states: type[StateChoices]
    open_states: frozenset[str]
    open_words: Any

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*((state.value, state.label) for state in self.states), (ALL, _("all states"))]

    def choices(self, changelist: Any) -> Any:
        """The default stands first and is named as what it is, not as "All"."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice | {"display": self.open_words} if number == 0 else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == ALL:
            return queryset
        return queryset.filter(state__in=[self.value()] if self.value() else self.open_states)


class OrderStateFilter(OpenStateFilter):
    states = OrderState
    open_states = frozenset(OrderState) - {OrderState.CLOSED, OrderState.CANCELLED}
    open_words = _("not closed yet")


class InvoiceStateFilter(OpenStateFilter):
    states = InvoiceState
    open_states = frozenset({InvoiceState.RECORDED})
    open_words = _("to pay")


class SupplierFilter(admin.SimpleListFilter):
    title = _("supplier")
    parameter_name = "supplier"
    path = "supplier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(row.pk), row.name) for row in Supplier.objects.visible_to(request.user)[:100]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() and str(self.value()).isdecimal():
            return queryset.filter(**{self.path: self.value()})
        return queryset


class SupplierOfOrderFilter(SupplierFilter):
    path = "order__supplier"
