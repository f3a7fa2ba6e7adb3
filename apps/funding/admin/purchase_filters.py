"""Filters of the lists of orders and invoices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.text import as_key
from apps.funding.admin.filters import OpenStateFilter
from apps.funding.choices import InvoiceState, OrderState
from apps.funding.models import Supplier


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
        if as_key(self.value()):
            return queryset.filter(**{self.path: self.value()})
        return queryset


class SupplierOfOrderFilter(SupplierFilter):
    path = "order__supplier"
