"""The list, the page of one application, its actions, and who sees what."""

import csv
import datetime
import io
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.choices import Role
from apps.core import clock
from apps.core.panels import rendered_panels
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationStatusChange, EquipmentApplication
from apps.funding.selectors import waiting_for_coordinator, waiting_for_office
from tests.factories import (
    ApproverFactory,
    AuditorFactory,
    ClerkFactory,
    CoordinatorFactory,
    HeadFactory,
    SchoolFactory,
    UserFactory,
)
from tests.funding.factories import BudgetFactory, decide, make_application
from tests.funding.portal import client_of, messages_of, texts

pytestmark = pytest.mark.django_db
LIST = reverse("funding:list")
S = ApplicationState
ON_ONE = ("detail", "edit", "submit", "withdraw", "answer", "discard")
SCHOOLS_ONLY = ("edit", "submit", "withdraw", "answer", "discard")


@pytest.fixture
def school():
    return SchoolFactory(short_name="Ahornschule")


@pytest.fixture
def coordinator(school):
    return CoordinatorFactory(schools=[school], name="Alex Ahorn")


@pytest.fixture
def client(coordinator):
    return client_of(coordinator)


def url(name, application):
    return reverse(f"funding:{name}", args=[application.pk])


# Who may


@pytest.mark.parametrize("name", ON_ONE)
def test_anonymous_people_are_sent_to_sign_in(name, school):
    application = make_application(S.RETURNED, school=school)
    for method in ("get", "post"):
        answer = getattr(client_of(None), method)(url(name, application))
        assert answer.url == f"{reverse('account_login')}?next={url(name, application)}"


@pytest.mark.parametrize("name", ON_ONE)
def test_applications_of_other_schools_do_not_exist(name, client):
    foreign = make_application(S.RETURNED, school=SchoolFactory())
    assert client.get(url(name, foreign)).status_code == 404
    answer = client.post(url(name, foreign), {"text": "x"})
    assert answer.status_code == (405 if name == "detail" else 404)
    foreign.refresh_from_db()
    assert (foreign.state, foreign.messages.count()) == (S.RETURNED, 1)


@pytest.mark.parametrize("role", [Role.OFFICE_CLERK, Role.OFFICE_APPROVER, Role.HEAD, Role.AUDITOR])
def test_the_city_reads_and_does_not_write_for_the_school(role, school):
    client = client_of(UserFactory(role=role))
    application = make_application(S.RETURNED, school=school)
    assert client.get(url("detail", application)).status_code == 200
    assert client.get(LIST).status_code == 200
    for name in SCHOOLS_ONLY:
        assert client.get(url(name, application)).status_code == 403
        assert client.post(url(name, application), {"text": "x"}).status_code == 403
    assert client.get(reverse("funding:create")).status_code == 403
    assert client.post(reverse("funding:create")).status_code == 403


@pytest.mark.parametrize("role", [Role.SCHOOL_STAFF, Role.IT_SUPPORT, Role.ADMIN])
def test_others_have_no_applications(role, school):
    person = UserFactory(role=role, schools=[school])
    application = make_application(school=school)
    for address in (LIST, reverse("funding:create"), *(url(name, application) for name in ON_ONE)):
        assert client_of(person).get(address).status_code == 403


def test_drafts_are_the_schools_own_until_they_are_submitted(school, client):
    draft = make_application(S.DRAFT, school=school, title="Noch geheim")
    for person in (ClerkFactory(), HeadFactory()):
        assert client_of(person).get(url("detail", draft)).status_code == 404
        assert "Noch geheim" not in texts(client_of(person).get(LIST))
    assert "Noch geheim" in texts(client.get(LIST))
    assert client_of(AuditorFactory()).get(url("detail", draft)).status_code == 200


@pytest.mark.parametrize("state", list(S))
def test_looking_changes_nothing(state, school, client):
    application = make_application(state, school=school)
    before = EquipmentApplication.objects.values().get()
    for name in ON_ONE:
        client.get(url(name, application))
    assert EquipmentApplication.objects.values().get() == before


# The list


