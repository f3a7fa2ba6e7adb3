"""What orders, deliveries and invoices do to the money, and what is refused with which sentence."""

import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.money import ZERO
from apps.funding import services
from apps.funding.choices import ApplicationState, DeliveryKind, InvoiceKind, LedgerKind, OrderState
from apps.funding.models import AwardThreshold, Invoice, LedgerEntry, OrderLine, PurchasedDevice
from apps.funding.purchasing import InvoiceLineInput, OrderLineInput
from apps.funding.reconciliation import ledger_differences
from apps.inventory import services as inventory
from apps.inventory.choices import DeviceStatus, Disposal
from apps.inventory.models import Device, ScanSession
from tests.factories import ApproverFactory, ClerkFactory, CoordinatorFactory, ProductFactory
from tests.funding.factories import BudgetFactory, make_application
from tests.funding.purchases import (
    ContractFactory,
    SupplierFactory,
    approved,
    bound_grant,
    deliver,
    draft_order,
    entries,
    lines_for,
    lines_of,
    money_of,
    order_in,
    own_line,
    pay,
    placed_order,
    record,
    scan_in,
    states_of,
    sums,
)

pytestmark = pytest.mark.django_db
D = Decimal
S, O = ApplicationState, OrderState  # noqa: E741 - read as states below
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def _sums_agree() -> Any:
    """Whatever a test does: the ledger and all that is written with it agree to the cent."""
    yield
    assert ledger_differences() == []


def refused(code: str, action: Callable[..., object], *args: Any, **values: Any) -> DomainError:
    with pytest.raises(DomainError) as caught:
        action(*args, **values)
    assert caught.value.code == code, str(caught.value)
    return caught.value


# Bundling


def test_no_more_than_is_approved_and_stands_in_no_other_order() -> None:
    application = approved(("100.00", 5))
    first = draft_order(*lines_for(application, quantity=3))
    refused("quantity", draft_order, *lines_for(application, quantity=3))
    services.cancel_order(order=first, by=ClerkFactory())

    assert draft_order(*lines_for(application, quantity=5)).lines.get().quantity == 5


@pytest.mark.parametrize("state", [S.SUBMITTED, S.REJECTED, S.RETURNED])
def test_only_what_is_approved_is_ordered(state: ApplicationState) -> None:
    application = make_application(state)
    line = application.lines.get()
    refused("not_approved", draft_order, OrderLineInput(1, application_line_id=line.pk))


def test_lines_of_several_schools_in_one_order_and_their_prices_as_approved() -> None:
    order = draft_order(*lines_for(approved(("100.00", 1))), *lines_for(approved(("200.00", 2))))
    lines = lines_of(order)
    assert [(line.quantity, line.unit_price) for line in lines] == [(1, D("100.00")), (2, D("200.00"))]
    assert len({line.school_id for line in lines}) == 2


def test_a_draft_that_somebody_changed_meanwhile_is_not_overwritten() -> None:
    order = draft_order(own_line(BudgetFactory()))
    facts: dict[str, Any] = {"supplier": order.supplier, "by": ClerkFactory(), "lines": [], "order": order}
    services.save_order(revision=1, **facts)
    refused("stale", services.save_order, revision=1, **facts)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"budget_id": None}, "missing_budget"),
        ({"description": ""}, "invalid"),
        ({"unit_price": None}, "invalid"),
        ({"quantity": 0}, "invalid"),
    ],
)
def test_a_line_of_the_office_is_whole(values: dict[str, Any], code: str) -> None:
    facts: dict[str, Any] = {"quantity": 1, "unit_price": D("1.00"), "description": "Kabel"}
    typed = OrderLineInput(**facts | {"budget_id": BudgetFactory().pk} | values)
    refused(code, draft_order, typed)


def test_a_grant_that_pays_a_part_needs_municipal_money_beside_it() -> None:
    money, own = money_of()
    refused("missing_own_share", draft_order, own_line(money))
    refused("own_share_from_grant", draft_order, own_line(money, own_share_budget_id=money.pk))
    refused("needless_own_share", draft_order, own_line(own, own_share_budget_id=own.pk))


