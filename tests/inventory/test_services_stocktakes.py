"""A stocktake: what is expected, what a scan says, how differences are settled, and that it ends for good."""

import datetime
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from apps.core import clock
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.codes import read_code
from apps.inventory.models import Device, Stocktake, StocktakeItem, StocktakeScan
from apps.inventory.services import SentScan
from apps.inventory.stocktake_choices import Outcome, Settlement
from apps.inventory.stocktake_selectors import next_room, progress_of, rooms_of
from tests.factories import (
    AuditorFactory,
    ClerkFactory,
    CoordinatorFactory,
    DeviceFactory,
    ProductFactory,
    SchoolFactory,
    SiteFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def school():
    return SchoolFactory(short_name="Talschule")


@pytest.fixture
def coordinator(school):
    return CoordinatorFactory(schools=[school])


@pytest.fixture
def clerk():
    return ClerkFactory()


@pytest.fixture
def devices(school, clerk):
    """Two in room 2, one in room 10, one nowhere in particular."""
    product = ProductFactory()
    rooms = ("2", "2", "10", "")
    return [
        DeviceFactory(product=product, school=school, room=room, tag=f"T-{number}", serial=f"SN{number}", by=clerk)
        for number, room in enumerate(rooms, start=1)
    ]


@pytest.fixture
def stocktake(school, coordinator, devices):
    return services.start_stocktake(school=school, by=coordinator)


def scan(stocktake, code, *, by, room="", at=None, scan_id=None, site=None):
    sent = SentScan(scan_id or uuid.uuid4(), code, room=room, at=at, site=site)
    (answer,) = services.count_scans(stocktake=stocktake, scans=[sent], by=by)
    return answer


def item(stocktake, code) -> StocktakeItem:
    return stocktake.items.get(code=code)


def settle(stocktake, code, how, *, by, reason=""):
    return services.settle_items(stocktake=stocktake, items=[item(stocktake, code)], how=how, by=by, reason=reason)


def test_expected_is_what_stood_there_at_the_start(stocktake, devices, clerk, school):
    services.move_device(device=devices[0], school=SchoolFactory(), by=clerk)
    DeviceFactory(school=school, tag="LATER", by=clerk)
    rows = stocktake.items.values_list("code", "expected", "room", "status", "outcome", "school")
    expected = [
        (f"T-{n}", True, room, "in_use", "missing", school.pk) for n, room in enumerate(("2", "2", "10", ""), 1)
    ]
    assert list(rows) == expected


@pytest.mark.parametrize(("room", "expected"), [("2", ["T-1", "T-2"]), ("10", ["T-3"])])
def test_one_room_alone(school, coordinator, devices, room, expected):
    stocktake = services.start_stocktake(school=school, by=coordinator, room=room)
    assert list(stocktake.items.values_list("code", flat=True)) == expected


def test_one_site_alone(school, clerk):
    site, other = SiteFactory.create_batch(2, school=school)
    DeviceFactory(school=school, site=site, tag="THERE", by=clerk)
    DeviceFactory(school=school, site=other, tag="ELSE", by=clerk)
    stocktake = services.start_stocktake(school=school, by=clerk, site=site)
    assert list(stocktake.items.values_list("code", flat=True)) == ["THERE"]


def test_nothing_there_to_count(school, coordinator, devices):
    with pytest.raises(DomainError, match="Dort ist kein Gerät verzeichnet"):
        services.start_stocktake(school=school, by=coordinator, room="Keller")
    assert Stocktake.objects.count() == 0


def test_a_school_has_one_running_stocktake(stocktake, school, clerk, coordinator):
    with pytest.raises(DomainError, match="läuft schon"):
        services.start_stocktake(school=school, by=clerk)
    row = Stocktake(school=school, started_at=clock.now(), started_by=clerk)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()
    services.cancel_stocktake(stocktake=stocktake, by=coordinator, reason="Falscher Raum")
    services.start_stocktake(school=school, by=clerk)


def test_who_may_begin(school, devices, coordinator):
    with pytest.raises(PermissionDenied):
        services.start_stocktake(school=school, by=AuditorFactory())
    with pytest.raises(DomainError, match="keine Ihrer Schulen"):
        services.start_stocktake(school=SchoolFactory(), by=coordinator)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://portal.example/d/HAM-000123", "HAM-000123"),
        ("https://PORTAL.example:8443/d/HAM-000123", "HAM-000123"),
        ("http://evil.example/d/HAM-000123", "http://evil.example/d/HAM-000123"),
        ("//evil.example/d/HAM-000123", "//evil.example/d/HAM-000123"),
        ("https://portal.example@evil.example/d/X", "https://portal.example@evil.example/d/X"),
        ("http://[evil/d/HAM-000123", "http://[evil/d/HAM-000123"),
        ("http://127.0.0.1:8000/d/ham-000123/", "HAM-000123"),
        ("/d/HAM-000123?x=1", "HAM-000123"),
        (" HAM-000123\n", "HAM-000123"),
        ("c02/xy", "c02/xy"),
        ("5CD1 234", "5CD1 234"),
        ("   ", ""),
        ("A" * 200, "A" * 80),
    ],
)
def test_read_code(text, code, settings):
    settings.PORTAL_URL, settings.ALLOWED_HOSTS = "https://portal.example", ["127.0.0.1"]
    assert read_code(text) == code


