"""Two people approve: who proposes, who approves, what exactly, and what drops a proposal."""

import datetime
from collections.abc import Callable
from decimal import Decimal

import pytest

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.calculations import LineDecision
from apps.funding.choices import ApplicationState, RuleKind
from apps.funding.models import (
    ApprovalProposal,
    Budget,
    EquipmentApplication,
    LedgerEntry,
    LineAllocation,
)
from apps.funding.reconciliation import ledger_differences
from apps.funding.rules import rule_on
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding.factories import BudgetFactory, decide, make_application, two_approve_from

pytestmark = pytest.mark.django_db
D = Decimal
S = ApplicationState


@pytest.fixture
def application() -> EquipmentApplication:
    """A thousand euros in two lines."""
    return make_application(lines=[("100.00", 4), ("200.00", 3)])


@pytest.fixture
def budget() -> Budget:
    return BudgetFactory()


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refusal:
        action()
    assert str(refusal.value)
    return refusal.value.code


def approve(application: EquipmentApplication, budget: Budget, by: User, **more: object) -> EquipmentApplication:
    decisions = more.pop("decisions", None) or decide(application, budget)
    return services.approve(application=application, by=by, decisions=decisions, **more)  # type: ignore[arg-type]


def propose(application: EquipmentApplication, budget: Budget, by: User, **more: object) -> ApprovalProposal:
    decisions = more.pop("decisions", None) or decide(application, budget)
    return services.propose_approval(application=application, by=by, decisions=decisions, **more)  # type: ignore[arg-type]


def test_a_proposal_is_kept_and_commits_nothing(application: EquipmentApplication, budget: Budget) -> None:
    clerk = ClerkFactory()
    first, second = application.lines.order_by("pk")

    proposal = propose(
        application,
        budget,
        clerk,
        decisions=[LineDecision(second.pk, 0, budget.pk, note="  später "), LineDecision(first.pk, 3, budget.pk)],
        reason=" Mehr ist nicht da. ",
    )

    proposal.refresh_from_db()
    assert proposal.decisions == [
        {"line_id": first.pk, "approved_quantity": 3, "budget_id": budget.pk, "own_share_budget_id": None, "note": ""},
        {
            "line_id": second.pk,
            "approved_quantity": 0,
            "budget_id": None,
            "own_share_budget_id": None,
            "note": "später",
        },
    ]
    assert (proposal.amount, proposal.by, proposal.reason) == (D("300.00"), clerk, "Mehr ist nicht da.")
    application.refresh_from_db()
    budget.refresh_from_db()
    assert application.state == S.SUBMITTED
    assert (budget.committed, budget.available) == (D("0.00"), D("10000.00"))
    assert not LedgerEntry.objects.exists()


def test_another_approver_approves_what_was_proposed(application: EquipmentApplication, budget: Budget) -> None:
    two_approve_from("1000.00")
    propose(application, budget, ClerkFactory())

    approved = approve(application, budget, ApproverFactory(), reason="Gern.")

    budget.refresh_from_db()
    assert approved.state == S.APPROVED
    assert budget.committed == D("1000.00")
    assert LineAllocation.objects.count() == 2
    assert not ApprovalProposal.objects.exists()
    assert ledger_differences() == []


@pytest.mark.parametrize(("limit", "alone"), [("1000.01", True), ("1000.00", False), ("0.00", False), (None, True)])
def test_one_person_is_enough_below_the_sum(
    application: EquipmentApplication, budget: Budget, limit: str | None, alone: bool
) -> None:
    two_approve_from(limit)
    approver = ApproverFactory()

    if alone:
        assert approve(application, budget, approver).state == S.APPROVED
    else:
        assert refused(lambda: approve(application, budget, approver)) == "second_approver"
        assert not LedgerEntry.objects.exists()


def test_what_counts_is_the_sum_that_is_approved(application: EquipmentApplication, budget: Budget) -> None:
    two_approve_from("1000.00")

    approved = approve(application, budget, ApproverFactory(), decisions=decide(application, budget, quantities=[4, 2]))

    assert approved.state == S.PARTIALLY_APPROVED


