"""A refused form: who comes back to it sends nothing again, and is offered what was typed until it was sent."""

import pytest
from playwright.sync_api import Page, expect

from apps.inventory.models import Device
from tests.browser.city import City, make_city
from tests.support.browser import Pages

pytestmark = pytest.mark.django_db(transaction=True)
OFFERED = "Es gibt Eingaben, die beim letzten Mal nicht abgesendet wurden."


@pytest.fixture
def city(transactional_db: None) -> City:
    return make_city()


def test_what_was_typed_is_offered_until_it_was_sent(city: City, pages: Pages) -> None:
    device = Device.objects.filter(school=city.school).order_by("pk")[0]
    page = pages.open(city.people["office_clerk"])
    page.goto(f"/inventory/{device.tag}/move/")
    refuse(page, room="Bücherei")
    expect(page.get_by_label("Raum")).to_have_value("Bücherei")

    page.reload()
    expect(page.get_by_text(OFFERED)).to_be_visible()
    page.goto("/inventory/")
    page.go_back()
    expect(page.get_by_text(OFFERED)).to_be_visible()
    page.get_by_role("button", name="Eingaben wiederherstellen").click()
    expect(page.get_by_label("Raum")).to_have_value("Bücherei")
    assert Device.objects.get(pk=device.pk).room == device.room

    page.get_by_label("Ab diesem Tag").fill("2026-11-01")
    page.get_by_role("button", name="Umsetzen").click()
    expect(page.get_by_text("Bücherei").first).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Ab diesem Tag")).to_be_visible()
    expect(page.get_by_text(OFFERED)).to_have_count(0)


def refuse(page: Page, *, room: str) -> None:
    """For its day, which is far ahead."""
    page.get_by_label("Raum").fill(room)
    page.get_by_label("Ab diesem Tag").fill("2199-01-01")
    page.get_by_role("button", name="Umsetzen").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
