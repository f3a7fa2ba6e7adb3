"""Budgets are changed by two: what may be proposed, who confirms, what is stale, and what moves between budgets."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from apps.core.errors import DomainError, StaleError
from apps.funding import services
from apps.funding.choices import BudgetChangeKind, ExpenditureType, ProposalState
from apps.funding.models import Budget, BudgetChange
from apps.funding.proposed import Step, steps_of
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding import ledger
from tests.funding.factories import (
    BudgetFactory,
    GrantFactory,
    allow_overrun,
    change_by_two,
    confirmed,
    decide,
    make_application,
)

pytestmark = pytest.mark.django_db
D = Decimal


def code_of(action: object, *args: object, **values: object) -> str:
    with pytest.raises(DomainError) as caught:
        action(*args, **values)  # type: ignore[operator]
    return caught.value.code


def propose(budget: Budget, by: Any = None, **values: Any) -> BudgetChange:
    return services.propose_edit(budget=budget, by=by or ClerkFactory(), reason="Beschluss", **values)


def carry(budget: Budget, amount: str, by: Any = None, target: Budget | None = None) -> BudgetChange:
    row = services.CarryOver(budget.pk, D(amount), target and target.pk)
    return services.propose_carry_overs(rows=[row], reason="§ 22 KomHVO", by=by or ClerkFactory())[0]


def give(budget: Budget, target: Budget, amount: str) -> BudgetChange:
    return services.propose_virement(
        budget=budget, counterpart=target, amount=D(amount), reason="Mehrbedarf", by=ClerkFactory()
    )


# Proposals


def test_a_new_budget_stands_once_another_person_has_confirmed_it() -> None:
    grant, clerk, approver = GrantFactory(), ClerkFactory(name="Ada Clerk"), ApproverFactory()

    change = services.propose_budget(
        by=clerk,
        reason="Haushaltsplan 2026",
        name="Neuanschaffungen",
        fiscal_year=2026,
        measure_number="400_0300003080",
        product="030101",
        ledger_account="0812000",
        expenditure_type=ExpenditureType.OPERATING,
        grant=grant,
        virement_group="DK 7",
        appropriation=D("1000.00"),
        carried_over=D("100.00"),
        supplement=D("-50.00"),
        freeze=D("25.00"),
    )
    assert not Budget.objects.exists()
    assert not Budget.history.exists()
    assert (change.state, change.budget, change.proposed_by) == (ProposalState.PROPOSED, None, clerk)

    decided = services.confirm_change(change=change, by=approver, note="geprüft")

    budget = Budget.objects.get()
    assert (budget.measure_number, budget.ledger_account, budget.virement_group) == (
        "400_0300003080",
        "0812000",
        "DK 7",
    )
    assert (budget.available, budget.rate) == (D("1025.00"), grant.rate)
    record = budget.history.get()
    assert (record.history_user, record.history_change_reason) == (
        approver,
        "Haushaltsplan 2026 (vorgeschlagen von Ada Clerk)",
    )
    assert (decided.state, decided.budget, decided.decided_by, decided.decision_note) == (
        ProposalState.CONFIRMED,
        budget,
        approver,
        "geprüft",
    )
    assert decided.history.count() == 2


def test_the_same_name_twice_in_a_year_is_refused_when_it_is_proposed_and_when_it_is_confirmed() -> None:
    values = {"by": ClerkFactory(), "reason": "x", "name": "Tablets", "appropriation": D("1.00")}
    first = services.propose_budget(fiscal_year=2026, **values)  # type: ignore[arg-type]
    second = services.propose_budget(fiscal_year=2026, **values | {"appropriation": D("2.00")})  # type: ignore[arg-type]
    confirmed(first)

    assert code_of(services.confirm_change, change=second, by=ApproverFactory()) == "constraint"
    assert code_of(services.propose_budget, fiscal_year=2026, **values) == "constraint"
    services.propose_budget(fiscal_year=2027, **values)  # type: ignore[arg-type]
    assert Budget.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"appropriation": D("-0.01")}, "appropriation"),
        ({"carried_over": D("-0.01")}, "carried_over"),
        ({"freeze": D("-0.01")}, "freeze"),
        ({"appropriation": D("10.00"), "supplement": D("-10.01")}, "supplement"),
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"appropriation": D("0.001")}, "appropriation"),
        ({"reason": " "}, "reason"),
    ],
)
def test_faulty_budgets_are_refused_with_their_field(values: dict[str, Any], field: str) -> None:
    given = {"name": "Tablets", "fiscal_year": 2026, "appropriation": D("1.00"), "reason": "x"} | values

    with pytest.raises(DomainError) as caught:
        services.propose_budget(by=ApproverFactory(), **given)

    assert caught.value.field == field
    assert not BudgetChange.objects.exists()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"freeze": D("10.00")}, BudgetChangeKind.FREEZE),
        ({"supplement": D("10.00")}, BudgetChangeKind.SUPPLEMENT),
        ({"supplement": D("10.00"), "freeze": D("10.00")}, BudgetChangeKind.EDIT),
        ({"name": "Anders"}, BudgetChangeKind.EDIT),
    ],
)
def test_a_change_is_named_by_what_it_does(values: dict[str, Any], kind: str) -> None:
    budget = BudgetFactory(name="Ansatz")
    change = propose(budget, measure_number="", **values)

    assert change.kind == kind
    assert set(change.values) == set(change.before) == set(values)
    assert Budget.objects.get().history.count() == 1


def test_what_would_change_nothing_is_no_proposal() -> None:
    budget = BudgetFactory(name="Ansatz")
    assert code_of(propose, budget, name="Ansatz") == "unchanged"
    assert not BudgetChange.objects.exists()


def test_a_change_reads_with_what_was_and_what_will_be() -> None:
    budget = BudgetFactory(name="Ansatz", grant=None)
    grant = GrantFactory(file_reference="48-1", programme__name="Programm")
    change = propose(budget, grant=grant, freeze=D("1234.50"), expenditure_type=ExpenditureType.OPERATING)

    assert steps_of([change])[change.pk] == [
        Step("Investiv oder konsumtiv", "investiv", "konsumtiv"),
        Step("Zuwendung", "städtische Mittel", "Programm 48-1"),
        Step("Gesperrt", "0,00\u202f€", "1.234,50\u202f€"),
        Step("Verfügbar in „Ansatz 2026“", "10.000,00\u202f€", "8.765,50\u202f€"),
    ]


# Limits


def test_a_budget_is_not_lowered_below_what_is_committed_and_spent() -> None:
    budget, by = BudgetFactory(appropriation=D("1000.00")), ApproverFactory()
    ledger.commit(budget, D("600.00"), by=by)
    ledger.pay(budget, D("200.00"), by=by)

    assert code_of(propose, budget, appropriation=D("599.99")) == "below_used"
    lowered = change_by_two(budget, appropriation=D("600.00"))

    assert (lowered.available, lowered.committed, lowered.spent) == (D("0.00"), D("400.00"), D("200.00"))


def test_what_was_committed_since_the_proposal_counts_at_the_confirmation() -> None:
    budget, by = BudgetFactory(appropriation=D("1000.00")), ApproverFactory()
    change = propose(budget, appropriation=D("500.00"))
    ledger.commit(budget, D("500.01"), by=by)

    assert code_of(services.confirm_change, change=change, by=by) == "below_used"
    assert BudgetChange.objects.get().state == ProposalState.PROPOSED
    assert Budget.objects.get().appropriation == D("1000.00")


def test_year_and_grant_stay_once_money_has_moved() -> None:
    used, fresh, by = BudgetFactory(), BudgetFactory(), ApproverFactory()
    ledger.commit(used, D("1.00"), by=by)

    assert code_of(propose, used, fiscal_year=2027) == "in_use"
    assert code_of(propose, used, grant=GrantFactory()) == "in_use"
    assert change_by_two(fresh, fiscal_year=2027).fiscal_year == 2027


def test_a_freeze_may_come_after_commitments() -> None:
    budget, by = BudgetFactory(appropriation=D("1000.00")), ApproverFactory()
    ledger.commit(budget, D("800.00"), by=by)

    frozen = change_by_two(budget, freeze=D("500.00"))

    assert frozen.available == D("-300.00")
    application = make_application(lines=[("0.01", 1)])
    decisions = decide(application, budget)
    assert code_of(services.approve, application=application, by=by, decisions=decisions) == "unaffordable"
    assert change_by_two(frozen, freeze=D("0.00")).available == D("200.00")


def test_an_overrun_is_allowed_on_purpose_with_a_reason() -> None:
    budget, by = BudgetFactory(appropriation=D("100.00")), ApproverFactory()

    allowed = allow_overrun(allow_overrun(budget, "50.00"), "0.50")

    assert (allowed.overrun_allowed, allowed.available) == (D("50.50"), D("150.50"))
    overrun = {"budget": budget, "amount": D("1.00")}
    assert code_of(services.propose_overrun, **overrun, reason=" ", by=by) == "required"
    with pytest.raises(PermissionDenied):
        services.propose_overrun(**overrun, reason="x", by=ClerkFactory())


def test_the_budgets_of_a_grant_never_add_up_to_more_than_it() -> None:
    grant = GrantFactory(amount=D("1000.00"), file_reference="48-1")
    first = BudgetFactory(grant=grant, appropriation=D("600.00"))
    second = BudgetFactory(appropriation=D("400.01"))

    assert code_of(propose, first, supplement=D("400.01")) == "above_grant"
    assert code_of(propose, second, grant=grant) == "above_grant"
    pending = propose(first, appropriation=D("900.00"))
    change_by_two(second, grant=grant, appropriation=D("400.00"))
    with pytest.raises(DomainError, match=r"48-1 bewilligt 1\.000,00\s€, aber .* zusammen 1\.300,00\s€"):
        services.confirm_change(change=pending, by=ApproverFactory())
    assert change_by_two(first, appropriation=D("0.00")).appropriation == 0


# Two people


def test_nobody_confirms_or_declines_their_own() -> None:
    approver = ApproverFactory()
    change = propose(BudgetFactory(), approver, freeze=D("1.00"))

    assert code_of(services.confirm_change, change=change, by=approver) == "own_proposal"
    assert code_of(services.decline_change, change=change, by=approver, note="x") == "own_proposal"
    assert Budget.objects.get().freeze == 0
    with pytest.raises(IntegrityError, match="funding_budget_change_two_persons"), transaction.atomic():
        BudgetChange.objects.update(state=ProposalState.CONFIRMED, decided_by=approver, decided_at=change.proposed_at)


def test_a_declined_change_says_why_and_does_nothing() -> None:
    change = propose(BudgetFactory(), freeze=D("1.00"))

    assert code_of(services.decline_change, change=change, by=ApproverFactory(), note=" ") == "required"
    declined = services.decline_change(change=change, by=ApproverFactory(), note="Nicht beschlossen.")

    assert (declined.state, declined.decision_note) == (ProposalState.DECLINED, "Nicht beschlossen.")
    assert Budget.objects.get().freeze == 0


def test_only_the_proposer_withdraws() -> None:
    clerk = ClerkFactory()
    change = propose(BudgetFactory(), clerk, freeze=D("1.00"))

    assert code_of(services.withdraw_change, change=change, by=ApproverFactory()) == "not_yours"
    assert services.withdraw_change(change=change, by=clerk).state == ProposalState.WITHDRAWN


def test_what_has_moved_since_is_stale() -> None:
    budget = BudgetFactory(appropriation=D("1000.00"))
    first, second = propose(budget, appropriation=D("900.00")), propose(budget, appropriation=D("1100.00"))
    other = propose(budget, freeze=D("5.00"))
    confirmed(first)

    with pytest.raises(StaleError, match="„Ansatz“"):
        services.confirm_change(change=second, by=ApproverFactory())

    assert confirmed(other).appropriation == D("900.00")


# Carry-over


def test_what_is_left_goes_into_the_next_year_and_commitments_stay() -> None:
    """1,000 less 300 committed, 200 spent and 50 frozen leave 450."""
    budget, by = BudgetFactory(name="Schul-IT", appropriation=D("1000.00"), measure_number="400_03"), ApproverFactory()
    ledger.commit(budget, D("500.00"), by=by)
    ledger.pay(budget, D("200.00"), by=by)
    change_by_two(budget, freeze=D("50.00"))
    assert code_of(carry, budget, "450.01") == "unaffordable"

    decided = services.confirm_change(change=carry(budget, "450.00"), by=by)

    old, new = Budget.objects.get(fiscal_year=2026), Budget.objects.get(fiscal_year=2027)
    assert (old.carried_out, old.available, old.committed, old.spent) == (D("450.00"), D("0.00"), D("300.00"), D(200))
    assert (new.name, new.measure_number, new.appropriation, new.carried_over) == ("Schul-IT", "400_03", 0, D("450.00"))
    assert decided.counterpart == new
    ledger.pay(old, D("300.00"), by=by)


def test_the_next_years_budget_takes_it_if_there_is_one_by_then() -> None:
    budget = BudgetFactory(name="Schul-IT", appropriation=D("100.00"))
    change = carry(budget, "60.00")
    following = BudgetFactory(name="Schul-IT", fiscal_year=2027, appropriation=D("10.00"))
    assert change.counterpart is None
    confirmed(change)

    following.refresh_from_db()
    assert (following.carried_over, following.available) == (D("60.00"), D("70.00"))
    assert carry(budget, "40.00").counterpart == following


def test_one_carry_over_of_a_budget_waits_at_a_time() -> None:
    budget = BudgetFactory(appropriation=D("100.00"))
    carry(budget, "60.00")
    assert code_of(carry, budget, "40.00") == "waits"
    rows = [services.CarryOver(BudgetFactory().pk, D(1))] * 2
    assert code_of(services.propose_carry_overs, rows=rows, reason="x", by=ClerkFactory()) == "waits"


def test_all_carry_overs_or_none() -> None:
    rich, poor = BudgetFactory(appropriation=D("100.00")), BudgetFactory(appropriation=D("10.00"))
    rows = [services.CarryOver(rich.pk, D("100.00")), services.CarryOver(poor.pk, D("10.01"))]
    assert code_of(services.propose_carry_overs, rows=rows, reason="x", by=ClerkFactory()) == "unaffordable"
    assert not BudgetChange.objects.exists()


def test_an_allowed_overrun_is_no_money_to_carry_over() -> None:
    budget = allow_overrun(BudgetFactory(appropriation=D("100.00")), "50.00")
    assert code_of(carry, budget, "100.01") == "unaffordable"
    assert confirmed(carry(budget, "100.00")).available == D("50.00")


def test_money_is_carried_into_the_following_year_of_the_same_source() -> None:
    budget = BudgetFactory(appropriation=D("100.00"))
    for target in (BudgetFactory(fiscal_year=2028), BudgetFactory(fiscal_year=2027, from_grant=True)):
        with pytest.raises(DomainError) as caught:
            carry(budget, "1.00", target=target)
        assert caught.value.field == "counterpart"


def test_carrying_over_a_grants_money_counts_once_against_the_grant() -> None:
    grant = GrantFactory(amount=D("1000.00"))
    budget = BudgetFactory(grant=grant, appropriation=D("1000.00"))
    confirmed(carry(budget, "400.00"))
    assert Budget.objects.get(fiscal_year=2027).carried_over == D("400.00")


# Virement


def test_money_moves_within_a_group() -> None:
    first = BudgetFactory(virement_group="DK 7", appropriation=D("100.00"))
    second = BudgetFactory(virement_group="DK 7", appropriation=D("100.00"))
    assert code_of(give, first, second, "100.01") == "unaffordable"

    confirmed(give(first, second, "30.00"))

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.available, second.available) == (D("70.00"), D("130.00"))
    assert (first.virement, second.virement) == (D("-30.00"), D("30.00"))


@pytest.mark.parametrize(
    "other", [{"virement_group": "DK 8"}, {"fiscal_year": 2027}, {"from_grant": True}, {"virement_group": ""}]
)
def test_money_does_not_move_out_of_its_group(other: dict[str, Any]) -> None:
    first = BudgetFactory(virement_group="DK 7" if other.get("virement_group") else other.get("virement_group", "DK 7"))
    with pytest.raises(DomainError) as caught:
        give(first, BudgetFactory(**{"virement_group": "DK 7"} | other), "1.00")
    assert caught.value.field == "counterpart"


def test_money_does_not_move_to_where_it_is() -> None:
    budget = BudgetFactory(virement_group="DK 7")
    with pytest.raises(DomainError):
        give(budget, budget, "1.00")


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "0.001"])
def test_only_whole_cents_above_zero_move(amount: str) -> None:
    first, second = BudgetFactory(virement_group="DK 7"), BudgetFactory(virement_group="DK 7")
    for action in (lambda: give(first, second, amount), lambda: carry(first, amount)):
        with pytest.raises(DomainError) as caught:
            action()
        assert caught.value.field == "amount"
