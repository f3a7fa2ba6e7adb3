"""Sums, narrowing and order made by the database, against the same from rows in Python."""

import datetime
import random
from decimal import Decimal

import pytest

from apps.core import clock
from apps.quotas import calculations, selectors
from apps.quotas.calculations import figure_row, two_places
from apps.quotas.figures import Overview, SchoolRow, row_of
from apps.quotas.models import QuotaFigure
from apps.quotas.services import raise_targets_version, recalculate_stale
from apps.quotas.stored import StoredOverview
from apps.schools.models import School
from tests.factories import DeviceFactory, SchoolFactory, SchoolTypeFactory
from tests.quotas.factories import day, make_plan

pytestmark = pytest.mark.django_db
DAY = day("2024-12-01")
COLUMNS = (
    *("school__sort_key", "numbers__devices", "numbers__pupils", "percent", "numbers__pupils_per_device"),
    *("numbers__target_pupils_per_device", "numbers__difference", "numbers__parent_financed"),
    "numbers__presentation_devices",
)


def random_rows(plan, seed: int) -> list[QuotaFigure]:
    """Schools of three types: without count, with nobody in it, with fractions, closed, stale; sometimes none."""
    chance = random.Random(seed)
    rows = []
    for school in SchoolFactory.create_batch([0, 1, 2, 25][seed % 4]):
        school.school_type_id = chance.choice(["02", "20", "30"])
        school.save()
        row = figure_row(
            counted=chance.random() < 0.9,
            devices=chance.choice([0, 1, 50, 201]),
            parent_financed=chance.randrange(9),
            presentation_devices=chance.randrange(30),
            pupils=chance.choice([None, 0, 1, 50, 100, 333]),
            weight=chance.choice([None, Decimal("0.29"), Decimal("1.50")]),
            counted_on=chance.choice([day("2023-10-15"), day("2024-10-15")]),
            rounded=chance.random() < 0.5,
            target=chance.choice([None, Decimal("5.00"), Decimal("2.50")] if seed % 2 else [Decimal("5.00")]),
        )
        if row.pupils is None:
            row = figure_row(**{name: getattr(row, name) for name in ("counted", "devices", "parent_financed",
                             "presentation_devices")}, pupils=None, weight=None, counted_on=None, rounded=None,
                             target=row.target_pupils_per_device)  # fmt: skip
        rows.append(
            QuotaFigure(
                plan=plan,
                school=school,
                day=DAY,
                inputs_version=chance.choice([1, 1, 2]),
                targets_version=plan.targets_version,
                computed_at=clock.now(),
                **vars(row),
            )
        )
    QuotaFigure.objects.bulk_create(rows)
    return list(QuotaFigure.objects.select_related("school__school_type").order_by("school__sort_key", "school_id"))


def both(plan, rows) -> tuple[StoredOverview, Overview]:
    in_python = [
        SchoolRow(
            row.school_id,
            row.school.school_type_id,
            row.school.sort_key,
            row_of(row),
            row.computed_at,
            stale=row.inputs_version != row.school.inputs_version,
        )
        for row in rows
    ]
    return StoredOverview(plan, DAY), Overview(plan, DAY, in_python)


@pytest.fixture(params=range(12))
def read(request):
    plan = make_plan()
    return both(plan, random_rows(plan, request.param))


def test_totals_of_the_database_are_those_of_the_calculations(read):
    stored, counted = read
    rows = [figure.numbers for figure in counted.schools]
    assert stored.city.numbers == calculations.totals(rows)
    assert [figure.numbers for figure in stored.school_types] == [figure.numbers for figure in counted.school_types]
    assert [figure.key for figure in stored.school_types] == [figure.key for figure in counted.school_types]
    for most in (1, 2):
        assert stored.share_at(most) == calculations.share_at(rows, most)
    assert two_places(stored.city.mean_of_schools) == two_places(calculations.mean_of_schools(rows))
    assert stored.city.stale == counted.city.stale


