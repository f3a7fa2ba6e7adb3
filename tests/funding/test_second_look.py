"""What the second person sees before saying yes, and what forms offer and ask for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.formats import euro
from apps.funding import services
from apps.funding.admin.order_forms import OrderLines
from apps.funding.choices import OrderState, RuleKind
from apps.funding.models import Budget, DatedRule, Grant, Invoice, Order
from apps.funding.purchasing import InvoiceLineInput
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory
from tests.funding.desk import desk_of, send, typed_in
from tests.funding.factories import BudgetFactory, GrantFactory, change_by_two, make_application
from tests.funding.portal import client_of, texts
from tests.funding.purchases import (
    bound_grant,
    deliver,
    draft_order,
    form_of,
    money_of,
    own_line,
    pay,
    placed_order,
    record,
    refused,
    sent,
)

pytestmark = pytest.mark.django_db
D = Decimal


def text_of(row: Any, user: Any, name: str = "change") -> str:
    url = reverse(f"admin:funding_{row._meta.model_name}_{name}", args=[row.pk])
    return texts(client_of(user).get(url))


def invoice_of_a_grant() -> tuple[Invoice, Budget, Budget]:
    """Three ordered for 100 euros each, two have come, and three are invoiced for 303; the grant pays 90 percent."""
    budget, own = money_of(bound_grant(rate=D("0.9")))
    order = placed_order(own_line(budget, quantity=3, own_share_budget_id=own.pk))
    line = order.lines.get()
    services.receive_goods(order=order, by=ClerkFactory(), quantities={line.pk: 2})
    invoice = record(order, InvoiceLineInput(line.pk, 3, D("303.00")), remark="Der Preis ist gestiegen.")
    return invoice, budget, own


def test_whoever_pays_sees_what_was_ordered_what_came_and_who_pays_what() -> None:
    invoice, budget, own = invoice_of_a_grant()
    text = text_of(invoice, ApproverFactory())
    for words in ("Bestellt 3", "Geliefert 2", "Insgesamt berechnet 3", "Vereinbarter Stückpreis 100,00 €"):
        assert words in text
    assert f"{budget} 272,70 €" in text
    assert f"{own} 30,30 €" in text
    assert "Bemerkung: Der Preis ist gestiegen." in text


def test_what_is_announced_is_what_the_payment_does() -> None:
    invoice, budget, own = invoice_of_a_grant()
    expected = services.expected_parts(invoice.lines.get())
    paid = pay(invoice).lines.get()
    assert (
        (paid.grant_amount, paid.own_amount) == (expected.grant_share, expected.own_share) == (D("272.70"), D("30.30"))
    )
    text = text_of(invoice, ApproverFactory())
    assert f"{budget} 272,70 €" in text
    assert f"{own} 30,30 €" in text


def test_municipal_money_pays_alone_and_a_cancelled_invoice_announces_nothing() -> None:
    budget = BudgetFactory()
    invoice = record(deliver(placed_order(own_line(budget))))
    assert f"{budget} 100,00 €" in text_of(invoice, ApproverFactory())
    services.cancel_invoice(invoice=invoice, by=ClerkFactory(), reason="Falsch")
    assert f"Finanziert aus {budget}" in text_of(invoice, ApproverFactory())


def proposed_order(budget: Budget) -> Order:
    order = services.place_order(order=draft_order(own_line(budget)), by=ClerkFactory())
    assert order.state == OrderState.PROPOSED
    return order


def test_the_page_of_an_approval_names_the_sum_and_the_budgets() -> None:
    budget = BudgetFactory(name="Schul-IT", appropriation=D("500.00"))
    order = proposed_order(budget)
    text = text_of(order, ApproverFactory(), "approve")
    assert "Neu gebunden wird:" in text
    assert f"100,00 € aus „{budget}“ (500,00 € verfügbar)" in text


def test_the_page_of_an_order_says_when_there_is_not_enough_to_approve_it() -> None:
    budget = BudgetFactory(name="Schul-IT", appropriation=D("500.00"))
    order = proposed_order(budget)
    budget.refresh_from_db()
    change_by_two(budget, appropriation=D("50.00"))
    assert "(50,00 € verfügbar)" in text_of(order, ApproverFactory())


def test_a_refused_confirmation_says_what_its_reader_can_do() -> None:
    grant = GrantFactory(amount=D("1000.00"), file_reference="48-1")
    first, second = (BudgetFactory(grant=grant, appropriation=D("100.00")) for _ in range(2))
    clerk = ClerkFactory()
    pending = services.propose_edit(budget=first, by=clerk, reason="x", appropriation=D("900.00"))
    change_by_two(second, appropriation=D("500.00"))
    error = refused("above_grant", services.confirm_change, change=pending, by=ApproverFactory())
    assert "geben Sie weniger ein" not in str(error)
    assert "lehnen Sie die Änderung ab" in str(error)
    error = refused("above_grant", services.propose_edit, budget=first, by=clerk, reason="x", appropriation=D("901.00"))
    assert "geben Sie weniger ein" in str(error)


def test_a_line_of_the_office_offers_the_budgets_of_this_and_the_last_year() -> None:
    year = today().year
    old, last, this, ahead = (
        BudgetFactory(name=f"Topf {number}", fiscal_year=year + number, appropriation=D("500.00"))
        for number in (-2, -1, 0, 1)
    )
    order, clerk = draft_order(own_line(this)), ClerkFactory()

    def offered() -> dict[Any, str]:
        form = OrderLines(initial=[], prefix="lines", user=clerk, order=order).forms[0]
        assert set(dict(form.fields["own_share_budget_id"].choices)) == set(dict(form.fields["budget_id"].choices))
        return dict(form.fields["budget_id"].choices)

    assert set(offered()) - {""} == {last.pk, this.pk}
    assert offered()[last.pk] == f"{last}, {euro(500)} verfügbar"
    order.lines.update(budget=old)
    assert set(offered()) - {""} == {old.pk, last.pk, this.pk}
    assert ahead.pk not in offered()


def test_the_history_has_german_numbers() -> None:
    rule = DatedRule.objects.create(
        kind=RuleKind.SECOND_APPROVER_FROM, valid_from=today(), value=D("9999999.00"), source="x"
    )
    rule.value = D("25000.00")
    rule.save()
    text = text_of(rule, AuditorFactory(), "history")
    assert "9.999.999,00" in text
    assert "25.000,00" in text
    assert f"{today():%d.%m.%Y}" in text
    assert f"{today().isoformat()}" not in text
    grant = Grant.objects.get(pk=GrantFactory(rate=D("0.9"), limit_per_device=None).pk)
    text = text_of(grant, AuditorFactory(), "history")
    assert "90 %" in text.replace("\u00a0", " ").replace("\u202f", " ")
    assert "0.9000" not in text


def test_an_empty_draft_is_cancelled_without_a_reason_and_a_placed_order_with_one() -> None:
    clerk = client_of(ClerkFactory())
    for order, cancelled in ((draft_order(), True), (placed_order(own_line(BudgetFactory())), False)):
        url = reverse("admin:funding_order_cancel", args=[order.pk])
        sent(clerk, url, form_of(clerk, url))
        order.refresh_from_db()
        assert (order.state == OrderState.CANCELLED) is cancelled
        with pytest.raises(DomainError):
            services.cancel_order(order=order, by=ClerkFactory())


def test_the_next_decision_begins_without_an_own_share_for_municipal_money() -> None:
    grant_budget, municipal = money_of(bound_grant(rate=D("0.9")))
    first, second, third = (make_application(lines=(("100.00", 1),)) for _ in range(3))
    office = client_of(ApproverFactory())
    for row, budget, kept in ((first, municipal, ""), (second, grant_budget, str(municipal.pk))):
        check = send(office, desk_of(row), "check_approve", budget=budget.pk, own_share_budget=municipal.pk)
        send(office, desk_of(row), "approve", check)
        assert typed_in(office.get(desk_of(third)))["own_share_budget"] == kept
