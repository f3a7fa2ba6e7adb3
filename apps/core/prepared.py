"""Statements that a connection to PostgreSQL plans once and then only runs.

For statements of many tables that touch few rows, of which planning is the greater part. The server forgets them with
the connection, which the portal's own pool keeps; a pooler that hands one session to several clients does not go with
this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.db.backends.utils import CursorWrapper

_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
"""The connections of the driver, each with the names of what it has planned."""


def execute_prepared(cursor: CursorWrapper, text: str, values: Sequence[Any]) -> None:
    """Runs a text with `$1, $2 ...` in it, each with its type (`$1::bigint[]`), on PostgreSQL, within a transaction.

    One plan serves all values: left alone, the server would plan for each of them and find that cheaper by its own
    estimates, which leave out most of what planning costs.
    """
    name = f"portal_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    known = _prepared.setdefault(cursor.db.connection, set())
    if name not in known:
        cursor.execute(f"PREPARE {name} AS {text}")
        known.add(name)
    cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    cursor.execute(f"EXECUTE {name} ({', '.join(['%s'] * len(values))})", values)
