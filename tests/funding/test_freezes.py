"""Freezes and supplements: who decides sees what is left, and nobody freezes more than is free by mistake."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.models import Budget, BudgetChange
from apps.funding.proposed import Step, steps_of
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, change_by_two
from tests.funding.portal import client_of, texts

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def budget() -> Budget:
    """1,000 euros, of which 400 are committed."""
    budget = BudgetFactory(name="Schul-IT", appropriation=D("1000.00"))
    ledger.commit(budget, D("400.00"), by=ApproverFactory())
    return budget


def freeze(budget: Budget, amount: str, **values: object) -> BudgetChange:
    return services.propose_edit(budget=budget, by=ClerkFactory(), reason="Sperre", freeze=D(amount), **values)


def page_of(row: Budget | BudgetChange) -> str:
    return reverse(f"admin:funding_{row._meta.model_name}_change", args=[row.pk])


def refusal(action: object, **values: object) -> DomainError:
    with pytest.raises(DomainError) as caught:
        action(**values)  # type: ignore[operator]
    return caught.value


def test_a_refused_form_shows_what_is_available_and_not_what_would_be(budget: Budget) -> None:
    sent = {"name": "Schul-IT", "fiscal_year": budget.fiscal_year, "expenditure_type": "capital", "supplement": "0",
            "appropriation": "1.000,00", "carried_over": "0", "freeze": "500,00", "change_reason": ""}  # fmt: skip
    page = client_of(ClerkFactory()).post(page_of(budget), sent)
    assert page.status_code == 200
    assert "Verfügbar: 600,00 €" in texts(page)
    assert "100,00 €" not in texts(page)


@pytest.mark.parametrize(
    ("values", "after"),
    [({"freeze": "100.00"}, "500,00"), ({"supplement": "50.00"}, "650,00"), ({"appropriation": "900.00"}, "500,00")],
)
def test_a_change_of_amounts_shows_what_is_available_before_and_after(
    budget: Budget, values: dict[str, str], after: str
) -> None:
    amounts = {name: D(value) for name, value in values.items()}
    change = services.propose_edit(budget=budget, by=ClerkFactory(), reason="x", **amounts)
    change.refresh_from_db()
    assert steps_of([change])[change.pk][-1] == Step("Verfügbar in „Schul-IT 2026“", "600,00\u202f€", f"{after}\u202f€")
    services.confirm_change(change=change, by=ApproverFactory())
    change.refresh_from_db()
    assert "Verfügbar" not in str(steps_of([change]))


def test_a_change_of_words_shows_no_amounts(budget: Budget) -> None:
    change = services.propose_edit(budget=budget, by=ClerkFactory(), reason="x", product="0301")
    assert [step.label for step in steps_of([change])[change.pk]] == ["Produkt (Haushalt)"]


def test_a_freeze_of_more_than_is_free_is_proposed_on_purpose_only(budget: Budget) -> None:
    error = refusal(freeze, budget=budget, amount="600.01")
    assert (error.code, error.field) == ("beyond_free", "freeze")
    assert str(error).replace("\u202f", " ") == (
        "In „Schul-IT 2026“ wäre mehr gesperrt, als noch frei ist: verfügbar wären − 0,01 €. Bitte sperren Sie"
        " höchstens 600,00 € oder kreuzen Sie darunter an, dass es mehr sein darf."
    )
    assert freeze(budget, "600.00").values == {"freeze": "600.00"}
    assert freeze(budget, "600.01", beyond_free=True).values == {"freeze": "600.01"}


def test_whoever_confirms_it_says_why(budget: Budget) -> None:
    change, by = freeze(budget, "800.00", beyond_free=True), ApproverFactory()
    error = refusal(services.confirm_change, change=change, by=by)
    assert (error.code, error.field) == ("beyond_free", "note")
    services.confirm_change(change=change, by=by, note="Verfügung des Kämmerers")
    budget.refresh_from_db()
    assert (budget.freeze, budget.available) == (D("800.00"), D("-200.00"))


def test_what_was_free_when_it_was_proposed_may_be_committed_since(budget: Budget) -> None:
    change = freeze(budget, "600.00")
    ledger.commit(budget, D("0.01"), by=ApproverFactory())
    assert refusal(services.confirm_change, change=change, by=ApproverFactory()).code == "beyond_free"


def test_a_freeze_that_falls_asks_for_nothing(budget: Budget) -> None:
    frozen = change_by_two(budget, freeze=D("800.00"))
    change = freeze(frozen, "700.00")
    services.confirm_change(change=change, by=ApproverFactory())
    assert refusal(freeze, budget=frozen, amount="800.01").code == "beyond_free"
    assert refusal(services.propose_edit, budget=frozen, by=ClerkFactory(), reason="x", supplement=D("-1")).code == (
        "beyond_free"
    )


def test_the_pages_ask_and_warn(budget: Budget) -> None:
    clerk: Client = client_of(ClerkFactory())
    sent = {
        "name": "Schul-IT", "fiscal_year": "2026", "expenditure_type": "capital", "appropriation": "1.000,00",
        "carried_over": "0", "supplement": "0", "freeze": "800,00", "change_reason": "Sperre",
    }  # fmt: skip
    assert 'type="checkbox" name="beyond_free"' not in clerk.get(page_of(budget)).content.decode()
    refused = clerk.post(page_of(budget), sent)
    assert 'type="checkbox" name="beyond_free"' in refused.content.decode()
    assert "Bitte sperren Sie höchstens 600,00 €" in texts(refused)
    assert "Verfügbar: 600,00 €" in texts(refused)
    assert clerk.post(page_of(budget), sent | {"beyond_free": "on"}).status_code == 302

    change = BudgetChange.objects.get()
    office = client_of(ApproverFactory())
    page = texts(office.get(page_of(change)))
    assert "Verfügbar in „Schul-IT 2026“ 600,00 € → wird zu − 200,00 €" in page
    assert "mehr gesperrt, als noch frei ist: Aus diesem Budget kann dann ohne Überschreitung nichts mehr" in page
    assert "Notiz Nötig: warum Sie bestätigen oder ablehnen." in page
    listed = reverse("admin:funding_budgetchange_changelist")
    several = office.post(listed, {"action": "confirm_chosen", "_selected_action": [change.pk]}, follow=True)
    assert f'href="{page_of(change)}">Änderung öffnen</a>' in several.content.decode()
    refused = office.post(page_of(change), {"step": "confirm", "note": ""})
    assert "Bitte sagen Sie in der Notiz, warum Sie trotzdem bestätigen" in texts(refused)
    assert "Notiz Nötig: warum Sie bestätigen oder ablehnen." in texts(refused)
    assert office.post(page_of(change), {"step": "confirm", "note": "Kämmerer"}).status_code == 302
    assert "Es wäre mehr gesperrt" not in texts(office.get(page_of(change)))
