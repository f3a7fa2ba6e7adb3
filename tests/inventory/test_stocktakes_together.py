"""Several people count at once, and phones send again what they have sent: on PostgreSQL, each on a connection."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.models import Device, Placement, Stocktake, StocktakeScan
from apps.inventory.services import SentScan
from apps.inventory.stocktake_choices import Outcome, Settlement
from tests.factories import ClerkFactory, CoordinatorFactory, DeviceFactory, ProductFactory, SchoolFactory

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
PATIENCE = 60


def all_at_once(actions: Sequence[Callable[[], object]]) -> list[str]:
    """How each action ended: "done", the code of its `DomainError`, or any other error."""
    barrier = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> str:
        connection.ensure_connection()
        try:
            barrier.wait(PATIENCE)
            action()
        except DomainError as error:
            return error.code
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions, timeout=PATIENCE))


@pytest.fixture
def school():
    return SchoolFactory()


@pytest.fixture
def people(school):
    return [CoordinatorFactory(schools=[school]) for _person in range(4)]


@pytest.fixture
def stocktake(school, people):
    clerk, product = ClerkFactory(), ProductFactory()
    for number in range(6):
        DeviceFactory(product=product, school=school, room="1", tag=f"T-{number}", by=clerk)
    return services.start_stocktake(school=school, by=people[0])


def test_a_scan_that_several_connections_send_counts_once(stocktake, people):
    scans = [SentScan(uuid.uuid4(), f"T-{number}", room="1") for number in range(4)]
    ended = all_at_once([lambda by=by: services.count_scans(stocktake=stocktake, scans=scans, by=by) for by in people])
    assert ended == ["done"] * 4
    assert StocktakeScan.objects.count() == 4
    assert stocktake.items.filter(outcome=Outcome.FOUND).count() == 4


def test_the_same_unknown_number_and_device_scanned_by_all_are_one_row_each(stocktake, people):
    def scan(by):
        codes = ("T-1", "NEU", "T-2")
        sent = [SentScan(uuid.uuid4(), code, room="1") for code in codes]
        services.count_scans(stocktake=stocktake, scans=sent, by=by)

    assert all_at_once([lambda by=by: scan(by) for by in people]) == ["done"] * 4
    assert (stocktake.items.filter(code="NEU").count(), stocktake.items.count()) == (1, 7)
    assert Counter(StocktakeScan.objects.values_list("repeated", flat=True)) == {False: 3, True: 9}


def test_a_school_begins_one_stocktake(stocktake, school, people):
    services.cancel_stocktake(stocktake=stocktake, by=people[0], reason="Probe")
    ended = all_at_once([lambda by=by: services.start_stocktake(school=school, by=by) for by in people])
    assert Counter(ended) == {"done": 1, "running": 3}
    assert Stocktake.objects.filter(state="open").count() == 1


def test_settled_by_all_at_once_a_device_moves_once(stocktake, people):
    scan = SentScan(uuid.uuid4(), "T-1", room="2")
    services.count_scans(stocktake=stocktake, scans=[scan], by=people[0])
    item = stocktake.items.get(code="T-1")

    def settle(by):
        done = services.settle_items(stocktake=stocktake, items=[item], how=Settlement.ROOM_TAKEN_OVER, by=by)
        assert (done.number, done.refused) == (1, [])

    assert all_at_once([lambda by=by: settle(by) for by in people]) == ["done"] * 4
    device = Device.objects.get(tag="T-1")
    assert (device.room, device.history.count()) == ("2", 2)
    assert Placement.objects.filter(device=device, until=None).count() == 1


def test_nothing_slips_into_a_stocktake_while_it_is_closed(stocktake, people):
    missing = list(stocktake.items.all())
    services.settle_items(stocktake=stocktake, items=missing, how=Settlement.IGNORED, by=people[0], reason="Ferien")

    def scan(by):
        (answer,) = services.count_scans(stocktake=stocktake, scans=[SentScan(uuid.uuid4(), "NEU")], by=by)
        if answer.scan is None:
            raise DomainError(answer.refused, code="late")

    def close(by):
        services.close_stocktake(stocktake=stocktake, by=by)

    ended = all_at_once([lambda: close(people[0]), *[lambda by=by: scan(by) for by in people[1:]]])
    stocktake.refresh_from_db()
    unsettled = stocktake.items.filter(settlement="").exclude(outcome=Outcome.FOUND).count()
    if ended[0] == "done":
        assert (ended[1:], unsettled) == (["late"] * 3, 0)
    else:
        assert (ended[0], stocktake.state, unsettled) == ("unsettled", "open", 1)
