"""A plan with its targets, and a school that has been counted."""

import pytest

from tests.factories import SchoolFactory
from tests.quotas.factories import count_pupils, make_plan


@pytest.fixture
def plan():
    return make_plan()


@pytest.fixture
def school(plan):
    school = SchoolFactory()
    count_pupils(school, 101)
    return school
