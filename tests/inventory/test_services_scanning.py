"""A delivery scanned in: what is kept, what is refused and why, and the one step that makes devices of it."""

import time
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from apps.core.clock import today
from apps.core.errors import DomainError, StaleError
from apps.inventory import services
from apps.inventory.models import Device, Placement, Scan, ScanSession, SerialPattern
from apps.inventory.scan_checks import MOST_SCANS
from apps.inventory.scan_selectors import progress_of
from apps.inventory.serials import is_article_number, looks_right, validate_pattern
from tests import factories
from tests.inventory.test_services import DAY, version

pytestmark = pytest.mark.django_db
EAN = "4006381333931"
PLAIN_ONLY = (
    "Bitte verwenden Sie nur Buchstaben, Ziffern, [A-Z0-9], \\d, \\w und Punkte, je mit ?, *, + oder {4,12} dahinter,"
    " höchstens 64-mal. Gruppen werden weder verschachtelt noch wiederholt."
)


@pytest.fixture
def school() -> Any:
    return factories.SchoolFactory(short_name="Talschule")


@pytest.fixture
def coordinator(school: Any) -> Any:
    return factories.CoordinatorFactory(schools=[school])


def begin(by: Any, school: Any = None, **facts: Any) -> ScanSession:
    known = {"product": factories.ProductFactory(), "expected": None, "school": school, **facts}
    return services.start_scanning(token=uuid.uuid4(), by=by, **known)


def scan(session: ScanSession, by: Any, *texts: str) -> list[str]:
    """Scans them at once; what came of each."""
    answers = services.record_scans(
        session=session, scanned=[services.SentSerial(uuid.uuid4(), text) for text in texts], by=by
    )
    return [answer.outcome.value for answer in answers]


def serials_of(session: ScanSession) -> list[str]:
    return list(session.scans.kept().order_by("pk").values_list("serial", flat=True))


def test_scans_are_kept_at_once_and_become_devices_in_one_step(school, coordinator):
    site = factories.SiteFactory(school=school)
    session = begin(coordinator, school, site=site, room=" R  1 ", price=Decimal("449.00"), bought_on=today() - DAY,
                    since=today() - DAY, note="Lieferung 7", expected=3)  # fmt: skip

    assert scan(session, coordinator, " sn-1 ", "SN-2") == ["kept", "kept"]
    assert scan(session, coordinator, "sn-3") == ["kept"]
    assert serials_of(session) == ["SN-1", "SN-2", "SN-3"]
    assert not Device.objects.exists()
    before = version(school)
    session.refresh_from_db()
    devices = services.take_in(session=session, revision=session.revision, by=coordinator)

    assert [(row.tag, row.serial) for row in devices] == [
        ("HAM-000001", "SN-1"), ("HAM-000002", "SN-2"), ("HAM-000003", "SN-3"),
    ]  # fmt: skip
    device = Device.objects.get(serial="SN-2")
    assert (device.status, device.school, device.site, device.room) == ("in_use", school, site, "R 1")
    assert (device.price, device.bought_on, device.note) == (Decimal("449.00"), today() - DAY, "Lieferung 7")
    assert Placement.objects.filter(school=school, since=today() - DAY, until=None).count() == 3
    assert version(school) == before + 1
    session.refresh_from_db()
    assert (session.state, session.ended_at is not None) == ("taken_in", True)
    assert [row.device.serial for row in session.scans.order_by("pk")] == ["SN-1", "SN-2", "SN-3"]


def test_taking_in_twice_adds_once_and_gives_the_same_devices(school, coordinator):
    session = begin(coordinator, school)
    scan(session, coordinator, "SN-1", "SN-2")

    first, second = (services.take_in(session=session, revision=2, by=coordinator) for _ in range(2))

    assert [row.tag for row in first] == [row.tag for row in second]
    assert Device.objects.count() == 2


def test_beginning_twice_with_one_form_begins_once(coordinator, school):
    token, product = uuid.uuid4(), factories.ProductFactory()

    first, second = (
        services.start_scanning(token=token, by=coordinator, product=product, school=school) for _ in range(2)
    )

    assert first == second
    with pytest.raises(DomainError):
        services.start_scanning(token=token, by=factories.ClerkFactory(), product=product, school=school)


