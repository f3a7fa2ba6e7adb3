"""Random sequences of everything that moves money, by several people: sums agree to the cent after each step.

The rules are the machine's own: nothing is asked of the services but to do or to refuse with a sentence.
"""

import os
import uuid
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    rule,
    run_state_machine_as_test,
)

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.money import ZERO
from apps.funding import services
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.choices import ApplicationState, InvoiceKind, InvoiceState, OrderState
from apps.funding.models import (
    ApplicationLine,
    EquipmentApplication,
    Invoice,
    Order,
    OrderLine,
    PurchasedDevice,
)
from apps.funding.purchasing import LIVE_ORDERS, InvoiceLineInput, OrderLineInput
from apps.funding.scan_selectors import kits_to_scan
from apps.funding.workflow import APPROVED_STATES
from apps.inventory import services as inventory
from apps.inventory.models import Device, Kit
from apps.inventory.scan_checks import SentSerial
from tests.factories import ApproverFactory, ClerkFactory, DeviceKindFactory, KitFactory, ProductFactory, SchoolFactory
from tests.funding.factories import BudgetFactory, coordinator_of
from tests.funding.purchase_invariants import PurchaseInvariants
from tests.funding.purchases import ContractFactory, bound_grant, lines_of

D = Decimal
CENTS = st.integers(1, 60_000).map(lambda cents: D(cents).scaleb(-2))
PIECES = st.integers(1, 4)
ANY = st.integers(0, 10_000)
pytestmark = pytest.mark.django_db


