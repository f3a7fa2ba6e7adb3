"""Kits of an order scanned in: which are offered, what each scan brings to which line, and what is refused."""

import datetime
import re
import uuid
from decimal import Decimal
from itertools import groupby
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.choices import ApplicationState, DeliveryKind, OrderState
from apps.funding.models import Delivery, EquipmentApplication, Order, PurchasedDevice, ScannedReceipt
from apps.funding.proof_selectors import figures_of
from apps.funding.purchasing import spread
from apps.funding.scan_selectors import kits_to_scan
from apps.inventory import services as inventory
from apps.inventory.choices import DeviceStatus
from apps.inventory.models import Device, Kit, KitSet, Product, ScanSession
from apps.inventory.numbering import next_tags
from apps.inventory.scan_checks import SentSerial
from apps.schools.models import School
from tests.factories import (
    ApproverFactory,
    ClerkFactory,
    CoordinatorFactory,
    DeviceKindFactory,
    KitFactory,
    ProductFactory,
    SchoolFactory,
)
from tests.funding.factories import BudgetFactory, coordinator_of
from tests.funding.purchases import (
    draft_order,
    lines_for,
    lines_of,
    money_of,
    own_line,
    placed_order,
    refused,
    scan_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sums_agree")]
D = Decimal
BOUND = datetime.date(2031, 12, 31)


class World:
    """A kit of a tablet, two pens that are devices without number, and a case that nobody counts; one school."""

    def __init__(self) -> None:
        case = DeviceKindFactory(code="case", name="Hülle", countable=False, tracked_singly=False)
        self.tablet, self.pen = (ProductFactory(manufacturer="Muster", model=name) for name in ("Tablet", "Stift"))
        self.case = ProductFactory(manufacturer="Muster", model="Hülle", kind=case)
        self.kit: Kit = KitFactory(name="Tablet-Set", parts=[(self.tablet, 1), (self.pen, 2), (self.case, 1)])
        self.school: School = SchoolFactory()
        self.granted, self.own = money_of()
        self.municipal = BudgetFactory(appropriation=D("100000.00"))
        self.by = ClerkFactory()

    def line(self, product: Product, quantity: int, price: str, *, granted: bool = False, **values: Any) -> Any:
        money: dict[str, Any] = {"budget_id": self.granted.pk, "own_share_budget_id": self.own.pk} if granted else {}
        facts = {"product_id": product.pk, "school_id": self.school.pk, "description": ""}
        return own_line(self.municipal, price=price, quantity=quantity, **facts | money | values)

    def order(self, kits: int = 5) -> Order:
        """Tablets out of a grant (three) and out of municipal money at another price (the others)."""
        return placed_order(
            self.line(self.tablet, 3, "400.00", granted=True),
            self.line(self.case, kits, "20.00", granted=True),
            self.line(self.tablet, kits - 3, "390.00"),
            self.line(self.pen, 2 * kits, "30.00"),
        )

    def begin(self, order: Order, **values: Any) -> ScanSession:
        facts = {"order_line": lines_of(order)[0], "by": self.by, "token": uuid.uuid4(), "kit": self.kit}
        return services.begin_scan(**facts | values)

    def scan(self, session: ScanSession, number: int, *, by: Any = None) -> None:
        scans = [SentSerial(uuid.uuid4(), f"SET{session.pk:03d}N{index:04d}") for index in range(number)]
        inventory.record_scans(session=session, scanned=scans, by=by or self.by)
        session.refresh_from_db()

    def take_in(self, order: Order, number: int, **values: Any) -> list[Device]:
        session = self.begin(order, **values)
        self.scan(session, number)
        return inventory.take_in(session=session, revision=session.revision, by=self.by)


@pytest.fixture
def world() -> World:
    return World()


def delivered(order: Order) -> list[int]:
    return list(order.lines.order_by("pk").values_list("delivered", flat=True))


@pytest.mark.parametrize(
    ("pieces", "missing", "shares"),
    [(0, [2, 3], [0, 0]), (2, [2, 3], [2, 0]), (4, [2, 3], [2, 2]), (5, [2, 0, 3], [2, 0, 3]), (9, [2, 3], [2, 3])],
)
def test_pieces_fill_one_line_after_the_other(pieces: int, missing: list[int], shares: list[int]) -> None:
    assert spread(pieces, missing) == shares


def test_each_scan_brings_a_kit_to_the_lines_of_its_parts(world: World) -> None:
    order = world.order()
    granted, cases, other, pens = lines_of(order)

    session = world.begin(order, note=services.Note("LS-1", today()))
    assert (session.kit, session.school, session.expected, session.price) == (world.kit, world.school, 5, None)
    world.scan(session, 4)
    devices = inventory.take_in(session=session, revision=session.revision, by=world.by)

    assert delivered(order) == [3, 4, 1, 8]
    order.refresh_from_db()
    assert order.state == OrderState.PARTLY_DELIVERED
    delivery = Delivery.objects.get()
    assert (delivery.note_number, delivery.received_on, delivery.kind) == ("LS-1", today(), DeliveryKind.RECEIPT)
    items = delivery.items.order_by("pk").values_list("order_line", "quantity", "scan_session")
    assert list(items) == [(line.pk, number, session.pk) for line, number in zip(
        (granted, cases, other, pens), (3, 4, 1, 8), strict=True)]  # fmt: skip
    rows = PurchasedDevice.objects.select_related("device").order_by("order_line", "device")
    assert [(row.order_line_id, row.device.serial, row.device.price, row.device.bound_until) for row in rows] == [
        *((granted.pk, f"SET{session.pk:03d}N{index:04d}", D("400.00"), BOUND) for index in range(3)),
        (other.pk, f"SET{session.pk:03d}N0003", D("390.00"), None),
        *[(pens.pk, "", D("30.00"), None)] * 8,
    ]
    assert all(row.item.order_line_id == row.order_line_id for row in rows)
    assert {row.device for row in rows} == set(devices)
    assert {(row.school, row.note, row.bought_on) for row in devices} == {(world.school, order.number, today())}
    sets = KitSet.objects.order_by("pk")
    assert [(row.devices.count(), row.accessories) for row in sets] == [(3, "1 × Muster Hülle")] * 4

    world.take_in(order, 1)
    order.refresh_from_db()
    assert (order.state, delivered(order)) == (OrderState.DELIVERED, [3, 5, 2, 10])


def test_offered_is_what_is_missing_of_every_part_at_one_place(world: World) -> None:
    elsewhere = SchoolFactory()
    order = placed_order(
        world.line(world.tablet, 4, "400.00"),
        world.line(world.case, 9, "20.00"),
        world.line(world.pen, 7, "30.00"),
        world.line(world.tablet, 2, "400.00", school_id=None),
        world.line(world.case, 2, "20.00", school_id=None),
        world.line(world.pen, 4, "30.00", school_id=None),
        world.line(world.tablet, 2, "400.00", school_id=elsewhere.pk),
        world.line(world.case, 2, "20.00", school_id=elsewhere.pk),
    )
    KitFactory(name="Nicht mehr", parts=[(world.tablet, 1)], is_active=False)
    KitFactory(name="Nur Hüllen", parts=[(world.case, 2)])

    def offers() -> list[tuple[str, School | None, int]]:
        return [(str(row.kit), row.school, row.number) for row in kits_to_scan(lines_of(order))]

    assert offers() == [("Tablet-Set", world.school, 3), ("Tablet-Set", None, 2)]
    devices = world.take_in(order, 2, order_line=lines_of(order)[3])
    assert {row.status for row in devices} == {DeviceStatus.IN_STOCK}
    assert offers() == [("Tablet-Set", world.school, 3)]
    scan_in(lines_of(order)[0], 2)
    assert offers() == [("Tablet-Set", world.school, 2)]


def test_applications_follow(world: World) -> None:
    coordinator = coordinator_of(world.school)
    parts = [(world.tablet, 2), (world.pen, 4), (world.case, 2)]
    for product, _number in parts:
        inventory.set_price(product=product, gross_price=D("50.00"), by=world.by)
    inputs = [LineInput(product.pk, number) for product, number in parts]
    draft = services.create_draft(by=coordinator, school=world.school, title="Sets", lines=inputs)
    services.submit(application=draft, by=coordinator)
    decisions = [LineDecision(line.pk, line.quantity, world.municipal.pk) for line in draft.lines.order_by("pk")]
    application = services.approve(application=draft, by=ApproverFactory(), decisions=decisions)
    order = placed_order(*lines_for(application))

    world.take_in(order, 1)
    assert EquipmentApplication.objects.get().state == ApplicationState.ORDERED
    world.take_in(order, 1)
    assert EquipmentApplication.objects.get().state == ApplicationState.DELIVERED


def test_single_devices_of_kits_go_back(world: World) -> None:
    order = world.order()
    devices = world.take_in(order, 5)
    bought = PurchasedDevice.objects.filter(order_line=lines_of(order)[0]).order_by("pk").first()
    assert bought is not None
    pen = next(row for row in devices if row.product == world.pen)

    services.return_goods(order=order, by=world.by, reason="Defekt", devices=[bought.device, pen])

    assert delivered(order) == [2, 5, 2, 9]
    bought.device.refresh_from_db()
    assert (bought.device.status, bought.device.bound_until) == (DeviceStatus.RETIRED, None)
    refused("too_many", world.begin, order)  # the cases are all there, so that no whole kit is missing
    scan_in(lines_of(order)[0], 1)
    scan_in(lines_of(order)[3], 1)
    order.refresh_from_db()
    assert order.state == OrderState.DELIVERED


def test_more_kits_than_are_missing_make_nothing(world: World) -> None:
    order = world.order()
    session = world.begin(order)
    world.scan(session, 5)
    services.receive_goods(order=order, by=world.by, quantities={lines_of(order)[1].pk: 1})

    error = refused("too_many", inventory.take_in, session=session, revision=session.revision, by=world.by)

    told = f"Von „{session.kit}“ sind noch 4 zu liefern, gescannt sind 5. Bitte entfernen Sie die Nummern eines Sets"
    assert str(error).startswith(told)
    assert (Device.objects.count(), delivered(order)) == (0, [0, 1, 0, 0])
    assert ScanSession.objects.get().state == "open"


def test_kits_that_the_lines_of_a_part_miss_together_come_in(world: World) -> None:
    order = world.order()
    session = world.begin(order)
    world.scan(session, 5)
    scan_in(lines_of(order)[2], 2)
    error = refused("too_many", inventory.take_in, session=session, revision=session.revision, by=world.by)
    assert "noch 3 zu liefern, gescannt sind 5. Bitte entfernen Sie die Nummern von 2 Sets" in str(error)


def test_what_the_scanning_was_changed_into_is_not_what_was_ordered(world: World) -> None:
    order = world.order()
    session = world.begin(order)
    same_devices = KitFactory(name="Ohne Hülle", parts=[(world.tablet, 1), (world.pen, 2)])
    changes: list[dict[str, Any]] = [
        {"product": world.tablet, "kit": None},
        {"product": None, "kit": same_devices},
        {"product": None, "kit": world.kit, "school": SchoolFactory()},
    ]
    world.scan(session, 1)
    for facts in changes:
        inventory.change_scanning(session=session, by=world.by, **facts)
        session.refresh_from_db()
        refused("other_goods", inventory.take_in, session=session, revision=session.revision, by=world.by)
    assert not Device.objects.exists()
    inventory.change_scanning(session=session, by=world.by, school=world.school)
    session.refresh_from_db()
    assert len(inventory.take_in(session=session, revision=session.revision, by=world.by)) == 3


def test_a_kit_that_was_changed_while_it_was_scanned_stays_as_it_was_ordered(world: World) -> None:
    order = world.order()
    session = world.begin(order)
    world.scan(session, 2)
    world.kit.parts.filter(product=world.case).update(quantity=3)
    inventory.take_in(session=session, revision=session.revision, by=world.by)
    assert delivered(order) == [2, 2, 0, 4]


def test_a_line_that_is_no_part_and_orders_that_are_not_placed_are_refused(world: World) -> None:
    other = ProductFactory()
    with pytest.raises(DomainError, match="Entwurf"):
        world.begin(draft_order(world.line(world.tablet, 1, "1.00"), by=world.by))
    order = placed_order(world.line(world.tablet, 2, "400.00"), world.line(other, 1, "10.00"))
    refused("too_many", world.begin, order)
    assert not ScannedReceipt.objects.exists()


def test_who_does_not_receive_goods_takes_in_no_kits(world: World) -> None:
    order = world.order()
    coordinator = CoordinatorFactory(schools=[world.school])
    with pytest.raises(PermissionDenied):
        world.begin(order, by=coordinator)
    session = world.begin(order)
    ScanSession.objects.update(by=coordinator)
    world.scan(session, 1, by=coordinator)
    with pytest.raises(PermissionDenied):
        inventory.take_in(session=session, revision=session.revision, by=coordinator)
    assert not Device.objects.exists()


def test_sent_twice_it_is_one_and_cancelled_it_leaves_no_trace(world: World) -> None:
    order, token = world.order(), uuid.uuid4()
    first, second = (world.begin(order, token=token) for _ in range(2))
    assert first == second
    assert [line.scanned.count() for line in lines_of(order)] == [1, 1, 1, 1]
    world.scan(first, 2)
    inventory.cancel_scanning(session=first, by=world.by)
    assert (delivered(order), Device.objects.count()) == ([0, 0, 0, 0], 0)
    devices = world.take_in(order, 2)
    again = ScanSession.objects.latest("pk")
    assert inventory.take_in(session=again, revision=again.revision, by=world.by) == sorted(devices, key=lambda d: d.pk)
    assert (delivered(order), Delivery.objects.count()) == ([2, 2, 0, 4], 1)


def test_a_price_that_was_taken_out_of_a_single_scanning_is_that_of_the_order(world: World) -> None:
    order = world.order()
    session = world.begin(order, kit=None)
    for price, expected in ((None, D("400.00")), (D("399.00"), D("399.00"))):
        inventory.change_scanning(session=session, by=world.by, price=price)
        world.scan(session, 1)
        devices = inventory.take_in(session=session, revision=session.revision, by=world.by)
        assert [row.price for row in devices] == [expected]
        session = world.begin(order, kit=None)


def test_the_statements_do_not_depend_on_the_number_of_kits(world: World) -> None:
    """But for SQLite, which writes many rows in several statements alike."""
    world.kit.parts.filter(product=world.pen).delete()
    assert _statements(world, 300) == _statements(world, 5)


def _statements(world: World, kits: int) -> list[str]:
    order = placed_order(
        world.line(world.tablet, 3, "40.00", granted=True),
        world.line(world.tablet, kits - 3, "39.00"),
        world.line(world.case, kits, "2.00"),
    )
    session = world.begin(order)
    world.scan(session, kits)
    next_tags(1)  # the first number that is ever given takes a statement more
    with CaptureQueriesContext(connection) as queries:
        inventory.take_in(session=session, revision=session.revision, by=world.by)
    assert delivered(order) == [3, kits - 3, kits]
    return [words for words, _same in groupby(re.sub(r"SAVEPOINT .*|\d", "", row["sql"])[:60] for row in queries)]


def test_a_proof_of_use_lists_what_its_grant_paid_once(world: World) -> None:
    order = world.order()
    devices = world.take_in(order, 5)
    world.granted.grant.refresh_from_db()
    figures = figures_of(services.create_proof(grant=world.granted.grant, by=world.by))
    assert [(row.tag, row.cost, row.bound_until) for row in figures.devices] == [
        (row.tag, D("400.00"), BOUND) for row in devices if row.price == D("400.00")
    ]
    assert len(list(PurchasedDevice.objects.all())) == len(devices) == 15
