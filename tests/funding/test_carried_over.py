"""What was carried over is the same on both sides: nobody types over it, and `check_ledger` compares."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.models import Budget, BudgetChange
from apps.funding.reconciliation import ledger_differences
from tests.factories import ApproverFactory, AuditorFactory, ClerkFactory
from tests.funding.factories import BudgetFactory, GrantFactory, confirmed
from tests.funding.portal import client_of, texts

pytestmark = pytest.mark.django_db
D = Decimal


def new_budget(year: int, **values: str) -> Budget:
    facts = {"appropriation": D("1000.00")} | {name: D(value) for name, value in values.items()}
    change = services.propose_budget(by=ClerkFactory(), reason="Plan", name="Schul-IT", fiscal_year=year, **facts)
    return confirmed(change)


def carry(budget: Budget, amount: str) -> Budget:
    """The budget that got so much."""
    row = services.CarryOver(budget.pk, D(amount))
    (change,) = services.propose_carry_overs(rows=[row], reason="§ 22 KomHVO", by=ClerkFactory())
    confirmed(change)
    change.refresh_from_db()
    assert change.counterpart is not None
    return change.counterpart


def refused(budget: Budget, **values: object) -> tuple[str, str]:
    with pytest.raises(DomainError) as caught:
        services.propose_edit(budget=budget, by=ClerkFactory(), reason="x", **values)
    return caught.value.code, caught.value.field


def test_what_a_carry_over_brought_is_not_typed_over() -> None:
    source = new_budget(2026)
    target = carry(source, "100.50")

    assert refused(target, carried_over=D("500.00")) == ("carried", "carried_over")
    assert refused(target, fiscal_year=2030) == ("in_use", "fiscal_year")
    assert refused(target, grant=GrantFactory()) == ("in_use", "grant")
    carry(source, "9.50")
    target.refresh_from_db()
    assert target.carried_over == D("110.00")


def test_a_proposal_to_type_over_it_falls_with_the_carry_over() -> None:
    source, target = new_budget(2026), new_budget(2027)
    change = services.propose_edit(budget=target, by=ClerkFactory(), reason="x", carried_over=D("500.00"))
    carry(source, "100.50")
    with pytest.raises(DomainError):
        services.confirm_change(change=change, by=ApproverFactory())
    target.refresh_from_db()
    assert target.carried_over == D("100.50")


def test_what_came_from_before_the_portal_is_typed_until_then() -> None:
    budget = new_budget(2026, carried_over="70.00")
    change = services.propose_edit(budget=budget, by=ClerkFactory(), reason="Zahlendreher", carried_over=D("7.00"))
    assert confirmed(change).carried_over == D("7.00")
    new_budget(2025)
    target = carry(Budget.objects.get(fiscal_year=2025), "100.00")
    assert (target.pk, target.carried_over) == (budget.pk, D("107.00"))
    assert ledger_differences() == []


def test_check_ledger_compares_both_sides() -> None:
    source = new_budget(2026)
    target = carry(source, "100.50")
    assert ledger_differences() == []

    Budget.objects.filter(pk=target.pk).update(carried_over=D("500.00"))
    BudgetChange.objects.create(
        kind="edit", budget=target, state="confirmed", values={"carried_over": "500.00"}, reason="x",
        before={"carried_over": "100.50"}, proposed_by=ClerkFactory(), decided_by=(by := ApproverFactory()),
        decided_at=by.date_joined,
    )  # fmt: skip
    BudgetChange.objects.filter(kind="edit").update(decided_at="2999-01-01T00:00Z")
    Budget.objects.filter(pk=source.pk).update(carried_out=D("100.49"))

    assert [(row.check, row.budget, row.expected, row.found) for row in ledger_differences()] == [
        ("carried_out", source.pk, D("100.50"), D("100.49")),
        ("carried_over", target.pk, D("100.50"), D("500.00")),
    ]


def test_the_page_shows_it_with_the_way_to_its_carry_over() -> None:
    target = carry(source := BudgetFactory(name="Schul-IT"), "100.50")
    url = reverse("admin:funding_budget_change", args=[target.pk])
    office: Client = client_of(ApproverFactory())
    page = office.get(url)
    assert "100,50 € durch Übertrag aus Schul-IT 2026" in texts(page)
    assert 'name="carried_over"' not in page.content.decode()
    assert 'name="carried_over"' in office.get(url.replace(str(target.pk), str(source.pk))).content.decode()
    assert "durch Übertrag" not in texts(client_of(AuditorFactory()).get(url))

    sent = {
        "name": "Schul-IT", "fiscal_year": "2027", "expenditure_type": "capital", "appropriation": "5,00",
        "carried_over": "500.000,00", "supplement": "0", "freeze": "0", "change_reason": "Nachgemeldet",
    }  # fmt: skip
    assert office.post(url, sent).status_code == 302
    assert BudgetChange.objects.filter(state="proposed").get().values == {"appropriation": "5.00"}
