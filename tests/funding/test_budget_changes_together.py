"""Several people decide changes of budgets at once: one winner, no grant overspent, nobody waits forever."""

from collections import Counter
from decimal import Decimal
from functools import partial

import pytest

from apps.core.money import total
from apps.funding import services
from apps.funding.models import Budget
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import BudgetFactory, GrantFactory
from tests.funding.test_concurrency import all_at_once

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
D = Decimal


def test_one_change_is_confirmed_once() -> None:
    budget = BudgetFactory()
    change = services.propose_overrun(budget=budget, amount=D("10.00"), reason="x", by=ApproverFactory())
    people = [ApproverFactory() for _ in range(8)]

    outcomes = all_at_once([partial(services.confirm_change, change=change, by=by) for by in people])

    assert Counter(outcomes) == {"done": 1, "illegal_transition": 7}
    assert Budget.objects.get().overrun_allowed == D("10.00")


def test_new_budgets_do_not_share_a_grants_last_euro() -> None:
    grant, clerk, by = GrantFactory(amount=D("1000.00")), ClerkFactory(), ApproverFactory()
    changes = [
        services.propose_budget(
            name=f"Nr {number}", fiscal_year=2026, grant=grant, appropriation=D("300.00"), reason="x", by=clerk
        )
        for number in range(6)
    ]

    outcomes = all_at_once([partial(services.confirm_change, change=change, by=by) for change in changes])

    assert Counter(outcomes) == {"done": 3, "above_grant": 3}
    assert total(budget.appropriated for budget in Budget.objects.all()) == D("900.00")


def test_money_goes_both_ways_and_nobody_waits_for_the_other() -> None:
    clerk, by = ClerkFactory(), ApproverFactory()
    pair = [BudgetFactory(virement_group="DK 7") for _ in range(2)]
    changes = [
        services.propose_virement(
            budget=pair[number % 2],
            counterpart=pair[1 - number % 2],
            amount=D("10.00"),
            reason=f"Nr {number}",
            by=clerk,
        )
        for number in range(12)
    ]

    outcomes = all_at_once([partial(services.confirm_change, change=change, by=by) for change in changes])

    assert Counter(outcomes) == {"done": 12}
    assert [budget.virement for budget in Budget.objects.all()] == [D("0.00"), D("0.00")]
