"""Job rows: what runs outside a request leaves its progress and its outcome in the database.

A running job shows a sign of life several times within `patience()`. One that falls silent has lost its worker: it
is shown as broken off at once, and `close_broken_off` writes that down with the next sweep.
"""

from __future__ import annotations

import datetime
import logging
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Max, Q
from django.db.models.functions import Coalesce
from structlog.contextvars import bound_contextvars

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.models import Job, JobState

logger = logging.getLogger(__name__)
SIGNS_PER_PATIENCE = 4
SECONDS_BETWEEN_FIGURES = 2
"""How often the figures of a job that got further are written."""
SECONDS_OF_A_FIGURE = 600


def patience() -> datetime.timedelta:
    """How long a running job may show no sign of life: less than the time between two sweeps."""
    return datetime.timedelta(seconds=max(0.75 * settings.RECALC_SECONDS, 3))


def queue_job(kind: str, *, started_by: Any = None, total: int = 0) -> Job:
    """A job that is due; the worker begins it, or the next sweep does."""
    return Job.objects.create(kind=kind, started_by=started_by, total=total)


def request_job(kind: str, *, started_by: Any) -> Job | None:
    """A run that a person asks for; None when one of its kind waits or runs already, so asking twice is harmless."""
    if Job.objects.filter(alive(), kind=kind, state=JobState.RUNNING).exists():
        return None
    try:
        with transaction.atomic():
            return Job.objects.create(kind=kind, requested=kind, started_by=started_by)
    except IntegrityError:
        return None


def begin_job(job: Job) -> bool:
    """Takes a waiting job; False when somebody else has it already."""
    moment = clock.now()
    taken = Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(
        state=JobState.RUNNING, started_at=moment, beat_at=moment, requested=None
    )
    if taken:
        job.refresh_from_db()
    return bool(taken)


def report_progress(job: Job, *, done: int, total: int | None = None) -> None:
    """Steps done of steps in all; visible to everybody at once (outside the work's transaction)."""
    values: dict[str, Any] = {"done": done, "beat_at": clock.now()}
    if total is not None:
        values["total"] = total
    Job.objects.filter(pk=job.pk).update(**values)


def finish_job(job: Job, *, result: dict[str, Any]) -> None:
    """The job is done; `result` holds figures for people and pages (JSON)."""
    Job.objects.filter(pk=job.pk).update(
        state=JobState.DONE, ended_at=clock.now(), result=result, error="", requested=None
    )


def fail_job(job: Job, error: BaseException) -> None:
    """The job failed. Operators read a refusal's sentence, or the last line of a fault."""
    is_refusal = isinstance(error, DomainError)
    reason = str(error) if is_refusal else traceback.format_exception_only(error)[-1].strip()
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, ended_at=clock.now(), error=reason, requested=None)


@contextmanager
def running(kind: str, *, started_by: Any = None, total: int = 0, waiting: Job | None = None) -> Iterator[Job]:
    """A job for the length of a block: a new one, or `waiting`, which the caller has begun.

    Set `job.result` inside; an error marks it failed and goes on up.
    """
    job = waiting
    if job is None:
        moment = clock.now()
        job = Job.objects.create(
            kind=kind, started_by=started_by, total=total, state=JobState.RUNNING, started_at=moment, beat_at=moment
        )
    try:
        with kept_alive(job):
            yield job
    except BaseException as error:
        _fail_if_possible(job, error)
        raise
    finish_job(job, result=job.result)


def _fail_if_possible(job: Job, error: BaseException) -> None:
    """Where the database is what failed, the row stays as it is and counts as broken off."""
    try:
        fail_job(job, error)
    except DatabaseError:
        logger.warning("Job %s failed, which the database could not record: %s", job.pk, error)


def take_requested(job_id: int | None) -> Job | None:
    """Begins the run that a person asked for; None when somebody else has it, or for no number."""
    job = Job.objects.filter(pk=job_id).first() if job_id else None
    return job if job is not None and begin_job(job) else None


