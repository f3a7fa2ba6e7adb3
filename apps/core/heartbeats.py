"""Signs of life of the parts that answer no requests.

Beat writes its own; the worker writes its own by running a tiny task, which proves queue, worker and database in one.
Beat sends that task every `SIGN_SECONDS`, and `/health/ready` sends it when the last sign is old, so that a worker is
recognised without beat and beat without a worker.
"""

from __future__ import annotations

import datetime

from django.conf import settings

from apps.core import clock
from apps.core.jobs import alive
from apps.core.models import Heartbeat, Job, JobState

WORKER_TASK = "core.show_sign_of_life"


def show(part: Heartbeat.Part) -> None:
    """The part is at work."""
    moment = clock.now()
    Heartbeat.objects.update_or_create(part=part, defaults={"at": moment}, create_defaults={"at": moment})


def last_signs() -> dict[str, datetime.datetime]:
    """Part -> when it was last seen; a worker that is busy with a job is seen by the job's signs, too."""
    signs = dict(Heartbeat.objects.values_list("part", "at"))
    busy = Job.objects.filter(alive(), state=JobState.RUNNING, beat_at__isnull=False).order_by("-beat_at").first()
    if busy is not None and busy.beat_at is not None:
        signs[Heartbeat.Part.WORKER] = max(busy.beat_at, signs.get(Heartbeat.Part.WORKER, busy.beat_at))
    return signs


def is_recent(at: datetime.datetime | None) -> bool:
    """Whether a part that showed itself then counts as at work."""
    return at is not None and at >= clock.now() - datetime.timedelta(seconds=settings.SIGN_VALID_SECONDS)
