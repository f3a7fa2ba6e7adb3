"""Tickets in the admin are read; they are worked on in the portal."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin, ReadOnlyInline
from apps.tickets.models import Ticket, TicketMessage, TicketStatusChange


class MessageInline(ReadOnlyInline):
    model = TicketMessage
    fields = ("at", "by", "internal", "text")


class StatusChangeInline(ReadOnlyInline):
    model = TicketStatusChange
    fields = ("at", "by", "from_state", "to_state", "reason")


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    list_display = ("title", "state", "school", "created_at", "responsible")
    list_select_related = ("school", "responsible")
    list_filter = ("state",)
    search_fields = ("search_text",)
    inlines = (MessageInline, StatusChangeInline)
