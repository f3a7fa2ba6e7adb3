"""What a delivery of an order says while it is scanned, once the order no longer asks for what is scanned."""

import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts.models import User
from apps.funding import services
from apps.funding.models import Order
from apps.inventory import services as inventory
from apps.inventory.models import ScanSession
from apps.inventory.scan_checks import SentSerial
from tests.factories import ClerkFactory
from tests.funding.portal import client_of, texts
from tests.funding.purchases import approved, lines_for, placed_order

pytestmark = pytest.mark.django_db
ENDED = "Von ihr lässt sich nichts mehr aufnehmen."
TOO_MANY = "sind noch 2 zu liefern, gescannt sind 3. Bitte entfernen Sie eine Nummer"


class Scanning:
    """An order of two devices, which a clerk scans in."""

    def __init__(self) -> None:
        self.by: User = ClerkFactory()
        self.order: Order = placed_order(*lines_for(approved()))
        self.line = self.order.lines.get()
        self.session: ScanSession = services.begin_scan(order_line=self.line, by=self.by, token=uuid.uuid4())
        self.client: Client = client_of(self.by)
        self.here = self.session.get_absolute_url()

    def keep(self, *serials: str) -> None:
        scans = [SentSerial(uuid.uuid4(), serial) for serial in serials]
        inventory.record_scans(session=self.session, scanned=scans, by=self.by)
        self.session.refresh_from_db()

    def send(self, serial: str, **headers: str) -> Any:
        return self.client.post(self.here, {"key": uuid.uuid4(), "serial": serial}, headers=headers)

    def answer(self, serial: str) -> tuple[str, str]:
        """What came of a number, and the warning."""
        told = self.send(serial, accept="application/json").json()
        return told["answers"][0]["outcome"], told["warning"]

    def taking_in(self) -> HttpResponse:
        return self.client.get(f"{self.here}take-in/")


@pytest.fixture
def scanning() -> Scanning:
    return Scanning()


@pytest.mark.parametrize("end", [services.cancel_order, services.close_order])
def test_a_number_is_kept_and_the_answer_says_that_the_order_has_ended(scanning: Scanning, end: Any) -> None:
    assert scanning.answer("DLX0001") == ("kept", "")
    end(order=scanning.order, by=scanning.by, reason="Doch nicht.")

    outcome, warning = scanning.answer("DLX0002")

    assert (outcome, scanning.session.scans.kept().count()) == ("kept", 2)
    assert ENDED in warning


def test_more_than_the_order_misses_is_kept_with_a_warning(scanning: Scanning) -> None:
    scanning.keep("DLX0001")
    assert scanning.answer("DLX0002") == ("kept", "")
    outcome, warning = scanning.answer("DLX0003")
    assert (outcome, scanning.session.scans.kept().count()) == ("kept", 3)
    assert TOO_MANY in warning


def test_without_the_script_the_page_warns_as_well(scanning: Scanning) -> None:
    scanning.keep("DLX0001")
    assert "kern-alert--warning" not in scanning.send("DLX0002").content.decode().partition("<template")[0]
    shown = scanning.send("DLX0003")
    before = shown.content.decode().partition("<template")[0]
    assert ("kern-alert--warning" in before, "kern-alert--success" in before) == (True, False)
    assert TOO_MANY in texts(shown)


def test_an_obstacle_stands_above_the_figures_and_nothing_is_promised(scanning: Scanning) -> None:
    promise = "Dann werden alle Geräte in einem Schritt aufgenommen"
    scanning.keep("DLX0001", "DLX0002")
    assert promise in texts(scanning.taking_in())

    services.close_order(order=scanning.order, by=scanning.by, reason="Doch nicht.")
    shown = texts(scanning.taking_in())

    assert promise not in shown
    assert shown.count(ENDED) == 1
    assert shown.index(ENDED) < shown.index("Anschaffungskosten")
