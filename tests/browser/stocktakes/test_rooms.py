"""Room by room: the next one, the complete ones, and the last."""

import uuid

import pytest
from playwright.sync_api import expect

from apps.inventory import services
from apps.inventory.models import Device
from tests.browser.stocktakes.phone import PHONE, put_away, reopened, scan
from tests.support import browser as browsing

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_next_room_follows_the_one_in_which_one_stands_also_without_network(city, stocktake, tags, pages):
    by = city.people["it_support"]
    for room, tag in zip(("3", "10"), tags[8:], strict=True):
        services.move_device(device=Device.objects.get(tag=tag), school=city.school, room=room, by=by)
    services.cancel_stocktake(stocktake=stocktake, by=city.people["coordinator"], reason="Zu früh")
    stocktake = services.start_stocktake(school=city.school, by=city.people["coordinator"])
    page = pages.open(city.people["coordinator"], viewport=PHONE)
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/?room=1")
    put_away(page)
    page.context.set_offline(True)
    for words in ("2 (0 von 3 gefunden)", "3 (0 von 1 gefunden)", "10 (0 von 1 gefunden)", "1 (0 von 5 gefunden)"):
        page.get_by_role("link", name=f"Nächster Raum: {words}", exact=True).click()
        expect(page.get_by_label("Raum, in dem Sie stehen")).to_have_value(words.split()[0])

    room = page.get_by_label("Raum, in dem Sie stehen")
    room.fill("3")
    room.press("Tab")
    page = reopened(page)
    expect(page.get_by_label("Raum, in dem Sie stehen")).to_have_value("3")
    expect(page.locator("[data-next]")).to_contain_text("Nächster Raum: 10")

    page.context.set_offline(False)
    page.get_by_role("link", name="Nächster Raum: 10").click()
    scan(page, tags[9])
    expect(page.locator("[data-progress]")).to_have_text("1 von 10 gefunden")
    expect(page.locator("[data-next]")).to_contain_text("Nächster Raum: 1 (0 von 5 gefunden)")
    page.get_by_role("link", name="Nächster Raum: 1").click()
    page.get_by_role("link", name="Nächster Raum: 2").click()
    page.get_by_role("link", name="Nächster Raum: 3").click()
    expect(page.locator("[data-next]")).to_contain_text("Nächster Raum: 1 (0 von 5 gefunden)")


def test_on_a_phone_the_rooms_that_are_complete_are_folded(city, stocktake, tags, pages):
    by = city.people["coordinator"]
    scanned = [services.SentScan(uuid.uuid4(), tag, room="1") for tag in tags[:5]]
    services.count_scans(stocktake=stocktake, scans=scanned, by=by)
    page = pages.open(by, viewport=PHONE)
    page.goto(stocktake.get_absolute_url())
    done, begun = page.get_by_role("table", name="Erwartete und gefundene Geräte je Raum").locator("tbody tr").all()
    expect(begun.get_by_role("link", name="2")).to_be_visible()
    expect(begun.get_by_text("nicht begonnen")).to_be_visible()
    fold = done.get_by_role("link", name="In diesem Raum scannen")
    summary = done.locator("summary")
    assert summary.inner_text().split() == ["1", "(5", "von", "5", "gefunden)"]
    expect(fold).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    expect(fold).to_be_visible()
    expect(done.locator("details").get_by_text("Vollständig")).to_be_visible()
    assert summary.evaluate("row => row.nextElementSibling.getBoundingClientRect().top"
                            " - row.getBoundingClientRect().bottom") == 8, "room for the ring of the focus"  # fmt: skip
    assert browsing.axe_violations(page) == []

    page.set_viewport_size({"width": 1280, "height": 800})
    expect(summary).to_be_hidden()
    expect(fold).to_be_hidden()
    expect(done.get_by_role("link", name="1")).to_be_visible()


def test_the_last_room_with_something_missing_is_not_its_own_next(city, stocktake, tags, pages):
    sent = [services.SentScan(uuid.uuid4(), tag, room="1") for tag in tags[:5]]
    services.count_scans(stocktake=stocktake, scans=sent, by=city.people["coordinator"])
    page = pages.open(city.people["coordinator"], viewport=PHONE)
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/?room=1")
    page.get_by_role("link", name="Nächster Raum: 2").click()
    expect(page.locator("[data-next]")).to_be_hidden()
