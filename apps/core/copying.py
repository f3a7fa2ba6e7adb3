"""Masses of rows into the database: COPY on PostgreSQL, inserts elsewhere; for rows without history."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

BATCH = 500
_NUMBERS, _TEXTS = frozenset({int, NoneType}), frozenset({str, NoneType})
_AS_THEY_ARE: Mapping[type[models.Field[Any, Any]], frozenset[type]] = {
    models.AutoField: _NUMBERS,
    models.BigAutoField: _NUMBERS,
    models.PositiveIntegerField: _NUMBERS,
    models.ForeignKey: _NUMBERS,
    models.CharField: _TEXTS,
    models.TextField: _TEXTS,
    models.DateField: frozenset({datetime.date, NoneType}),
}
"""Fields, exactly of these classes -> values, exactly of these, which the ORM saves as they are on PostgreSQL."""


def create_many(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    """Adds new rows; their keys stay unset. Call it inside a transaction."""
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(rows, batch_size=BATCH)
        return
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    names, values = ", ".join(str(field.column) for field in fields), saved_values(fields)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(values(row))


def saved_values(fields: Sequence[Any]) -> Callable[[models.Model], list[Any]]:
    """Takes a new row's values as the ORM would save them on PostgreSQL; made once for many rows."""
    database = connections[DEFAULT_DB_ALIAS]
    plan = [(field, field.attname, _kept_types(field)) for field in fields]

    def values(row: models.Model) -> list[Any]:
        known = row.__dict__
        return [
            value
            if (value := known.get(name, ...)).__class__ in kept
            else field.get_db_prep_save(field.pre_save(row, True), database)
            for field, name, kept in plan
        ]

    return values


def _kept_types(field: Any) -> frozenset[type]:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return frozenset()
    return _AS_THEY_ARE.get(type(field), frozenset())
