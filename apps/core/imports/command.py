"""What commands that import a file share: check, write when all rows are sound, report, exit.

Exit 0: all good, 1: faulty rows and nothing written, 2: the file cannot be read.
"""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from apps.core.imports import engine
from apps.core.imports.report import Report
from apps.core.models import ImportRun, ImportState, Job, JobState, RowAction

FAULTY, UNREADABLE = 1, 2


class ImportCommand(BaseCommand):
    """Subclasses give the arguments and call `take_in`."""

    def take_in(self, file: Path, source: str, *, options: dict[str, str], dry_run: bool, as_json: bool) -> None:
        """Leaves a run behind only when it wrote."""
        run = engine.create_run(source, by=None, file_name=file.name, options=options)
        applied = False
        try:
            run = self._check(run, file)
            if run.state == ImportState.CHECKED and not run.counts[RowAction.WRONG] and not dry_run:
                engine.request_apply(run, by=None)
                run = engine.apply(run.pk)
                applied = run.state == ImportState.APPLIED
            self._report(run, as_json=as_json, dry_run=dry_run)
            self._exit(run, dry_run=dry_run)
        finally:
            if not applied:
                run.delete()
                Job.objects.filter(pk=run.job_id, state=JobState.QUEUED).delete()

    def _check(self, run: ImportRun, file: Path) -> ImportRun:
        try:
            with file.open("rb") as stream:
                return engine.check(run.pk, stream)
        except OSError as error:
            run.state, run.error = ImportState.UNREADABLE, _why(error) % {"file": file}
            return run

    def _report(self, run: ImportRun, *, as_json: bool, dry_run: bool) -> None:
        report = Report(run, dry_run=dry_run)
        if as_json:
            self.stdout.write(report.as_json())
        elif run.state != ImportState.UNREADABLE:
            for line in report.lines():
                self.stdout.write(line)

    def _exit(self, run: ImportRun, *, dry_run: bool) -> None:
        if run.state == ImportState.UNREADABLE:
            raise CommandError(run.error, returncode=UNREADABLE)
        faulty = run.counts.get(RowAction.WRONG, 0)
        if faulty:
            raise CommandError(_("%(count)s faulty rows, nothing was written.") % {"count": faulty}, returncode=FAULTY)
        if run.error or (run.state != ImportState.APPLIED and not dry_run):
            raise CommandError(run.error or _("Nothing was written."), returncode=FAULTY)


def _why(error: OSError) -> str:
    """The operating system's own words are English."""
    match error:
        case FileNotFoundError():
            return _("There is no file %(file)s.")
        case PermissionError():
            return _("The file %(file)s may not be read.")
        case IsADirectoryError():
            return _("%(file)s is a folder. Please name a file.")
    return _("The file %(file)s cannot be opened.")
