"""Writes about schools: history, scope, and when figures become stale."""

import datetime
from decimal import Decimal

import pytest

from apps.accounts.choices import Role
from apps.core.errors import DomainError
from apps.schools import services
from apps.schools.choices import OFFICIAL_SCHOOL_TYPES
from apps.schools.models import Membership, PupilCount, PupilWeight, School, SchoolType, Site, SocialIndex
from tests.factories import AdminFactory, ClerkFactory, ForeignAuthorityFactory, SchoolFactory, UserFactory

pytestmark = pytest.mark.django_db


def version(school: School) -> int:
    return School.objects.values_list("inputs_version", flat=True).get(pk=school.pk)


def test_official_school_types_come_with_the_database_and_can_be_added_again() -> None:
    services.ensure_school_types()
    SchoolType.objects.filter(key="02").delete()
    SchoolType.objects.filter(key="04").update(name="Umbenannt")
    services.ensure_school_types()

    expected = dict(OFFICIAL_SCHOOL_TYPES) | {"04": "Umbenannt"}
    assert dict(SchoolType.objects.values_list("key", "name")) == expected


def test_own_authority_is_known_by_the_settings(settings: object) -> None:
    assert (services.ensure_authority("10315").name, services.ensure_authority("10315").is_own) == ("Stadt Hamm", True)
    other = services.ensure_authority("72000")
    assert (other.name, other.is_own, services.ensure_authority("72000").pk) == ("Schulträger 72000", False, other.pk)


@pytest.mark.parametrize(
    ("field", "value", "moves"),
    [("short_name", "Neu", False), ("startchancen", True, False), ("email", "a@b.example", False),
     ("opened_on", datetime.date(2020, 8, 1), True), ("closed_on", datetime.date(2030, 8, 1), True),
     ("school_type", "20", True), ("authority", None, True)],
)  # fmt: skip
def test_a_changed_school_counts_anew_when_its_figures_can_move(field: str, value: object, moves: bool) -> None:
    services.ensure_school_types()
    admin, school = AdminFactory(), SchoolFactory()
    if field == "school_type":
        school.school_type_id = value
    else:
        setattr(school, field, ForeignAuthorityFactory() if field == "authority" else value)
    before = version(school)
    services.save_school(school=School.objects.get(pk=school.pk), by=admin)
    assert version(school) == before
    services.save_school(school=school, by=admin)

    assert version(school) - before == int(moves)
    assert school.history.first().history_user == admin


def test_a_school_is_found_by_the_town_of_its_main_site() -> None:
    school, admin = SchoolFactory(short_name="GG Birken"), AdminFactory()
    site = Site(school=school, name="Hauptstandort", is_main=True, city="Musterstadt")
    services.save_details(rows=[site], by=admin)
    assert School.objects.search("musterstadt birken").get() == school

    services.save_school(school=School.objects.get(pk=school.pk), by=admin)
    assert School.objects.search("musterstadt").get() == school
    site.city = "Neudorf"
    services.save_details(rows=[site], by=admin)
    assert [School.objects.search(town).count() for town in ("musterstadt", "neudorf")] == [0, 1]


def test_a_saved_school_is_found_and_sorted_by_its_new_name() -> None:
    school = SchoolFactory(number="123456")
    school.short_name, school.official_name = "Ödlandschule", "Große Schule"
    services.save_school(school=school, by=None)

    assert school.sort_key == "odlandschule"
    assert list(School.objects.search("große ÖDLAND 123456 grundsch")) == [school]


def test_the_office_cannot_give_a_school_away() -> None:
    school = SchoolFactory()
    school.authority = ForeignAuthorityFactory()
    with pytest.raises(DomainError):
        services.save_school(school=school, by=ClerkFactory())

    assert School.objects.get(pk=school.pk).authority.is_own


def test_counts_make_figures_stale_other_details_do_not() -> None:
    clerk, school, other = ClerkFactory(), SchoolFactory(), SchoolFactory()
    count = PupilCount(school=school, school_year="2024/25", counted_on=datetime.date(2024, 10, 15), pupils=300)
    services.save_details(rows=[count], by=clerk)
    assert (version(school), version(other)) == (2, 1)
    services.save_details(rows=[SocialIndex(school=school, school_year="2024/25", level=3)], by=clerk)
    services.save_details(rows=[Site(school=school, name="A")], by=clerk)
    assert (version(school), version(other)) == (2, 1)
    count.school = other
    services.save_details(rows=[count], by=clerk)

    assert (version(school), version(other), count.history.count()) == (3, 2, 2)


def test_the_main_site_can_move_in_one_go() -> None:
    school = SchoolFactory()
    first = Site.objects.create(school=school, name="A", is_main=True)
    second = Site.objects.create(school=school, name="B")
    first.is_main, second.is_main = False, True
    services.save_details(rows=[second, first], by=None)

    assert list(Site.objects.filter(is_main=True)) == [second]


def test_weight_type_and_authority_reach_all_their_schools() -> None:
    services.ensure_school_types()
    admin, school = AdminFactory(), SchoolFactory()
    college = SchoolFactory(school_type=SchoolType.objects.get(key="30"))
    weight = PupilWeight(school_type=college.school_type, valid_from=datetime.date(2024, 8, 1), weight=Decimal("0.40"))
    services.save_weight(weight=weight, by=admin)
    assert (version(school), version(college)) == (1, 2)
    kind = college.school_type
    kind.name = "Kolleg"
    services.save_school_type(school_type=kind, by=admin)
    assert (version(school), version(college)) == (1, 2)
    kind.is_school = False
    services.save_school_type(school_type=kind, by=admin)
    assert (version(school), version(college)) == (1, 3)
    authority = school.authority
    authority.name = "Stadt"
    services.save_authority(authority=authority, by=admin)
    assert (version(school), version(college)) == (1, 3)
    authority.is_own = False
    services.save_authority(authority=authority, by=admin)
    assert (version(school), version(college)) == (2, 4)
    assert weight.history.get().history_user == authority.history.first().history_user == admin


def test_set_schools_ends_what_is_no_longer_meant() -> None:
    admin, kept, ended, new = AdminFactory(), SchoolFactory(), SchoolFactory(), SchoolFactory()
    person = UserFactory(role=Role.COORDINATOR, schools=[kept, ended])
    before = Membership.objects.get(user=person, school=kept).pk
    services.set_schools(user=person, schools=[kept, new], by=admin)

    assert set(person.memberships.values_list("school", flat=True)) == {kept.pk, new.pk}
    assert Membership.objects.get(user=person, school=kept).pk == before
    assert Membership.history.filter(history_type="-").get().history_user == admin
