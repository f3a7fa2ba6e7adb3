"""Rounds: what may be handed in when, late ones, media concepts, and the reminder before the end."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import reverse
from post_office.models import Email

from apps.core import clock, formats
from apps.core.errors import DomainError
from apps.core.job_kinds import words_of
from apps.core.models import Job
from apps.funding import services, tasks
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationRound, EquipmentApplication, MediaConcept
from apps.funding.round_jobs import REMINDING_JOB
from apps.funding.round_selectors import next_round, open_rounds, rounds_to_choose
from apps.funding.services.rounds import MOST_CONCEPTS
from tests.factories import (
    ApproverFactory,
    AuditorFactory,
    ClerkFactory,
    CoordinatorFactory,
    SchoolFactory,
    SupportFactory,
)
from tests.funding.factories import ProgrammeFactory, RoundFactory, make_application, pdf_file
from tests.funding.portal import client_of, texts

pytestmark = pytest.mark.django_db
S = ApplicationState
TODAY = clock.today()
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def submit(application: EquipmentApplication) -> EquipmentApplication:
    return services.submit(application=application, by=application.created_by)


def refusal(application: EquipmentApplication) -> str:
    with pytest.raises(DomainError) as refused:
        submit(application)
    application.refresh_from_db()
    assert application.state == S.DRAFT
    return refused.value.code


def over(**values: Any) -> ApplicationRound:
    return RoundFactory(opens_on=TODAY - 30 * DAY, closes_on=TODAY - DAY, **values)


@pytest.mark.parametrize(("last_day", "is_late"), [(TODAY, False), (TODAY - DAY, True)])
def test_the_last_day_is_in_time_and_the_next_is_late(last_day: datetime.date, is_late: bool) -> None:
    row = RoundFactory(opens_on=TODAY - 30 * DAY, closes_on=last_day)

    application = submit(make_application(S.DRAFT, in_round=row))

    application.refresh_from_db()
    assert (application.state, application.is_late) == (S.SUBMITTED, is_late)


def test_what_came_back_with_a_question_keeps_its_mark() -> None:
    row = RoundFactory()
    application = submit(make_application(S.DRAFT, in_round=row))
    services.return_with_question(application=application, by=ClerkFactory(), question="Wofür?")
    ApplicationRound.objects.update(closes_on=TODAY - DAY)
    application.refresh_from_db()

    saved = services.save_draft(
        application=application, revision=2, by=application.created_by, title="x", reason="", lines=[], in_round=None
    )

    assert saved.round == row
    again = make_application(S.DRAFT, in_round=row)
    assert submit(again).is_late
    services.return_with_question(application=again, by=ClerkFactory(), question="Wofür?")
    ApplicationRound.objects.update(closes_on=TODAY)
    assert submit(EquipmentApplication.objects.get(pk=again.pk)).is_late


def test_without_a_round_only_while_none_is_open() -> None:
    over()
    RoundFactory(opens_on=TODAY + DAY)
    first, second = make_application(S.DRAFT), make_application(S.DRAFT)

    assert submit(first).state == S.SUBMITTED
    RoundFactory()
    assert refusal(second) == "round_missing"


def test_a_round_that_is_not_open_yet_takes_nothing() -> None:
    assert refusal(make_application(S.DRAFT, in_round=RoundFactory(opens_on=TODAY + DAY))) == "round_not_open"


@pytest.mark.parametrize("by_programme", [True, False])
def test_a_round_may_ask_for_the_media_concept(by_programme: bool) -> None:
    programme = ProgrammeFactory(requires_media_concept=by_programme)
    row = RoundFactory(programme=programme, requires_media_concept=not by_programme)
    application = make_application(S.DRAFT, in_round=row)
    other_school = CoordinatorFactory(schools=[SchoolFactory()])
    services.add_concept(school=other_school.memberships.get().school, file=pdf_file(), dated_on=TODAY, by=other_school)

    assert refusal(application) == "concept_missing"
    services.add_concept(school=application.school, file=pdf_file(), dated_on=TODAY, by=application.created_by)
    assert submit(application).state == S.SUBMITTED


def test_a_concept_is_kept_with_its_name_and_removed_for_good(
    folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    school = SchoolFactory()
    by = CoordinatorFactory(schools=[school])

    concept = services.add_concept(
        school=school, file=pdf_file("../Konzept 2026.html"), dated_on=datetime.date(2026, 2, 1), by=by
    )

    assert (concept.name, concept.content_type, concept.by) == ("Konzept 2026.html.pdf", "application/pdf", by)
    assert len(list(folder.rglob("*.pdf"))) == 1
    with django_capture_on_commit_callbacks(execute=True):
        services.remove_concept(concept=concept, by=ClerkFactory())
    assert not list(folder.rglob("*.pdf"))
    assert MediaConcept.history.filter(history_type="-", name="Konzept 2026.html.pdf").count() == 1
    with pytest.raises(DomainError):
        services.remove_concept(concept=concept, by=ClerkFactory())


@pytest.mark.parametrize("fault", ["no_pdf", "future", "too_many"])
def test_what_is_refused_leaves_no_file_behind(folder: Path, fault: str) -> None:
    school, by = SchoolFactory(), ClerkFactory()
    if fault == "too_many":
        for _number in range(MOST_CONCEPTS):
            services.add_concept(school=school, file=pdf_file(), dated_on=TODAY, by=by)
    before = len(list(folder.rglob("*.pdf")))
    file = pdf_file()
    if fault == "no_pdf":
        file.file.seek(0)
        file.file.write(b"<html")
    with pytest.raises(DomainError):
        services.add_concept(school=school, file=file, dated_on=TODAY + DAY if fault == "future" else TODAY, by=by)

    assert len(list(folder.rglob("*.pdf"))) == before


def test_concepts_are_kept_within_the_scope_by_those_who_may() -> None:
    school = SchoolFactory()
    with pytest.raises(Http404):
        services.add_concept(
            school=school, file=pdf_file(), dated_on=TODAY, by=CoordinatorFactory(schools=[SchoolFactory()])
        )
    for factory in (AuditorFactory, SupportFactory):
        with pytest.raises(PermissionDenied):
            services.add_concept(school=school, file=pdf_file(), dated_on=TODAY, by=factory())


def test_which_rounds_there_are_to_choose() -> None:
    ended, later = over(), RoundFactory(opens_on=TODAY + 5 * DAY)
    second, first = RoundFactory(closes_on=TODAY + 2 * DAY), RoundFactory(closes_on=TODAY)
    application = make_application(S.DRAFT, in_round=ended)

    assert list(open_rounds()) == [first, second]
    assert next_round() == later
    assert rounds_to_choose() == [first, second]
    assert rounds_to_choose(application) == [ended, first, second]


# Reminders


def mails() -> dict[str, str]:
    return {",".join(mail.to): mail.message for mail in Email.objects.all()}


def test_schools_with_a_draft_or_nothing_handed_in_are_reminded_once() -> None:
    row = RoundFactory(name="Herbst", closes_on=TODAY + 14 * DAY, remind_days=14)
    done, drafting, idle = SchoolFactory(), SchoolFactory(), SchoolFactory()
    both = CoordinatorFactory(schools=[drafting, idle])
    alone = CoordinatorFactory(schools=[done])
    submit(make_application(S.DRAFT, school=done, by=alone, in_round=row))
    make_application(S.DRAFT, school=drafting, by=both, in_round=row, title="Offener Entwurf")
    SchoolFactory(foreign=True)

    tasks.remind_of_rounds()

    (text,) = mails().values()
    assert list(mails()) == [both.email]
    assert f"- {drafting}\n" in text
    assert f"- {idle}\n" in text
    assert "Offener Entwurf" in text
    assert "in 14 Tagen" in " ".join(text.split())
    job = Job.objects.get(kind=REMINDING_JOB)
    assert job.result == {"rounds": 1, "schools": 2, "mails": 1}
    assert words_of(REMINDING_JOB, job.result) == "1 Runde endet bald, 2 Schulen angeschrieben, 1 Mail"

    tasks.remind_of_rounds()
    assert len(mails()) == 1
    assert Job.objects.filter(kind=REMINDING_JOB).count() == 1


def test_a_draft_beside_what_is_handed_in_is_reminded_of() -> None:
    row = RoundFactory(closes_on=TODAY + DAY, remind_days=2)
    school = SchoolFactory()
    by = CoordinatorFactory(schools=[school])
    submit(make_application(S.DRAFT, school=school, by=by, in_round=row))
    make_application(S.DRAFT, school=school, by=by, in_round=row)

    assert services.remind_of_rounds().mails == 1


@pytest.mark.parametrize(
    "values",
    [
        {"closes_on": TODAY + 15 * DAY},
        {"closes_on": TODAY - DAY},
        {"opens_on": TODAY + DAY},
        {"remind_days": 0},
        {"reminded_on": TODAY - DAY},
    ],
)
def test_nobody_is_reminded_too_early_too_late_or_again(values: dict[str, Any]) -> None:
    CoordinatorFactory(schools=[SchoolFactory()])
    RoundFactory(**{"closes_on": TODAY + 3 * DAY} | values)

    assert services.remind_of_rounds() == services.rounds.Reminded()
    assert not mails()


# An earlier end


def edit_round(row: ApplicationRound, closes_on: datetime.date) -> HttpResponse:
    sent = {
        "name": row.name, "programme": "", "opens_on": f"{row.opens_on:%d.%m.%Y}", "closes_on": f"{closes_on:%d.%m.%Y}",
        "remind_days": row.remind_days, "note": "",
    }  # fmt: skip
    url = reverse("admin:funding_applicationround_change", args=[row.pk])
    return client_of(ApproverFactory()).post(url, sent, follow=True)


def test_schools_that_have_not_handed_in_hear_of_an_earlier_end() -> None:
    row = RoundFactory(name="Herbst", closes_on=TODAY + 20 * DAY)
    done, idle = SchoolFactory(), SchoolFactory()
    alone, other = CoordinatorFactory(schools=[done]), CoordinatorFactory(schools=[idle])
    submit(make_application(S.DRAFT, school=done, by=alone, in_round=row))

    page = edit_round(row, TODAY + 6 * DAY)

    assert "Die Runde endet früher. Eine Person erfährt es per Mail." in texts(page)
    ((to, text),) = mails().items()
    assert to == other.email
    assert (
        f"Die Runde „Herbst“ endet früher als angekündigt: am {formats.day(TODAY + 6 * DAY)} statt am"
        f" {formats.day(TODAY + 20 * DAY)}. Was Sie später einreichen, wird als verspätet gekennzeichnet."
    ) in " ".join(text.split())
    assert Email.objects.get().subject == f"Anträge: Die Runde „Herbst“ endet früher, am {formats.day(TODAY + 6 * DAY)}"


@pytest.mark.parametrize(
    ("opens", "closes", "then"), [(-10, 20, 20), (-10, 20, 25), (5, 20, 10), (-20, -2, -5)],
    ids=["same day", "later", "not begun", "over already"],
)  # fmt: skip
def test_nobody_is_told_of_anything_else(opens: int, closes: int, then: int) -> None:
    row = RoundFactory(opens_on=TODAY + opens * DAY, closes_on=TODAY + closes * DAY)
    CoordinatorFactory(schools=[SchoolFactory()])
    edit_round(row, TODAY + then * DAY)
    row.refresh_from_db()
    assert (row.closes_on, mails()) == (TODAY + then * DAY, {})
