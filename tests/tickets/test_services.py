"""Tickets: the table of states, who may do what, and what the reporter hears."""

import pytest
from post_office.models import Email

from apps.core.errors import DomainError
from apps.schools.services import save_school
from apps.tickets import services
from apps.tickets.choices import TicketState
from apps.tickets.models import Ticket, TicketMessage, TicketStatusChange
from apps.tickets.selectors import conversation, waiting_for_reporter, waiting_for_support
from apps.tickets.workflow import TRANSITIONS
from tests.factories import (
    CoordinatorFactory,
    DeviceFactory,
    HeadFactory,
    SchoolFactory,
    SchoolStaffFactory,
    SupportFactory,
)

pytestmark = pytest.mark.django_db

VERBS = {
    "accept": {},
    "ask_reporter": {"text": "Welche Meldung?"},
    "wait_for_supplier": {"text": "Ersatzteil bestellt"},
    "resume": {},
    "solve": {"text": "Kabel getauscht"},
    "reopen": {"text": "Es flackert wieder"},
    "close": {},
    "withdraw": {"text": "Hat sich erledigt"},
}
LEGAL = {
    ("accept", "new"): "accepted",
    ("ask_reporter", "new"): "waiting_for_reporter",
    ("ask_reporter", "accepted"): "waiting_for_reporter",
    ("ask_reporter", "waiting_for_supplier"): "waiting_for_reporter",
    ("wait_for_supplier", "accepted"): "waiting_for_supplier",
    ("wait_for_supplier", "waiting_for_reporter"): "waiting_for_supplier",
    ("resume", "waiting_for_reporter"): "accepted",
    ("resume", "waiting_for_supplier"): "accepted",
    ("solve", "new"): "solved",
    ("solve", "accepted"): "solved",
    ("solve", "waiting_for_reporter"): "solved",
    ("solve", "waiting_for_supplier"): "solved",
    ("reopen", "solved"): "accepted",
    ("close", "solved"): "closed",
    ("withdraw", "new"): "closed",
    ("withdraw", "accepted"): "closed",
    ("withdraw", "waiting_for_reporter"): "closed",
    ("withdraw", "waiting_for_supplier"): "closed",
}


@pytest.fixture
def school():
    return SchoolFactory()


@pytest.fixture
def reporter(school):
    return SchoolStaffFactory(schools=[school], email="meldung@schule.example")


@pytest.fixture
def support():
    return SupportFactory()


@pytest.fixture
def ticket(reporter, school):
    return services.report_ticket(by=reporter, school=school, title="Kein Bild", text="Beamer bleibt dunkel")


@pytest.mark.parametrize("state", TicketState.values)
@pytest.mark.parametrize("verb", VERBS)
def test_every_pair_of_verb_and_state(ticket, support, verb, state):
    Ticket.objects.filter(pk=ticket.pk).update(state=state)
    ticket.refresh_from_db()
    call = getattr(services, verb)
    if (verb, state) in LEGAL:
        call(ticket=ticket, by=support, **VERBS[verb])
        ticket.refresh_from_db()
        assert ticket.state == LEGAL[verb, state]
        change = TicketStatusChange.objects.latest("pk")
        assert (change.from_state, change.to_state, change.by) == (state, LEGAL[verb, state], support)
    else:
        with pytest.raises(DomainError, match=str(TicketState(state).label)):
            call(ticket=ticket, by=support, **VERBS[verb])
        ticket.refresh_from_db()
        assert ticket.state == state
        assert TicketStatusChange.objects.count() == 1


def test_the_table_holds_each_verb_and_the_answer_to_a_question():
    assert set(TRANSITIONS.transitions) == {*VERBS, "answer_question"}


@pytest.mark.parametrize("verb", ["accept", "ask_reporter", "wait_for_supplier", "resume", "solve"])
def test_the_school_does_not_work_on_its_own_ticket(ticket, reporter, verb):
    with pytest.raises(DomainError) as refused:
        getattr(services, verb)(ticket=ticket, by=reporter, **VERBS[verb])
    assert refused.value.code == "forbidden"


def test_whoever_accepts_is_responsible(ticket, support):
    services.accept(ticket=ticket, by=support)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.responsible) == ("accepted", support)


