"""Every stored month since 2020, and random days that are not stored, against the naive oracle: school, type, city."""

import datetime
import random
from typing import Any

import pytest

from apps.core import clock
from apps.quotas.calculations import two_places
from apps.quotas.figures import Figure
from apps.quotas.models import QuotaFigure
from apps.quotas.selectors import current_plan, overview
from tests.quotas.oracle import FIELDS, Oracle

pytestmark = pytest.mark.django_db

FIRST_DAY = datetime.date(2020, 1, 1)
SEED = 2020
RANDOM_DAYS = 50


@pytest.fixture(scope="module")
def oracle(loaded, django_db_blocker):
    with django_db_blocker.unblock():
        return Oracle()


def firsts_of_months() -> list[datetime.date]:
    today = clock.today()
    months = [datetime.date(year, month, 1) for year in range(FIRST_DAY.year, today.year + 1) for month in range(1, 13)]
    return [day for day in months if day <= today]


def random_days() -> list[datetime.date]:
    every = [FIRST_DAY + datetime.timedelta(days=number) for number in range((clock.today() - FIRST_DAY).days)]
    return sorted(random.Random(SEED).sample([day for day in every if day.day != 1], RANDOM_DAYS))


def shown(figure: Figure) -> dict[str, Any]:
    """A total's values in the words of the oracle."""
    names = ("devices", "parent_financed", "presentation_devices", "pupils", "target_devices", "difference")
    values = {name: getattr(figure.numbers, name) for name in names}
    return values | {"percent": two_places(figure.percent), "mean_of_schools": two_places(figure.mean_of_schools)}


def compare(oracle: Oracle, day: datetime.date) -> None:
    """All figures of the plan in force on a day: each school's row, each type's sums and the city's."""
    plan = current_plan(day)
    read, rows = overview(plan, day), oracle.counted_rows(plan, day)
    schools = {figure.school.pk: figure for figure in read.schools}
    assert {pk: {name: getattr(one.numbers, name) for name in FIELDS} for pk, one in schools.items()} == rows, day
    assert shown(read.city) == vars(oracle.total(rows.values())), day
    types = {oracle.schools[pk].school_type_id for pk in rows}
    assert {figure.key for figure in read.school_types} == types
    for figure in read.school_types:
        members = [row for pk, row in rows.items() if oracle.schools[pk].school_type_id == figure.key]
        right = vars(oracle.total(members)) | {"mean_of_schools": None}  # only the city has one
        assert shown(figure) == right, (day, figure.name)


def test_every_first_of_a_month_since_2020_is_stored_and_right(oracle):
    for day in firsts_of_months():
        assert QuotaFigure.objects.filter(plan=current_plan(day), day=day, counted=True).count() == 52, day
        compare(oracle, day)


def test_fifty_days_that_are_not_stored_are_right_too(oracle):
    days = random_days()
    assert len(set(days)) == RANDOM_DAYS
    assert not QuotaFigure.objects.filter(day__in=set(days) - {datetime.date(2024, 12, 31)}).exists()
    for day in days:
        compare(oracle, day)
