"""What each role sees of schools: `visible_to` of every model of the app and of imports."""

import datetime

import pytest
from django.contrib.auth.models import AnonymousUser

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core.models import ImportRow, ImportRun, RowAction
from apps.schools.models import Membership, PupilCount, School, SchoolAuthority, SchoolType, Site, SocialIndex
from tests.factories import SchoolFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

MINE, CITY, FOREIGN = "100001", "100002", "100003"
ALL, OWN = {MINE, CITY, FOREIGN}, {MINE, CITY}
SCHOOLS = {
    Role.SCHOOL_STAFF: {MINE},
    Role.COORDINATOR: {MINE},
    Role.OFFICE_CLERK: OWN,
    Role.OFFICE_APPROVER: OWN,
    Role.HEAD: ALL,
    Role.IT_SUPPORT: OWN,
    Role.AUDITOR: ALL,
    Role.ADMIN: ALL,
}
MEMBERSHIPS = {
    Role.OFFICE_CLERK: OWN,
    Role.OFFICE_APPROVER: OWN,
    Role.IT_SUPPORT: OWN,
    Role.AUDITOR: ALL,
    Role.ADMIN: ALL,
}
IMPORTS = {Role.OFFICE_CLERK, Role.OFFICE_APPROVER, Role.AUDITOR, Role.ADMIN}
PEOPLE = {Role.AUDITOR, Role.ADMIN}


@pytest.fixture
def schools() -> list[School]:
    """Somebody's own school, another of the city and one of another authority, each with details and a colleague."""
    rows = [SchoolFactory(number=MINE), SchoolFactory(number=CITY), SchoolFactory(number=FOREIGN, foreign=True)]
    for row in rows:
        Site.objects.create(school=row, name="A")
        PupilCount.objects.create(school=row, school_year="2024/25", counted_on=datetime.date(2024, 10, 15), pupils=100)
        SocialIndex.objects.create(school=row, school_year="2024/25", level=5)
        UserFactory(role=Role.SCHOOL_STAFF, schools=[row])
    return rows


def numbers(rows: object, path: str = "school__number") -> set[str]:
    return set(rows.values_list(path, flat=True))  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", Role)
def test_schools_and_their_details(role: Role, schools: list[School]) -> None:
    user = UserFactory(role=role, schools=[schools[0]])

    assert numbers(School.objects.visible_to(user), "number") == SCHOOLS[role]
    for model in (Site, PupilCount, SocialIndex):
        assert numbers(model.objects.visible_to(user)) == SCHOOLS[role]


@pytest.mark.parametrize("role", Role)
def test_who_serves_which_school(role: Role, schools: list[School]) -> None:
    user = UserFactory(role=role, schools=[schools[0]])
    seen = Membership.objects.visible_to(user)

    assert numbers(seen) == MEMBERSHIPS.get(role, {MINE})
    if role not in MEMBERSHIPS:
        assert set(seen.values_list("user", flat=True)) == {user.pk}


@pytest.mark.parametrize("role", Role)
def test_people(role: Role, schools: list[School]) -> None:
    user = UserFactory(role=role)

    assert User.objects.visible_to(user).count() == (4 if role in PEOPLE else 1)


@pytest.mark.parametrize("role", Role)
def test_imports_and_their_rows(role: Role) -> None:
    run = ImportRun.objects.create(source="schuldaten", permission="schools.import_schools", file_name="a.csv")
    other = ImportRun.objects.create(source="other", permission="other.import_other", file_name="b.csv")
    for row in (run, other):
        ImportRow.objects.create(run=row, line=1, action=RowAction.NEW)
    user = UserFactory(role=role)
    expected = {"a.csv", "b.csv"} if role == Role.AUDITOR else {"a.csv"} if role in IMPORTS else set()

    assert numbers(ImportRun.objects.visible_to(user), "file_name") == expected
    assert numbers(ImportRow.objects.visible_to(user), "run__file_name") == expected


@pytest.mark.parametrize("role", Role)
def test_reference_data_are_for_everybody_who_signed_in(role: Role, schools: list[School]) -> None:
    user = UserFactory(role=role)

    assert SchoolAuthority.objects.visible_to(user).count() == 2
    assert SchoolType.objects.visible_to(user).filter(pk="02").exists()


@pytest.mark.parametrize(
    "model", [School, Site, PupilCount, SocialIndex, Membership, SchoolAuthority, SchoolType, User, ImportRun]
)
def test_nobody_sees_anything_without_signing_in(model: type, schools: list[School]) -> None:
    ImportRun.objects.create(source="schuldaten", permission="schools.import_schools", file_name="a.csv")
    inactive = UserFactory(role=Role.ADMIN, is_active=False)

    assert not model.objects.visible_to(AnonymousUser()).exists()  # type: ignore[attr-defined]
    assert not model.objects.visible_to(inactive).exists()  # type: ignore[attr-defined]


def test_a_person_may_serve_several_schools(schools: list[School]) -> None:
    user = UserFactory(role=Role.COORDINATOR, schools=schools)

    assert list(School.objects.visible_to(user).order_by("number").values_list("number", flat=True)) == sorted(ALL)
