"""Kits scanned in: one number after the other for each kit, what is made with them, and what is refused."""

import uuid
from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.urls import reverse

from apps.core import formats
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.models import Device, KitPart, KitSet, Scan, ScanSession, SerialPattern
from apps.inventory.scan_places import Places, free_places
from apps.inventory.scan_selectors import preview_of, progress_of
from tests import factories

pytestmark = pytest.mark.django_db
DEVICES = [(1, 1, True), (2, 2, True), (3, 1, False)]
"""One tablet, two keyboards that are scanned, and a charger without number."""


@pytest.fixture
def school():
    return factories.SchoolFactory(number="120674", short_name="Talschule")


@pytest.fixture
def coordinator(client, school):
    person = factories.CoordinatorFactory(schools=[school])
    client.force_login(person)
    return person


@pytest.fixture
def products():
    tablet, keyboard, charger = (
        factories.ProductFactory(manufacturer="Muster", model=name) for name in ("Tablet", "Tastatur", "Ladegerät")
    )
    pen = factories.ProductFactory(
        manufacturer="Muster",
        model="Stift",
        kind=factories.DeviceKindFactory(code="accessory", name="Zubehör", countable=False, tracked_singly=False),
    )
    return tablet, keyboard, charger, pen


@pytest.fixture
def kit(products):
    kit = factories.KitFactory(name="Tablet-Set", parts=[(product, 1) for product in products])
    KitPart.objects.filter(kit=kit, product=products[1]).update(has_serial=True)
    return kit


@pytest.fixture
def plain_kit(products):
    """Only the tablet's number is scanned."""
    return factories.KitFactory(name="Einfaches Set", parts=[(product, 1) for product in (products[0], products[2])])


def begin(by, school, **facts):
    known = {"product": None, "expected": None, "school": school, **facts}
    return services.start_scanning(token=uuid.uuid4(), by=by, **known)


def send(session, by, *texts, **facts):
    scanned = [services.SentSerial(uuid.uuid4(), text, **facts) for text in texts]
    return [answer.outcome.value for answer in services.record_scans(session=session, scanned=scanned, by=by)]


def held(session):
    return list(session.scans.kept().order_by("place", "pk").values_list("place", "serial"))


def take_in(session, by, **facts):
    session.refresh_from_db()
    return services.take_in(session=session, revision=session.revision, by=by, **facts)


def test_places_count_the_slots_of_one_kit_after_the_other():
    places = Places.of(DEVICES)
    assert (places.slots, places.devices, places.firsts) == ((1, 2, 2), 4, 1)
    assert [(places.kit_of(place), places.product_at(place), places.is_first(place)) for place in (0, 2, 3, 7)] == [
        (0, 1, True), (0, 2, False), (1, 1, True), (2, 2, False),
    ]  # fmt: skip
    assert (places.kits({0, 1, 7}), places.missing({0, 1, 7}), places.complete({0, 1, 2, 7})) == ([0, 2], [2, 6, 8], 1)
    assert places.of_product(2, [0, 2]) == [1, 2, 7, 8]
    assert (places.most_kits(500), Places.of([])) == (125, None)
    assert (free_places(set()), free_places({0, 3})) == (([], 0), ([1, 2], 4))


def test_each_number_makes_a_kit_with_its_parts(plain_kit, products, school, coordinator):
    session = begin(coordinator, school, kit=plain_kit, room="R 1", expected=2)
    assert send(session, coordinator, "SN-1", "SN-2") == ["kept", "kept"]
    assert (progress_of(session).number, progress_of(session).is_complete) == (2, True)

    devices = take_in(session, coordinator)

    assert [(row.product, row.serial) for row in devices] == [
        (products[0], "SN-1"), (products[0], "SN-2"), (products[2], ""), (products[2], ""),
    ]  # fmt: skip
    assert {row.kit_set_id: 0 for row in devices} == dict.fromkeys(KitSet.objects.values_list("pk", flat=True), 0)
    assert [row.kit_set_id for row in devices[:2]] == [row.kit_set_id for row in devices[2:]]
    assert {(row.school, row.room, row.status) for row in devices} == {(school, "R 1", "in_use")}
    assert set(Device.objects.filter(scan__session=session)) == set(devices)
    assert take_in(session, coordinator) == devices
    assert Device.objects.count() == 4