def rows_of(response):
    return [row.title for row in response.context["table"].data.data]


def test_the_list_holds_the_persons_schools_and_finds_by_state_school_and_words(client, school, coordinator):
    second = SchoolFactory(short_name="Buchenschule")
    make_application(S.DRAFT, school=school, title="Beamer")
    make_application(S.SUBMITTED, school=school, title="Tablets")
    make_application(S.REJECTED, school=second, title="Drucker")
    assert rows_of(client.get(LIST)) == ["Tablets", "Beamer"]
    office = client_of(ClerkFactory())
    assert rows_of(office.get(LIST)) == ["Drucker", "Tablets"]
    assert rows_of(office.get(LIST, {"state": "rejected"})) == ["Drucker"]
    assert rows_of(office.get(LIST, {"state": "open"})) == ["Tablets"]
    assert rows_of(office.get(LIST, {"state": "granted"})) == []
    assert rows_of(office.get(LIST, {"school": second.number})) == ["Drucker"]
    assert rows_of(office.get(LIST, {"q": "ahorn tab"})) == ["Tablets"]
    assert "Buchenschule" not in texts(client.get(LIST))


def test_a_row_says_sum_day_and_age(client, school):
    application = make_application(S.SUBMITTED, school=school, lines=[("1234.50", 2), ("0.50", 1)])
    moment = application.submitted_at - datetime.timedelta(days=12)
    EquipmentApplication.objects.filter(pk=application.pk).update(submitted_at=moment)
    make_application(S.DRAFT, school=school, lines=[])
    make_application(S.REJECTED, school=school)
    shown = texts(client.get(LIST))
    assert f"Eingereicht 2.469,50 € {timezone.localtime(moment):%d.%m.%Y} 12 Tage" in shown
    assert "Entwurf 0,00 € noch nicht eingereicht heute" in shown
    assert "Abgelehnt 1.000,00 €" in shown
    assert shown.count("abgeschlossen") == 1


def test_an_empty_list_says_what_to_do(client):
    assert "Noch keine Anträge. Antrag anlegen" in texts(client.get(LIST))
    assert "Antrag anlegen" not in texts(client_of(HeadFactory()).get(LIST))


def test_the_export_holds_raw_values_of_what_the_person_sees(client, school):
    make_application(S.SUBMITTED, school=school, title="=1+1", lines=[("1234.50", 2)])
    make_application(S.SUBMITTED, school=SchoolFactory(), title="Fremd")
    answer = client.get(LIST, {"export": "csv"})
    lines = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig")), delimiter=";"))
    today = f"{clock.today():%d.%m.%Y}"
    assert lines[0] == ["Antrag", "Schule", "Status", "Summe", "Eingereicht am", "Alter"]
    assert lines[1:] == [["'=1+1", "Ahornschule", "eingereicht", "2469,00", today, "0"]]


# One application


def test_the_page_tells_the_whole_story(client, school, coordinator):
    office = ApproverFactory(name="Olga Office")
    budget = BudgetFactory(name="Tablets Grundschulen")
    application = make_application(
        S.RETURNED, school=school, lines=[("500.00", 4), ("100.00", 3)], reason="Konzept S. 3"
    )
    services.answer(application=application, by=coordinator, text="Für die Fachräume")
    services.submit(application=application, by=coordinator)
    decisions = decide(application, budget, quantities=[2, 3])
    services.approve(application=application, by=office, decisions=decisions, reason="Mehr geht nicht")
    shown = texts(client.get(url("detail", application)))
    for expected in (
        "Teilweise genehmigt",
        "Konzept S. 3",
        "Wofür genau?",
        "Für die Fachräume",
        "Mehr geht nicht",
        "4 2 500,00 € 2.000,00 € 1.000,00 €",
        "Beantragt 2.300,00 €",
        "Genehmigt 1.300,00 €",
        "Alex Ahorn",
        "Olga Office",
    ):
        assert expected in shown, expected
    assert "Tablets Grundschulen" not in shown
    for_office = texts(client_of(office).get(url("detail", application)))
    assert "Tablets Grundschulen 2026: 1.000,00 €" in for_office


