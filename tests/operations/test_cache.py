"""The cache while Redis hangs: nobody waits longer than its patience, and this process's memory takes over."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from apps.core.cache import PATIENCE_SECONDS, DegradingClient, PortalCache
from tests.operations.servers import own_redis

pytestmark = pytest.mark.postgres_only
BOUND = 3 * PATIENCE_SECONDS  # the client's own patience, without ours, is five seconds
WAITING = 4


@pytest.fixture(autouse=True)
def _redis_was_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DegradingClient, "_down_until", 0.0)


def goes_on_in_memory(cache: PortalCache) -> None:
    """The first question waits, the next ones do not ask."""
    began = time.monotonic()
    cache.set("attempts", 2)
    cache.incr("attempts")
    assert cache.get("attempts") == 3
    assert time.monotonic() - began < BOUND
    assert DegradingClient._down_until > began


def test_a_redis_that_hangs_after_it_has_answered() -> None:
    with own_redis() as redis:
        cache = PortalCache(redis.url, {})
        cache.set("attempts", 1)
        assert (cache.get("attempts"), DegradingClient._down_until) == (1, 0.0)
        redis.hang()
        goes_on_in_memory(cache)
        redis.go_on()


def test_a_redis_that_hangs_from_the_beginning() -> None:
    with own_redis() as redis:
        redis.hang()
        goes_on_in_memory(PortalCache(redis.url, {}))
        redis.go_on()


def test_a_redis_whose_host_takes_no_connection() -> None:
    with full_port() as port:
        goes_on_in_memory(PortalCache(f"redis://127.0.0.1:{port}/0", {}))


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full: the kernel lets everybody else wait, as a host that is gone does."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _number in range(WAITING):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]