def test_a_form_key_of_somebody_else_is_refused() -> None:
    key = uuid.uuid4()
    draft_order(own_line(BudgetFactory()), form_key=key)
    refused("form_key", draft_order, own_line(BudgetFactory()), form_key=key)


# Award and contract


def place_without_contract(**award: Any) -> Any:
    supplier, by = SupplierFactory(), ClerkFactory()
    order = services.create_order(by=by, supplier=supplier, lines=[own_line(BudgetFactory())])
    stored = lines_of(order)[0]
    line = own_line(stored.budget, line_id=stored.pk)
    order = services.save_order(order=order, revision=1, by=by, supplier=supplier, lines=[line], **award)
    return services.place_order(order=order, by=by)


def test_an_award_without_a_contract_says_how_and_why() -> None:
    full = {"estimated_net": D("84.03"), "procedure": "Direktauftrag", "award_reason": "Günstigstes Angebot"}
    for name in full:
        assert (
            refused("award", place_without_contract, **full | {name: None if name == "estimated_net" else ""}).field
            == name
        )
    assert place_without_contract(**full).procedure == "Direktauftrag"


def test_the_procedure_is_that_of_the_citys_step_of_the_day() -> None:
    AwardThreshold.objects.create(valid_from=today(), up_to=D("5000.00"), procedure="Direktauftrag", source="Satzung")
    AwardThreshold.objects.create(valid_from=today() + DAY, procedure="Ausschreibung", source="Satzung")
    order = place_without_contract(estimated_net=D("84.03"), procedure="Irgendwie", award_reason="Günstig")
    assert order.procedure == "Direktauftrag"


def test_a_step_of_the_citys_rules_asks_for_an_award_under_a_contract_too() -> None:
    AwardThreshold.objects.create(valid_from=today(), procedure="Direktauftrag", source="Satzung")
    order = draft_order(own_line(BudgetFactory()))
    refused("award", services.place_order, order=order, by=ClerkFactory())


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"valid_from": today() + DAY}, "contract_over"),
        ({"valid_until": today() - DAY}, "contract_over"),
        ({"volume": D("99.99")}, "contract_volume"),
    ],
)
def test_a_contract_reaches(values: dict[str, Any], code: str) -> None:
    contract = ContractFactory(**values)
    refused(code, placed_order, own_line(BudgetFactory()), contract=contract)


def test_a_contract_is_used_up_by_what_was_placed_and_not_cancelled() -> None:
    contract, by = ContractFactory(volume=D("150.00")), ClerkFactory()
    first = placed_order(own_line(BudgetFactory()), contract=contract)
    refused("contract_volume", placed_order, own_line(BudgetFactory()), contract=contract)
    services.cancel_order(order=first, by=by, reason="Doch nicht")
    assert placed_order(own_line(BudgetFactory()), contract=contract).state == O.PLACED


def test_supplier_and_contract_belong_together() -> None:
    by = ClerkFactory()
    with pytest.raises(DomainError):
        services.create_order(by=by, supplier=SupplierFactory(), contract=ContractFactory())
    with pytest.raises(DomainError):
        services.create_order(by=by, supplier=SupplierFactory(is_active=False))


# What placing does to the money


def test_dearer_than_approved_commits_the_difference() -> None:
    money, own = money_of()
    application = approved(("500.00", 2), budget=money, own=own)

    order = placed_order(*lines_for(application, "550.00"))

    line = application.lines.get()
    assert (line.extra_cost, line.approved_amount) == (D("100.00"), D("1000.00"))
    assert sorted(line.allocations.values_list("amount", flat=True)) == [D("110.00"), D("990.00")]
    assert (sums(money)[0], sums(own)[0]) == (D("990.00"), D("110.00"))

    services.cancel_order(order=order, by=ClerkFactory(), reason="Zu teuer")
    line.refresh_from_db()
    assert line.extra_cost == ZERO
    assert (sums(money)[0], sums(own)[0]) == (D("900.00"), D("100.00"))
    assert states_of(application) == [S.SUBMITTED, S.APPROVED, S.ORDERED, S.APPROVED]


