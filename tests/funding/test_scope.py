"""What each role sees of each kind of row: own school, foreign school, the city's money."""

from typing import Any

import pytest
from django.db.models import Model

from apps.accounts.choices import Role
from apps.funding import services
from apps.funding.choices import ApplicationState
from apps.funding.models import (
    ApplicationLine,
    ApplicationMessage,
    ApplicationStatusChange,
    Budget,
    EquipmentApplication,
    FundingProgramme,
    Grant,
    LedgerEntry,
    LineAllocation,
    ReplacedDevice,
    Reservation,
)
from tests.factories import ApproverFactory, ClerkFactory, DeviceFactory, SchoolFactory, UserFactory
from tests.funding.factories import BudgetFactory, decide, make_application

pytestmark = pytest.mark.django_db
S = ApplicationState

PARTS: list[type[Model]] = [ApplicationLine, ApplicationMessage, ApplicationStatusChange, ReplacedDevice]
MONEY: list[type[Model]] = [Budget, Grant, FundingProgramme, LedgerEntry, Reservation, LineAllocation]
ALL_SCHOOLS = {Role.OFFICE_CLERK, Role.OFFICE_APPROVER, Role.HEAD, Role.AUDITOR}


def furnish(school: Any) -> EquipmentApplication:
    """An application with one row of every kind behind it, and a second one that is pencilled in."""
    application = make_application(S.RETURNED, school=school)
    line = application.lines.get()
    ReplacedDevice.objects.create(line=line, device=DeviceFactory(school=school))
    services.submit(application=application, by=application.created_by)
    budget, own = BudgetFactory(from_grant=True), BudgetFactory()
    services.approve(application=application, by=ApproverFactory(), decisions=decide(application, budget, own))
    services.reserve(application=make_application(school=school), budget=budget, by=ClerkFactory())
    return application


def schools_of(model: Any, user: Any) -> set[int]:
    path = {
        EquipmentApplication: "school",
        ReplacedDevice: "line__application__school",
        LineAllocation: "line__application__school",
    }.get(model, "application__school")
    return set(model.objects.visible_to(user).values_list(path, flat=True))


@pytest.mark.parametrize("role", Role)
def test_applications_and_their_parts_are_seen_with_their_school(role: Role) -> None:
    own, foreign = SchoolFactory(), SchoolFactory()
    furnish(own)
    furnish(foreign)
    user = UserFactory(role=role, schools=[own])

    expected = {own.pk, foreign.pk} if role in ALL_SCHOOLS else {own.pk} if role == Role.COORDINATOR else set()
    for model in (EquipmentApplication, *PARTS):
        assert schools_of(model, user) == expected, model
    for model in (Reservation, LineAllocation):
        assert schools_of(model, user) == (expected if role in ALL_SCHOOLS else set()), model


@pytest.mark.parametrize("role", Role)
def test_money_is_not_for_schools(role: Role) -> None:
    furnish(SchoolFactory())
    user = UserFactory(role=role)

    for model in MONEY:
        assert model._default_manager.visible_to(user).exists() is (role in ALL_SCHOOLS), model  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", Role)
def test_drafts_are_seen_by_their_school_and_the_auditor(role: Role) -> None:
    draft = make_application(S.DRAFT)
    user = UserFactory(role=role, schools=[draft.school])

    sees = role in {Role.COORDINATOR, Role.AUDITOR}
    assert EquipmentApplication.objects.visible_to(user).exists() is sees
    assert ApplicationLine.objects.visible_to(user).exists() is sees


def test_inactive_people_see_nothing() -> None:
    furnish(SchoolFactory())
    user = ApproverFactory(is_active=False)

    for model in (EquipmentApplication, *PARTS, *MONEY):
        assert not model._default_manager.visible_to(user).exists(), model  # type: ignore[attr-defined]
