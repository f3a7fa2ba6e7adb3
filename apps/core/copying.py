"""Masses of rows into the database: COPY on PostgreSQL, inserts elsewhere; for rows without history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models

BATCH = 500
_EMPTY = {dict: "{}", list: "[]"}
_as_json = json.JSONEncoder(ensure_ascii=False).encode


def create_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Adds new rows given as values of these fields, without an object for each: texts, numbers, JSON.

    `names` are the attributes of all fields but the key ("run_id"). Call it inside a transaction.
    """
    if connection.vendor != "postgresql":
        objects = (model(**dict(zip(names, row, strict=True))) for row in rows)
        model._default_manager.bulk_create(objects, batch_size=BATCH)
        return
    fields = {field.attname: field for field in model._meta.concrete_fields}
    columns = ", ".join(str(fields[name].column) for name in names)
    in_json = [place for place, name in enumerate(names) if isinstance(fields[name], models.JSONField)]
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            cells = list(row)
            for place in in_json:
                cells[place] = _as_json(cells[place]) if cells[place] else _EMPTY[type(cells[place])]
            copy.write_row(cells)