def test_dearer_than_there_is_money_is_refused_and_nothing_is_placed() -> None:
    budget = BudgetFactory(appropriation=D("1000.00"))
    application = approved(("500.00", 2), budget=budget)
    order = draft_order(*lines_for(application, "500.01"))

    error = refused("unaffordable", services.place_order, order=order, by=ClerkFactory())

    assert "0,02" in str(error)
    order.refresh_from_db()
    application.refresh_from_db()
    assert (order.state, application.state, sums(budget)) == (O.DRAFT, S.APPROVED, (D("1000.00"), ZERO, ZERO))


def test_a_freeze_keeps_own_purchases_back() -> None:
    budget = BudgetFactory(appropriation=D("100.00"))
    order = draft_order(own_line(budget))
    change = services.propose_edit(budget=budget, by=ClerkFactory(), reason="Sperre", freeze=D("0.01"))
    services.confirm_change(change=change, by=ApproverFactory())
    refused("unaffordable", services.place_order, order=order, by=ClerkFactory())


def test_two_orders_share_what_an_approval_committed() -> None:
    """The second one gets what the first one left, to the cent of the own share."""
    money, own = money_of()
    application = approved(("333.33", 10), budget=money, own=own)
    first = placed_order(*lines_for(application, "300.00", quantity=5))
    second = placed_order(*lines_for(application, "333.33", quantity=5))

    # Two halves, each rounded down for the grant: the own share takes the cent that is left.
    assert (sums(money)[0], sums(own)[0]) == (D("2999.97"), D("333.34"))
    for order in (first, second):
        pay(record(deliver(order)))
        services.close_order(order=order, by=ClerkFactory())
    assert sums(money)[:2] == (ZERO, D("2849.98"))
    assert sums(own)[:2] == (ZERO, D("316.67"))
    application.refresh_from_db()
    assert application.state == S.CLOSED


def test_the_saving_of_one_order_is_not_spent_by_another() -> None:
    budget = BudgetFactory(appropriation=D("1000.00"))
    application = approved(("100.00", 10), budget=budget)
    placed_order(*lines_for(application, "50.00", quantity=5))
    second = draft_order(*lines_for(application, "101.00", quantity=5))
    refused("unaffordable", services.place_order, order=second, by=ClerkFactory())


def test_own_purchases_are_committed_when_placed_and_released_when_cancelled() -> None:
    budget = BudgetFactory(appropriation=D("100.00"))
    order = draft_order(own_line(budget))
    assert sums(budget)[0] == ZERO
    order = services.place_order(order=order, by=ClerkFactory())
    assert sums(budget) == (D("100.00"), ZERO, ZERO)
    services.cancel_order(order=order, by=ClerkFactory(), reason="Doch nicht")
    assert sums(budget) == (ZERO, ZERO, D("100.00"))
    assert entries(LedgerEntry.objects.filter(budget=budget)) == [
        (LedgerKind.COMMIT, D("100.00")),
        (LedgerKind.ORDER, D("100.00")),
        (LedgerKind.ORDER, D("-100.00")),
        (LedgerKind.RELEASE, D("100.00")),
    ]


# Goods


def test_more_than_ordered_does_not_come_in() -> None:
    order, by = placed_order(*lines_for(approved())), ClerkFactory()
    line = order.lines.get()
    session = services.begin_scan(order_line=line, by=by, token=uuid.uuid4())
    scans = [inventory.SentSerial(uuid.uuid4(), f"ZU-VIEL-{number}") for number in range(3)]
    inventory.record_scans(session=session, scanned=scans, by=by)

    error = refused("too_many", inventory.take_in, session=session, revision=3, by=by)

    assert "3" in str(error)
    assert (Device.objects.count(), ScanSession.objects.get().state) == (0, "open")
    line.refresh_from_db()
    assert line.delivered == 0


