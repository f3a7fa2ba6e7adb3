"""Several applications approved at once: in the order of submission, as far as the money goes."""

from decimal import Decimal

import pytest

from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.reconciliation import ledger_differences
from tests.factories import ApproverFactory
from tests.funding.factories import BudgetFactory, make_application

pytestmark = pytest.mark.django_db


D = Decimal


S = ApplicationState


def test_several_are_approved_in_the_order_of_submission_until_the_money_ends() -> None:
    early, large, late, poor = (make_application(lines=[("100.00", n)]) for n in (4, 7, 5, 2))
    budget, by = BudgetFactory(appropriation=D("1000.00")), ApproverFactory()
    services.reject(application=poor, by=by, reason="Nein.")

    outcomes = services.decide_several(applications=[late, poor, large, early], by=by, budget=budget)

    assert [(row.application.pk, row.approved) for row in outcomes] == [
        (early.pk, True),
        (large.pk, False),
        (late.pk, True),
        (poor.pk, False),
    ]
    assert "Ansatz" in outcomes[1].message
    assert outcomes[0].message == ""
    budget.refresh_from_db()
    assert budget.committed == D("900.00")
    large.refresh_from_db()
    assert large.state == S.SUBMITTED
    assert ledger_differences() == []


def test_several_out_of_a_grant_with_own_share() -> None:
    application = make_application(lines=[("100.00", 1)])
    grant, own = BudgetFactory(from_grant=True), BudgetFactory()

    without = services.decide_several(applications=[application], by=ApproverFactory(), budget=grant)
    with_own = services.decide_several(
        applications=[application], by=ApproverFactory(), budget=grant, own_share_budget=own
    )

    assert [row.approved for row in (*without, *with_own)] == [False, True]
    own.refresh_from_db()
    assert own.committed == D("10.00")