def test_the_same_sending_again_counts_once_also_after_it_was_removed(school, coordinator):
    session = begin(coordinator, school)
    sent = [services.SentSerial(uuid.uuid4(), "SN-1")]

    for _ in range(2):
        answer = services.record_scans(session=session, scanned=sent, by=coordinator)[0]
        assert (answer.outcome, answer.scan) == ("kept", Scan.objects.get())
    services.remove_scan(session=session, scan_id=answer.scan.pk, by=coordinator)
    answer = services.record_scans(session=session, scanned=sent, by=coordinator)[0]

    assert (answer.outcome, answer.scan) == ("removed", None)
    assert serials_of(session) == []
    assert scan(session, coordinator, "SN-1") == ["kept"]


def test_each_fault_is_named(school, coordinator):
    clerk = factories.ClerkFactory(name="Frau Amt")
    factories.DeviceFactory(tag="HIER-1", serial="HERE-1", school=school, room="R 9")
    lost = factories.DeviceFactory(tag="WEG-1", serial="GONE-1", school=school)
    services.report_lost(device=lost, by=clerk)
    factories.DeviceFactory(serial="AWAY-1", school=factories.SchoolFactory())
    scan(begin(clerk), clerk, "DEPOT-1")
    colleague = factories.CoordinatorFactory(schools=[school], name="Herr Nebenan")
    scan(begin(colleague, school), colleague, "NEXT-1")
    session = begin(coordinator, school)
    texts = ["OK-12", "ok-12", "HERE-1", "GONE-1", "AWAY-1", "DEPOT-1", "NEXT-1", EAN, "SN 12", "A", "", "X" * 41]

    answers = services.record_scans(
        session=session, scanned=[services.SentSerial(uuid.uuid4(), text) for text in texts], by=coordinator
    )

    assert [answer.outcome.value for answer in answers] == [
        "kept", "scanned_before", "has_device", "has_device", "has_device", "elsewhere", "elsewhere",
        "article_number", "malformed", "malformed", "empty", "malformed",
    ]  # fmt: skip
    words = [answer.message for answer in answers]
    assert "HIER-1, Talschule, R 9" in words[2]
    assert all(part in words[3] for part in ("WEG-1", "Talschule"))
    assert "HAM-" not in words[4]
    assert not any("Herr Nebenan" in text or "Frau Amt" in text for text in words)
    assert serials_of(session) == ["OK-12"]
    assert "Herr Nebenan" in services.record_scans(
        session=begin(clerk), scanned=[services.SentSerial(uuid.uuid4(), "NEXT-1")], by=clerk
    )[0].message  # fmt: skip


@pytest.mark.parametrize("text", ["http://testserver/d/ham-000017", "/d/HAM-000017", "ham-000017"])
def test_the_portals_own_label_is_no_serial_number(school, coordinator, text):
    session = begin(coordinator, school)
    (answer,) = services.record_scans(
        session=session, scanned=[services.SentSerial(uuid.uuid4(), text)], by=coordinator
    )
    assert answer.outcome == "label"
    assert answer.message == (
        "Das ist ein Etikett des Portals mit der Inventarnummer HAM-000017, keine Seriennummer. Bitte scannen Sie die"
        " Seriennummer auf dem Gerät oder auf dem Karton."
    )
    assert serials_of(session) == []
    assert scan(session, coordinator, "http://fremd.example/d/HAM-000017") == ["malformed"]


def test_a_number_of_an_ended_delivery_may_be_scanned_again(school, coordinator):
    session = begin(coordinator, school)
    scan(session, coordinator, "SN-1")
    services.cancel_scanning(session=session, by=coordinator)

    assert scan(begin(coordinator, school), coordinator, "SN-1") == ["kept"]


def test_the_pattern_of_the_product_comes_before_that_of_the_maker(school, coordinator):
    product = factories.ProductFactory(manufacturer="Apfel")
    SerialPattern.objects.create(manufacturer="apfel", pattern="A[0-9]{4}", example="A1234")
    session = begin(coordinator, school, product=product)
    assert scan(session, coordinator, "A1234", "B1234", EAN) == ["kept", "malformed", "article_number"]

    SerialPattern.objects.create(product=product, pattern="[0-9]{13}", example="1234567890123")
    assert scan(session, coordinator, "A9999", EAN) == ["malformed", "kept"]