@pytest.mark.parametrize("code", ["T-1", "t-1", "http://testserver/d/T-1", "SN1", "sn1"])
def test_found_by_any_of_its_numbers(stocktake, coordinator, code):
    assert scan(stocktake, code, by=coordinator, room="2").scan.outcome == Outcome.FOUND
    assert item(stocktake, "T-1").outcome == Outcome.FOUND


def test_apples_bar_code_has_an_s_before_the_serial_number(stocktake, coordinator, school, clerk):
    DeviceFactory(school=school, tag="PAD", serial="DMPXK1ABC123", by=clerk)
    answer = scan(stocktake, "SDMPXK1ABC123", by=coordinator)
    assert (answer.scan.item.code, answer.scan.outcome) == ("PAD", Outcome.FOUND)


def test_a_scan_sent_twice_counts_once(stocktake, coordinator):
    first = scan(stocktake, "T-1", by=coordinator, room="10")
    again = scan(stocktake, "T-1", by=coordinator, room="10", scan_id=first.id)
    assert again.scan == first.scan
    assert StocktakeScan.objects.count() == 1
    assert item(stocktake, "T-1").history.count() == 1
    progress = progress_of(stocktake)
    assert (progress.found, progress.expected, progress.open) == (1, 4, 4)


def test_two_scans_of_one_device_count_once(stocktake, coordinator, clerk):
    scan(stocktake, "T-1", by=coordinator, room="2")
    again = scan(stocktake, "T-1", by=clerk, room="2")
    assert again.scan.repeated
    assert (progress_of(stocktake).found, StocktakeScan.objects.count()) == (1, 2)


def test_a_late_scan_does_not_undo_a_newer_one(stocktake, coordinator):
    Stocktake.objects.update(started_at=clock.now() - datetime.timedelta(hours=1))
    stocktake.refresh_from_db()
    scan(stocktake, "T-1", by=coordinator, room="2")
    late = clock.now() - datetime.timedelta(minutes=30)
    scan(stocktake, "T-1", by=coordinator, room="10", at=late)
    assert (item(stocktake, "T-1").outcome, item(stocktake, "T-1").found_room) == (Outcome.FOUND, "2")


def test_a_room_is_compared_only_where_one_is_said(stocktake, coordinator):
    assert scan(stocktake, "T-3", by=coordinator).scan.outcome == Outcome.FOUND
    assert scan(stocktake, "T-1", by=coordinator, room="10").scan.outcome == Outcome.OTHER_ROOM


def test_take_over_the_room(stocktake, coordinator):
    scan(stocktake, "T-1", by=coordinator, room="10")
    result = settle(stocktake, "T-1", Settlement.ROOM_TAKEN_OVER, by=coordinator)
    again = settle(stocktake, "T-1", Settlement.ROOM_TAKEN_OVER, by=coordinator)
    device = Device.objects.get(tag="T-1")
    assert (result.number, again.number, device.room) == (1, 1, "10")
    assert device.history.first().history_change_reason.startswith("Inventur vom")
    assert device.history.count() == 2
    assert item(stocktake, "T-1").settled_by == coordinator
    scan(stocktake, "T-1", by=coordinator, room="10")
    assert item(stocktake, "T-1").settlement == Settlement.ROOM_TAKEN_OVER
    scan(stocktake, "T-1", by=coordinator, room="2")
    assert (item(stocktake, "T-1").outcome, item(stocktake, "T-1").settlement) == (Outcome.OTHER_ROOM, "")