def test_whoever_proposed_does_not_approve_it(application: EquipmentApplication, budget: Budget) -> None:
    two_approve_from("500.00")
    approver = ApproverFactory()
    propose(application, budget, approver)

    assert refused(lambda: approve(application, budget, approver)) == "same_person"
    assert approve(application, budget, ApproverFactory()).state == S.APPROVED


@pytest.mark.parametrize("who", ["created_by", "submitted_by"])
def test_whoever_asks_neither_proposes_nor_approves(
    application: EquipmentApplication, budget: Budget, who: str
) -> None:
    approver = ApproverFactory()
    EquipmentApplication.objects.filter(pk=application.pk).update(**{who: approver})

    assert refused(lambda: propose(application, budget, approver)) == "same_person"
    two_approve_from("500.00")
    propose(application, budget, ClerkFactory())
    assert refused(lambda: approve(application, budget, approver)) == "same_person"


def test_something_else_than_proposed_is_a_new_proposal(application: EquipmentApplication, budget: Budget) -> None:
    two_approve_from("500.00")
    clerk, approver, third = ClerkFactory(), ApproverFactory(), ApproverFactory()
    propose(application, budget, clerk)
    fewer = decide(application, budget, quantities=[4, 1])

    assert refused(lambda: approve(application, budget, approver, decisions=fewer)) == "second_approver"
    propose(application, budget, approver, decisions=fewer)
    assert refused(lambda: approve(application, budget, approver, decisions=fewer)) == "same_person"
    assert refused(lambda: approve(application, budget, third)) == "second_approver"
    assert approve(application, budget, third, decisions=fewer).state == S.PARTIALLY_APPROVED


@pytest.mark.parametrize("change", ["budget", "note", "overrun"])
def test_budget_note_and_overrun_are_part_of_what_is_proposed(
    application: EquipmentApplication, budget: Budget, change: str
) -> None:
    two_approve_from("500.00")
    propose(application, budget, ClerkFactory())
    decisions = decide(application, BudgetFactory() if change == "budget" else budget)
    if change == "note":
        decisions[0] = LineDecision(decisions[0].line_id, 4, budget.pk, note="Bitte teilen.")

    def act() -> object:
        reason = "Für alle Fälle." if change == "overrun" else ""
        return approve(application, budget, ApproverFactory(), decisions=decisions, overrun_reason=reason)

    assert refused(act) == "second_approver"


def test_going_over_a_budget_is_proposed_by_those_who_may(application: EquipmentApplication) -> None:
    two_approve_from("500.00")
    small = BudgetFactory(appropriation=D("900.00"))

    assert refused(lambda: propose(application, small, ClerkFactory())) == "unaffordable"
    propose(application, small, ApproverFactory(), overrun_reason="Der Rat hat zugestimmt.")
    approve(application, small, ApproverFactory(), overrun_reason="Der Rat hat zugestimmt.")

    small.refresh_from_db()
    assert (small.committed, small.overrun_allowed) == (D("1000.00"), D("100.00"))


def test_both_people_of_an_approval_are_kept_for_good(application: EquipmentApplication, budget: Budget) -> None:
    two_approve_from("500.00")
    clerk, approver = ClerkFactory(), ApproverFactory()
    proposal = propose(application, budget, clerk)

    approve(application, budget, approver)

    change = application.status_changes.get(to_state=S.APPROVED)
    assert (change.proposed_by, change.proposed_at, change.by) == (clerk, proposal.at, approver)
    assert (change.overrun, change.overrun_reason) == (D("0.00"), "")


def test_an_allowed_overrun_is_kept_with_its_reason(application: EquipmentApplication) -> None:
    small = BudgetFactory(appropriation=D("900.00"))
    first, second = ApproverFactory(), ApproverFactory()
    propose(application, small, first, overrun_reason="Der Rat hat zugestimmt.")

    approve(application, small, second, overrun_reason="Der Rat hat zugestimmt.")

    change = application.status_changes.get(to_state=S.APPROVED)
    assert (change.proposed_by, change.by) == (first, second)
    assert (change.overrun, change.overrun_reason) == (D("100.00"), "Der Rat hat zugestimmt.")


