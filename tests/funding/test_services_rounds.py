"""Rounds: what may be handed in when, late ones, media concepts, and the reminder before the end."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.http import Http404
from post_office.models import Email

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.job_kinds import words_of
from apps.core.models import Job
from apps.funding import services, tasks
from apps.funding.choices import ApplicationState
from apps.funding.models import ApplicationRound, Budget, EquipmentApplication, MediaConcept
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
from tests.funding.factories import (
    BudgetFactory,
    GrantFactory,
    ProgrammeFactory,
    RoundFactory,
    brought_to,
    decide,
    make_application,
    pdf_file,
)

pytestmark = pytest.mark.django_db
S = ApplicationState
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
    return RoundFactory(opens_on=today() - 30 * DAY, closes_on=today() - DAY, **values)


@pytest.mark.parametrize(("days_over", "is_late"), [(0, False), (1, True)])
def test_the_last_day_is_in_time_and_the_next_is_late(days_over: int, is_late: bool) -> None:
    row = RoundFactory(opens_on=today() - 30 * DAY, closes_on=today() - days_over * DAY)

    application = submit(make_application(S.DRAFT, in_round=row))

    application.refresh_from_db()
    assert (application.state, application.is_late) == (S.SUBMITTED, is_late)


def test_what_came_back_with_a_question_keeps_its_mark() -> None:
    row = RoundFactory()
    application = submit(make_application(S.DRAFT, in_round=row))
    services.return_with_question(application=application, by=ClerkFactory(), question="Wofür?")
    ApplicationRound.objects.update(closes_on=today() - DAY)
    application.refresh_from_db()

    saved = services.save_draft(
        application=application, revision=2, by=application.created_by, title="x", reason="", lines=[], in_round=None
    )

    assert saved.round == row
    again = make_application(S.DRAFT, in_round=row)
    assert submit(again).is_late
    services.return_with_question(application=again, by=ClerkFactory(), question="Wofür?")
    ApplicationRound.objects.update(closes_on=today())
    assert submit(EquipmentApplication.objects.get(pk=again.pk)).is_late


def test_without_a_round_only_while_none_is_open() -> None:
    over()
    RoundFactory(opens_on=today() + DAY)
    first, second = make_application(S.DRAFT), make_application(S.DRAFT)

    assert submit(first).state == S.SUBMITTED
    RoundFactory()
    assert refusal(second) == "round_missing"


def test_a_round_that_is_not_open_yet_takes_nothing() -> None:
    assert refusal(make_application(S.DRAFT, in_round=RoundFactory(opens_on=today() + DAY))) == "round_not_open"


@pytest.mark.parametrize("by_programme", [True, False])
def test_a_round_may_ask_for_the_media_concept(by_programme: bool) -> None:
    programme = ProgrammeFactory(requires_media_concept=by_programme)
    row = RoundFactory(programme=programme, requires_media_concept=not by_programme)
    application = make_application(S.DRAFT, in_round=row)
    other_school = CoordinatorFactory(schools=[SchoolFactory()])
    services.add_concept(
        school=other_school.memberships.get().school, file=pdf_file(), dated_on=today(), by=other_school
    )

    assert refusal(application) == "concept_missing"
    services.add_concept(school=application.school, file=pdf_file(), dated_on=today(), by=application.created_by)
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
            services.add_concept(school=school, file=pdf_file(), dated_on=today(), by=by)
    before = len(list(folder.rglob("*.pdf")))
    file = pdf_file()
    if fault == "no_pdf":
        file.file.seek(0)
        file.file.write(b"<html")
    with pytest.raises(DomainError):
        services.add_concept(school=school, file=file, dated_on=today() + DAY if fault == "future" else today(), by=by)

    assert len(list(folder.rglob("*.pdf"))) == before


def test_concepts_are_kept_within_the_scope_by_those_who_may() -> None:
    school = SchoolFactory()
    with pytest.raises(Http404):
        services.add_concept(
            school=school, file=pdf_file(), dated_on=today(), by=CoordinatorFactory(schools=[SchoolFactory()])
        )
    for factory in (AuditorFactory, SupportFactory):
        with pytest.raises(PermissionDenied):
            services.add_concept(school=school, file=pdf_file(), dated_on=today(), by=factory())


def test_which_rounds_there_are_to_choose() -> None:
    ended, later = over(), RoundFactory(opens_on=today() + 5 * DAY)
    second, first = RoundFactory(closes_on=today() + 2 * DAY), RoundFactory(closes_on=today())
    application = make_application(S.DRAFT, in_round=ended)

    assert list(open_rounds()) == [first, second]
    assert next_round() == later
    assert rounds_to_choose() == [first, second]
    assert rounds_to_choose(application) == [ended, first, second]


# Reminders


def mails() -> dict[str, str]:
    return {",".join(mail.to): mail.message for mail in Email.objects.all()}


def test_schools_with_a_draft_or_nothing_handed_in_are_reminded_once() -> None:
    row = RoundFactory(name="Herbst", closes_on=today() + 14 * DAY, remind_days=14)
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


def test_the_reminder_asks_for_the_concepts_that_are_not_there_and_brings_the_note() -> None:
    RoundFactory(closes_on=today() + DAY, requires_media_concept=True, note="Bitte mit Inventarnummern.")
    with_concept, without = SchoolFactory(), SchoolFactory()
    both, alone = CoordinatorFactory(schools=[with_concept, without]), CoordinatorFactory(schools=[with_concept])
    services.add_concept(school=with_concept, file=pdf_file(), dated_on=today(), by=alone)

    services.remind_of_rounds()

    about_both, about_one = mails()[both.email], mails()[alone.email]
    assert about_both.partition("es fehlt noch von:")[2].partition("\n\n")[0].strip() == f"- {without}"
    assert "Medienkonzept" not in about_one
    assert "Bitte mit Inventarnummern." in about_one


def test_a_draft_beside_what_is_handed_in_is_reminded_of() -> None:
    row = RoundFactory(closes_on=today() + DAY, remind_days=2)
    school = SchoolFactory()
    by = CoordinatorFactory(schools=[school])
    submit(make_application(S.DRAFT, school=school, by=by, in_round=row))
    make_application(S.DRAFT, school=school, by=by, in_round=row)

    assert services.remind_of_rounds().mails == 1


@pytest.mark.parametrize(
    "values",
    [
        lambda: {"closes_on": today() + 15 * DAY},
        lambda: {"closes_on": today() - DAY},
        lambda: {"opens_on": today() + DAY},
        lambda: {"remind_days": 0},
        lambda: {"reminded_on": today() - DAY},
    ],
)
def test_nobody_is_reminded_too_early_too_late_or_again(values: Callable[[], dict[str, Any]]) -> None:
    CoordinatorFactory(schools=[SchoolFactory()])
    RoundFactory(**{"closes_on": today() + 3 * DAY} | values())

    assert services.remind_of_rounds() == services.rounds.Reminded()
    assert not mails()


# Money of a programme that asks for a concept, and the concept that stays


def asking_budget() -> Budget:
    programme = ProgrammeFactory(requires_media_concept=True)
    return BudgetFactory(grant=GrantFactory(programme=programme, rate=Decimal(1)))


def concept_of(application: EquipmentApplication) -> MediaConcept:
    by = application.created_by
    return services.add_concept(school=application.school, file=pdf_file(), dated_on=today(), by=by)


def test_money_of_a_programme_that_asks_for_a_concept_needs_one_also_without_a_round() -> None:
    application, budget, by = make_application(), asking_budget(), ApproverFactory()
    decisions = decide(application, budget)

    for act in (services.propose_approval, services.approve):
        with pytest.raises(DomainError) as refused:
            act(application=application, by=by, decisions=decisions)
        assert (refused.value.code, refused.value.field) == ("concept_missing", "budget")
    concept = concept_of(application)
    services.approve(application=application, by=by, decisions=decisions)

    application.refresh_from_db()
    assert (application.state, application.concept) == (S.APPROVED, concept)


def test_other_money_needs_no_concept() -> None:
    application = make_application()

    services.approve(application=application, by=ApproverFactory(), decisions=decide(application, BudgetFactory()))

    application.refresh_from_db()
    assert application.concept is None


@pytest.mark.parametrize("state", [S.SUBMITTED, S.RETURNED, S.REJECTED, S.APPROVED])
def test_the_concept_of_an_open_or_decided_application_stays(state: S) -> None:
    draft = make_application(S.DRAFT)
    concept = concept_of(draft)
    application = brought_to(submit(draft), state)
    assert application.concept == concept

    with pytest.raises(DomainError) as refused:
        services.remove_concept(concept=concept, by=application.created_by)

    assert refused.value.code == "concept_held"
    assert application.title in str(refused.value)
    assert MediaConcept.objects.filter(pk=concept.pk).exists()


def test_the_concept_of_a_withdrawn_application_is_free_again() -> None:
    draft = make_application(S.DRAFT)
    concept = concept_of(draft)
    application = brought_to(submit(draft), S.WITHDRAWN)

    services.remove_concept(concept=concept, by=application.created_by)

    assert not MediaConcept.objects.exists()


def test_who_submits_again_submits_with_the_newest_concept() -> None:
    draft = make_application(S.DRAFT)
    first = concept_of(draft)
    application = brought_to(submit(draft), S.RETURNED)
    second = concept_of(application)

    assert submit(application).concept == second
    services.remove_concept(concept=first, by=application.created_by)


def test_concepts_that_stay_with_an_application_leave_room() -> None:
    draft = make_application(S.DRAFT)
    concept_of(draft)
    submit(draft)
    for _number in range(MOST_CONCEPTS):
        concept_of(draft)

    with pytest.raises(DomainError):
        concept_of(draft)


def test_applications_of_before_get_the_concept_of_their_day() -> None:
    draft = make_application(S.DRAFT)
    concept = concept_of(draft)
    application = submit(draft)
    concept_of(application)
    withdrawn = brought_to(submit(make_application(S.DRAFT, school=draft.school)), S.WITHDRAWN)
    EquipmentApplication.objects.update(concept=None)

    import_module("apps.funding.migrations.0017_concepts_of_earlier_applications").keep_concepts(apps, None)

    application.refresh_from_db()
    withdrawn.refresh_from_db()
    assert (application.concept, withdrawn.concept) == (concept, None)
