"""Lists of the inventory on a phone: the rows stand on the first screen, and nothing that can be done is lost."""

import pytest
from playwright.sync_api import ViewportSize, expect

from apps.inventory import services
from tests.browser.city import City, make_city
from tests.support.browser import Pages

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = ViewportSize(width=390, height=844)
LISTS = ("/inventory/", "/loans/", "/inventory/stocktakes/")


@pytest.fixture
def city(transactional_db: None) -> City:
    city = make_city()
    services.start_stocktake(school=city.school, by=city.people["it_support"])
    services.lend_device(device=city.school.devices.first(), by=city.people["it_support"])
    return city


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("role", ["office_clerk", "coordinator"])
def test_the_first_row_is_on_the_first_screen(city: City, pages: Pages, role: str, address: str) -> None:
    page = pages.open(city.people[role], viewport=PHONE)
    page.goto(address)
    expect(page.locator("tbody tr").first).to_be_in_viewport(ratio=1)
    expect(page.locator(".portal-page-head .kern-btn--primary")).to_have_count(1)


@pytest.mark.parametrize("width", [390, 1280])
def test_more_actions_open_and_close(city: City, pages: Pages, width: int) -> None:
    page = pages.open(city.people["office_clerk"], viewport=ViewportSize(width=width, height=844))
    page.goto("/inventory/")
    place = page.locator(".portal-page-head .portal-dropdown")
    links = place.get_by_role("link")
    expect(links).to_have_count(0)
    place.get_by_text("Weitere Aktionen").click()
    expect(links).to_have_text(
        ["Lieferung scannen", "Inventuren", "Alter und Ersatz", "Geräte importieren", "Exportieren"]
    )
    for link in links.all():
        expect(link).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    expect(links).to_have_count(0)
    place.get_by_text("Weitere Aktionen").click()
    links.last.click()
    expect(page.get_by_role("link", name="CSV")).to_be_in_viewport()
    expect(links).to_have_count(0)
