"""Adding devices, and what each step does to device, placement, history and the school's version."""

import datetime
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.choices import DeviceStatus
from apps.inventory.models import AddRequest, Device, Placement, TagSequence
from apps.inventory.placing import EARLIEST_DAY
from apps.inventory.workflow import TRANSITIONS
from tests import factories

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def spans(device: Device) -> list[tuple]:
    """School number, since, until of a device's placements."""
    return list(device.placements.order_by("since").values_list("school__number", "since", "until"))


def version(school) -> int:
    school.refresh_from_db()
    return school.inputs_version


def test_a_device_for_a_school_is_in_use_there_from_today():
    clerk, school = factories.ClerkFactory(), factories.SchoolFactory(number="120674", short_name="Overbergschule")
    site = factories.SiteFactory(school=school)
    product = factories.ProductFactory(manufacturer="Apfel", model="Brett 10")

    device = services.add_device(
        product=product, by=clerk, serial=" sn 1 ", price=Decimal("449.00"), bought_on=today(), school=school,
        site=site, room="  R  12 ", note=" neu ",
    )  # fmt: skip

    device = Device.objects.get(pk=device.pk)
    assert (device.tag, device.serial, device.status, device.kind.code) == ("HAM-000001", "SN 1", "in_use", "tablet")
    assert (device.school, device.site, device.room, device.note) == (school, site, "R 12", "neu")
    assert device.search_text == "ham-000001 sn 1 apfel brett 10 r 12 120674 overbergschule"
    placement = Placement.objects.get(device=device)
    assert (placement.school, placement.site, placement.room) == (school, site, "R 12")
    assert (placement.since, placement.until, placement.by) == (today(), None, clerk)
    assert (placement.countable, placement.presentation, placement.ownership) == (True, False, "bought")
    entry = device.history.get()
    assert (entry.history_type, entry.history_user, entry.school) == ("+", clerk, school)
    assert version(school) == 2


def test_a_device_without_a_school_lies_in_stock_and_moves_no_figure():
    device = factories.DeviceFactory()

    assert (device.status, device.school) == ("in_stock", None)
    assert not Placement.objects.exists()


def test_many_devices_get_running_numbers_and_pass_over_taken_ones(django_assert_max_num_queries):
    school, clerk, product = factories.SchoolFactory(), factories.ClerkFactory(), factories.ProductFactory()
    services.add_device(product=product, by=clerk, tag="ham-000003")

    with django_assert_max_num_queries(40):
        devices = services.add_devices(
            product=product, quantity=100, by=clerk, school=school, serials=["a1", "a2"], since=today() - DAY
        )

    assert [device.tag for device in devices][:4] == ["HAM-000001", "HAM-000002", "HAM-000004", "HAM-000005"]
    assert [device.serial for device in devices][:3] == ["A1", "A2", ""]
    assert TagSequence.objects.get().last == 101
    assert Placement.objects.filter(school=school, since=today() - DAY, until=None).count() == 100
    assert Device.history.filter(history_user=clerk, history_type="+").count() == 101
    assert version(school) == 2


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1, "serials": ["a", "b"]}, "serials"),
        ({"quantity": 2, "serials": ["a", "A "]}, "serials"),
        ({"quantity": 1, "serials": ["taken"]}, "serials"),
        ({"quantity": 1, "tags": ["T-1"]}, "tag"),
        ({"quantity": 1, "tags": ["Ä 1"]}, "tag"),
        ({"quantity": 1, "bought_on": datetime.date(2999, 12, 31)}, "bought_on"),
        ({"quantity": 1, "bought_on": EARLIEST_DAY - DAY}, "bought_on"),
        ({"quantity": 1, "room": "R1"}, "school"),
    ],
)
def test_faulty_facts_are_named_at_their_field_and_nothing_is_written(facts, field):
    factories.DeviceFactory(tag="T-1", serial="TAKEN")

    with pytest.raises(DomainError) as caught:
        services.add_devices(product=factories.ProductFactory(), by=factories.ClerkFactory(), **facts)

    assert caught.value.field == field
    assert Device.objects.count() == 1


def test_the_same_form_sent_twice_adds_once():
    token, clerk = uuid.uuid4(), factories.ClerkFactory()
    facts = {"token": token, "product": factories.ProductFactory(), "quantity": 3, "by": clerk}

    first, second = services.add_devices_once(**facts), services.add_devices_once(**facts)

    assert [device.pk for device in first] == [device.pk for device in second]
    assert Device.objects.count() == 3
    with pytest.raises(DomainError):
        services.add_devices_once(**facts | {"by": factories.ClerkFactory()})