def test_what_was_changed_at_the_scanner_is_not_what_was_ordered() -> None:
    order, by = placed_order(*lines_for(approved())), ClerkFactory()
    session = services.begin_scan(order_line=order.lines.get(), by=by, token=uuid.uuid4())
    inventory.change_scanning(session=session, by=by, product=ProductFactory())
    inventory.record_scans(session=session, scanned=[inventory.SentSerial(uuid.uuid4(), "ANDERES-1")], by=by)
    refused("other_goods", inventory.take_in, session=ScanSession.objects.get(), revision=2, by=by)


def test_a_coordinator_does_not_take_in_what_the_office_ordered() -> None:
    order = placed_order(*lines_for(approved()))
    line = order.lines.get()
    session = services.begin_scan(order_line=line, by=ClerkFactory(), token=uuid.uuid4())
    ScanSession.objects.update(by=(coordinator := CoordinatorFactory(schools=[line.school])))
    inventory.record_scans(session=session, scanned=[inventory.SentSerial(uuid.uuid4(), "SCHULE-1")], by=coordinator)
    with pytest.raises(PermissionDenied):
        inventory.take_in(session=session, revision=1, by=coordinator)
    assert not Device.objects.exists()


def test_a_delivery_that_is_begun_twice_is_one() -> None:
    line, by, token = placed_order(*lines_for(approved())).lines.get(), ClerkFactory(), uuid.uuid4()
    first, second = (services.begin_scan(order_line=line, by=by, token=token) for _ in range(2))
    assert first == second
    assert line.scanned.count() == 1


def test_one_delivery_note_with_lines_of_two_schools_is_one_delivery() -> None:
    order = placed_order(*lines_for(approved(("100.00", 1))), *lines_for(approved(("100.00", 2))))
    note = services.Note("LS-4711", today())
    one, two = lines_of(order)
    scan_in(one, note=note)
    scan_in(two, 1, note=note)
    scan_in(two, 1, note=note)  # the same line again: another delivery of that note
    assert [item.quantity for row in order.deliveries.order_by("pk") for item in row.items.all()] == [1, 1, 1]
    assert order.deliveries.count() == 2


def test_deliveries_in_parts_by_quantity() -> None:
    order = placed_order(own_line(BudgetFactory(), quantity=5))
    line, by, key = order.lines.get(), ClerkFactory(), uuid.uuid4()
    for _twice in range(2):
        services.receive_goods(order=order, by=by, quantities={line.pk: 2}, form_key=key)
    order.refresh_from_db()
    line.refresh_from_db()
    assert (order.state, line.delivered) == (O.PARTLY_DELIVERED, 2)
    refused("too_many", services.receive_goods, order=order, by=by, quantities={line.pk: 4})
    services.receive_goods(order=order, by=by, quantities={line.pk: 3})
    order.refresh_from_db()
    assert order.state == O.DELIVERED


def test_devices_are_scanned_and_nothing_else_is() -> None:
    order, by = placed_order(*lines_for(approved()), own_line(BudgetFactory())), ClerkFactory()
    device_line, other = lines_of(order)
    refused("scan", services.receive_goods, order=order, by=by, quantities={device_line.pk: 1})
    refused("no_scan", services.begin_scan, order_line=other, by=by, token=uuid.uuid4())
    with pytest.raises(DomainError):
        services.receive_goods(order=order, by=by, quantities={other.pk: 1}, note=services.Note(day=today() + DAY))
    with pytest.raises(DomainError):
        services.receive_goods(order=order, by=by, quantities={other.pk: 1}, note=services.Note(day=today() - DAY))


