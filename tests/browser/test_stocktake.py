"""A stocktake on a phone: the network breaks off, the page is closed and opened again, and each scan counts once."""

import json
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
import segno
from playwright.sync_api import Browser, Page, expect
from system_packages import find_chromium

from apps.inventory import services
from apps.inventory.models import Device, Stocktake, StocktakeScan
from tests.browser.city import City, make_city
from tests.support import browser as browsing

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"width": 390, "height": 844}


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


def scan(page: Page, code: str) -> None:
    """As a hand scanner does it: the number, then Enter."""
    page.get_by_label("Inventarnummer, Seriennummer oder Code").fill(code)
    page.keyboard.press("Enter")


def scans(page: Page) -> list[str]:
    """The last scans as the page shows them, newest first."""
    return [" ".join(text.split()) for text in page.locator("[data-scans] li").all_inner_texts()]


def reopened(page: Page) -> Page:
    """The page closed, and its address opened again in the same browser."""
    profile, address = page.context, page.url
    page.close()
    again = profile.new_page()
    again.goto(address)
    return again


def put_away(page: Page) -> None:
    """The page has put away what it needs without network."""
    expect(page.locator("[data-stocktake]")).to_have_attribute("data-kept-away", "yes")


def open_findings(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Brotkrumen").get_by_role("link", name=re.compile("Talschule")).click()
    page.get_by_role("link", name=name).click()


def test_with_a_broken_connection_each_scan_counts_once(city, tags, pages):
    page = pages.open(city.people["coordinator"], viewport=PHONE)
    page.goto("/inventory/")
    page.get_by_text("Weitere Aktionen").click()
    page.get_by_role("link", name="Inventuren").click()
    page.get_by_role("link", name="Inventur beginnen").first.click()
    page.get_by_role("button", name="Inventur beginnen").click()
    expect(page.locator("main")).to_contain_text("0 von 10 gefunden")
    put_away(page)

    page.get_by_label("Raum, in dem Sie stehen").fill("1")
    scan(page, f"{pages.address}/d/{tags[0]}")
    expect(page.locator("main")).to_contain_text("1 von 10 gefunden")
    assert scans(page) == [f"Gefunden {tags[0]} ist gefunden."]
    newest = page.locator("[data-newest]")
    expect(newest).to_be_in_viewport(ratio=1)
    assert " ".join(newest.inner_text().split()) == f"Gefunden {tags[0]} ist gefunden."
    expect(page.get_by_role("link", name="Nächster Raum: 2 (0 von 5 gefunden)")).to_be_visible()

    page.context.set_offline(True)
    scan(page, tags[1].lower())
    scan(page, f"/d/{tags[2]}")
    expect(page.locator("[data-scan-waiting]")).to_have_text("2 Scans warten")
    assert scans(page)[:2] == [f"Wartet /d/{tags[2]}", f"Wartet {tags[1].lower()}"]
    assert StocktakeScan.objects.count() == 1

    page = reopened(page)
    expect(page.locator("[data-scan-waiting]")).to_have_text("2 Scans warten")
    assert page.get_by_label("Raum, in dem Sie stehen").input_value() == "1"
    scan(page, tags[9])
    scan(page, "UNBEKANNT-1")
    expect(page.locator("[data-scan-waiting]")).to_have_text("4 Scans warten")

    page.context.set_offline(False)
    expect(page.locator("[data-scan-waiting]")).to_be_hidden()
    expect(page.locator("main")).to_contain_text("4 von 10 gefunden")
    assert scans(page)[:4] == [
        "Unbekannte Nummer UNBEKANNT-1 ist unbekannt. Die Nummer ist notiert.",
        f"In anderem Raum gefunden {tags[9]} ist gefunden. Verzeichneter Raum: 2.",
        f"Gefunden {tags[2]} ist gefunden.",
        f"Gefunden {tags[1]} ist gefunden.",
    ]
    counted = Counter(StocktakeScan.objects.values_list("item__code", flat=True))
    assert counted == Counter([*tags[:3], tags[9], "UNBEKANNT-1"])

    settle_everything(page, tags)
    read_result(page, tags)


def settle_everything(page: Page, tags: list[str]) -> None:
    open_findings(page, "In anderem Raum gefunden")
    page.get_by_role("checkbox", name=f"Zeile auswählen: {tags[9]}").check()
    page.get_by_role("button", name="Raum übernehmen", exact=True).click()
    expect(page.locator("main")).to_contain_text("1 Ergebnis ist geklärt.")
    open_findings(page, "Unbekannte Nummer")
    page.get_by_role("button", name="Alle: So belassen").click()
    page.get_by_label("Begründung").fill("Privates Gerät")
    page.get_by_role("button", name="So belassen").click()
    open_findings(page, "Nicht gefunden")
    page.get_by_role("button", name="Alle: Als verloren melden").click()
    expect(page.locator("main")).to_contain_text("6 Geräte werden als verloren gemeldet.")
    page.get_by_role("button", name="Als verloren melden").click()
    expect(page.locator("main")).to_contain_text("6 Ergebnisse sind geklärt.")
    assert Device.objects.filter(status="lost").count() == 6
    assert Device.objects.get(tag=tags[9]).room == "1"


def read_result(page: Page, tags: list[str]) -> None:
    page.get_by_role("navigation", name="Brotkrumen").get_by_role("link", name=re.compile("Talschule")).click()
    page.get_by_role("link", name="Inventur abschließen").click()
    page.get_by_role("button", name="Inventur abschließen").click()
    expect(page.locator("main")).to_contain_text("Die Inventur ist abgeschlossen.")
    with page.expect_download() as download:
        page.get_by_role("link", name="Ergebnis als PDF").click()
    document = pypdfium2.PdfDocument(Path(download.value.path()).read_bytes())
    text = " ".join(" ".join(sheet.get_textpage().get_text_bounded().split()) for sheet in document)
    assert document.is_tagged()
    for words in ("Inventur Talschule", "Erwartet 10", "Gefunden 4", "Nicht gefunden (6)", "Unbekannte Nummer (1)",
                  "so belassen: Privates Gerät", tags[5], "als verloren gemeldet"):  # fmt: skip
        assert words in text, text


def test_reopened_without_network_it_shows_what_the_portal_answered_last(city, tags, stocktake, pages):
    page = pages.open(city.people["coordinator"], viewport=PHONE)
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/?room=1")
    put_away(page)
    for found, tag in enumerate(tags[:3], start=1):
        scan(page, tag)
        expect(page.locator("[data-progress]")).to_have_text(f"{found} von 10 gefunden")
    expect(page.locator("[data-scan-waiting]")).to_be_hidden()
    page.context.set_offline(True)
    scan(page, tags[3])

    page = reopened(page)
    expect(page.locator("[data-progress]")).to_have_text("3 von 10 gefunden")
    expect(page.locator("[data-unsent]")).to_have_text("1 noch nicht gesendet")
    expect(page.get_by_role("link", name="Nächster Raum: 2 (0 von 5 gefunden)")).to_be_visible()
    assert scans(page) == [f"Wartet {tags[3]}", *(f"Gefunden {tag} ist gefunden." for tag in reversed(tags[:3]))]

    page.context.set_offline(False)
    expect(page.locator("[data-progress]")).to_have_text("4 von 10 gefunden")
    expect(page.locator("[data-unsent]")).to_be_hidden()
    expect(page.locator("[data-scan-waiting]")).to_be_hidden()
    page.context.set_offline(True)
    page = reopened(page)
    expect(page.locator("[data-progress]")).to_have_text("4 von 10 gefunden")


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
    fold = done.get_by_role("link", name="Ergebnisse in diesem Raum")
    summary = done.locator("summary")
    assert summary.inner_text().split() == ["1", "(5", "von", "5", "gefunden)"]
    expect(fold).to_be_hidden()
    summary.focus()
    page.keyboard.press("Enter")
    expect(fold).to_be_visible()
    expect(done.locator("details").get_by_text("Vollständig")).to_be_visible()
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


def test_an_answer_that_gets_lost_is_asked_for_again(city, tags, stocktake, pages):
    page = pages.open(city.people["coordinator"], viewport=PHONE, service_workers="block")
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/")

    def lose(route):
        route.fetch()
        route.abort()

    page.route("**/scan/", lambda route: lose(route) if route.request.method == "POST" else route.continue_())
    with page.expect_event("requestfailed"):
        scan(page, tags[0])
    expect(page.locator("[data-scan-waiting]")).to_have_text("1 Scan wartet")
    assert StocktakeScan.objects.count() == 1
    page.unroute("**/scan/")
    page.reload()
    expect(page.locator("[data-scan-waiting]")).to_be_hidden()
    expect(page.locator("main")).to_contain_text("1 von 10 gefunden")
    assert scans(page) == [f"Gefunden {tags[0]} ist gefunden."]
    newest = page.locator("[data-newest]")
    expect(newest).to_be_in_viewport(ratio=1)
    assert " ".join(newest.inner_text().split()) == f"Gefunden {tags[0]} ist gefunden."
    assert StocktakeScan.objects.count() == 1


def test_scans_that_arrive_after_the_end_are_answered_on_the_overview(city, tags, stocktake, pages):
    coordinator = city.people["coordinator"]
    page = pages.open(coordinator, viewport=PHONE, service_workers="block")
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/")
    page.context.set_offline(True)
    scan(page, tags[0])
    expect(page.locator("[data-scan-waiting]")).to_have_text("1 Scan wartet")
    services.cancel_stocktake(stocktake=stocktake, by=coordinator, reason="Falscher Raum")
    page.goto("about:blank")
    page.context.set_offline(False)
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/")
    late = page.get_by_role("region", name="Scans, die auf diesem Gerät gewartet haben")
    expect(late.get_by_role("listitem")).to_have_text(
        f"{tags[0]}: Die Inventur war beendet, bevor dieser Scan ankam. Er zählt nicht."
    )
    page.reload()
    late.get_by_role("button", name="Liste leeren").click()
    expect(late).to_be_hidden()
    page.reload()
    expect(late).to_be_hidden()
    assert StocktakeScan.objects.count() == 0


def test_a_scan_that_cannot_be_read_is_set_aside_and_the_others_go_on(city, tags, stocktake, pages):
    page = pages.open(city.people["coordinator"], viewport=PHONE, service_workers="block")
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/")
    page.context.set_offline(True)
    for code in (tags[0], "DAMAGED", tags[1]):
        scan(page, code)
    expect(page.locator("[data-scan-waiting]")).to_have_text("3 Scans warten")
    page.evaluate(
        """() => Object.entries(localStorage).filter(([, text]) => text.includes("DAMAGED")).forEach(([key, text]) =>
        localStorage.setItem(key, JSON.stringify({ ...JSON.parse(text), site: "nowhere" })))"""
    )
    page.context.set_offline(False)
    expect(page.locator("main")).to_contain_text("2 von 10 gefunden")
    aside = page.get_by_role("region", name="Nicht gezählt")
    expect(aside.get_by_role("listitem")).to_have_text(
        "DAMAGED: Diese Scans lassen sich nicht lesen. Bitte laden Sie die Seite neu."
    )
    expect(page.locator("[data-scan-waiting]")).to_be_hidden()
    assert browsing.axe_violations(page) == []
    page = reopened(page)
    expect(page.get_by_role("region", name="Nicht gezählt").get_by_role("listitem")).to_have_count(1)
    page.get_by_role("button", name="Liste leeren").click()
    expect(page.get_by_role("region", name="Nicht gezählt")).to_be_hidden()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('stocktake:')).length") == 0


