"""Orders, deliveries and invoices for tests, made through the services."""

import datetime
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import count
from typing import Any

import factory
import pytest
from django.test import Client

from apps.accounts.models import User
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.formats import day as shown_day
from apps.funding import services
from apps.funding.choices import ApplicationState, InvoiceKind, OrderState
from apps.funding.models import (
    Budget,
    EquipmentApplication,
    FrameworkContract,
    Invoice,
    Order,
    OrderLine,
    Supplier,
)
from apps.funding.purchasing import InvoiceLineInput, OrderLineInput
from apps.inventory import services as inventory
from apps.inventory.models import Device
from apps.inventory.scan_checks import SentSerial
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import BudgetFactory, GrantFactory, decide, make_application

D = Decimal
TO_ORDER = "/admin/funding/order/to-order/"
_vouchers = count(1)
_serials = count(1)


class SupplierFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Supplier

    name = factory.Sequence(lambda n: f"Lieferhaus {n}")


class ContractFactory(factory.django.DjangoModelFactory):
    """A framework contract that holds since the beginning of 2026."""

    class Meta:
        model = FrameworkContract

    supplier = factory.SubFactory(SupplierFactory)
    reference = factory.Sequence(lambda n: f"RV-{n:03d}")
    title = "Tablets"
    valid_from = datetime.date(2026, 1, 1)


def bound_grant(**values: Any) -> Any:
    """A grant of 90 percent that binds until 31.12.2031."""
    terms = {"implementation_until": datetime.date(2026, 10, 31), "earmarking_years": 5}
    return GrantFactory(**terms | values)


def money_of(grant: Any = None, *, appropriation: str = "10000.00", own: str = "5000.00") -> tuple[Budget, Budget]:
    """A grant's budget and the municipal one for its own share."""
    return (
        BudgetFactory(grant=grant or bound_grant(), appropriation=D(appropriation)),
        BudgetFactory(appropriation=D(own)),
    )


def approved(
    *lines: tuple[str, int], budget: Budget | None = None, own: Budget | None = None, **values: Any
) -> EquipmentApplication:
    """An approved application; `lines` as (price in euros, quantity)."""
    application = make_application(lines=lines or (("500.00", 2),), **values)
    decisions = decide(application, budget or BudgetFactory(), own)
    return services.approve(application=application, by=ApproverFactory(), decisions=decisions)


def lines_for(application: EquipmentApplication, *prices: str, quantity: int | None = None) -> list[OrderLineInput]:
    """All lines of an application, at other prices or quantities where these are given."""
    lines = application.lines.order_by("pk")
    wanted = [D(price) for price in prices] or [None] * len(lines)
    return [
        OrderLineInput(quantity or line.approved_quantity, price, application_line_id=line.pk)
        for line, price in zip(lines, wanted, strict=True)
    ]


def draft_order(*lines: OrderLineInput, by: User | None = None, **values: Any) -> Order:
    """A draft under a framework contract, so that it needs no award record."""
    contract = values.pop("contract", None) or ContractFactory()
    return services.create_order(
        by=by or ClerkFactory(), supplier=contract.supplier, contract=contract, lines=lines, **values
    )


def placed_order(*lines: OrderLineInput, by: User | None = None, **values: Any) -> Order:
    by = by or ClerkFactory()
    return place(draft_order(*lines, by=by, **values), by=by)


def place(order: Order, *, by: User | None = None) -> Order:
    """Places a draft; what costs beyond what is approved is approved by another person."""
    order = services.place_order(order=order, by=by or ClerkFactory())
    return services.approve_order(order=order, by=ApproverFactory()) if order.state == OrderState.PROPOSED else order


def scan_in(line: OrderLine, number: int | None = None, *, by: User | None = None, **values: Any) -> list[Device]:
    """So many devices of an order line (all that are missing) through the scanner."""
    by = by or ClerkFactory()
    line.refresh_from_db()
    session = services.begin_scan(order_line=line, by=by, token=uuid.uuid4(), **values)
    scans = [
        SentSerial(uuid.uuid4(), f"SN{next(_serials):08d}") for _ in range(number or line.quantity - line.delivered)
    ]
    inventory.record_scans(session=session, scanned=scans, by=by)
    session.refresh_from_db()
    return inventory.take_in(session=session, revision=session.revision, by=by)


def deliver(order: Order, *, by: User | None = None) -> Order:
    """Everything that is missing comes."""
    for line in order.lines.select_related("product__kind").order_by("pk"):
        if line.product is not None and line.product.kind.tracked_singly:
            scan_in(line, by=by)
        else:
            missing = {line.pk: line.quantity - line.delivered}
            services.receive_goods(order=order, by=by or ClerkFactory(), quantities=missing)
    order.refresh_from_db()
    return order


