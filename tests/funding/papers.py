"""Paid vouchers with devices behind them, written straight into the database."""

from __future__ import annotations

import datetime
import itertools
from decimal import Decimal
from typing import Any

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core.money import ZERO, share_rounded_down
from apps.funding.choices import DrawdownState, InvoiceKind, InvoiceState, LedgerKind, OrderState, ProofState
from apps.funding.models import (
    Budget,
    DeliveredItem,
    Delivery,
    Drawdown,
    DrawdownItem,
    Grant,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    Order,
    OrderLine,
    ProofOfUse,
    PurchasedDevice,
    Supplier,
)
from apps.funding.proof_keeping import as_json, sums_as_json
from apps.funding.proof_selectors import figures_of
from apps.inventory.models import Device, Product
from apps.schools.models import School
from tests.factories import DeviceFactory, ProductFactory, UserFactory
from tests.funding.factories import BudgetFactory, GrantFactory

DAY = datetime.date(2026, 3, 2)
NUMBERS = itertools.count(1)
TEXTS = {
    "purpose": "Geplant.", "course": "Getan.", "result": "Erreicht.", "deviations": "Keine.", "award_note": "Offen.",
}  # fmt: skip


def person(role: Role) -> User:
    """One of the office for all papers: making a person takes longer than making a paper."""
    return User.objects.filter(role=role, name="Papier").first() or UserFactory(role=role, name="Papier")


def make_grant(**values: Any) -> Grant:
    """Pays 90 percent until the end of 2026 and binds for five years; nothing is missing in it."""
    facts = {
        "lucom_number": "LU-1",
        "implementation_from": datetime.date(2026, 1, 15),
        "implementation_until": datetime.date(2026, 12, 31),
        "earmarking_years": 5,
        "contact": "Schulamt, Telefon 0",
    }
    return GrantFactory(**(facts | values))


def money_of(grant: Grant, **values: Any) -> tuple[Budget, Budget]:
    """A budget of the grant and one for its own share."""
    budget = BudgetFactory(grant=grant, **({"appropriation": Decimal("9000.00")} | values))
    return budget, BudgetFactory(appropriation=Decimal("100000.00"))


def pay(
    grant: Grant,
    budgets: tuple[Budget, Budget],
    amount: str = "1000.00",
    *,
    school: School | None = None,
    eligible: str | None = None,
    quantity: int = 1,
    devices: int = 0,
    delivered: int | None = None,
    dated_on: datetime.date = DAY,
    state: InvoiceState = InvoiceState.PAID,
) -> InvoiceLine:
    """A line of an invoice of its own, with entries of the ledger when it is paid, and so many devices.

    All of it has come unless `delivered` says how much.
    """
    clerk, approver = person(Role.OFFICE_CLERK), person(Role.OFFICE_APPROVER)
    number = next(NUMBERS)
    supplier, _made = Supplier.objects.get_or_create(name="Muster Handel")
    order = Order.objects.create(
        number=f"B-{number}", supplier=supplier, state=OrderState.PLACED, created_by=clerk, placed_by=clerk,
        placed_on=dated_on,
    )  # fmt: skip
    budget, own = budgets
    line = OrderLine.objects.create(
        order=order, school=school, product=Product.objects.first() or ProductFactory(), quantity=quantity,
        unit_price=abs(Decimal(amount)) / quantity, budget=budget, own_share_budget=own,
        delivered=quantity if delivered is None else delivered,
    )  # fmt: skip
    paid = state == InvoiceState.PAID
    invoice = Invoice.objects.create(
        order=order, number=f"R-{number}", voucher_number=f"2026-{number:04d}", dated_on=dated_on, payee="Muster",
        state=state, paid_on=dated_on + datetime.timedelta(days=14) if paid else None,
        paid_by=approver if paid else None, recorded_by=clerk, booking_reference=f"783100/{number}",
    )  # fmt: skip
    whole, part = Decimal(amount), Decimal(eligible if eligible is not None else amount)
    granted = share_rounded_down(part, grant.rate)
    asked = InvoiceLine.objects.create(
        invoice=invoice, order_line=line, quantity=quantity, amount=whole, eligible_amount=part,
        grant_amount=granted if paid else None, own_amount=whole - granted if paid else None,
    )  # fmt: skip
    for target, cost in ((budget, granted), (own, whole - granted)):
        for kind in (LedgerKind.COMMIT, LedgerKind.PAY) if paid else (LedgerKind.COMMIT,):
            if cost:
                post(target, kind, cost, order_line=line, invoice_line=asked, by=approver)
    _deliver(line, devices, clerk)
    return asked


