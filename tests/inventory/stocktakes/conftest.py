"""A stocktake that runs at a school with three devices in two rooms, and its coordinator."""

import pytest

from apps.inventory import services
from tests.factories import ClerkFactory, CoordinatorFactory, DeviceFactory, ProductFactory, SchoolFactory


@pytest.fixture
def school():
    return SchoolFactory(short_name="Talschule", number="100100")


@pytest.fixture
def coordinator(school):
    return CoordinatorFactory(schools=[school], name="Kim Koordination")


@pytest.fixture
def stocktake(school, coordinator):
    clerk, product = ClerkFactory(), ProductFactory(manufacturer="Muster", model="Tablet 11")
    for number, room in enumerate(("1", "1", "2"), start=1):
        DeviceFactory(product=product, school=school, room=room, tag=f"T-{number}", by=clerk)
    DeviceFactory(product=product, school=SchoolFactory(short_name="Geheimschule"), tag="FREMD", by=clerk)
    return services.start_stocktake(school=school, by=coordinator)


@pytest.fixture
def signed_in(client, coordinator):
    client.force_login(coordinator)
    return client