def test_schools_are_the_same_and_narrow_alike(read):
    stored, counted = read
    assert stored.schools == counted.schools
    everybody = School.objects.all()
    for narrowed in (
        {},
        {"school_type": "30"},
        {"reach": 1},
        {"reach": 2, "school_type": "02"},
        {"below_target": True},
    ):
        expected = list(counted.schools_among(everybody, **narrowed))
        assert list(stored.schools_among(everybody, **narrowed)) == expected, narrowed
        assert len(stored.schools_among(everybody, **narrowed)) == len(expected)
    assert list(stored.schools_among(School.objects.none())) == []
    found, lowest = stored.below_target(3)
    expected, all_of_them = counted.below_target(99)
    assert found == expected
    assert [figure.percent for figure in lowest] == [figure.percent for figure in all_of_them[:3]]


@pytest.mark.parametrize("accessor", COLUMNS)
def test_each_column_sorts_by_its_value_with_unknown_ones_last(accessor):
    plan = make_plan()
    for read in both(plan, random_rows(plan, 7)):
        for sign in ("", "-"):
            figures = list(read.schools_among(School.objects.all()).order_by(sign + accessor))
            values = [_value(figure, accessor) for figure in figures]
            known = [value for value in values if value is not None]
            assert len(known) > 1
            assert values == sorted(known, reverse=bool(sign)) + [None] * (len(values) - len(known))


def _value(figure, accessor):
    for name in accessor.split("__") if accessor != "school__sort_key" else ("school", "sort_key"):
        figure = getattr(figure, name)
    return figure


def test_a_page_of_schools_is_read_alone(django_assert_num_queries):
    plan = make_plan()
    stored, _counted = both(plan, random_rows(plan, 7))
    rows = stored.schools_among(School.objects.all())
    with django_assert_num_queries(2):  # the keys in order, then these rows with their schools
        assert len(rows) > len(rows[3:5]) == 2
    narrowed = stored.schools_among(School.objects.filter(number__gte="0"), below_target=True)
    with django_assert_num_queries(3):
        assert len(narrowed) > len(narrowed[:1]) == 1


@pytest.fixture
def settled_city():
    """Two schools with 10 and 30 devices, today's figures stored and none due."""
    plan = make_plan()
    schools = SchoolFactory.create_batch(2, school_type=SchoolTypeFactory(key="02"))
    for school, number in zip(schools, (10, 30), strict=True):
        DeviceFactory.create_batch(number, school=school)
    recalculate_stale()
    return plan, schools


def city_devices(plan) -> int:
    return selectors.overview(plan, clock.today()).city.numbers.devices


def test_sums_are_kept_while_no_figure_is_written(settled_city):
    plan, _schools = settled_city
    assert city_devices(plan) == 40
    QuotaFigure.objects.update(devices=99)  # behind the back of the services
    assert city_devices(plan) == 40


def test_kept_sums_end_with_the_next_recalculation(settled_city):
    plan, (school, _other) = settled_city
    assert city_devices(plan) == 40
    DeviceFactory(school=school)
    recalculate_stale()
    assert city_devices(plan) == 41


def test_sums_are_kept_for_each_day_apart(settled_city):
    plan, _schools = settled_city
    month_before = (clock.today().replace(day=1) - datetime.timedelta(days=1)).replace(day=1)
    devices = [selectors.overview(plan, asked).city.numbers.devices for asked in (clock.today(), month_before)]
    assert devices == [40, 0]


def test_nothing_is_kept_while_a_figure_is_due(settled_city):
    plan, (school, _other) = settled_city
    DeviceFactory(school=school)
    assert selectors.overview(plan, clock.today()).city.stale
    QuotaFigure.objects.update(devices=99)
    assert city_devices(plan) == 198


def test_a_new_target_ends_kept_sums(settled_city):
    plan, _schools = settled_city
    before = selectors.overview(plan, clock.today()).city
    raise_targets_version(plan_ids=[plan.pk])
    plan.refresh_from_db()
    assert (before.stale, selectors.overview(plan, clock.today()).city.stale) == (False, True)
