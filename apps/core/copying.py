"""Masses of rows into the database: COPY on PostgreSQL, inserts elsewhere; for rows without history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

BATCH = 500


def create_many(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    """Adds new rows; their keys stay unset. Call it inside a transaction."""
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(rows, batch_size=BATCH)
        return
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    names = ", ".join(str(field.column) for field in fields)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(saved_values(row, fields))


def saved_values(row: models.Model, fields: Sequence[Any]) -> list[Any]:
    """The values of a new row as the ORM would save them."""
    database = connections[DEFAULT_DB_ALIAS]
    return [field.get_db_prep_save(field.pre_save(row, True), database) for field in fields]
