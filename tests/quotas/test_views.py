"""The page of quotas: who sees what, which numbers lead where, what a wrong address gets."""

import csv
import io
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core import clock
from apps.core.jobs import fail_job, queue_job
from apps.inventory.choices import Ownership
from apps.quotas import selectors, services, wording
from apps.schools.models import PupilWeight
from apps.schools.services import raise_inputs_version
from tests.factories import (
    CoordinatorFactory,
    DeviceFactory,
    DeviceKindFactory,
    HeadFactory,
    SchoolFactory,
    SchoolStaffFactory,
    SupportFactory,
)
from tests.quotas.factories import DAY, count_pupils, day, make_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    return make_plan()


@pytest.fixture
def city(plan):
    primary = SchoolFactory(short_name="Albert-Schule", number="120001")
    college = SchoolFactory(short_name="Berufskolleg Mitte", number="170001", school_type_id="30")
    count_pupils(primary, 8)
    count_pupils(college, 10, "2024-10-15", rounded=False)
    for school, devices in ((primary, 2), (college, 3)):
        for _device in range(devices):
            DeviceFactory(school=school, since=day("2022-05-05"))
    DeviceFactory(school=primary, product__kind=DeviceKindFactory(projector=True), since=day("2022-05-05"))
    DeviceFactory(school=college, ownership=Ownership.PARENT_FINANCED, since=day("2022-05-05"))
    services.recalculate_stale()
    return {"primary": primary, "college": college}


def page(user, **query):
    client = Client()
    client.force_login(user)
    return client.get(reverse("quotas:overview"), query)


def text(response) -> str:
    return " ".join(response.content.decode().replace("\u202f", " ").split())


def rows(response) -> list[str]:
    return [figure.key for figure in response.context["table"].data.data]


def test_the_city_shows_percent_and_ratio_what_it_is_made_of_and_its_target(city):
    shown = text(page(HeadFactory()))
    assert "27,8 % · 1 : 3,6" in shown
    assert "5 Geräte für 18 Schülerinnen und Schüler" in shown
    assert "Ziel 33,3 % · 1 : 3 · 6 Geräte" in shown
    assert "Unter dem Ziel: 1 Gerät fehlt" in shown
    assert "Schülerzahlen vom 15.10.2020 bis 15.10.2024, auf 5 gerundet" in shown


def test_parent_financed_devices_and_the_mean_stand_on_lines_of_their_own(city):
    response = page(HeadFactory())
    shown = text(response)
    assert "Elternfinanzierte Geräte" in shown
    assert "Mittel der Schulquoten (jede Schule zählt gleich; nicht die Quote der Stadt)" in shown
    assert "27,5 %" in shown
    assert [(reach, share.schools, share.of) for reach, share, _url in response.context["shares"]] == [
        (1, 0, 2),
        (2, 0, 2),
    ]


def test_schools_are_sorted_by_the_largest_gap_and_by_any_other_column(city):
    assert rows(page(HeadFactory())) == ["170001", "120001"]
    assert rows(page(HeadFactory(), sort="name")) == ["120001", "170001"]
    assert rows(page(HeadFactory(), sort="-percent")) == ["170001", "120001"]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"school_type": "30"}, ["170001"]),
        ({"school_type": "02"}, ["120001"]),
        ({"at": "1"}, []),
        ({"at": "2", "school_type": "02"}, []),
    ],
)
def test_numbers_of_schools_lead_to_these_schools(city, query, keys):
    assert rows(page(HeadFactory(), **query)) == keys


def test_schools_at_one_to_two_are_those_that_the_share_counts(city):
    for _device in range(2):
        DeviceFactory(school=city["primary"])
    services.recalculate_stale()
    response = page(HeadFactory(), at="2")
    assert rows(response) == ["120001"]
    assert [share.schools for _reach, share, _url in response.context["shares"]] == [0, 1]


