"""Is the portal alive, and can it work? For proxies and operators; tells nothing secret.

Each part is asked in a thread of its own against a deadline, so that a part that hangs is told from one that is
down no later than one that answers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery import current_app, signature
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from apps.core import clock, heartbeats
from apps.core.models import Heartbeat

logger = logging.getLogger(__name__)
DEADLINE_SECONDS = 1.0
WORKER_SECONDS = 0.8
PAUSE_SECONDS = 0.1
OK, FAILING, UNKNOWN = "ok", "failing", "unknown"


class Probe:
    """One question to one part, asked by one thread at a time: a part that hangs gathers no threads."""

    def __init__(self, name: str, question: Callable[[], Any]) -> None:
        self._name = name
        self._question = question
        self._lock = threading.Lock()
        self._answer: Any = None
        self._answered = threading.Event()
        self._answered.set()

    def ask(self) -> None:
        """Begins to ask, unless an earlier question is still open."""
        with self._lock:
            if not self._answered.is_set():
                return
            self._answered = threading.Event()
            self._answer = None
            threading.Thread(target=self._run, args=(self._answered,), name=f"health-{self._name}", daemon=True).start()

    def answer(self, deadline: float) -> Any:
        """What came back by the deadline (of `time.monotonic`); None when nothing did."""
        if not self._answered.wait(max(deadline - time.monotonic(), 0)):
            logger.error("Health: the %s has not answered in time", self._name)
            return None
        return self._answer

    def _run(self, answered: threading.Event) -> None:
        try:
            self._answer = self._question()
        except (DatabaseError, OperationalError, OSError) as error:
            logger.error("Health: the %s does not answer: %s", self._name, error)
        finally:
            answered.set()


def _read_signs() -> dict[str, datetime]:
    """The last signs of life, which also proves that the database answers."""
    try:
        return heartbeats.last_signs()
    finally:
        connection.close()


def _reach_broker() -> bool:
    with current_app.connection_for_write(connect_timeout=1) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=1)
    return True


def _wake_worker() -> datetime | None:
    """Sends the worker its tiny task and waits a little for its sign; None when none comes."""
    asked_at = clock.now()
    signature(heartbeats.WORKER_TASK).apply_async(retry=False, expires=settings.SIGN_VALID_SECONDS)
    until = time.monotonic() + WORKER_SECONDS
    try:
        while time.monotonic() < until:
            time.sleep(PAUSE_SECONDS)
            seen = heartbeats.last_signs().get(Heartbeat.Part.WORKER)
            if seen is not None and seen >= asked_at:
                return seen
    finally:
        connection.close()
    return None


DATABASE = Probe("database", _read_signs)
BROKER = Probe("broker", _reach_broker)
WORKER = Probe("worker", _wake_worker)


def examine() -> dict[str, str]:
    """Part -> "ok", "failing" or "unknown"; takes less than two seconds whatever hangs."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    DATABASE.ask()
    BROKER.ask()
    signs, reached = DATABASE.answer(deadline), BROKER.answer(deadline)
    parts = {"database": FAILING if signs is None else OK, "broker": OK if reached else FAILING}
    if signs is None:
        return parts | {"worker": UNKNOWN, "beat": UNKNOWN}
    seen = heartbeats.is_recent(signs.get(Heartbeat.Part.WORKER))
    if not seen and reached:
        WORKER.ask()
        seen = WORKER.answer(time.monotonic() + WORKER_SECONDS + PAUSE_SECONDS) is not None
    beat = heartbeats.is_recent(signs.get(Heartbeat.Part.BEAT))
    return parts | {"worker": OK if seen else FAILING, "beat": OK if beat else FAILING}


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": OK})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """All parts work; 503 names the ones that do not."""
    parts = examine()
    good = all(state == OK for state in parts.values())
    return JsonResponse({"status": OK if good else FAILING, **parts}, status=200 if good else 503)
