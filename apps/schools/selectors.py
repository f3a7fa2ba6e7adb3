"""Reads about schools that several apps need. Lists take their facts from one query, whatever their length."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from apps.accounts.models import User
from apps.core import clock
from apps.schools.models import PupilCount, School, Site, SocialIndex


def pupil_count_on(school: School, day: datetime.date | None = None) -> PupilCount | None:
    """The count that is valid on a day: the newest with a counting day up to it; None when there is none yet."""
    day = day or clock.today()
    return PupilCount.objects.filter(school=school, counted_on__lte=day).order_by("-counted_on").first()


def main_site(school: School) -> Site | None:
    """The site of the official address."""
    return Site.objects.filter(school=school, is_main=True).first()


def only_site(school: School) -> Site | None:
    """The site of a school that has no other."""
    first_two = list(Site.objects.filter(school=school)[:2])
    return first_two[0] if len(first_two) == 1 else None


def social_index_of(school: School) -> SocialIndex | None:
    """The newest social index; None for schools without one (special needs schools, vocational colleges)."""
    return SocialIndex.objects.filter(school=school).order_by("-school_year").first()


def with_facts(schools: QuerySet[School], day: datetime.date | None = None) -> QuerySet[School]:
    """Adds `pupils`, `pupils_counted_on`, `pupils_rounded`, `social_level` and `social_year`, None where unknown."""
    day = day or clock.today()
    counts = PupilCount.objects.filter(school=OuterRef("pk"), counted_on__lte=day).order_by("-counted_on")
    indices = SocialIndex.objects.filter(school=OuterRef("pk")).order_by("-school_year")
    return schools.annotate(
        pupils=Subquery(counts.values("pupils")[:1]),
        pupils_counted_on=Subquery(counts.values("counted_on")[:1]),
        pupils_rounded=Subquery(counts.values("rounded")[:1]),
        social_level=Subquery(indices.values("level")[:1]),
        social_year=Subquery(indices.values("school_year")[:1]),
    )


def people_of(school: School, user: Any) -> QuerySet[User]:
    """Active people who serve a school, for those who may know them; else none."""
    people: QuerySet[User] = User.objects.none()
    if user.has_perm("schools.view_membership"):
        people = User.objects.filter(memberships__school=school, is_active=True).order_by("role", "name")
    return people