class Purchases(PurchaseInvariants):
    """Two schools, a grant of 90 percent with a limit a piece, one that pays all, and scarce municipal money."""

    def __init__(self) -> None:
        super().__init__()
        self.serial = 0
        self.paid_once: set[int] = set()

    outcomes: Counter[tuple[str, str]] = Counter()
    """How often each action came out how, over all examples."""

    @initialize()
    def people_and_money(self) -> None:
        self.schools = [SchoolFactory(), SchoolFactory()]
        self.clerks = [ClerkFactory(), ClerkFactory()]
        self.approvers = [ApproverFactory(), ApproverFactory()]
        cable = DeviceKindFactory(code="cable", name="Kabel", countable=False, tracked_singly=False)
        self.products = [ProductFactory(gross_price=D("333.33")), ProductFactory(kind=cable, gross_price=D("19.99"))]
        self.kit = KitFactory(parts=[(self.products[0], 1), (self.products[1], 2)])
        self.contract = ContractFactory()
        limited = bound_grant(limit_per_device=D("250.00"))
        whole = bound_grant(rate=D("1.0000"))
        self.budgets = [
            BudgetFactory(grant=limited, appropriation=D("3000.00")),
            BudgetFactory(grant=whole, appropriation=D("2000.00")),
            BudgetFactory(appropriation=D("2500.00")),
        ]
        self.municipal = self.budgets[2]
        self.begin()

    def begin(self) -> None:
        """Something of each kind, so that each rule has something to do from the first step on."""
        for number in range(3):
            self.approve(school=number, product=number, quantity=3, budget=number, by=number)
        lines = ApplicationLine.objects.order_by("pk")
        for line in lines[:2]:
            self.create(OrderLineInput(2, application_line_id=line.pk), by=1)
        self.order_for_the_office(quantity=2, price=D("19.99"), budget=0, product=1, by=1)
        self.approve_the_order(number=0, by=0)
        self.scan(number=4, pieces=2, by=1)
        for order in Order.objects.order_by("pk"):
            for line in order.lines.filter(product__kind__tracked_singly=False):
                self.attempt(services.receive_goods, order=order, by=self.office(1), quantities={line.pk: 2})
        for number in (4, 1, 2):
            self.record_as_ordered(number=number, by=0)
        self.pay(number=0, by=0)
        self.order_for_the_office(quantity=1, price=D("19.99"), budget=2, product=None, by=1)
        self.cancel(number=Order.objects.count() - 1, by=0)
        self.order_kits(kits=3, price=D("100.00"), by=1)
        self.approve_the_order(number=0, by=0)
        self.scan_kits(number=0, pieces=2, by=1)

    # Who and what

    def office(self, number: int) -> Any:
        people = [*self.clerks, *self.approvers]
        return people[number % len(people)]

    def pick(self, rows: Any, number: int, **likely: Any) -> Any:
        """One of the rows; three times out of four one of which more comes."""
        found = list(rows.filter(**likely).order_by("pk")) if number % 4 else []
        found = found or list(rows.order_by("pk"))
        return found[number % len(found)] if found else None

    def attempt(self, action: Any, **values: Any) -> Any:
        """Does it, or is refused with a sentence; nothing else may happen."""
        try:
            done = action(**values)
        except DomainError as error:
            if not str(error).strip():
                raise AssertionError("A refusal without words") from error
            self.outcomes[action.__name__, error.code] += 1
            return None
        self.outcomes[action.__name__, "done"] += 1
        return done

    # Applications

    @rule(school=ANY, product=ANY, quantity=PIECES, budget=ANY, by=ANY)
    def approve(self, school: int, product: int, quantity: int, budget: int, by: int) -> None:
        place = self.schools[school % 2]
        lines = [LineInput(self.products[product % 2].pk, quantity)]
        coordinator = coordinator_of(place)
        draft = services.create_draft(by=coordinator, school=place, title="Bedarf", lines=lines)
        services.submit(application=draft, by=coordinator)
        chosen = self.budgets[budget % 3]
        own = self.municipal.pk if chosen.rate is not None and chosen.rate < 1 else None
        decision = LineDecision(draft.lines.get().pk, quantity, chosen.pk, own)
        self.attempt(services.approve, application=draft, by=self.approvers[by % 2], decisions=[decision])

    @rule(number=ANY, by=ANY)
    def approve_again(self, number: int, by: int) -> None:
        application = self.pick(EquipmentApplication.objects.exclude(state=ApplicationState.SUBMITTED), number)
        if application is not None:
            decisions = [LineDecision(line.pk, 1, self.municipal.pk) for line in application.lines.all()]
            with pytest.raises(DomainError):
                services.approve(application=application, by=self.approvers[by % 2], decisions=decisions)

    @rule(number=ANY, by=ANY)
    def give_up(self, number: int, by: int) -> None:
        line = self.pick(ApplicationLine.objects.filter(approved_quantity__gt=0), number)
        if line is not None:
            self.attempt(services.give_up_line, line=line, by=self.office(by), reason="Nicht mehr nötig")

    # Orders

    @rule(number=ANY, quantity=PIECES, price=st.none() | CENTS, by=ANY)
    def order_a_line(self, number: int, quantity: int, price: Decimal | None, by: int) -> None:
        line = self.pick(ApplicationLine.objects, number, application__state__in=APPROVED_STATES)
        if line is not None:
            self.create(OrderLineInput(quantity, price, application_line_id=line.pk), by=by)

    @rule(quantity=PIECES, price=CENTS, budget=ANY, product=st.none() | ANY, by=ANY)
    def order_for_the_office(self, quantity: int, price: Decimal, budget: int, product: int | None, by: int) -> None:
        chosen = self.budgets[budget % 3]
        typed = OrderLineInput(
            quantity,
            price,
            description="Eigener Bedarf",
            product_id=None if product is None else self.products[product % 2].pk,
            school_id=self.schools[quantity % 2].pk,
            budget_id=chosen.pk,
            own_share_budget_id=self.municipal.pk if chosen.grant_id else None,
        )
        self.create(typed, by=by)

    @rule(kits=PIECES, price=CENTS, by=ANY)
    def order_kits(self, kits: int, price: Decimal, by: int) -> None:
        """The first kit's device out of municipal money, those of the others out of a grant."""
        known: dict[str, Any] = {"school_id": self.schools[kits % 2].pk, "budget_id": self.municipal.pk}
        device, cable = (product.pk for product in self.products)
        lines = [OrderLineInput(1, price, product_id=device, **known)]
        if kits > 1:
            granted = known | {"budget_id": self.budgets[1].pk, "own_share_budget_id": self.municipal.pk}
            lines.append(OrderLineInput(kits - 1, D("1.00"), product_id=device, **granted))
        self.create(*lines, OrderLineInput(2 * kits, D("0.50"), product_id=cable, **known), by=by)

    def create(self, *lines: OrderLineInput, by: int) -> None:
        facts = {"supplier": self.contract.supplier, "contract": self.contract}
        order = self.attempt(services.create_order, by=self.office(by), lines=lines, **facts)
        if order is not None and by % 4:
            self.attempt(services.place_order, order=order, by=self.office(by))

    @rule(number=ANY, more=ANY, quantity=PIECES, by=ANY)
    def add_to_a_draft(self, number: int, more: int, quantity: int, by: int) -> None:
        order = self.pick(Order.objects.filter(state=OrderState.DRAFT), number)
        line = self.pick(ApplicationLine.objects.filter(approved_quantity__gt=0), more)
        if order is None or line is None:
            return
        stored = [
            OrderLineInput(
                row.quantity, row.unit_price, line_id=row.pk, application_line_id=row.application_line_id,
                school_id=row.school_id, product_id=row.product_id, description=row.description,
                budget_id=row.budget_id, own_share_budget_id=row.own_share_budget_id,
            )
            for row in order.lines.order_by("pk")
        ]  # fmt: skip
        lines = [*stored, OrderLineInput(quantity, application_line_id=line.pk)]
        facts = {"supplier": order.supplier, "contract": order.contract, "revision": order.revision}
        self.attempt(services.save_order, order=order, by=self.office(by), lines=lines, **facts)

    @rule(number=ANY, by=ANY)
    def place(self, number: int, by: int) -> None:
        order = self.pick(Order.objects, number, state=OrderState.DRAFT)
        if order is not None:
            self.attempt(services.place_order, order=order, by=self.office(by))

    @rule(number=ANY, by=ANY)
    def approve_the_order(self, number: int, by: int) -> None:
        order = self.pick(Order.objects, number, state=OrderState.PROPOSED)
        if order is not None:
            self.attempt(services.approve_order, order=order, by=self.approvers[by % 2])

    @rule(number=ANY, by=ANY)
    def return_the_order(self, number: int, by: int) -> None:
        order = self.pick(Order.objects, number, state=OrderState.PROPOSED)
        if order is not None:
            self.attempt(services.return_order, order=order, by=self.office(by), reason="Zu teuer")

    @rule(number=ANY, by=ANY)
    def cancel(self, number: int, by: int) -> None:
        order = self.pick(Order.objects, number)
        if order is not None:
            self.attempt(services.cancel_order, order=order, by=self.office(by), reason="Doch nicht")

    @rule(number=ANY, by=ANY, again=st.booleans(), reason=st.sampled_from(["", "Genug"]))
    def close(self, number: int, by: int, again: bool, reason: str) -> None:
        order = self.pick(Order.objects, number, lines__delivered__gt=0)
        if order is not None:
            self.attempt(
                services.close_order, order=order, by=self.office(by), reason=reason, order_missing_again=again
            )

    # Goods

    @rule(number=ANY, pieces=PIECES, by=ANY)
    def receive(self, number: int, pieces: int, by: int) -> None:
        line = self.pick(OrderLine.objects, number, order__state__in=LIVE_ORDERS)
        if line is not None:
            self.attempt(services.receive_goods, order=line.order, by=self.office(by), quantities={line.pk: pieces})

    @rule(number=ANY, pieces=PIECES, by=ANY)
    def scan(self, number: int, pieces: int, by: int) -> None:
        scanned = OrderLine.objects.filter(product__kind__tracked_singly=True)
        line = self.pick(scanned, number, order__state__in=LIVE_ORDERS)
        if line is None:
            return
        self.scan_and_take_in(line, pieces, by=by)

    @rule(number=ANY, pieces=PIECES, by=ANY)
    def scan_kits(self, number: int, pieces: int, by: int) -> None:
        rows = [row for order in Order.objects.filter(state__in=LIVE_ORDERS).order_by("pk") for row in lines_of(order)]
        goods = kits_to_scan(rows)
        line = goods[number % len(goods)].line if goods else self.pick(OrderLine.objects, number)
        if line is not None:
            self.scan_and_take_in(line, pieces, by=by, kit=self.kit)

    def scan_and_take_in(self, line: OrderLine, pieces: int, *, by: int, kit: Kit | None = None) -> None:
        """So many devices, or kits: one with its number and two cables that nobody counts."""
        person = self.office(by)
        session = self.attempt(services.begin_scan, order_line=line, by=person, token=uuid.uuid4(), kit=kit)
        if session is None:
            return
        self.serial += pieces
        scans = [SentSerial(uuid.uuid4(), f"SN{self.serial - index:06d}") for index in range(pieces)]
        inventory.record_scans(session=session, scanned=scans, by=person)
        session.refresh_from_db()
        before = Device.objects.count()
        devices = self.attempt(inventory.take_in, session=session, revision=session.revision, by=person)
        assert Device.objects.count() - before == len(devices or [])
        if devices:
            again = inventory.take_in(session=session, revision=session.revision, by=person)
            assert (again, Device.objects.count()) == (devices, before + pieces)

    @rule(number=ANY, pieces=PIECES, by=ANY)
    def send_back(self, number: int, pieces: int, by: int) -> None:
        line = self.pick(OrderLine.objects, number, delivered__gt=0)
        if line is None:
            return
        bought = PurchasedDevice.objects.filter(order_line=line, returned_on__isnull=True).select_related("device")
        devices = [row.device for row in bought.order_by("pk")[:pieces]]
        self.attempt(
            services.return_goods,
            order=line.order,
            by=self.office(by),
            reason="Defekt",
            devices=devices,
            quantities={} if devices else {line.pk: pieces},
        )

    # Papers

    @rule(
        number=ANY,
        pieces=st.integers(0, 4),
        amount=CENTS,
        part=st.integers(0, 100),
        by=ANY,
        kind=st.sampled_from(InvoiceKind),
        remark=st.sampled_from(["", "Vorkasse"]),
    )
    def record(self, number: int, pieces: int, amount: Decimal, part: int, by: int, kind: str, remark: str) -> None:
        line = self.pick(OrderLine.objects, number, order__state__in=LIVE_ORDERS)
        if line is None:
            return
        eligible = (amount * part / 100).quantize(D("0.01")) if line.budget.grant_id and part < 90 else None
        typed = InvoiceLineInput(line.pk, pieces, amount, eligible, self.municipal.pk if line.budget.grant_id else None)
        self.serial += 1
        self.attempt(
            services.record_invoice,
            order=line.order,
            by=self.office(by),
            number=f"R{self.serial}",
            voucher_number=f"B{self.serial}",
            dated_on=today(),
            lines=[typed],
            kind=kind,
            remark=remark,
        )

    @rule(number=ANY, by=ANY)
    def record_as_ordered(self, number: int, by: int) -> None:
        line = self.pick(OrderLine.objects, number, order__state__in=LIVE_ORDERS)
        if line is not None:
            self.serial += 1
            amount = line.unit_price * max(line.delivered, 1)
            facts = {"number": f"R{self.serial}", "voucher_number": f"B{self.serial}", "dated_on": today()}
            lines = [InvoiceLineInput(line.pk, line.delivered, amount)]
            self.attempt(services.record_invoice, order=line.order, by=self.office(by), lines=lines, **facts)

    @rule(number=ANY, by=ANY)
    def pay(self, number: int, by: int) -> None:
        invoice = self.pick(Invoice.objects, number, state=InvoiceState.RECORDED)
        if invoice is None:
            return
        paid = self.attempt(services.pay_invoice, invoice=invoice, by=self.approvers[by % 2])
        if paid is not None:
            assert paid.pk not in self.paid_once
            self.paid_once.add(paid.pk)

    @rule(number=ANY, by=ANY)
    def cancel_the_invoice(self, number: int, by: int) -> None:
        invoice = self.pick(Invoice.objects, number, state=InvoiceState.RECORDED)
        if invoice is not None:
            self.attempt(services.cancel_invoice, invoice=invoice, by=self.office(by), reason="Falsch")

    @rule(amount=CENTS, by=ANY)
    def freeze_and_thaw(self, amount: Decimal, by: int) -> None:
        for value in (amount, ZERO):
            facts = {"budget": self.municipal, "reason": "Sperre", "freeze": value}
            change = services.propose_edit(by=self.clerks[by % 2], beyond_free=True, **facts)
            services.confirm_change(change=change, by=self.approvers[by % 2], note="Haushaltssperre")


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        TransactionalPurchases,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


class TransactionalPurchases(Purchases):
    """Each example in a transaction of its own, which is taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)


def test_random_sequences_keep_every_sum() -> None:
    Purchases.outcomes.clear()
    run(int(os.environ.get("MACHINE_EXAMPLES", "15")), 30)
    done = {action for action, outcome in Purchases.outcomes if outcome == "done"}
    assert done >= {"approve_order", "pay_invoice", "cancel_order", "cancel_invoice", "return_goods", "close_order"}


@pytest.mark.soak
def test_random_sequences_for_long() -> None:
    run(int(os.environ.get("SOAK_ROUNDS", "200")), 60)