def test_a_form_refused_once_may_be_sent_again():
    token, clerk = uuid.uuid4(), factories.ClerkFactory()
    with pytest.raises(DomainError):
        services.add_devices_once(token=token, product=factories.ProductFactory(), quantity=0, by=clerk)

    assert not AddRequest.objects.exists()


def test_moving_closes_one_placement_and_opens_the_next():
    clerk, first, second = factories.ClerkFactory(), factories.SchoolFactory(), factories.SchoolFactory()
    device = factories.DeviceFactory(school=first, since=today() - 10 * DAY)

    moved = services.move_device(device=device, school=second, room="R 2", on=today() - 3 * DAY, by=clerk)

    assert spans(device) == [
        (first.number, today() - 10 * DAY, today() - 3 * DAY),
        (second.number, today() - 3 * DAY, None),
    ]
    moved.refresh_from_db()
    assert (moved.school, moved.room, moved.status) == (second, "R 2", "in_use")
    assert second.number in moved.search_text
    assert (version(first), version(second)) == (3, 2)


def test_a_second_move_on_the_same_day_replaces_the_first():
    first, second = factories.SchoolFactory(), factories.SchoolFactory()
    clerk, device = factories.ClerkFactory(), factories.DeviceFactory(school=first)

    services.move_device(device=device, school=second, by=clerk)

    assert spans(device) == [(second.number, today(), None)]
    assert (version(first), version(second)) == (3, 2)


def test_taking_a_device_away_on_its_first_day_leaves_no_placement():
    device = factories.DeviceFactory(school=factories.SchoolFactory())

    services.take_to_stock(device=device, by=factories.ClerkFactory())

    assert spans(device) == []


def test_a_day_before_the_last_change_is_refused_with_the_earliest_possible_one():
    school, clerk = factories.SchoolFactory(), factories.ClerkFactory()
    device = factories.DeviceFactory(school=school, since=datetime.date(2024, 3, 1))

    with pytest.raises(DomainError, match=r"01\.03\.2024") as caught:
        services.take_to_stock(device=device, by=clerk, on=datetime.date(2024, 2, 29))
    assert caught.value.field == "on"
    services.take_to_stock(device=device, by=clerk, on=datetime.date(2024, 5, 1))
    with pytest.raises(DomainError, match=r"01\.05\.2024"):
        services.move_device(device=device, school=school, by=clerk, on=datetime.date(2024, 4, 30))

    assert spans(device) == [(school.number, datetime.date(2024, 3, 1), datetime.date(2024, 5, 1))]


def test_the_future_is_refused():
    device = factories.DeviceFactory(school=factories.SchoolFactory())

    with pytest.raises(DomainError) as caught:
        services.take_to_stock(device=device, by=factories.ClerkFactory(), on=today() + DAY)

    assert caught.value.field == "on"


@pytest.mark.parametrize("day", [datetime.date(2020, 7, 31), datetime.date(2024, 8, 1)])
def test_a_school_takes_devices_only_while_it_is_open(day):
    school = factories.SchoolFactory(opened_on=datetime.date(2020, 8, 1), closed_on=datetime.date(2024, 8, 1))
    clerk, device = factories.ClerkFactory(), factories.DeviceFactory()

    with pytest.raises(DomainError) as caught:
        services.move_device(device=device, school=school, on=day, by=clerk)
    assert caught.value.field == "school"
    with pytest.raises(DomainError):
        services.add_device(product=device.product, school=school, since=day, by=clerk)

    services.move_device(device=device, school=school, on=datetime.date(2024, 7, 31), by=clerk)
    assert spans(device) == [(school.number, datetime.date(2024, 7, 31), None)]


def test_moving_to_where_it_stands_is_refused_but_another_room_is_a_new_placement():
    school, clerk = factories.SchoolFactory(), factories.ClerkFactory()
    device = factories.DeviceFactory(school=school, room="R1", since=today() - DAY)

    with pytest.raises(DomainError):
        services.move_device(device=device, school=school, room=" R1", by=clerk)
    services.move_device(device=device, school=school, room="R2", by=clerk)

    assert list(device.placements.order_by("since").values_list("room", flat=True)) == ["R1", "R2"]


def test_a_site_of_another_school_is_refused():
    device, site = factories.DeviceFactory(), factories.SiteFactory()

    with pytest.raises(DomainError) as caught:
        services.move_device(device=device, school=factories.SchoolFactory(), site=site, by=factories.ClerkFactory())

    assert caught.value.field == "site"


