"""Who may decide a proposed change of a budget in which state: every pair, through the service and the admin."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import ProposalState
from apps.funding.models import Budget, BudgetChange
from apps.funding.workflow import CHANGE_TRANSITIONS
from tests.factories import ApproverFactory, ClerkFactory, UserFactory
from tests.funding.factories import BudgetFactory
from tests.funding.portal import client_of

pytestmark = pytest.mark.django_db
S = ProposalState
ACTIONS: dict[str, Callable[[BudgetChange, User], Any]] = {
    "confirm": lambda change, by: services.confirm_change(change=change, by=by),
    "decline": lambda change, by: services.decline_change(change=change, by=by, note="Nein."),
    "withdraw": lambda change, by: services.withdraw_change(change=change, by=by),
}

# Written down by hand from the domain, not read from the code under test.
BECOMES = {"confirm": S.CONFIRMED, "decline": S.DECLINED, "withdraw": S.WITHDRAWN}
ALLOWED_ROLES = {
    "confirm": {Role.OFFICE_APPROVER},
    "decline": {Role.OFFICE_APPROVER},
    "withdraw": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
}
IN_THE_ADMIN = {Role.OFFICE_CLERK, Role.OFFICE_APPROVER, Role.AUDITOR}
PROPOSE = {
    "propose_budget": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "propose_edit": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "propose_virement": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "propose_carry_overs": {Role.OFFICE_CLERK, Role.OFFICE_APPROVER},
    "propose_overrun": {Role.OFFICE_APPROVER},
}


def make_change(state: ProposalState = S.PROPOSED, by: User | None = None) -> BudgetChange:
    by = by or ClerkFactory()
    change = services.propose_edit(budget=BudgetFactory(), by=by, reason="Beschluss", freeze=1)
    for action, then in BECOMES.items():
        if then == state:
            ACTIONS[action](change, by if action == "withdraw" else ApproverFactory())
    change.refresh_from_db()
    assert change.state == state
    return change


def person_for(action: str, change: BudgetChange) -> User:
    return change.proposed_by if action == "withdraw" else ApproverFactory()


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_in_every_state(action: str, state: ProposalState) -> None:
    change = make_change(state)
    records = Budget.history.count()

    if state == S.PROPOSED:
        ACTIONS[action](change, person_for(action, change))
        change.refresh_from_db()
        assert change.state == BECOMES[action]
        assert Budget.history.count() == records + (action == "confirm")
        return
    with pytest.raises(DomainError) as caught:
        ACTIONS[action](change, person_for(action, change))
    assert caught.value.code == "illegal_transition"
    change.refresh_from_db()
    assert (change.state, Budget.history.count()) == (state, records)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_by_every_role(action: str, role: Role) -> None:
    by = UserFactory(role=role)
    change = make_change(by=ApproverFactory())
    if action == "withdraw":
        BudgetChange.objects.update(proposed_by=by)

    if role in ALLOWED_ROLES[action]:
        assert ACTIONS[action](change, by).state == BECOMES[action]
        return
    with pytest.raises(PermissionDenied):
        ACTIONS[action](change, by)


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_in_every_state_through_the_admin(action: str, state: ProposalState) -> None:
    change = make_change(state)
    client = client_of(person_for(action, change))
    address = reverse("admin:funding_budgetchange_change", args=[change.pk])

    answer = client.post(address, {"step": action, "note": "Nein."})

    assert answer.status_code == (302 if state == S.PROPOSED else 200)
    change.refresh_from_db()
    assert change.state == (BECOMES[action] if state == S.PROPOSED else state)
    if state != S.PROPOSED:
        assert "Das geht nicht mehr" in answer.content.decode() or "nicht mehr möglich" in answer.content.decode()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_by_every_role_through_the_admin(action: str, role: Role) -> None:
    by = UserFactory(role=role)
    change = make_change(by=ApproverFactory())
    if action == "withdraw":
        BudgetChange.objects.update(proposed_by=by)
    address = reverse("admin:funding_budgetchange_change", args=[change.pk])
    client = client_of(by)

    offered = client.get(address, follow=True).content.decode()
    status = client.post(address, {"step": action, "note": "Nein."}, follow=role not in IN_THE_ADMIN).status_code

    may = role in ALLOWED_ROLES[action]
    assert (f'value="{action}"' in offered) is may
    assert status == (302 if may else 403)
    change.refresh_from_db()
    assert change.state == (BECOMES[action] if may else S.PROPOSED)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", PROPOSE)
def test_every_proposal_by_every_role(action: str, role: Role) -> None:
    by = UserFactory(role=role)
    first, second = BudgetFactory(virement_group="DK 7"), BudgetFactory(virement_group="DK 7")
    values: dict[str, dict[str, Any]] = {
        "propose_budget": {"name": "Neu", "fiscal_year": 2026, "appropriation": 1},
        "propose_edit": {"budget": first, "name": "Neu"},
        "propose_virement": {"budget": first, "counterpart": second, "amount": first.appropriation},
        "propose_carry_overs": {"rows": [services.CarryOver(first.pk, first.appropriation)]},
        "propose_overrun": {"budget": first, "amount": first.appropriation},
    }
    propose = getattr(services, action)
    records = Budget.history.count()

    if role in PROPOSE[action]:
        propose(by=by, reason="Beschluss", **values[action])
    else:
        with pytest.raises(PermissionDenied):
            propose(by=by, reason="Beschluss", **values[action])
    assert BudgetChange.objects.count() == (role in PROPOSE[action])
    assert Budget.history.count() == records


def test_the_table_says_what_the_services_do() -> None:
    assert {name: transition.sources for name, transition in CHANGE_TRANSITIONS} == {
        f"{action}_change": {S.PROPOSED} for action in ACTIONS
    }


@pytest.mark.parametrize("action", ACTIONS)
def test_inactive_people_decide_nothing(action: str) -> None:
    change = make_change()
    by = person_for(action, change)
    by.is_active = False
    by.save()

    with pytest.raises(PermissionDenied):
        ACTIONS[action](change, by)
