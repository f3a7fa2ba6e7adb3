"""Reading rounds and media concepts."""

from __future__ import annotations

import datetime

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.core import clock
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationRound, EquipmentApplication, MediaConcept
from apps.schools.models import School


def open_rounds(day: datetime.date | None = None) -> QuerySet[ApplicationRound]:
    """Rounds in which who submits on the day is in time, those that close first before the others."""
    day = day or clock.today()
    rows: QuerySet[ApplicationRound] = ApplicationRound.objects.filter(opens_on__lte=day, closes_on__gte=day)
    return rows.select_related("programme").order_by("closes_on", "pk")


def next_round(day: datetime.date | None = None) -> ApplicationRound | None:
    """The round that opens next; None where none is announced."""
    rows = ApplicationRound.objects.filter(opens_on__gt=day or clock.today())
    found: ApplicationRound | None = rows.order_by("opens_on", "pk").first()
    return found


def rounds_to_choose(application: EquipmentApplication | None = None) -> list[ApplicationRound]:
    """What a draft may belong to: the open rounds, and the one that it belongs to already."""
    rows = list(open_rounds())
    own = None if application is None else application.round
    return rows if own is None or own in rows else [own, *rows]


def concepts_of(school: School, user: User) -> QuerySet[MediaConcept]:
    """A school's media concepts, the newest first."""
    rows: QuerySet[MediaConcept] = MediaConcept.objects.visible_to(user)
    return rows.filter(school=school).select_related("by")


def schools_to_remind(row: ApplicationRound, day: datetime.date) -> QuerySet[School]:
    """Schools that count on the day and have a draft that could belong to a round, or nothing handed in for it."""
    applications = EquipmentApplication.objects.all()
    drafts = applications.filter(Q(round=row) | Q(round__isnull=True), state=ApplicationState.DRAFT)
    handed_in = applications.filter(round=row).exclude(state=ApplicationState.DRAFT)
    schools: QuerySet[School] = School.objects.counted_on(day)
    return schools.filter(Q(pk__in=drafts.values("school")) | ~Q(pk__in=handed_in.values("school"))).order_by("pk")
