"""The ministry's pupil counts (`anzahlen.csv`): exact numbers of one counting day, one row for each school.

The file says neither year nor day: both come as options.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.imports import parsers
from apps.core.imports.columns import Column
from apps.core.imports.sources import Row
from apps.schools.calculations import counting_day
from apps.schools.forms import CountsUploadForm
from apps.schools.imports import dated
from apps.schools.imports.base import KnownSchoolSource, Target, school_number, settled

SOURCE = "Ministerium für Schule und Bildung NRW, Schülerzahlen (dl-de/by-2-0)"
MOST_PUPILS = 50_000


class CountsSource(KnownSchoolSource):
    """Options on top: `school_year`, and `counted_on` (ISO), 15 October of the school year without it."""

    name = "counts"
    label = _("Official pupil counts (anzahlen.csv)")
    fields = dated.COUNT_FIELDS
    upload_form = CountsUploadForm
    option_names = (*KnownSchoolSource.option_names, "school_year", "counted_on")
    required_options = ("school_year",)
    columns = (
        Column("number", ("Schulnummer",), school_number),
        Column("pupils", ("Anzahl",), parsers.filled(parsers.whole_number(highest=MOST_PUPILS))),
    )

    def prepare(self) -> None:
        super().prepare()
        self.school_year = self.options["school_year"]
        given = self.options.get("counted_on")
        self.counted_on = datetime.date.fromisoformat(given) if given else counting_day(self.school_year)

    def clean(self, row: Row) -> None:
        row.label = self.name_of(row.key)
        row.values |= {"school_year": self.school_year, "counted_on": self.counted_on}

    def compare(self, rows: Sequence[Row]) -> None:
        schools = self.schools_of(rows)
        counts = dated.counts_of([school.pk for school in schools.values()], [self.counted_on])
        for row in rows:
            school = schools[row.key]
            row.target = Target(school, count=counts.get((school.pk, self.counted_on)))
            dated.compare_count(row, pupils=row.values["pupils"], rounded=False)
            settled(row, is_new=row.target.count is None)

    def write(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        self.touched |= dated.write_counts(rows, source=SOURCE, by=by, reason=reason)

    def display(self, name: str, value: Any) -> str:
        return dated.display(name, value) or ""
