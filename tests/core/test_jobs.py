"""Job rows: signs of life, broken-off jobs, requested runs."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from apps.core import clock, jobs
from apps.core.errors import DomainError
from apps.core.models import Job, JobState
from apps.core.tasks import run_requested_jobs, show_sign_of_life
from tests.factories import UserFactory
from tests.support.waiting import wait_until

KIND = "quotas.recalculate_all"


def silent_for(job: Job, seconds: float) -> Job:
    Job.objects.filter(pk=job.pk).update(beat_at=clock.now() - datetime.timedelta(seconds=seconds))
    job.refresh_from_db()
    return job


def running_job() -> Job:
    job = jobs.queue_job(KIND)
    assert jobs.begin_job(job)
    return job


@pytest.mark.django_db(transaction=True)
def test_a_running_job_shows_signs_of_life_while_its_work_is_silent(settings: Any) -> None:
    settings.RECALC_SECONDS = 4  # patience 3 s, so a sign every 0.75 s

    with jobs.running(KIND) as job:
        wait_until(lambda: Job.objects.get(pk=job.pk).beat_at > job.beat_at, seconds=5, what="a second sign of life")

    job.refresh_from_db()
    assert job.state == JobState.DONE


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_how_far_a_job_is_can_be_read_while_its_one_transaction_lasts(settings: Any) -> None:
    settings.RECALC_SECONDS = 4

    with jobs.running(KIND, total=12_000) as job, transaction.atomic():
        jobs.queue_job("other")  # on SQLite nobody else writes from here on
        job.done = 7_000
        wait_until(
            lambda: jobs.progress_of(Job.objects.get(pk=job.pk)) == jobs.Progress(7_000, 12_000),
            seconds=5,
            what="the figure",
        )


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_a_cache_that_cannot_be_written_costs_no_sign_of_life(settings: Any, tmp_path: Path) -> None:
    settings.RECALC_SECONDS = 4
    (tmp_path / "file").touch()
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path / "file" / "cache")}}

    with jobs.running(KIND, total=12_000) as job:
        job.done = 7_000
        wait_until(lambda: Job.objects.get(pk=job.pk).done == 7_000, seconds=5, what="the figure")


@pytest.mark.django_db
def test_a_job_that_falls_silent_is_broken_off_and_one_that_speaks_is_not() -> None:
    patience = jobs.patience().total_seconds()
    dead, alive, waiting = silent_for(running_job(), patience + 1), running_job(), jobs.queue_job(KIND)
    assert [jobs.is_broken_off(job) for job in (dead, alive, waiting)] == [True, False, False]

    show_sign_of_life()

    states = [Job.objects.get(pk=job.pk).state for job in (dead, alive, waiting)]
    assert states == [JobState.BROKEN_OFF, JobState.RUNNING, JobState.QUEUED]
    assert Job.objects.get(pk=dead.pk).ended_at == dead.beat_at


@pytest.mark.django_db
def test_a_job_without_any_sign_counts_from_its_start() -> None:
    job = running_job()
    Job.objects.filter(pk=job.pk).update(beat_at=None, started_at=clock.now() - 2 * jobs.patience())
    job.refresh_from_db()

    assert jobs.is_broken_off(job)
    assert jobs.close_broken_off() == 1


@pytest.mark.django_db
def test_patience_ends_before_the_next_sweep(settings: Any) -> None:
    settings.RECALC_SECONDS = 60
    assert jobs.patience() == datetime.timedelta(seconds=45)


@pytest.mark.django_db
def test_asking_twice_asks_once() -> None:
    person = UserFactory()
    first = jobs.request_job(KIND, started_by=person)

    assert first is not None
    assert jobs.request_job(KIND, started_by=UserFactory()) is None
    assert jobs.take_requested(first.pk) == first
    assert jobs.request_job(KIND, started_by=person) is None, "it runs"
    assert jobs.take_requested(first.pk) is None, "somebody has it"

    jobs.finish_job(first, result={})
    assert jobs.request_job(KIND, started_by=person) is not None


@pytest.mark.django_db
def test_a_run_whose_worker_died_may_be_asked_for_again() -> None:
    job = jobs.request_job(KIND, started_by=UserFactory())
    assert job is not None
    jobs.begin_job(job)
    silent_for(job, jobs.patience().total_seconds() + 1)

    assert jobs.request_job(KIND, started_by=UserFactory()) is not None


@pytest.mark.django_db(transaction=True)
def test_a_requested_run_whose_nudge_was_lost_is_sent_again(worker: Any) -> None:
    job = jobs.request_job(KIND, started_by=UserFactory())
    assert job is not None

    run_requested_jobs()

    wait_until(lambda: Job.objects.get(pk=job.pk).state == JobState.DONE, what="the requested run")
    assert Job.objects.filter(kind=KIND).count() == 1


@pytest.mark.django_db
def test_a_refusal_is_kept_as_its_sentence_and_a_fault_with_its_kind() -> None:
    refused, broken = running_job(), running_job()
    jobs.fail_job(refused, DomainError("Bitte laden Sie die Seite neu."))
    jobs.fail_job(broken, ValueError("x"))
    reasons = Job.objects.filter(pk__in=[refused.pk, broken.pk]).order_by("pk").values_list("error", flat=True)
    assert list(reasons) == ["Bitte laden Sie die Seite neu.", "ValueError: x"]
