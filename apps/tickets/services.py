"""What happens to a ticket. Each function takes `by`, locks the ticket, writes its status row and its mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.history import save_by
from apps.core.mail import queue_mail
from apps.core.querysets import ensure_still_visible
from apps.core.text import search_text
from apps.inventory.models import Device
from apps.schools.models import School
from apps.tickets.choices import TicketState
from apps.tickets.models import Ticket, TicketMessage, TicketStatusChange
from apps.tickets.workflow import TRANSITIONS


def _ensure_permitted(by: User, permission: str) -> None:
    if not by.has_perm(permission):
        raise DomainError(_("Your role does not allow this."), code="forbidden")


def report_ticket(
    *, by: User, school: School, title: str, text: str, device: Device | None = None, room: str = ""
) -> Ticket:
    """Opens a ticket in state `new`. The device must stand at the school; its room is taken when none is given."""
    _ensure_permitted(by, "tickets.report_ticket")
    if device is not None and device.school_id != school.pk:
        raise DomainError(_("This device does not stand at the chosen school."), field="device")
    with transaction.atomic():
        ticket = Ticket(
            school=school,
            device=device,
            room=room.strip() or (device.room if device else ""),
            title=title.strip(),
            text=text.strip(),
            reporter=by,
        )
        ticket.search_text = _search_text_of(ticket)
        save_by(ticket, by=by)
        if not School.objects.visible_to(by).filter(pk=school.pk).exists():
            raise DomainError(_("Please choose one of your schools."), field="school")
        ensure_still_visible(ticket, by)
        TicketStatusChange.objects.create(ticket=ticket, from_state="", to_state=TicketState.NEW, by=by)
    return ticket


def _search_text_of(ticket: Ticket) -> str:
    """What the ticket is found by; a school by its short name."""
    return search_text(ticket.title, ticket.text, ticket.room, ticket.device, ticket.school.short_name)


def refresh_tickets_of(school_ids: Sequence[int]) -> None:
    """Rewrites what the tickets of renamed schools are found by; nobody changed the tickets themselves."""
    rows = list(Ticket.objects.filter(school__in=school_ids).select_related("school", "device__product").order_by("pk"))
    for row in rows:
        row.search_text = _search_text_of(row)
    Ticket.objects.bulk_update(rows, ["search_text"], batch_size=500)


def _locked(ticket: Ticket) -> Ticket:
    row: Ticket = Ticket.objects.select_for_update(of=("self",)).select_related("reporter", "school").get(pk=ticket.pk)
    return row


def _change_state(*, ticket: Ticket, name: str, target: TicketState, by: User, reason: str = "") -> Ticket:
    _ensure_permitted(by, TRANSITIONS.transitions[name].permission)
    locked = _locked(ticket)
    TRANSITIONS.ensure(name, source=locked.state, target=target)
    source, locked.state = locked.state, target
    save_by(locked, by=by, update_fields=["state", "responsible", "changed_at"], reason=reason)
    TicketStatusChange.objects.create(ticket=locked, from_state=source, to_state=target, by=by, reason=reason)
    ticket.state = target
    return locked


def _subject(subject: Any, ticket: Ticket) -> str:
    with translation.override("de"):
        return str(subject) % {"title": ticket.title}


def _tell_reporter(ticket: Ticket, *, by: User, subject: Any, text: str) -> None:
    if ticket.reporter_id != by.pk and ticket.reporter.is_active:
        queue_mail(
            to=ticket.reporter.email,
            subject=_subject(subject, ticket),
            template="ticket_news",
            context={"ticket": ticket, "text": text, "by": by},
        )


@transaction.atomic
def accept(*, ticket: Ticket, by: User) -> None:
    """The person takes care of the ticket from now on."""
    locked = _change_state(ticket=ticket, name="accept", target=TicketState.ACCEPTED, by=by)
    locked.responsible = by
    save_by(locked, by=by, update_fields=["responsible"])
    _tell_reporter(locked, by=by, subject=_("Accepted: %(title)s"), text="")


@transaction.atomic
def ask_reporter(*, ticket: Ticket, by: User, text: str) -> None:
    """Puts a question to the reporter, by mail too, and waits for the answer."""
    locked = _change_state(ticket=ticket, name="ask_reporter", target=TicketState.WAITING_FOR_REPORTER, by=by)
    _write(locked, by=by, text=text, internal=False)
    _tell_reporter(locked, by=by, subject=_("Question about: %(title)s"), text=text)


@transaction.atomic
def wait_for_supplier(*, ticket: Ticket, by: User, text: str = "") -> None:
    """The next step is the supplier's; the reporter can read so."""
    locked = _change_state(ticket=ticket, name="wait_for_supplier", target=TicketState.WAITING_FOR_SUPPLIER, by=by)
    if text.strip():
        _write(locked, by=by, text=text, internal=False)


