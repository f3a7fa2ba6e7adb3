"""`manage.py backup DIR`: database and files as one archive."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.backups import BackupError, make_backup


class Command(BaseCommand):
    help = "Writes database and uploaded files into one archive in a folder; the portal may go on working."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="where the archive goes")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            archive = make_backup(options["folder"].resolve())
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(archive))