def test_numbers_of_parts_are_scanned_in_turn_and_stay_with_their_kit(kit, products, school, coordinator):
    session = begin(coordinator, school, kit=kit)
    assert session.product == products[0]
    send(session, coordinator, "T-0001", "K-0001", "T-0002", "K-0002")
    assert held(session) == [(0, "T-0001"), (1, "K-0001"), (2, "T-0002"), (3, "K-0002")]
    assert progress_of(session).number == 2

    take_in(session, coordinator)

    for number in ("1", "2"):
        kit_set = Device.objects.get(serial=f"T-000{number}").kit_set
        assert list(kit_set.devices.order_by("pk").values_list("product__model", "serial")) == [
            ("Tablet", f"T-000{number}"), ("Tastatur", f"K-000{number}"), ("Ladegerät", ""),
        ]  # fmt: skip
        assert kit_set.accessories == "1 × Muster Stift"


def test_a_number_that_is_refused_shifts_none_after_it(kit, school, coordinator):
    session = begin(coordinator, school, kit=kit)
    factories.DeviceFactory(serial="K-0001", school=school)
    sent = [services.SentSerial(uuid.uuid4(), text, place) for place, text in
            enumerate(("T-0001", "K-0001", "T-0002", "K-0002"))]  # fmt: skip

    answers = services.record_scans(session=session, scanned=sent, by=coordinator)

    assert [answer.outcome.value for answer in answers] == ["kept", "has_device", "kept", "kept"]
    assert held(session) == [(0, "T-0001"), (2, "T-0002"), (3, "K-0002")]
    with pytest.raises(DomainError) as caught:
        take_in(session, coordinator)
    assert caught.value.code == "incomplete"
    assert preview_of(session, set()).missing == ("Set 1: Muster Tastatur",)
    assert send(session, coordinator, "K-0009") == ["kept"]
    assert held(session)[1] == (1, "K-0009")
    assert send(session, coordinator, "K-0010", place=1) == ["place_taken"]


def test_a_removed_number_leaves_its_place_for_the_next(kit, school, coordinator):
    session = begin(coordinator, school, kit=kit)
    send(session, coordinator, "T-0001", "K-0001", "T-0002")
    services.remove_scan(session=session, scan_id=Scan.objects.get(serial="T-0001").pk, by=coordinator)
    assert send(session, coordinator, "T-0003", "K-0002") == ["kept", "kept"]
    assert held(session) == [(0, "T-0003"), (1, "K-0001"), (2, "T-0002"), (3, "K-0002")]


def test_a_part_may_bear_no_number_but_never_the_first_device(kit, school, coordinator):
    session = begin(coordinator, school, kit=kit)
    assert send(session, coordinator, "", without=True) == ["needs_number"]
    assert send(session, coordinator, "T-0001") == ["kept"]
    assert send(session, coordinator, "", without=True) == ["kept"]
    assert send(session, coordinator, "T-0002") == ["kept"]
    assert send(session, coordinator, "", without=True) == ["kept"]

    devices = take_in(session, coordinator)

    assert [row.serial for row in devices] == ["T-0001", "T-0002", "", "", "", ""]


def test_a_pattern_of_the_part_keeps_numbers_from_changing_places(kit, products, school, coordinator):
    SerialPattern.objects.create(product=products[1], pattern="K-[0-9]{4}", example="K-1234")
    session = begin(coordinator, school, kit=kit)
    assert send(session, coordinator, "T-0001", "T-0002", "K-0001") == ["kept", "malformed", "kept"]
    assert held(session) == [(0, "T-0001"), (1, "K-0001")]


def test_a_kit_of_which_a_number_is_taken_by_now_is_left_out_as_a_whole(kit, school, coordinator):
    session = begin(coordinator, school, kit=kit)
    send(session, coordinator, "T-0001", "K-0001", "T-0002", "K-0002")
    factories.DeviceFactory(serial="K-0001", school=school)
    with pytest.raises(DomainError) as caught:
        take_in(session, coordinator)
    assert caught.value.code == "taken"
    assert preview_of(session, {"K-0001"}).devices == 3

    devices = take_in(session, coordinator, leave_out_known=True)

    assert [row.serial for row in devices] == ["T-0002", "K-0002", ""]


