"""What only PostgreSQL proves: the constraint against overlaps, and running numbers under concurrency."""

import threading
import uuid
from collections.abc import Callable
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.models import Device, Placement, Scan, ScanSession
from tests import factories
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.postgres_only


def insert(device: Device, since: int, until: int | None) -> Placement:
    """A placement past the service; days relative to today."""
    return Placement.objects.create(
        device=device, school=factories.SchoolFactory(), since=today() + since * DAY,
        until=None if until is None else today() + until * DAY, countable=True, presentation=False, ownership="bought",
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("span", [(-9, -4), (-6, -4), (-9, None), (-6, -5)])
def test_the_database_refuses_overlapping_placements(span):
    device = factories.DeviceFactory()
    insert(device, -10, -5)

    with pytest.raises(IntegrityError, match="inventory_placements_do_not_overlap"), transaction.atomic():
        insert(device, *span)


@pytest.mark.django_db
def test_touching_placements_and_those_of_other_devices_are_fine():
    device = factories.DeviceFactory()
    insert(device, -10, -5)

    insert(device, -5, None)
    insert(factories.DeviceFactory(), -9, None)

    assert Placement.objects.count() == 3


@pytest.mark.django_db
def test_search_inside_words_uses_the_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM inventory_device WHERE search_text LIKE '%overberg%'")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "inventory_device_search" in plan


def at_once(*works: Callable[[], object]) -> None:
    """Runs works in threads of their own, each with its own connection; raises what any of them raised."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.django_db(transaction=True)
def test_several_people_adding_at_once_get_different_numbers():
    clerk, product, school = factories.ClerkFactory(), factories.ProductFactory(), factories.SchoolFactory()

    def add() -> None:
        for _ in range(5):
            services.add_devices(product=product, quantity=4, by=clerk, school=school)

    at_once(*[add] * 5)

    assert sorted(Device.objects.values_list("tag", flat=True)) == [f"HAM-{number:06d}" for number in range(1, 101)]
    school.refresh_from_db()
    assert school.inputs_version == 26


@pytest.mark.django_db(transaction=True)
def test_two_people_moving_the_same_device_leave_one_open_placement():
    clerk, device = factories.ClerkFactory(), factories.DeviceFactory(school=factories.SchoolFactory())
    schools = [factories.SchoolFactory() for _ in range(4)]

    at_once(*[partial(services.move_device, device=device, school=school, by=clerk) for school in schools])

    device.refresh_from_db()
    assert device.placements.get().school_id == device.school_id


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_twice_at_once_adds_once():
    facts = {
        "token": uuid.uuid4(),
        "product": factories.ProductFactory(),
        "quantity": 3,
        "by": factories.ClerkFactory(),
    }

    at_once(*[partial(services.add_devices_once, **facts)] * 4)

    assert Device.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_moves_and_a_change_of_counting_at_once_leave_no_placement_with_the_old_counting():
    clerk, kind = factories.ClerkFactory(), factories.DeviceKindFactory()
    product, schools = factories.ProductFactory(kind=kind), [factories.SchoolFactory() for _ in range(2)]
    devices = services.add_devices(product=product, quantity=10, by=clerk, school=schools[0], since=today() - DAY)

    def move() -> None:
        for device in devices:
            services.move_device(device=device, school=schools[1], by=clerk)

    def add() -> None:
        for _ in range(10):
            services.add_device(product=product, school=schools[0], by=clerk)

    at_once(
        move,
        add,
        partial(services.change_kind_counting, kind=kind, countable=False, presentation=False, by=clerk),
    )

    assert Placement.objects.open().count() == 20
    assert not Placement.objects.open().filter(countable=True).exists()
    assert Placement.objects.filter(until=today(), countable=True).count() == 10


@pytest.mark.django_db(transaction=True)
def test_a_delivery_that_two_tabs_take_in_at_once_is_taken_in_once():
    clerk = factories.ClerkFactory()
    session = services.start_scanning(token=uuid.uuid4(), by=clerk, product=factories.ProductFactory())
    sent = [services.SentSerial(uuid.uuid4(), f"SN-{number:02}") for number in range(20)]
    record = partial(services.record_scans, session=session, scanned=sent, by=clerk)
    at_once(record, record, record)
    assert session.scans.count() == 20
    tags: list[list[str]] = []

    def take_in() -> None:
        tags.append([device.tag for device in services.take_in(session=session, revision=20, by=clerk)])

    at_once(take_in, take_in, take_in)
    assert Device.objects.count() == 20
    assert tags[0] == tags[1] == tags[2]


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_with_the_same_numbers_give_each_number_one_device():
    """Whoever comes second is told which ones; nothing of theirs is lost."""
    clerk, product = factories.ClerkFactory(), factories.ProductFactory()
    sessions = [services.start_scanning(token=uuid.uuid4(), by=clerk, product=product) for _ in range(2)]
    for session in sessions:
        Scan.objects.bulk_create(
            Scan(session=session, key=uuid.uuid4(), serial=f"SN-{number:02}", by=clerk) for number in range(20)
        )
    codes: list[str] = []

    def take_in(session: ScanSession) -> None:
        try:
            services.take_in(session=session, revision=0, by=clerk)
            codes.append("done")
        except DomainError as error:
            codes.append(error.code)

    at_once(*(partial(take_in, session) for session in sessions))
    assert sorted(codes) == ["done", "taken"]
    assert Device.objects.count() == 20
    assert sorted(ScanSession.objects.values_list("state", flat=True)) == ["open", "taken_in"]
    assert Scan.objects.kept().count() == 40
