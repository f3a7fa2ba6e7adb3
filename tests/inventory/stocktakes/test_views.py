"""The pages of the stocktake, played without script, and what a phone's script sends."""

import json
import re
import uuid

import pypdfium2
import pytest
from django.urls import reverse

from apps.inventory import services
from apps.inventory.models import Device, Stocktake, StocktakeScan
from tests.factories import (
    AuditorFactory,
    ClerkFactory,
    DeviceFactory,
    SchoolFactory,
)
from tests.inventory.stocktakes.pages import address, pdf_text, text

pytestmark = pytest.mark.django_db


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