def test_a_delivery_holds_as_many_kits_as_labels_are_printed_at_once(plain_kit, school, coordinator):
    session = begin(coordinator, school, kit=plain_kit)
    assert set(send(session, coordinator, *(f"SN-{number:03}" for number in range(250)))) == {"kept"}
    assert send(session, coordinator, "SN-250") == ["full"]


def test_what_the_kit_was_made_of_when_scanning_began_holds(kit, products, school, coordinator):
    session = begin(coordinator, school, kit=kit)
    send(session, coordinator, "T-0001", "K-0001")
    KitPart.objects.filter(kit=kit, product=products[1]).delete()
    assert [row.serial for row in take_in(session, coordinator)] == ["T-0001", "K-0001", ""]


@pytest.mark.parametrize("edit", [{"quantity": 2}, {"product": "Hülle"}, None])
def test_its_accessories_are_those_of_the_beginning_too(kit, products, school, coordinator, edit):
    session = begin(coordinator, school, kit=kit)
    send(session, coordinator, "T-0001", "K-0001")
    pens = KitPart.objects.filter(kit=kit, product=products[3])
    if edit is None:
        pens.delete()
    elif "product" in edit:
        pens.update(product=factories.ProductFactory(manufacturer="Muster", model="Hülle", kind=products[3].kind))
    else:
        pens.update(**edit)
    services.change_scanning(session=session, by=coordinator, product=None, kit=kit, school=school, room="R 2")
    session.refresh_from_db()
    assert preview_of(session, set()).accessories == "1 × Muster Stift"

    devices = take_in(session, coordinator)

    assert {(row.kit_set.accessories, row.room) for row in devices} == {("1 × Muster Stift", "R 2")}


def test_another_kit_brings_its_own_accessories_and_devices_alone_none(kit, plain_kit, products, school, coordinator):
    session = begin(coordinator, school, kit=plain_kit)
    for what, words in (({"kit": kit}, "1 × Muster Stift"), ({"product": products[0], "kit": None}, "")):
        services.change_scanning(session=session, by=coordinator, **{"product": None, "school": school, **what})
        session.refresh_from_db()
        assert session.accessories == words


def test_what_was_being_scanned_before_keeps_the_accessories_of_now(kit, school, coordinator):
    session = begin(coordinator, school, kit=kit)
    ended = begin(coordinator, school, kit=kit)
    services.cancel_scanning(session=ended, by=coordinator)
    ScanSession.objects.update(accessories="")

    import_module("apps.inventory.migrations.0026_accessories_of_scanned_kits").copy(apps, None)

    found = dict(ScanSession.objects.values_list("pk", "accessories"))
    assert found == {session.pk: "1 × Muster Stift", ended.pk: ""}


def test_a_delivery_becomes_one_of_kits_while_one_number_stands_for_each(plain_kit, kit, products, school, coordinator):
    session = services.start_scanning(token=uuid.uuid4(), by=coordinator, product=products[0], school=school)
    send(session, coordinator, "SN-1", "SN-2")
    facts = {"product": None, "price": None, "school": school}
    with pytest.raises(DomainError) as caught:
        services.change_scanning(session=session, by=coordinator, kit=kit, **facts)
    assert caught.value.field == "kit"

    services.change_scanning(session=session, by=coordinator, kit=plain_kit, **facts)
    assert held(session) == [(0, "SN-1"), (1, "SN-2")]
    services.change_scanning(
        session=session, by=coordinator, kit=None, **facts | {"product": products[2], "price": Decimal(5)}
    )
    assert held(session) == [(None, "SN-1"), (None, "SN-2")]
    services.change_scanning(session=session, by=coordinator, school=school, room="7")
    assert {row.product for row in take_in(session, coordinator)} == {products[2]}


def test_kits_have_no_single_price(plain_kit, school, coordinator):
    with pytest.raises(DomainError) as caught:
        begin(coordinator, school, kit=plain_kit, price=Decimal("10.00"))
    assert caught.value.field == "price"


