"""Tells the worker that something is due. What is due stands in the database; this is only the nudge."""

import logging
from typing import Any

from celery import Signature, Task
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def nudge(task: Task | Signature, *args: Any) -> None:
    """Sends a task after commit, waits at most about a second, logs and never raises.

    A signature names a task of a module that stands above the caller's.
    A lost nudge costs time only: beat sweeps what is due every RECALC_SECONDS.
    """
    transaction.on_commit(lambda: _send(task, args))


def _send(task: Task | Signature, args: tuple[Any, ...]) -> None:
    try:
        task.apply_async(args=args, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("Could not nudge %s, the next sweep will find the work: %s", task.name, error)