def credit(line: InvoiceLine, amount: str, *, pieces: int = 0) -> InvoiceLine:
    """A paid credit note about the order line of a paid line; `amount` is positive, so are `pieces` sent back."""
    number, ordered = next(NUMBERS), line.order_line
    invoice = Invoice.objects.create(
        order=ordered.order, kind=InvoiceKind.CREDIT, number=f"G-{number}", voucher_number=f"2026-{number:04d}",
        dated_on=DAY, payee="Muster", state=InvoiceState.PAID, paid_on=DAY + datetime.timedelta(days=20),
        paid_by=person(Role.OFFICE_APPROVER), recorded_by=person(Role.OFFICE_CLERK),
    )  # fmt: skip
    whole = Decimal(amount)
    granted = share_rounded_down(whole, ordered.budget.grant.rate)
    asked = InvoiceLine.objects.create(
        invoice=invoice, order_line=ordered, quantity=-pieces, amount=-whole, eligible_amount=-whole,
        grant_amount=-granted, own_amount=granted - whole,
    )  # fmt: skip
    for target, part in ((ordered.budget, -granted), (ordered.own_share_budget, granted - whole)):
        if part:
            post(target, LedgerKind.PAY, part, order_line=ordered, invoice_line=asked)
    return asked


def post(budget: Budget, kind: str, amount: Decimal, *, by: User | None = None, **values: Any) -> None:
    """An entry of the ledger."""
    LedgerEntry.objects.create(budget=budget, kind=kind, amount=amount, by=by or person(Role.OFFICE_APPROVER), **values)


def _deliver(line: OrderLine, devices: int, by: User) -> None:
    if not devices:
        return
    delivery = Delivery.objects.create(order=line.order, received_on=DAY, by=by)
    item = DeliveredItem.objects.create(delivery=delivery, order_line=line, quantity=devices)
    for _number in range(devices):
        device = DeviceFactory(
            product=line.product, price=line.unit_price, school=line.school, serial=f"SN-{next(NUMBERS)}"
        )
        Device.objects.filter(pk=device.pk).update(
            bound_until=line.budget.grant.earmarked_until, bound_by=line.budget.grant.file_reference
        )
        PurchasedDevice.objects.create(device=device, order_line=line, item=item)


def make_drawdown(state: DrawdownState = DrawdownState.DRAFT, *, grant: Grant | None = None) -> Drawdown:
    """A drawdown with one voucher of 900 euros; a cancelled one holds none."""
    grant = grant or make_grant()
    line = pay(grant, money_of(grant))
    called = state in (DrawdownState.REQUESTED, DrawdownState.RECEIVED)
    drawdown = Drawdown.objects.create(
        grant=grant, number=next(NUMBERS) % 900 + 1, state=state, by=person(Role.OFFICE_CLERK),
        file_reference=grant.file_reference if called else "", lucom_number=grant.lucom_number if called else "",
        requested_on=DAY if called else None, received_on=DAY if state == DrawdownState.RECEIVED else None,
    )  # fmt: skip
    if state != DrawdownState.CANCELLED:
        DrawdownItem.objects.create(drawdown=drawdown, invoice_line=line, amount=line.grant_amount or ZERO)
    return drawdown


def make_proof(state: ProofState = ProofState.DRAFT, *, grant: Grant | None = None, **values: Any) -> ProofOfUse:
    """A proof in which nothing is missing; without a grant it gets one with a voucher and two devices."""
    if grant is None:
        grant = make_grant()
        pay(grant, money_of(grant), quantity=2, devices=2)
    proof = ProofOfUse.objects.create(grant=grant, **(TEXTS | values))
    if state == ProofState.HANDED_IN:
        proof.state, proof.handed_in_on, proof.handed_in_by = state, DAY, person(Role.OFFICE_APPROVER)
        proof.figures, proof.sums = as_json(figures_of(proof)), sums_as_json(figures_of(proof))
        proof.save()
    return proof
