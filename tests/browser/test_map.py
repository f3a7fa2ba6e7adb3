"""The map of sites under a finger: one that lies alone is met from beside it, several that lie close are offered."""

import pytest
from playwright.sync_api import ViewportSize, expect

from apps.schools.models import Site
from tests.browser.city import City, make_city
from tests.factories import SchoolFactory
from tests.support.browser import Pages, axe_violations

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = ViewportSize(width=390, height=844)


@pytest.fixture
def city(transactional_db: None) -> City:
    city = make_city()
    far = SchoolFactory(short_name="Fernschule")
    for school, easting in ((city.school, 400000), (city.other_school, 400200), (far, 410000)):
        Site.objects.create(school=school, name="Hauptstandort", is_main=True, easting=easting, northing=5700000)
    return city


def test_a_finger_meets_schools_on_the_map(city: City, pages: Pages) -> None:
    page = pages.open(city.people["office_clerk"], viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto("/schools/network/")
    map_ = page.locator("[data-map] svg").first
    offered = page.locator("[data-map-near]")

    def tap(name: str, beside: float) -> None:
        map_.scroll_into_view_if_needed()
        box = map_.get_by_role("link", name=name).locator("[data-map-point]").bounding_box()
        assert box is not None
        page.touchscreen.tap(box["x"] + box["width"] / 2 + beside, box["y"] + box["height"] / 2)

    tap("Talschule", 6)
    expect(offered.get_by_role("link")).to_have_text(["Bergschule: keine Glasfaser", "Talschule: keine Glasfaser"])
    expect(offered.get_by_role("link").first).to_be_focused()
    for link in offered.get_by_role("link").all():
        box = link.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    assert axe_violations(page) == []
    offered.get_by_role("link", name="Talschule").click()
    page.wait_for_url(f"**/schools/{city.school.number}/")

    page.go_back()
    tap("Fernschule", -20)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fernschule")


def test_a_mouse_meets_single_points(city: City, pages: Pages) -> None:
    page = pages.open(city.people["office_clerk"])
    page.goto("/schools/network/")
    page.locator("[data-map] svg").first.get_by_role("link", name="Bergschule").locator("[data-map-point]").click()
    page.wait_for_url(f"**/schools/{city.other_school.number}/")
