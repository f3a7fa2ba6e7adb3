"""Rounds of applications: what they ask for, the media concepts of the schools, and the reminder before the end."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock, formats
from apps.core.errors import DomainError
from apps.core.history import delete_by, save_by
from apps.core.mail import queue_mail
from apps.core.uploads import PDF, recognised, safe_name
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationRound, Budget, EquipmentApplication, MediaConcept
from apps.funding.round_selectors import open_rounds, schools_to_remind
from apps.funding.services.steps import ensure_may
from apps.schools.models import Membership, School

KEEP = "funding.keep_concept"
MOST_BYTES = 20 * 1024 * 1024
MOST_CONCEPTS = 10
"""Of one school beside those that stay with an application, so that nobody takes the page for a file store."""


# What a round asks for


def ensure_fits(application: EquipmentApplication, day: datetime.date) -> None:
    """Refuses to hand in what its round does not take on the day; `code` says what is missing.

    Without a round only while none is open. An application that came back with a question stays where it was.
    """
    row = application.round
    if row is None:
        _ensure_none_open(application, day)
        return
    if day < row.opens_on:
        raise DomainError(
            _("The round “%(round)s” opens on %(day)s. Please submit the application from then on.")
            % {"round": row, "day": formats.day(row.opens_on)},
            code="round_not_open",
        )
    if row.asks_for_concept and not MediaConcept.objects.filter(school=application.school_id).exists():
        raise DomainError(
            _("The round “%(round)s” asks for the media concept of the school. Please upload it, and then submit.")
            % {"round": row},
            code="concept_missing",
        )


def newest_concept(application: EquipmentApplication) -> MediaConcept | None:
    """The school's, locked so that nobody removes it before it stands at the application."""
    rows = MediaConcept.objects.filter(school=application.school_id).select_for_update(of=("self",), no_key=True)
    found: MediaConcept | None = rows.order_by("-dated_on", "-pk").first()
    return found


def take_concept(application: EquipmentApplication, budgets: Iterable[Budget]) -> None:
    """Gives an application without a media concept its school's; the caller saves it.

    Refuses money of a programme that asks for one where there is none: whoever approves answers for that, also
    outside of rounds.
    """
    if application.concept_id is None:
        application.concept = newest_concept(application)
    if application.concept_id is not None:
        return
    asking = next((budget for budget in budgets if budget.asks_for_concept), None)
    if asking is not None:
        raise DomainError(
            _("“%(budget)s” is money of a programme that asks for the media concept of the school, and there is none. "
              "Please upload it at the school, choose another budget, or ask the school with a question.")
            % {"budget": asking},
            code="concept_missing",
            field="budget",
        )  # fmt: skip


def _ensure_none_open(application: EquipmentApplication, day: datetime.date) -> None:
    was_handed_in = application.submitted_at is not None
    if not was_handed_in and open_rounds(day).exists():
        raise DomainError(
            _("A round of applications is open. Please edit the application and choose the round it belongs to."),
            code="round_missing",
        )


# Media concepts


def add_concept(*, school: School, file: File, dated_on: datetime.date, by: User) -> MediaConcept:
    """Keeps a PDF of at most 20 MB as a media concept of the school. What was refused leaves no file behind."""
    ensure_may(by, KEEP)
    if dated_on > clock.today():
        raise DomainError(_("The date of the concept lies in the future. Please check it."), field="dated_on")
    kind = recognised(file, kinds=(PDF,), most_bytes=MOST_BYTES)
    concept = MediaConcept(
        dated_on=dated_on,
        name=safe_name(file.name or "", kind),
        content_type=kind.content_type,
        size=file.size,
        by=by,
    )
    try:
        with transaction.atomic():
            concept.school = _locked_school(school, by)
            _ensure_room(concept.school)
            concept.file.save(f"concept{kind.extensions[0]}", file, save=False)
            save_by(concept, by=by)
    except BaseException:
        if concept.file.name:
            default_storage.delete(concept.file.name)
        raise
    return concept


@transaction.atomic
def remove_concept(*, concept: MediaConcept, by: User) -> None:
    """Removes a concept for good once the transaction is written; the history keeps its name.

    Not the one with which an application was handed in or approved: that decision stands on it.
    """
    ensure_may(by, KEEP)
    school = get_object_or_404(School.objects.visible_to(by), pk=concept.school_id)
    rows = MediaConcept.objects.select_for_update(of=("self",))
    row = rows.filter(school=school, pk=concept.pk).first()
    if row is None:
        raise DomainError(_("The media concept was removed already. Please load the page again."))
    application = row.applications.order_by("pk").first()
    if application is not None:
        raise DomainError(
            _("The application “%(application)s” was handed in with this media concept, so it stays. You can upload a "
              "newer one beside it.")
            % {"application": application.title},
            code="concept_held",
        )  # fmt: skip
    name = row.file.name
    delete_by(row, by=by)
    transaction.on_commit(partial(default_storage.delete, name), robust=True)