def record(
    order: Order, *lines: InvoiceLineInput, by: User | None = None, kind: str = InvoiceKind.INVOICE, **values: Any
) -> Invoice:
    """An invoice; without lines about everything as ordered."""
    number = next(_vouchers)
    lines = lines or tuple(
        InvoiceLineInput(line.pk, line.quantity, line.unit_price * line.quantity) for line in order.lines.order_by("pk")
    )
    facts = {"number": f"R-{number}", "voucher_number": f"2026-{number:05d}", "dated_on": today()}
    return services.record_invoice(order=order, by=by or ClerkFactory(), lines=lines, kind=kind, **facts | values)


def pay(invoice: Invoice, *, by: User | None = None, **values: Any) -> Invoice:
    return services.pay_invoice(invoice=invoice, by=by or ApproverFactory(), **values)


def mark_of(invoice: Invoice) -> str:
    """What a page sends along as the mark of what it shows as unusual."""
    return services.mark_of(services.oddities_of([invoice], by=invoice.recorded_by)[invoice.pk])


def order_in(state: OrderState) -> Order:
    """An order of two tablets in a state."""
    if state == OrderState.DRAFT:
        return draft_order(*lines_for(approved()))
    if state == OrderState.PROPOSED:
        return services.place_order(order=draft_order(*lines_for(approved(), "550.00")), by=ClerkFactory())
    order = placed_order(*lines_for(approved()))
    line = order.lines.get()
    if state == OrderState.CANCELLED:
        return services.cancel_order(order=order, by=ClerkFactory(), reason="Doch nicht.")
    if state == OrderState.PARTLY_DELIVERED:
        scan_in(line, 1)
    elif state != OrderState.PLACED:
        deliver(order)
    if state == OrderState.CLOSED:
        pay(record(order))
        return services.close_order(order=order, by=ClerkFactory())
    order.refresh_from_db()
    return order


def states_of(application: EquipmentApplication) -> list[ApplicationState]:
    return [ApplicationState(state) for state in application.status_changes.values_list("to_state", flat=True)]


def sums(budget: Budget) -> tuple[Decimal, Decimal, Decimal]:
    """Committed, spent and available now."""
    budget.refresh_from_db()
    return budget.committed, budget.spent, budget.available


def entries(rows: Any) -> list[tuple[str, Decimal]]:
    """Kind and amount of ledger entries in their order."""
    return list(rows.order_by("pk").values_list("kind", "amount"))


def own_line(budget: Budget, *, price: str = "100.00", quantity: int = 1, **values: Any) -> OrderLineInput:
    """Something that the office buys on its own."""
    facts: dict[str, Any] = {"description": "Verkabelung", "budget_id": budget.pk}
    return OrderLineInput(quantity, D(price), **facts | values)


def lines_of(order: Order) -> Sequence[OrderLine]:
    return list(order.lines.select_related("product__kind", "order").order_by("pk"))


def refused(code: str, action: Callable[..., object], *args: Any, **values: Any) -> DomainError:
    """The refusal of an action, which must bear this code."""
    with pytest.raises(DomainError) as caught:
        action(*args, **values)
    assert caught.value.code == code, str(caught.value)
    return caught.value


def invoiced(order: Any, amount: str, quantity: int = 0, **values: Any) -> Invoice:
    eligible = values.pop("eligible_amount", None)
    line = InvoiceLineInput(order.lines.get().pk, quantity, D(amount), eligible)
    return record(order, line, **values)


# What the browser sends of the pages


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return str(response.content.decode())


def sent(client: Client, url: str, data: dict[str, Any]) -> Any:
    """Posts and follows to the page that answers."""
    return client.post(url, data, follow=True)


def form_of(client: Client, url: str) -> dict[str, Any]:
    """What the browser would send of the page's form as it stands."""
    context = client.get(url).context
    form, lines = context["form"], context.get("lines")
    fields = list(form)
    data: dict[str, Any] = {}
    if lines is not None:
        fields += [field for row in lines.forms for field in row]
        data |= {
            lines.management_form[name].html_name: lines.management_form[name].value()
            for name in ("TOTAL_FORMS", "INITIAL_FORMS")
        }
    for field in fields:
        value = field.value()
        if value not in (None, False, ""):
            data[field.html_name] = (
                shown_day(value)
                if hasattr(value, "year")
                else str(value).replace(".", ",")
                if isinstance(value, Decimal)
                else value
            )
    return data
