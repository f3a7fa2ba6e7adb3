"""Steps of imports in tests."""

import io
from typing import Any

from apps.core.imports import engine
from apps.core.imports.faults import faults_of
from apps.core.models import ImportRun, RowAction


def check(source: str, content: bytes, *, by: Any = None, **options: str) -> ImportRun:
    run = engine.create_run(source, by=by, file_name=f"{source}.csv", options=options)
    return engine.check(run.pk, io.BytesIO(content))


def take_in(source: str, content: bytes, *, by: Any = None, **options: str) -> ImportRun:
    run = check(source, content, by=by, **options)
    engine.request_apply(run, by=by)
    return engine.apply(run.pk)


def actions(run: ImportRun) -> dict[str, str]:
    """Number -> what happens to it, of all rows that are not unchanged."""
    rows = run.rows.exclude(action=RowAction.UNCHANGED).order_by("key")
    return {row.key: row.reason or row.action for row in rows}


def changes(run: ImportRun) -> dict[str, Any]:
    return {row.key: row.changes for row in run.rows.filter(action__in=(RowAction.NEW, RowAction.CHANGED))}


def told(run: ImportRun, what: str = "errors") -> list[tuple[int | None, str, str]]:
    """Line, column and text of all faults, or of all hints."""
    rows = run.rows.order_by("line")
    return [(row.line, fault.column, fault.text) for row in rows for fault in faults_of(getattr(row, what))]