def test_a_school_s_only_site_is_taken_by_itself():
    school, several, clerk = factories.SchoolFactory(), factories.SchoolFactory(), factories.ClerkFactory()
    site = factories.SiteFactory(school=school)
    factories.SiteFactory.create_batch(2, school=several)
    device = services.add_device(product=factories.ProductFactory(), school=school, room="101", by=clerk)
    assert device.site == site

    moved = services.move_device(device=device, school=school, room="Z 9", by=clerk)
    assert (moved.site, moved.placements.get(until=None).site) == (site, site)
    assert services.move_device(device=device, school=several, by=clerk).site is None
    assert services.move_device(device=device, school=school, by=clerk).site == site


def test_repair_and_loan_keep_the_device_placed():
    school, clerk = factories.SchoolFactory(), factories.ClerkFactory()
    device = factories.DeviceFactory(school=school, since=today() - DAY)

    for step, status in [
        (services.send_to_repair, "in_repair"),
        (services.return_from_repair, "in_use"),
        (services.lend_device, "on_loan"),
        (services.return_loan, "in_use"),
    ]:
        assert step(device=device, by=clerk).status == status

    assert spans(device) == [(school.number, today() - DAY, None)]
    assert version(school) == 2


def test_a_retired_device_no_longer_counts_but_its_past_stays():
    school, clerk = factories.SchoolFactory(), factories.ClerkFactory()
    device = factories.DeviceFactory(school=school, since=today() - 5 * DAY)

    with pytest.raises(DomainError) as caught:
        services.retire_device(device=device, by=clerk, reason="  ")
    assert caught.value.field == "reason"
    retired = services.retire_device(device=device, by=clerk, reason="Display gebrochen", on=today() - DAY)

    assert (retired.status, retired.school, retired.last_school) == ("retired", None, school)
    assert spans(device) == [(school.number, today() - 5 * DAY, today() - DAY)]
    assert device.history.first().history_change_reason == "Display gebrochen"
    assert version(school) == 3


def test_a_coordinator_acts_on_own_schools_only():
    own, also_own, foreign = (factories.SchoolFactory() for _ in range(3))
    coordinator = factories.CoordinatorFactory(schools=[own, also_own])
    product, other = factories.ProductFactory(), factories.DeviceFactory(school=foreign)
    device = services.add_device(product=product, school=own, by=coordinator)

    services.move_device(device=device, school=also_own, by=coordinator)
    with pytest.raises(DomainError) as caught:
        services.move_device(device=device, school=foreign, by=coordinator)
    assert caught.value.field == "school"
    with pytest.raises(DomainError):
        services.add_device(product=product, school=foreign, by=coordinator)
    for refused in (
        lambda: services.add_device(product=product, by=coordinator),
        lambda: services.take_to_stock(device=device, by=coordinator),
        lambda: services.move_device(device=other, school=own, by=coordinator),
        lambda: services.retire_device(device=other, reason="x", by=coordinator),
    ):
        with pytest.raises(PermissionDenied):
            refused()

    services.retire_device(device=device, reason="defekt", by=coordinator)
    assert Device.objects.visible_to(coordinator).get().status == "retired"
    other.refresh_from_db()
    assert (other.school, other.status) == (foreign, "in_use")


def test_what_lies_in_the_depot_or_moved_on_is_out_of_a_coordinators_sight():
    own, other = factories.SchoolFactory(), factories.SchoolFactory()
    coordinator, clerk = factories.CoordinatorFactory(schools=[own]), factories.ClerkFactory()
    lost, stored, moved_and_lost = (factories.DeviceFactory(school=own) for _ in range(3))
    services.report_lost(device=lost, by=coordinator, reason="nicht auffindbar")
    services.take_to_stock(device=stored, by=clerk)
    services.move_device(device=moved_and_lost, school=other, by=clerk)
    services.report_lost(device=moved_and_lost, by=clerk)

    assert list(Device.objects.visible_to(coordinator)) == [lost]
    found = services.move_device(device=lost, school=own, by=coordinator)
    assert (found.status, found.last_school) == ("in_use", None)


