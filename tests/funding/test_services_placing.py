"""Money that nobody has approved is committed by an order only when a second person approves it."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from apps.core.formats import euro
from apps.core.money import ZERO
from apps.funding import services
from apps.funding.choices import LedgerKind, OrderState
from apps.funding.deadlines import DeadlineKind, deadlines
from apps.funding.models import LedgerEntry, Order
from apps.funding.purchasing import OrderLineInput
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory
from tests.funding.factories import BudgetFactory, change_by_two
from tests.funding.portal import client_of, texts
from tests.funding.purchases import (
    approved,
    draft_order,
    entries,
    invoiced,
    lines_for,
    lines_of,
    money_of,
    own_line,
    pay,
    placed_order,
    refused,
    sums,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sums_agree")]
D = Decimal


def proposed(*lines: OrderLineInput, **values: object) -> Order:
    order = services.place_order(order=draft_order(*lines, **values), by=ClerkFactory())  # type: ignore[arg-type]
    assert order.state == OrderState.PROPOSED
    return order


def test_a_clerk_alone_commits_nothing_that_is_not_approved() -> None:
    budget, clerk = BudgetFactory(appropriation=D("100.00")), ClerkFactory()
    order = services.place_order(order=draft_order(own_line(budget), by=clerk), by=clerk)

    assert (order.state, order.placed_on, sums(budget)) == (OrderState.PROPOSED, None, (ZERO, ZERO, D("100.00")))
    assert not LedgerEntry.objects.exists()
    for person in (clerk, ClerkFactory()):
        with pytest.raises(PermissionDenied):
            services.approve_order(order=order, by=person)


def test_who_made_or_proposed_the_order_does_not_approve_it() -> None:
    maker, proposer, third = ApproverFactory(), ApproverFactory(), ApproverFactory()
    order = services.place_order(order=draft_order(own_line(BudgetFactory()), by=maker), by=proposer)

    for person in (maker, proposer):
        refused("same_person", services.approve_order, order=order, by=person)
    order = services.approve_order(order=order, by=third)

    assert (order.state, order.proposed_by, order.placed_by) == (OrderState.PLACED, proposer, third)
    steps = order.status_changes.order_by("pk").values_list("from_state", "to_state", "by")
    assert list(steps) == [("draft", "proposed", proposer.pk), ("proposed", "placed", third.pk)]


def test_the_database_keeps_two_people_apart() -> None:
    order = services.approve_order(order=proposed(own_line(BudgetFactory())), by=ApproverFactory())
    for person in (order.proposed_by, order.created_by):
        with pytest.raises(IntegrityError, match="approved_by_another"), transaction.atomic():
            Order.objects.filter(pk=order.pk).update(placed_by=person)


@pytest.mark.parametrize(("price", "state"), [("500.01", OrderState.PROPOSED), ("500.00", OrderState.PLACED),
                                              ("499.99", OrderState.PLACED)])  # fmt: skip
def test_a_cent_more_than_approved_waits_and_no_cent_more_does_not(price: str, state: OrderState) -> None:
    order = draft_order(*lines_for(approved(("500.00", 2)), price))
    assert services.place_order(order=order, by=ClerkFactory()).state == state


def test_the_second_order_of_a_line_waits_where_the_first_one_used_its_money() -> None:
    application = approved(("100.00", 10))
    placed_order(*lines_for(application, "100.00", quantity=4))
    assert draft_order(*lines_for(application, "100.00", quantity=3)).state == OrderState.DRAFT
    third = draft_order(*lines_for(application, "100.01", quantity=3))
    assert services.place_order(order=third, by=ClerkFactory()).state == OrderState.PROPOSED


def test_what_is_shown_before_is_what_is_posted() -> None:
    money, own = money_of()
    order = proposed(*lines_for(approved(("500.00", 2), budget=money, own=own), "550.00"), own_line(own))
    beyond = services.beyond_approved(order, by=ApproverFactory())
    shown = {effect.budget_id: effect.needed for effect in beyond.effects}

    assert shown == {money.pk: D("90.00"), own.pk: D("110.00")}
    rows = [(row.approved, row.ordered, row.needed) for row in beyond.lines]
    assert rows == [(D("1000.00"), D("1100.00"), D("100.00")), (ZERO, D("100.00"), D("100.00"))]
    assert (beyond.approved, beyond.ordered, beyond.needed) == (D("1000.00"), D("1200.00"), sum(shown.values()))
    before = {budget.pk: sums(budget)[0] for budget in (money, own)}
    services.approve_order(order=order, by=ApproverFactory())
    assert {budget.pk: sums(budget)[0] - before[budget.pk] for budget in (money, own)} == shown


def test_who_approves_sees_what_is_dearer_line_by_line() -> None:
    order = proposed(*lines_for(approved(("500.00", 2), ("20.00", 5)), "550.00", "20.00"), own_line(BudgetFactory()))
    for url in (f"/admin/funding/order/{order.pk}/change/", f"/admin/funding/order/{order.pk}/approve/"):
        shown = texts(client_of(ApproverFactory()).get(url))
        assert "je Stück für 500,00 € genehmigt, für 550,00 € bestellt 1.000,00 € 1.100,00 € 100,00 €" in shown
        assert "eigener Kauf des Amts 0,00 € 100,00 € 100,00 €" in shown
        assert "Summe 1.000,00 € 1.200,00 € 200,00 €" in shown
        assert "je Stück für 20,00" not in shown


def test_a_proposed_order_is_not_changed_until_it_is_a_draft_again() -> None:
    order = proposed(own_line(BudgetFactory()))
    facts = {"order": order, "supplier": order.supplier, "contract": order.contract, "lines": [], "by": ClerkFactory()}
    refused("not_editable", services.save_order, revision=order.revision, **facts)

    refused("required", services.return_order, order=order, by=ApproverFactory())
    order = services.return_order(order=order, by=ApproverFactory(), reason="Zu teuer")
    assert (order.state, order.proposed_by) == (OrderState.DRAFT, None)
    assert order.status_changes.latest("pk").reason == "Zu teuer"
    assert services.save_order(revision=order.revision, **facts).state == OrderState.DRAFT


def test_whoever_proposed_takes_it_back_without_a_reason() -> None:
    order = proposed(own_line(BudgetFactory()))
    assert services.return_order(order=order, by=order.proposed_by).state == OrderState.DRAFT


def test_what_changed_meanwhile_is_not_approved_unseen() -> None:
    order = proposed(own_line(BudgetFactory()))
    seen = order.revision
    services.return_order(order=order, by=ClerkFactory(), reason="Mehr")
    order = services.place_order(order=order, by=ClerkFactory())
    refused("stale", services.approve_order, order=order, by=ApproverFactory(), revision=seen)
    assert services.approve_order(order=order, by=ApproverFactory(), revision=order.revision).state == OrderState.PLACED


def test_money_that_is_gone_meanwhile_is_refused_at_the_approval() -> None:
    budget = BudgetFactory(appropriation=D("100.00"))
    order = proposed(own_line(budget))
    change_by_two(budget, freeze=D("0.01"))
    refused("unaffordable", services.approve_order, order=order, by=ApproverFactory())
    order.refresh_from_db()
    assert (order.state, sums(budget)[0]) == (OrderState.PROPOSED, ZERO)


def test_an_order_that_costs_no_more_than_approved_is_not_called_approved_by_another() -> None:
    order = placed_order(*lines_for(approved()))
    assert (order.proposed_by, order.status_changes.count()) == (None, 1)


def test_the_start_page_shows_it_to_those_who_may_approve_it() -> None:
    maker = ApproverFactory()
    order = proposed(own_line(BudgetFactory()), by=maker)

    def waits_for(person: object) -> bool:
        return any(row.kind == DeadlineKind.ORDER_WAITS and row.row == order for row in deadlines(person))  # type: ignore[arg-type]

    assert [waits_for(person) for person in (ApproverFactory(), maker, ClerkFactory())] == [True, False, False]


def test_through_the_desk_a_clerk_asks_and_an_approver_decides() -> None:
    budget = BudgetFactory(name="Schul-IT", appropriation=D("100.00"))
    clerk, approver = ClerkFactory(), ApproverFactory()
    order = draft_order(own_line(budget), by=clerk)
    line = lines_of(order)[0]
    address = f"/admin/funding/order/{order.pk}"
    client = client_of(clerk)
    assert "Verkabelung" in texts(client.get(f"{address}/change/"))
    data = {
        "step": "place", "revision": order.revision, "supplier": order.supplier_id, "contract": order.contract_id,
        "lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 1, "lines-0-line_id": line.pk, "lines-0-quantity": 1,
        "lines-0-description": "Verkabelung", "lines-0-unit_price": "100,00", "lines-0-budget_id": budget.pk,
    }  # fmt: skip
    page = texts(client.post(f"{address}/change/", data, follow=True))
    assert "wartet auf die Genehmigung durch eine andere Person" in page
    assert "100,00 € aus „" in page
    assert "Genehmigen und bestellen" not in page
    order.refresh_from_db()
    assert client.post(f"{address}/approve/", {"revision": order.revision}).status_code == 403

    other = client_of(approver)
    assert "Genehmigen und bestellen" in texts(other.get(f"{address}/change/"))
    old = texts(other.post(f"{address}/approve/", {"revision": order.revision - 1}))
    assert "inzwischen" in old
    done = other.post(f"{address}/approve/", {"revision": order.revision}, follow=True)
    assert "Die Bestellung ist genehmigt und aufgegeben." in texts(done)
    assert entries(LedgerEntry.objects.filter(budget=budget)) == [
        (LedgerKind.COMMIT, D("100.00")), (LedgerKind.ORDER, D("100.00")),
    ]  # fmt: skip
    again = other.post(f"{address}/approve/", {"revision": order.revision})
    assert again.status_code == 200
    assert LedgerEntry.objects.filter(budget=budget).count() == 2


def test_who_approves_reads_what_a_budget_lacks() -> None:
    budget = BudgetFactory(appropriation=D("120.00"))
    order = proposed(own_line(budget))
    change_by_two(budget, freeze=D("40.50"))
    shown = texts(client_of(ApproverFactory()).get(f"/admin/funding/order/{order.pk}/change/"))
    assert "(79,50 € verfügbar) Es fehlen 20,50 €: So lässt sich die Bestellung nicht aufgeben." in shown


def test_what_was_approved_beyond_stays_to_be_read() -> None:
    budget = BudgetFactory(name="Bürobedarf")
    lines = lines_for(approved(("500.00", 2), ("20.00", 5)), "550.00", "20.00")
    order = proposed(*lines, own_line(budget))
    approver = ApproverFactory(name="Berta Brandt")
    before = services.beyond_approved(order, by=approver)
    order = services.approve_order(order=order, by=approver)

    kept = {change.to_state: services.kept_beyond(change) for change in order.status_changes.all()}
    assert kept == {"proposed": None, "placed": before}
    told = order.history.latest().history_change_reason
    assert told == f"{euro(D('200.00'))} über das Genehmigte hinaus genehmigt"
    address = f"/admin/funding/order/{order.pk}/"
    for reader in (client_of(AuditorFactory()), client_of(ClerkFactory())):
        shown = texts(reader.get(f"{address}change/"))
        assert "Berta Brandt hat 200,00 € über das Genehmigte hinaus genehmigt:" in shown
        assert f"100,00 € aus „{budget}“" in shown
        assert "je Stück für 500,00 € genehmigt, für 550,00 € bestellt 1.000,00 € 1.100,00 € 100,00 €" in shown
        page = reader.get(f"{address}change/").content.decode()
        assert '<th scope="row">1 × Verkabelung<br>' in page
        assert "Summe 1.000,00 € 1.200,00 € 200,00 €" in shown
        assert "je Stück für 20,00" not in shown
    assert "200,00 € über das Genehmigte hinaus genehmigt" in texts(
        client_of(AuditorFactory()).get(f"{address}history/")
    )


def test_what_was_paid_in_vain_is_named_where_it_is_ordered_again() -> None:
    application = approved(("500.00", 2), budget=BudgetFactory(appropriation=D("3000.00")))
    first = placed_order(*lines_for(application))
    pay(invoiced(first, "1000.00", 2, remark="Vorkasse"))
    services.close_order(order=first, by=ClerkFactory(), reason="Insolvenz", order_missing_again=True)

    second = proposed(*lines_for(application, "550.00", quantity=1))
    shown = texts(client_of(ApproverFactory()).get(f"/admin/funding/order/{second.pk}/change/"))
    named = "550,00 € bestellt; 550,00 € davon sind schon bezahlt und nicht geliefert 0,00 € 550,00 € 550,00 €"
    assert f"je Stück für 500,00 € genehmigt, für {named}" in shown
    services.approve_order(order=second, by=ApproverFactory())
    kept = services.kept_beyond(second.status_changes.latest("pk"))
    assert kept is not None
    assert [row.in_vain for row in kept.lines] == [D("550.00")]

    third = proposed(*lines_for(application, "500.00", quantity=1))
    rows = services.beyond_approved(third, by=ApproverFactory()).lines
    assert [(row.needed, row.in_vain) for row in rows] == [(D("500.00"), D("450.00"))]
