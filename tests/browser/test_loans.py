"""A coordinator hands a class set out and takes it back with a scanner: the focus never leaves the field."""

import pypdfium2
import pytest
from playwright.sync_api import Page, Route, expect

from apps.inventory.models import Device, Loan
from tests.browser.city import City, make_city
from tests.support.browser import Pages, axe_violations

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def city(transactional_db: None) -> City:
    return make_city()


def scan(page: Page, text: str) -> None:
    """As a scanner does: keys, then Enter, wherever the focus is, once the page stands."""
    page.wait_for_load_state()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def begin(page: Page) -> None:
    page.goto("/loans/")
    page.get_by_role("link", name="Geräte ausgeben").first.click()
    page.get_by_label("Klasse oder Gruppe").fill("7b")
    page.get_by_label("Zubehör").fill("Ladekabel")
    page.get_by_role("button", name="Mit dem Scannen beginnen").click()
    expect(page.get_by_label("Inventarnummer, Seriennummer oder QR-Code")).to_be_focused()


def test_a_class_set_goes_out_and_comes_back(pages: Pages, city: City) -> None:
    page = pages.open(city.people["coordinator"])
    tags = list(Device.objects.filter(school=city.school).order_by("tag").values_list("tag", flat=True))
    assert len(tags) == 10
    begin(page)
    field = page.get_by_label("Inventarnummer, Seriennummer oder QR-Code")
    for number, tag in enumerate(tags, start=1):
        expect(field).to_be_focused()
        scan(page, f"http://testserver/d/{tag}" if number % 2 else tag.lower())
        expect(page.get_by_role("heading", name=f"{number} Gerät")).to_be_visible()
    scan(page, tags[0])
    expect(page.locator("[data-scan-part=outcome]").get_by_text("ist schon verliehen")).to_be_visible()
    expect(field).to_be_focused()
    assert axe_violations(page) == []
    assert list(Loan.objects.filter(state="out", group="7b").values_list("school", flat=True)) == [city.school.pk] * 10

    with page.expect_download() as got:
        page.get_by_role("link", name="Leihscheine der Klasse").click()
    document = pypdfium2.PdfDocument(got.value.path(), autoclose=True)
    texts = [sheet.get_textpage().get_text_range() for sheet in document]
    assert [next(tag for tag in tags if tag in text) for text in texts] == tags
    assert all("erziehungsberechtigten" in text for text in texts)

    page.goto("/loans/take-back/?group=7b&school=" + city.school.number)
    for number, tag in enumerate(tags, start=1):
        expect(field).to_be_focused()
        if number == 10:
            page.get_by_label("Zustand").select_option("damaged")
            page.get_by_label("Neue Schäden").fill("Riss im Display")
            field.focus()
        scan(page, tag)
        expect(page.get_by_role("heading", name=f"Sie haben heute {number} Gerät")).to_be_visible()
    expect(page.get_by_text("Alles ist zurück.")).to_be_visible()
    expect(page.get_by_label("Zustand")).to_have_value("")
    conditions = Loan.objects.order_by("device__tag").values_list("state", "condition_back", "damage_back")
    assert list(conditions) == [("returned", "", "")] * 9 + [("returned", "damaged", "Riss im Display")]
    assert set(Device.objects.filter(school=city.school).values_list("status", flat=True)) == {"in_use"}


def test_scans_that_come_faster_than_answers_are_all_taken(pages: Pages, city: City) -> None:
    page = pages.open(city.people["coordinator"])
    tags = list(Device.objects.filter(school=city.school).order_by("tag").values_list("tag", flat=True))
    begin(page)
    expect(page.get_by_label("Inventarnummer, Seriennummer oder QR-Code")).to_be_focused()
    for tag in tags:
        scan(page, tag)
    expect(page.get_by_role("heading", name="10 Geräte heute ausgegeben")).to_be_visible()
    assert Loan.objects.filter(state="out").count() == 10
    page.get_by_role("button", name=f"{tags[-1]} rückgängig machen").click()
    expect(page.get_by_role("heading", name="9 Geräte heute ausgegeben")).to_be_visible()
    assert Loan.objects.get(device__tag=tags[-1]).state == "cancelled"


def test_what_was_scanned_without_network_waits_and_what_was_refused_stays_in_sight(pages: Pages, city: City) -> None:
    page = pages.open(city.people["coordinator"])
    tags = list(Device.objects.filter(school=city.school).order_by("tag").values_list("tag", flat=True)[:3])
    begin(page)
    field = page.get_by_label("Inventarnummer, Seriennummer oder QR-Code")
    expect(field).to_be_focused()
    page.context.set_offline(True)
    for tag in (*tags, tags[0]):
        scan(page, tag)
        expect(field).to_have_value("")
    expect(page.get_by_text("sobald sie wieder da ist")).to_be_visible()
    expect(page.get_by_text(", ".join((*tags, tags[0])))).to_be_visible()
    assert Loan.objects.count() == 0
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="3 Geräte heute ausgegeben")).to_be_visible()
    expect(page.locator("[data-scan-refused] li")).to_contain_text([f"{tags[0]} ist schon verliehen"])
    expect(page.get_by_text("sobald sie wieder da ist")).to_be_hidden()
    assert list(Loan.objects.order_by("pk").values_list("device__tag", flat=True)) == tags
    assert axe_violations(page) == []


