"""Fiscal years that cannot be are refused, whoever writes them."""

from decimal import Decimal
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.models import Budget
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import BudgetFactory
from tests.funding.portal import client_of

pytestmark = pytest.mark.django_db
SENTENCE = "Bitte geben Sie das Jahr vierstellig ein, von 2000 bis 2099."


@pytest.mark.parametrize("year", ["26", "1999", "2100", "99999"])
def test_the_page_refuses_it_with_a_sentence(year: str) -> None:
    sent = {
        "name": "Schul-IT", "fiscal_year": year, "expenditure_type": "capital", "appropriation": "1", "supplement": "0",
        "carried_over": "0", "freeze": "0", "change_reason": "Plan",
    }  # fmt: skip
    page = client_of(ApproverFactory()).post(reverse("admin:funding_budget_add"), sent)
    assert page.context["adminform"].form.errors["fiscal_year"] == [SENTENCE]


@pytest.mark.parametrize(("year", "taken"), [(1999, False), (2000, True), (2099, True), (2100, False)])
def test_service_and_database_hold_the_bounds(year: int, taken: bool) -> None:
    facts = {"name": "Schul-IT", "fiscal_year": year, "appropriation": Decimal(1)}
    if taken:
        assert services.propose_budget(by=ClerkFactory(), reason="x", **facts).values["fiscal_year"] == str(year)
        return
    with pytest.raises(DomainError, match="vierstellig") as caught:
        services.propose_budget(by=ClerkFactory(), reason="x", **facts)
    assert caught.value.field == "fiscal_year"
    with pytest.raises(IntegrityError), transaction.atomic():
        BudgetFactory(**facts)


def test_years_of_two_digits_from_before_the_bounds_are_mended() -> None:
    budget, taken = BudgetFactory(name="Schul-IT", fiscal_year=2026), BudgetFactory(name="Anderes", fiscal_year=2025)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE funding_budget DROP CONSTRAINT funding_budget_year_plausible")
        else:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        Budget.objects.filter(pk=budget.pk).update(fiscal_year=26)
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
    import_module("apps.funding.migrations.0018_mended_years_and_volumes").mend(apps, None)
    assert dict(Budget.objects.values_list("pk", "fiscal_year")) == {budget.pk: 2026, taken.pk: 2025}