@pytest.mark.parametrize("factory", [factories.HeadFactory, factories.AuditorFactory, factories.AdminFactory])
def test_who_only_reads_writes_nothing(factory):
    user, device = factory(), factories.DeviceFactory(school=factories.SchoolFactory())

    with pytest.raises(PermissionDenied):
        services.add_device(product=device.product, by=user)
    for name in ("report_lost", "report_stolen", "send_to_repair", "take_to_stock"):
        with pytest.raises(PermissionDenied):
            getattr(services, name)(device=device, by=user)
    with pytest.raises(PermissionDenied):
        services.change_ownership(device=device, ownership="leased", by=user)


LEGAL = {
    "move_device": {"ordered", "in_stock", "in_use", "lost", "stolen"},
    "send_to_repair": {"in_use"},
    "return_from_repair": {"in_repair"},
    "lend_device": {"in_use"},
    "return_loan": {"on_loan"},
    "take_to_stock": {"ordered", "in_use", "lost", "stolen", "retired"},
    "report_lost": {"in_stock", "in_use", "on_loan", "in_repair"},
    "report_stolen": {"in_stock", "in_use", "on_loan", "in_repair", "lost"},
    "retire_device": {"in_stock", "in_use", "in_repair", "lost", "stolen"},
    "record_disposal": {"retired"},
}
TARGETS = {
    "move_device": "in_use",
    "send_to_repair": "in_repair",
    "return_from_repair": "in_use",
    "lend_device": "on_loan",
    "return_loan": "in_use",
    "take_to_stock": "in_stock",
    "report_lost": "lost",
    "report_stolen": "stolen",
    "retire_device": "retired",
    "record_disposal": "retired",
}


def test_the_table_of_transitions_is_complete():
    assert {name for name, _ in TRANSITIONS} == set(LEGAL)


@pytest.mark.parametrize("source", DeviceStatus.values)
@pytest.mark.parametrize("name", LEGAL)
def test_every_pair_of_step_and_status(name, source):
    school, other, clerk = factories.SchoolFactory(), factories.SchoolFactory(), factories.ClerkFactory()
    placed = source in ("in_use", "on_loan", "in_repair")
    device = factories.DeviceFactory(school=school if placed else None)
    Device.objects.filter(pk=device.pk).update(status=source)
    extra = {
        "move_device": {"school": other},
        "retire_device": {"reason": "defekt"},
        "record_disposal": {"disposal": "scrapped"},
    }.get(name, {})
    step = getattr(services, name)

    if source in LEGAL[name]:
        assert step(device=device, by=clerk, **extra).status == TARGETS[name]
    else:
        with pytest.raises(DomainError) as caught:
            step(device=device, by=clerk, **extra)
        assert caught.value.code == "illegal_transition"
    device.refresh_from_db()
    assert device.status == (TARGETS[name] if source in LEGAL[name] else source)
    assert device.placements.filter(until=None).count() == (device.status in ("in_use", "on_loan", "in_repair"))


def test_a_device_stands_nowhere_before_there_were_any_or_before_it_was_bought():
    clerk, school, product = factories.ClerkFactory(), factories.SchoolFactory(), factories.ProductFactory()
    add = {"product": product, "quantity": 1, "school": school, "by": clerk}
    with pytest.raises(DomainError, match=r"^Dieser Tag liegt zu weit zurück\. .* 01\.01\.1990 ") as too_early:
        services.add_devices(since=EARLIEST_DAY - DAY, **add)
    bought = datetime.date(2024, 3, 1)
    with pytest.raises(DomainError, match=r"^Das Gerät wurde am 01\.03\.2024 gekauft\.") as unbought:
        services.add_devices(since=bought - DAY, bought_on=bought, **add)
    assert (too_early.value.field, unbought.value.field) == ("since", "since")

    device = services.add_devices(since=bought, bought_on=bought, **add)[0]
    stored = services.add_device(product=product, by=clerk, bought_on=bought)
    with pytest.raises(DomainError, match=r"gekauft") as moved:
        services.move_device(device=stored, school=school, by=clerk, on=bought - DAY)
    with pytest.raises(DomainError, match=r"steht seit dem 01\.03\.2024") as corrected:
        services.change_details(device=device, by=clerk, serial="", price=None, bought_on=bought + DAY, note="")
    assert (moved.value.field, corrected.value.field) == ("on", "bought_on")
    assert Placement.objects.get().since == bought


def test_each_prefix_of_inventory_numbers_counts_for_itself(settings):
    clerk, product = factories.ClerkFactory(), factories.ProductFactory()
    first = services.add_device(product=product, by=clerk)
    settings.TAG_PREFIX = "SOEST"
    second = services.add_device(product=product, by=clerk)
    assert (first.tag, second.tag) == ("HAM-000001", "SOEST-000001")
