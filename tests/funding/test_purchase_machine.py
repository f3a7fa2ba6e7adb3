"""Random sequences of everything that moves money, by several people: sums agree to the cent after each step.

The rules are the machine's own: nothing is asked of the services but to do or to refuse with a sentence.
"""

import os
import uuid
from decimal import Decimal

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
from apps.core.money import ZERO
from apps.funding import services
from apps.funding.choices import InvoiceKind, InvoiceState
from apps.funding.models import (
    ApplicationLine,
    Invoice,
    Order,
    OrderLine,
    PurchasedDevice,
)
from apps.funding.purchasing import LIVE_ORDERS, InvoiceLineInput, OrderLineInput
from apps.funding.scan_selectors import kits_to_scan
from apps.inventory import services as inventory
from apps.inventory.models import Device, Kit
from apps.inventory.scan_checks import SentSerial
from tests.funding.purchase_orders import ANY, CENTS, PIECES, PurchaseOrders
from tests.funding.purchases import lines_of

D = Decimal
pytestmark = pytest.mark.django_db


class Purchases(PurchaseOrders):
    """Orders as there, and what comes of them: goods, invoices, payments."""

    def __init__(self) -> None:
        super().__init__()
        self.serial = 0
        self.paid_once: set[int] = set()

    @initialize()
    def people_and_money(self) -> None:
        self.make_people_and_money()
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


WANTED = {"approve_order", "pay_invoice", "cancel_order", "cancel_invoice", "return_goods", "close_order"}
"""Steps that must have succeeded at least once, so that the sums were compared after each of them."""
MOST_RUNS = 5


def test_random_sequences_keep_every_sum() -> None:
    """What chance has left out in one run it gets to in another."""
    Purchases.outcomes.clear()
    for _run in range(MOST_RUNS):
        run(int(os.environ.get("MACHINE_EXAMPLES", "15")), 30)
        done = {action for action, outcome in Purchases.outcomes if outcome == "done"}
        if done >= WANTED:
            break
    assert done >= WANTED


@pytest.mark.soak
def test_random_sequences_for_long() -> None:
    run(int(os.environ.get("SOAK_ROUNDS", "200")), 60)