def test_move_here_needs_the_right_to_the_device(stocktake, coordinator, clerk, school):
    DeviceFactory(school=SchoolFactory(), tag="FREMD", by=clerk)
    assert scan(stocktake, "FREMD", by=coordinator, room="2").scan.outcome == Outcome.ELSEWHERE
    refused = settle(stocktake, "FREMD", Settlement.MOVED_HERE, by=coordinator)
    assert (refused.number, [code for code, _why in refused.refused]) == (0, ["FREMD"])
    assert item(stocktake, "FREMD").settlement == ""
    assert settle(stocktake, "FREMD", Settlement.MOVED_HERE, by=clerk).number == 1
    device = Device.objects.get(tag="FREMD")
    assert (device.school, device.room, device.status) == (school, "2", "in_use")


def test_lost_then_found_again(stocktake, coordinator, school):
    assert settle(stocktake, "T-2", Settlement.REPORTED_LOST, by=coordinator).number == 1
    assert settle(stocktake, "T-2", Settlement.REPORTED_LOST, by=coordinator).number == 1
    assert Device.objects.get(tag="T-2").status == "lost"
    assert scan(stocktake, "T-2", by=coordinator, room="2").scan.outcome == Outcome.ELSEWHERE
    assert item(stocktake, "T-2").settlement == ""
    assert settle(stocktake, "T-2", Settlement.MOVED_HERE, by=coordinator).number == 1
    device = Device.objects.get(tag="T-2")
    assert (device.school, device.room, device.status) == (school, "2", "in_use")


def test_away_holds_only_for_devices_that_are(stocktake, coordinator, devices):
    services.lend_device(device=devices[0], by=coordinator)
    assert settle(stocktake, "T-1", Settlement.AWAY, by=coordinator).number == 1
    assert settle(stocktake, "T-2", Settlement.AWAY, by=coordinator).number == 0


def test_found_without_scanning(stocktake, coordinator):
    settle(stocktake, "T-4", Settlement.FOUND_BY_HAND, by=coordinator, reason="Im Schrank")
    found = item(stocktake, "T-4")
    assert (found.outcome, found.reason, progress_of(stocktake).found) == (Outcome.FOUND, "Im Schrank", 1)


def test_an_unknown_number_is_recorded_later(stocktake, coordinator, school, clerk):
    assert scan(stocktake, "NEU-SN", by=coordinator, room="2").scan.outcome == Outcome.UNKNOWN
    assert settle(stocktake, "NEU-SN", Settlement.RECORDED, by=coordinator).number == 0
    DeviceFactory(school=school, tag="NEU-1", serial="NEU-SN", by=clerk)
    assert settle(stocktake, "NEU-SN", Settlement.RECORDED, by=coordinator).number == 1
    assert item(stocktake, "NEU-SN").reason == "NEU-1"
    assert scan(stocktake, "NEU-SN", by=coordinator).scan.outcome == Outcome.FOUND
    assert stocktake.items.filter(expected=False).count() == 1


def test_ignoring_needs_a_reason(stocktake, coordinator):
    scan(stocktake, "XYZ", by=coordinator)
    with pytest.raises(DomainError, match="warum"):
        settle(stocktake, "XYZ", Settlement.IGNORED, by=coordinator)
    assert settle(stocktake, "XYZ", Settlement.IGNORED, by=coordinator, reason="Privates Gerät").number == 1


@pytest.mark.parametrize("how", [Settlement.ROOM_TAKEN_OVER, Settlement.MOVED_HERE, Settlement.RECORDED])
def test_what_is_missing_is_not_settled_so(stocktake, coordinator, how):
    assert settle(stocktake, "T-1", how, by=coordinator).number == 0
    assert item(stocktake, "T-1").settlement == ""


def settle_all(stocktake, by):
    missing = list(stocktake.items.filter(outcome=Outcome.MISSING))
    services.settle_items(stocktake=stocktake, items=missing, how=Settlement.IGNORED, by=by, reason="Ferien")


def test_closing_needs_that_nothing_is_open(stocktake, coordinator):
    scan(stocktake, "T-1", by=coordinator, room="2")
    with pytest.raises(DomainError, match="3 Abweichungen sind noch offen"):
        services.close_stocktake(stocktake=stocktake, by=coordinator)
    settle_all(stocktake, coordinator)
    closed = services.close_stocktake(stocktake=stocktake, by=coordinator)
    assert (closed.state, closed.closed_by) == ("closed", coordinator)


def test_a_closed_stocktake_does_not_change(stocktake, coordinator):
    settle_all(stocktake, coordinator)
    known = scan(stocktake, "T-1", by=coordinator, room="2")
    services.close_stocktake(stocktake=stocktake, by=coordinator)
    before = list(stocktake.items.values())
    late = scan(stocktake, "T-2", by=coordinator, room="2")
    again = scan(stocktake, "T-1", by=coordinator, room="2", scan_id=known.id)
    assert (late.scan, bool(late.refused), again.scan) == (None, True, known.scan)
    with pytest.raises(DomainError, match="beendet"):
        settle(stocktake, "T-2", Settlement.AWAY, by=coordinator)
    with pytest.raises(DomainError):
        services.cancel_stocktake(stocktake=stocktake, by=coordinator, reason="doch nicht")
    assert list(stocktake.items.values()) == before