def test_money_is_not_shown_to_schools(client, school):
    application = make_application(S.SUBMITTED, school=school)
    services.reserve(application=application, budget=BudgetFactory(name="Geheimer Topf"), by=ApproverFactory())
    assert "Geheimer Topf" not in texts(client.get(url("detail", application)))
    assert "Vorgemerkt Geheimer Topf 2026" in texts(client_of(HeadFactory()).get(url("detail", application)))


OFFERED = {
    S.DRAFT: {"submit", "edit", "discard"},
    S.SUBMITTED: {"withdraw"},
    S.RETURNED: {"submit", "edit", "withdraw", "answer"},
    S.APPROVED: set(),
    S.ORDERED: set(),
    S.DELIVERED: set(),
    S.CLOSED: set(),
    S.PARTIALLY_APPROVED: set(),
    S.REJECTED: set(),
    S.WITHDRAWN: set(),
}


@pytest.mark.parametrize("state", list(S))
def test_the_page_offers_what_this_person_may_do_in_this_state(state, client, school):
    application = make_application(state, school=school)

    def offered(browser):
        page = browser.get(url("detail", application)).content.decode()
        return {name for name in SCHOOLS_ONLY if f'"{url(name, application)}"' in page}

    assert offered(client) == OFFERED[state]
    assert offered(client_of(AuditorFactory())) == set()


def test_the_office_finds_its_desk_and_approved_devices_are_recorded(client, school):
    application = make_application(S.PARTIALLY_APPROVED, school=school, lines=[("500.00", 4)])
    product = application.lines.get().product
    record = (
        f"{reverse('inventory:add')}?school={school.number}&amp;product={product.pk}&amp;quantity=1&amp;price=500.00"
    )
    desk = reverse("admin:funding_equipmentapplication_change", args=[application.pk])
    seen = {
        person.role: (record in page, desk in page)
        for person in (CoordinatorFactory(schools=[school]), ClerkFactory(), HeadFactory())
        for page in [client_of(person).get(url("detail", application)).content.decode()]
    }
    assert seen == {Role.COORDINATOR: (True, False), Role.OFFICE_CLERK: (True, True), Role.HEAD: (False, False)}


# Actions


def test_submitting_and_a_second_click(client, school, coordinator):
    application = make_application(S.DRAFT, school=school, lines=[("500.00", 2)])
    first, second = [client.post(url("submit", application), {"revision": "1"}, follow=True) for _click in range(2)]
    application.refresh_from_db()
    assert (application.state, application.submitted_by) == (S.SUBMITTED, coordinator)
    assert messages_of(first) == ["Der Antrag ist eingereicht: 1.000,00\u202f€. Er liegt jetzt beim Amt."]
    assert messages_of(second) == [
        "Das geht nicht mehr: Der Status ist jetzt „eingereicht“. Bitte laden Sie die Seite neu."
    ]
    assert ApplicationStatusChange.objects.filter(to_state=S.SUBMITTED).count() == 1


def test_who_comes_back_from_signing_in_reads_that_nothing_was_submitted(client, school):
    application = make_application(S.DRAFT, school=school)
    assert messages_of(client.get(url("submit", application), follow=True)) == [
        "Ihre Sitzung war abgelaufen. Der Antrag ist noch nicht eingereicht."
    ]
    submitted = make_application(S.SUBMITTED, school=school)
    assert messages_of(client.get(url("submit", submitted), follow=True)) == []


def test_what_was_changed_since_it_was_looked_at_is_not_submitted(client, school, coordinator):
    application = make_application(S.DRAFT, school=school)
    services.save_draft(application=application, revision=1, by=coordinator, title="Anders", reason="", lines=[])
    client.post(url("submit", application), {"revision": "1"})
    application.refresh_from_db()
    assert application.state == S.DRAFT


def test_an_empty_draft_is_not_submitted(client, school):
    application = make_application(S.DRAFT, school=school, lines=[])
    shown = client.post(url("submit", application), {"revision": "1"}, follow=True)
    assert len(messages_of(shown)) == 1
    application.refresh_from_db()
    assert application.state == S.DRAFT


