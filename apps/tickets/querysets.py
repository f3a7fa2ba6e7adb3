from __future__ import annotations

from typing import Any

from apps.core.querysets import ScopedQuerySet
from apps.core.text import sort_key
from apps.schools.querysets import SchoolScopedQuerySet


class TicketQuerySet(SchoolScopedQuerySet[Any]):
    def _visible_to(self, user: Any) -> Any:
        """All tickets of the person's schools for those who work on them; otherwise one's own."""
        if user.has_perm("tickets.view_ticket"):
            return super()._visible_to(user)
        if user.has_perm("tickets.report_ticket"):
            return self.filter(reporter=user)
        return self.none()

    def search(self, text: str) -> TicketQuerySet:
        rows = self
        for word in sort_key(text).split():
            rows = rows.filter(search_text__contains=word)
        return rows


class TicketPartQuerySet(ScopedQuerySet[Any]):
    """Changes of a ticket: visible with it."""

    def _visible_to(self, user: Any) -> Any:
        from apps.tickets.models import Ticket

        return self.filter(ticket__in=Ticket.objects.visible_to(user))


class TicketMessageQuerySet(TicketPartQuerySet):
    def _visible_to(self, user: Any) -> Any:
        """Internal notes only for those who work on tickets."""
        rows = super()._visible_to(user)
        return rows if user.has_perm("tickets.see_internal_notes") else rows.filter(internal=False)
