"""`manage.py restore FILE`: database and files out of an archive."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.backups import BackupError, restore_backup
from apps.core.backups.archive import is_older


class Command(BaseCommand):
    help = "Restores database and uploaded files from an archive into an empty database; stop the portal before."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("archive", type=Path, metavar="FILE", help="an archive that `backup` made")
        parser.add_argument("--replace", action="store_true", help="overwrite the data and files that are there")

    def handle(self, *_args: Any, **options: Any) -> None:
        archive = options["archive"].resolve()
        if not archive.is_file():
            raise CommandError(f"There is no file {archive}.")
        try:
            manifest = restore_backup(archive, replace=options["replace"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored the state of {manifest['made_at']}: {len(manifest['contents']) - 1} files.")
        if is_older(manifest):
            self.stdout.write("The backup is of an older version of the portal: now run `manage.py migrate`.")
