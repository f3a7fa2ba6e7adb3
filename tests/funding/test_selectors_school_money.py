"""What was committed and paid for a school, year by year and by source."""

from decimal import Decimal

import pytest

from apps.funding import services
from apps.funding.calculations import LineDecision, LineInput
from apps.funding.school_money import money_of_school
from tests.factories import (
    ApproverFactory,
    ClerkFactory,
    CoordinatorFactory,
    HeadFactory,
    ProductFactory,
    SchoolFactory,
)
from tests.funding.factories import BudgetFactory
from tests.funding.purchases import deliver, invoiced, own_line, pay, placed_order

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
    rows = [(row.fiscal_year, row.municipal, row.grants, row.committed) for row in money_of_school(school)]
    assert rows == [
        (2026, Decimal("700.00"), Decimal("299.99"), Decimal("999.99")),
        (2025, Decimal("333.33"), Decimal("0.00"), Decimal("333.33")),
    ]


def test_what_the_office_bought_for_it_counts_and_what_was_released_does_not(school):
    budget = BudgetFactory()
    order = deliver(placed_order(own_line(budget, quantity=2, school_id=school.pk)))
    placed_order(own_line(budget, school_id=SchoolFactory().pk))
    pay(invoiced(order, "150.00", 2))
    (before,) = money_of_school(school)
    services.close_order(order=order, by=ClerkFactory())
    (after,) = money_of_school(school)
    assert (before.committed, before.paid) == (Decimal("200.00"), Decimal("150.00"))
    assert (after.municipal, after.grants, after.paid) == (Decimal("150.00"), Decimal("0.00"), Decimal("150.00"))


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
