"""Reading figures: stored or computed, the same answer; who reads what; how many queries."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.jobs import fail_job, queue_job
from apps.core.models import Job, JobState
from apps.inventory.choices import Ownership
from apps.quotas import selectors, services
from apps.quotas.calculations import Share, two_places
from apps.quotas.figures import Figure
from apps.schools.models import PupilWeight, School
from apps.schools.services import raise_inputs_version
from tests.factories import CoordinatorFactory, DeviceFactory, DeviceKindFactory, SchoolFactory, SchoolTypeFactory
from tests.quotas.factories import DAY, count_pupils, day, make_plan

pytestmark = pytest.mark.django_db

KEYS = (
    *("plan", "day", "level", "key", "name", "devices", "presentation_devices", "parent_financed", "pupils"),
    *("weighted_pupils", "counted_on", "rounded", "percent", "pupils_per_device", "target_pupils_per_device"),
    *("target_devices", "difference", "mean_of_schools", "computed_at", "stale"),
)


@pytest.fixture
def plan():
    return make_plan()


@pytest.fixture
def city(plan):
    """A primary school with 2 devices for 8 pupils, a vocational college with 3 for 10."""
    primary = SchoolFactory(short_name="Albert-Schule", number="120001")
    college = SchoolFactory(short_name="Berufskolleg Mitte", number="170001", school_type_id="30")
    count_pupils(primary, 8)
    count_pupils(college, 10, "2024-10-15", rounded=False)
    for school, devices in ((primary, 2), (college, 3)):
        for _device in range(devices):
            DeviceFactory(school=school, since=day("2022-05-05"))
    DeviceFactory(school=primary, product__kind=DeviceKindFactory(projector=True), since=day("2022-05-05"))
    DeviceFactory(school=primary, product__kind=DeviceKindFactory(printer=True), since=day("2022-05-05"))
    DeviceFactory(school=college, ownership=Ownership.PARENT_FINANCED, since=day("2022-05-05"))
    services.recalculate_stale()
    return {"primary": primary, "college": college}


def without_moment(figure: Figure) -> dict[str, object]:
    return {name: value for name, value in selectors.as_json(figure).items() if name != "computed_at"}


def test_the_city_figure(plan, city):
    assert without_moment(selectors.city_figure(plan, day("2024-12-31"))) == {
        "plan": "MEP 2021–2025",
        "day": "2024-12-31",
        "level": "city",
        "key": "10315",
        "name": "Stadt Hamm",
        "devices": 5,
        "presentation_devices": 1,
        "parent_financed": 1,
        "pupils": 18,
        "weighted_pupils": "18.00",
        "counted_on": "2020-10-15",
        "rounded": True,
        "percent": "27.78",
        "pupils_per_device": "3.60",
        "target_pupils_per_device": "3.00",
        "target_devices": 6,
        "difference": -1,
        "mean_of_schools": "27.50",
        "stale": False,
    }


def test_keys_come_in_the_order_of_the_interface(plan, city):
    assert list(selectors.as_json(selectors.city_figure(plan, clock.today()))) == list(KEYS)
    without_mean = [key for key in KEYS if key != "mean_of_schools"]
    for level in ("school_type", "school"):
        for figure in selectors.figures(plan, clock.today(), level):
            assert list(selectors.as_json(figure)) == without_mean


def test_figures_of_school_types_and_schools(plan, city):
    types = selectors.figures(plan, clock.today(), "school_type")
    assert [(row.key, row.name, row.numbers.devices, row.numbers.target_pupils_per_device) for row in types] == [
        ("02", "Grundschule", 2, 5),
        ("30", "Berufskolleg", 3, 3),
    ]
    schools = selectors.figures(plan, clock.today(), "school")
    assert [(row.key, row.name, two_places(row.percent), row.numbers.difference) for row in schools] == [
        ("120001", "Albert-Schule", "25.00", 0),
        ("170001", "Berufskolleg Mitte", "30.00", -1),
    ]


@pytest.mark.parametrize("level", ["city", "school_type", "school"])
def test_computed_on_the_fly_or_stored_the_answer_is_the_same(plan, city, level):
    stored = [without_moment(figure) for figure in selectors.figures(plan, day("2024-12-01"), level)]
    on_the_fly = [without_moment(figure) for figure in selectors.figures(plan, day("2024-12-02"), level)]
    assert [row | {"day": "2024-12-01"} for row in on_the_fly] == stored


def test_a_stored_row_that_is_stale_says_so_and_any_other_day_is_fresh(plan, city):
    DeviceFactory(school=city["primary"])
    today = selectors.school_figure(plan, city["primary"], clock.today())
    assert (today.numbers.devices, today.stale) == (2, True)
    assert selectors.city_figure(plan, clock.today()).stale
    assert not selectors.school_figure(plan, city["college"], clock.today()).stale
    assert not selectors.city_figure(plan, day("2024-12-31")).stale


def test_a_school_without_a_row_yet_is_computed_at_once(plan, city):
    school = SchoolFactory(short_name="Neue Schule")
    count_pupils(school, 50)
    figure = selectors.school_figure(plan, school, clock.today())
    assert (figure.numbers.target_devices, figure.stale) == (10, False)
    assert len(selectors.figures(plan, clock.today(), "school")) == 3


def test_weights_hold_from_their_day_on(plan, city):
    PupilWeight.objects.create(school_type_id="30", valid_from=day("2024-08-01"), weight=Decimal("0.40"))
    raise_inputs_version([city["college"].pk])
    services.recalculate_stale()
    assert two_places(selectors.school_figure(plan, city["college"], day("2024-10-15")).percent) == "75.00"
    figure = selectors.school_figure(plan, city["college"], clock.today())
    assert (figure.numbers.pupils, figure.numbers.weighted_pupils) == (10, Decimal("4.00"))
    assert two_places(selectors.city_figure(plan, clock.today()).percent) == "41.67"


def test_shares_and_mean(plan, city):
    assert selectors.shares(plan, clock.today()) == {1: Share(0, 2), 2: Share(0, 2)}
    for _device in range(6):
        DeviceFactory(school=city["primary"])
    services.recalculate_stale()
    assert selectors.shares(plan, clock.today()) == {1: Share(1, 2), 2: Share(1, 2)}
    assert two_places(selectors.mean_of_schools(plan, clock.today())) == "65.00"


def test_a_coordinator_reads_the_rows_of_their_schools_only(plan, city):
    coordinator = CoordinatorFactory(schools=[city["college"]])
    figures = selectors.school_figures(plan, clock.today(), School.objects.visible_to(coordinator))
    assert [figure.key for figure in figures] == ["170001"]


def test_the_expected_effect_of_devices(plan, city):
    effect = selectors.expected_effect(plan, city["college"], 4, removed=1)
    assert two_places(effect.percent_before) == "30.00"
    assert (effect.devices_after, two_places(effect.percent_after), effect.difference_after) == (6, "60.00", 2)
    assert selectors.expected_effect(plan, city["college"], 0, removed=99).devices_after == 0
    assert selectors.expected_effect(plan, SchoolFactory(foreign=True), 4) is None


def test_a_portal_without_a_plan_stores_nothing():
    assert selectors.stored_days() == []
    assert (services.recalculate_stale().rows, services.recalculate_all().rows) == (0, 0)


def test_the_current_plan_stays_until_the_next_begins(plan):
    assert selectors.current_plan() == plan
    assert selectors.current_plan(day("2020-12-31")) is None
    following = make_plan("2026-01-01", "2030-12-31")
    assert selectors.current_plan(day("2025-12-31")) == plan
    assert selectors.current_plan(day("2026-01-01")) == following
    assert selectors.newest_day(plan) == day("2025-12-31")
    assert selectors.newest_day(following) == clock.today()


def test_unreadable_days_are_refused_with_a_sentence(plan):
    selectors.ensure_readable(plan, clock.today())
    with pytest.raises(DomainError, match=r"01\.01\.2021"):
        selectors.ensure_readable(plan, day("2020-12-31"))
    with pytest.raises(DomainError):
        selectors.ensure_readable(plan, clock.today() + DAY)


def test_the_status_says_how_current_the_figures_are(plan, city):
    status = selectors.figure_status()
    assert (status.pending, status.last_run_failed, status.overdue) == (0, False, False)
    assert status.as_of == status.last_run_ended_at
    DeviceFactory(school=city["primary"])
    assert selectors.figure_status().pending == 1


def test_figures_are_as_of_the_last_good_run_while_nothing_is_pending(plan, city):
    computed = selectors.city_figure(plan, clock.today()).computed_at
    good, bad = computed + datetime.timedelta(minutes=23), computed + datetime.timedelta(minutes=24)
    kind = selectors.STALE_JOB
    Job.objects.filter(kind__in=(kind, selectors.FULL_JOB)).delete()
    Job.objects.create(kind=kind, state=JobState.DONE, ended_at=good)
    Job.objects.create(kind=kind, state=JobState.FAILED, ended_at=bad)
    assert selectors.figure_status().as_of == good
    DeviceFactory(school=city["primary"])
    assert selectors.figure_status().as_of == computed


def test_the_status_says_when_the_last_run_failed_and_when_none_came(plan, city):
    fail_job(queue_job("quotas.recalculate_stale"), RuntimeError("disk full"))
    assert selectors.figure_status().last_run_failed
    services.recalculate_stale()
    assert not selectors.figure_status().last_run_failed
    DeviceFactory(school=city["primary"])
    Job.objects.update(ended_at=clock.now() - selectors.OVERDUE * 2)
    assert selectors.figure_status().overdue


def test_the_status_without_a_plan():
    assert selectors.figure_status() == selectors.FigureStatus(None, 0, None, False)


@pytest.mark.parametrize("on", ["today", "any other day"])
def test_reading_takes_equally_many_queries_at_any_number_of_schools(plan, on):
    chosen = clock.today() if on == "today" else day("2024-12-31")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            read = selectors.overview(plan, chosen)
            assert (read.city.numbers.schools, len(read.school_types)) == (len(read.schools), 3)
            selectors.figure_status()
        return len(captured)

    counts = []
    for number in (10, 90):
        for key in ("02", "20", "30"):
            SchoolFactory.create_batch(number // 3, school_type=SchoolTypeFactory(key=key))
        services.recalculate_stale()
        counts.append(queries())
    assert counts[0] == counts[1]
    assert counts[0] <= 12
