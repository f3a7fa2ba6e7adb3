"""Pupil counts and social indices of a school year: compared and written for several kinds of files."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.core import formats
from apps.core.history import bulk_create_by, bulk_update_by
from apps.core.imports.faults import Fault
from apps.core.imports.sources import Row
from apps.schools.imports.base import differences
from apps.schools.models import PupilCount, SocialIndex

COUNT_FIELDS = ("pupils", "rounded", "generated")


def counts_of(school_ids: Iterable[int], days: Iterable[datetime.date]) -> dict[tuple[int, datetime.date], PupilCount]:
    rows = PupilCount.objects.filter(school__in=school_ids, counted_on__in=set(days))
    return {(row.school_id, row.counted_on): row for row in rows}


def indices_of(school_ids: Iterable[int], years: Iterable[str]) -> dict[tuple[int, str], SocialIndex]:
    rows = SocialIndex.objects.filter(school__in=school_ids, school_year__in=set(years))
    return {(row.school_id, row.school_year): row for row in rows}


def compare_count(row: Row, *, pupils: int, rounded: bool) -> None:
    """Adds what the count would change. A rounded count never takes the place of an exact one of the same day."""
    count: PupilCount | None = row.target.count
    if count is not None and rounded and not count.rounded and not count.generated:
        if count.pupils != pupils:
            message = gettext_noop("An exact count of %(pupils)s is on file for this day; the rounded one is left out.")
            row.hints.append(Fault("Anzahl", message, {"pupils": count.pupils}))
        return
    known = {name: getattr(count, name) for name in COUNT_FIELDS} if count else {"generated": False}
    row.changes |= differences(known, {"pupils": pupils, "rounded": rounded, "generated": False})


def write_counts(rows: Sequence[Row], *, source: str, by: Any, reason: str) -> set[int]:
    """Writes the counts that rows change, dated by their `counted_on`; returns the schools that count anew."""
    rows = [row for row in rows if not row.changes.keys().isdisjoint(COUNT_FIELDS)]
    new = [row for row in rows if row.target.count is None]
    for row in rows:
        count = row.target.count or PupilCount(school=row.target.school, counted_on=row.values["counted_on"])
        count.school_year, count.source = row.values["school_year"], source
        count.pupils = row.values["pupils"]
        count.rounded, count.generated = row.changes.get("rounded", (None, count.rounded))[1], False
        row.target.count = count
    bulk_create_by([row.target.count for row in new], by=by, reason=reason)
    changed = [row.target.count for row in rows if row not in new]
    bulk_update_by(changed, (*COUNT_FIELDS, "school_year", "source"), by=by, reason=reason)
    return {row.target.school.pk for row in rows}


def compare_index(row: Row, *, level: int | None) -> None:
    """Adds the level that would change. No level in the file never wipes out one that is on file."""
    index: SocialIndex | None = row.target.index
    if level is not None:
        row.changes |= differences({"level": index.level if index else None}, {"level": level})
    elif index is not None:
        message = gettext_noop("The file has no social index for this school; level %(level)s stays on file.")
        row.hints.append(Fault("Sozialindex", message, {"level": index.level}))


def write_indices(rows: Sequence[Row], *, by: Any, reason: str) -> None:
    """Writes the social indices that rows change, dated by their `index_year`."""
    rows = [row for row in rows if "level" in row.changes]
    new = [row for row in rows if row.target.index is None]
    for row in rows:
        index = row.target.index or SocialIndex(school=row.target.school, school_year=row.values["index_year"])
        index.level = row.values["level"]
        row.target.index = index
    bulk_create_by([row.target.index for row in new], by=by, reason=reason)
    bulk_update_by([row.target.index for row in rows if row not in new], ("level",), by=by, reason=reason)


def display(name: str, value: Any) -> str | None:
    """How a count's or index's value is read; None when the field is none of theirs."""
    if value is None:
        return ""
    if name == "pupils":
        return formats.number(value)
    if name in {"rounded", "generated"}:
        return _("yes") if value else _("no")
    return str(value) if name == "level" else None
