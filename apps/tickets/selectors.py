"""Reads about tickets."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.tickets.choices import OPEN_STATES, TicketState
from apps.tickets.models import Ticket, TicketMessage
from apps.tickets.workflow import TRANSITIONS


def open_tickets(user: User) -> QuerySet[Any]:
    """What is not solved yet, within the person's scope, longest waiting first."""
    return (
        Ticket.objects.visible_to(user)
        .filter(state__in=OPEN_STATES)
        .select_related("school", "responsible")
        .order_by("created_at", "pk")
    )


def waiting_for_support(user: User) -> QuerySet[Any]:
    """New tickets, and those that this person takes care of and can go on with."""
    rows = open_tickets(user)
    mine = rows.filter(responsible=user, state=TicketState.ACCEPTED)
    return (rows.filter(state=TicketState.NEW) | mine).distinct()


def waiting_for_reporter(user: User) -> QuerySet[Any]:
    """The person's own tickets that wait for their answer, or for them to say that it works again."""
    return (
        Ticket.objects.visible_to(user)
        .filter(reporter=user, state__in=[TicketState.WAITING_FOR_REPORTER, TicketState.SOLVED])
        .select_related("school")
        .order_by("changed_at")
    )


def conversation(ticket: Ticket, user: User) -> QuerySet[Any]:
    """Messages of a ticket that this person may read."""
    return TicketMessage.objects.visible_to(user).filter(ticket=ticket).select_related("by")


def actions_for(ticket: Ticket, user: User) -> list[str]:
    """Names of the transitions offered to this person now; only the school withdraws a ticket."""
    hidden = {"answer_question"}
    if user.has_perm("tickets.work_ticket") and ticket.reporter_id != user.pk:
        hidden.add("withdraw")
    return [
        name
        for name in TRANSITIONS.actions_from(ticket.state)
        if name not in hidden and user.has_perm(TRANSITIONS.transitions[name].permission)
    ]
