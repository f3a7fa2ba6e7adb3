"""What a command tells of an import: counts, faults, what changed, and what the file does not name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.core.imports.faults import faults_of
from apps.core.imports.sources import source_of
from apps.core.models import ImportRow, ImportRun, ImportState, RowAction

LISTED = 50
"""Names in a list of the text report; the JSON report has all."""


class Report:
    """One run, as text lines or as JSON."""

    def __init__(self, run: ImportRun, *, dry_run: bool) -> None:
        self.run, self.dry_run = run, dry_run
        self.source: Any = source_of(run.source)(run.options)

    def as_json(self) -> str:
        run = self.run
        figures = {
            "source": run.source,
            "file": run.file_name,
            "encoding": run.encoding,
            "written": run.state == ImportState.APPLIED,
            "dry_run": self.dry_run,
            "counts": run.counts,
            "left_out": run.reasons,
            "left_out_rows": [{**_named(row), "line": row.line, "reason": row.reason} for row in self._left_out()],
            "new": [_named(row) for row in self._rows(RowAction.NEW)],
            "changed": [{**_named(row), "changes": row.changes} for row in self._rows(RowAction.CHANGED)],
            "missing": [_named(row) for row in self._rows(RowAction.MISSING)],
            "hints": [_told(row, fault) for row in self._hinted() for fault in faults_of(row.hints)],
            "errors": [_told(row, fault) for row in self._rows(RowAction.WRONG) for fault in faults_of(row.errors)],
            "error": run.error,
            **self.source.more_figures(),
        }
        return json.dumps(figures, ensure_ascii=False, indent=2)

    def lines(self) -> Iterator[str]:
        for row in self._rows(RowAction.WRONG):
            for fault in faults_of(row.errors):
                yield f"{_place(row, fault.column)}: {fault.text}"
        for action in RowAction:
            yield f"{action.label}: {self.run.counts.get(action, 0)}"
            yield from self._details(action)
        hints = [
            f"{_place(row, fault.column)}: {fault.text}" for row in self._hinted() for fault in faults_of(row.hints)
        ]
        if hints:
            yield _("Hints: %(number)s") % {"number": len(hints)}
            yield from _listed(hints)
        yield from self.source.remarks()
        if self.dry_run:
            yield _("Only checked, nothing was written.")

    def _details(self, action: RowAction) -> Iterator[str]:
        if action == RowAction.CHANGED:
            self.source.prepare()
            yield from _listed([f"{_name(row)}: {self._changes(row)}" for row in self._rows(action)])
        elif action == RowAction.MISSING:
            yield from _listed([_name(row) for row in self._rows(action)])
        elif action == RowAction.LEFT_OUT:
            for code, count in sorted(self.run.reasons.items()):
                yield f"  {self.source.reasons[code]}: {count}"
                if code in self.source.named_reasons:
                    yield from _listed([_name(row) for row in self._rows(action).filter(reason=code)], "    ")

    def _changes(self, row: ImportRow) -> str:
        parts = []
        for name in self.source.fields:
            if name in row.changes:
                old, new = (self.source.display(name, value) or "–" for value in row.changes[name])
                parts.append(f"{self.source.field_label(name)} {old} → {new}")
        return "; ".join(parts)

    def _rows(self, action: RowAction) -> QuerySet[ImportRow]:
        return ImportRow.objects.filter(run=self.run, action=action).order_by("line", "key")

    def _left_out(self) -> QuerySet[ImportRow]:
        return self._rows(RowAction.LEFT_OUT).filter(reason__in=self.source.named_reasons)

    def _hinted(self) -> QuerySet[ImportRow]:
        return ImportRow.objects.filter(run=self.run).exclude(hints=[]).order_by("line")


def _named(row: ImportRow) -> dict[str, Any]:
    return {"number": row.key, "name": row.label}


def _told(row: ImportRow, fault: Any) -> dict[str, Any]:
    return {"line": row.line, "number": row.key, "column": fault.column, "message": fault.text}


def _name(row: ImportRow) -> str:
    return f"{row.key} {row.label}".strip()


def _place(row: ImportRow, column: str) -> str:
    return ", ".join(filter(None, (_("Line %(line)s") % {"line": row.line}, column)))


def _listed(names: list[str], indent: str = "  ") -> list[str]:
    rest = len(names) - LISTED
    more = [indent + _("and %(count)s more") % {"count": rest}] if rest > 0 else []
    return [indent + name for name in names[:LISTED]] + more
