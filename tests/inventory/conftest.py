"""Whoever works in the office, and the devices of a school; a file that needs others makes its own."""

import pytest

from apps.core.clock import today
from tests import factories
from tests.inventory.test_services import DAY


@pytest.fixture
def clerk(client):
    person = factories.ClerkFactory()
    client.force_login(person)
    return person


@pytest.fixture
def school():
    return factories.SchoolFactory(number="120674", short_name="Overbergschule")


@pytest.fixture
def target():
    return factories.SchoolFactory(number="120675", short_name="Neue Schule")


@pytest.fixture
def devices(school):
    product = factories.ProductFactory()
    return [
        factories.DeviceFactory(tag=f"A-{number}", school=school, product=product, since=today() - 9 * DAY, room="1")
        for number in range(1, 5)
    ]
