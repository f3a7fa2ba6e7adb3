"""The school social index (`schulliste_sj_…_open_data.csv`, cp850): a level from 1 to 9, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from apps.core.imports import parsers
from apps.core.imports.columns import Column
from apps.core.imports.faults import CellError, shown
from apps.core.imports.sources import Row
from apps.schools.forms import SocialIndexUploadForm
from apps.schools.imports import dated
from apps.schools.imports.base import KnownSchoolSource, Target, school_number, settled

NO_LEVEL = frozenset({"", "ohne"})


def level(cell: str) -> int | None:
    """ "1" to "9"; nothing for “ohne” or an empty cell (special needs schools, vocational colleges)."""
    if cell.lower() in NO_LEVEL:
        return None
    if len(cell) != 1 or cell not in "123456789":
        raise CellError(gettext_noop("“%(value)s” is no social index: it goes from 1 to 9."), value=shown(cell))
    return int(cell)


class SocialIndexSource(KnownSchoolSource):
    """Option on top: `school_year`. The levels of other years stay as they are."""

    name = "social-index"
    label = _("School social index (open data)")
    fields = ("level",)
    upload_form = SocialIndexUploadForm
    option_names = (*KnownSchoolSource.option_names, "school_year")
    required_options = ("school_year",)
    legacy_encodings = ("cp850", "cp1252")
    columns = (
        Column("number", ("Schulnummer",), school_number),
        Column("short_name", ("Kurzbezeichnung",), parsers.text(longest=200), required=False),
        Column("level", ("Sozialindexstufe", "Sozialindex"), level),
    )

    def expected(self) -> Sequence[tuple[str, str]]:
        """Many schools have no index by design, so that a missing one says nothing."""
        return ()

    def clean(self, row: Row) -> None:
        row.label = self.name_of(row.key)
        row.values["index_year"] = self.options["school_year"]

    def compare(self, rows: Sequence[Row]) -> None:
        schools, year = self.schools_of(rows), self.options["school_year"]
        indices = dated.indices_of([school.pk for school in schools.values()], [year])
        for row in rows:
            school = schools[row.key]
            row.target = Target(school, index=indices.get((school.pk, year)))
            dated.compare_index(row, level=row.values["level"])
            settled(row, is_new=row.target.index is None and bool(row.changes))

    def write(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        dated.write_indices(rows, by=by, reason=reason)

    def display(self, name: str, value: Any) -> str:
        return dated.display(name, value) or ""
