"""Rounds and media concepts in the portal: what a coordinator sees, chooses, uploads and submits."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.core import clock, formats
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.models import EquipmentApplication, MediaConcept
from apps.schools.models import School
from tests.factories import ClerkFactory, CoordinatorFactory, SchoolFactory
from tests.funding.factories import RoundFactory, make_application, pdf_file
from tests.funding.portal import client_of, form_data, messages_of, texts

pytestmark = pytest.mark.django_db
S = ApplicationState
NEW = reverse("funding:create")
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def school() -> School:
    return SchoolFactory()


@pytest.fixture
def coordinator(school: School) -> User:
    return CoordinatorFactory(schools=[school])


@pytest.fixture
def client(coordinator: User) -> Client:
    return client_of(coordinator)


def detail(application: EquipmentApplication) -> str:
    return reverse("funding:detail", args=[application.pk])


def concepts(school: School) -> str:
    return reverse("funding:concepts", args=[school.number])


def field_of(page: Any) -> Any:
    return page.context["draft"].form["in_round"]


def test_the_only_open_round_is_chosen_already(client: Client) -> None:
    row = RoundFactory()

    page = client.get(NEW)
    assert field_of(page).value() == row.pk
    client.post(NEW, form_data(page, in_round=row.pk, action="save"))

    assert EquipmentApplication.objects.get().round == row


def test_of_several_open_rounds_one_is_chosen(client: Client) -> None:
    _first, second = RoundFactory(), RoundFactory()
    page = client.get(NEW)
    assert field_of(page).value() is None

    saved = client.post(NEW, form_data(page, in_round="", action="save"))
    application = EquipmentApplication.objects.get()
    assert (saved.status_code, application.round) == (302, None)
    edit = reverse("funding:edit", args=[application.pk])
    refused = client.post(edit, form_data(client.get(edit), in_round="", action="check"))
    assert refused.status_code == 422
    assert "Bitte wählen Sie die Antragsrunde." in texts(refused)
    client.post(edit, form_data(client.get(edit), in_round=second.pk, action="save"))
    application.refresh_from_db()
    assert application.round == second


def test_the_notes_of_the_rounds_stand_beside_the_choice(client: Client) -> None:
    RoundFactory(name="Herbst", note="Bitte mit Inventarnummern.")
    assert "Bitte mit Inventarnummern." in texts(client.get(NEW))

    RoundFactory(name="Sofort", note="Nur Ersatz.")
    assert "Herbst: Bitte mit Inventarnummern. Sofort: Nur Ersatz." in texts(client.get(NEW))


def test_a_round_that_is_over_or_not_open_cannot_be_chosen(client: Client) -> None:
    RoundFactory()
    over = RoundFactory(closes_on=clock.today() - DAY)

    answer = client.post(NEW, form_data(client.get(NEW), in_round=over.pk, action="save"))

    assert answer.status_code == 422
    assert not EquipmentApplication.objects.exists()


def test_the_page_says_when_the_next_round_opens(client: Client) -> None:
    assert "Antragsrunde" not in texts(client.get(NEW))

    RoundFactory(closes_on=clock.today() - DAY)
    assert "Noch ist keine angekündigt." in texts(client.get(NEW))
    later = RoundFactory(name="Frühjahr", opens_on=clock.today() + 3 * DAY)
    assert f"Die nächste, „Frühjahr“, beginnt am {later.opens_on:%d.%m.%Y}." in texts(client.get(NEW))


def test_a_change_of_the_round_alone_is_saved_by_itself(client: Client, coordinator: User, school: School) -> None:
    first, second = RoundFactory(), RoundFactory()
    application = make_application(S.DRAFT, school=school, by=coordinator, in_round=first)
    edit = reverse("funding:edit", args=[application.pk])
    lines = [{"line_id": line.pk, "product": line.product_id, "quantity": 2} for line in application.lines.all()]
    data = form_data(client.get(edit), lines, in_round=second.pk)
    data |= {"title": application.title, "reason": ""}

    answer = client.post(edit, data, headers={"X-Autosave": "1"})

    application.refresh_from_db()
    assert (answer.status_code, application.round) == (200, second)


def test_what_is_late_says_so_before_and_after(client: Client, coordinator: User, school: School) -> None:
    row = RoundFactory(name="Herbst", closes_on=clock.today() - DAY)
    application = make_application(S.DRAFT, school=school, by=coordinator, in_round=row)
    before = texts(client.get(detail(application)))
    assert f"Die Runde „Herbst“ endete am {row.closes_on:%d.%m.%Y}" in before

    client.post(reverse("funding:submit", args=[application.pk]))

    application.refresh_from_db()
    assert application.is_late
    assert "nach dem Ende der Runde" in texts(client.get(detail(application)))


def test_the_way_to_the_missing_concept_and_back(client: Client, coordinator: User, school: School) -> None:
    row = RoundFactory(requires_media_concept=True)
    application = make_application(S.DRAFT, school=school, by=coordinator, in_round=row)
    page = client.get(detail(application))
    address = f"{concepts(school)}?application={application.pk}"
    assert page.context["concepts_url"] == address
    client.post(reverse("funding:submit", args=[application.pk]))
    refused = client.get(detail(application))
    assert "verlangt das Medienkonzept der Schule" in messages_of(refused)[0]

    without_date = client.post(address, {"file": pdf_file()})
    assert (without_date.status_code, MediaConcept.objects.count()) == (422, 0)
    assert "Bitte wählen Sie die Datei noch einmal aus." in texts(without_date)
    assert "Bitte wählen Sie die Datei noch einmal aus." not in texts(client.post(address, {"dated_on": "1.2.2026"}))
    answer = client.post(address, {"file": pdf_file("Konzept.pdf"), "dated_on": "01.02.2026"})

    assert answer.url == detail(application)
    assert "verlangt das Medienkonzept" not in texts(client.get(detail(application)))
    client.post(reverse("funding:submit", args=[application.pk]))
    application.refresh_from_db()
    assert application.state == S.SUBMITTED


def test_a_concept_that_stays_with_an_application_offers_no_removal(
    client: Client, coordinator: User, school: School
) -> None:
    row = services.add_concept(school=school, file=pdf_file("Konzept.pdf"), dated_on=clock.today(), by=coordinator)
    remove = reverse("funding:remove_concept", args=[school.number, row.pk])
    assert remove in client.get(concepts(school)).content.decode()

    application = make_application(school=school, by=coordinator)

    page = client.get(concepts(school))
    assert remove not in page.content.decode()
    assert "bleibt bei einem Antrag" in texts(page)
    asked = texts(client.get(remove))
    assert "„Konzept.pdf“ bleibt" in asked
    assert "entfernt werden?" not in asked
    assert "endgültig gelöscht" not in asked
    refused = client.post(remove, follow=True)
    assert f"Mit diesem Medienkonzept ist der Antrag „{application.title}“ eingereicht" in messages_of(refused)[0]
    assert reverse("funding:concept", args=[school.number, row.pk]) in client.get(detail(application)).content.decode()


@pytest.mark.parametrize(("name", "verb"), [("concept", "get"), ("remove_concept", "get"), ("remove_concept", "post")])
def test_a_second_tab_says_who_removed_the_concept_when(
    client: Client, coordinator: User, school: School, name: str, verb: str
) -> None:
    row = services.add_concept(school=school, file=pdf_file("Konzept.pdf"), dated_on=clock.today(), by=coordinator)
    address = reverse(f"funding:{name}", args=[school.number, row.pk])
    services.remove_concept(concept=row, by=coordinator)
    moment = formats.moment(MediaConcept.history.get(history_type="-").history_date)
    clerk = ClerkFactory()
    others = f"{coordinator} hat „Konzept.pdf“ am {moment} entfernt."
    own = f"Sie haben „Konzept.pdf“ am {moment} selbst entfernt, vielleicht in einem anderen Fenster."

    for user, sentence in ((coordinator, own), (clerk, others)):
        answer = getattr(client_of(user), verb)(address, follow=True)
        assert answer.redirect_chain == [(concepts(school), 302)]
        assert messages_of(answer) == [sentence]

    elsewhere = reverse(f"funding:{name}", args=[SchoolFactory().number, row.pk])
    assert getattr(client_of(clerk), verb)(elsewhere).status_code == 404


def test_a_concept_is_only_ever_saved(client: Client, coordinator: User, school: School) -> None:
    row = services.add_concept(school=school, file=pdf_file("Konzept.pdf"), dated_on=clock.today(), by=coordinator)

    answer = client.get(reverse("funding:concept", args=[school.number, row.pk]))

    assert b"".join(answer).startswith(b"%PDF-")  # type: ignore[arg-type]
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="Konzept.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_file_that_is_no_pdf_is_refused_and_the_date_is_kept(client: Client, school: School) -> None:
    file = pdf_file()
    file.file.seek(0)
    file.file.write(b"<html")

    answer = client.post(concepts(school), {"file": file, "dated_on": "01.02.2026"})

    assert answer.status_code == 422
    assert answer.context["form"]["dated_on"].value() == "01.02.2026"
    assert not MediaConcept.objects.exists()


def test_a_concept_stands_under_its_own_school_only(coordinator: User, school: School) -> None:
    other = SchoolFactory()
    both = CoordinatorFactory(schools=[school, other])
    row = services.add_concept(school=school, file=pdf_file(), dated_on=clock.today(), by=coordinator)

    assert client_of(both).get(reverse("funding:concept", args=[other.number, row.pk])).status_code == 404


def test_the_application_one_came_from_is_of_the_same_school_and_visible(client: Client, school: School) -> None:
    foreign = make_application(S.DRAFT)

    answer = client.post(f"{concepts(school)}?application={foreign.pk}", {"file": pdf_file(), "dated_on": "01.02.2026"})

    assert answer.url == concepts(school)
