"""Writes with an actor: every row that changes keeps who changed it, when, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import models
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

_Row = TypeVar("_Row", bound=models.Model)
BATCH = 500


def save_by(row: _Row, *, by: Any, update_fields: Iterable[str] | None = None, reason: str = "") -> _Row:
    """Saves one row; its history entry names `by` (None: the portal itself) and the reason."""
    row._history_user = by  # type: ignore[attr-defined]  # simple-history's way to name the actor
    row._change_reason = reason or None  # type: ignore[attr-defined]
    row.save(update_fields=update_fields)
    return row


def delete_by(row: models.Model, *, by: Any, reason: str = "") -> None:
    """Deletes one row; its last history entry names the actor."""
    row._history_user = by  # type: ignore[attr-defined]
    row._change_reason = reason or None  # type: ignore[attr-defined]
    row.delete()


def bulk_create_by(rows: Sequence[_Row], *, by: Any, reason: str = "") -> list[_Row]:
    """Creates many rows with their history in a few statements."""
    if not rows:
        return []
    created: list[_Row] = bulk_create_with_history(
        list(rows), type(rows[0]), batch_size=BATCH, default_user=by, default_change_reason=reason or None
    )
    return created


def bulk_update_by(rows: Sequence[models.Model], fields: Sequence[str], *, by: Any, reason: str = "") -> None:
    """Updates named fields of many rows with their history in a few statements."""
    if rows:
        bulk_update_with_history(
            list(rows),
            type(rows[0]),
            list(fields),
            batch_size=BATCH,
            default_user=by,
            default_change_reason=reason or None,
        )
