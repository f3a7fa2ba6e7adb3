"""From the approval to the closed order: one euro followed all the way, and back from the device to the notice."""

import datetime
from decimal import Decimal

import pytest

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import ApplicationState, LedgerKind, OrderState
from apps.funding.models import Budget, EquipmentApplication, LedgerEntry, PurchasedDevice
from apps.funding.reconciliation import ledger_differences
from apps.inventory.models import Device
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.purchases import (
    approved,
    bound_grant,
    draft_order,
    lines_for,
    money_of,
    pay,
    place,
    record,
    scan_in,
    states_of,
    sums,
)

pytestmark = pytest.mark.django_db
D = Decimal
S = ApplicationState


def test_from_the_approval_to_the_closed_order() -> None:
    grant = bound_grant(file_reference="48.2-0815")
    money, own = money_of(grant)
    first, second = approved(("500.00", 2), budget=money, own=own), approved(("333.33", 1), budget=money, own=own)
    clerk, approver = ClerkFactory(), ApproverFactory()
    assert (sums(money)[0], sums(own)[0]) == (D("1199.99"), D("133.34"))

    order = draft_order(*lines_for(first, "480.00"), *lines_for(second), by=clerk)
    assert order.number == f"B-{today().year}-0001"
    order = place(order, by=clerk)
    assert (order.state, order.placed_by, order.placed_on) == (OrderState.PLACED, clerk, today())
    # Cheaper than approved: nothing moves but what is noted as ordered.
    assert (sums(money)[0], sums(own)[0]) == (D("1199.99"), D("133.34"))
    first.refresh_from_db()
    assert first.state == S.ORDERED

    line, other = order.lines.order_by("pk")
    devices = list(Device.objects.filter(pk__in=[row.pk for row in [*scan_in(line), *scan_in(other)]]).order_by("pk"))
    assert [(device.school_id, device.price, device.bound_until, device.bound_by) for device in devices] == [
        (first.school_id, D("480.00"), datetime.date(2031, 12, 31), "48.2-0815"),
        (first.school_id, D("480.00"), datetime.date(2031, 12, 31), "48.2-0815"),
        (second.school_id, D("333.33"), datetime.date(2031, 12, 31), "48.2-0815"),
    ]
    assert list(PurchasedDevice.objects.values_list("order_line", flat=True)) == [line.pk, line.pk, other.pk]
    order.refresh_from_db()
    assert order.state == OrderState.DELIVERED

    invoice = record(order, by=approver)
    with pytest.raises(DomainError) as caught:
        pay(invoice, by=approver)
    assert caught.value.code == "same_person"
    paid = pay(invoice)
    assert [(row.grant_amount, row.own_amount) for row in paid.lines.order_by("pk")] == [
        (D("864.00"), D("96.00")),
        (D("299.99"), D("33.34")),
    ]
    assert sums(money)[:2] == (D("36.00"), D("1163.99"))
    assert sums(own)[:2] == (D("4.00"), D("129.34"))

    services.close_order(order=order, by=clerk)
    assert sums(money) == (D("0.00"), D("1163.99"), D("8836.01"))
    assert sums(own) == (D("0.00"), D("129.34"), D("4870.66"))
    assert states_of(first) == [S.SUBMITTED, S.APPROVED, S.ORDERED, S.DELIVERED, S.CLOSED]
    assert_booked(money, first)


def assert_booked(money: Budget, application: EquipmentApplication) -> None:
    """Each step of the first application stands in the ledger once."""
    kinds = LedgerEntry.objects.filter(budget=money, line=application.lines.get()).order_by("pk")
    assert list(kinds.values_list("kind", "amount")) == [
        (LedgerKind.COMMIT, D("900.00")),
        (LedgerKind.ORDER, D("864.00")),
        (LedgerKind.INVOICE, D("864.00")),
        (LedgerKind.PAY, D("864.00")),
        (LedgerKind.RELEASE, D("36.00")),
    ]
    assert ledger_differences() == []