def test_handing_out_and_taking_back_each_show_what_they_refused(pages: Pages, city: City) -> None:
    page = pages.open(city.people["coordinator"])
    begin(page)
    scan(page, "FEHLT-1")
    refused = page.locator("[data-scan-refused] li")
    expect(refused).to_contain_text(["FEHLT-1"])
    handing_out = page.url

    page.goto("/loans/take-back/?school=" + city.school.number)
    expect(refused).to_have_count(0)
    scan(page, "FEHLT-2")
    expect(refused).to_contain_text(["FEHLT-2"])
    page.get_by_role("button", name="Liste leeren").click()
    expect(refused).to_have_count(0)
    page.goto(handing_out)
    expect(refused).to_contain_text(["FEHLT-1"])
    page.goto("/loans/")
    expect(refused).to_have_count(1)


def test_without_script_each_scan_loads_the_page_with_the_focus_in_the_field(pages: Pages, city: City) -> None:
    page = pages.open(city.people["coordinator"], java_script_enabled=False, viewport=PHONE)
    tags = list(Device.objects.filter(school=city.school).order_by("tag").values_list("tag", flat=True)[:2])
    begin(page)
    field = page.get_by_label("Inventarnummer, Seriennummer oder QR-Code")
    for tag in tags:
        expect(field).to_be_focused()
        scan(page, tag)
        expect(page.locator("main").get_by_text(f"{tag} ist ausgegeben")).to_be_visible()
    expect(field).to_be_focused()
    scan(page, "UNBEKANNT")
    expect(page.locator("main").get_by_text("ist hier nicht bekannt")).to_be_visible()
    assert Loan.objects.filter(state="out").count() == 2


def shelf_tags(city: City, number: int) -> list[str]:
    return list(Device.objects.filter(school=city.school).order_by("tag").values_list("tag", flat=True)[:number])


def test_numbers_that_wait_survive_a_closed_page_and_are_sent_once(pages: Pages, city: City) -> None:
    page = pages.open(city.people["coordinator"])
    tags = shelf_tags(city, 3)
    begin(page)
    scan(page, tags[0])
    expect(page.get_by_role("heading", name="1 Gerät heute ausgegeben")).to_be_visible()
    page.context.set_offline(True)
    scan(page, tags[1])
    scan(page, tags[0])
    expect(page.get_by_text(f"{tags[1]}, {tags[0]}")).to_be_visible()
    again = page.context.new_page()
    page.close()
    assert Loan.objects.count() == 1

    again.context.set_offline(False)
    again.goto("/loans/")
    later = again.get_by_role("region", name="Von diesem Gerät nachträglich gesendet")
    expect(later.get_by_role("listitem")).to_contain_text([f"{tags[1]} ist ausgegeben"])
    number = later.locator(".portal-nowrap")
    expect(number).to_have_text([Loan.objects.get(device__tag=tags[1]).number])
    refused = again.get_by_role("region", name="Nicht ausgeführt")
    expect(refused.get_by_role("listitem")).to_contain_text([f"{tags[0]} ist schon verliehen"])
    assert axe_violations(again) == []
    assert list(Loan.objects.order_by("pk").values_list("device__tag", "group")) == [(tags[0], "7b"), (tags[1], "7b")]

    begin(again)
    expect(again.get_by_role("region", name="Nicht ausgeführt").get_by_role("listitem")).to_have_count(1)
    again.get_by_role("button", name="Liste leeren").click()
    expect(again.get_by_role("region", name="Nicht ausgeführt")).to_be_hidden()


def test_each_desk_shows_what_waits_for_it_and_leads_to_the_other(pages: Pages, city: City) -> None:
    page = pages.open(city.people["coordinator"], viewport=PHONE)
    tags = shelf_tags(city, 3)
    page.goto("/loans/take-back/")
    other = page.context.new_page()
    begin(other)
    page.context.set_offline(True)
    for tag in tags[:2]:
        scan(other, tag)
    waiting = other.locator("[data-queue-box]")
    expect(waiting).to_contain_text("2 Scans warten hier und sind noch nicht gesendet:")
    expect(waiting.get_by_role("link")).to_have_count(0)

    scan(page, tags[2])
    here = page.locator("[data-queue-box]")
    expect(here.get_by_text("1 Scan wartet hier und ist noch nicht gesendet:")).to_be_visible()
    expect(here.get_by_text(tags[2], exact=True)).to_be_visible()
    leads = here.get_by_role("link", name="2 Scans warten bei „Geräte ausgeben“.")
    expect(leads).to_have_attribute("href", "/loans/hand-out/")
    expect(waiting.get_by_role("link", name="1 Scan wartet bei „Geräte zurücknehmen“.")).to_be_visible()
    expect(waiting.get_by_text(", ".join(tags[:2]), exact=True)).to_be_visible()
    assert axe_violations(page) == []


