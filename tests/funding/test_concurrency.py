"""Many people decide at once: no budget is overspent, everybody gets a sentence, nobody waits forever.

On PostgreSQL, each thread on a connection of its own. All start at a barrier.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection
from post_office.models import Email

from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import ApplicationState, LedgerKind
from apps.funding.models import Budget, EquipmentApplication, LedgerEntry, LineAllocation
from apps.funding.reconciliation import ledger_differences
from tests.factories import ApproverFactory, ClerkFactory, CoordinatorFactory, SchoolFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, decide, make_application, two_approve_from

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
D = Decimal
S = ApplicationState
APPLICATIONS, AFFORDABLE = 50, 20
PRICE = D("333.33")
PATIENCE = 120


def all_at_once(actions: Sequence[Callable[[], object]]) -> list[str]:
    """How each action ended: "done", the code of its `DomainError`, or the name of any other error."""
    barrier = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> str:
        connection.ensure_connection()
        try:
            barrier.wait(PATIENCE)
            action()
        except DomainError as error:
            return error.code if str(error).strip() else "refusal without words"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions, timeout=PATIENCE))


def fifty_against_twenty() -> None:
    """One round: 50 applications at several schools against a budget that covers exactly 20 of them."""
    schools = [SchoolFactory() for _ in range(5)]
    people = [CoordinatorFactory(schools=[school]) for school in schools]
    applications = [
        make_application(school=schools[number % 5], by=people[number % 5], lines=[(str(PRICE), 1)])
        for number in range(APPLICATIONS)
    ]
    budget = BudgetFactory(appropriation=PRICE * AFFORDABLE)
    approvers = [ApproverFactory() for _ in range(3)]
    mails, versions = Email.objects.count(), sum(school.inputs_version for school in schools)

    outcomes = all_at_once(
        [
            partial(services.approve, application=row, by=approvers[number % 3], decisions=decide(row, budget))
            for number, row in enumerate(applications)
        ]
    )

    assert Counter(outcomes) == {"done": AFFORDABLE, "unaffordable": APPLICATIONS - AFFORDABLE}
    budget.refresh_from_db()
    entries = LedgerEntry.objects.filter(budget=budget)
    states = Counter(
        EquipmentApplication.objects.filter(pk__in=[row.pk for row in applications]).values_list("state", flat=True)
    )
    assert (budget.committed, budget.spent, budget.available) == (PRICE * AFFORDABLE, D(0), D(0))
    assert list(entries.values_list("kind", "amount")) == [(LedgerKind.COMMIT, PRICE)] * AFFORDABLE
    assert LineAllocation.objects.filter(budget=budget).count() == AFFORDABLE
    assert states == {S.APPROVED: AFFORDABLE, S.SUBMITTED: APPLICATIONS - AFFORDABLE}
    assert Email.objects.count() - mails == AFFORDABLE
    for school in schools:
        school.refresh_from_db()
    assert sum(school.inputs_version for school in schools) - versions == AFFORDABLE
    assert ledger_differences() == []


def test_fifty_approvals_against_money_for_twenty() -> None:
    for _round in range(5):
        fifty_against_twenty()


@pytest.mark.soak
def test_fifty_approvals_against_money_for_twenty_for_long() -> None:
    for _round in range(int(os.environ.get("SOAK_ROUNDS", "200"))):
        fifty_against_twenty()


def test_of_two_people_and_a_double_click_exactly_one_wins() -> None:
    for _round in range(5):
        application = make_application(lines=[("100.00", 3)])
        budget, first, second = BudgetFactory(), ApproverFactory(), ApproverFactory()
        decisions = decide(application, budget)

        outcomes = all_at_once(
            [
                partial(services.approve, application=application, by=by, decisions=decisions)
                for by in (first, second, first, first)
            ]
        )

        assert Counter(outcomes) == {"done": 1, "illegal_transition": 3}
        budget.refresh_from_db()
        assert budget.committed == D("300.00")
        assert LedgerEntry.objects.filter(budget=budget).count() == 1
        assert application.status_changes.filter(to_state=S.APPROVED).count() == 1


def test_of_approving_rejecting_returning_and_withdrawing_exactly_one_wins() -> None:
    for _round in range(5):
        application = make_application()
        budget, clerk, approver = BudgetFactory(), ClerkFactory(), ApproverFactory()
        coordinator, decisions = application.created_by, decide(application, budget)

        outcomes = all_at_once(
            [
                partial(services.approve, application=application, by=approver, decisions=decisions),
                partial(services.reject, application=application, by=clerk, reason="Nein."),
                partial(services.return_with_question, application=application, by=clerk, question="Wofür?"),
                partial(services.withdraw, application=application, by=coordinator),
            ]
        )

        application.refresh_from_db()
        budget.refresh_from_db()
        changes = list(application.status_changes.values_list("to_state", flat=True))
        assert changes[0] == S.SUBMITTED
        assert changes[-1] == application.state
        # What is returned may still be withdrawn; nothing else follows upon anything.
        assert changes[1:] in ([S.APPROVED], [S.REJECTED], [S.RETURNED], [S.WITHDRAWN], [S.RETURNED, S.WITHDRAWN])
        assert Counter(outcomes) == {"done": len(changes) - 1, "illegal_transition": 5 - len(changes)}
        assert budget.committed == (D("1000.00") if application.state == S.APPROVED else D(0))
        assert ledger_differences() == []


def test_budgets_named_in_any_order_do_not_block_each_other() -> None:
    schools = [SchoolFactory() for _ in range(2)]
    one, two = BudgetFactory(), BudgetFactory()
    by = ApproverFactory()
    applications = [make_application(school=schools[n % 2], lines=[("10.00", 1), ("20.00", 1)]) for n in range(30)]

    def approve(number: int, row: EquipmentApplication) -> None:
        first, second = (one, two) if number % 2 else (two, one)
        upper, lower = decide(row, first)[0], decide(row, second)[1]
        services.approve(application=row, by=by, decisions=[upper, lower] if number % 3 else [lower, upper])

    outcomes = all_at_once([partial(approve, n, row) for n, row in enumerate(applications)])

    one.refresh_from_db()
    two.refresh_from_db()
    assert Counter(outcomes) == {"done": 30}
    assert (one.committed, two.committed) == (D("450.00"), D("450.00"))
    assert ledger_differences() == []


def test_grant_and_own_share_end_together() -> None:
    """The own share covers 10 of 30: what is refused there takes nothing from the grant."""
    applications = [make_application(lines=[("100.00", 1)]) for _ in range(30)]
    grant, own = BudgetFactory(from_grant=True), BudgetFactory(appropriation=D("100.00"))
    by = ApproverFactory()

    outcomes = all_at_once(
        [partial(services.approve, application=row, by=by, decisions=decide(row, grant, own)) for row in applications]
    )

    grant.refresh_from_db()
    own.refresh_from_db()
    assert Counter(outcomes) == {"done": 10, "unaffordable": 20}
    assert (grant.committed, own.committed) == (D("900.00"), D("100.00"))
    assert ledger_differences() == []


def test_payments_freezes_and_approvals_meet_on_one_budget() -> None:
    applications = [make_application(lines=[("100.00", 1)]) for _ in range(20)]
    budget, by = BudgetFactory(appropriation=D("1000.00")), ApproverFactory()
    ledger.commit(budget, D("500.00"), by=by)
    change = services.propose_edit(budget=budget, by=ClerkFactory(), reason="Sperre", freeze=D("100.00"))

    outcomes = all_at_once(
        [
            *[partial(services.approve, application=row, by=by, decisions=decide(row, budget)) for row in applications],
            *[partial(ledger.pay, budget, D("50.00"), by=by) for _ in range(5)],
            *[partial(ledger.release, budget, D("50.00"), by=by) for _ in range(5)],
            partial(services.confirm_change, change=change, by=by, note="Haushaltssperre"),
        ]
    )

    stored = Budget.objects.get(pk=budget.pk)
    counts = Counter(outcomes)
    assert set(counts) <= {"done", "unaffordable"}
    assert stored.spent == D("250.00")
    assert stored.freeze == D("100.00")
    approved = EquipmentApplication.objects.filter(state=S.APPROVED).count()
    assert counts["done"] == approved + 11
    assert stored.committed == 100 * approved
    assert stored.available >= -stored.freeze
    assert ledger_differences() == []


def test_of_two_who_confirm_one_proposal_at_once_one_wins() -> None:
    """The other is told that it is decided; the money is committed once."""
    two_approve_from("100.00")
    for _round in range(5):
        application, budget = make_application(lines=[("500.00", 2)]), BudgetFactory()
        decisions = decide(application, budget)
        services.propose_approval(application=application, by=ClerkFactory(), decisions=decisions)

        outcomes = all_at_once(
            [
                partial(services.approve, application=application, by=ApproverFactory(), decisions=decisions)
                for _person in range(2)
            ]
        )

        budget.refresh_from_db()
        assert sorted(outcomes) == ["done", "illegal_transition"]
        assert budget.committed == D("1000.00")
        assert ledger_differences() == []


def test_a_proposal_that_is_replaced_while_it_is_confirmed_is_never_mixed_up() -> None:
    """What is approved is one of the two as a whole: the first in time, or nothing of a proposal that is gone."""
    two_approve_from("100.00")
    for _round in range(5):
        application, budget = make_application(lines=[("500.00", 2)]), BudgetFactory()
        both, one = decide(application, budget), decide(application, budget, quantities=[1])
        services.propose_approval(application=application, by=ClerkFactory(), decisions=both)

        outcomes = all_at_once(
            [
                partial(services.approve, application=application, by=ApproverFactory(), decisions=both),
                partial(services.propose_approval, application=application, by=ClerkFactory(), decisions=one),
            ]
        )

        budget.refresh_from_db()
        assert outcomes in (["done", "illegal_transition"], ["second_approver", "done"])
        assert budget.committed == (D("1000.00") if outcomes[0] == "done" else D("0.00"))