def last_job(kind: str, *, state: str | None = None) -> Job | None:
    """The newest run of a kind that has ended (or that is in `state`)."""
    rows = Job.objects.filter(kind=kind)
    rows = rows.filter(state=state) if state else rows.filter(ended_at__isnull=False)
    return rows.order_by("-pk").first()


# Signs of life


@contextmanager
def kept_alive(job: Job) -> Iterator[None]:
    """Shows signs of life from a thread of its own, because a statement of the work may take long.

    Each shows how far the work is, too, from the job's `done`: a long transaction only sets that in memory.
    """
    over = threading.Event()
    signs = threading.Thread(target=_show_signs, args=(job, over), name=f"job-{job.pk}", daemon=True)
    signs.start()
    try:
        with bound_contextvars(job_id=job.pk):
            logger.info("Job begins: %s", job.kind)  # one line with the ids of request, task and job
            yield
    finally:
        over.set()
        signs.join()


def seconds_between_signs() -> float:
    """Often enough for the job, and for its worker, whose sign of life it is, too."""
    return min(patience().total_seconds() / SIGNS_PER_PATIENCE, settings.SIGN_SECONDS)


def _show_signs(job: Job, over: threading.Event) -> None:
    shown, sign_due = job.done, time.monotonic() + seconds_between_signs()
    try:
        while not over.wait(min(SECONDS_BETWEEN_FIGURES, seconds_between_signs())):
            if job.done == shown and time.monotonic() < sign_due:
                continue
            _show_sign(job.pk, job.done if job.done != shown else None)
            shown, sign_due = job.done, time.monotonic() + seconds_between_signs()
    finally:
        connection.close()


def _show_sign(job_id: int, done: int | None) -> None:
    """On SQLite the work's own transaction may keep this one waiting: how far it is stands in the cache meanwhile."""
    values: dict[str, Any] = {"beat_at": clock.now()} | ({} if done is None else {"done": done})
    if done is not None and connection.vendor == "sqlite":
        with suppress(OSError):
            cache.set(_figure(job_id), done, timeout=SECONDS_OF_A_FIGURE)
    try:
        Job.objects.filter(pk=job_id, state=JobState.RUNNING).update(**values)
    except DatabaseError as error:
        logger.debug("No sign of life of job %s: %s", job_id, error)


def _figure(job_id: int) -> str:
    return f"job-{job_id}-done"


@dataclass(frozen=True)
class Progress:
    """Steps done of steps in all; `total` 0: not known yet."""

    done: int
    total: int


def progress_of(job: Job) -> Progress:
    """How far a job is, as far as anybody outside its transaction can know."""
    done = job.done
    if connection.vendor == "sqlite" and job.state == JobState.RUNNING:
        done = max(done, cache.get(_figure(job.pk)) or 0)
    return Progress(min(done, job.total), job.total)


def alive() -> Q:
    """Rows whose last sign of life is recent; only of meaning for those that run."""
    limit = clock.now() - patience()
    return Q(beat_at__gte=limit) | Q(beat_at__isnull=True, started_at__gte=limit)


def is_broken_off(job: Job) -> bool:
    """Whether the job's worker has died, written down already or not."""
    if job.state != JobState.RUNNING:
        return job.state == JobState.BROKEN_OFF
    seen = job.beat_at or job.started_at
    return seen is None or seen < clock.now() - patience()


def shown_state(job: Job) -> JobState:
    """The state as it is: a job whose worker died is broken off before a sweep has written it down."""
    return JobState.BROKEN_OFF if is_broken_off(job) else JobState(job.state)


def newest_runs(kinds: Iterable[str]) -> list[Job]:
    """The newest run of each of these kinds, the latest first; two queries."""
    newest = Job.objects.filter(kind__in=list(kinds)).order_by().values("kind").annotate(newest=Max("pk"))
    return list(Job.objects.filter(pk__in=list(newest.values_list("newest", flat=True))).order_by("-pk"))


def close_broken_off() -> int:
    """Writes down which running jobs have lost their worker, as of their last sign of life."""
    silent = Job.objects.filter(~alive(), state=JobState.RUNNING)
    return silent.update(state=JobState.BROKEN_OFF, ended_at=Coalesce("beat_at", "started_at", "created_at"))