def test_a_proposal_that_was_needless_is_named_when_it_is_followed(
    application: EquipmentApplication, budget: Budget
) -> None:
    clerk = ClerkFactory()
    propose(application, budget, clerk)

    approve(application, budget, ApproverFactory())

    assert application.status_changes.get(to_state=S.APPROVED).proposed_by == clerk


@pytest.mark.parametrize("who", ["oneself", "differently"])
def test_who_approves_alone_follows_nobody(application: EquipmentApplication, budget: Budget, who: str) -> None:
    approver = ApproverFactory()
    propose(application, budget, approver if who == "oneself" else ClerkFactory())
    quantities = None if who == "oneself" else [4, 2]

    approve(application, budget, approver, decisions=decide(application, budget, quantities=quantities))

    assert application.status_changes.get(by=approver).proposed_by is None


def test_the_same_proposal_twice_is_one(application: EquipmentApplication, budget: Budget) -> None:
    clerk = ClerkFactory()

    first, second = propose(application, budget, clerk), propose(application, budget, clerk)

    assert first.pk == second.pk
    assert ApprovalProposal.objects.count() == 1


def test_a_second_tab_that_saw_something_else_proposes_nothing(
    application: EquipmentApplication, budget: Budget
) -> None:
    assert refused(lambda: propose(application, budget, ClerkFactory(), revision=1)) == "stale"
    assert not ApprovalProposal.objects.exists()


@pytest.mark.parametrize("step", ["return", "reject", "withdraw"])
def test_any_change_of_state_drops_the_proposal(application: EquipmentApplication, budget: Budget, step: str) -> None:
    propose(application, budget, ClerkFactory())

    if step == "return":
        services.return_with_question(application=application, by=ClerkFactory(), question="Wofür?")
    elif step == "reject":
        services.reject(application=application, by=ClerkFactory(), reason="Nein.")
    else:
        services.withdraw(application=application, by=application.created_by)

    assert not ApprovalProposal.objects.exists()


def test_a_proposal_for_an_earlier_revision_does_not_hold(application: EquipmentApplication, budget: Budget) -> None:
    two_approve_from("500.00")
    propose(application, budget, ClerkFactory())
    EquipmentApplication.objects.filter(pk=application.pk).update(revision=9)

    assert refused(lambda: approve(application, budget, ApproverFactory())) == "second_approver"


def test_a_proposal_is_taken_back(application: EquipmentApplication, budget: Budget) -> None:
    propose(application, budget, ClerkFactory())

    services.withdraw_proposal(application=application, by=ClerkFactory())
    services.withdraw_proposal(application=application, by=ClerkFactory())

    assert not ApprovalProposal.objects.exists()


def test_several_at_once_are_no_way_around_the_second_person(application: EquipmentApplication, budget: Budget) -> None:
    two_approve_from("1000.00")
    small = make_application(lines=[("999.99", 1)])

    outcomes = services.decide_several(applications=[application, small], by=ApproverFactory(), budget=budget)

    assert [(row.application.pk, row.approved) for row in outcomes] == [(application.pk, False), (small.pk, True)]
    assert "1.000,00" in outcomes[0].message


def test_a_rule_holds_from_its_day_until_the_next() -> None:
    two_approve_from("500.00", datetime.date(2026, 1, 1))
    two_approve_from("800.00", datetime.date(2026, 6, 1))
    two_approve_from(None, datetime.date(2026, 9, 1))

    def on(month: int, day: int, year: int = 2026) -> Decimal | None:
        return rule_on(RuleKind.SECOND_APPROVER_FROM, datetime.date(year, month, day))

    assert [on(12, 31, 2025), on(1, 1), on(5, 31), on(6, 1), on(8, 31), on(9, 1)] == [
        None,
        D("500.00"),
        D("500.00"),
        D("800.00"),
        D("800.00"),
        None,
    ]
    assert rule_on(RuleKind.VAT_RATE, clock.today()) == D("19.00")
