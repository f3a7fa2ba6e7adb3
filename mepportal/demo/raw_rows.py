"""Rows of the past, written with the moments that they carry.

Fields that Django fills at each creation would say today; raw, as fixtures are loaded, they keep what is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import models

from apps.accounts.models import User

_Row = TypeVar("_Row", bound=models.Model)
BATCH = 100


def insert_raw(rows: Sequence[_Row]) -> list[_Row]:
    """Inserts rows of one model in a few statements; they have their keys afterwards."""
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        model: Any = type(batch[0])
        for row in batch:
            row._prepare_related_fields_for_save("insert_raw")  # takes the keys of rows that have them only now
        fields = [field for field in model._meta.concrete_fields if not field.primary_key]
        keys = model._base_manager._insert(
            list(batch), fields=fields, using="default", returning_fields=[model._meta.pk], raw=True
        )
        for row, (key,) in zip(batch, keys, strict=True):
            row.pk, row._state.adding, row._state.db = key, False, "default"
    return list(rows)


def insert_with_history(rows: Sequence[_Row], *, by: User) -> list[_Row]:
    """`insert_raw` with a first record of each, on its `_history_date`."""
    inserted = insert_raw(rows)
    if inserted:
        type(inserted[0]).history.bulk_history_create(inserted, batch_size=BATCH, default_user=by)  # type: ignore[attr-defined]
    return inserted
