"""Reading rounds and media concepts."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

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


@dataclass(frozen=True)
class Pause:
    """No round is open; `following` is the one that opens next, None where none is announced."""

    following: ApplicationRound | None


def pause_between_rounds(day: datetime.date | None = None) -> Pause | None:
    """What to say while no round is open; None while one is, and in a city that has no rounds."""
    if open_rounds(day).exists() or not ApplicationRound.objects.exists():
        return None
    return Pause(next_round(day))


def rounds_to_choose(application: EquipmentApplication | None = None) -> list[ApplicationRound]:
    """What a draft may belong to: the open rounds, and the one that it belongs to already."""
    rows = list(open_rounds())
    own = None if application is None else application.round
    return rows if own is None or own in rows else [own, *rows]


@dataclass(frozen=True)
class RoundState:
    """What an application's round means for who would hand it in now."""

    row: ApplicationRound
    is_open: bool
    is_late: bool
    lacks_concept: bool


def round_state(application: EquipmentApplication, day: datetime.date | None = None) -> RoundState | None:
    """None without a round. What was handed in before and came back with a question is not late by now."""
    row, day = application.round, day or clock.today()
    if row is None:
        return None
    is_first = application.state == ApplicationState.DRAFT
    has_concept = not row.asks_for_concept or MediaConcept.objects.filter(school=application.school_id).exists()
    return RoundState(
        row,
        is_open=row.is_open(day) or not is_first,
        is_late=row.is_over(day) if is_first else application.is_late,
        lacks_concept=not has_concept,
    )


def concepts_of(school: School, user: User) -> QuerySet[MediaConcept]:
    """A school's media concepts, the newest first; `is_held` by an application that was handed in with it."""
    rows: QuerySet[MediaConcept] = MediaConcept.objects.visible_to(user)
    held = Exists(EquipmentApplication.objects.filter(concept=OuterRef("pk")))
    return rows.filter(school=school).select_related("by").annotate(is_held=held)


def schools_to_remind(row: ApplicationRound, day: datetime.date) -> QuerySet[School]:
    """Schools that count on the day and have a draft that could belong to a round, or nothing handed in for it."""
    applications = EquipmentApplication.objects.all()
    drafts = applications.filter(Q(round=row) | Q(round__isnull=True), state=ApplicationState.DRAFT)
    handed_in = applications.filter(round=row).exclude(state=ApplicationState.DRAFT)
    schools: QuerySet[School] = School.objects.counted_on(day)
    return schools.filter(Q(pk__in=drafts.values("school")) | ~Q(pk__in=handed_in.values("school"))).order_by("pk")
