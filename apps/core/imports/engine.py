"""Stages a file row by row, then writes it in one transaction.

A run is `checking` or `applying` as long as that is due; its job row says whether somebody has begun. Rows are
staged in chunks, and between chunks the check stops when the run was discarded. Writing cannot be stopped: it is
one transaction, refused while a row is faulty or when the data changed since the check.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core import clock, jobs
from apps.core.errors import DomainError, ImportFileError
from apps.core.imports.sources import ImportSource, Row, source_of
from apps.core.imports.staging import CHUNK, job_of, locked, stage
from apps.core.models import ImportRow, ImportRun, ImportState, Job, JobState, RowAction

logger = logging.getLogger(__name__)
CHECK_JOB = "core.check_import"
APPLY_JOB = "core.apply_import"
ATTEMPTS = 3
WRITTEN = (RowAction.NEW, RowAction.CHANGED)


# -- what people ask for --------------------------------------------------------------------------------------------


def create_run(
    source: str, *, by: Any, file_name: str, upload: File | None = None, options: Mapping[str, str] | None = None
) -> ImportRun:
    """A new run that is due to be checked; `upload` is kept until the run is applied or discarded."""
    kind = source_of(source)
    options = dict(options or {})
    if upload is not None:
        upload = kind.kept_file(upload, options)
    with transaction.atomic():
        run = ImportRun(
            source=kind.name,
            permission=kind.permission,
            file_name=file_name[-160:],
            options=options,
            created_by=by,
            job=jobs.queue_job(CHECK_JOB, started_by=by),
        )
        if upload is not None:
            run.file.save(f"{kind.name}.csv", upload, save=False)
        if options.pop("unassigned", ""):
            _wait_for_columns(run)
        run.save()
    return run


def _wait_for_columns(run: ImportRun) -> None:
    """There is nothing to check before somebody has said which column is which."""
    run.state, run.error = ImportState.UNREADABLE, _("Please say which columns hold what: none of them is known here.")
    jobs.finish_job(job_of(run), result={"unassigned": True})


def may_check_again(run: ImportRun, *, otherwise: bool = False) -> bool:
    """Whether the kept file can be checked; one that was unreadable only when it is read `otherwise`."""
    again = {ImportState.CHECKED, ImportState.FAILED} | ({ImportState.UNREADABLE} if otherwise else set())
    return run.state in again and bool(run.file)


def check_again(run: ImportRun, *, by: Any, options: Mapping[str, str] | None = None) -> None:
    """Checks the kept file afresh, e.g. because the data changed since, or a worker was interrupted.

    `options` are put on top of those of the run.
    """
    with transaction.atomic():
        run = locked(run)
        if not may_check_again(run, otherwise=bool(options)):
            raise DomainError(_("This file cannot be checked again. Please upload it once more."))
        run.state, run.error, run.options = ImportState.CHECKING, "", run.options | dict(options or {})
        run.job = jobs.queue_job(CHECK_JOB, started_by=by)
        run.save(update_fields=["state", "error", "options", "job"])


def request_apply(run: ImportRun, *, by: Any) -> None:
    """Marks a checked run as due to be written. Raises `DomainError` while a row is faulty."""
    with transaction.atomic():
        run = locked(run)
        _ensure_applicable(run)
        run.state, run.error, run.applied_by = ImportState.APPLYING, "", by
        run.job = jobs.queue_job(APPLY_JOB, started_by=by)
        run.save(update_fields=["state", "error", "applied_by", "job"])


def discard(run: ImportRun) -> None:
    """Drops the staged rows and the file; the run stays in the list. Stops a check that is under way."""
    with transaction.atomic():
        run = locked(run)
        if run.state in {ImportState.APPLYING, ImportState.APPLIED}:
            raise DomainError(_("This import is being applied or was applied already. It cannot be discarded."))
        run.rows.all().delete()
        run.state = ImportState.DISCARDED
        run.save(update_fields=["state"])
        if run.job is not None and run.job.state in {JobState.QUEUED, JobState.RUNNING}:
            jobs.finish_job(run.job, result={"discarded": True})
    _drop_file(run)


# -- checking -------------------------------------------------------------------------------------------------------


def check(run_id: int, stream: BinaryIO | None = None) -> ImportRun:
    """Does a check that is due; without effect when it is not, or when somebody has begun it."""
    run = ImportRun.objects.select_related("job").get(pk=run_id)
    if run.state != ImportState.CHECKING or run.job is None or not jobs.begin_job(run.job):
        return run
    try:
        with jobs.kept_alive(run.job):
            _check_stream(run, stream)
    except ImportFileError as error:
        _end(run, ImportState.UNREADABLE, error)
    except FileNotFoundError:
        _end(run, ImportState.FAILED, DomainError(_("The file is no longer there. Please upload it once more.")))
    except Exception as error:
        _end(run, ImportState.FAILED, error)
        raise
    run.refresh_from_db()
    return run


def _check_stream(run: ImportRun, stream: BinaryIO | None) -> None:
    if stream is not None:
        stage(run, stream)
        return
    with run.file.open("rb") as kept:
        stage(run, kept.file)


# -- writing --------------------------------------------------------------------------------------------------------


def apply(run_id: int) -> ImportRun:
    """Does a write that is due, all or nothing; without effect when it is not, or when somebody has begun it.

    Rows that already are as the file wants them are passed over. When the data changed since the check, nothing is
    written and the run goes back to `checked` with a sentence in `error`.
    """
    run = ImportRun.objects.select_related("job", "applied_by").get(pk=run_id)
    if run.state != ImportState.APPLYING or run.job is None or not jobs.begin_job(run.job):
        return run
    jobs.report_progress(run.job, done=0, total=sum(run.counts.get(action, 0) for action in WRITTEN))
    try:
        with jobs.kept_alive(run.job):
            _write(run)
    except (DomainError, IntegrityError) as error:
        logger.info("Import %s was not applied: %s", run.pk, error)
        reason = error if isinstance(error, DomainError) else _changed_since()
        _end(run, ImportState.CHECKED, reason)
    except Exception as error:
        _end(run, ImportState.FAILED, error)
        raise
    else:
        _drop_file(run)
    run.refresh_from_db()
    return run


def _write(run: ImportRun) -> None:
    source = source_of(run.source)(run.options)
    reason = (_("From the file “%(name)s”") % {"name": run.file_name})[:200]
    with transaction.atomic():
        _one_at_a_time(run)
        staged = ImportRow.objects.filter(run=run, action__in=WRITTEN).order_by("line")
        source.lock(staged)
        source.prepare()
        again = partial(_rows_again, source)
        rest = source.write_alike(staged, lambda some: again(list(_entries(some))), by=run.applied_by, reason=reason)
        job = job_of(run)
        job.done = staged.count() - rest.count() if rest is not staged else 0
        for chunk in _chunks(rest):
            rows = again(chunk)
            source.write([row for row in rows if row.action in WRITTEN], by=run.applied_by, reason=reason)
            job.done += len(chunk)
        ImportRun.objects.filter(pk=run.pk).update(state=ImportState.APPLIED, applied_at=clock.now(), error="")
        jobs.finish_job(job, result=run.counts)
        source.finish()


def _one_at_a_time(run: ImportRun) -> None:
    """Two imports of one kind wait for each other, in one order, so that neither creates what the other creates."""
    same = ImportRun.objects.select_for_update().filter(source=run.source, state=ImportState.APPLYING)
    if run.pk not in list(same.order_by("pk").values_list("pk", flat=True)):
        raise DomainError(_("This import is no longer due. Please load the page again."))
    if ImportRow.objects.filter(run=run, action=RowAction.WRONG).exists():
        raise DomainError(_faulty())


def _chunks(staged: Any) -> Iterator[list[Any]]:
    """What writing asks of the staged rows, without their faults and without a model for each."""
    entries = _entries(staged).iterator(chunk_size=CHUNK)
    while chunk := list(islice(entries, CHUNK)):
        yield chunk


def _entries(staged: Any) -> Any:
    return staged.values_list("line", "key", "data", "changes", named=True)


def _rows_again(source: ImportSource, chunk: Sequence[Any]) -> list[Row]:
    rows = [_row_again(source, entry) for entry in chunk]
    source.compare(rows)
    _refuse_if_changed(chunk, rows)
    return rows


def _row_again(source: ImportSource, entry: Any) -> Row:
    row = Row(line=entry.line or 0, data=entry.data, key=entry.key)
    source.read(row)
    if row.errors:
        raise DomainError(_changed_since())
    return row


def _refuse_if_changed(chunk: Sequence[Any], rows: Sequence[Row]) -> None:
    """Each change must be one that was shown; what is already done is fine."""
    for entry, row in zip(chunk, rows, strict=True):
        if row.errors or any(entry.changes.get(name) != change for name, change in row.changes.items()):
            raise DomainError(_changed_since())


# -- what the worker sweeps ---------------------------------------------------------------------------------------


def run_due() -> int:
    """Does all checks and writes that are due, also those whose worker died. Returns how many it began."""
    _take_up_interrupted()
    begun = 0
    due = ImportRun.objects.filter(
        state__in=(ImportState.CHECKING, ImportState.APPLYING), job__state=JobState.QUEUED
    ).exclude(file="")
    for run_id, state in due.order_by("pk").values_list("pk", "state"):
        (check if state == ImportState.CHECKING else apply)(run_id)
        begun += 1
    return begun


def _take_up_interrupted() -> None:
    """Makes work due again whose worker died: a check begins afresh, and a write had not written anything.

    A file that ends its worker again and again is given up, and so is one that a command read and nobody kept.
    """
    interrupted = ImportRun.objects.filter(
        Q(job__state=JobState.RUNNING) | Q(job__state=JobState.BROKEN_OFF),
        state__in=(ImportState.CHECKING, ImportState.APPLYING),
    )
    for run in interrupted.select_related("job"):
        job = job_of(run)
        attempts = job.result.get("attempts", 1)
        if not jobs.is_broken_off(job):
            continue
        if attempts >= ATTEMPTS or not run.file:
            _end(run, ImportState.FAILED, DomainError(_("The work was interrupted. Please check the file again.")))
        else:
            _make_due_again(run, attempts + 1)


def _make_due_again(run: ImportRun, attempt: int) -> None:
    """A new job takes the place of the one that broke off; should its worker live after all, it stops or has won."""
    with transaction.atomic():
        current = locked(run)
        if current.job_id != run.job_id or current.state != run.state:
            return
        current.job = jobs.queue_job(job_of(run).kind, started_by=job_of(run).started_by)
        Job.objects.filter(pk=current.job.pk).update(result={"attempts": attempt})
        current.save(update_fields=["job"])
        jobs.close_broken_off()


# -- small parts ----------------------------------------------------------------------------------------------------


def _ensure_applicable(run: ImportRun) -> None:
    if run.state == ImportState.APPLIED:
        raise DomainError(_("This import was applied already. There is nothing left to do."))
    if run.state == ImportState.APPLYING:
        raise DomainError(_("This import is being applied already. Please wait a moment and load the page again."))
    if run.state != ImportState.CHECKED:
        raise DomainError(_("This import is not ready to be applied. Please load the page again."))
    if run.counts.get(RowAction.WRONG):
        raise DomainError(_faulty())


def _end(run: ImportRun, state: str, error: BaseException | str) -> None:
    """Ends a run's work with a reason; a run that was discarded or begun anew meanwhile stays as it is."""
    sentence = str(error) if isinstance(error, (str, DomainError)) else _("An error occurred. It was recorded.")
    with transaction.atomic():
        current = locked(run)
        if current.job_id != run.job_id or current.state not in {ImportState.CHECKING, ImportState.APPLYING}:
            return
        current.state, current.error = state, sentence
        current.save(update_fields=["state", "error"])
        jobs.fail_job(job_of(run), error if isinstance(error, BaseException) else DomainError(error))


def _drop_file(run: ImportRun) -> None:
    """Removes the kept file; its rows are staged or no longer wanted."""
    if run.file:
        run.file.delete(save=False)
        ImportRun.objects.filter(pk=run.pk).update(file="")


def _faulty() -> str:
    return _("The file has faulty rows. Nothing was written; please mend the file and upload it again.")


def _changed_since() -> str:
    return _("The data were changed since the check. Nothing was written; please check the file again.")
