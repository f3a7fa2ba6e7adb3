"""Working in bulk with the keyboard alone, on a laptop and at a phone with a keyboard: filters of one's own, then
moving and changing the devices that they find, each seen before it is written.
"""

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from apps.core.models import SavedFilter
from apps.inventory.models import Device
from tests.browser.city import City, make_city
from tests.browser.test_keyboard import choose, fill_in, press, reach, tab_to
from tests.support.browser import Pages

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = {"laptop": ViewportSize(width=1280, height=800), "phone": ViewportSize(width=390, height=844)}
NEAR = 8
"""Presses of Tab that are few enough to get from one step to the next."""


@pytest.fixture
def city(transactional_db: None) -> City:
    return make_city()


@pytest.mark.parametrize("size", SIZES)
def test_filters_kept_moved_and_changed_in_bulk(city: City, pages: Pages, size: str) -> None:
    page = pages.open(city.people["office_clerk"], viewport=SIZES[size])
    page.goto("/inventory/")
    keep_filter(page, is_phone=size == "phone")
    first, second, *_others = moved(page)
    assert set(Device.objects.filter(school=city.other_school, room="R 7").values_list("tag", flat=True)) == {
        first,
        second,
    }

    noted(page)
    assert Device.objects.filter(school=city.school, note="Geprüft.").count() == 8
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def to_content(page: Page) -> None:
    """Over the frame, by the first stop of each page; a list that is filtered anew begins at its content already."""
    if page.url.endswith("#main"):
        return
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Zum Inhalt springen")).to_be_focused()
    page.keyboard.press("Enter")


def keep_filter(page: Page, *, is_phone: bool) -> None:
    to_content(page)
    if is_phone:
        tab_to(page, "button", "Weitere Filter")
        page.keyboard.press("Enter")
        expect(page.get_by_role("combobox", name="Status")).to_be_focused()
    choose(page, "Schule", "Talschule")
    press(page, "button", "Filtern")
    to_content(page)
    reach(page, page.locator("summary", has_text="Diesen Filter merken"))
    page.keyboard.press("Enter")
    fill_in(page, "Name", "Talschule")
    press(page, "button", "Filter merken")
    assert SavedFilter.objects.get().name == "Talschule"
    page.goto("/inventory/")
    to_content(page)
    press(page, "link", "Talschule")
    expect(page.locator("caption")).to_have_text("10 Ergebnisse")


def moved(page: Page) -> list[str]:
    """Two rows are chosen one by one; the key that leads to the actions spares the stops of all other rows."""
    to_content(page)
    rows = page.locator("[data-row-check]")
    tags = [label.removeprefix("Zeile auswählen: ") for label in rows.evaluate_all(
        "(found) => found.map((box) => box.getAttribute('aria-label'))")]  # fmt: skip
    for number in (0, 1):
        reach(page, rows.nth(number))
        page.keyboard.press("Space")
    expect(page.locator("[data-bulk-count]")).to_have_text("2 Zeilen ausgewählt")
    expect(page.locator("[data-bulk-hint]")).to_be_visible()
    assert page.locator("[data-bulk]").bounding_box()["height"] < 90, "it leaves a phone's screen to the rows"
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Ändern oder umsetzen …")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    to_content(page)
    press(page, "link", "An eine Schule umsetzen")
    reach(page, page.get_by_role("combobox", name=re.compile("^Schule")), presses=NEAR)
    page.keyboard.type("Bergschule")
    reach(page, page.get_by_role("textbox", name=re.compile("^Raum")), presses=NEAR)
    page.keyboard.type("R 7")
    press(page, "button", "Prüfen, was geschehen würde")
    confirm(page, "2 Geräte ändern")
    return tags


def noted(page: Page) -> None:
    """All rows of the page, and a word at each of their notes."""
    to_content(page)
    press(page, "link", "Zurück zur Liste")
    expect(page.locator("caption")).to_have_text("8 Ergebnisse")
    to_content(page)
    every = page.locator("[data-row-check-all]")
    if every.is_visible():
        reach(page, every)
        page.keyboard.press("Space")
    else:
        for row in page.locator("[data-row-check]").all():
            reach(page, row, presses=NEAR * 3)
            page.keyboard.press("Space")
    page.keyboard.press("Enter")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    to_content(page)
    press(page, "link", "Notiz ergänzen")
    fill_in(page, "Notiz", "Geprüft.")
    press(page, "button", "Prüfen, was geschehen würde")
    confirm(page, "8 Geräte ändern")


def confirm(page: Page, name: str) -> None:
    """The first stop of the preview's content is the button that writes."""
    expect(page.locator("main")).to_contain_text("Noch ist nichts gespeichert.")
    to_content(page)
    reach(page, page.get_by_role("button", name=name), presses=NEAR)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text(re.compile(r"\d Geräte sind geändert\."))
