"""A delivery of a hundred tablets scanned with the keyboard, as a hand scanner types, with all that goes wrong."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from apps.inventory.models import Device, Kit, Scan, ScanSession
from tests.access.world import make_world
from tests.browser.city import City, make_city
from tests.factories import DeviceFactory, KitFactory, ProductFactory
from tests.support.browser import Pages, axe_violations

pytestmark = pytest.mark.django_db(transaction=True)
EAN = "4006381333931"
SERIALS = [f"DLX{number:04}" for number in range(1, 101)]
HEAR = (
    "window.heard = []; const start = OscillatorNode.prototype.start;"
    "OscillatorNode.prototype.start = function (...when) {"
    " window.heard.push(this.frequency.value); start.apply(this, when); };"
)
WORDS = {
    "kept": "ist erfasst",
    "twice": "schon gescannt",
    "taken": "gehört schon zu einem Gerät",
    "ean": "Artikelnummer",
}


@pytest.fixture
def city(transactional_db: None) -> City:
    return make_city()


def begin(page: Page, expected: int) -> None:
    page.goto("/inventory/")
    page.get_by_text("Weitere Aktionen").click()
    page.get_by_role("link", name="Lieferung scannen").click()
    page.get_by_label("Produkt").select_option(label="Muster Tablet 11")
    page.get_by_label(re.compile("^Erwartete Anzahl")).fill(str(expected))
    page.get_by_label(re.compile("^Raum")).fill("R 12")
    page.get_by_role("button", name="Scannen beginnen").click()
    expect(page.get_by_label("Seriennummer", exact=True)).to_be_focused()


def shoot(page: Page, *serials: str) -> None:
    """As a hand scanner does: all characters at once and Enter, without a look at the page, once it stands."""
    page.wait_for_load_state()
    for serial in serials:
        page.keyboard.type(serial)
        page.keyboard.press("Enter")


def shows(page: Page, number: int, of: int = 100) -> None:
    expect(page.locator(".portal-scan__count")).to_contain_text(
        re.compile(rf"^\s*{number}\s+von {of}\b"), timeout=20_000
    )


def waits(page: Page, number: int) -> None:
    place = page.locator("[data-scan-waiting]")
    if number:
        expect(place).to_contain_text(re.compile(rf"^{number} Seriennummer"))
    else:
        expect(place).to_be_hidden()


def test_a_hundred_tablets_with_all_that_goes_wrong(city: City, pages: Pages) -> None:
    DeviceFactory(tag="ALT-1", serial="DLX9999", school=city.school, room="Aula")
    forty_and_four_refused(pages.open(city.people["coordinator"]))
    the_other_sixty(pages.open(city.people["coordinator"]))


def forty_and_four_refused(page: Page) -> None:
    """The page is closed before anything is taken in."""
    begin(page, expected=100)
    shoot(page, *SERIALS[:40], SERIALS[7], "DLX9999", EAN, "A B")
    shows(page, 40)
    refused = page.locator("[data-scan-refused] li")
    expect(refused).to_have_count(4)
    expect(refused.nth(0)).to_contain_text("A B ist keine Seriennummer")
    expect(refused.nth(1)).to_contain_text(f"{EAN} ist die Artikelnummer")
    expect(refused.nth(2)).to_contain_text("ALT-1, Talschule, Aula")
    expect(refused.nth(3)).to_contain_text("DLX0008 haben Sie für diese Lieferung schon gescannt")
    expect(page.locator("[data-scan-answer] .kern-alert--danger")).to_be_visible()
    expect(page.get_by_label("Seriennummer", exact=True)).to_be_focused()
    assert axe_violations(page) == []
    page.close()


def the_other_sixty(page: Page) -> None:
    page.goto("/inventory/")
    expect(page.locator("main")).to_contain_text("Sie haben 40 Seriennummern gescannt, aber noch nicht aufgenommen.")
    page.get_by_role("link", name=re.compile("^Weiter mit Muster Tablet 11")).click()
    shows(page, 40)
    page.wait_for_load_state()
    expect(page.get_by_label("Seriennummer", exact=True)).to_be_focused()
    shoot(page, *SERIALS[40:], "ZUVIEL1")
    shows(page, 101)
    page.get_by_role("button", name="Letzte zurücknehmen").click()
    shows(page, 100)
    expect(page.get_by_label("Seriennummer", exact=True)).to_be_focused()
    expect(page.locator(".portal-scan__count")).to_contain_text("Die Lieferung ist vollständig.")
    page.get_by_role("button", name="DLX0050 entfernen").click()
    shows(page, 99)
    shoot(page, "dlx0050")
    shows(page, 100)
    take_a_hundred_in(page)


def take_a_hundred_in(page: Page) -> None:
    page.get_by_role("link", name="Prüfen und aufnehmen").click()
    assert axe_violations(page) == []
    page.get_by_role("button", name="100 Geräte aufnehmen").click()
    expect(page.locator("main")).to_contain_text("100 Geräte sind aufgenommen.")
    assert axe_violations(page) == []

    session = ScanSession.objects.get()
    devices = Device.objects.filter(scan__session=session)
    assert sorted(devices.values_list("serial", flat=True)) == SERIALS
    assert set(devices.values_list("school__short_name", "room", "status")) == {("Talschule", "R 12", "in_use")}
    assert Device.objects.count() == 60 + 1 + 100
    page.get_by_role("link", name="Liste dieser Geräte").click()
    expect(page.locator("caption")).to_contain_text("100")
    page.go_back()
    page.get_by_role("link", name="Etiketten für diese Geräte drucken").click()
    expect(page.locator("main")).to_contain_text("100 Geräte sind ausgewählt")


def test_without_connection_nothing_is_lost_and_nothing_counts_twice(city: City, pages: Pages) -> None:
    page = pages.open(city.people["coordinator"])
    begin(page, expected=4)
    shoot(page, "DLX0001")
    shows(page, 1, 4)

    page.context.set_offline(True)
    shoot(page, "DLX0002", "DLX0003")
    waits(page, 2)
    expect(page.locator("[data-scan-answer]")).to_contain_text("Keine Verbindung")
    page.get_by_role("link", name="Prüfen und aufnehmen").click()
    expect(page.locator("[data-scan-answer]")).to_contain_text("Es ist noch nicht alles gesendet")
    assert Scan.objects.count() == 1
    page.context.set_offline(False)
    shows(page, 3, 4)
    waits(page, 0)

    lost = lose_an_answer(page)
    shoot(page, "DLX0004")
    shows(page, 4, 4)
    assert len(lost) == 1
    assert list(Scan.objects.order_by("pk").values_list("serial", flat=True)) == [
        "DLX0001", "DLX0002", "DLX0003", "DLX0004",
    ]  # fmt: skip
    expect(page.locator("[data-scan-rows] tr")).to_have_count(4)


def lose_an_answer(page: Page) -> list[Any]:
    """The first sending from now on reaches the server, and its answer never comes back; the list holds it then."""
    lost: list[Any] = []

    def lose_the_first(route: Route) -> None:
        if lost or route.request.method != "POST":
            route.continue_()
            return
        lost.append(route.fetch())
        route.abort()

    page.route("**/inventory/scan/*/", lose_the_first)
    return lost


def test_what_waits_survives_a_closed_page_and_blocks_the_taking_in(city: City, pages: Pages) -> None:
    page = pages.open(city.people["coordinator"])
    begin(page, expected=2)
    shoot(page, "DLX0001")
    shows(page, 1, 2)
    address = page.url
    page.context.set_offline(True)
    shoot(page, "DLX0002")
    waits(page, 1)
    again = page.context.new_page()
    page.close()

    again.context.set_offline(False)
    again.goto(f"{address}take-in/")
    expect(again.locator("[data-scan-leftover]")).to_contain_text("DLX0002")
    expect(again.get_by_role("button", name="1 Gerät aufnehmen")).to_be_disabled()
    again.get_by_role("link", name="Zurück zum Scannen; dort werden sie gesendet").click()
    shows(again, 2, 2)
    again.goto(f"{address}take-in/")
    expect(again.get_by_role("button", name="2 Geräte aufnehmen")).to_be_enabled()


@pytest.fixture
def kit(city: City) -> Kit:
    """A tablet with a keyboard whose number is scanned, and a charger that bears none."""
    keyboard, charger = (ProductFactory(manufacturer="Muster", model=name) for name in ("Tastatur", "Ladegerät"))
    kit: Kit = KitFactory(name="Tablet-Set", parts=[(city.product, 1), (keyboard, 1), (charger, 1)])
    kit.parts.filter(product=keyboard).update(has_serial=True)
    return kit


def is_next(page: Page, words: str) -> None:
    expect(page.locator("[data-scan-next]")).to_have_text(f"Als Nächstes: {words}")


def test_a_kit_asks_for_its_numbers_in_turn_also_without_connection(city: City, kit: Kit, pages: Pages) -> None:
    page = pages.open(city.people["coordinator"])
    page.goto("/inventory/scan/")
    page.get_by_label("Oder ein Set").select_option(label="Tablet-Set")
    page.get_by_label(re.compile("^Erwartete Anzahl")).fill("4")
    page.get_by_role("button", name="Scannen beginnen").click()
    is_next(page, "Muster Tablet 11, Set 1")
    no_number = page.get_by_role("button", name="Hat keine Nummer")
    expect(no_number).to_be_hidden()
    shoot(page, "DLX0001")
    is_next(page, "Muster Tastatur, Set 1")
    expect(no_number).to_be_visible()
    shoot(page, "KEY0001")
    is_next(page, "Muster Tablet 11, Set 2")
    expect(page.locator(".portal-scan__count")).to_contain_text(re.compile(r"^\s*1\s+von 4 Sets vollständig"))

    without_connection(page)
    page.get_by_role("link", name="Weiter scannen").first.click()
    page.wait_for_url(re.compile(r"/inventory/scan/\d+/$"))
    shoot(page, "KEY0002")
    is_next(page, "Muster Tablet 11, Set 4")
    shoot(page, "DLX0004")
    is_next(page, "Muster Tastatur, Set 4")
    page.get_by_role("button", name="Letzte zurücknehmen").click()
    is_next(page, "Muster Tablet 11, Set 4")
    three_and_a_half_kits(page, kit)


def without_connection(page: Page) -> None:
    """The keyboard of the second kit is refused, and yet every later number goes to its own device."""
    no_number = page.get_by_role("button", name="Hat keine Nummer")
    page.context.set_offline(True)
    shoot(page, "DLX0002", "KEY0001", "DLX0003")
    is_next(page, "Muster Tastatur, Set 3")
    no_number.click()
    is_next(page, "Muster Tablet 11, Set 4")
    waits(page, 4)
    page.context.set_offline(False)
    waits(page, 0)
    expect(page.locator("[data-scan-refused] li")).to_contain_text(["KEY0001 haben Sie für diese Lieferung schon"])
    is_next(page, "Muster Tastatur, Set 2")
    assert axe_violations(page) == []
    page.get_by_role("link", name="Prüfen und aufnehmen").click()
    expect(page.locator("main")).to_contain_text("Set 2: Muster Tastatur")


def three_and_a_half_kits(page: Page, kit: Kit) -> None:
    page.get_by_role("link", name="Prüfen und aufnehmen").click()
    expect(page.locator("main")).to_contain_text("3 × Muster Tastatur: 2 mit Seriennummer, die übrigen ohne")
    assert axe_violations(page) == []
    page.get_by_role("button", name="9 Geräte aufnehmen").click()
    expect(page.locator("main")).to_contain_text("9 Geräte sind aufgenommen.")
    assert axe_violations(page) == []
    kits = {tuple(kit_set.devices.order_by("pk").values_list("product__model", "serial")) for kit_set in kit.sets.all()}
    assert kits == {
        (("Tablet 11", f"DLX000{number}"), ("Tastatur", key), ("Ladegerät", ""))
        for number, key in ((1, "KEY0001"), (2, "KEY0002"), (3, ""))
    }
    page.get_by_role("link", name="Etiketten für diese Geräte drucken").click()
    expect(page.locator("main")).to_contain_text("9 Geräte sind ausgewählt")


def test_a_refusal_is_solved_once_the_same_number_is_taken(city: City, pages: Pages) -> None:
    held = DeviceFactory(tag="ALT-1", serial="DLX9999", school=city.school, room="Aula")
    page = pages.open(city.people["coordinator"])
    begin(page, expected=2)
    shoot(page, "DLX9999", "A B")
    refused = page.locator("[data-scan-refused] li")
    expect(refused).to_have_count(2)
    Device.objects.filter(pk=held.pk).update(serial="")

    shoot(page, " dlx9999")

    shows(page, 1, of=2)
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("A B ist keine Seriennummer")
    page.reload()
    expect(refused).to_have_count(1)


def test_typing_elsewhere_and_pasting_lines_scan_too(city: City, pages: Pages) -> None:
    page = pages.open(city.people["coordinator"])
    begin(page, expected=4)
    page.locator("h1").click()
    shoot(page, "DLX0001")
    shows(page, 1, 4)
    page.get_by_role("button", name="DLX0001 entfernen").focus()
    shoot(page, "DLX0002")
    shows(page, 2, 4)
    page.get_by_text("Viele Nummern auf einmal eingeben").click()
    page.get_by_label("Seriennummern, eine je Zeile").fill("DLX0002\nDLX0003\n\n  dlx0004 ")
    page.get_by_role("button", name="Nummern erfassen").click()
    shows(page, 4, 4)
    expect(page.locator("[data-scan-answer]")).to_contain_text("2 Seriennummern sind erfasst.")
    expect(page.locator("[data-scan-refused] li")).to_have_count(1)


def test_sounds_tell_good_from_bad_and_can_be_switched_off(city: City, pages: Pages) -> None:
    page = pages.open(city.people["coordinator"])
    page.add_init_script(HEAR)
    begin(page, expected=4)
    shoot(page, "DLX0001")
    shows(page, 1, 4)
    assert page.evaluate("window.heard") == [1320]
    shoot(page, "DLX0001")
    expect(page.locator("[data-scan-answer]")).to_contain_text(WORDS["twice"])
    assert page.evaluate("window.heard") == [1320, 220, 220]
    page.get_by_label(re.compile("^Töne")).uncheck()
    shoot(page, "DLX0002")
    shows(page, 2, 4)
    assert page.evaluate("window.heard") == [1320, 220, 220]


def test_one_more_than_expected_is_kept_with_the_low_tone_and_a_warning(city: City, pages: Pages) -> None:
    page = pages.open(city.people["coordinator"])
    page.add_init_script(HEAR)
    begin(page, expected=1)
    shoot(page, "DLX0001")
    shows(page, 1, 1)
    expect(page.locator("[data-scan-answer] .kern-alert--success")).to_have_count(1)
    shoot(page, "DLX0002")
    shows(page, 2, 1)
    warning = page.locator("[data-scan-answer] .kern-alert--warning")
    expect(warning).to_contain_text("DLX0002 ist erfasst. 1 mehr als erwartet.")
    assert page.evaluate("window.heard") == [1320, 220, 220]
    assert axe_violations(page) == []


def test_without_script_the_page_is_a_form(transactional_db: None, pages: Pages) -> None:
    world = make_world()
    page = pages.open(world.people["coordinator"], java_script_enabled=False)  # type: ignore[index]  # roles are texts
    page.goto(world.row("scan").get_absolute_url())
    for serial, words in (("DLX0001", "1 Seriennummer ist erfasst"), ("DLX0001", WORDS["twice"]), (EAN, WORDS["ean"])):
        page.get_by_label("Seriennummer", exact=True).fill(serial)
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text(words)
    page.get_by_role("button", name="Letzte zurücknehmen").click()
    expect(page.locator(".portal-messages")).to_contain_text("DLX0001 ist entfernt.")
    page.get_by_role("link", name="Prüfen und aufnehmen").click()
    page.get_by_role("button", name="1 Gerät aufnehmen").click()
    expect(page.locator("main")).to_contain_text("1 Gerät ist aufgenommen.")
