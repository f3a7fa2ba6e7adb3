"""Many people order, receive and pay at once: nothing is overspent, delivered or paid twice, and nobody waits forever.

On PostgreSQL, each thread on a connection of its own. All start at a barrier.
"""

import os
import random
import uuid
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from apps.accounts.models import User
from apps.core.clock import today
from apps.core.money import total
from apps.funding import services
from apps.funding.choices import InvoiceState, LedgerKind, OrderState
from apps.funding.models import Budget, EquipmentApplication, Invoice, InvoiceLine, LedgerEntry, Order
from apps.funding.purchasing import InvoiceLineInput
from apps.funding.reconciliation import ledger_differences
from apps.inventory import services as inventory
from apps.inventory.models import Device
from apps.inventory.scan_checks import SentSerial
from tests.factories import ApproverFactory, ClerkFactory, CoordinatorFactory, SchoolFactory
from tests.funding.factories import BudgetFactory, decide, make_application
from tests.funding.purchases import (
    ContractFactory,
    approved,
    deliver,
    draft_order,
    lines_for,
    money_of,
    own_line,
    pay,
    place,
    placed_order,
    record,
    sums,
)
from tests.funding.test_concurrency import all_at_once

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
D = Decimal
THREADS = 50


def new_serial() -> str:
    """With letters in front: twelve digits may by chance be an article number, which is refused."""
    return f"SN{uuid.uuid4().hex[:10]}"


def test_an_invoice_is_paid_once_whoever_clicks_how_often() -> None:
    for _round in range(5):
        order = deliver(placed_order(*lines_for(approved())))
        invoice, first, second = record(order), ApproverFactory(), ApproverFactory()

        outcomes = all_at_once([partial(pay, invoice, by=by) for by in (first, second, first, first)])

        assert Counter(outcomes) == {"done": 1, "illegal_transition": 3}
        paid = LedgerEntry.objects.filter(kind=LedgerKind.PAY, invoice_line__invoice=invoice)
        assert [entry.amount for entry in paid] == [D("1000.00")]
        assert ledger_differences() == []


def test_of_paying_and_cancelling_exactly_one_wins() -> None:
    for _round in range(5):
        order = deliver(placed_order(*lines_for(approved())))
        invoice = record(order)

        outcomes = all_at_once(
            [
                partial(pay, invoice),
                partial(services.cancel_invoice, invoice=invoice, by=ClerkFactory(), reason="Falsch"),
            ]
        )

        assert Counter(outcomes) == {"done": 1, "illegal_transition": 1}
        assert ledger_differences() == []


def test_a_delivery_is_taken_in_once() -> None:
    for _round in range(3):
        order, by = placed_order(*lines_for(approved())), ClerkFactory()
        session = services.begin_scan(order_line=order.lines.get(), by=by, token=uuid.uuid4())
        scans = [SentSerial(uuid.uuid4(), new_serial()) for _number in range(2)]
        inventory.record_scans(session=session, scanned=scans, by=by)
        session.refresh_from_db()
        before = Device.objects.count()

        outcomes = all_at_once([partial(inventory.take_in, session=session, revision=session.revision, by=by)] * 4)

        assert Counter(outcomes) == {"done": 4}  # the later ones get the devices of the first
        assert Device.objects.count() - before == 2
        assert order.lines.get().delivered == 2
        assert ledger_differences() == []


def test_two_deliveries_of_the_same_pieces_do_not_both_come_in() -> None:
    order, by = placed_order(*lines_for(approved())), ClerkFactory()
    sessions = [services.begin_scan(order_line=order.lines.get(), by=by, token=uuid.uuid4()) for _ in range(3)]
    for session in sessions:
        scans = [SentSerial(uuid.uuid4(), new_serial()) for _number in range(2)]
        inventory.record_scans(session=session, scanned=scans, by=by)

    outcomes = all_at_once([partial(inventory.take_in, session=session, revision=2, by=by) for session in sessions])

    assert Counter(outcomes) == {"done": 1, "too_many": 2}
    assert order.lines.get().delivered == 2


def test_a_refused_delivery_is_let_go_once() -> None:
    for _round in range(5):
        order, by = placed_order(*lines_for(approved())), ClerkFactory()
        session = services.begin_scan(order_line=order.lines.get(), by=by, token=uuid.uuid4())
        scans = [SentSerial(uuid.uuid4(), new_serial()) for _number in range(3)]
        inventory.record_scans(session=session, scanned=scans, by=by)

        outcomes = all_at_once([partial(inventory.release_scanning, session=session, by=by)] * 4)

        assert Counter(outcomes) == {"done": 4}
        session.refresh_from_db()
        assert session.revision == 4
        assert order.history.filter(history_change_reason__contains="läuft ohne diese Bestellung").count() == 1


