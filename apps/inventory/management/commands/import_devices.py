"""`manage.py import_devices`: the staged import of device lists, for scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.core.imports.command import ImportCommand
from apps.inventory.imports.devices import DevicesSource
from apps.inventory.imports.formats import FORMATS


class Command(ImportCommand):
    help = "Imports a list of devices. Exit 0: all good, 1: faulty rows (nothing written), 2: unreadable file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", default="", choices=[*FORMATS], help="without it the header tells")
        parser.add_argument("--school", default="", metavar="NUMBER", help="school of the rows that name none")
        parser.add_argument("--kind", default="", metavar="CODE", help="kind of products that are not on file")
        parser.add_argument("--dry-run", action="store_true", help="check and report, write nothing")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, file: Path, dry_run: bool, **options: Any) -> None:
        kept = {name: options[name] for name in ("format", "school", "kind") if options[name]}
        self.take_in(file, DevicesSource.name, options=kept, dry_run=dry_run, as_json=options["json"])