def test_the_pages_say_whose_number_is_next_and_what_is_made(client, kit, school, coordinator):
    page = client.get(reverse("inventory:scan_start")).content.decode()
    assert "Oder ein Set" in page
    token = uuid.uuid4()
    sent = {"token": token, "kit": kit.pk, "school": school.pk, "ownership": "bought", "expected": "2"}
    page = client.post(reverse("inventory:scan_start"), sent, follow=True)
    session = ScanSession.objects.get()
    assert (session.kit, page.context["kit"]["place"]) == (kit, 0)
    assert "Als Nächstes: Muster Tablet, Set 1" in page.content.decode()
    address = session.get_absolute_url()

    page = client.post(address, {"key": uuid.uuid4(), "serial": "T-0001", "place": "0"})
    assert "Als Nächstes: Muster Tastatur, Set 1" in page.content.decode()
    key = uuid.uuid4()
    page = client.post(address, {"key": key, "serial": "", "place": "1", "without": key})
    assert "Als Nächstes: Muster Tablet, Set 2" in page.content.decode()
    assert "ohne Nummer" in page.content.decode()
    answer = client.post(address, {"key": uuid.uuid4(), "serial": "T-0002", "place": "2"},
                         headers={"accept": "application/json"}).json()  # fmt: skip
    assert answer["answers"][0]["part"] == "Set 2: Muster Tablet"
    assert (answer["kit"]["gaps"], answer["kit"]["end"], answer["number"], answer["of"]) == (
        [], 3, "1", "von 2 Sets vollständig",
    )  # fmt: skip

    preview = client.get(reverse("inventory:scan_take_in", args=[session.pk])).content.decode()
    assert "Set 2: Muster Tastatur" in preview
    assert "6 Geräte aufnehmen" not in preview
    send(session, coordinator, "K-0002")
    preview = client.get(reverse("inventory:scan_take_in", args=[session.pk])).content.decode()
    for words in ("2 × Muster Tablet: jedes mit seiner Seriennummer", "1 × Muster Stift", "6 Geräte aufnehmen",
                  "2 × Muster Tastatur: 1 mit Seriennummer, die übrigen ohne",
                  "2 × Muster Ladegerät: ohne Seriennummern"):  # fmt: skip
        assert words in preview, words
    session.refresh_from_db()
    page = client.post(
        reverse("inventory:scan_take_in", args=[session.pk]), {"revision": session.revision}, follow=True
    )
    assert "6 Geräte sind aufgenommen" in page.content.decode()
    labels = client.get(reverse("inventory:labels", query={"scan": session.pk}))
    assert "6 Geräte sind ausgewählt" in labels.content.decode()
    assert client.get(reverse("inventory:scan_change", args=[session.pk])).status_code == 302


def test_the_check_page_counts_kits_that_are_begun(client, school, coordinator, kit):
    session = begin(coordinator, school, kit=kit, expected=2)
    check = reverse("inventory:scan_take_in", args=[session.pk])
    assert "Es ist noch nichts gescannt" in client.get(check).content.decode()

    send(session, coordinator, "T-0001")
    page = client.get(check).content.decode()
    assert ("Es ist noch nichts gescannt" in page, "2 fehlen noch." in page) == (False, True)

    send(session, coordinator, "K-0001", "T-0002", "K-0002")
    assert progress_of(session).is_complete
    send(session, coordinator, "T-0003")
    for address in (check, session.get_absolute_url()):
        assert "1 mehr als erwartet." in client.get(address).content.decode()
    assert (progress_of(session).shown, progress_of(session).is_complete) == ("2", False)


def test_the_history_of_a_scanned_device_names_its_product_and_the_delivery(client, coordinator, school, plain_kit):
    session = begin(coordinator, school, kit=plain_kit)
    send(session, coordinator, "SN-1")
    devices = take_in(session, coordinator)
    by_hand = services.add_device(product=plain_kit.parts.first().product, school=school, by=coordinator)
    colleague = factories.CoordinatorFactory(schools=[school])
    moment = formats.moment(session.started_at)

    for device in devices:
        page = " ".join(client.get(device.get_absolute_url()).content.decode().split())
        assert f": {device.product} erfasst, " in page
        assert f'href="{session.get_absolute_url()}">eingescannte Lieferung vom {moment}</a>' in page
    client.force_login(colleague)
    page = client.get(devices[0].get_absolute_url()).content.decode()
    assert f"eingescannte Lieferung vom {moment}" in page
    assert session.get_absolute_url() not in page
    page = client.get(by_hand.get_absolute_url()).content.decode()
    assert f": {by_hand.product} erfasst" in page
    assert "eingescannte Lieferung" not in page