def test_the_same_approved_pieces_are_ordered_once() -> None:
    for _round in range(3):
        application, by, contract = approved(("100.00", 3)), ClerkFactory(), ContractFactory()
        lines = lines_for(application, quantity=2)

        outcomes = all_at_once([partial(draft_order, *lines, by=by, contract=contract)] * 4)

        assert Counter(outcomes) == {"done": 1, "quantity": 3}


def test_numbers_follow_each_other_without_a_gap() -> None:
    budget, by, contract = BudgetFactory(), ClerkFactory(), ContractFactory()

    outcomes = all_at_once([partial(draft_order, own_line(budget), by=by, contract=contract)] * 20)

    assert Counter(outcomes) == {"done": 20}
    year = today().year
    assert sorted(Order.objects.values_list("number", flat=True)) == [f"B-{year}-{n:04d}" for n in range(1, 21)]


def test_a_form_that_is_sent_four_times_makes_one_order() -> None:
    budget, by, contract, key = BudgetFactory(), ClerkFactory(), ContractFactory(), uuid.uuid4()

    outcomes = all_at_once([partial(draft_order, own_line(budget), by=by, contract=contract, form_key=key)] * 4)

    assert Counter(outcomes) == {"done": 4}
    assert Order.objects.count() == 1


def test_own_purchases_against_money_for_seven() -> None:
    budget, by, contract = BudgetFactory(appropriation=D("700.00")), ClerkFactory(), ContractFactory()
    orders = [propose(draft_order(own_line(budget), by=by, contract=contract)) for _number in range(20)]
    approver = ApproverFactory()

    outcomes = all_at_once([partial(services.approve_order, order=order, by=approver) for order in orders])

    assert Counter(outcomes) == {"done": 7, "unaffordable": 13}
    assert sums(budget) == (D("700.00"), D("0.00"), D("0.00"))
    assert ledger_differences() == []


def test_a_contract_is_not_called_beyond_its_volume() -> None:
    contract, by = ContractFactory(volume=D("300.00")), ClerkFactory()
    orders = [propose(draft_order(own_line(BudgetFactory()), by=by, contract=contract)) for _number in range(8)]
    approver = ApproverFactory()

    outcomes = all_at_once([partial(services.approve_order, order=order, by=approver) for order in orders])

    assert Counter(outcomes) == {"done": 3, "contract_volume": 5}


def propose(order: Order) -> Order:
    return services.place_order(order=order, by=ClerkFactory())


