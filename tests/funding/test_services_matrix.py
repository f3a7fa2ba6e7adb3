"""Who may do what in which state: every pair, the forbidden ones included."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.models import Budget, EquipmentApplication, LedgerEntry
from apps.funding.workflow import TRANSITIONS
from apps.schools.models import Membership
from tests.factories import ApproverFactory, SchoolFactory, UserFactory
from tests.funding import ledger
from tests.funding.factories import BudgetFactory, coordinator_of, decide, make_application

pytestmark = pytest.mark.django_db
D = Decimal
S = ApplicationState


@dataclass
class Scene:
    """What an action is done to."""

    application: EquipmentApplication
    budget: Budget = field(default_factory=BudgetFactory)


Action = Callable[[Scene, User], Any]
APPLICATION_ACTIONS: dict[str, Action] = {
    "save_draft": lambda scene, by: services.save_draft(
        application=scene.application, revision=scene.application.revision, by=by, title="x", reason="", lines=[]
    ),
    "discard_draft": lambda scene, by: services.discard_draft(application=scene.application, by=by),
    "answer": lambda scene, by: services.answer(application=scene.application, by=by, text="Für die 5a."),
    "submit": lambda scene, by: services.submit(application=scene.application, by=by),
    "withdraw": lambda scene, by: services.withdraw(application=scene.application, by=by),
    "return_with_question": lambda scene, by: services.return_with_question(
        application=scene.application, by=by, question="Wofür?"
    ),
    "reject": lambda scene, by: services.reject(application=scene.application, by=by, reason="Nein."),
    "approve": lambda scene, by: services.approve(
        application=scene.application, by=by, decisions=decide(scene.application, scene.budget)
    ),
    "propose_approval": lambda scene, by: services.propose_approval(
        application=scene.application, by=by, decisions=decide(scene.application, scene.budget)
    ),
    "withdraw_proposal": lambda scene, by: services.withdraw_proposal(application=scene.application, by=by),
    "reserve": lambda scene, by: services.reserve(application=scene.application, budget=scene.budget, by=by),
    "cancel_reservation": lambda scene, by: services.cancel_reservation(application=scene.application, by=by),
}
MONEY_ACTIONS: dict[str, Action] = {
    "decide_several": lambda scene, by: services.decide_several(
        applications=[scene.application], by=by, budget=scene.budget
    ),
}

# Written down by hand from the domain, not read from the code under test.
ALLOWED_STATES: dict[str, set[ApplicationState]] = {
    "save_draft": {S.DRAFT, S.RETURNED},
    "discard_draft": {S.DRAFT},
    "answer": {S.RETURNED},
    "submit": {S.DRAFT, S.RETURNED},
    "withdraw": {S.SUBMITTED, S.RETURNED},
    "return_with_question": {S.SUBMITTED},
    "reject": {S.SUBMITTED},
    "approve": {S.SUBMITTED},
    "propose_approval": {S.SUBMITTED},
    "withdraw_proposal": set(S) - {S.DRAFT},
    "reserve": {S.SUBMITTED},
    "cancel_reservation": set(S) - {S.DRAFT},
}
FOLLOWING_STATES: dict[str, set[ApplicationState]] = {
    "order": {S.APPROVED, S.PARTIALLY_APPROVED},
    "cancel_order": {S.ORDERED},
    "deliver": {S.ORDERED},
    "return_goods": {S.DELIVERED},
    "close": {S.APPROVED, S.PARTIALLY_APPROVED, S.DELIVERED},
}
"""Steps that follow from the orders of its lines; nobody takes them of an application alone."""
SCHOOL = {"save_draft", "discard_draft", "answer", "submit", "withdraw"}
DESK = {"return_with_question", "reject", "propose_approval", "withdraw_proposal", "reserve", "cancel_reservation"}
ALLOWED_ROLES: dict[Role, set[str]] = {role: set() for role in Role} | {
    Role.COORDINATOR: SCHOOL,
    Role.OFFICE_CLERK: DESK,
    Role.OFFICE_APPROVER: DESK | {"approve"} | set(MONEY_ACTIONS),
}


def person_for(action: str, application: EquipmentApplication) -> User:
    return coordinator_of(application.school) if action in SCHOOL else ApproverFactory()


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("action", APPLICATION_ACTIONS)
def test_every_action_in_every_state(action: str, state: ApplicationState) -> None:
    scene = Scene(make_application(state))
    by = person_for(action, scene.application)
    entries, changes = LedgerEntry.objects.count(), scene.application.status_changes.count()
    scene.application.refresh_from_db()

    if state in ALLOWED_STATES[action]:
        APPLICATION_ACTIONS[action](scene, by)
        return
    expected = Http404 if state == S.DRAFT and action not in SCHOOL else DomainError
    with pytest.raises(expected):
        APPLICATION_ACTIONS[action](scene, by)

    scene.application.refresh_from_db()
    assert scene.application.state == state
    assert LedgerEntry.objects.count() == entries
    assert scene.application.status_changes.count() == changes


def test_the_table_says_what_the_services_do() -> None:
    for name, transition in TRANSITIONS:
        assert transition.sources == (ALLOWED_STATES | FOLLOWING_STATES)[name], name


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", [*APPLICATION_ACTIONS, *MONEY_ACTIONS])
def test_every_action_by_every_role(action: str, role: Role) -> None:
    state = min(ALLOWED_STATES.get(action, {S.SUBMITTED}), key=lambda state: state != S.SUBMITTED)
    scene = Scene(make_application(state))
    ledger.commit(scene.budget, D("1.00"), by=ApproverFactory())
    by = UserFactory(role=role, schools=[scene.application.school])
    perform = (APPLICATION_ACTIONS | MONEY_ACTIONS)[action]

    if action in ALLOWED_ROLES[role]:
        perform(scene, by)
    else:
        with pytest.raises(PermissionDenied):
            perform(scene, by)


@pytest.mark.parametrize("action", APPLICATION_ACTIONS)
def test_an_application_of_a_foreign_school_does_not_exist(action: str) -> None:
    """For a coordinator of another school, and for the office where another authority keeps the school."""
    state = min(ALLOWED_STATES[action], key=lambda state: state != S.SUBMITTED)
    school = SchoolFactory(foreign=action not in SCHOOL)
    scene = Scene(
        make_application(state, school=school, by=coordinator_of(school)) if action in SCHOOL else _foreign(school)
    )
    by = coordinator_of(SchoolFactory()) if action in SCHOOL else ApproverFactory()

    with pytest.raises(Http404):
        APPLICATION_ACTIONS[action](scene, by)

    scene.application.refresh_from_db()
    assert scene.application.state == state


def _foreign(school: Any) -> EquipmentApplication:
    """Submitted at a school that the office does not serve."""
    return make_application(S.SUBMITTED, school=school)


@pytest.mark.parametrize("action", sorted(SCHOOL))
def test_whoever_no_longer_serves_the_school_is_outside(action: str) -> None:
    application = make_application(min(ALLOWED_STATES[action], key=lambda state: state != S.SUBMITTED))
    by = application.created_by
    Membership.objects.filter(user=by).delete()

    with pytest.raises(Http404):
        APPLICATION_ACTIONS[action](Scene(application), by)


@pytest.mark.parametrize("action", [*APPLICATION_ACTIONS, *MONEY_ACTIONS])
def test_inactive_people_do_nothing(action: str) -> None:
    scene = Scene(make_application())
    by = person_for(action, scene.application)
    by.is_active = False
    by.save()

    with pytest.raises(PermissionDenied):
        (APPLICATION_ACTIONS | MONEY_ACTIONS)[action](scene, by)
