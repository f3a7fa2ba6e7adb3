"""The demonstration's tickets: spread over years, each with a course in order, read like real life."""

import datetime
import itertools
from collections import Counter

import pytest
from django.utils import timezone
from post_office.models import Email

from apps.accounts.models import User
from apps.core import clock
from apps.tickets.choices import OPEN_STATES, TicketState
from apps.tickets.models import Ticket
from apps.tickets.selectors import waiting_for_reporter

pytestmark = pytest.mark.django_db


def test_most_are_closed_and_a_few_of_the_last_weeks_are_open():
    states = Counter(Ticket.objects.values_list("state", flat=True))
    assert states == {
        "new": 2,
        "accepted": 2,
        "waiting_for_reporter": 1,
        "waiting_for_supplier": 1,
        "solved": 1,
        "closed": 55,
    }
    days = {ticket.pk: (clock.now() - ticket.created_at).days for ticket in Ticket.objects.all()}
    unsolved = Ticket.objects.filter(state__in=OPEN_STATES).values_list("pk", flat=True)
    assert all(days[pk] < 30 for pk in unsolved)
    assert max(days.values()) > 900
    assert len({ticket.created_at.date() for ticket in Ticket.objects.all()}) > 45
    assert Ticket.objects.values("school").distinct().count() > 30


def test_each_course_is_in_order_on_working_days_and_in_the_past():
    names = ("status_changes", "messages")
    for ticket in Ticket.objects.prefetch_related(*names):
        changes = [(change.pk, change.at) for change in ticket.status_changes.all()]
        messages = [(message.pk, message.at) for message in ticket.messages.all()]
        records = [(record.history_id, record.history_date) for record in ticket.history.all()]
        for rows in (changes, messages, records):
            assert [at for _pk, at in sorted(rows)] == sorted(at for _pk, at in rows)
        moments = sorted({at for _pk, at in [*changes, *messages, *records]})
        assert (moments[0], moments[-1]) == (ticket.created_at, ticket.changed_at)
        assert ticket.changed_at < clock.now()
        days = [timezone.localtime(moment) for moment in moments]
        assert all(day.weekday() < 5 and datetime.time(7) < day.time() < datetime.time(16) for day in days)
        assert {(record.created_at, record.changed_at) for record in ticket.history.all()} == {
            (ticket.created_at, record.history_date) for record in ticket.history.all()
        }


def test_each_status_change_goes_on_from_the_one_before():
    for ticket in Ticket.objects.prefetch_related("status_changes"):
        changes = list(ticket.status_changes.all())
        assert (changes[0].from_state, changes[0].to_state) == ("", TicketState.NEW)
        assert all(one.to_state == two.from_state for one, two in itertools.pairwise(changes))
        assert changes[-1].to_state == ticket.state


def test_a_device_stood_at_the_school_when_it_was_reported():
    with_device = Ticket.objects.filter(device__isnull=False)
    assert with_device.count() > 25
    for ticket in with_device:
        placement = ticket.device.placements.get(until=None)
        assert (placement.school_id, ticket.room) == (ticket.school_id, ticket.device.room)
        assert placement.since <= timezone.localtime(ticket.created_at).date()


def test_nobody_gets_mail_about_tickets_of_the_past():
    assert not Email.objects.filter(subject__contains="Kein Bild").exists()
    titles = set(Ticket.objects.values_list("title", flat=True))
    assert not [mail for mail in Email.objects.all() if any(mail.subject.endswith(title) for title in titles)]


def test_a_colleague_has_reported_one_and_two_coordinators_are_waited_for():
    (own,) = Ticket.objects.visible_to(User.objects.get(email="kollegium@schulen.example"))
    assert (own.title, own.state) == ("Ton fehlt am Display", TicketState.ACCEPTED)
    waiting = [list(waiting_for_reporter(user)) for user in User.objects.filter(role="coordinator")]
    assert sorted(ticket.title for rows in waiting for ticket in rows) == ["Anmeldung geht nicht", "Tastatur klemmt"]