@transaction.atomic
def resume(*, ticket: Ticket, by: User, text: str = "") -> None:
    """The work goes on."""
    locked = _change_state(ticket=ticket, name="resume", target=TicketState.ACCEPTED, by=by)
    if text.strip():
        _write(locked, by=by, text=text, internal=False)


@transaction.atomic
def solve(*, ticket: Ticket, by: User, text: str) -> None:
    """Solved, with an answer that says how; the reporter gets it by mail."""
    locked = _change_state(ticket=ticket, name="solve", target=TicketState.SOLVED, by=by)
    _write(locked, by=by, text=text, internal=False)
    _tell_reporter(locked, by=by, subject=_("Solved: %(title)s"), text=text)


@transaction.atomic
def reopen(*, ticket: Ticket, by: User, text: str) -> None:
    """It does not work after all; the same person goes on."""
    locked = _change_state(ticket=ticket, name="reopen", target=TicketState.ACCEPTED, by=by, reason=text)
    _write(locked, by=by, text=text, internal=False)


@transaction.atomic
def close(*, ticket: Ticket, by: User) -> None:
    """The reporter (or the office) agrees that it is solved."""
    _change_state(ticket=ticket, name="close", target=TicketState.CLOSED, by=by)


@transaction.atomic
def withdraw(*, ticket: Ticket, by: User, text: str) -> None:
    """The ticket is no longer needed, with the reason."""
    _change_state(ticket=ticket, name="withdraw", target=TicketState.CLOSED, by=by, reason=text)


def _write(ticket: Ticket, *, by: User, text: str, internal: bool) -> TicketMessage:
    if not text.strip():
        raise DomainError(_("Please write a text."), field="text")
    return TicketMessage.objects.create(ticket=ticket, by=by, text=text.strip(), internal=internal)


@transaction.atomic
def answer(*, ticket: Ticket, by: User, text: str) -> TicketMessage:
    """A message that both sides read. The reporter's answer to a question sets the ticket going again."""
    _ensure_permitted(by, "tickets.report_ticket")
    locked = _locked(ticket)
    if locked.state == TicketState.CLOSED:
        raise DomainError(_("This ticket is closed. Please report a new one."), code="illegal_transition")
    message = _write(locked, by=by, text=text, internal=False)
    works_on_it = by.has_perm("tickets.work_ticket")
    if locked.state == TicketState.WAITING_FOR_REPORTER and not works_on_it:
        locked = _change_state(ticket=ticket, name="answer_question", target=TicketState.ACCEPTED, by=by, reason=text)
    if works_on_it:
        _tell_reporter(locked, by=by, subject=_("Answer about: %(title)s"), text=text)
    return message


@transaction.atomic
def note_internally(*, ticket: Ticket, by: User, text: str) -> TicketMessage:
    """A note that the school never sees."""
    _ensure_permitted(by, "tickets.see_internal_notes")
    _ensure_permitted(by, "tickets.work_ticket")
    return _write(ticket, by=by, text=text, internal=True)


@transaction.atomic
def hand_over(*, ticket: Ticket, to: User, by: User) -> None:
    """Another person takes care of the ticket."""
    _ensure_permitted(by, "tickets.work_ticket")
    if not to.has_perm("tickets.work_ticket"):
        raise DomainError(_("This person does not work on tickets."), field="responsible")
    locked = _locked(ticket)
    locked.responsible = to
    save_by(locked, by=by, update_fields=["responsible", "changed_at"])
