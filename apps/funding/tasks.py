"""The worker's entry points; running any of them twice is harmless."""

from dataclasses import asdict

from celery import shared_task

from apps.core import jobs
from apps.core.clock import today
from apps.funding import services
from apps.funding.round_jobs import REMINDING_JOB
from apps.funding.services.rounds import rounds_to_remind_of


@shared_task(name=REMINDING_JOB)
def remind_of_rounds(job_id: int | None = None) -> None:
    """Every morning: reminds schools of rounds that end soon; `job_id` when a person asked for it."""
    waiting = jobs.take_requested(job_id)
    if waiting is None and (job_id is not None or not rounds_to_remind_of(today())):
        return
    with jobs.running(REMINDING_JOB, waiting=waiting) as job:
        job.result = asdict(services.remind_of_rounds())
