"""Django's PostgreSQL with a pool that is whole again as soon as the server is."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from psycopg import Error
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Connections that died with the server are all replaced when the first of them is found.

    The pool's own check would ask them one by one with growing pauses: with four of them the first requests after a
    restart of the server waited in vain. So it stays off (`CONN_HEALTH_CHECKS`), and this one asks.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        if not self.pool or _lives(connection):
            return connection
        self.pool.putconn(connection)
        self.pool.drain()
        return super().get_new_connection(conn_params)


def _lives(connection: Any) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except Error:
        return False
    return True
