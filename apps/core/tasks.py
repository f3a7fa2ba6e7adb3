"""Jobs without domain knowledge: signs of life, requested runs, queued mail, imports, clearing what has expired."""

from __future__ import annotations

import datetime

from celery import shared_task, signature
from django.core.management import call_command
from post_office.mail import send_queued_mail_until_done
from post_office.models import STATUS, Email

from apps.core import clock, heartbeats, job_kinds, jobs
from apps.core.core_jobs import CLEARING_JOB, mails_due
from apps.core.imports import engine
from apps.core.mail import SENDING_JOB
from apps.core.models import Heartbeat, Job, JobState
from apps.core.nudge import nudge

KEPT_DAYS = 180


@shared_task(name=heartbeats.WORKER_TASK)
def show_sign_of_life() -> None:
    """The worker takes tasks and reaches the database. Notes, too, which jobs have lost their worker."""
    heartbeats.show(Heartbeat.Part.WORKER)
    jobs.close_broken_off()


@shared_task(name="core.run_requested_jobs")
def run_requested_jobs() -> None:
    """Sends off again what people asked for and no worker has begun: the nudge was lost."""
    for job in Job.objects.filter(state=JobState.QUEUED, requested__isnull=False).order_by("pk"):
        kind = job_kinds.kind_of(job.kind)
        if kind is not None and kind.task:
            nudge(signature(kind.task), job.pk)


@shared_task(name=SENDING_JOB)
def send_queued_mail(job_id: int | None = None) -> None:
    """Sends what waits in the mail queue; a lock keeps two workers from sending the same mail twice."""
    waiting = jobs.take_requested(job_id)
    if waiting is None and (job_id is not None or not mails_due()):
        return
    with jobs.running(SENDING_JOB, waiting=waiting) as job:
        began = clock.now()
        send_queued_mail_until_done(processes=1)
        touched = Email.objects.filter(last_updated__gte=began)
        job.result = {
            "sent": touched.filter(status=STATUS.sent).count(),
            "failed": touched.filter(status=STATUS.failed).count(),
            "again": touched.filter(status=STATUS.requeued).count(),
        }


@shared_task(name=CLEARING_JOB)
def clear_expired(job_id: int | None = None) -> None:
    """Removes expired sessions, mails sent more than 180 days ago and runs of repeated jobs as old."""
    waiting = jobs.take_requested(job_id)
    if waiting is None and job_id is not None:
        return
    with jobs.running(CLEARING_JOB, waiting=waiting):
        call_command("clearsessions")
        call_command("cleanup_mail", days=KEPT_DAYS, delete_attachments=True)
        repeated = [kind.name for kind in job_kinds.kinds() if kind.repeated]
        before = clock.now() - datetime.timedelta(days=KEPT_DAYS)
        Job.objects.filter(kind__in=repeated, ended_at__lt=before).delete()


@shared_task(name="core.run_due_imports")
def run_due_imports() -> None:
    """Checks uploaded files and writes what was applied; sent after each upload and by beat."""
    engine.run_due()
