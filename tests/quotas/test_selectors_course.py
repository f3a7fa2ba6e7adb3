"""The course over time: one query, and each point equals the totals of the rows behind it."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.inventory.services import add_devices
from apps.quotas import calculations
from apps.quotas.charts import chart_of_course
from apps.quotas.course import course, up_to
from apps.quotas.figures import row_of
from apps.quotas.models import QuotaFigure
from apps.quotas.selectors import current_plan, overview
from apps.quotas.services import recalculate_all, recalculate_stale
from apps.schools.models import School
from tests.factories import ProductFactory, SchoolFactory, SchoolTypeFactory, SupportFactory
from tests.quotas.factories import count_pupils, day, make_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def city():
    """Two plans, three schools of two target groups, one of them never counted."""
    make_plan("2020-01-01", "2024-12-31")
    make_plan("2026-01-01", "2030-12-31")
    support = SupportFactory()
    primary, vocational, uncounted = (
        SchoolFactory(school_type=SchoolTypeFactory(key=key, name=name))
        for key, name in (("02", "Grundschule"), ("30", "Berufskolleg"), ("02", "Grundschule"))
    )
    count_pupils(primary, 103, "2020-10-15")
    count_pupils(primary, 120, "2023-10-15")
    count_pupils(vocational, 301, "2021-10-15")
    for school, since, quantity in (
        (primary, "2020-03-01", 7),
        (vocational, "2022-05-05", 40),
        (uncounted, "2020-02-02", 9),
        (primary, "2025-06-01", 21),
    ):
        add_devices(product=ProductFactory(), quantity=quantity, by=support, school=school, since=day(since))
    recalculate_stale()
    return primary


def rows_on(moment: datetime.date, **narrowed: object) -> list[calculations.FigureRow]:
    figures = QuotaFigure.objects.filter(day=moment, **narrowed)
    newest = max(figure.plan.starts_on for figure in figures.select_related("plan"))
    return [row_of(figure) for figure in figures.filter(plan__starts_on=newest)]


@pytest.mark.parametrize("narrowed", [{}, {"school_type": "02"}, {"school_type": "30"}])
def test_each_point_equals_the_totals_of_its_rows(city, narrowed):
    points = course(**narrowed)
    days = [point.day for point in points]
    assert days == sorted(set(days))
    assert {day("2020-01-01"), day("2024-12-01"), day("2024-12-31"), day("2026-01-01")} <= set(days)
    lookup = {"school__school_type": narrowed["school_type"]} if narrowed else {}
    for point in points:
        totals = calculations.totals(rows_on(point.day, **lookup))
        assert (point.devices, point.pupils) == (totals.quota_devices, totals.weighted_pupils), point.day
        assert point.percent == totals.percent
        assert point.target_pupils_per_device == totals.target_pupils_per_device


def test_before_the_first_count_there_is_no_quota(city):
    points = {point.day: point for point in course(schools=School.objects.filter(pk=city.pk))}
    assert points[day("2020-10-01")].percent is None
    assert points[day("2020-11-01")].percent == Decimal(700) / 103
    assert points[day("2020-11-01")].target_percent == 20


def test_a_course_ends_on_the_asked_day(city):
    assert course(day("2022-03-15"))[-1].day == day("2022-03-01")


def test_a_day_that_is_not_stored_is_the_last_point(city):
    asked = day("2022-05-17")
    read = overview(current_plan(asked), asked)
    school = read.schools[0]
    of_school = course(asked, schools=School.objects.filter(number=school.key))
    for figure, points in ((read.city, course(asked)), (school, of_school)):
        drawn = up_to(figure, points)
        assert drawn[:-1] == points
        assert (drawn[-1].day, drawn[-1].percent) == (asked, figure.percent)
        assert drawn[-1].target_pupils_per_device == figure.numbers.target_pupils_per_device
    assert course(asked)[-1].percent != read.city.percent
    stored = day("2022-05-01")
    assert up_to(overview(current_plan(stored), stored).city, course(stored)) == course(stored)


def test_the_course_takes_two_queries_whatever_it_covers(city):
    for narrowed in ({}, {"schools": School.objects.filter(pk=city.pk)}):
        with CaptureQueriesContext(connection) as captured:
            course(**narrowed)
        assert len(captured) == 2


def test_the_course_of_the_city_is_read_again_when_figures_were_written(city):
    before = course()
    with CaptureQueriesContext(connection) as captured:
        assert course() == before
    assert len(captured) == 1
    add_devices(product=ProductFactory(), quantity=4, by=SupportFactory(), school=city, since=day("2026-01-01"))
    assert course() == before
    recalculate_stale()
    assert course()[-1].devices == before[-1].devices + 4
    QuotaFigure.objects.filter(school=city).update(devices=0)
    recalculate_all()
    assert course()[-1].devices == before[-1].devices + 4


def test_the_chart_draws_the_target_of_each_day(city):
    chart = chart_of_course(course(school_type="02"), "Grundschule")
    assert chart.title == "Verlauf der Gerätequote: Grundschule"
    assert set(chart.targets) == {None, Decimal(20)}
    assert len(chart.labels) == len(chart.targets) == len(chart.series[0].values)
    assert chart_of_course(course(day("2020-10-31")), "Stadt") is None
