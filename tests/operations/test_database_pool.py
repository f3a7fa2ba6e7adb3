"""The pool of connections after an outage: the first request finds the server, however long it was gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import ConnectionHandler, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from mepportal.environment import Environment
from tests.operations.servers import PrivatePostgres, own_postgres
from tests.support.waiting import wait_until

pytestmark = pytest.mark.postgres_only
PATIENCE = 3
ROUNDS = 4
"""Attempts of the pool to connect, 0, 1, 3 and 5 seconds after the first request: the last one that is made.

Without an end the fourth would come after 7 seconds and the fifth after 15, and nobody could ask for another before.
"""


@contextmanager
def pooled(postgres: PrivatePostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseDatabaseWrapper]:
    """A connection as the portal's settings make it; only the request waits less."""
    monkeypatch.setenv("DATABASE_URL", postgres.url)
    monkeypatch.setenv("VAR_DIR", str(settings.VAR_DIR))
    values = Environment(settings.BASE_DIR).database()
    values["OPTIONS"]["pool"]["timeout"] = PATIENCE  # type: ignore[index]
    database = ConnectionHandler({"default": {}, "pooled": values})["pooled"]  # Django keeps one pool for each alias
    try:
        yield database
    finally:
        database.close()
        database.close_pool()  # type: ignore[attr-defined]


def answer(database: BaseDatabaseWrapper) -> int:
    """What a request does: take a connection, ask, give it back."""
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
            return int(cursor.fetchone()[0])
    finally:
        database.close()


def settled(stats: dict[str, int]) -> dict[str, int] | None:
    """The pool's figures, once all its connections lie ready."""
    return stats if stats["pool_available"] == stats["pool_size"] else None


def test_the_first_request_after_a_long_outage_is_answered(
    monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any
) -> None:
    with django_db_blocker.unblock(), own_postgres(tables=False) as postgres, pooled(postgres, monkeypatch) as database:
        assert answer(database) == 1
        pool = database.pool  # type: ignore[attr-defined]
        stats = wait_until(lambda: settled(pool.get_stats()), what="the pool to be filled")
        postgres.crash()
        with pytest.raises(OperationalError):
            answer(database)
        tried = ROUNDS * (stats["pool_size"] + 1)  # each is to be replaced, and the request asks for one more
        wait_until(lambda: pool.get_stats()["connections_errors"] >= tried, what="the pool's attempts")
        postgres.start()
        assert answer(database) == 1
