"""A stocktake of ten devices in two rooms."""

import pytest

from apps.inventory import services
from apps.inventory.models import Device, Stocktake
from tests.browser.city import City, make_city


@pytest.fixture
def city(transactional_db: None) -> City:
    """The first school's ten devices stand in two rooms."""
    city = make_city()
    by = city.people["it_support"]
    for number, device in enumerate(Device.objects.filter(school=city.school).order_by("tag")):
        services.move_device(device=device, school=city.school, room="1" if number < 5 else "2", by=by)
    return city


@pytest.fixture
def tags(city: City) -> list[str]:
    return list(Device.objects.filter(school=city.school).order_by("tag").values_list("tag", flat=True))


@pytest.fixture
def stocktake(city: City) -> Stocktake:
    return services.start_stocktake(school=city.school, by=city.people["coordinator"])
