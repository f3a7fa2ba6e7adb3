"""Two people lend the same at once: on PostgreSQL, each on a connection, one wins and the other reads why."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.models import Device, Loan
from tests.factories import ClerkFactory, CoordinatorFactory, DeviceFactory, KitFactory, ProductFactory, SchoolFactory

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
PATIENCE = 60
TERMS = {"borrower": "pupil", "group": "7b", "due_on": None}


def all_at_once(actions: Sequence[Callable[[], object]]) -> list[str]:
    """How each action ended: "done", the sentence of its `DomainError`, or any other error."""
    barrier = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> str:
        connection.ensure_connection()
        try:
            barrier.wait(PATIENCE)
            action()
        except DomainError as error:
            return str(error)
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


def test_a_device_is_handed_out_once(school, people):
    device = DeviceFactory(school=school, tag="T-1")

    ended = all_at_once([lambda by=by: services.hand_out(device=device, by=by, **TERMS) for by in people])

    loan = Loan.objects.get()
    refusal = f"T-1 ist schon verliehen: {loan.number}, 7b. Bitte nehmen Sie das Gerät zuerst zurück."
    assert sorted(ended) == sorted(["done", *[refusal] * 3])


def test_a_kit_whose_parts_are_scanned_by_all_goes_out_once(school, people):
    kit = KitFactory(parts=[(ProductFactory(), 1) for _part in range(4)])
    parts = services.add_kits(kit=kit, quantity=1, school=school, by=ClerkFactory())

    ended = all_at_once(
        [lambda by=by, row=row: services.hand_out(device=row, by=by, **TERMS)
         for by, row in zip(people, reversed(parts), strict=True)]
    )  # fmt: skip

    assert ended.count("done") == 1
    assert sum("ist schon verliehen" in text for text in ended) == 3
    assert Loan.objects.filter(state="out").count() == 4
    assert Loan.objects.filter(main=None).count() == 1
    assert set(Device.objects.values_list("status", flat=True)) == {"on_loan"}
