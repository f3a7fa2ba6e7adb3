"""The room of the school where a device stands is not carried to another one."""

import pytest
from playwright.sync_api import expect

from apps.inventory.models import Device
from tests.browser.city import City, make_city
from tests.support.browser import Pages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def city(transactional_db: None) -> City:
    return make_city()


def test_another_school_empties_the_room_and_the_first_one_brings_it_back(city: City, pages: Pages) -> None:
    Device.objects.filter(school=city.school).update(room="101")
    device = Device.objects.filter(school=city.school).order_by("pk")[0]
    page = pages.open(city.people["office_clerk"])
    page.goto(f"/inventory/{device.tag}/move/")
    school, room = page.get_by_label("Schule"), page.get_by_label("Raum")
    here = school.input_value()
    other = school.locator(f"option:not([value='']):not([value='{here}'])").first.get_attribute("value") or ""

    school.select_option(other)
    expect(room).to_have_value("")
    school.select_option(here)
    expect(room).to_have_value(device.room)
    room.fill("Bücherei")
    school.select_option(other)
    expect(room).to_have_value("Bücherei")

    room.fill(device.room)
    page.get_by_role("button", name="Umsetzen").click()
    expect(page.get_by_text(f"{device.tag} ist umgesetzt.")).to_be_visible()
    moved = Device.objects.get(pk=device.pk)
    assert (str(moved.school_id), moved.room) == (other, device.room)
