"""What the pages of a stocktake say of devices that are lost, stolen, retired or lent meanwhile."""

import datetime
import re
import uuid

import pytest

from apps.core import formats
from apps.core.clock import today
from apps.inventory import services
from apps.inventory.models import Device, Placement
from apps.inventory.stocktake_choices import Settlement
from tests.factories import ClerkFactory
from tests.inventory.stocktakes.pages import address, pdf_text, text

pytestmark = pytest.mark.django_db


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
    assert f"ausgesondert am {day}" in gone
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


def test_a_retirement_bears_its_own_day_too_also_in_what_closing_writes_down(signed_in, stocktake, coordinator):
    day = today() - datetime.timedelta(days=3)
    Placement.objects.filter(device__tag="T-2").update(since=day - datetime.timedelta(days=9))
    for tag, on in (("T-1", today()), ("T-2", day)):
        services.retire_device(device=Device.objects.get(tag=tag), by=ClerkFactory(), reason="Wasser", on=on)
    said = f"ausgesondert am {formats.day(day)}, gemeldet am {formats.day(today())}"
    assert said in text(signed_in.get(address("stocktake_items", stocktake) + "?outcome=gone&code=T-2"))
    assert said in pdf_text(signed_in.get(address("stocktake_result", stocktake)))

    services.count_scans(stocktake=stocktake, scans=[services.SentScan(uuid.uuid4(), "T-3")], by=coordinator)
    services.close_stocktake(stocktake=stocktake, by=coordinator)
    reasons = stocktake.items.filter(settlement="gone").order_by("code").values_list("code", "reason")
    assert list(reasons) == [("T-1", f"ausgesondert am {formats.day(today())}"), ("T-2", said)]


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
    listed = text(signed_in.get(address("stocktake_items", stocktake) + "?outcome=gone"))
    assert said in listed
    assert "T-1 Muster Tablet 11 Gestohlen" in listed
    assert said in pdf_text(signed_in.get(address("stocktake_result", stocktake)))


def test_once_it_is_over_a_room_says_how_many_were_not_found_and_no_longer_how_far_it_is(
    signed_in, stocktake, coordinator
):
    running = text(signed_in.get(address("stocktake", stocktake)))
    assert ("1 0 2 Nicht begonnen" in running, "In diesem Raum scannen" in running) == (True, False)
    services.count_scans(stocktake=stocktake, scans=[services.SentScan(uuid.uuid4(), "T-3")], by=coordinator)
    running = text(signed_in.get(address("stocktake", stocktake)))
    assert ("In diesem Raum scannen" in running, "Ergebnisse in diesem Raum" in running) == (True, False)

    missing = stocktake.items.filter(outcome="missing")
    services.settle_items(stocktake=stocktake, items=missing, how=Settlement.REPORTED_LOST, by=coordinator)
    services.close_stocktake(stocktake=stocktake, by=coordinator)
    over = text(signed_in.get(address("stocktake", stocktake)))
    assert "1 0 2 2 nicht gefunden" in over
    assert ("In diesem Raum scannen" in over, "Ergebnisse in diesem Raum" in over) == (False, True)


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
