"""The ticket pages as their users meet them."""

import pytest
from django.urls import reverse

from apps.inventory import services as devices
from apps.tickets import services
from apps.tickets.models import Ticket
from tests.factories import (
    CoordinatorFactory,
    DeviceFactory,
    SchoolFactory,
    SchoolStaffFactory,
    SupportFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def school():
    return SchoolFactory(short_name="Talschule")


@pytest.fixture
def coordinator(school):
    return CoordinatorFactory(schools=[school])


def report(by, school, **more):
    return services.report_ticket(by=by, school=school, **{"title": "Kein Bild", "text": "bleibt dunkel", **more})


def test_reporting_with_one_school_asks_for_no_school(client, coordinator, school):
    device = DeviceFactory(school=school, room="204")
    client.force_login(coordinator)
    page = client.get(reverse("tickets:create"), {"device": device.tag})
    assert page.context["form"].fields["school"].widget.input_type == "hidden"
    kept = page.context["form"]["school"].value()
    sent = {"school": kept, "title": "Kein Bild", "text": "bleibt dunkel", "device": device.tag.lower()}
    answer = client.post(reverse("tickets:create"), sent)
    ticket = Ticket.objects.get()
    assert answer.url == reverse("tickets:detail", args=[ticket.pk])
    assert (ticket.school, ticket.device, ticket.room, ticket.reporter) == (school, device, "204", coordinator)


def test_the_label_leads_a_colleague_to_a_ticket_about_the_device(client, school):
    device = DeviceFactory(school=school, room="204")
    elsewhere, gone = DeviceFactory(school=SchoolFactory()), DeviceFactory(school=school)
    devices.report_lost(device=gone, by=SupportFactory())
    client.force_login(SchoolStaffFactory(schools=[school, SchoolFactory()]))

    page = client.get(f"/d/{device.tag.lower()}", follow=True)
    assert page.resolver_match.view_name == "tickets:create"
    form = page.context["form"]
    assert [form[name].value() for name in ("school", "device", "room")] == [school.pk, device.tag, "204"]

    for tag in (elsewhere.tag, gone.tag, "HAM-999999"):
        answer = client.get(f"/d/{tag}")
        assert answer.status_code == 404
        assert f"Das Portal kennt an Ihren Schulen kein Gerät {tag}." in answer.content.decode()
        assert "geben Sie es bitte der IT-Koordination Ihrer Schule" in answer.content.decode()


def test_a_coordinator_reads_what_to_do_with_a_foreign_label(client, coordinator):
    elsewhere = DeviceFactory(school=SchoolFactory())
    client.force_login(coordinator)
    answer = client.get(f"/d/{elsewhere.tag}")
    assert answer.status_code == 404
    assert "fragen Sie bitte das Amt, an welche Schule es gehört" in answer.content.decode()


def test_a_device_of_another_school_is_not_betrayed(client, coordinator, school):
    elsewhere = DeviceFactory(school=SchoolFactory())
    client.force_login(coordinator)
    sent = {"school": school.pk, "title": "Kein Bild", "text": "bleibt dunkel"}
    answers = [client.post(reverse("tickets:create"), {**sent, "device": tag}) for tag in (elsewhere.tag, "HAM-999999")]
    errors = [answer.context["form"].errors["device"][0] for answer in answers]
    assert [error.replace(elsewhere.tag, "X").replace("HAM-999999", "X") for error in errors] == [
        "An dieser Schule gibt es kein Gerät „X“. Bitte prüfen Sie die Nummer oder lassen Sie das Feld leer."
    ] * 2
    assert 'value="Kein Bild"' in answers[0].text
    assert Ticket.objects.count() == 0


def test_another_school_cannot_be_sent(client, coordinator):
    client.force_login(coordinator)
    sent = {"school": SchoolFactory().pk, "title": "Kein Bild", "text": "bleibt dunkel"}
    assert client.post(reverse("tickets:create"), sent).context["form"].errors.keys() == {"school"}
    assert Ticket.objects.count() == 0


def test_an_action_without_its_text_shows_the_page_again(client, coordinator, school):
    ticket = report(coordinator, school)
    client.force_login(SupportFactory())
    answer = client.post(reverse("tickets:action", args=[ticket.pk, "solve"]), {"solve-text": " "})
    assert answer.status_code == 422
    assert "Was geholfen hat" in answer.text
    ticket.refresh_from_db()
    assert ticket.state == "new"


def test_who_comes_back_from_signing_in_reads_that_nothing_was_saved(client, coordinator, school):
    ticket = report(coordinator, school)
    client.force_login(SupportFactory())
    shown = client.get(reverse("tickets:action", args=[ticket.pk, "accept"]), follow=True)
    assert shown.redirect_chain == [(reverse("tickets:detail", args=[ticket.pk]), 302)]
    assert [str(message) for message in shown.context["messages"]] == [
        "Ihre Sitzung war abgelaufen. Es ist noch nichts gespeichert, bitte versuchen Sie es erneut."
    ]
    assert client.get(reverse("tickets:action", args=[ticket.pk, "no_such_verb"])).status_code == 404


def test_a_second_click_says_that_it_is_done_already(client, coordinator, school):
    ticket = report(coordinator, school)
    client.force_login(SupportFactory())
    address = reverse("tickets:action", args=[ticket.pk, "accept"])
    first, second = client.post(address, follow=True), client.post(address, follow=True)
    assert "Gespeichert." in first.text
    assert "Der Status ist jetzt „angenommen“" in second.text
    assert ticket.status_changes.count() == 2


@pytest.mark.parametrize(("action", "status"), [("accept", 403), ("note", 403), ("hand_over", 403), ("nonsense", 404)])
def test_the_school_cannot_send_what_support_does(client, coordinator, school, action, status):
    ticket = report(coordinator, school)
    client.force_login(coordinator)
    sent = {"note-text": "x", "hand_over-responsible": SupportFactory().pk}
    assert client.post(reverse("tickets:action", args=[ticket.pk, action]), sent).status_code == status
    ticket.refresh_from_db()
    assert (ticket.state, ticket.responsible, ticket.messages.count()) == ("new", None, 0)


def test_internal_notes_do_not_reach_the_school(client, coordinator, school):
    ticket = report(coordinator, school)
    services.note_internally(ticket=ticket, by=SupportFactory(), text="Leihgerät mitnehmen")
    client.force_login(coordinator)
    assert "Leihgerät" not in client.get(reverse("tickets:detail", args=[ticket.pk])).text
    client.force_login(SupportFactory())
    assert "Leihgerät" in client.get(reverse("tickets:detail", args=[ticket.pk])).text


def test_tickets_of_others_do_not_exist(client, coordinator, school):
    mine = report(coordinator, school, title="Meine Meldung")
    other_school = SchoolFactory()
    theirs = report(CoordinatorFactory(schools=[other_school]), other_school, title="Fremde Meldung")
    client.force_login(coordinator)
    listed = client.get(reverse("tickets:list")).text
    assert ("Meine Meldung" in listed, "Fremde Meldung" in listed) == (True, False)
    assert client.get(reverse("tickets:detail", args=[theirs.pk])).status_code == 404
    assert client.post(reverse("tickets:action", args=[theirs.pk, "withdraw"])).status_code == 404
    client.force_login(SchoolStaffFactory(schools=[school]))
    assert client.get(reverse("tickets:detail", args=[mine.pk])).status_code == 404


def test_filters_narrow_the_list(client, coordinator, school):
    support = SupportFactory()
    report(coordinator, school, title="Neue Meldung")
    solved = report(coordinator, school, title="Alte Meldung")
    services.accept(ticket=solved, by=support)
    services.solve(ticket=solved, by=support, text="Kabel")
    client.force_login(support)
    for query, expected in (
        ({"state": "open"}, [True, False]),
        ({"state": "solved"}, [False, True]),
        ({"mine": "true"}, [False, True]),
        ({"q": "neue"}, [True, False]),
        ({"school": school.number}, [True, True]),
    ):
        text = client.get(reverse("tickets:list"), query).text
        assert [title in text for title in ("Neue Meldung", "Alte Meldung")] == expected, query