class Mixed:
    """One round: a grant with its own share and a municipal budget, all scarce, and rows in every state."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.schools = [SchoolFactory() for _ in range(4)]
        self.people = [CoordinatorFactory(schools=[school]) for school in self.schools]
        self.clerks = [ClerkFactory() for _ in range(3)]
        self.approvers = [ApproverFactory() for _ in range(3)]
        self.grant, self.own = money_of(appropriation="4000.00", own="900.00")
        self.other = BudgetFactory(appropriation=D("1500.00"))
        self.contract = ContractFactory()
        self.from_grant = [number % 2 == 0 for number in range(19)]
        self.chance.shuffle(self.from_grant)
        self.waiting = [self.application(place) for place in range(12)]
        self.drafts = [self.draft() for _ in range(8)]
        self.placed = [self.place(self.draft()) for _ in range(4)]
        came = [deliver(self.place(self.draft()), by=self.clerks[0]) for _ in range(7)]
        self.invoices = [record(order, by=self.clerks[1]) for order in came[:5]]
        self.uninvoiced = came[5:]

    def application(self, place: int) -> EquipmentApplication:
        school, by = self.schools[place % 4], self.people[place % 4]
        return make_application(school=school, by=by, lines=[("100.00", 1)])

    def draft(self) -> Order:
        place = self.chance.randrange(4)
        sources = {"budget": self.grant, "own": self.own} if self.from_grant.pop() else {"budget": self.other}
        row = approved(("100.00", 1), school=self.schools[place], by=self.people[place], **sources)
        price = self.chance.choice(["90.00", "100.00", "110.00"])
        return draft_order(*lines_for(row, price), by=self.clerks[0], contract=self.contract)

    def place(self, order: Order) -> Order:
        return place(order, by=self.clerks[0])

    def approve(self, row: EquipmentApplication, by: User) -> object:
        first, second = (self.grant, self.own) if row.pk % 2 else (self.other, None)
        return services.approve(application=row, by=by, decisions=decide(row, first, second))

    def buy(self, by: User) -> object:
        line = own_line(self.other, price="10.00")
        return place(draft_order(line, by=by, contract=self.contract), by=by)

    def actions(self) -> list[Callable[[], object]]:
        """Fifty, shuffled; what must happen at most once is asked for twice."""
        pick = self.chance.choice
        found: list[Callable[[], object]] = [
            *[partial(self.approve, row, pick(self.approvers)) for row in self.waiting],
            *[partial(place, row, by=pick(self.clerks)) for row in self.drafts],
            *[partial(services.cancel_order, order=row, by=self.clerks[0], reason="Nein") for row in self.placed],
            *[partial(deliver_once, row, pick(self.clerks)) for row in self.placed],
            *[partial(pay, row, by=by) for row in self.invoices for by in self.approvers[:2]],
            *[
                partial(services.close_order, order=row, by=by, reason="Genug")
                for row in self.uninvoiced
                for by in self.clerks[:2]
            ],
        ]
        found += [partial(self.buy, pick(self.clerks)) for _ in range(THREADS - len(found))]
        self.chance.shuffle(found)
        return found


def mixed_round(seed: int) -> Counter[str]:
    """Fifty people at once over several budgets in mixed order: one winner each, and every sum agrees."""
    scene = Mixed(seed)

    outcomes = Counter(all_at_once(scene.actions()))

    assert set(outcomes) <= {"done", "unaffordable", "illegal_transition", "stale", "order_ended"}, outcomes
    for invoice in scene.invoices:
        paid = LedgerEntry.objects.filter(kind=LedgerKind.PAY, invoice_line__invoice=invoice)
        amounts = list(invoice.lines.values_list("amount", flat=True))
        assert total(entry.amount for entry in paid) in {D("0.00"), total(amounts)}
    for order in scene.placed:
        changes = list(order.status_changes.order_by("pk").values_list("to_state", flat=True))
        after = changes[changes.index(OrderState.PLACED) + 1 :]
        assert after in ([OrderState.CANCELLED], [OrderState.DELIVERED])
    for order in scene.uninvoiced:
        assert order.status_changes.filter(to_state=OrderState.CLOSED).count() == 1
    for budget in Budget.objects.all():
        assert budget.committed + budget.spent <= budget.appropriation
    assert ledger_differences() == []
    return outcomes


def deliver_once(order: Order, by: Any) -> object:
    """One device scanned in, from beginning to end."""
    session = services.begin_scan(order_line=order.lines.get(), by=by, token=uuid.uuid4())
    inventory.record_scans(session=session, scanned=[SentSerial(uuid.uuid4(), new_serial())], by=by)
    return inventory.take_in(session=session, revision=1, by=by)


def test_fifty_people_at_once_in_mixed_order() -> None:
    for seed in range(2):
        outcomes = mixed_round(seed)
        assert outcomes.total() == THREADS


@pytest.mark.soak
def test_fifty_people_at_once_in_mixed_order_for_long() -> None:
    figures: Counter[str] = Counter()
    for seed in range(int(os.environ.get("SOAK_ROUNDS", "200"))):
        figures += mixed_round(seed)
    print(dict(figures))  # noqa: T201 - what `make soak -s` reports


def test_payments_of_one_order_end_within_what_is_committed() -> None:
    """Eight invoices over the same line, for which only the money of two is committed and available."""
    budget, by = BudgetFactory(appropriation=D("200.00")), ClerkFactory()
    order = placed_order(own_line(budget, price="200.00"), by=by)
    line = order.lines.get()
    lines = InvoiceLineInput(line.pk, 0, D("100.00"))
    invoices = [record(order, lines, remark="Vorkasse") for _number in range(8)]

    outcomes = all_at_once([partial(pay, invoice) for invoice in invoices])

    assert Counter(outcomes) == {"done": 2, "unaffordable": 6}
    assert sums(budget) == (D("0.00"), D("200.00"), D("0.00"))
    paid = InvoiceLine.objects.filter(invoice__state=InvoiceState.PAID)
    assert total(row.amount for row in paid) == D("200.00")
    assert Invoice.objects.filter(state=InvoiceState.RECORDED).count() == 6
