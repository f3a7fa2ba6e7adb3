"""The worker's entry points; running any of them twice is harmless."""

from dataclasses import asdict

from celery import shared_task

from apps.core import jobs
from apps.core.clock import today
from apps.inventory import services
from apps.inventory.ageing_jobs import REMINDER_JOB
from apps.inventory.jobs import CLEARING_JOB, REMINDING_JOB
from apps.inventory.models import AgeingNotice
from apps.inventory.services import loan_care
from apps.inventory.services.reminding import notice_due_on


@shared_task(name=REMINDER_JOB)
def remind_of_ageing(job_id: int | None = None) -> None:
    """Every morning: mails what falls due on the days that the settings name; `job_id` when a person asked for it."""
    waiting = jobs.take_requested(job_id)
    due_on = notice_due_on(today())
    is_due = due_on is not None and not AgeingNotice.objects.filter(due_on=due_on).exists()
    if waiting is None and (job_id is not None or not is_due):
        return
    with jobs.running(REMINDER_JOB, waiting=waiting) as job:
        job.result = services.remind_of_ageing()


@shared_task(name="inventory.run_waiting_changes")
def run_waiting_changes() -> None:
    """Changes of many devices that people confirmed; sent after each and by beat."""
    services.run_waiting()


@shared_task(name="inventory.forget_changes")
def forget_changes() -> None:
    """Nightly: what changes of many devices kept for their undoing and is too old for it."""
    services.forget_changes()


@shared_task(name=REMINDING_JOB)
def remind_of_loans(job_id: int | None = None) -> None:
    """Daily: tells coordinators of loans that are due soon or overdue; `job_id` when a person asked for it."""
    waiting = jobs.take_requested(job_id)
    if waiting is not None or job_id is None:
        with jobs.running(REMINDING_JOB, waiting=waiting) as job:
            job.result = asdict(loan_care.remind_of_loans())


@shared_task(name=CLEARING_JOB)
def clear_loans(job_id: int | None = None) -> None:
    """Nightly: deletes personal details of loans that ended long ago; `job_id` when a person asked for it."""
    waiting = jobs.take_requested(job_id)
    if waiting is not None or job_id is None:
        with jobs.running(CLEARING_JOB, waiting=waiting) as job:
            job.result = asdict(loan_care.clear_loans())
