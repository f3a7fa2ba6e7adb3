"""What files about schools share: the scope that is asked for, what is on file, and how rows are locked and told."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from apps.core import clock, formats
from apps.core.errors import ImportFileError
from apps.core.history import bulk_create_by, bulk_update_by
from apps.core.imports import parsers
from apps.core.imports.sources import Changes, ImportSource, Row
from apps.core.models import ImportRow, RowAction
from apps.schools import services
from apps.schools.models import PupilCount, School, SchoolAuthority, SchoolType, Site, SocialIndex

SITE_FIELDS = ("street", "postal_code", "city", "easting", "northing")
TEXT_FIELDS = ("short_name", "official_name", "legal_form", "municipality_key", "operating_state", "email", "phone",
               "homepage")  # fmt: skip
DAY_FIELDS = ("opened_on", "closed_on")

KINDS = (
    (_("renamed"), frozenset({"short_name", "official_name"})),
    (_("operation changed"), frozenset({"operating_state", *DAY_FIELDS})),
    (_("moved"), frozenset(SITE_FIELDS)),
    (_("other school type or authority"), frozenset({"school_type", "authority", "legal_form"})),
    (_("other number of pupils"), frozenset({"pupils", "rounded", "generated"})),
    (_("other social index"), frozenset({"level"})),
    (_("other contact data"), frozenset({"email", "phone", "homepage"})),
)

OUTSIDE = frozenset({"no_school", "not_on_file", "other_authority", "other_municipality"})
"""Reasons of rows that are none of those that were asked for."""
ASKED = {
    "authority": _("No row of the file belongs to the school authority %(value)s. Please check the number."),
    "municipality": _("No row of the file belongs to a school in the municipality %(value)s. Please check the key."),
}

school_number = parsers.code(r"\d{6}", gettext_noop("“%(value)s” is not a school number: it has six digits."))
municipality_key = parsers.code(r"\d{8}", gettext_noop("“%(value)s” is not a municipality key: it has eight digits."))
postal_code = parsers.code(r"\d{5}", gettext_noop("“%(value)s” is not a postal code: it has five digits."), empty=True)


@dataclass
class Target:
    """What a row changes; None for what does not exist yet."""

    school: School | None
    site: Site | None = None
    count: PupilCount | None = None
    index: SocialIndex | None = None


@dataclass(frozen=True)
class Known:
    """A school on file, as far as the choice of rows needs it."""

    name: str
    authority: str
    municipality: str
    is_open: bool


class SchoolSource(ImportSource):
    """Options: `authority` (number) or `municipality` (key) take in only their rows; the others are left out."""

    permission = "schools.import_schools"
    key_column = "number"
    option_names: ClassVar[tuple[str, ...]] = ("authority", "municipality")
    required_options: ClassVar[tuple[str, ...]] = ()
    named_reasons = frozenset({"not_on_file"})
    reasons = {
        "not_on_file": _("is not on file here: new schools come with the register (schuldaten.csv)"),
        "other_authority": _("belongs to another school authority"),
        "other_municipality": _("lies in another municipality"),
    }

    def prepare(self) -> None:
        today = clock.today()
        rows = School.objects.filter(school_type__is_school=True).values_list(
            "number", "short_name", "authority__number", "municipality_key", "closed_on"
        )
        self.on_file = {
            number: Known(name, authority, municipality, closed is None or closed > today)
            for number, name, authority, municipality, closed in rows
        }
        self.found_any = False
        self.touched: set[int] = set()
        self.renamed: set[int] = set()

    def left_out(self, data: Mapping[str, str]) -> str:
        reason = self.reason_to_leave_out(data)
        self.found_any = self.found_any or reason not in OUTSIDE
        return reason

    def reason_to_leave_out(self, data: Mapping[str, str]) -> str:
        """What `left_out` answers, of which this class keeps count."""
        return ""

    def see_end_of_file(self, rows: int, *, is_workbook: bool) -> None:
        """A mistyped number must not pass for a file without changes."""
        super().see_end_of_file(rows, is_workbook=is_workbook)
        asked = {name: self.options[name] for name in ASKED if self.options.get(name)}
        if asked and not self.found_any:
            name, value = asked.popitem()
            raise ImportFileError(ASKED[name] % {"value": value})

    def in_scope(self, number: str) -> bool:
        """Whether a school on file belongs to what was asked for."""
        known = self.on_file[number]
        return self.options.get("authority", known.authority) == known.authority and (
            self.options.get("municipality", known.municipality) == known.municipality
        )

    def expected(self) -> Sequence[tuple[str, str]]:
        found = [(n, known.name) for n, known in self.on_file.items() if known.is_open and self.in_scope(n)]
        return sorted(found)

    def lock(self, staged: QuerySet[ImportRow]) -> None:
        schools = School.objects.select_for_update(no_key=True).filter(number__in=staged.order_by().values("key"))
        list(schools.order_by("pk").values_list("pk"))

    def name_of(self, number: str) -> str:
        return self.on_file[number].name if number in self.on_file else ""

    def schools_of(self, rows: Sequence[Row]) -> dict[str, School]:
        return School.objects.in_bulk([row.key for row in rows], field_name="number")

    def finish(self) -> None:
        services.tell_renamed(self.renamed)
        services.raise_inputs_version(self.touched)

    # -- showing ----------------------------------------------------------------------------------------------------

    def kinds(self, changes: Changes) -> list[str]:
        return [str(word) for word, fields in KINDS if not fields.isdisjoint(changes)]

    def option_labels(self) -> list[str]:
        labels = {
            "authority": _("only school authority %(value)s"),
            "municipality": _("only municipality %(value)s"),
            "school_year": _("school year %(value)s"),
            "counted_on": _("counted on %(value)s"),
        }
        return [
            labels[name] % {"value": formats.day(datetime.date.fromisoformat(value)) if "_on" in name else value}
            for name, value in self.options.items()
            if name in labels
        ]

    def field_label(self, name: str) -> str:
        return str(_model_of(name)._meta.get_field(name).verbose_name)


class KnownSchoolSource(SchoolSource):
    """A file about schools that are on file already; it cannot make new ones."""

    has_years: ClassVar[bool] = False

    def see_header(self, header: Sequence[str]) -> None:
        """Its rounded counts must not pass for exact ones, nor its index for that of another year."""
        if not self.has_years and "Schuljahr" in header:
            raise ImportFileError(
                _("This is IT.NRW's directory of schools (it has a column “Schuljahr”). Please import it as such.")
            )

    def reason_to_leave_out(self, data: Mapping[str, str]) -> str:
        number = data["number"]
        if not (number.isascii() and number.isdigit() and len(number) == 6):
            return ""
        known = self.on_file.get(number)
        if known is None:
            return "not_on_file"
        if self.in_scope(number):
            return ""
        return "other_authority" if "authority" in self.options else "other_municipality"


class RegisterSource(SchoolSource):
    """A file that says how schools are called and where they stand. What it does not say is never wiped out."""

    def prepare(self) -> None:
        super().prepare()
        self.types = {kind.key: kind for kind in SchoolType.objects.all()}
        self.authorities = {row.number: row for row in SchoolAuthority.objects.all()}
        self.numbers = {row.pk: row.number for row in self.authorities.values()}

    def main_sites(self, school_ids: Iterable[int]) -> dict[int, Site]:
        """The main site of each school, or the one that bears its name and is to become it."""
        candidates = Site.objects.filter(Q(is_main=True) | Q(name=services.main_site_name()), school__in=school_ids)
        return {site.school_id: site for site in candidates.order_by("is_main")}

    def known(self, school: School, site: Site | None) -> dict[str, Any]:
        known = {name: getattr(school, name) for name in TEXT_FIELDS}
        known["school_type"] = school.school_type_id
        known["authority"] = self.numbers.get(school.authority_id)
        known |= {name: iso(getattr(school, name)) for name in DAY_FIELDS}
        return known | ({name: getattr(site, name) for name in SITE_FIELDS} if site else {})

    def town(self, row: Row) -> str:
        site: Site | None = row.target.site
        town: str = row.values["city"] or (site.city if site else "")
        return town

    def write_schools(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        """Creates and changes schools and their main sites, as `changes` of the rows say."""
        new = [row for row in rows if row.target.school is None]
        known = [row for row in rows if row.target.school is not None]
        changed = [row for row in known if any(name in row.changes for name in _SCHOOL_FIELDS)]
        moved = [row for row in known if "city" in row.changes and row not in changed]
        for row in rows:
            row.target.school = self._filled(row)
        created = bulk_create_by([row.target.school for row in new], by=by, reason=reason)
        for row, school in zip(new, created, strict=True):
            row.target.school = school
        fields = {name for row in changed for name in row.changes if name in _SCHOOL_FIELDS}
        bulk_update_by([row.target.school for row in changed], sorted(fields | _FOUND_BY), by=by, reason=reason)
        School.objects.bulk_update([row.target.school for row in moved], ["search_text"], batch_size=500)
        self._write_sites(rows, by=by, reason=reason)
        self.touched |= {row.target.school.pk for row in new}
        self.touched |= {row.target.school.pk for row in changed if not services.FIGURE_FIELDS.isdisjoint(row.changes)}
        self.renamed |= {row.target.school.pk for row in changed if "short_name" in row.changes}

    def _filled(self, row: Row) -> School:
        school = row.target.school or School(number=row.key)
        for name, (_old, new) in row.changes.items():
            if name == "school_type":
                school.school_type = self.types[new]
            elif name == "authority":
                school.authority = self.authorities[new]
            elif name in DAY_FIELDS:
                setattr(school, name, datetime.date.fromisoformat(new))
            elif name in TEXT_FIELDS:
                setattr(school, name, new)
        services.fill_search(school, type_name=self.types[school.school_type_id].name, town=self.town(row))
        return school

    def _write_sites(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        created, updated = [], []
        for row in rows:
            wanted = {name: row.changes[name][1] for name in SITE_FIELDS if name in row.changes}
            site = row.target.site
            if site is None:
                created.append(Site(school=row.target.school, name=services.main_site_name(), is_main=True, **wanted))
            elif wanted or not site.is_main:
                site.is_main = True
                for name, value in wanted.items():
                    setattr(site, name, value)
                updated.append(site)
        bulk_create_by(created, by=by, reason=reason)
        bulk_update_by(updated, ("is_main", *SITE_FIELDS), by=by, reason=reason)


_SCHOOL_FIELDS = frozenset({*TEXT_FIELDS, *DAY_FIELDS, "school_type", "authority"})
_FOUND_BY = frozenset({"sort_key", "search_text"})


def _model_of(name: str) -> type[models.Model]:
    if name in SITE_FIELDS:
        return Site
    if name in {"pupils", "rounded", "generated"}:
        return PupilCount
    return SocialIndex if name == "level" else School


def differences(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Field -> [old, new] for what is different."""
    return {name: [known.get(name), value] for name, value in wanted.items() if known.get(name) != value}


def settled(row: Row, *, is_new: bool) -> None:
    """Sets the action that follows from the row's changes."""
    row.action = RowAction.NEW if is_new else RowAction.CHANGED if row.changes else RowAction.UNCHANGED


def iso(day: datetime.date | None) -> str | None:
    return day.isoformat() if day else None