def test_a_delivery_holds_no_more_than_one_print_of_labels_takes(school, coordinator):
    session = begin(coordinator, school)
    Scan.objects.bulk_create(
        Scan(session=session, key=uuid.uuid4(), serial=f"SN-{number:03}", by=coordinator)
        for number in range(MOST_SCANS - 1)
    )

    assert scan(session, coordinator, "LAST-1", "LAST-2") == ["kept", "full"]


def test_what_became_a_duplicate_is_refused_and_can_be_left_out(school, coordinator):
    session = begin(coordinator, school)
    scan(session, coordinator, "SN-1", "SN-2", "SN-3")
    taken = factories.DeviceFactory(serial="SN-2", school=school)

    with pytest.raises(DomainError) as refused:
        services.take_in(session=session, revision=3, by=coordinator)
    assert refused.value.code == "taken"
    assert Device.objects.get() == taken
    assert serials_of(session) == ["SN-1", "SN-2", "SN-3"]
    devices = services.take_in(session=session, revision=3, by=coordinator, leave_out_known=True)

    assert [row.serial for row in devices] == ["SN-1", "SN-3"]
    assert [(row.serial, row.device_id is None) for row in session.scans.order_by("pk")] == [
        ("SN-1", False), ("SN-2", True), ("SN-3", False),
    ]  # fmt: skip


def test_what_was_scanned_after_the_summary_is_not_taken_in_unseen(school, coordinator):
    session = begin(coordinator, school)
    scan(session, coordinator, "SN-1")
    scan(session, coordinator, "SN-2")

    with pytest.raises(StaleError):
        services.take_in(session=session, revision=1, by=coordinator)
    with pytest.raises(StaleError):
        services.take_in(session=services.change_scanning(session=session, by=coordinator, school=school, room="R"),
                         revision=2, by=coordinator)  # fmt: skip
    assert not Device.objects.exists()


def test_nothing_can_be_done_with_an_ended_delivery(school, coordinator):
    session = begin(coordinator, school)
    scan(session, coordinator, "SN-1")
    services.take_in(session=session, revision=1, by=coordinator)
    steps: list[Any] = [
        lambda: scan(session, coordinator, "SN-2"),
        lambda: services.remove_scan(session=session, scan_id=session.scans.get().pk, by=coordinator),
        lambda: services.cancel_scanning(session=session, by=coordinator),
        lambda: services.change_scanning(session=session, by=coordinator, school=school),
    ]
    for step in steps:
        with pytest.raises(DomainError) as refused:
            step()
        assert refused.value.code == "ended"
    empty = begin(coordinator, school)
    with pytest.raises(DomainError) as refused:
        services.take_in(session=empty, revision=0, by=coordinator)
    assert refused.value.code == "empty"


def test_removing_takes_back_one_and_twice_is_harmless(school, coordinator):
    session = begin(coordinator, school, expected=2)
    scan(session, coordinator, "SN-1", "SN-2", "SN-3")
    last = session.scans.kept().first()

    assert services.remove_scan(session=session, scan_id=last.pk, by=coordinator).serial == "SN-3"
    assert services.remove_scan(session=session, scan_id=last.pk, by=coordinator) is None
    progress = progress_of(session)
    assert (progress.number, progress.expected, progress.is_complete) == (2, 2, True)


@pytest.mark.parametrize("where", ["depot", "foreign"])
def test_a_coordinator_scans_for_own_schools_only(where, coordinator):
    place = None if where == "depot" else factories.SchoolFactory()
    with pytest.raises((DomainError, PermissionDenied)):
        begin(coordinator, place)
    assert not ScanSession.objects.exists()


def test_deliveries_of_others_are_seen_by_those_who_use_the_depot(school, coordinator):
    clerk, colleague = factories.ClerkFactory(), factories.CoordinatorFactory(schools=[school])
    own, depot = begin(coordinator, school), begin(clerk)

    assert set(ScanSession.objects.visible_to(coordinator)) == {own}
    assert set(ScanSession.objects.visible_to(colleague)) == set()
    assert set(ScanSession.objects.visible_to(clerk)) == {own, depot}
    assert set(ScanSession.objects.visible_to(factories.HeadFactory())) == set()
    with pytest.raises(PermissionDenied):
        scan(own, colleague, "SN-1")
    assert scan(own, clerk, "SN-1") == ["kept"]