@pytest.mark.parametrize(
    ("counts", "level", "number"),
    [
        ("pupils", {}, 5),
        ("pupils", {"school": "170001"}, 3),
        ("pupils", {"school_type": "02"}, 2),
        ("parent_financed", {}, 1),
        ("presentation", {"school": "120001"}, 1),
    ],
)
def test_each_number_leads_to_as_many_devices(city, counts, level, number):
    """Every link to the inventory on the page, followed, shows as many rows as the figure says."""
    user = HeadFactory()
    wanted = {"day": clock.today().isoformat(), "counts": counts} | level
    hrefs = [part.split('"')[0].replace("&amp;", "&") for part in page(user).content.decode().split('href="')[1:]]
    queries = [{k: v[0] for k, v in parse_qs(urlsplit(h).query).items()} for h in hrefs if h.startswith("/inventory/?")]
    assert wanted in queries
    client = Client()
    client.force_login(user)
    assert client.get(reverse("inventory:list"), wanted).context["table"].count == number


def test_a_coordinator_sees_the_city_and_their_own_schools_and_no_way_to_foreign_devices(city):
    response = page(CoordinatorFactory(schools=[city["college"]]))
    assert rows(response) == ["170001"]
    assert "Albert-Schule" not in text(response)
    assert "27,8 % · 1 : 3,6" in text(response)
    links = [part.split('"')[0] for part in response.content.decode().split('href="/inventory/?')[1:]]
    assert links
    assert all("school=170001" in link for link in links)
    assert {url for _reach, _share, url in response.context["shares"]} == {""}
    assert set(response.context["types"].addresses.values()) == {""}


def test_figures_that_stand_on_generated_counts_say_so(plan, city):
    count = count_pupils(city["primary"], 8)
    count.generated = True
    count.save()
    shown = text(page(HeadFactory(), day="2024-06-01"))
    assert "Schülerzahl vom 15.10.2020, auf 5 gerundet, zum Teil für die Demo erzeugt" in shown
    figure = selectors.school_figure(plan, city["primary"], day("2024-06-01"))
    assert wording.basis(figure) == "Schülerzahl vom 15.10.2020, auf 5 gerundet, für die Demo erzeugt"
    assert "erzeugt" not in wording.basis(selectors.school_figure(plan, city["college"], day("2024-10-15")))
    count_pupils(city["primary"], 9, "2024-01-15")
    assert "erzeugt" not in text(page(HeadFactory(), day="2024-06-01"))


def test_colleagues_at_schools_do_not_see_quotas_and_strangers_sign_in(city):
    assert page(SchoolStaffFactory(schools=[city["college"]])).status_code == 403
    response = Client().get(reverse("quotas:overview"))
    assert (response.status_code, response.url) == (302, "/accounts/login/?next=/quotas/")


def test_any_day_of_the_plan_can_be_read(plan, city):
    response = page(HeadFactory(), plan=plan.pk, day="2022-05-04")
    assert response.context["city"].numbers.devices == 0
    assert "8 Schülerinnen und Schüler" in text(response)
    assert page(HeadFactory(), plan=plan.name, day="05.05.2022").context["city"].numbers.devices == 5


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"day": "2020-12-31"}, "MEP 2021–2025 beginnt am 01.01.2021"),
        ({"day": "31.2.2024"}, "Das ist kein Tag"),
        ({"day": "gestern"}, "Das ist kein Tag"),
        ({"plan": "MEP 1900"}, "Diesen Plan gibt es nicht"),
    ],
)
def test_a_wrong_address_gets_a_sentence_and_the_usual_figures(city, query, sentence):
    response = page(HeadFactory(), **query)
    assert response.status_code == 200
    assert sentence in text(response)
    assert response.context["asked"].day == clock.today()


def test_a_day_before_all_plans_names_the_first_day_that_works(city):
    make_plan("2026-01-01", "2030-12-31")
    response = page(HeadFactory(), day="2019-12-31")
    assert "MEP 2021–2025 beginnt am 01.01.2021" in text(response)
    assert response.context["asked"].plan.name == "MEP 2026–2030"
    assert page(HeadFactory(), day="2021-01-01").context["asked"].problem == ""


