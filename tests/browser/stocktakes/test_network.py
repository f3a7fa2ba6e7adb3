"""A stocktake on a phone: the network breaks off, the page is closed and opened again, and each scan counts once."""

import json
import re
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from apps.inventory import services
from apps.inventory.models import Device, StocktakeScan
from tests.browser.stocktakes.phone import PHONE, open_findings, put_away, reopened, scan, scans
from tests.support import browser as browsing

pytestmark = pytest.mark.django_db(transaction=True)


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
