"""What the money of earlier years was paid for, from the order to the payment: papers, devices and the ledger.

Written set-based, but with the rows that the services would leave: orders with their award, deliveries, invoices that
one person recorded and another paid, and four entries of the ledger for each part of a line. The sums on the budgets
are those of their entries.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.history import bulk_update_by, save_by
from apps.core.money import ZERO, rounded, share_rounded_down, total
from apps.funding.choices import InvoiceState, LedgerKind, OrderState
from apps.funding.models import (
    Budget,
    DeliveredItem,
    Delivery,
    FrameworkContract,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    Order,
    OrderLine,
    OrderStatusChange,
    PurchasedDevice,
    Supplier,
)
from apps.inventory.models import Device
from mepportal.demo.days import at_noon
from mepportal.demo.past_budgets import Pot
from mepportal.demo.people import People
from mepportal.demo.purchases import Bill, Purchase, purchases_of
from mepportal.demo.raw_rows import insert_raw, insert_with_history

VAT = Decimal("1.19")
DEVICES, NETWORK, SERVICES = "Muster Bildungstechnik", "Muster Netzwerkbau", "Muster IT-Dienste"
CONTRACT = "RV-2020-01"
CALLED = "Abruf aus Rahmenvertrag"
TENDERED = "Öffentliche Ausschreibung"
CHEAPEST = "Das wirtschaftlichste Angebot hat den Zuschlag erhalten."
BY_CONTRACT = "Preise des Rahmenvertrags, der 2020 öffentlich ausgeschrieben wurde."
STEPS = (OrderState.PLACED, OrderState.DELIVERED, OrderState.CLOSED)


@dataclass
class _Written:
    """A purchase with its rows; `lines` in the order of its items."""

    purchase: Purchase
    order: Order
    lines: list[OrderLine]


@dataclass
class _Part:
    """What an invoice asks for a line: the row, and the order that it belongs to."""

    written: _Written
    bill: Bill
    invoice: Invoice
    line: InvoiceLine
    text: str


def load_payments(pots: Sequence[Pot], people: People) -> int:
    """Spends all pots to the last cent; returns the number of entries of the ledger."""
    written = _write_orders(purchases_of(pots), people)
    _write_deliveries(written, people)
    parts = _write_invoices(written, people)
    _bind(written)
    entries = [*_commitments(written, people), *_payments(parts, people)]
    insert_raw(sorted(entries, key=lambda entry: entry.at))
    _write_sums(entries, pots, people)
    return len(entries)


def _suppliers(people: People) -> tuple[dict[str, Supplier], FrameworkContract]:
    suppliers = {
        name: save_by(Supplier(name=name, customer_number=number), by=people.clerk)
        for name, number in ((DEVICES, "K-10293"), (NETWORK, "59-4410"), (SERVICES, "2020-077"))
    }
    contract = FrameworkContract(
        supplier=suppliers[DEVICES],
        reference=CONTRACT,
        title="Digitale Endgeräte und Präsentationstechnik für Schulen",
        valid_from=datetime.date(2020, 7, 1),
        valid_until=datetime.date(2025, 12, 31),
        volume=Decimal("20000000.00"),
    )
    return suppliers, save_by(contract, by=people.clerk)


def _supplier_of(purchase: Purchase) -> str:
    if purchase.pot.line.codes:
        return DEVICES
    return SERVICES if purchase.pot.line.operating or "Server" in purchase.pot.line.name else NETWORK


def _write_orders(purchases: Sequence[Purchase], people: People) -> list[_Written]:
    suppliers, contract = _suppliers(people)
    numbers: Counter[int] = Counter()
    orders = []
    for purchase in purchases:
        year = purchase.placed_on.year
        numbers[year] += 1
        called = _supplier_of(purchase) == DEVICES
        order = Order(
            number=f"B-{year}-{numbers[year]:04d}",
            supplier=suppliers[_supplier_of(purchase)],
            contract=contract if called else None,
            state=OrderState.CLOSED,
            note=purchase.pot.line.name,
            created_by=people.clerk,
            created_at=at_noon(purchase.placed_on),
            placed_by=people.clerk,
            placed_on=purchase.placed_on,
            estimated_net=rounded(purchase.amount / VAT),
            procedure=CALLED if called else TENDERED,
            award_reason=BY_CONTRACT if called else CHEAPEST,
        )
        order._history_date = order.created_at  # type: ignore[attr-defined]  # simple-history's way to name the moment
        orders.append(order)
    insert_with_history(orders, by=people.clerk)
    written = [
        _Written(purchase, order, _lines(purchase, order)) for purchase, order in zip(purchases, orders, strict=True)
    ]
    insert_raw([line for row in written for line in row.lines])
    insert_raw([change for row in written for change in _status_changes(row, people)])
    return written


def _lines(purchase: Purchase, order: Order) -> list[OrderLine]:
    return [
        OrderLine(
            order=order,
            school_id=item.school,
            product_id=item.product,
            description="" if item.product else item.text,
            quantity=item.quantity,
            unit_price=item.unit_price,
            budget=purchase.pot.budget,
            own_share_budget=purchase.pot.own_share,
            delivered=item.quantity,
        )
        for item in purchase.items
    ]


def _status_changes(row: _Written, people: People) -> Iterator[OrderStatusChange]:
    bills = row.purchase.bills
    days = (row.purchase.placed_on, bills[-1].delivered_on, bills[-1].paid_on)
    for before, state, day in zip((OrderState.DRAFT, *STEPS), STEPS, days, strict=False):
        yield OrderStatusChange(order=row.order, from_state=before, to_state=state, by=people.clerk, at=at_noon(day))


def _write_deliveries(written: Sequence[_Written], people: People) -> None:
    """One for each bill; what was bought as a device is tied to its line."""
    pairs = [
        (
            row,
            Delivery(
                order=row.order,
                note_number=f"LS {row.order.number[2:]}/{number}",
                received_on=bill.delivered_on,
                by=people.support,
                at=at_noon(bill.delivered_on),
            ),
        )
        for row in written
        for number, bill in enumerate(row.purchase.bills, start=1)
    ]
    insert_raw([delivery for _row, delivery in pairs])
    items = [
        (DeliveredItem(delivery=delivery, order_line=line, quantity=item.quantity // len(row.purchase.bills)), item)
        for row, delivery in pairs
        for item, line in zip(row.purchase.items, row.lines, strict=True)
    ]
    insert_raw([row for row, _item in items])
    insert_raw(
        [
            PurchasedDevice(device_id=device, order_line=row.order_line, item=row)
            for row, item in items
            for device in item.devices
        ]
    )


def _write_invoices(written: Sequence[_Written], people: People) -> list[_Part]:
    """Voucher numbers run by the day of the invoice within a year."""
    bills = [
        (row, number, bill) for row in written for number, bill in enumerate(row.purchase.bills, start=1)
    ]  # fmt: skip
    bills.sort(key=lambda entry: (entry[2].dated_on, entry[0].order.number))
    numbers: Counter[int] = Counter()
    parts: list[_Part] = []
    invoices = []
    for row, number, bill in bills:
        numbers[bill.dated_on.year] += 1
        invoice = _invoice(row, number, bill, numbers[bill.dated_on.year], people)
        invoices.append(invoice)
        parts += [_part(row, bill, invoice, index) for index in range(len(row.lines))]
    insert_with_history(invoices, by=people.clerk)
    _pay(invoices, [bill for _row, _number, bill in bills], people)
    insert_raw([part.line for part in parts])
    return parts


def _invoice(row: _Written, number: int, bill: Bill, running: int, people: People) -> Invoice:
    invoice = Invoice(
        order=row.order,
        number=f"RE-{row.order.number[2:]}-{number}",
        voucher_number=f"{bill.dated_on.year}-{running:05d}",
        dated_on=bill.dated_on,
        payee=row.order.supplier.name,
        booking_reference=f"{row.purchase.pot.budget.ledger_account}/{bill.paid_on.year}/{running:05d}",
        remark=bill.note,
        recorded_by=people.clerk,
        recorded_at=at_noon(bill.dated_on),
    )
    invoice._history_date = invoice.recorded_at  # type: ignore[attr-defined]
    return invoice


def _pay(invoices: Sequence[Invoice], bills: Sequence[Bill], people: People) -> None:
    """Each on its day, by another person than the one who recorded it."""
    for invoice, bill in zip(invoices, bills, strict=True):
        invoice.state, invoice.paid_on, invoice.paid_by = InvoiceState.PAID, bill.paid_on, people.approver
        invoice._history_date = at_noon(bill.paid_on)  # type: ignore[attr-defined]
    bulk_update_by(invoices, ["state", "paid_on", "paid_by"], by=people.approver)


def _part(row: _Written, bill: Bill, invoice: Invoice, index: int) -> _Part:
    item, line = row.purchase.items[index], row.lines[index]
    quantity = item.quantity // len(row.purchase.bills)
    amount = item.unit_price * quantity
    granted = _granted(row, amount)
    asked = InvoiceLine(
        invoice=invoice,
        order_line=line,
        quantity=quantity,
        amount=amount,
        eligible_amount=ZERO if row.purchase.pot.budget.grant is None else amount,
        grant_amount=granted,
        own_amount=amount - granted,
    )
    return _Part(row, bill, invoice, asked, bill.note or _text(row, index))


def _granted(row: _Written, amount: Decimal) -> Decimal:
    grant = row.purchase.pot.budget.grant
    return ZERO if grant is None else share_rounded_down(amount, grant.rate)


def _text(row: _Written, index: int) -> str:
    item = row.purchase.items[index]
    return f"{item.quantity} × {item.text}" if item.devices else item.text


def _bind(written: Sequence[_Written]) -> None:
    """Devices that a grant with earmarking paid for, and their past from the first record on."""
    bound: dict[tuple[datetime.date, str], list[int]] = {}
    for row in written:
        grant = row.purchase.pot.budget.grant
        if grant is not None and grant.earmarked_until is not None:
            keys = bound.setdefault((grant.earmarked_until, grant.file_reference), [])
            keys += [device for item in row.purchase.items for device in item.devices]
    for (until, reference), devices in bound.items():
        for start in range(0, len(devices), 500):
            some = devices[start : start + 500]
            Device.objects.filter(pk__in=some).update(bound_until=until, bound_by=reference)
            Device.history.filter(id__in=some).update(bound_until=until, bound_by=reference)


def _commitments(written: Sequence[_Written], people: People) -> Iterator[LedgerEntry]:
    for row in written:
        at = at_noon(row.purchase.placed_on)
        for index, line in enumerate(row.lines):
            text, amount = _text(row, index), row.purchase.items[index].amount
            for budget, part in _shares(row, amount):
                for kind in (LedgerKind.COMMIT, LedgerKind.ORDER):
                    yield LedgerEntry(
                        budget=budget, kind=kind, amount=part, order_line=line, by=people.clerk, at=at, note=text
                    )


def _payments(parts: Sequence[_Part], people: People) -> Iterator[LedgerEntry]:
    for part in parts:
        steps = (
            (LedgerKind.INVOICE, part.bill.dated_on, people.clerk),
            (LedgerKind.PAY, part.bill.paid_on, people.approver),
        )
        for budget, amount in _shares(part.written, part.line.amount):
            for kind, day, by in steps:
                yield LedgerEntry(
                    budget=budget, kind=kind, amount=amount, order_line=part.line.order_line, invoice_line=part.line,
                    by=by, at=at_noon(day), note=part.text,
                )  # fmt: skip


def _shares(row: _Written, amount: Decimal) -> list[tuple[Budget, Decimal]]:
    """The budget with its part, and the own share with the rest."""
    pot = row.purchase.pot
    granted = amount if pot.budget.grant is None else _granted(row, amount)
    shares = [(pot.budget, granted), (pot.own_share, amount - granted)]
    return [(budget, part) for budget, part in shares if budget is not None and part]


def _write_sums(entries: Sequence[LedgerEntry], pots: Sequence[Pot], people: People) -> None:
    """Everything that was committed is paid, so that only `spent` stays."""
    paid: dict[int, list[Decimal]] = {}
    for entry in entries:
        if entry.kind == LedgerKind.PAY:
            paid.setdefault(entry.budget_id, []).append(entry.amount)
    budgets: dict[int, Budget] = {}
    for pot in pots:
        budgets |= {budget.pk: budget for budget in (pot.budget, pot.own_share) if budget is not None}
    for budget in budgets.values():
        budget.spent = total(paid.get(budget.pk, [ZERO]))
        budget._history_date = at_noon(datetime.date(budget.fiscal_year, 12, 30))  # type: ignore[attr-defined]
    bulk_update_by(list(budgets.values()), ["spent"], by=people.approver, reason="Jahresabschluss")
