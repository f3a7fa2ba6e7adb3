"""Random changes of budgets by several people: nothing is lost or made, and nobody confirms their own."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.money import total
from apps.funding import services
from apps.funding.choices import BudgetChangeKind, ProposalState
from apps.funding.models import Budget, BudgetChange, Grant
from apps.funding.reconciliation import ledger_differences
from tests.factories import ApproverFactory, ClerkFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, GrantFactory

pytestmark = pytest.mark.django_db
D = Decimal
MOVES = {BudgetChangeKind.VIREMENT, BudgetChangeKind.CARRY_OVER}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "edit",
                "freeze",
                "virement",
                "carry_over",
                "take_back",
                "confirm",
                "confirm",
                "decline",
                "withdraw",
                "use",
            ]
        ),
        st.integers(min_value=0, max_value=2),
        st.integers(min_value=0, max_value=9),
        st.integers(min_value=0, max_value=9),
        st.integers(min_value=1, max_value=60_000),
    ),
    max_size=14,
)


@pytest.fixture
def people(db: None) -> list[User]:
    return [ClerkFactory(), ApproverFactory(), ApproverFactory()]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_moves_keep_the_sum_and_every_change_has_two_people(
    steps: list[tuple[str, int, int, int, int]], people: list[User]
) -> None:
    with transaction.atomic():
        grant = GrantFactory(amount=D("900.00"))
        for number in range(2):
            BudgetFactory(name=f"Stadt {number}", appropriation=D("500.00"), virement_group="DK 7")
            BudgetFactory(name=f"Land {number}", appropriation=D("400.00"), virement_group="DK 7", grant=grant)
        for step in steps:
            _play(step, people)
            _check(grant)
        transaction.set_rollback(True)


def _play(step: tuple[str, int, int, int, int], people: list[User]) -> None:
    """One step; a refusal leaves everything as it was, a move keeps the sum, and a proposal moves nothing."""
    action, who, first, second, cents = step
    before = _state()
    moved = None
    by = people[1] if action == "use" else people[who]
    try:
        with transaction.atomic():
            moved = _ACTIONS[action](by, first, second, D(cents).scaleb(-2))
    except DomainError:
        assert _state() == before
        return
    if moved is not None and moved.kind in MOVES:
        assert total(row[1] for row in _state()[0]) == total(row[1] for row in before[0])
    if moved is None:
        assert [row[1] for row in _state()[0]] == [row[1] for row in before[0]]


def _state() -> tuple[list[tuple[int, Decimal]], list[tuple[int, str]]]:
    budgets = [(row.pk, row.appropriated) for row in Budget.objects.order_by("pk")]
    return budgets, list(BudgetChange.objects.order_by("pk").values_list("pk", "state"))


def _check(grant: Grant) -> None:
    for budget in Budget.objects.all():
        assert budget.committed + budget.spent <= budget.appropriated + budget.overrun_allowed
    assert total(row.appropriated for row in Budget.objects.filter(grant=grant)) <= grant.amount
    assert total(row.carried_out for row in Budget.objects.all()) == total(
        row.carried_over for row in Budget.objects.all()
    )
    for change in BudgetChange.objects.filter(state=ProposalState.CONFIRMED):
        assert change.decided_by_id != change.proposed_by_id
    assert all(row.carried_out >= 0 and row.carried_over >= 0 for row in Budget.objects.all())
    assert ledger_differences() == []


def _budget(number: int) -> Budget:
    rows = list(Budget.objects.order_by("pk"))
    return rows[number % len(rows)]


def _waiting(number: int) -> BudgetChange:
    rows = list(BudgetChange.objects.filter(state=ProposalState.PROPOSED).order_by("pk"))
    if not rows:
        raise DomainError("nothing waits")
    return rows[number % len(rows)]


def _edit(by: User, first: int, _second: int, amount: Decimal) -> None:
    services.propose_edit(budget=_budget(first), by=by, reason="x", appropriation=amount)


def _freeze(by: User, first: int, _second: int, amount: Decimal) -> None:
    services.propose_edit(budget=_budget(first), by=by, reason="x", freeze=amount)


def _virement(by: User, first: int, second: int, amount: Decimal) -> None:
    services.propose_virement(budget=_budget(first), counterpart=_budget(second), amount=amount, reason="x", by=by)


def _carry_over(by: User, first: int, _second: int, amount: Decimal) -> None:
    services.propose_carry_overs(rows=[services.CarryOver(_budget(first).pk, amount)], reason="x", by=by)


def _take_back(by: User, first: int, _second: int, amount: Decimal) -> None:
    rows = list(BudgetChange.objects.filter(kind=BudgetChangeKind.CARRY_OVER, state=ProposalState.CONFIRMED))
    if not rows:
        raise DomainError("nothing was carried over")
    services.propose_take_back(change=rows[first % len(rows)], amount=amount, reason="x", by=by)


def _confirm(by: User, first: int, _second: int, _amount: Decimal) -> BudgetChange:
    change = _waiting(first)
    if not by.has_perm("funding.confirm_budget"):
        raise DomainError("not this person's to confirm")
    return services.confirm_change(change=change, by=by)


def _decline(by: User, first: int, _second: int, _amount: Decimal) -> None:
    change = _waiting(first)
    if not by.has_perm("funding.confirm_budget"):
        raise DomainError("not this person's to decline")
    services.decline_change(change=change, by=by, note="x")


def _withdraw(by: User, first: int, _second: int, _amount: Decimal) -> None:
    services.withdraw_change(change=_waiting(first), by=by)


def _use(by: User, first: int, second: int, amount: Decimal) -> None:
    """Money is committed and in part paid in between."""
    budget = _budget(first)
    ledger.commit(budget, amount, by=by)
    if second % 2:
        ledger.pay(budget, amount, by=by)


_ACTIONS: dict[str, Callable[[User, int, int, Decimal], Any]] = {
    "edit": _edit,
    "freeze": _freeze,
    "virement": _virement,
    "carry_over": _carry_over,
    "take_back": _take_back,
    "confirm": _confirm,
    "decline": _decline,
    "withdraw": _withdraw,
    "use": _use,
}
