"""Rules with a date: a new value is a new row, so that the past keeps its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.admin import ScopedAdmin
from apps.funding.admin.columns import euros
from apps.funding.admin.filters import RuleKindFilter
from apps.funding.models import AwardThreshold, DatedRule


@admin.register(DatedRule)
class DatedRuleAdmin(ScopedAdmin):
    list_display = ("kind", "valid_from", "shown_value", "source")
    list_filter = (RuleKindFilter,)
    sortable_by = ("valid_from",)
    search_fields = ("source",)

    @admin.display(description=_("value"))
    def shown_value(self, row: DatedRule) -> str:
        return str(_("does not apply")) if row.value is None else formats.number(row.value, 2)


@admin.register(AwardThreshold)
class AwardThresholdAdmin(ScopedAdmin):
    list_display = ("procedure", "valid_from", "shown_limit", "source")
    sortable_by = ("valid_from",)
    search_fields = ("procedure", "source")

    @admin.display(description=_("up to (net)"))
    def shown_limit(self, row: Any) -> str:
        return str(_("without a limit")) if row.up_to is None else euros(row.up_to)
