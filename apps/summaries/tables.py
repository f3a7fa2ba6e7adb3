"""The rows behind a budget's sums."""

from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.money import total
from apps.core.tables import DateTimeColumn, LinkColumn, MoneyColumn, PortalTable, TextColumn
from apps.funding.models import LedgerEntry


def _application_address(record: LedgerEntry) -> str | None:
    """None for an entry without an application, such as a payment of the whole budget."""
    return None if record.line is None else reverse("funding:detail", args=[record.line.application_id])


class LedgerTable(PortalTable):
    """All entries of one budget with what each adds to committed and spent; their sum is the budget's.

    The application of an entry is its link.
    """

    application = LinkColumn(
        accessor="line__application__title",
        linkify=_application_address,
        verbose_name=_("Application"),
        empty_values=(),
    )
    school = TextColumn(accessor="school__short_name", verbose_name=_("School"))
    at = DateTimeColumn(verbose_name=_("When"))
    kind = TextColumn(accessor="get_kind_display", verbose_name=_("What"))
    amount = MoneyColumn(verbose_name=_("Amount"))
    committed = MoneyColumn(accessor="effect__0", verbose_name=_("Committed"))
    spent = MoneyColumn(accessor="effect__1", verbose_name=_("Spent"))

    class Meta(PortalTable.Meta):
        model = LedgerEntry
        fields = ("application", "school", "at", "kind", "amount", "committed", "spent", "by", "note")
        sortable = ()
        cards = ("kind", "committed", "spent")

    def render_application(self, value: Any) -> str:
        return str(value) if value else str(_("without application"))

    def sums(self) -> dict[str, Decimal]:
        entries = list(self.data.data)
        return {
            "committed": total(entry.effect[0] for entry in entries),
            "spent": total(entry.effect[1] for entry in entries),
        }