def test_the_reporter_is_asked_by_mail_and_the_answer_sets_it_going_again(ticket, support, reporter):
    services.ask_reporter(ticket=ticket, by=support, text="Welcher Raum?")
    mail = Email.objects.get()
    assert mail.to == ["meldung@schule.example"]
    assert mail.subject == "Rückfrage zu: Kein Bild"
    assert "Welcher Raum?" in mail.message
    assert list(waiting_for_reporter(reporter)) == [ticket]
    services.answer(ticket=ticket, by=reporter, text="Raum 101")
    ticket.refresh_from_db()
    assert ticket.state == "accepted"
    assert [message.text for message in conversation(ticket, reporter)] == ["Welcher Raum?", "Raum 101"]


def test_the_school_never_reads_internal_notes(ticket, support, reporter, school):
    services.note_internally(ticket=ticket, by=support, text="Leihgerät mitnehmen")
    services.answer(ticket=ticket, by=support, text="Wir kommen am Montag")
    coordinator = CoordinatorFactory(schools=[school])
    for person in (reporter, coordinator):
        assert [message.text for message in conversation(ticket, person)] == ["Wir kommen am Montag"]
    assert [message.internal for message in conversation(ticket, support)] == [True, False]
    assert not Email.objects.filter(message__contains="Leihgerät").exists()
    with pytest.raises(DomainError) as refused:
        services.note_internally(ticket=ticket, by=reporter, text="heimlich")
    assert refused.value.code == "forbidden"


def test_colleagues_see_their_own_tickets_only(ticket, school):
    other = SchoolStaffFactory(schools=[school])
    coordinator = CoordinatorFactory(schools=[school])
    stranger = CoordinatorFactory(schools=[SchoolFactory()])
    seen = [list(Ticket.objects.visible_to(person)) for person in (other, coordinator, stranger, HeadFactory())]
    assert seen == [[], [ticket], [], [ticket]]


def test_a_ticket_belongs_to_a_school_of_the_reporter(reporter):
    with pytest.raises(DomainError) as refused:
        services.report_ticket(by=reporter, school=SchoolFactory(), title="Kein Bild", text="dunkel")
    assert refused.value.field == "school"
    assert Ticket.objects.count() == 0


def test_the_device_stands_at_the_school_and_lends_its_room(reporter, school):
    device = DeviceFactory(school=school, room="204")
    elsewhere = DeviceFactory(school=SchoolFactory())
    ticket = services.report_ticket(by=reporter, school=school, title="Defekt", text="geht nicht", device=device)
    assert (ticket.device, ticket.room) == (device, "204")
    with pytest.raises(DomainError) as refused:
        services.report_ticket(by=reporter, school=school, title="Defekt", text="geht nicht", device=elsewhere)
    assert refused.value.field == "device"


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_text_is_refused(ticket, support, text):
    for call in (services.answer, services.note_internally, services.solve, services.ask_reporter):
        with pytest.raises(DomainError) as refused:
            call(ticket=ticket, by=support, text=text)
        assert refused.value.field == "text"
    assert TicketMessage.objects.count() == 0
    ticket.refresh_from_db()
    assert ticket.state == "new"


def test_a_closed_ticket_takes_no_answer(ticket, reporter):
    services.withdraw(ticket=ticket, by=reporter, text="erledigt")
    with pytest.raises(DomainError, match="abgeschlossen"):
        services.answer(ticket=ticket, by=reporter, text="doch nicht")


def test_handing_over_to_somebody_who_works_on_tickets(ticket, support, reporter):
    colleague = SupportFactory()
    services.accept(ticket=ticket, by=support)
    services.hand_over(ticket=ticket, to=colleague, by=support)
    ticket.refresh_from_db()
    assert ticket.responsible == colleague
    assert list(waiting_for_support(colleague)) == [ticket]
    assert list(waiting_for_support(support)) == []
    with pytest.raises(DomainError) as refused:
        services.hand_over(ticket=ticket, to=reporter, by=support)
    assert refused.value.field == "responsible"


def test_a_ticket_is_found_by_the_new_name_of_its_school(ticket, school, django_capture_on_commit_callbacks):
    other = services.report_ticket(
        by=SchoolStaffFactory(schools=[(elsewhere := SchoolFactory())]),
        school=elsewhere,
        title="Kein Ton",
        text="stumm",
    )
    changed_at = Ticket.objects.get(pk=ticket.pk).changed_at
    former, school.short_name = school.short_name, "Östliche Auenschule"
    with django_capture_on_commit_callbacks(execute=True):
        save_school(school=school, by=None)
    assert list(Ticket.objects.search("ostliche auenschule")) == [ticket]
    assert list(Ticket.objects.search(former)) == []
    assert list(Ticket.objects.search(elsewhere.short_name)) == [other]
    row = Ticket.objects.get(pk=ticket.pk)
    assert (row.changed_at, row.history.count()) == (changed_at, 1)
