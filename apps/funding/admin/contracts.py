"""Framework contracts: their volume, what is called off, and what is left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.admin import ScopedAdmin
from apps.core.formats import euro
from apps.core.money import ZERO
from apps.funding.admin.columns import euros
from apps.funding.admin.purchase_filters import SupplierFilter
from apps.funding.contract_selectors import called_from
from apps.funding.models import FrameworkContract


class ContractForm(forms.ModelForm):
    def clean_volume(self) -> Decimal | None:
        """Not below what is called off already; the contract is locked, so that no order comes in between."""
        volume: Decimal | None = self.cleaned_data["volume"]
        if volume is None or volume <= ZERO or self.instance.pk is None:
            return volume
        FrameworkContract.objects.select_for_update(no_key=True).get(pk=self.instance.pk)
        called = called_from([self.instance.pk])[self.instance.pk]
        if volume < called:
            raise forms.ValidationError(
                _("%(called)s are called off already. Please enter at least this amount, or none."),
                code="below_called",
                params={"called": euro(called)},
            )
        return volume


@admin.register(FrameworkContract)
class FrameworkContractAdmin(ScopedAdmin):
    form = ContractForm
    list_display = (
        "reference",
        "title",
        "supplier",
        "valid_from",
        "valid_until",
        "shown_volume",
        "shown_called",
        "shown_left",
    )
    list_filter = (SupplierFilter,)
    list_select_related = ("supplier",)
    sortable_by = ("reference", "valid_from")
    search_fields = ("reference", "title")
    fields = ("supplier", "reference", "title", "valid_from", "valid_until", "volume")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new contract has given nothing yet."""
        return self.fields if obj is None else (*self.fields, "shown_called", "shown_left")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("shown_called", "shown_left")

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        row: Any = super().get_object(request, *args, **kwargs)
        if row is not None:
            row.called = called_from([row.pk])[row.pk]
        return row

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With what is called off, read for the whole page at once."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)
        called = called_from(row.pk for row in page.result_list)
        for row in page.result_list:
            row.called = called[row.pk]
        return page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("supplier")

    @admin.display(description=_("volume"), ordering="volume")
    def shown_volume(self, row: FrameworkContract) -> str:
        return formats.missing() if row.volume is None else euros(row.volume)

    @admin.display(description=_("called so far"))
    def shown_called(self, row: Any) -> str:
        return euros(row.called)

    @admin.display(description=_("left to call off"))
    def shown_left(self, row: Any) -> str:
        return formats.missing() if row.volume is None else euros(row.volume - row.called)
