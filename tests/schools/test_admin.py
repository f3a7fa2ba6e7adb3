"""Schools, types and counts in the admin: what is saved, by whom, and what becomes stale."""

import datetime
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.choices import Role
from apps.core.models import ImportRun
from apps.schools.models import Membership, PupilCount, PupilWeight, School, SchoolAuthority, SchoolType, Site
from apps.schools.services import ensure_school_types
from tests.factories import (
    AdminFactory,
    AuditorFactory,
    ClerkFactory,
    ForeignAuthorityFactory,
    SchoolFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def version(school: School) -> int:
    return School.objects.values_list("inputs_version", flat=True).get(pk=school.pk)


def form_of(client: Client, address: str) -> dict[str, Any]:
    """What a browser would send back unchanged: the initial values of form and inlines."""
    context = client.get(address).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    sent = {}
    for form in forms:
        for field in form:
            value = field.value()
            if value is not None and value is not False:
                sent[field.html_name] = "on" if value is True else getattr(value, "pk", value)
    return sent


def edit(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def add_row(sent: dict[str, Any], prefix: str, **values: Any) -> None:
    number = int(sent.setdefault(f"{prefix}-TOTAL_FORMS", 0))
    sent[f"{prefix}-TOTAL_FORMS"] = number + 1
    sent.update({f"{prefix}-{number}-{name}": value for name, value in values.items()})


@pytest.fixture
def admin(client: Client) -> Any:
    user = AdminFactory()
    client.force_login(user)
    return user


def test_changing_a_name_keeps_the_figures_changing_the_closing_day_does_not(client: Client, admin: Any) -> None:
    school = SchoolFactory()
    sent = form_of(client, edit(school)) | {"short_name": "Neuer Name"}
    client.post(edit(school), sent)
    school.refresh_from_db()
    assert (school.short_name, school.sort_key, version(school)) == ("Neuer Name", "neuer name", 1)
    client.post(edit(school), sent | {"closed_on": "01.08.2027"})
    school.refresh_from_db()

    assert (school.closed_on, version(school)) == (datetime.date(2027, 8, 1), 2)
    assert [record.history_user for record in school.history.all()] == [admin, admin, None]


def test_number_stays(client: Client, admin: Any) -> None:
    school = SchoolFactory(number="100001")
    client.post(edit(school), form_of(client, edit(school)) | {"number": "100002"})

    assert School.objects.get().number == "100001"


def test_a_count_in_the_school_form_makes_it_stale(client: Client, admin: Any) -> None:
    school = SchoolFactory()
    sent = form_of(client, edit(school))
    add_row(sent, "pupil_counts", school_year="2024/25", counted_on="15.10.2024", pupils="250")
    add_row(sent, "sites", name="Nord", street="Nordweg 1")
    add_row(sent, "social_indices", school_year="2025/26", level="4")
    answer = client.post(edit(school), sent)

    assert answer.status_code == 302
    count = PupilCount.objects.get(school=school)
    assert (count.pupils, version(school), count.history.get().history_user) == (250, 2, admin)
    assert (school.sites.get().name, school.social_indices.get().level) == ("Nord", 4)


def test_the_main_site_moves_in_one_go_and_is_only_one(client: Client, admin: Any) -> None:
    school = SchoolFactory()
    Site.objects.create(school=school, name="A", is_main=True)
    Site.objects.create(school=school, name="B")
    sent = form_of(client, edit(school))
    both = sent | {"sites-1-is_main": "on"}
    assert "Eine Schule hat nur einen Hauptstandort." in client.post(edit(school), both).content.decode()
    moved = {name: value for name, value in both.items() if name != "sites-0-is_main"}
    assert client.post(edit(school), moved).status_code == 302

    assert list(Site.objects.order_by("name").values_list("name", "is_main")) == [("A", False), ("B", True)]


def test_a_number_or_site_name_that_is_taken_is_said(client: Client, admin: Any) -> None:
    school = SchoolFactory()
    Site.objects.create(school=school, name="A", is_main=True)
    sent = form_of(client, edit(school))
    add_row(sent, "sites", name="A")

    assert client.post(edit(school), sent).status_code == 200
    assert Site.objects.count() == 1


def test_the_office_cannot_give_a_school_away_nor_see_those_of_others(client: Client) -> None:
    client.force_login(ClerkFactory())
    school, foreign, authority = SchoolFactory(), SchoolFactory(foreign=True), ForeignAuthorityFactory()
    answer = client.post(edit(school), form_of(client, edit(school)) | {"authority": authority.pk}, follow=True)

    assert "Für die gewählte Schule dürfen Sie das nicht" in answer.content.decode()
    assert School.objects.get(pk=school.pk).authority.is_own
    assert client.get(edit(foreign)).status_code == 404
    assert [row.pk for row in client.get("/admin/schools/school/").context["cl"].result_list] == [school.pk]


def test_people_of_a_school_are_changed_by_administrators_only(client: Client, admin: Any) -> None:
    school, person = SchoolFactory(), UserFactory(role=Role.COORDINATOR)
    sent = form_of(client, edit(school))
    add_row(sent, "memberships", user=person.pk)
    client.post(edit(school), sent)
    assert Membership.objects.get().history.get().history_user == admin

    client.force_login(ClerkFactory())
    inlines = {inline.opts.model: inline for inline in client.get(edit(school)).context["inline_admin_formsets"]}
    assert (inlines[Membership].has_view_permission, inlines[Membership].has_change_permission) == (True, False)
    client.post(edit(school), form_of(client, edit(school)) | {"memberships-0-DELETE": "on"})
    assert Membership.objects.count() == 1
    client.force_login(admin)
    client.post(edit(school), form_of(client, edit(school)) | {"memberships-0-DELETE": "on"})
    assert Membership.objects.count() == 0
    assert Membership.history.first().history_user == admin


def test_weights_types_and_authorities_make_their_schools_stale(client: Client, admin: Any) -> None:
    ensure_school_types()
    school = SchoolFactory()
    kind = SchoolType.objects.get(key="02")
    sent = form_of(client, edit(kind))
    add_row(sent, "weights", valid_from="01.08.2024", weight="0,5")
    assert client.post(edit(kind), sent).status_code == 302
    assert (str(PupilWeight.objects.get().weight), version(school)) == ("0.50", 2)
    client.post(edit(school.authority), {"number": "10315", "name": "Stadt Hamm"})
    assert (SchoolAuthority.objects.get(pk=school.authority.pk).is_own, version(school)) == (False, 3)


def test_a_count_on_its_own_page_makes_the_school_stale(client: Client) -> None:
    client.force_login(ClerkFactory())
    school = SchoolFactory()
    sent = {"school": school.pk, "school_year": "2024/25", "counted_on": "15.10.2024", "pupils": "1.250"}
    assert client.post("/admin/schools/pupilcount/add/", sent).status_code == 302
    assert (PupilCount.objects.get().pupils, version(school)) == (1250, 2)
    foreign = SchoolFactory(foreign=True)
    assert client.post("/admin/schools/pupilcount/add/", sent | {"school": foreign.pk}).status_code == 200
    assert PupilCount.objects.count() == 1


def test_the_auditor_reads_with_history(client: Client) -> None:
    client.force_login(AuditorFactory())
    school = SchoolFactory()

    assert 'name="_save"' not in client.get(edit(school)).content.decode()
    assert client.post(edit(school), {"short_name": "X"}).status_code == 403
    assert client.get(reverse("admin:schools_school_history", args=[school.pk])).status_code == 200
    assert client.post(reverse("admin:schools_school_delete", args=[school.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "page",
    ["schools/school", "schools/site", "schools/pupilcount", "schools/schoolauthority", "schools/schooltype",
     "core/importrun", "accounts/user"],
)  # fmt: skip
def test_searches_in_change_lists_ask_the_same_however_many_rows(client: Client, admin: Any, page: str) -> None:
    def queries() -> int:
        client.get(f"/admin/{page}/?q=Schule")
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/admin/{page}/?q=Schule").status_code == 200
        return len(asked)

    def grow(rows: int) -> None:
        for _ in range(rows):
            school = SchoolFactory()
            person = UserFactory(role=Role.COORDINATOR, schools=[school])
            Site.objects.create(school=school, name="A")
            PupilCount.objects.create(
                school=school, school_year="2024/25", counted_on=datetime.date(2024, 10, 15), pupils=1
            )
            ImportRun.objects.create(
                source="schuldaten", permission="schools.import_schools", file_name="Schule.csv", created_by=person
            )

    grow(10)
    few = queries()
    grow(40)
    assert queries() == few


def test_search_finds_german_names(client: Client, admin: Any) -> None:
    school = SchoolFactory(short_name="Übergrößenschule")
    PupilCount.objects.create(school=school, school_year="2024/25", counted_on=datetime.date(2024, 10, 15), pupils=1)
    SchoolFactory()
    for page in ("school", "pupilcount"):
        found = client.get(f"/admin/schools/{page}/?q=ÜBERGRÖSSEN").context["cl"].result_list
        assert len(found) == 1
    assert re.search(r"1 Schule\b", client.get("/admin/schools/school/?q=übergrössen").content.decode())
