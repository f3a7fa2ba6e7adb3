"""Tells the worker that something is due. What is due stands in the database; this is only the nudge."""

import logging
import time
from typing import Any

from celery import Signature, Task
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 5


class _Broker:
    """When the broker, which did not answer a nudge of this process, is asked again (`time.monotonic`)."""

    silent_until = 0.0


def nudge(task: Task | Signature, *args: Any) -> None:
    """Sends a task after commit, waits at most about a second, logs and never raises.

    A signature names a task of a module that stands above the caller's.
    A broker that is down or hangs delays the first nudge only; the ones right after it are left out.
    A lost nudge costs time only: beat sweeps what is due every RECALC_SECONDS.
    """
    transaction.on_commit(lambda: _send(task, args))


def _send(task: Task | Signature, args: tuple[Any, ...]) -> None:
    if time.monotonic() < _Broker.silent_until:
        logger.info("Did not nudge %s, the broker did not answer a moment ago", task.name)
        return
    try:
        task.apply_async(args=args, retry=False)
    except (OperationalError, OSError) as error:
        _Broker.silent_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("Could not nudge %s, the next sweep will find the work: %s", task.name, error)
