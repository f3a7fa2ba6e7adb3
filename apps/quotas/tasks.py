"""The worker's entry points; running any of them twice is harmless."""

from celery import shared_task

from apps.core.jobs import take_requested
from apps.quotas import services


@shared_task(name="quotas.recalculate_stale")
def recalculate_stale(job_id: int | None = None) -> None:
    """Sweep and nudge alike: computes what is stale; `job_id` when a person asked for it."""
    waiting = take_requested(job_id)
    if waiting is not None or job_id is None:
        services.recalculate_stale(waiting=waiting)


@shared_task(name="quotas.recalculate_all")
def recalculate_all(job_id: int | None = None) -> None:
    """Nightly: computes everything and reports drift; `job_id` when a person asked for it."""
    waiting = take_requested(job_id)
    if waiting is not None or job_id is None:
        services.recalculate_all(waiting=waiting)