def test_signing_out_throws_the_page_away_and_keeps_the_scans(city, tags, stocktake, pages):
    page = pages.open(city.people["coordinator"])
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/")
    put_away(page)
    assert page.evaluate("caches.keys()") == [f"mep-offline:{city.people['coordinator'].pk}:{stocktake.pk}"]
    page.context.set_offline(True)
    scan(page, tags[1])
    expect(page.locator("[data-scan-waiting]")).to_have_text("1 Scan wartet")
    page.route("**/scan/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.context.set_offline(False)
    page.goto("/inventory/")
    page.locator("summary", has_text="IT-Koordination").click()
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    page.wait_for_function("caches.keys().then((names) => names.length === 0)")
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((workers) => workers.length)") == 0
    kept = page.evaluate("Object.values(localStorage)")
    assert [json.loads(entry)["code"] for entry in kept if tags[1] in entry] == [tags[1]]


def test_another_persons_page_is_not_kept(city, stocktake, pages):
    page = pages.open(city.people["coordinator"])
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/")
    put_away(page)
    page.context.clear_cookies()
    page.context.add_cookies([browsing.session_cookie(city.people["it_support"], pages.address)])
    page.goto("/inventory/")
    page.wait_for_function("caches.keys().then((names) => names.length === 0)")


def picture_of(text: str, path: Path) -> Path:
    """A film of two frames for Chromium's false camera: the QR code of this text on white."""
    width, height, module = 640, 480, 10
    code = [list(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    luma = bytearray(b"\xeb" * (width * height))
    left, top = (width - len(code) * module) // 2, (height - len(code) * module) // 2
    for y, row in enumerate(code):
        for x, dark in enumerate(row):
            if dark:
                for line in range(module):
                    at = (top + y * module + line) * width + left + x * module
                    luma[at : at + module] = b"\x10" * module
    frame = b"FRAME\n" + bytes(luma) + b"\x80" * (width * height // 2)
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + frame * 2)
    return path


@pytest.fixture
def filmed(browser: Browser, tags: list[str], live_server, tmp_path: Path) -> Iterator[browsing.Pages]:
    """Pages of a browser whose camera sees the label of the first device."""
    film = picture_of(f"{live_server.url}/d/{tags[0]}", tmp_path / "label.y4m")
    flags = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    chromium = browser.browser_type.launch(executable_path=find_chromium(), args=[*browsing.FLAGS, *flags])
    try:
        yield from browsing.pages_of(chromium, live_server.url)
    finally:
        chromium.close()


def test_the_camera_reads_a_label_once_it_is_asked_for(city, tags, stocktake, filmed):
    page = filmed.open(city.people["coordinator"], viewport=PHONE, permissions=["camera"])
    page.add_init_script(
        "window.asked = 0; const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);"
        "navigator.mediaDevices.getUserMedia = (wish) => { window.asked += 1; return ask(wish); };"
    )
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/")
    expect(page.get_by_role("button", name="Kamera")).to_be_visible()
    assert page.evaluate("window.asked") == 0
    page.get_by_role("button", name="Kamera").click()
    expect(page.locator("main")).to_contain_text("1 von 10 gefunden")
    assert page.evaluate("window.asked") == 1
    assert scans(page) == [f"Gefunden {tags[0]} ist gefunden."]
    newest = page.locator("[data-newest]")
    expect(newest).to_be_in_viewport(ratio=1)
    assert " ".join(newest.inner_text().split()) == f"Gefunden {tags[0]} ist gefunden."
    page.get_by_role("button", name="Kamera").click()
    expect(page.locator("[data-video]")).to_be_hidden()
    expect(page.get_by_role("button", name="Kamera")).to_have_attribute("aria-pressed", "false")


def test_a_camera_that_is_refused_is_said(city, stocktake, pages):
    page = pages.open(city.people["coordinator"], viewport=PHONE, permissions=[])
    page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/")
    page.get_by_role("button", name="Kamera").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile("Die Kamera lässt sich nicht nutzen."))


def test_two_people_scan_at_once_and_both_see_how_far_it_is(city, tags, stocktake, pages):
    first, second = (pages.open(city.people[role]) for role in ("coordinator", "it_support"))
    for page in (first, second):
        page.goto(f"/inventory/stocktakes/{stocktake.pk}/scan/?room=1")
    scan(first, tags[0])
    expect(first.locator("main")).to_contain_text("1 von 10 gefunden")
    scan(second, tags[1])
    expect(second.locator("main")).to_contain_text("2 von 10 gefunden")
    scan(second, tags[0])
    expect(second.locator("main")).to_contain_text(f"{tags[0]} war schon gefunden.")
    assert stocktake.items.exclude(outcome="missing").count() == 2