def test_withdrawing_asks_once_and_keeps_the_reason(client, school):
    application = make_application(S.SUBMITTED, school=school)
    assert "Sie können dies nicht rückgängig machen" in texts(client.get(url("withdraw", application)))
    first, second = [client.post(url("withdraw", application), {"text": "Doppelt"}, follow=True) for _click in range(2)]
    assert messages_of(first) == ["Der Antrag ist zurückgezogen."]
    assert messages_of(second)[0].startswith("Das geht nicht mehr: Der Status ist jetzt „zurückgezogen“.")
    assert ApplicationStatusChange.objects.get(to_state=S.WITHDRAWN).reason == "Doppelt"


def test_answering_a_question_and_submitting_again(client, school):
    application = make_application(S.RETURNED, school=school)
    assert "Wofür genau?" in texts(client.get(url("answer", application)))
    refused = client.post(url("answer", application), {"text": "  "})
    assert refused.status_code == 422
    answered = client.post(url("answer", application), {"text": "Für den Chor"}, follow=True)
    assert "Für den Chor" in texts(answered)
    client.post(url("submit", application))
    application.refresh_from_db()
    assert application.state == S.SUBMITTED
    assert [message.text for message in application.messages.all()] == ["Wofür genau?", "Für den Chor"]
    assert client.get(url("answer", application)).url == url("detail", application)


def test_deleting_a_draft_names_what_is_lost_and_a_second_click_is_harmless(client, school):
    application = make_application(S.DRAFT, school=school, title="Altes Vorhaben", lines=[("10.00", 7)])
    asked = texts(client.get(url("discard", application)))
    assert "Altes Vorhaben" in asked
    assert f"7 × {application.lines.get().product}" in asked
    first, second = [client.post(url("discard", application), follow=True) for _click in range(2)]
    assert EquipmentApplication.objects.count() == 0
    assert messages_of(first) == ["Der Entwurf „Altes Vorhaben“ ist gelöscht."]
    assert messages_of(second) == ["Dieser Entwurf ist bereits gelöscht."]


def test_a_submitted_application_is_not_deleted(client, school):
    application = make_application(S.SUBMITTED, school=school)
    assert client.get(url("discard", application)).url == url("detail", application)
    client.post(url("discard", application))
    assert EquipmentApplication.objects.filter(pk=application.pk).exists()


def test_forms_need_their_token(coordinator, school):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(coordinator)
    application = make_application(S.DRAFT, school=school)
    for name in SCHOOLS_ONLY:
        assert client.post(url(name, application), {"text": "x"}).status_code == 403
    assert client.post(reverse("funding:create")).status_code == 403
    application.refresh_from_db()
    assert application.state == S.DRAFT


# Elsewhere


def test_the_school_page_shows_its_applications(rf, school, coordinator):
    make_application(S.SUBMITTED, school=school, title="Tablets", lines=[("500.00", 2)])
    make_application(S.SUBMITTED, school=SchoolFactory(), title="Fremd")
    request = rf.get("/")
    for person, may_create in ((coordinator, True), (HeadFactory(), False)):
        request.user = person
        html = "".join(rendered_panels("schools.school", request, school))
        assert "Tablets" in html
        assert "1.000,00\u202f€" in html
        assert "Fremd" not in html
        assert (f"{reverse('funding:create')}?school={school.number}" in html) is may_create


def test_what_waits_for_whom(school, coordinator):
    by_state = {state: make_application(state, school=school, by=coordinator) for state in S}
    make_application(S.RETURNED, school=SchoolFactory())
    waiting = list(waiting_for_coordinator(coordinator))
    assert waiting == [by_state[S.RETURNED], by_state[S.DRAFT]]
    assert [row.amount for row in waiting] == [Decimal("1000.00")] * 2
    clerk = ClerkFactory()
    assert list(waiting_for_office(clerk)) == [by_state[S.SUBMITTED]]
    for person in (HeadFactory(), AuditorFactory()):
        assert not waiting_for_office(person).exists()
        assert not waiting_for_coordinator(person).exists()
    assert not waiting_for_office(coordinator).exists()