def _locked_school(school: School, by: User) -> School:
    """`Http404` outside the person's scope."""
    rows = School.objects.filter(pk__in=School.objects.visible_to(by).values("pk"))
    row: School = get_object_or_404(rows.select_for_update(no_key=True), pk=school.pk)
    return row


def _ensure_room(school: School) -> None:
    if MediaConcept.objects.filter(school=school, applications__isnull=True).count() >= MOST_CONCEPTS:
        raise DomainError(
            _("The school has %(number)s media concepts already. Please remove one that is no longer needed.")
            % {"number": MOST_CONCEPTS},
            field="file",
        )


# Reminders


@dataclass(frozen=True)
class Reminded:
    """What a run did: rounds that were due, schools with something open, mails to their coordinators."""

    rounds: int = 0
    schools: int = 0
    mails: int = 0


def rounds_to_remind_of(day: datetime.date) -> Sequence[ApplicationRound]:
    """Open rounds that end within their `remind_days` and of which nobody was reminded yet."""
    rows = open_rounds(day).filter(remind_days__gt=0, reminded_on__isnull=True)
    return [row for row in rows if row.closes_on - datetime.timedelta(days=row.remind_days) <= day]


def remind_of_rounds() -> Reminded:
    """Tells coordinators once, `remind_days` before a round ends, where a draft lies or nothing is handed in yet."""
    day = clock.today()
    done = [_remind(row, day) for row in rounds_to_remind_of(day)]
    told = [result for result in done if result is not None]
    return Reminded(len(told), sum(schools for schools, _mails in told), sum(mails for _schools, mails in told))


@transaction.atomic
def _remind(row: ApplicationRound, day: datetime.date) -> tuple[int, int] | None:
    """(schools, mails) of one round; None when another run was faster."""
    locked = ApplicationRound.objects.select_for_update(no_key=True, of=("self",)).filter(reminded_on__isnull=True)
    found = locked.filter(pk=row.pk).first()
    if found is None:
        return None
    found.reminded_on = day
    found.save(update_fields=["reminded_on"])
    schools = {school.pk: school for school in schools_to_remind(found, day)}
    people = _coordinators_of(schools)
    for person, own in people.items():
        _mail(found, person, own, day)
    return len(schools), len(people)


def tell_of_earlier_end(*, row: ApplicationRound, before: datetime.date) -> int:
    """Tells the coordinators of schools that have not handed in that an open round ends before the day announced.

    How many mails; none for a round that has not begun, was over already, or ends no earlier.
    """
    day = clock.today()
    if row.closes_on >= before or row.opens_on > day or before < day:
        return 0
    people = _coordinators_of({school.pk: school for school in schools_to_remind(row, day)})
    for person, own in people.items():
        _mail(row, person, own, day, before=before)
    return len(people)


def _coordinators_of(schools: dict[int, School]) -> dict[User, list[School]]:
    """Each coordinator once, with those of their schools."""
    coordinators = User.objects.with_permission("funding.submit_application")
    rows = Membership.objects.filter(school__in=schools, user__in=coordinators).select_related("user")
    people: defaultdict[User, list[School]] = defaultdict(list)
    for membership in rows.order_by("user__email", "school__sort_key", "school_id"):
        people[membership.user].append(schools[membership.school_id])
    return people


def _mail(
    row: ApplicationRound,
    person: User,
    schools: list[School],
    day: datetime.date,
    *,
    before: datetime.date | None = None,
) -> None:
    """`before`: the end that was announced, where the round ends earlier now."""
    drafts = EquipmentApplication.objects.visible_to(person).filter(school__in=schools, state=ApplicationState.DRAFT)
    with translation.override("de"):
        words = (
            gettext("Applications: the round “%(round)s” ends on %(day)s")
            if before is None
            else gettext("Applications: the round “%(round)s” ends earlier, on %(day)s")
        )
        queue_mail(
            to=[person.email],
            subject=words % {"round": row, "day": formats.day(row.closes_on)},
            template="round_ends",
            context={
                "round": row,
                "before": before,
                "days_left": (row.closes_on - day).days,
                "schools": schools,
                "without_concept": _without_concept(schools) if row.asks_for_concept else [],
                "drafts": list(drafts.select_related("school").order_by("school__sort_key", "pk")),
                "address": f"{settings.PORTAL_URL}{reverse('funding:list')}",
            },
        )


def _without_concept(schools: Sequence[School]) -> list[School]:
    there = set(MediaConcept.objects.filter(school__in=schools).values_list("school", flat=True))
    return [school for school in schools if school.pk not in there]
