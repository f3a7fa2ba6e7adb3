"""What comes in, what goes back, and what is refused with which sentence."""

import datetime
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import ApplicationState, DeliveryKind, OrderState
from apps.funding.models import PurchasedDevice
from apps.inventory import services as inventory
from apps.inventory.choices import DeviceStatus, Disposal
from apps.inventory.models import Device, ScanSession
from apps.inventory.scan_checks import SentSerial
from tests.factories import ClerkFactory, CoordinatorFactory, ProductFactory
from tests.funding.factories import BudgetFactory
from tests.funding.portal import client_of, texts
from tests.funding.purchases import (
    approved,
    bound_grant,
    lines_for,
    lines_of,
    money_of,
    own_line,
    placed_order,
    refused,
    scan_in,
    states_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sums_agree")]
D = Decimal
S, O = ApplicationState, OrderState  # noqa: E741 - read as states below
DAY = datetime.timedelta(days=1)


def test_more_than_ordered_does_not_come_in() -> None:
    order, by = placed_order(*lines_for(approved())), ClerkFactory()
    line = order.lines.get()
    session = services.begin_scan(order_line=line, by=by, token=uuid.uuid4())
    scans = [SentSerial(uuid.uuid4(), f"ZU-VIEL-{number}") for number in range(3)]
    inventory.record_scans(session=session, scanned=scans, by=by)

    error = refused("too_many", inventory.take_in, session=session, revision=3, by=by)

    told = f"Von „{line.product}“ sind noch 2 zu liefern, gescannt sind 3. Bitte entfernen Sie eine Nummer, und nehmen"
    assert str(error) == f"{told} Sie das übrige Gerät ohne Bestellung auf oder geben Sie es der Firma zurück."
    assert (Device.objects.count(), ScanSession.objects.get().state) == (0, "open")
    line.refresh_from_db()
    assert line.delivered == 0


def test_the_check_before_says_what_keeps_devices_from_coming_in() -> None:
    order, by = placed_order(*lines_for(approved())), ClerkFactory()
    session = services.begin_scan(order_line=order.lines.get(), by=by, token=uuid.uuid4())
    scans = [SentSerial(uuid.uuid4(), f"ZU-VIEL-{number}") for number in range(3)]
    answers = inventory.record_scans(session=session, scanned=scans, by=by)
    here, client = f"/inventory/scan/{session.pk}/take-in/", client_of(by)

    for answer in (client.get(here), client.post(here, {"revision": 3})):
        shown = texts(answer)
        assert shown.count("sind noch 2 zu liefern, gescannt sind 3. Bitte entfernen Sie eine Nummer") == 1
        assert "3 Geräte aufnehmen" not in shown
        assert 'href="/inventory/scan/"' in answer.content.decode()

    inventory.remove_scan(session=session, scan_id=answers[-1].scan.pk, by=by)
    assert "2 Geräte aufnehmen" in texts(client.get(here))
    services.cancel_order(order=order, by=by, reason="Doch nicht")
    shown = texts(client.get(here))
    assert f"Die Bestellung {order} ist „storniert“: Von ihr lässt sich nichts mehr aufnehmen." in shown
    assert "2 Geräte aufnehmen" not in shown
    session.refresh_from_db()
    refused("order_ended", inventory.take_in, session=session, revision=session.revision, by=by)


def test_what_was_changed_at_the_scanner_is_not_what_was_ordered() -> None:
    order, by = placed_order(*lines_for(approved())), ClerkFactory()
    session = services.begin_scan(order_line=order.lines.get(), by=by, token=uuid.uuid4())
    inventory.change_scanning(session=session, by=by, product=ProductFactory())
    inventory.record_scans(session=session, scanned=[SentSerial(uuid.uuid4(), "ANDERES-1")], by=by)
    refused("other_goods", inventory.take_in, session=ScanSession.objects.get(), revision=2, by=by)


def test_a_coordinator_does_not_take_in_what_the_office_ordered() -> None:
    order = placed_order(*lines_for(approved()))
    line = order.lines.get()
    session = services.begin_scan(order_line=line, by=ClerkFactory(), token=uuid.uuid4())
    ScanSession.objects.update(by=(coordinator := CoordinatorFactory(schools=[line.school])))
    inventory.record_scans(session=session, scanned=[SentSerial(uuid.uuid4(), "SCHULE-1")], by=coordinator)
    with pytest.raises(PermissionDenied):
        inventory.take_in(session=session, revision=1, by=coordinator)
    assert not Device.objects.exists()


def test_a_delivery_that_is_begun_twice_is_one() -> None:
    line, by, token = placed_order(*lines_for(approved())).lines.get(), ClerkFactory(), uuid.uuid4()
    first, second = (services.begin_scan(order_line=line, by=by, token=token) for _ in range(2))
    assert first == second
    assert line.scanned.count() == 1


def test_one_delivery_note_with_lines_of_two_schools_is_one_delivery() -> None:
    order = placed_order(*lines_for(approved(("100.00", 1))), *lines_for(approved(("100.00", 2))))
    note = services.Note("LS-4711", today())
    one, two = lines_of(order)
    scan_in(one, note=note)
    scan_in(two, 1, note=note)
    scan_in(two, 1, note=note)  # the same line again: another delivery of that note
    assert [item.quantity for row in order.deliveries.order_by("pk") for item in row.items.all()] == [1, 1, 1]
    assert order.deliveries.count() == 2


def test_deliveries_in_parts_by_quantity() -> None:
    order = placed_order(own_line(BudgetFactory(), quantity=5))
    line, by, key = order.lines.get(), ClerkFactory(), uuid.uuid4()
    for _twice in range(2):
        services.receive_goods(order=order, by=by, quantities={line.pk: 2}, form_key=key)
    order.refresh_from_db()
    line.refresh_from_db()
    assert (order.state, line.delivered) == (O.PARTLY_DELIVERED, 2)
    refused("too_many", services.receive_goods, order=order, by=by, quantities={line.pk: 4})
    services.receive_goods(order=order, by=by, quantities={line.pk: 3})
    order.refresh_from_db()
    assert order.state == O.DELIVERED


def test_devices_are_scanned_and_nothing_else_is() -> None:
    order, by = placed_order(*lines_for(approved()), own_line(BudgetFactory())), ClerkFactory()
    device_line, other = lines_of(order)
    refused("scan", services.receive_goods, order=order, by=by, quantities={device_line.pk: 1})
    refused("no_scan", services.begin_scan, order_line=other, by=by, token=uuid.uuid4())
    with pytest.raises(DomainError):
        services.receive_goods(order=order, by=by, quantities={other.pk: 1}, note=services.Note(day=today() + DAY))
    with pytest.raises(DomainError):
        services.receive_goods(order=order, by=by, quantities={other.pk: 1}, note=services.Note(day=today() - DAY))


def test_a_bound_device_goes_back_without_a_disposal() -> None:
    money, own = money_of(bound_grant())
    application = approved(("500.00", 2), budget=money, own=own)
    order = placed_order(*lines_for(application))
    device = scan_in(order.lines.get())[0]
    device.refresh_from_db()
    assert device.bound_until == datetime.date(2031, 12, 31)

    delivery = services.return_goods(order=order, by=ClerkFactory(), reason="Display defekt", devices=[device])

    device.refresh_from_db()
    order.refresh_from_db()
    assert (device.status, device.disposal, device.bound_until) == (DeviceStatus.RETIRED, Disposal.SUPPLIER, None)
    assert PurchasedDevice.objects.get(device=device).returned_on == today()
    assert (delivery.kind, order.state, order.lines.get().delivered) == (DeliveryKind.RETURN, O.PARTLY_DELIVERED, 1)
    assert states_of(application)[-2:] == [S.DELIVERED, S.ORDERED]
    refused("other_goods", services.return_goods, order=order, by=ClerkFactory(), reason="Nochmal", devices=[device])

    scan_in(order.lines.get())
    application.refresh_from_db()
    assert application.state == S.DELIVERED
