"""The half of the machine up to the order: people and money, applications, orders, and how an action is tried."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    rule,
)

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.choices import ApplicationState, OrderState
from apps.funding.models import (
    ApplicationLine,
    EquipmentApplication,
    Order,
)
from apps.funding.purchasing import OrderLineInput
from apps.funding.workflow import APPROVED_STATES
from tests.factories import ApproverFactory, ClerkFactory, DeviceKindFactory, KitFactory, ProductFactory, SchoolFactory
from tests.funding.factories import BudgetFactory, coordinator_of
from tests.funding.purchase_invariants import PurchaseInvariants
from tests.funding.purchases import ContractFactory, bound_grant

D = Decimal
CENTS = st.integers(1, 60_000).map(lambda cents: D(cents).scaleb(-2))
PIECES = st.integers(1, 4)
ANY = st.integers(0, 10_000)


class PurchaseOrders(PurchaseInvariants):
    """Two schools, a grant of 90 percent with a limit a piece, one that pays all, and scarce municipal money."""

    outcomes: Counter[tuple[str, str]] = Counter()
    """How often each action came out how, over all examples."""

    def make_people_and_money(self) -> None:
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
