"""The list of loans. Only indexed columns sort."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.tables import DateColumn, LinkColumn, MoneyColumn, PortalTable, StateColumn, TextColumn
from apps.core.templatetags.portal import badge
from apps.inventory.loan_choices import LoanState
from apps.inventory.models import Loan


class LoanTable(PortalTable):
    number = LinkColumn(verbose_name=_("Loan number"), attrs={"td": {"class": "portal-nowrap"}})
    device = TextColumn(verbose_name=_("Inventory number"))
    product = TextColumn(accessor="device__product", verbose_name=_("Product"))
    school = TextColumn(verbose_name=_("School"))
    group = TextColumn(verbose_name=_("Class"))
    borrower = TextColumn(verbose_name=_("Borrower"))
    since = DateColumn(verbose_name=_("Handed out on"))
    due_on = DateColumn(verbose_name=_("Due on"), order_by=("due_on", "number"))
    state = StateColumn(choices=LoanState, verbose_name=_("State"))

    class Meta(PortalTable.Meta):
        model = Loan
        fields = ("number", "device", "product", "school", "group", "borrower", "since", "due_on", "state")
        sequence = fields
        sortable = ("number", "due_on")
        cards = ("product", "group", "state")

    def render_state(self, record: Loan) -> Any:
        if record.is_overdue:
            return badge(str(_("overdue")), "danger")
        member = LoanState(record.state)
        return badge(str(member.label), str(member.tone))

    def value_state(self, record: Loan) -> str:
        return str(_("overdue")) if record.is_overdue else str(LoanState(record.state).label)


class NamedLoanTable(LoanTable):
    """Where the city stores names, for those who read them."""

    borrower_name = TextColumn(verbose_name=_("Name"))

    class Meta(LoanTable.Meta):
        fields = ("number", "borrower_name", *LoanTable.Meta.fields[1:])
        sequence = fields


class _ExportColumns(PortalTable):
    serial = TextColumn(accessor="device__serial", verbose_name=_("Serial number"))
    ended_on = DateColumn(verbose_name=_("Returned on"))
    condition_out = TextColumn(verbose_name=_("Condition at hand-out"))
    condition_back = TextColumn(verbose_name=_("Condition at return"))
    damage_back = TextColumn(verbose_name=_("Damage at return"))
    accessories = TextColumn(verbose_name=_("Accessories"))
    value = MoneyColumn(verbose_name=_("Value"))


_MORE = ("serial", "ended_on", "condition_out", "condition_back", "damage_back", "accessories", "value")


class LoanExportTable(_ExportColumns, LoanTable):
    class Meta(LoanTable.Meta):
        fields = (*LoanTable.Meta.fields, *_MORE)
        sequence = fields


class NamedLoanExportTable(_ExportColumns, NamedLoanTable):
    class Meta(NamedLoanTable.Meta):
        fields = (*NamedLoanTable.Meta.fields, *_MORE)
        sequence = fields
