"""Celery's clock, which also says that it is there."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.beat import PersistentScheduler
from django.conf import settings
from django.db import DatabaseError, connection

from apps.core import heartbeats
from apps.core.models import Heartbeat

logger = logging.getLogger(__name__)


class PortalScheduler(PersistentScheduler):
    """Shows a sign of life every `SIGN_SECONDS`; a database that does not answer never stops the clock."""

    _shown_at: float | None = None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        now = time.monotonic()
        if self._shown_at is None or now - self._shown_at >= settings.SIGN_SECONDS / 2:  # ticks come a little early
            self._shown_at = now
            _show_sign()
        seconds: float = super().tick(*args, **kwargs)
        return seconds


def _show_sign() -> None:
    try:
        heartbeats.show(Heartbeat.Part.BEAT)
    except DatabaseError as error:
        logger.warning("Beat could not show a sign of life: %s", error)
    finally:
        connection.close()
