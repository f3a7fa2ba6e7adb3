"""Recalculates quota figures without a worker."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.quotas import services


class Command(BaseCommand):
    help = "Recalculates stale quota figures, or with --full all of them with a report of drift."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--full", action="store_true", help="compute all figures and report drift")

    def handle(self, *_args: Any, full: bool, **_options: Any) -> None:
        result = services.recalculate_all() if full else services.recalculate_stale()
        self.stdout.write(f"{result.schools} schools, {result.rows} rows due, {result.written} rows written")
        if not full:
            return
        for entry in result.drift:
            self.stdout.write(
                f"drift: {entry.plan}, school {entry.school}, {entry.day.isoformat()}, "
                f"{entry.field}: {entry.old} -> {entry.new}"
            )
        if not result.drift:
            self.stdout.write("no drift")
