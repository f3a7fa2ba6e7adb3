"""Days that are not stored: counted from the stored day before and what came and left since."""

import datetime

import pytest

from apps.inventory.choices import Ownership
from apps.inventory.services import change_kind_counting, change_ownership, move_device, retire_device
from apps.quotas import selectors, services
from apps.quotas.models import ComputedDay, QuotaFigure
from apps.quotas.statements import read_day
from apps.schools.models import School
from tests.factories import ClerkFactory, DeviceFactory, DeviceKindFactory, SchoolFactory
from tests.quotas.factories import DAY, count_pupils, day, make_plan
from tests.quotas.oracle import FIELDS, Oracle

pytestmark = pytest.mark.django_db
WINTER = [day("2024-11-27") + number * DAY for number in range(40)]
"""From before one stored day until after the next but one."""


@pytest.fixture
def moves(school):
    """Devices that come and leave around and on stored days, in every way that counting knows."""
    clerk, other = ClerkFactory(), SchoolFactory(closed_on=day("2024-12-20"))
    count_pupils(other, 40, "2024-12-11")

    def device(since: str, **values):
        return DeviceFactory(school=school, since=day(since), **values)

    for since in ("2024-11-01", "2024-12-01", "2024-12-02", "2024-12-15", "2024-12-31", "2025-01-01"):
        device(since)
    for since, until in (
        *(("2024-11-01", on) for on in ("2024-12-01", "2024-12-02", "2024-12-15", "2024-12-31", "2025-01-01")),
        *(("2024-12-05", on) for on in ("2024-12-06", "2024-12-28", "2025-01-02")),
    ):
        retire_device(device=device(since), reason="Zerbrochen", by=clerk, on=day(until))
    move_device(device=device("2024-11-20"), school=other, on=day("2024-12-08"), by=clerk)
    move_device(device=device("2024-12-03"), school=other, on=day("2024-12-09"), by=clerk)
    change_ownership(device=device("2024-11-20"), ownership=Ownership.PARENT_FINANCED, by=clerk, on=day("2024-12-10"))
    kind = DeviceKindFactory(projector=True)
    device("2024-11-20", product__kind=kind)
    change_kind_counting(kind=kind, countable=True, presentation=False, by=clerk, on=day("2024-12-12"))
    services.recalculate_stale()
    return school, other


def differences(plan, on: datetime.date) -> list[tuple]:
    """(school, what is read, what is right) for each school of the day that differs."""
    oracle = Oracle()
    right = {pk: oracle.row(plan, pk, on) for pk in School.objects.values_list("pk", flat=True)}
    read = {figure.school.pk: vars(figure.numbers) for figure in selectors.school_figures(plan, on)}
    counted = {pk: row for pk, row in right.items() if row["counted"]}
    assert read.keys() == counted.keys()
    pairs = ((pk, name, read[pk][name], row[name]) for pk, row in counted.items() for name in FIELDS)
    return [pair for pair in pairs if pair[2] != pair[3]]


def test_each_day_is_what_placements_say(plan, moves):
    assert [differences(plan, on) for on in WINTER] == [[]] * len(WINTER)
    school, other = moves
    devices = {figure.school.pk: figure.numbers.devices for figure in selectors.school_figures(plan, day("2024-12-19"))}
    assert devices == {school.pk: 9, other.pk: 2}


def test_what_is_stored_is_not_counted_again(plan, moves):
    school, _other = moves
    before = {row.school_id: row.row.devices for row in read_day(plan.pk, day("2024-12-19"), before=None)}
    stored = QuotaFigure.objects.get(school=school, day=day("2024-12-01"))
    QuotaFigure.objects.filter(pk=stored.pk).update(devices=stored.devices + 1000)
    after = {figure.school.pk: figure.numbers.devices for figure in selectors.school_figures(plan, day("2024-12-19"))}
    assert after == before | {school.pk: before[school.pk] + 1000}


def test_a_school_whose_stored_row_is_behind_is_counted(plan, moves):
    school, other = moves
    DeviceFactory.create_batch(3, school=other, since=day("2024-11-11"))
    QuotaFigure.objects.filter(school=school, day=day("2024-12-01")).delete()
    december = [on for on in WINTER if on.month == 12 and on.day > 1]
    assert [differences(plan, on) for on in december] == [[]] * 30
    devices = {figure.school.pk: figure.numbers.devices for figure in selectors.school_figures(plan, day("2024-12-19"))}
    assert devices == {school.pk: 9, other.pk: 5}


def test_a_day_before_any_stored_one_is_counted(school):
    plan = make_plan("2019-06-15", "2020-12-31")
    DeviceFactory(school=school, since=day("2019-06-17"))
    services.recalculate_stale()
    assert ComputedDay.objects.filter(plan=plan).order_by("day").first().day == day("2019-07-01")
    devices = [selectors.city_figure(plan, day(f"2019-06-{on}")).numbers.devices for on in (16, 17)]
    assert devices == [0, 1]


def test_only_schools_that_are_shown_are_read_whole(plan, moves, django_assert_num_queries):
    SchoolFactory.create_batch(5)
    read = selectors.overview(plan, day("2024-12-19"))
    with django_assert_num_queries(0):
        rows = read.schools_among(School.objects.all()).order_by("-numbers__devices", "school__sort_key")
        assert (len(rows), read.city.numbers.devices) == (7, 11)
    with django_assert_num_queries(1):
        assert [(figure.school, figure.school.school_type.key) for figure in rows[:2]] == [
            (school, school.school_type_id) for school in moves
        ]
