"""IT.NRW's directory of schools (2024/25): names, addresses, counts rounded to 5, and a social index.

The rows name their school year; the counts are those of its 15 October. The index in the directory of a year is the
one of the next school year (compared with the ministry's list of 2025/26). The directory knows no school
authorities, so that it cannot add schools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from apps.core import clock
from apps.core.imports import parsers
from apps.core.imports.columns import Column
from apps.core.imports.faults import CellError, Fault, shown
from apps.core.imports.sources import Row
from apps.schools.calculations import counting_day, is_school_year, next_school_year
from apps.schools.forms import ScopeUploadForm
from apps.schools.imports import dated
from apps.schools.imports.base import (
    SITE_FIELDS,
    KnownSchoolSource,
    RegisterSource,
    Target,
    differences,
    municipality_key,
    postal_code,
    school_number,
    settled,
)
from apps.schools.imports.counts import MOST_PUPILS
from apps.schools.imports.social_index import level
from apps.schools.names import official_name

SOURCE = "IT.NRW, Verzeichnis der Schulen %s (dl-de/by-2-0)"
WRITTEN = ("official_name", "email", "phone", *SITE_FIELDS[:3])
UNKNOWN_COUNT = frozenset({"", ".", "-", "–", "x"})

_whole = parsers.whole_number(highest=MOST_PUPILS)


def school_year(cell: str) -> str:
    if not is_school_year(cell):
        raise CellError(gettext_noop("“%(value)s” is not a school year such as 2024/25."), value=shown(cell))
    if counting_day(cell) > clock.today():
        raise CellError(gettext_noop("The counts of the school year “%(value)s” lie in the future."), value=shown(cell))
    return cell


def pupils(cell: str) -> int | None:
    """A count; nothing where the statistics keep it secret or have none."""
    count: int | None = None if cell.lower() in UNKNOWN_COUNT else _whole(cell)
    return count


class DirectorySource(KnownSchoolSource, RegisterSource):
    """Changes names and addresses of schools on file and adds the counts and levels of the directory's year."""

    name = "directory"
    label = _("Directory of schools (IT.NRW)")
    fields = (*WRITTEN, *dated.COUNT_FIELDS, "level")
    upload_form = ScopeUploadForm
    has_years = True
    columns = (
        Column("school_year", ("Schuljahr",), school_year),
        Column("municipality", ("Amtlicher Gemeindeschlüssel", "Gemeindeschlüssel"), municipality_key),
        Column("number", ("Schulnummer",), school_number),
        Column("name_1", ("Amtliche Bezeichnung 1",), parsers.text(longest=52, empty=False)),
        Column("name_2", ("Amtliche Bezeichnung 2",), parsers.text(longest=52)),
        Column("name_3", ("Amtliche Bezeichnung 3",), parsers.text(longest=52)),
        Column("street", ("Straße und Hausnummer", "Strasse und Hausnummer"), parsers.text(longest=120)),
        Column("postal_code", ("Postleitzahl", "PLZ"), postal_code),
        Column("city", ("Ort",), parsers.text(longest=80)),
        Column("dialling_code", ("Telefonnummer Vorwahl",), parsers.text(longest=10), required=False, lenient=True),
        Column("extension", ("Telefonnummer Durchwahl",), parsers.text(longest=28), required=False, lenient=True),
        Column("email", ("Offizielle E-Mail-Adresse", "E-Mail"), parsers.email, required=False, lenient=True),
        Column("pupils", ("Anzahl",), pupils),
        Column("level", ("Sozialindex", "Sozialindexstufe"), level, required=False),
    )

    def reason_to_leave_out(self, data: Mapping[str, str]) -> str:
        wanted = self.options.get("municipality")
        unknown = data["number"] not in self.on_file
        if wanted and unknown and data["municipality"] and data["municipality"] != wanted:
            return "other_municipality"
        return super().reason_to_leave_out(data)

    def clean(self, row: Row) -> None:
        values = row.values
        row.label = self.name_of(row.key)
        values["official_name"] = official_name(values["name_1"], values["name_2"], values["name_3"])
        values["phone"] = " ".join(filter(None, (values["dialling_code"], values["extension"])))
        values["counted_on"] = counting_day(values["school_year"])
        values["index_year"] = next_school_year(values["school_year"])

    def compare(self, rows: Sequence[Row]) -> None:
        schools = self.schools_of(rows)
        ids = [school.pk for school in schools.values()]
        sites = self.main_sites(ids)
        counts = dated.counts_of(ids, [row.values["counted_on"] for row in rows])
        indices = dated.indices_of(ids, [row.values["index_year"] for row in rows])
        for row in rows:
            school, values = schools[row.key], row.values
            row.target = Target(
                school,
                sites.get(school.pk),
                counts.get((school.pk, values["counted_on"])),
                indices.get((school.pk, values["index_year"])),
            )
            wanted = {name: values[name] for name in WRITTEN if values[name]}
            row.changes = differences(self.known(school, row.target.site), wanted)
            if values["pupils"] is not None:
                dated.compare_count(row, pupils=values["pupils"], rounded=True)
            dated.compare_index(row, level=values["level"])
            self._check_place(row)
            settled(row, is_new=False)

    def _check_place(self, row: Row) -> None:
        site = row.target.site
        if "street" in row.changes and site is not None and site.easting is not None:
            message = gettext_noop("The address changes, but the directory has no coordinates: please check the map.")
            row.hints.append(Fault("Straße und Hausnummer", message))

    def write(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        self.write_schools([row for row in rows if not row.changes.keys().isdisjoint(WRITTEN)], by=by, reason=reason)
        for year in sorted({row.values["school_year"] for row in rows}):
            of_year = [row for row in rows if row.values["school_year"] == year]
            self.touched |= dated.write_counts(of_year, source=SOURCE % year, by=by, reason=reason)
        dated.write_indices(rows, by=by, reason=reason)

    def display(self, name: str, value: Any) -> str:
        text = dated.display(name, value)
        return super().display(name, value) if text is None else text
