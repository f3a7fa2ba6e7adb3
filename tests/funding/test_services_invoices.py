"""What invoices and credit notes do to the money, and what is refused with which sentence."""

import datetime
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.money import ZERO
from apps.funding import services
from apps.funding.choices import ApplicationState, InvoiceKind, OrderState
from apps.funding.models import Invoice, PurchasedDevice
from apps.funding.purchasing import InvoiceLineInput
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import BudgetFactory
from tests.funding.purchases import (
    ContractFactory,
    approved,
    bound_grant,
    deliver,
    invoiced,
    lines_for,
    lines_of,
    money_of,
    order_in,
    own_line,
    pay,
    placed_order,
    record,
    refused,
    sums,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sums_agree")]
D = Decimal
S, O = ApplicationState, OrderState  # noqa: E741 - read as states below
DAY = datetime.timedelta(days=1)


def test_more_than_came_or_dearer_than_agreed_needs_a_remark() -> None:
    order = placed_order(own_line(BudgetFactory(), quantity=2))
    refused("remark", invoiced, order, "100.00", 1)
    deliver(order)
    refused("remark", invoiced, order, "201.00", 2)
    refused("remark", invoiced, order, "300.00", 3)
    assert invoiced(order, "201.00", 2, remark="Versandkosten").lines.get().amount == D("201.00")


def test_numbers_of_vouchers_and_invoices_stand_once() -> None:
    order = deliver(placed_order(own_line(BudgetFactory(), quantity=3)))
    invoiced(order, "100.00", 1, number="R-1", voucher_number="B-1")
    refused("voucher_number", invoiced, order, "100.00", 1, number="R-2", voucher_number="B-1")
    refused("number", invoiced, order, "100.00", 1, number="R-1", voucher_number="B-2")


def test_a_form_that_is_sent_twice_makes_one_invoice() -> None:
    order, by, key = deliver(placed_order(own_line(BudgetFactory()))), ClerkFactory(), uuid.uuid4()
    first, second = (invoiced(order, "100.00", 1, by=by, form_key=key) for _ in range(2))
    assert first == second


def test_a_draft_and_a_closed_order_take_no_invoice() -> None:
    for state in (O.DRAFT, O.CANCELLED, O.CLOSED):
        refused("illegal_transition", invoiced, order_in(state), "1.00", 1)


def test_only_the_eligible_part_is_shared_with_the_grant() -> None:
    money, own = money_of()
    order = deliver(placed_order(*lines_for(approved(("500.00", 1), budget=money, own=own))))
    line = pay(invoiced(order, "500.00", 1, eligible_amount=D("400.00"))).lines.get()
    assert (line.eligible_amount, line.grant_amount, line.own_amount) == (D("400.00"), D("360.00"), D("140.00"))
    # 100 were committed for the own share: 40 more are committed, 90 of the grant wait for the end of the order.
    assert (sums(money)[:2], sums(own)[:2]) == ((D("90.00"), D("360.00")), (ZERO, D("140.00")))
    services.close_order(order=order, by=ClerkFactory())
    assert sums(money)[:2] == (ZERO, D("360.00"))


def test_a_limit_per_device_is_kept_over_all_invoices_of_a_line_whatever_pieces_they_say() -> None:
    money, own = money_of(bound_grant(limit_per_device=D("600.00")))
    order = deliver(placed_order(*lines_for(approved(("749.00", 2), budget=money, own=own))))

    first = pay(invoiced(order, "1498.00", 4, remark="mehr Stücke"))
    assert first.lines.get().grant_amount == D("1200.00")
    second = pay(invoiced(order, "10.00", 2, remark="Versand"))
    assert (second.lines.get().grant_amount, second.lines.get().own_amount) == (D("0.00"), D("10.00"))


def test_the_same_paper_is_not_recorded_with_two_orders_unless_somebody_says_why() -> None:
    contract = ContractFactory()
    orders = [deliver(placed_order(*lines_for(approved()), contract=contract)) for _number in range(2)]
    record(orders[0], number="R-1")

    assert refused("remark", record, orders[1], number="r-1").field == "remark"
    assert record(orders[1], number="R-1", remark="Neuer Nummernkreis").number == "R-1"


def test_a_limit_per_device_is_kept() -> None:
    money, own = money_of(bound_grant(rate=D("1.0000"), limit_per_device=D("400.00")))
    line = own_line(money, price="500.00", quantity=2, own_share_budget_id=own.pk)
    order = deliver(placed_order(line))
    assert (sums(money)[0], sums(own)[0]) == (D("800.00"), D("200.00"))
    row = pay(record(order)).lines.get()
    assert (row.grant_amount, row.own_amount) == (D("800.00"), D("200.00"))


def test_what_a_grant_was_to_pay_alone_gets_an_own_share_when_less_is_eligible() -> None:
    money, own = money_of(bound_grant(rate=D("1.0000")))
    order = deliver(placed_order(own_line(money)))
    line = order.lines.get()
    typed = InvoiceLineInput(line.pk, 1, D("100.00"), D("90.00"))
    refused("missing_own_share", record, order, typed)
    row = pay(record(order, InvoiceLineInput(line.pk, 1, D("100.00"), D("90.00"), own.pk))).lines.get()
    assert (row.grant_amount, row.own_amount) == (D("90.00"), D("10.00"))
    assert sums(own)[:2] == (ZERO, D("10.00"))


def test_nobody_pays_what_they_recorded_and_the_database_agrees() -> None:
    by = ApproverFactory()
    invoice = record(deliver(placed_order(own_line(BudgetFactory()))), by=by)
    refused("same_person", pay, invoice, by=by)
    with pytest.raises(PermissionDenied):
        pay(invoice, by=ClerkFactory())
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(paid_by=by)


def test_dearer_than_committed_is_paid_when_there_is_money() -> None:
    budget = BudgetFactory(appropriation=D("110.00"))
    order = deliver(placed_order(own_line(budget)))
    too_much = invoiced(order, "110.01", 1, remark="Preis gestiegen")
    refused("unaffordable", pay, too_much)
    assert sums(budget) == (D("100.00"), ZERO, D("10.00"))
    services.cancel_invoice(invoice=too_much, by=ClerkFactory(), reason="Falsch")
    pay(invoiced(order, "110.00", 1, remark="Preis gestiegen"))
    assert sums(budget) == (ZERO, D("110.00"), ZERO)


def test_the_day_of_the_payment() -> None:
    invoice = record(deliver(placed_order(own_line(BudgetFactory()))))
    for day in (today() + DAY, today() - DAY):
        refused("invalid", pay, invoice, paid_on=day)
    with pytest.raises(DomainError):
        invoiced(order_in(O.DELIVERED), "1.00", 1, dated_on=today() + DAY)


def test_a_credit_note_gives_the_money_back() -> None:
    money, own = money_of()
    application = approved(("333.33", 2), budget=money, own=own)
    order = deliver(placed_order(*lines_for(application)))
    pay(record(order))
    device = PurchasedDevice.objects.order_by("pk")[0].device
    services.return_goods(order=order, by=ClerkFactory(), reason="Defekt", devices=[device])
    credit = invoiced(order, "333.33", 1, kind=InvoiceKind.CREDIT)
    row = pay(credit).lines.get()

    assert (row.quantity, row.amount, row.eligible_amount) == (-1, D("-333.33"), D("-333.33"))
    assert (row.grant_amount, row.own_amount) == (D("-300.00"), D("-33.33"))
    assert (sums(money)[:2], sums(own)[:2]) == ((D("300.00"), D("299.99")), (D("33.33"), D("33.34")))
    services.close_order(order=order, by=ClerkFactory(), reason="Ersatz kommt nicht")
    assert (sums(money)[:2], sums(own)[:2]) == ((ZERO, D("299.99")), (ZERO, D("33.34")))


def test_a_credit_note_after_the_end_releases_at_once() -> None:
    order = order_in(O.CLOSED)
    budget = order.lines.get().budget
    pay(invoiced(order, "50.00", 0, kind=InvoiceKind.CREDIT))
    assert sums(budget) == (ZERO, D("950.00"), D("9050.00"))


def test_no_more_is_given_back_than_was_invoiced_and_paid() -> None:
    order = deliver(placed_order(own_line(BudgetFactory())))
    refused("credit", invoiced, order, "0.01", kind=InvoiceKind.CREDIT)
    first = record(order)
    credit = invoiced(order, "60.00", kind=InvoiceKind.CREDIT)
    refused("credit", invoiced, order, "40.01", kind=InvoiceKind.CREDIT)
    refused("credit", pay, credit)
    pay(first)
    pay(credit)
    assert sums(lines_of(order)[0].budget)[:2] == (D("60.00"), D("40.00"))