def test_rooms_in_the_order_in_which_people_count(stocktake, coordinator):
    scan(stocktake, "T-1", by=coordinator, room="2")
    rooms = rooms_of(stocktake)
    assert [(row.room, row.found, row.expected) for row in rooms] == [("", 0, 1), ("2", 1, 2), ("10", 0, 1)]
    assert next_room(rooms, None, "2").room == "10"
    assert next_room(rooms, None, "10").room == "2"
    scan(stocktake, "T-2", by=coordinator, room="2")
    assert next_room(rooms_of(stocktake), None, "10") is None


def test_others_stocktakes_are_out_of_reach(stocktake):
    stranger = CoordinatorFactory(schools=[SchoolFactory()])
    with pytest.raises(PermissionDenied):
        scan(stocktake, "T-1", by=stranger)
    with pytest.raises(PermissionDenied):
        settle(stocktake, "T-1", Settlement.REPORTED_LOST, by=stranger)
    with pytest.raises(PermissionDenied):
        services.close_stocktake(stocktake=stocktake, by=stranger)
    assert StocktakeScan.objects.count() == 0


def test_what_is_on_loan_at_the_start_is_no_finding(school, coordinator, devices):
    services.lend_device(device=devices[0], by=coordinator)
    stocktake = services.start_stocktake(school=school, by=coordinator)
    progress = progress_of(stocktake)
    assert (progress.lent, progress.expected, progress.missing, progress.open) == (1, 3, 3, 3)
    assert progress.numbers[Outcome.MISSING] == 3
    assert [(row.room, row.expected) for row in rooms_of(stocktake)] == [("", 1), ("2", 1), ("10", 1)]
    assert item(stocktake, "T-1").is_lent
    settle_all(stocktake, coordinator)
    assert services.close_stocktake(stocktake=stocktake, by=coordinator).state == "closed"


def test_a_lent_device_that_is_scanned_all_the_same_is_found(school, coordinator, devices):
    services.lend_device(device=devices[0], by=coordinator)
    stocktake = services.start_stocktake(school=school, by=coordinator)
    assert scan(stocktake, "T-1", by=coordinator, room="2").scan.outcome == Outcome.FOUND
    progress = progress_of(stocktake)
    assert (progress.lent, progress.expected, progress.found) == (0, 4, 1)


def test_many_at_once_are_not_reported_as_lost_while_on_loan_or_in_repair(stocktake, coordinator, devices):
    services.lend_device(device=devices[0], by=coordinator)
    services.send_to_repair(device=devices[1], by=coordinator)
    result = services.settle_items(
        stocktake=stocktake, items=list(stocktake.items.all()), how=Settlement.REPORTED_LOST, by=coordinator
    )
    assert (result.number, [code for code, _why in result.refused]) == (2, ["T-1", "T-2"])
    assert result.refused[0][1].startswith("Es ist verliehen")
    assert result.refused[1][1].startswith("Es ist in Reparatur")
    statuses = dict(Device.objects.values_list("tag", "status"))
    assert statuses == {"T-1": "on_loan", "T-2": "in_repair", "T-3": "lost", "T-4": "lost"}
    assert settle(stocktake, "T-1", Settlement.REPORTED_LOST, by=coordinator).number == 1
    assert Device.objects.get(tag="T-1").status == "lost"


def test_what_cannot_be_moved_here_says_what_to_do(stocktake, coordinator, clerk):
    gone = DeviceFactory(school=None, tag="ALT", by=clerk)
    services.retire_device(device=gone, by=clerk, reason="alt")
    scan(stocktake, "ALT", by=coordinator, room="2")
    ((_code, why),) = settle(stocktake, "ALT", Settlement.MOVED_HERE, by=clerk).refused
    assert "laden Sie die Seite neu" not in why
    assert "Ins Lager nehmen" in why

    lent = DeviceFactory(school=SchoolFactory(), tag="FREMD", by=clerk)
    services.lend_device(device=lent, by=clerk)
    scan(stocktake, "FREMD", by=coordinator, room="2")
    ((_code, why),) = settle(stocktake, "FREMD", Settlement.MOVED_HERE, by=clerk).refused
    assert "nehmen Sie es zuerst zurück" in why
