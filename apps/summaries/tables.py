"""The rows behind a budget's sums."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core.tables import DateTimeColumn, LinkColumn, MoneyColumn, PortalTable, TextColumn
from apps.funding.models import LedgerEntry


def _application_address(record: LedgerEntry) -> str | None:
    """None for an entry without an application, such as a payment of the whole budget."""
    return None if record.line is None else reverse("funding:detail", args=[record.line.application_id])


class LedgerTable(PortalTable):
    """Entries of one budget; the application of an entry is its link."""

    application = LinkColumn(
        accessor="line__application__title",
        linkify=_application_address,
        verbose_name=_("Application"),
        empty_values=(),
    )
    school = TextColumn(accessor="line__application__school__short_name", verbose_name=_("School"))
    at = DateTimeColumn(verbose_name=_("When"))
    kind = TextColumn(accessor="get_kind_display", verbose_name=_("What"))
    amount = MoneyColumn(verbose_name=_("Amount"))

    class Meta(PortalTable.Meta):
        model = LedgerEntry
        fields = ("application", "school", "at", "kind", "amount", "by", "note")
        sortable = ()
        cards = ("kind", "amount", "at")

    def render_application(self, value: Any) -> str:
        return str(value) if value else str(_("without application"))
