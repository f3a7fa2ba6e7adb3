"""What a delivery of an order says while it is scanned, once the order no longer asks for what is scanned."""

import uuid
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.funding import services
from apps.funding.models import Order, PurchasedDevice, ScannedReceipt
from apps.inventory import services as inventory
from apps.inventory.models import Device, ScanSession
from apps.inventory.scan_checks import SentSerial
from tests.factories import ClerkFactory, UserFactory
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


def test_a_refused_delivery_goes_on_without_its_order(scanning: Scanning) -> None:
    scanning.keep("DLX0001", "DLX0002")
    services.cancel_order(order=scanning.order, by=scanning.by, reason="Doch nicht.")
    assert "Ohne die Bestellung weitermachen" in texts(scanning.taking_in())

    shown = scanning.client.post(f"{scanning.here}release/", follow=True)
    again = scanning.client.post(f"{scanning.here}release/", follow=True)

    for page in (shown, again):
        assert "2 Geräte aufnehmen" in texts(page)
        assert "Ohne die Bestellung weitermachen" not in texts(page)
    kept = scanning.session
    kept.refresh_from_db()
    assert (kept.state, kept.expected, kept.school, kept.price) == (
        "open", None, scanning.line.school, scanning.line.unit_price,
    )  # fmt: skip
    assert not ScannedReceipt.objects.exists()
    told = scanning.order.history.latest()
    assert (told.history_user, told.history_change_reason) == (
        scanning.by, f"Die gescannte Lieferung „{kept}“ läuft ohne diese Bestellung weiter.",
    )  # fmt: skip
    scanning.client.post(f"{scanning.here}take-in/", {"revision": kept.revision})
    assert sorted(Device.objects.values_list("serial", flat=True)) == ["DLX0001", "DLX0002"]
    assert not PurchasedDevice.objects.exists()


def test_a_delivery_that_its_order_takes_is_not_let_go(scanning: Scanning) -> None:
    scanning.keep("DLX0001", "DLX0002")
    assert "Ohne die Bestellung weitermachen" not in texts(scanning.taking_in())
    shown = scanning.client.post(f"{scanning.here}release/", follow=True)
    assert "Diese Lieferung lässt sich jetzt mit ihrer Bestellung aufnehmen." in texts(shown)
    assert ScannedReceipt.objects.get().scan_session == scanning.session


def test_a_begin_that_arrives_late_does_not_tie_the_delivery_to_its_order_again(scanning: Scanning) -> None:
    scanning.keep("DLX0001", "DLX0002", "DLX0003")
    inventory.release_scanning(session=scanning.session, by=scanning.by)
    again = services.begin_scan(order_line=scanning.line, by=scanning.by, token=scanning.session.token)
    assert again == scanning.session
    assert not ScannedReceipt.objects.exists()


def test_only_those_who_receive_goods_let_a_delivery_go(scanning: Scanning) -> None:
    scanning.keep("DLX0001")
    services.cancel_order(order=scanning.order, by=scanning.by, reason="Doch nicht.")
    other = client_of(UserFactory(role=Role.IT_SUPPORT))
    shown = texts(other.get(f"{scanning.here}take-in/"))
    assert (ENDED in shown, "Ohne die Bestellung weitermachen" in shown) == (True, False)
    assert other.post(f"{scanning.here}release/").status_code == 403
    assert ScannedReceipt.objects.exists()
