"""Facts about schools on a day."""

import datetime
from typing import Any

import pytest

from apps.accounts.choices import Role
from apps.schools import selectors
from apps.schools.models import PupilCount, School, Site, SocialIndex
from tests.factories import AuditorFactory, HeadFactory, SchoolFactory, UserFactory

pytestmark = pytest.mark.django_db


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def count(school: School, counted_on: str, pupils: int, **fields: Any) -> PupilCount:
    return PupilCount.objects.create(
        school=school, school_year="2024/25", counted_on=day(counted_on), pupils=pupils, **fields
    )


def test_a_count_is_valid_from_its_day_until_the_next() -> None:
    school, other = SchoolFactory(), SchoolFactory()
    count(other, "2024-10-15", 999)
    first, second = count(school, "2023-10-15", 100), count(school, "2024-10-15", 120, rounded=True)

    days = ("2023-10-14", "2023-10-15", "2024-10-14", "2024-10-15")
    found = [selectors.pupil_count_on(school, day(text)) for text in days]
    assert found == [None, first, first, second]
    assert selectors.pupil_count_on(school) == second


def test_main_site_and_newest_index() -> None:
    school = SchoolFactory()
    assert (selectors.main_site(school), selectors.social_index_of(school)) == (None, None)
    Site.objects.create(school=school, name="A")
    main = Site.objects.create(school=school, name="B", is_main=True)
    SocialIndex.objects.create(school=school, school_year="2025/26", level=6)
    SocialIndex.objects.create(school=school, school_year="2022/23", level=3)

    assert selectors.main_site(school) == main
    assert selectors.social_index_of(school).level == 6


@pytest.mark.parametrize("schools", [10, 100])
def test_facts_of_any_number_of_schools_take_one_query(schools: int, django_assert_num_queries: Any) -> None:
    rows = [SchoolFactory() for _ in range(schools)]
    for row in rows[1:]:
        count(row, "2023-10-15", 1)
        count(row, "2024-10-15", 200, rounded=True)
        SocialIndex.objects.create(school=row, school_year="2025/26", level=4)
    with django_assert_num_queries(1):
        found = list(selectors.with_facts(School.objects.order_by("pk"), day("2025-01-01")))

    facts = [
        (row.pupils, row.pupils_counted_on, row.pupils_rounded, row.social_level, row.social_year) for row in found
    ]
    assert facts == [(None,) * 5] + [(200, day("2024-10-15"), True, 4, "2025/26")] * (schools - 1)


def test_people_of_a_school_are_for_those_who_may_know() -> None:
    school = SchoolFactory()
    person = UserFactory(role=Role.COORDINATOR, schools=[school])
    UserFactory(role=Role.COORDINATOR, schools=[SchoolFactory()])
    UserFactory(role=Role.COORDINATOR, schools=[school], is_active=False)

    assert list(selectors.people_of(school, AuditorFactory())) == [person]
    assert list(selectors.people_of(school, HeadFactory())) == []
    assert list(selectors.people_of(school, person)) == []