def test_an_answer_that_gets_lost_hands_out_and_takes_back_once(pages: Pages, city: City) -> None:
    page = pages.open(city.people["coordinator"])
    (tag,) = shelf_tags(city, 1)

    def lose_first(pattern: str) -> list[object]:
        lost: list[object] = []

        def lose(route: Route) -> None:
            if route.request.method != "POST" or lost:
                route.continue_()
            else:
                lost.append(route.fetch())
                route.abort()

        page.route(pattern, lose)
        return lost

    begin(page)
    expect(page.get_by_label("Inventarnummer, Seriennummer oder QR-Code")).to_be_focused()
    lost = lose_first("**/loans/hand-out/**")
    scan(page, tag)
    expect(page.locator("[data-scan-part=outcome]").get_by_text(f"{tag} ist ausgegeben")).to_be_visible(timeout=20_000)
    assert (len(lost), Loan.objects.count()) == (1, 1)
    page.goto("/loans/take-back/")
    expect(page.get_by_label("Inventarnummer, Seriennummer oder QR-Code")).to_be_focused()
    lost = lose_first("**/loans/take-back/**")
    scan(page, tag)
    expect(page.locator("[data-scan-part=outcome]").get_by_text(f"{tag} ist zurück")).to_be_visible(timeout=20_000)
    assert len(lost) == 1
    assert list(Loan.objects.get().changes.order_by("pk").values_list("step", flat=True)) == ["hand_out", "take_back"]
    expect(page.locator("[data-scan-refused]")).to_be_hidden()


def test_two_tabs_at_the_desk_hand_a_device_out_once_and_each_says_what_it_did(pages: Pages, city: City) -> None:
    first = pages.open(city.people["coordinator"])
    tags = shelf_tags(city, 3)
    begin(first)
    second = first.context.new_page()
    second.goto(first.url)
    for page in (first, second):
        expect(page.get_by_label("Inventarnummer, Seriennummer oder QR-Code")).to_be_focused()
    scan(first, tags[0])
    expect(first.locator("[data-scan-part=outcome]").get_by_text(f"{tags[0]} ist ausgegeben")).to_be_visible()
    scan(second, tags[0])
    refused = second.locator("[data-scan-refused] li")
    expect(refused).to_contain_text([f"{tags[0]} ist schon verliehen"])
    expect(first.locator("[data-scan-part=outcome]").get_by_text(f"{tags[0]} ist ausgegeben")).to_be_visible()
    scan(second, tags[1])
    expect(second.get_by_role("heading", name="2 Geräte heute ausgegeben")).to_be_visible()

    # what waits in the open tab is sent by that tab, also while the other one sends
    first.context.set_offline(True)
    scan(second, tags[2])
    expect(second.get_by_text("noch nicht gesendet")).to_be_visible()
    first.context.set_offline(False)
    expect(second.locator("[data-scan-part=outcome]").get_by_text(f"{tags[2]} ist ausgegeben")).to_be_visible()
    expect(first.locator("[data-later]")).to_be_hidden()
    assert list(Loan.objects.order_by("pk").values_list("device__tag", flat=True)) == tags

    # the device handed out in the other tab is undone here, and the page there tells what is so now
    first.reload()
    second.get_by_role("button", name=f"{tags[2]} rückgängig machen").dblclick()
    expect(second.get_by_role("heading", name="2 Geräte heute ausgegeben")).to_be_visible()
    scan(first, tags[2])
    expect(first.locator("[data-scan-part=outcome]").get_by_text(f"{tags[2]} ist ausgegeben")).to_be_visible()
    assert Loan.objects.filter(state="out").count() == 3


def test_double_click_and_back_button_do_nothing_twice(pages: Pages, city: City) -> None:
    page = pages.open(city.people["coordinator"])
    tags = shelf_tags(city, 2)
    begin(page)
    page.get_by_label("Inventarnummer, Seriennummer oder QR-Code").fill(tags[0])
    page.get_by_role("button", name="Ausgeben", exact=True).dblclick()
    expect(page.get_by_role("heading", name="1 Gerät heute ausgegeben")).to_be_visible()
    page.get_by_role("link", name="Alle Leihen der Klasse").click()
    expect(page.get_by_role("heading", name="Leihen", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="1 Gerät heute ausgegeben")).to_be_visible()
    scan(page, tags[1])
    expect(page.get_by_role("heading", name="2 Geräte heute ausgegeben")).to_be_visible()
    expect(page.locator("[data-scan-refused]")).to_be_hidden()
    assert list(Loan.objects.order_by("pk").values_list("device__tag", flat=True)) == tags
