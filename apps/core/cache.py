"""A cache in Redis that does without when Redis is down.

Sign-in counts its attempts in the cache. While Redis does not answer, each process counts on its own: limits then hold
per process, and nobody is kept out by an outage of the cache.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 5
PATIENCE_SECONDS = 1


class DegradingClient:
    """Redis, and this process's memory for as long as Redis does not answer; asked again after a pause."""

    _down_until = 0.0  # of the process: each thread has a client of its own

    def __init__(self, servers: list[str], **options: Any) -> None:
        patience = {"socket_connect_timeout": PATIENCE_SECONDS, "socket_timeout": PATIENCE_SECONDS}
        self._redis = RedisCacheClient(servers, **{**patience, "retry": Retry(NoBackoff(), 0), **options})
        self._memory = LocMemCache("while-redis-is-down", {})

    def __getattr__(self, name: str) -> Callable[..., Any]:
        in_redis, in_memory = getattr(self._redis, name), getattr(self._memory, name)

        def ask(*args: Any, **kwargs: Any) -> Any:
            if time.monotonic() < DegradingClient._down_until:
                return in_memory(*args, **kwargs)
            try:
                return in_redis(*args, **kwargs)
            except (RedisError, OSError) as error:
                DegradingClient._down_until = time.monotonic() + PAUSE_SECONDS
                logger.warning("Redis does not answer, the cache stays in this process for now: %s", error)
                return in_memory(*args, **kwargs)

        return ask


class PortalCache(RedisCache):
    """Django's Redis cache with the client above."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = DegradingClient