def test_a_bound_device_goes_back_without_a_disposal() -> None:
    money, own = money_of(bound_grant())
    application = approved(("500.00", 2), budget=money, own=own)
    order = placed_order(*lines_for(application))
    device = scan_in(order.lines.get())[0]
    device.refresh_from_db()
    assert device.bound_until == datetime.date(2031, 12, 31)

    delivery = services.return_goods(order=order, by=ClerkFactory(), reason="Display defekt", devices=[device])

    device.refresh_from_db()
    order.refresh_from_db()
    assert (device.status, device.disposal, device.bound_until) == (DeviceStatus.RETIRED, Disposal.SUPPLIER, None)
    assert PurchasedDevice.objects.get(device=device).returned_on == today()
    assert (delivery.kind, order.state, order.lines.get().delivered) == (DeliveryKind.RETURN, O.PARTLY_DELIVERED, 1)
    assert states_of(application)[-2:] == [S.DELIVERED, S.ORDERED]
    refused("other_goods", services.return_goods, order=order, by=ClerkFactory(), reason="Nochmal", devices=[device])

    scan_in(order.lines.get())
    application.refresh_from_db()
    assert application.state == S.DELIVERED


# Invoices


def invoiced(order: Any, amount: str, quantity: int = 0, **values: Any) -> Invoice:
    eligible = values.pop("eligible_amount", None)
    line = InvoiceLineInput(order.lines.get().pk, quantity, D(amount), eligible)
    return record(order, line, **values)


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


# The end


def test_nothing_is_cancelled_that_came_or_is_paid() -> None:
    order = placed_order(own_line(BudgetFactory(), quantity=2))
    by = ClerkFactory()
    paper = invoiced(order, "100.00", remark="Vorkasse")
    refused("invalid", services.cancel_order, order=order, by=by, reason="x")
    pay(paper)
    refused("invalid", services.cancel_order, order=order, by=by, reason="x")
    pay(invoiced(order, "100.00", kind=InvoiceKind.CREDIT))
    services.cancel_order(order=order, by=by, reason="Insolvenz")
    assert sums(OrderLine.objects.get().budget)[:2] == (ZERO, ZERO)


def test_closing_asks_why_something_is_missing() -> None:
    order = placed_order(*lines_for(approved()))
    scan_in(order.lines.get(), 1)
    by = ClerkFactory()
    assert refused("invalid", services.close_order, order=order, by=by).field == "reason"
    paper = invoiced(order, "500.00", 1)
    refused("invalid", services.close_order, order=order, by=by, reason="Genug")
    pay(paper)
    services.close_order(order=order, by=by, reason="Genug")


@pytest.mark.parametrize("again", [False, True])
def test_what_did_not_come_is_given_up_or_ordered_again(again: bool) -> None:
    application = approved(("500.00", 2), budget=(budget := BudgetFactory(appropriation=D("1000.00"))))
    order = placed_order(*lines_for(application))
    scan_in(order.lines.get(), 1)
    pay(invoiced(order, "450.00", 1))

    services.close_order(order=order, by=ClerkFactory(), reason="Liefert nicht", order_missing_again=again)

    application.refresh_from_db()
    assert application.state == (S.APPROVED if again else S.CLOSED)
    assert sums(budget) == ((D("500.00"), D("450.00"), D("50.00")) if again else (ZERO, D("450.00"), D("550.00")))
    if again:
        second = placed_order(*lines_for(application, quantity=1))
        pay(record(deliver(second)))
        services.close_order(order=second, by=ClerkFactory())
        application.refresh_from_db()
        assert (application.state, sums(budget)) == (S.CLOSED, (ZERO, D("950.00"), D("50.00")))


def test_a_line_is_given_up_with_its_money() -> None:
    money, own = money_of()
    application = approved(("500.00", 2), ("100.00", 1), budget=money, own=own)
    first, second = application.lines.order_by("pk")
    placed_order(lines_for(application)[0])
    services.give_up_line(line=second, by=ClerkFactory(), reason="Spende")
    application.refresh_from_db()
    assert application.state == S.ORDERED
    assert (sums(money)[0], sums(own)[0]) == (D("900.00"), D("100.00"))
    refused("nothing_left", services.give_up_line, line=first, by=ClerkFactory(), reason="Auch")
    refused("required", services.give_up_line, line=second, by=ClerkFactory(), reason=" ")
