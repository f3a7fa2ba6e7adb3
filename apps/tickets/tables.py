"""The list of tickets."""

from django.utils.translation import gettext_lazy as _
from django_tables2 import A

from apps.core.tables import DateColumn, LinkColumn, PortalTable, StateColumn
from apps.tickets.choices import TicketState
from apps.tickets.models import Ticket


class TicketTable(PortalTable):
    title = LinkColumn(linkify=("tickets:detail", {"pk": A("pk")}), verbose_name=_("Ticket"))
    state = StateColumn(choices=TicketState, verbose_name=_("State"))
    created_at = DateColumn(verbose_name=_("Reported on"))

    class Meta(PortalTable.Meta):
        model = Ticket
        fields = ("title", "state", "school", "room", "created_at", "responsible")
        sortable = ("title", "state", "created_at")
        cards = ("state", "school", "created_at")
