"""List and page of schools, as each role gets them."""

import datetime

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.choices import Role
from apps.core.clock import today
from apps.schools.models import PupilCount, School, SchoolType, Site, SocialIndex
from tests.factories import (
    AuditorFactory,
    ClerkFactory,
    CoordinatorFactory,
    HeadFactory,
    SchoolFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
NOT_COUNTED = "nicht in städtischer Trägerschaft, zählt nicht in die Quote"


def names(client: Client, query: str = "") -> list[str]:
    table = client.get(reverse("schools:list") + query).context["table"]
    return [row.record.short_name for row in table.rows]


@pytest.fixture
def school() -> School:
    row = SchoolFactory(number="100001", short_name="Birken", official_name="Birkenschule", startchancen=True)
    Site.objects.create(school=row, name="Hauptstandort", is_main=True, street="Birkenweg 1", city="Musterstadt")
    PupilCount.objects.create(
        school=row,
        school_year="2024/25",
        counted_on=datetime.date(2024, 10, 15),
        pupils=1234,
        rounded=True,
        source="IT.NRW",
    )
    SocialIndex.objects.create(school=row, school_year="2025/26", level=6)
    return row


def test_list_shows_facts_and_marks_schools_of_others(client: Client, school: School) -> None:
    SchoolFactory(short_name="Fremd", foreign=True)
    client.force_login(HeadFactory())
    page = client.get(reverse("schools:list"))
    text = page.content.decode()

    assert names(client) == ["Birken", "Fremd"]
    for shown in ("1.234", "15.10.2024", "Grundschule", "100001", "keine Angabe"):
        assert shown in text
    assert text.count(NOT_COUNTED) == 1


def test_list_keeps_to_the_scope(client: Client, school: School) -> None:
    SchoolFactory(short_name="Andere")
    SchoolFactory(short_name="Fremd", foreign=True)
    client.force_login(CoordinatorFactory(schools=[school]))
    assert names(client) == ["Birken"]
    client.force_login(ClerkFactory())
    assert names(client) == ["Andere", "Birken"]
    assert NOT_COUNTED not in client.get(reverse("schools:list")).content.decode()


def test_filters_and_sorts(client: Client, school: School) -> None:
    SchoolType.objects.get_or_create(key="20", defaults={"name": "Gymnasium"})
    SchoolFactory(number="100009", short_name="Ähre", school_type_id="20")
    SchoolFactory(short_name="Zu", closed_on=today())
    SchoolFactory(short_name="Fremd", foreign=True)
    client.force_login(HeadFactory())

    assert names(client) == ["Ähre", "Birken", "Fremd"]
    assert names(client, "?sort=-number") == ["Fremd", "Ähre", "Birken"]
    assert names(client, "?q=BIRKENSCH") == ["Birken"]
    assert names(client, "?type=20") == ["Ähre"]
    assert names(client, "?startchancen=true") == ["Birken"]
    assert names(client, "?authority=other") == ["Fremd"]
    assert names(client, "?authority=own") == ["Ähre", "Birken"]
    assert names(client, "?closed=true") == ["Ähre", "Birken", "Fremd", "Zu"]
    assert names(client, "?sort=social_level") == ["Ähre", "Birken", "Fremd"]


def test_export_holds_the_same_rows(client: Client, school: School) -> None:
    SchoolFactory(short_name="Andere")
    client.force_login(CoordinatorFactory(schools=[school]))
    exported = b"".join(client.get(reverse("schools:list") + "?export=csv").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]

    assert "Birken;Grundschule;100001;1234" in exported
    assert "Andere" not in exported


def test_page_shows_facts_sites_counts_and_index(client: Client, school: School) -> None:
    client.force_login(CoordinatorFactory(schools=[school]))
    text = client.get(reverse("schools:detail", args=["100001"])).content.decode()

    for shown in (
        "Birkenschule",
        "Birkenweg 1, Musterstadt",
        "2024/25",
        "auf 5 gerundet, IT.NRW",
        "Stufe 6 (2025/26)",
        "Startchancen-Schule",
        "Er ist keine Rangliste.",
    ):
        assert shown in text
    assert NOT_COUNTED.capitalize() not in text


def test_page_of_a_foreign_school_says_that_it_does_not_count(client: Client) -> None:
    school = SchoolFactory(foreign=True)
    client.force_login(HeadFactory())
    text = client.get(school.get_absolute_url()).content.decode()

    assert "Nicht in städtischer Trägerschaft, zählt nicht in die Quote" in text


@pytest.mark.parametrize(
    ("role", "people", "edit"),
    [(Role.COORDINATOR, False, False), (Role.OFFICE_CLERK, True, True), (Role.HEAD, False, False),
     (Role.IT_SUPPORT, True, False), (Role.AUDITOR, True, False), (Role.ADMIN, True, True)],
)  # fmt: skip
def test_people_and_editing_are_for_those_who_may(
    client: Client, school: School, role: Role, people: bool, edit: bool
) -> None:
    UserFactory(role=Role.COORDINATOR, name="Kim Beispiel", schools=[school])
    client.force_login(UserFactory(role=role, schools=[school]))
    text = client.get(school.get_absolute_url()).content.decode()

    assert ("Kim Beispiel" in text) is people
    assert (reverse("admin:schools_school_change", args=[school.pk]) in text) is edit


def test_outside_the_scope_is_404_and_without_signing_in_the_sign_in(client: Client, school: School) -> None:
    foreign = SchoolFactory(foreign=True)
    address = school.get_absolute_url()
    assert client.get(address).headers["Location"] == f"/accounts/login/?next={address}"
    client.force_login(CoordinatorFactory(schools=[SchoolFactory()]))
    assert client.get(address).status_code == 404
    client.force_login(ClerkFactory())
    assert client.get(foreign.get_absolute_url()).status_code == 404
    client.force_login(AuditorFactory())
    assert client.get(foreign.get_absolute_url()).status_code == 200
    assert client.get("/schools/999999/").status_code == 404
