"""`manage.py check_ledger [--json]`: does every sum agree with the ledger, to the cent?"""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from apps.funding.models import Budget, LedgerEntry
from apps.funding.reconciliation import LedgerDifference, ledger_differences


class Command(BaseCommand):
    help = "Compares the ledger with budgets and allocations; exit 1 and a list on any difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        with _snapshot():
            differences = ledger_differences()
            counts = {"budgets": Budget.objects.count(), "entries": LedgerEntry.objects.count()}
        if options["json"]:
            rows = [_as_json(row) for row in differences]
            self.stdout.write(json.dumps({"ok": not rows, **counts, "differences": rows}, indent=2))
        else:
            self._say(differences, counts)
        if differences:
            raise SystemExit(1)

    def _say(self, differences: list[LedgerDifference], counts: dict[str, int]) -> None:
        for row in differences:
            subject = f"budget {row.budget}" if row.line is None else f"line {row.line}"
            if row.order_line is not None:
                subject = f"order line {row.order_line}"
            self.stdout.write(f"{row.check} of {subject}: expected {row.expected}, found {row.found}")
        summary = "{entries} entries of {budgets} budgets".format(**counts)
        self.stdout.write(f"{len(differences)} differences in {summary}.")


def _as_json(row: LedgerDifference) -> dict[str, Any]:
    """An order line is named only where the check is about one."""
    told = asdict(row) | {"expected": str(row.expected), "found": str(row.found)}
    if row.order_line is None:
        del told["order_line"]
    return told


@contextmanager
def _snapshot() -> Iterator[None]:
    """All reads see the same moment, so that decisions made meanwhile are no differences."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
