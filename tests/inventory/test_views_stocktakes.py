"""The pages of the stocktake, played without script, and what a phone's script sends."""

import datetime
import json
import re
import uuid

import pypdfium2
import pytest
from django.urls import reverse

from apps.core import formats
from apps.core.clock import today
from apps.inventory import services
from apps.inventory.models import Device, Placement, Stocktake, StocktakeScan
from apps.inventory.stocktake_choices import Settlement
from tests.factories import (
    AuditorFactory,
    ClerkFactory,
    CoordinatorFactory,
    DeviceFactory,
    ProductFactory,
    SchoolFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def school():
    return SchoolFactory(short_name="Talschule", number="100100")


@pytest.fixture
def coordinator(school):
    return CoordinatorFactory(schools=[school], name="Kim Koordination")


@pytest.fixture
def stocktake(school, coordinator):
    clerk, product = ClerkFactory(), ProductFactory(manufacturer="Muster", model="Tablet 11")
    for number, room in enumerate(("1", "1", "2"), start=1):
        DeviceFactory(product=product, school=school, room=room, tag=f"T-{number}", by=clerk)
    DeviceFactory(product=product, school=SchoolFactory(short_name="Geheimschule"), tag="FREMD", by=clerk)
    return services.start_stocktake(school=school, by=coordinator)


@pytest.fixture
def signed_in(client, coordinator):
    client.force_login(coordinator)
    return client


def address(page, stocktake, *more):
    return reverse(f"inventory:{page}", args=[stocktake.pk, *more])


def text(response) -> str:
    """What stands in the main part, without tags."""
    main = response.content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def pdf_text(response) -> str:
    assert response["Content-Type"] == "application/pdf"
    pages = pypdfium2.PdfDocument(response.content)
    assert pages.is_tagged()
    return " ".join(" ".join(page.get_textpage().get_text_bounded().split()) for page in pages)


def scan_by_form(client, stocktake, code, room="1"):
    data = {"id": uuid.uuid4(), "code": code, "room": room}
    return client.post(address("stocktake_scan", stocktake), data, follow=True)


def test_begin_without_script(signed_in, school, stocktake, coordinator):
    services.cancel_stocktake(stocktake=stocktake, by=coordinator, reason="Probe")
    response = signed_in.post(reverse("inventory:stocktake_start"), {"school": school.pk, "room": "1"}, follow=True)
    begun = Stocktake.objects.get(state="open")
    assert response.request["PATH_INFO"] == address("stocktake_scan", begun)
    assert "0 von 2 gefunden" in text(response)


def test_a_second_one_is_refused_at_the_field(signed_in, school, stocktake):
    response = signed_in.post(reverse("inventory:stocktake_start"), {"school": school.pk, "room": ""})
    assert "läuft schon eine Inventur" in text(response)


def test_scan_without_script(signed_in, stocktake):
    response = scan_by_form(signed_in, stocktake, "http://testserver/d/t-1")
    assert "1 von 3 gefunden" in text(response)
    assert "T-1 ist gefunden." in text(response)
    assert 'name="room" value="1"' in response.content.decode()
    assert "Nächster Raum: 2 (0 von 1 gefunden)" in text(response)


def test_the_form_sent_twice_counts_once(signed_in, stocktake):
    data = {"id": uuid.uuid4(), "code": "T-1", "room": "1"}
    for _again in range(2):
        signed_in.post(address("stocktake_scan", stocktake), data)
    assert StocktakeScan.objects.count() == 1


def test_a_foreign_devices_school_stays_unnamed(signed_in, stocktake):
    response = scan_by_form(signed_in, stocktake, "FREMD")
    assert "FREMD gehört zu keiner Ihrer Schulen." in text(response)
    for page in ("stocktake_items", "stocktake_scan", "stocktake"):
        assert "Geheimschule" not in signed_in.get(address(page, stocktake)).content.decode()
    assert "Geheimschule" not in pdf_text(signed_in.get(address("stocktake_result", stocktake)))


def test_a_phone_sends_what_waited(signed_in, stocktake):
    scans = [
        {"id": str(uuid.uuid4()), "code": code, "room": "1", "at": "2026-01-01T10:00:00.000Z"}
        for code in ("T-1", "T-3", "T-1", "nie gesehen")
    ]
    answers = [signed_in.post(address("stocktake_scan", stocktake), {"scans": json.dumps(scans)}) for _twice in "12"]
    first, second = (response.json() for response in answers)
    assert first.pop("moment") < second.pop("moment")
    assert first == second
    assert [(answer["id"], answer["label"]) for answer in first["answers"]] == [
        (scan["id"], label)
        for scan, label in zip(
            scans, ["gefunden", "in anderem Raum gefunden", "gefunden", "unbekannte Nummer"], strict=True
        )
    ]
    assert first["progress"] == "2 von 3 gefunden"
    assert [(room, expected, found) for room, _site, expected, found in first["rooms"]] == [("1", 2, 1), ("2", 1, 1)]
    assert StocktakeScan.objects.count() == 4


@pytest.mark.parametrize("sent", ["", "{}", "[1]", '[{"id": "x", "code": "T-1"}]', '[{"code": "T-1"}]', "5"])
def test_what_cannot_be_read_is_refused(signed_in, stocktake, sent):
    response = signed_in.post(address("stocktake_scan", stocktake), {"scans": sent})
    if sent == "{}":
        assert response.json()["answers"] == []
    else:
        assert (response.status_code, list(response.json())) == (400, ["message"])
    assert StocktakeScan.objects.count() == 0


def test_late_scans_are_answered_after_the_end(signed_in, stocktake, coordinator):
    services.cancel_stocktake(stocktake=stocktake, by=coordinator, reason="Probe")
    scan = {"id": str(uuid.uuid4()), "code": "T-1"}
    response = signed_in.post(address("stocktake_scan", stocktake), {"scans": json.dumps([scan])})
    (answer,) = response.json()["answers"]
    assert (answer["tone"], answer["label"]) == ("danger", "zählt nicht")
    assert signed_in.get(address("stocktake_scan", stocktake)).status_code == 302


def test_settle_and_close(signed_in, stocktake):
    for code, room in (("T-1", "1"), ("T-3", "1"), ("FREMD", "1"), ("NEU", "1")):
        scan_by_form(signed_in, stocktake, code, room)
    ids = {item.code: item.pk for item in stocktake.items.all()}

    page = signed_in.get(address("stocktake_close", stocktake))
    assert "Es ist noch etwas offen" in text(page)
    assert signed_in.post(address("stocktake_close", stocktake), follow=True).status_code == 200
    assert Stocktake.objects.get().state == "open"

    said = signed_in.post(address("stocktake_settle", stocktake, "room_taken_over"), {"ids": ids["T-3"]}, follow=True)
    assert "1 Ergebnis ist geklärt." in text(said)
    assert Device.objects.get(tag="T-3").room == "1"

    asked = signed_in.post(address("stocktake_settle", stocktake, "reported_lost"), {"ids": ids["T-2"]})
    assert "1 Gerät wird als verloren gemeldet." in text(asked)
    assert Device.objects.get(tag="T-2").status == "in_use"
    signed_in.post(address("stocktake_settle", stocktake, "reported_lost"), {"ids": ids["T-2"], "reason": "Weg"})
    assert Device.objects.get(tag="T-2").status == "lost"

    no_reason = signed_in.post(address("stocktake_settle", stocktake, "ignored"), {"ids": ids["NEU"], "reason": " "})
    assert (no_reason.status_code, "error-summary" in no_reason.content.decode()) == (422, True)
    rest = {"ids": [ids["NEU"], ids["FREMD"]], "reason": "Gehört der Nachbarschule"}
    signed_in.post(address("stocktake_settle", stocktake, "ignored"), rest)

    done = signed_in.post(address("stocktake_close", stocktake), follow=True)
    assert "Die Inventur ist abgeschlossen." in text(done)
    read = pdf_text(signed_in.get(address("stocktake_result", stocktake)))
    for words in ("Inventur Talschule", "Erwartet 3", "Gefunden 2", "Nicht gefunden (1)", "als verloren gemeldet: Weg",
                  "Zusätzlich gefunden, gehört zur Schule 0", "In anderem Raum gefunden 1 Gehört nicht hierher 1",
                  "Unbekannte Nummer 1", "Raum übernommen",
                  "Gehört der Nachbarschule", "Kim Koordination", "Seite 1 von 1"):  # fmt: skip
        assert words in read


def test_the_end_is_reached_before_the_rooms_however_many_they_are(signed_in, stocktake):
    page = signed_in.get(stocktake.get_absolute_url()).content.decode()
    assert page.index('id="findings"') < page.index("Inventur abschließen") < page.index('id="rooms"')


def test_a_long_unknown_number_stays_within_its_column_of_the_pdf(signed_in, stocktake, coordinator):
    scan_by_form(signed_in, stocktake, "X" * 60)
    sheet = pypdfium2.PdfDocument(signed_in.get(address("stocktake_result", stocktake)).content)[0]
    words = sheet.get_textpage()
    boxes = [(words.get_text_range(place, 1), words.get_charbox(place)) for place in range(words.count_chars())]
    right_of_code = max(box[2] for letter, box in boxes if letter == "X")
    assert sum(letter == "X" for letter, _box in boxes) == 60
    assert right_of_code < 150
    assert max(box[2] for letter, box in boxes if letter.strip()) < sheet.get_width() - 50


def test_the_auditor_reads_and_changes_nothing(client, stocktake):
    client.force_login(AuditorFactory())
    page = client.get(address("stocktake_items", stocktake) + "?outcome=missing")
    assert "T-1" in text(page)
    assert "formaction" not in page.content.decode()
    assert "Inventur Talschule" in pdf_text(client.get(address("stocktake_result", stocktake)))
    assert client.post(address("stocktake_close", stocktake)).status_code == 403


def test_an_unknown_number_leads_to_adding_it(signed_in, stocktake):
    scan_by_form(signed_in, stocktake, "SN-NEU")
    page = signed_in.get(address("stocktake_items", stocktake) + "?outcome=unknown")
    link = re.search(r'href="([^"]*/inventory/add/[^"]*)"', page.content.decode())
    form = signed_in.get(link[1].replace("&amp;", "&")).content.decode()
    assert "SN-NEU" in form


def test_camera_and_worker_are_for_the_portals_own_pages(signed_in, stocktake):
    page = signed_in.get(address("stocktake_scan", stocktake))
    assert page["Permissions-Policy"] == "camera=(self), microphone=(), geolocation=(), payment=(), usb=()"
    assert "worker-src 'self'" in page["Content-Security-Policy"]
    worker = signed_in.get(address("stocktake_worker", stocktake))
    assert worker["Content-Type"].startswith("text/javascript")
    assert f'const PAGE = "{address("stocktake_scan", stocktake)}";' in worker.content.decode()


def test_a_running_one_waits_on_the_start_page_of_its_school(signed_in, stocktake, coordinator):
    page = text(signed_in.get("/"))
    assert "Inventur Talschule" in page
    assert "Weiter zählen" in page
    services.cancel_stocktake(stocktake=stocktake, by=coordinator, reason="Probe")
    assert "Weiter zählen" not in text(signed_in.get("/"))


def test_all_findings_of_a_kind_are_settled_at_once(signed_in, stocktake):
    scan_by_form(signed_in, stocktake, "T-1", room="2")
    scan_by_form(signed_in, stocktake, "T-2", room="2")
    scan_by_form(signed_in, stocktake, "T-3", room="1")
    page = signed_in.get(address("stocktake_items", stocktake) + "?outcome=other_room&settled=no")
    assert "3 Ergebnisse dieser Art sind noch offen." in text(page)
    wrong = {"all": "missing"}
    assert "Es ist nichts ausgewählt." in text(
        signed_in.post(address("stocktake_settle", stocktake, "room_taken_over"), wrong, follow=True)
    )
    asked = signed_in.post(address("stocktake_settle", stocktake, "room_taken_over"), {"all": "other_room"})
    assert "Sie stehen dann in den Räumen im Inventar" in text(asked)
    assert not Device.objects.filter(tag="T-3", room="1").exists()
    ids = re.findall(r'name="ids" value="(\d+)"', asked.content.decode())
    assert 'name="reason"' not in asked.content.decode()
    said = signed_in.post(address("stocktake_settle", stocktake, "room_taken_over"), {"ids": ids}, follow=True)
    assert "3 Ergebnisse sind geklärt." in text(said)
    rooms = dict(Device.objects.filter(tag__startswith="T-").values_list("tag", "room"))
    assert rooms == {"T-1": "2", "T-2": "2", "T-3": "1"}


def test_rooms_that_are_taken_over_are_named(signed_in, stocktake, coordinator):
    sent = [services.SentScan(uuid.uuid4(), "T-3", room="1")]
    services.count_scans(stocktake=stocktake, scans=sent, by=coordinator)
    page = text(signed_in.post(address("stocktake_settle", stocktake, "room_taken_over"), {"all": "other_room"}))
    assert "T-3, Muster Tablet 11: bisher 2, künftig 1" in page


def test_all_moved_here_are_asked_for_with_number_and_schools(client, stocktake):
    away = [SchoolFactory(short_name=name) for name in ("Bergschule", "Waldschule")]
    for number, school in enumerate((away[0], away[0], away[1])):
        DeviceFactory(tag=f"W-{number}", school=school)
    client.force_login(ClerkFactory())
    for number in range(3):
        scan_by_form(client, stocktake, f"W-{number}", room="1")

    asked = client.post(address("stocktake_settle", stocktake, "moved_here"), {"all": "elsewhere"})
    for words in ("3 Ergebnisse", "2 × gehört zu Bergschule", "1 × gehört zu Waldschule", "zur Schule dieser Inventur"):
        assert words in text(asked)
    assert Device.objects.filter(school=stocktake.school, tag__startswith="W-").count() == 0

    ids = re.findall(r'name="ids" value="(\d+)"', asked.content.decode())
    client.post(address("stocktake_settle", stocktake, "moved_here"), {"ids": ids})
    assert Device.objects.filter(school=stocktake.school, tag__startswith="W-").count() == 3


def test_the_list_stands_once_in_the_breadcrumb(client):
    client.force_login(ClerkFactory())
    crumbs = client.get("/inventory/stocktakes/").context["breadcrumbs"]
    assert [str(label) for label, _address in crumbs] == ["Inventar"]


def test_all_as_lost_names_what_is_left_out_and_what_is_bound(signed_in, stocktake, coordinator):
    services.lend_device(device=Device.objects.get(tag="T-1"), by=coordinator)
    Device.objects.filter(tag="T-2").update(bound_until=today() + datetime.timedelta(days=9), bound_by="48.03-17")
    page = signed_in.post(address("stocktake_settle", stocktake, "reported_lost"), {"all": "missing"})
    read = text(page)
    assert "2 Geräte werden als verloren gemeldet." in read
    assert "T-1: Es ist verliehen" in read
    assert "T-2: 48.03-17" in read
    ids = re.findall(r'name="ids" value="(\d+)"', page.content.decode())
    assert set(stocktake.items.filter(pk__in=ids).values_list("code", flat=True)) == {"T-2", "T-3"}


def test_what_is_reported_on_its_page_meanwhile_is_no_longer_looked_for(signed_in, stocktake, coordinator):
    services.report_stolen(device=Device.objects.get(tag="T-1"), by=ClerkFactory(), on=today())
    services.retire_device(device=Device.objects.get(tag="T-3"), by=ClerkFactory(), reason="Wasser")
    day = formats.day(today())

    page = text(signed_in.get(address("stocktake", stocktake)))
    assert "0 von 1 gefunden" in page
    assert "Verloren, gestohlen oder ausgesondert gemeldet 2 Nichts zu klären" in page
    assert "2 0 1 Nicht begonnen" not in page
    missing = text(signed_in.get(address("stocktake_items", stocktake) + "?outcome=missing&settled=no"))
    assert ("T-1" in missing, "T-2" in missing, "T-3" in missing) == (False, True, False)
    assert "1 Ergebnis dieser Art ist noch offen." in missing
    gone = text(signed_in.get(address("stocktake_items", stocktake) + "?outcome=gone"))
    assert f"am {day} als gestohlen gemeldet" in gone
    assert f"am {day} ausgesondert" in gone
    assert "T-2" not in gone
    read = pdf_text(signed_in.get(address("stocktake_result", stocktake)))
    assert "Nicht gefunden 1" in read
    assert f"am {day} als gestohlen gemeldet" in read
    assert "Noch zu klären 1" in read or "Noch offen 1" in read
    lost = text(signed_in.post(address("stocktake_settle", stocktake, "reported_lost"), {"all": "missing"}))
    assert "1 Gerät wird als verloren gemeldet." in lost
    assert "T-1" not in lost

    services.move_device(device=Device.objects.get(tag="T-1"), school=stocktake.school, room="1", by=ClerkFactory())
    assert "0 von 2 gefunden" in text(signed_in.get(address("stocktake", stocktake)))


def test_a_stocktake_names_the_day_of_a_loss_and_of_its_report_where_that_is_another(signed_in, stocktake):
    by, day = ClerkFactory(), today() - datetime.timedelta(days=3)
    Placement.objects.filter(device__tag__startswith="T-").update(since=day - datetime.timedelta(days=9))
    services.report_lost(device=Device.objects.get(tag="T-1"), by=by, on=day)
    services.report_lost(device=Device.objects.get(tag="T-2"), by=by, on=day)
    services.report_stolen(device=Device.objects.get(tag="T-2"), by=by)
    services.report_stolen(device=Device.objects.get(tag="T-3"), by=by)

    for words in (
        text(signed_in.get(address("stocktake_items", stocktake) + "?outcome=gone")),
        pdf_text(signed_in.get(address("stocktake_result", stocktake))),
    ):
        assert f"verloren am {formats.day(day)}, gemeldet am {formats.day(today())}" in words
        assert f"am {formats.day(today())} als gestohlen gemeldet" in words
        assert words.count(f"gestohlen am {formats.day(today())}") == 1


def test_at_the_end_it_stays_settled_whatever_becomes_of_the_device(signed_in, stocktake, coordinator):
    services.report_stolen(device=Device.objects.get(tag="T-1"), by=ClerkFactory())
    for code in ("T-2", "T-3"):
        services.count_scans(stocktake=stocktake, scans=[services.SentScan(uuid.uuid4(), code)], by=coordinator)
    services.close_stocktake(stocktake=stocktake, by=coordinator)
    services.move_device(device=Device.objects.get(tag="T-1"), school=stocktake.school, room="1", by=ClerkFactory())

    item = stocktake.items.get(code="T-1")
    said = f"am {formats.day(today())} als gestohlen gemeldet"
    assert (item.settlement, item.reason, item.settled_by) == ("gone", said, coordinator)
    assert item.history.first().history_user == coordinator
    page = text(signed_in.get(address("stocktake", stocktake)))
    assert "2 von 2 gefunden" in page
    assert said in text(signed_in.get(address("stocktake_items", stocktake) + "?outcome=gone"))
    assert said in pdf_text(signed_in.get(address("stocktake_result", stocktake)))


def test_what_was_stolen_meanwhile_is_not_counted_as_lost(signed_in, stocktake, coordinator):
    services.report_stolen(device=Device.objects.get(tag="T-1"), by=ClerkFactory())
    why = "Es ist als gestohlen gemeldet. Bitte belassen Sie es so und nennen Sie das als Begründung."
    item = stocktake.items.get(code="T-1")
    alone = signed_in.post(address("stocktake_settle", stocktake, "reported_lost"), {"ids": item.pk})
    assert f"T-1: {why}" in text(alone)
    settled = services.settle_items(stocktake=stocktake, items=[item], how=Settlement.REPORTED_LOST, by=coordinator)
    assert (settled.number, settled.refused) == (0, [("T-1", why)])


def test_one_lent_device_says_that_its_loan_ends(signed_in, stocktake, coordinator):
    services.lend_device(device=Device.objects.get(tag="T-1"), by=coordinator)
    one = {"ids": stocktake.items.get(code="T-1").pk}
    assert "1 laufende Leihe endet" in text(
        signed_in.post(address("stocktake_settle", stocktake, "reported_lost"), one)
    )


def test_a_bound_loss_is_told_to_the_office_in_the_words_of_the_device_s_page(signed_in, stocktake):
    Device.objects.filter(tag="T-1").update(bound_until=today(), bound_by="48.03-1")
    one = {"ids": stocktake.items.get(code="T-1").pk}
    assert "Bitte sagen Sie dem Amt Bescheid: Vielleicht müssen sie für den gleichen Zweck ersetzt werden." in text(
        signed_in.post(address("stocktake_settle", stocktake, "reported_lost"), one)
    )


def test_nothing_is_left_to_report_where_all_are_lent(signed_in, stocktake, coordinator):
    for device in Device.objects.filter(tag__startswith="T-"):
        services.lend_device(device=device, by=coordinator)
    page = signed_in.post(address("stocktake_settle", stocktake, "reported_lost"), {"all": "missing"})
    assert "T-3: Es ist verliehen" in text(page)
    assert 'name="reason"' not in page.content.decode()


def test_lent_devices_are_a_group_of_their_own(signed_in, stocktake, coordinator):
    services.cancel_stocktake(stocktake=stocktake, by=coordinator, reason="Probe")
    services.lend_device(device=Device.objects.get(tag="T-1"), by=coordinator)
    begun = services.start_stocktake(school=stocktake.school, by=coordinator)
    page = text(signed_in.get(address("stocktake", begun)))
    assert "0 von 2 gefunden" in page
    assert "Verliehen 1 Nichts zu klären" in page
    missing = text(signed_in.get(address("stocktake_items", begun) + "?outcome=missing"))
    assert "T-1" not in missing
    lent = text(signed_in.get(address("stocktake_items", begun) + "?outcome=on_loan"))
    assert "T-1" in lent
    assert "T-2" not in lent
    assert "noch offen" not in lent.partition("</form>")[2].partition("T-1")[2]
    read = pdf_text(signed_in.get(address("stocktake_result", begun)))
    assert "Verliehen 1" in read
    assert "Nicht gefunden 2" in read
    assert "None" not in read
