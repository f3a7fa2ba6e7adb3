"""Tickets in the admin are read; they are worked on in the portal."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ReadOnlyAdmin, ReadOnlyInline
from apps.core.templatetags.portal import state_badge
from apps.tickets.choices import TicketState
from apps.tickets.models import Ticket, TicketMessage, TicketStatusChange


class MessageInline(ReadOnlyInline):
    model = TicketMessage
    fields = ("at", "by", "internal", "text")


class StatusChangeInline(ReadOnlyInline):
    model = TicketStatusChange
    fields = ("at", "by", "from_state", "to_state", "reason")


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    list_display = ("title", "state_shown", "school", "created_at", "responsible")
    list_select_related = ("school", "responsible")
    list_filter = ("state",)
    search_fields = ("search_text",)
    inlines = (MessageInline, StatusChangeInline)

    @admin.display(description=_("state"), ordering="state")
    def state_shown(self, row: Ticket) -> SafeString:
        return state_badge(row.state, TicketState)