def test_the_database_keeps_a_number_once_per_delivery(school, coordinator):
    session = begin(coordinator, school)
    scan(session, coordinator, "SN-1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Scan.objects.create(session=session, key=uuid.uuid4(), serial="SN-1", by=coordinator)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [(EAN, True), ("4006381333932", False), ("96385074", True), ("036000291452", True), ("12345678", False),
     ("400638133393", False), ("A006381333931", False), ("²0063813", False)],
)  # fmt: skip
def test_article_numbers_are_known_by_their_check_digit(text, is_one):
    assert is_article_number(text) is is_one


@pytest.mark.parametrize(
    ("text", "pattern", "right"),
    [("ABCD", "", True), ("ABC", "", False), ("A" * 40, "", True), ("A" * 41, "", False), ("AB_D", "", False),
     ("ABCD\n", "", False), ("A1", "A[0-9]", True), ("A12", "A[0-9]", False)],
)  # fmt: skip
def test_the_whole_number_must_match(text, pattern, right):
    assert looks_right(text, pattern) is right


@pytest.mark.parametrize(
    "pattern",
    ["[A-Z", "(a+)+", "(a*)*b", "(x{2,})+", "(A+)+$", "(A|A)*B", "(.|.)*!", "((a)+)+$", "(a?){40}a{40}", "((A)|B)",
     "(AB)?", "a+?", r"(A)\1", "(?=A)A", r"\bA", "A{65}", "A{2,99}", "A{101}", "A" * 101, ".*.*.*", "a?" * 40 + "a{40}",
     ".{0,64}" * 4, "(A|A)" * 18 + "B", "A|" * 40 + "B", "B{2,1}"],
)  # fmt: skip
def test_patterns_that_are_none_or_never_end_are_refused(pattern):
    with pytest.raises(ValidationError):
        validate_pattern(pattern)


def test_a_pattern_on_file_that_is_none_or_never_ends_is_passed_over(school, coordinator):
    session = begin(coordinator, school)
    for number, pattern in enumerate(("[A-Z", "(A+)+$"), start=10):
        SerialPattern.objects.update_or_create(product=session.product, defaults={"pattern": pattern, "example": "A1"})
        assert scan(session, coordinator, "A" * 30 + "!", f"ABCD{number}") == ["malformed", "kept"]


@pytest.mark.parametrize(
    ("pattern", "serial"),
    [("[A-Z0-9]{12}", "ABCDEF123456"), ("A[0-9]{4}", "A1234"), (r"SN\d{6,10}", "SN123456"), (r"\w+-?\w+", "AB-CD"),
     ("(?:5CG|8CG)[A-Z0-9]{7}", "5CG1234ABC"), ("^K-[0-9]{4}$", "K-1234"), (r"A\.[^-]*", "A.12"), ("A|B", "B"),
     ("[A-Z]{2,}[0-9]*", "AB12")],
)  # fmt: skip
def test_plain_patterns_are_taken(pattern, serial):
    validate_pattern(pattern)
    assert looks_right(serial, pattern)
    assert not looks_right("A" * 81, "A*")


@pytest.mark.parametrize("pattern", [".*.*", "(A|A)" * 16 + "B", ".*.*a?a?a?b"])
def test_the_slowest_pattern_is_quick(pattern):
    validate_pattern(pattern)
    before = time.process_time()
    assert not looks_right("A" * 79 + "\n", pattern)
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [("[A-Z", "Das ist kein regulärer Ausdruck. Bitte schreiben Sie einen wie [A-Z0-9]{12}."),
     ("(A+)+$", PLAIN_ONLY),
     ("A?" * 40, "Dieses Muster zu prüfen, kann sehr lange dauern. Bitte verwenden Sie weniger ?, *, + und {4,12}."),
     ("A" * 101, "Das Muster ist zu lang. Bitte verwenden Sie höchstens 100 Zeichen.")],
)  # fmt: skip
def test_the_office_is_told_what_is_wrong_with_a_pattern(client, pattern, sentence):
    client.force_login(factories.ClerkFactory())
    response = client.post(
        reverse("admin:inventory_serialpattern_add"),
        {"manufacturer": "Apfel", "pattern": pattern, "example": "A" * 36 + "!"},
    )
    assert response.status_code == 200
    assert response.context["adminform"].form.errors == {"pattern": [sentence]}
    assert not SerialPattern.objects.exists()
