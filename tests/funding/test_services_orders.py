"""What orders do to the money from the first line to the end, and what is refused with which sentence."""

import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.money import ZERO
from apps.funding import services
from apps.funding.choices import ApplicationState, InvoiceKind, LedgerKind, OrderState
from apps.funding.models import AwardThreshold, LedgerEntry, OrderLine
from apps.funding.purchasing import OrderLineInput
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import BudgetFactory, allow_overrun, make_application
from tests.funding.purchases import (
    ContractFactory,
    SupplierFactory,
    approved,
    deliver,
    draft_order,
    entries,
    invoiced,
    lines_for,
    lines_of,
    money_of,
    own_line,
    pay,
    place,
    placed_order,
    record,
    refused,
    scan_in,
    states_of,
    sums,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sums_agree")]
D = Decimal
S, O = ApplicationState, OrderState  # noqa: E741 - read as states below
DAY = datetime.timedelta(days=1)


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
    return place(order, by=by)


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


def test_an_estimate_below_the_order_does_not_choose_the_step() -> None:
    AwardThreshold.objects.create(valid_from=today(), up_to=D("50.00"), procedure="Direktauftrag", source="Satzung")
    AwardThreshold.objects.create(valid_from=today(), procedure="Drei Angebote", source="Satzung")
    order = place_without_contract(estimated_net=D("49.00"), procedure="", award_reason="Günstig")
    assert order.procedure == "Drei Angebote"


def test_a_step_of_the_citys_rules_asks_for_an_award_under_a_contract_too() -> None:
    AwardThreshold.objects.create(valid_from=today(), procedure="Direktauftrag", source="Satzung")
    order = draft_order(own_line(BudgetFactory()))
    refused("award", services.place_order, order=order, by=ClerkFactory())


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (lambda: {"valid_from": today() + DAY}, "contract_over"),
        (lambda: {"valid_until": today() - DAY}, "contract_over"),
        (lambda: {"volume": D("99.99")}, "contract_volume"),
    ],
)
def test_a_contract_reaches(values: Callable[[], dict[str, Any]], code: str) -> None:
    contract = ContractFactory(**values())
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


def test_a_line_that_costs_nothing_is_placed_once_the_order_says_why() -> None:
    budget = BudgetFactory()
    gift = own_line(budget, price="0.00", description="Kabel")
    found = refused("no_price", place, draft_order(own_line(budget), gift))
    assert (found.field, str(found).split(".")[0]) == ("no_price_reason", "Position 2 („1 × Kabel“) kostet nichts")
    refused("no_price", place, draft_order(gift, note="Bitte vormittags"))
    assert place(draft_order(own_line(budget), gift, no_price_reason="Zugabe")).state == O.PLACED

    refused("no_price", place, draft_order(*lines_for(approved(("100.00", 1)), "0.00")))


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


def test_own_purchases_are_committed_when_approved_and_released_when_cancelled() -> None:
    budget = BudgetFactory(appropriation=D("100.00"))
    order = draft_order(own_line(budget))
    assert sums(budget)[0] == ZERO
    order = place(order)
    assert sums(budget) == (D("100.00"), ZERO, ZERO)
    services.cancel_order(order=order, by=ClerkFactory(), reason="Doch nicht")
    assert sums(budget) == (ZERO, ZERO, D("100.00"))
    assert entries(LedgerEntry.objects.filter(budget=budget)) == [
        (LedgerKind.COMMIT, D("100.00")),
        (LedgerKind.ORDER, D("100.00")),
        (LedgerKind.ORDER, D("-100.00")),
        (LedgerKind.RELEASE, D("100.00")),
    ]


def test_an_allowed_overrun_falls_with_what_is_released() -> None:
    budget = BudgetFactory(appropriation=D("1000.00"))
    allow_overrun(budget, "300.00")
    first, second = approved(("500.00", 2), budget=budget), approved(("300.00", 1), budget=budget)
    assert sums(budget)[2] == ZERO

    services.give_up_line(line=second.lines.get(), by=ClerkFactory(), reason="Doch nicht")
    assert (sums(budget)[2], budget.overrun_allowed) == (ZERO, ZERO)
    services.give_up_line(line=first.lines.get(), by=ClerkFactory(), reason="Doch nicht")
    assert (sums(budget)[2], budget.overrun_allowed) == (D("1000.00"), ZERO)


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


def test_what_was_paid_in_advance_and_never_comes_is_closed_with_a_reason() -> None:
    application = approved(("500.00", 2), budget=(budget := BudgetFactory(appropriation=D("1000.00"))))
    order = placed_order(*lines_for(application))
    pay(invoiced(order, "300.00", 1, remark="Vorkasse"))

    assert refused("invalid", services.close_order, order=order, by=ClerkFactory()).field == "reason"
    services.close_order(order=order, by=ClerkFactory(), reason="Insolvenz")

    application.refresh_from_db()
    assert (application.state, sums(budget)) == (S.CLOSED, (ZERO, D("300.00"), D("700.00")))


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


def test_a_school_reads_nothing_about_the_missing_goods_of_another() -> None:
    """Whose pieces all came follows without words, and whose pieces are missing reads why."""
    mine, others = approved(("500.00", 1)), approved(("500.00", 1))
    order = placed_order(*lines_for(mine), *lines_for(others))
    scan_in(order.lines.get(application_line__application=mine))
    services.close_order(order=order, by=ClerkFactory(), reason="Das Gerät der Nordschule kommt nicht.")
    for application, reason in ((mine, ""), (others, "Das Gerät der Nordschule kommt nicht.")):
        change = application.status_changes.latest("pk")
        assert (change.to_state, change.reason) == (S.CLOSED, reason)


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