def test_a_day_to_come_gets_a_sentence(city):
    shown = text(page(HeadFactory(), day=(clock.today() + DAY).isoformat()))
    assert "Für künftige Tage gibt es keine Zahlen" in shown


def test_without_a_plan_the_page_says_what_to_do():
    assert "Es gibt noch keinen Plan" in text(page(HeadFactory()))


def test_a_plan_that_is_over_says_that_its_targets_hold(city):
    assert "MEP 2021–2025 endete am 31.12.2025" in text(page(HeadFactory()))
    assert "endete am" not in text(page(HeadFactory(), day="2025-12-31"))


def test_a_plan_that_is_over_names_the_plan_that_holds_since(city):
    make_plan("2026-01-01", "2030-12-31")
    shown = text(page(HeadFactory(), plan="MEP 2021–2025", day="2026-03-01"))
    assert "MEP 2021–2025 endete am 31.12.2025. Seit dem 01.01.2026 gilt MEP 2026–2030." in shown
    assert "bis ein neuer Plan beginnt" not in shown


def test_a_plan_to_come_cannot_be_chosen(city):
    make_plan((clock.today() + DAY).isoformat(), (clock.today() + 999 * DAY).isoformat(), name="Der nächste")
    assert "Der nächste" not in text(page(HeadFactory()))


def test_the_page_says_what_is_pending_and_when_a_run_failed(city):
    assert "alles ist berechnet" in text(page(HeadFactory()))
    raise_inputs_version([city["primary"].pk])
    shown = text(page(HeadFactory()))
    assert "1 Schule wird neu berechnet" in shown
    fail_job(queue_job("quotas.recalculate_stale"), RuntimeError("disk full"))
    shown = text(page(HeadFactory()))
    assert "Die letzte Neuberechnung ist fehlgeschlagen" in shown
    assert "disk full" not in shown


def test_a_school_without_a_count_is_named_as_missing(city):
    school = SchoolFactory(short_name="Ohne Zahl")
    DeviceFactory(school=school)
    services.recalculate_stale()
    shown = text(page(HeadFactory()))
    assert "1 Schule ohne Schülerzahl ist in der Quote nicht enthalten (1 Gerät)" in shown
    assert "keine Angabe" in shown


def test_weighted_pupils_are_shown_beside_the_counted_ones(city):
    PupilWeight.objects.create(school_type_id="30", valid_from=day("2022-01-01"), weight=Decimal("0.40"))
    raise_inputs_version([city["college"].pk])
    services.recalculate_stale()
    assert "18 Schülerinnen und Schüler (gewichtet: 12,00)" in text(page(HeadFactory()))


def test_the_export_holds_exact_values_for_visible_schools_only(city):
    response = page(CoordinatorFactory(schools=[city["college"]]), export="csv")
    lines = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig")), delimiter=";"))
    assert len(lines) == 2
    assert lines[1][:3] == ["170001", "Berufskolleg Mitte", "Berufskolleg"]
    assert "30,00" in lines[1]


def test_the_page_takes_equally_many_queries_at_any_number_of_schools(plan):
    def queries() -> int:
        user = SupportFactory()
        page(user)
        with CaptureQueriesContext(connection) as captured:
            assert page(user).status_code == 200
        return len(captured)

    counts = []
    for number in (10, 90):
        SchoolFactory.create_batch(number)
        services.recalculate_stale()
        counts.append(queries())
    assert counts[0] == counts[1]


def test_the_school_page_shows_the_quota_against_its_target(city):
    client = Client()
    client.force_login(CoordinatorFactory(schools=[city["college"]]))
    shown = " ".join(
        client.get(reverse("schools:detail", args=["170001"])).content.decode().replace("\u202f", " ").split()
    )
    assert "30,0 % · 1 : 3,3" in shown
    assert "3 Geräte für 10 Schülerinnen und Schüler" in shown
    assert "Unter dem Ziel: 1 Gerät fehlt" in shown
