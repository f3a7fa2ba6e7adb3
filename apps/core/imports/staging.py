"""The check of a file: its rows are read, compared and staged in chunks. Part of the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import jobs
from apps.core.copying import create_rows
from apps.core.errors import ImportFileError
from apps.core.imports.columns import known_columns
from apps.core.imports.reading import Table, open_table
from apps.core.imports.rows import read_rows
from apps.core.imports.sources import Row, source_of
from apps.core.models import ImportRow, ImportRun, ImportState, Job, RowAction

CHUNK = 2_000
STAGED = ("run_id", "line", "key", "label", "action", "reason", "data", "changes", "errors", "hints")


def locked(run: ImportRun) -> ImportRun:
    return ImportRun.objects.select_for_update().get(pk=run.pk)


def job_of(run: ImportRun) -> Job:
    assert run.job is not None  # noqa: S101 - every run that is worked on has one
    return run.job


def stage(run: ImportRun, stream: BinaryIO) -> None:
    """Reads the file and stages its rows; stops when the run was discarded or begun anew meanwhile."""
    source = source_of(run.source)(run.options)
    ImportRow.objects.filter(run=run).delete()
    table = open_table(
        stream,
        known_columns=known_columns(source.all_columns()),
        legacy_encodings=source.legacy_encodings,
        limits=source.limits,
        like_exports=source.takes_exports,
    )
    source.see_header(table.header)
    positions = source.positions(table.header)
    source.prepare()
    counts, reasons, present, done = Counter[str](), Counter[str](), set[str](), 0
    records = read_rows(source, table, positions, present)
    while rows := list(islice(records, CHUNK)):
        source.compare([row for row in rows if row.is_sound])
        for row in rows:
            row.settle()
        if not _keep(run, rows):
            return
        counts.update(row.action for row in rows)
        counts["hints"] += sum(1 for row in rows if row.hints)
        reasons.update(row.reason for row in rows if row.reason)
        done += len(rows)
        jobs.report_progress(job_of(run), done=done, total=max(done, table.content.lines))
    if not done:
        raise ImportFileError(_("The file holds no rows below its header. Please choose another file."))
    source.see_end_of_file(done, is_workbook=table.content.is_workbook)
    missing = [entry for entry in source.expected() if entry[0] not in present]
    if not _keep_missing(run, missing):
        return
    counts[RowAction.MISSING] = len(missing)
    run.options = source.options
    _finish_check(run, table, counts, reasons)


def _keep(run: ImportRun, rows: Sequence[Row]) -> bool:
    """Stages a chunk; False when the run was discarded or begun anew meanwhile."""
    entries = (
        (
            run.pk,
            row.line,
            row.key[:80],
            row.label[:160],
            str(row.action),
            row.reason,
            row.data,
            row.changes,
            [fault.as_json() for fault in row.errors],
            [fault.as_json() for fault in row.hints],
        )
        for row in rows
    )
    return _stage_rows(run, entries)


def _keep_missing(run: ImportRun, missing: Sequence[tuple[str, str]]) -> bool:
    """Stages what is on file but not in this file, so that nothing falls away unseen."""
    action = str(RowAction.MISSING)
    entries = ((run.pk, None, key[:80], label[:160], action, "", {}, {}, [], []) for key, label in missing)
    return _stage_rows(run, entries)


def _stage_rows(run: ImportRun, entries: Iterable[Sequence[Any]]) -> bool:
    """Writes rows with the fields of STAGED."""
    with transaction.atomic():
        current = locked(run)
        if current.state != ImportState.CHECKING or current.job_id != run.job_id:
            return False
        create_rows(ImportRow, STAGED, entries)
    return True


def _finish_check(run: ImportRun, table: Table, counts: Counter[str], reasons: Counter[str]) -> None:
    figures = {action: counts[action] for action in (*RowAction.values, "hints")}
    with transaction.atomic():
        current = locked(run)
        if current.state != ImportState.CHECKING or current.job_id != run.job_id:
            return
        current.state, current.counts, current.reasons = ImportState.CHECKED, figures, dict(reasons)
        current.encoding = run.options.get("encoding", table.content.encoding)
        current.options = run.options
        current.save(update_fields=["state", "counts", "reasons", "encoding", "options"])
        jobs.finish_job(job_of(run), result=figures)
