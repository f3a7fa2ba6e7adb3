"""What a school was given, year by year and by source."""

from decimal import Decimal

import pytest

from apps.funding import services
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.school_money import money_of_school
from tests.factories import ApproverFactory, CoordinatorFactory, HeadFactory, ProductFactory, SchoolFactory
from tests.funding.factories import BudgetFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def school():
    return SchoolFactory()


def approve(school, budget, quantity, own_share=None, price="333.33"):
    coordinator = CoordinatorFactory(schools=[school])
    product = ProductFactory(gross_price=Decimal(price))
    application = services.create_draft(
        by=coordinator, school=school, title="Tablets", lines=[LineInput(product.pk, quantity)]
    )
    services.submit(application=application, by=coordinator)
    decision = LineDecision(application.lines.get().pk, quantity, budget.pk, own_share and own_share.pk)
    services.approve(application=application, by=ApproverFactory(), decisions=[decision])


def test_sums_by_year_and_source(school):
    city, earlier, grant = BudgetFactory(), BudgetFactory(fiscal_year=2025), BudgetFactory(from_grant=True)
    approve(school, city, 2)
    approve(school, earlier, 1)
    approve(school, grant, 1, own_share=city)
    approve(SchoolFactory(), city, 3)
    rows = [(row.fiscal_year, row.municipal, row.grants, row.approved) for row in money_of_school(school)]
    assert rows == [
        (2026, Decimal("700.00"), Decimal("299.99"), Decimal("999.99")),
        (2025, Decimal("333.33"), Decimal("0.00"), Decimal("333.33")),
    ]


def test_a_school_without_approvals_has_no_rows(school):
    assert money_of_school(school) == []


def test_the_page_tells_the_sources_to_those_who_see_budgets(client, school):
    approve(school, BudgetFactory(), 2)
    address = f"/schools/{school.number}/"
    for person, sees in ((CoordinatorFactory(schools=[school]), False), (HeadFactory(), True)):
        client.force_login(person)
        text = client.get(address).text
        assert "666,66" in text
        assert ("aus städtischen Mitteln" in text) is sees
