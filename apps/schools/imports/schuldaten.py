"""The ministry's register of schools (`schuldaten.csv`): every school of North Rhine-Westphalia, one row each.

Both column sets are read (with and without Bezirksregierung), by header name. An empty cell says nothing: it never
wipes out what is known here.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from apps.core import clock, formats
from apps.core.imports import parsers
from apps.core.imports.columns import Column
from apps.core.imports.faults import Fault
from apps.core.imports.sources import Row
from apps.schools import services
from apps.schools.choices import NON_SCHOOL_KEYS, LegalForm, OperatingState
from apps.schools.forms import SchuldatenUploadForm
from apps.schools.imports.base import (
    DAY_FIELDS,
    SITE_FIELDS,
    RegisterSource,
    SchoolSource,
    Target,
    differences,
    iso,
    municipality_key,
    postal_code,
    school_number,
    settled,
)
from apps.schools.names import official_name, short_name

COORDINATE_SYSTEM = "EPSG:25832"
EASTINGS = range(270_000, 540_001)  # North Rhine-Westphalia with some air, in metres of COORDINATE_SYSTEM
NORTHINGS = range(5_560_000, 5_840_001)

_type_key = parsers.code(r"[0-9A-Z]{2}", gettext_noop("“%(value)s” is not a school type key such as 02."))
_authority = parsers.code(r"\d{1,10}", gettext_noop("“%(value)s” is not a number of a school authority."))
_state = parsers.one_of(OperatingState.values)


class SchuldatenSource(RegisterSource):
    """Options: `authority` (number) or `municipality` (key) take in only their rows; the others are left out."""

    name = "schuldaten"
    label = _("Official register of schools (schuldaten.csv)")
    named_reasons = frozenset({"deleted_but_open", "authority_changed", "municipality_changed"})
    fields = ("short_name", "official_name", "school_type", "authority", "legal_form", "operating_state", *DAY_FIELDS,
              "municipality_key", "email", "phone", "homepage", *SITE_FIELDS)  # fmt: skip
    upload_form = SchuldatenUploadForm
    columns = (
        Column("number", ("Schulnummer",), school_number),
        Column("type", ("Schulform",), _type_key),
        Column("name_1", ("Schulbezeichnung_1",), parsers.text(longest=52, empty=False)),
        Column("name_2", ("Schulbezeichnung_2",), parsers.text(longest=52)),
        Column("name_3", ("Schulbezeichnung_3",), parsers.text(longest=52)),
        Column("short_name", ("Kurzbezeichnung",), parsers.text(longest=80, empty=False)),
        Column("postal_code", ("PLZ", "Postleitzahl"), postal_code),
        Column("city", ("Ort",), parsers.text(longest=80)),
        Column("street", ("Strasse", "Straße"), parsers.text(longest=120)),
        Column("dialling_code", ("Telefonvorwahl",), parsers.text(longest=10), required=False, lenient=True),
        Column("extension", ("Telefon",), parsers.text(longest=28), required=False, lenient=True),
        Column("email", ("E-Mail", "EMail"), parsers.email, required=False, lenient=True),
        Column("homepage", ("Homepage",), parsers.homepage, required=False, lenient=True),
        Column("legal_form", ("Rechtsform",), parsers.one_of(LegalForm.values)),
        Column("authority", ("Traegernummer", "Trägernummer"), _authority),
        Column("municipality", ("Gemeindeschluessel", "Gemeindeschlüssel"), municipality_key),
        Column("state", ("Schulbetriebsschluessel", "Schulbetriebsschlüssel"), _state),
        Column("state_day", ("Schulbetriebsdatum",), parsers.day, required=False),
        Column("epsg", ("EPSG",), parsers.text(longest=20), required=False, lenient=True),
        Column("easting", ("UTMRechtswert",), parsers.metres, required=False, lenient=True),
        Column("northing", ("UTMHochwert",), parsers.metres, required=False, lenient=True),
    )
    reasons = {
        "no_school": _("is no school (school office or teacher seminar)"),
        "deleted": _("was deleted from the register"),
        "deleted_but_open": _("was deleted from the register but is open here: please enter the day of its closing"),
        "authority_changed": _("belongs to another school authority now but is ours here: please change it here"),
        "municipality_changed": _("lies in another municipality now but in this one here: please change it here"),
        **SchoolSource.reasons,
    }

    def reason_to_leave_out(self, data: Mapping[str, str]) -> str:
        kind = data["type"].upper()
        if kind in NON_SCHOOL_KEYS or (kind in self.types and not self.types[kind].is_school):
            return "no_school"
        for option in self.option_names:
            if self._is_other(data, option):
                return f"{option}_changed" if self._is_ours(data["number"]) else f"other_{option}"
        if data["state"] in OperatingState.deleted():
            return "deleted_but_open" if self._is_open(data["number"]) else "deleted"
        return ""

    def _is_other(self, data: Mapping[str, str], option: str) -> bool:
        wanted = self.options.get(option)
        return bool(wanted and data[option] and data[option] != wanted)

    def _is_open(self, number: str) -> bool:
        return number in self.on_file and self.on_file[number].is_open

    def _is_ours(self, number: str) -> bool:
        return self._is_open(number) and self.in_scope(number)

    # -- one row ----------------------------------------------------------------------------------------------------

    def clean(self, row: Row) -> None:
        values = row.values
        row.label = short_name(values["short_name"], values["city"])
        if values["type"] not in self.types:
            message = gettext_noop("The school type key “%(key)s” is unknown. An administrator can add it.")
            row.errors.append(Fault("Schulform", message, {"key": values["type"]}))
        values["official_name"] = official_name(values["name_1"], values["name_2"], values["name_3"])
        values["phone"] = " ".join(filter(None, (values["dialling_code"], values["extension"])))
        self._clean_days(row)
        self._clean_coordinates(row)

    def _clean_days(self, row: Row) -> None:
        """The register's day belongs to its key: only 3 (“opens on”) says what it means in the key list.

        With 0 and 2 (“will be closed”) a coming day is the day of closing; a past one is when the school began.
        """
        state, given = row.values["state"], row.values["state_day"]
        row.values["opened_on"] = row.values["closed_on"] = None
        if state == OperatingState.OPENING:
            row.values["opened_on"] = given
            if given is None:
                message = gettext_noop("The school opens later (key 3), but its day is missing.")
                row.errors.append(Fault("Schulbetriebsdatum", message))
        elif state in {OperatingState.CLOSING_THIS_YEAR, OperatingState.CLOSING_LATER}:
            row.values["closed_on"] = given if given and given > clock.today() else None

    def _clean_coordinates(self, row: Row) -> None:
        values = row.values
        system = (values["epsg"] or "").upper()
        if system not in {"", "NULL", COORDINATE_SYSTEM}:
            message = gettext_noop("The coordinate system “%(system)s” is unknown; the coordinates are left out.")
            row.hints.append(Fault("EPSG", message, {"system": system}))
        elsewhere = self._is_elsewhere(values["easting"], values["northing"])
        if system == COORDINATE_SYSTEM and elsewhere:
            message = gettext_noop("The coordinates lie outside North Rhine-Westphalia; they are left out.")
            row.hints.append(Fault("UTMRechtswert", message))
        if system != COORDINATE_SYSTEM or elsewhere or values["easting"] is None or values["northing"] is None:
            values["easting"] = values["northing"] = None

    @staticmethod
    def _is_elsewhere(easting: int | None, northing: int | None) -> bool:
        """One wrong place would draw all others of the map into one spot."""
        return easting is not None and northing is not None and (easting not in EASTINGS or northing not in NORTHINGS)

    # -- comparing --------------------------------------------------------------------------------------------------

    def compare(self, rows: Sequence[Row]) -> None:
        schools = self.schools_of(rows)
        sites = self.main_sites(school.pk for school in schools.values())
        for row in rows:
            school = schools.get(row.key)
            site = sites.get(school.pk) if school else None
            row.target = Target(school, site)
            known = self.known(school, site) if school else {}
            wanted = self._wanted(row, town=self.town(row))
            row.changes = differences(known, wanted)
            settled(row, is_new=school is None)
            self._check_days(row, known | wanted)

    def _wanted(self, row: Row, *, town: str) -> dict[str, Any]:
        """What the row says, by field; what it does not say is left out."""
        values = row.values
        wanted = {
            "short_name": short_name(values["short_name"], town),
            "school_type": values["type"],
            "authority": values["authority"],
            "municipality_key": values["municipality"],
            "operating_state": values["state"],
        }
        same = ("official_name", "legal_form", "email", "phone", "homepage", *SITE_FIELDS)
        wanted |= {name: values[name] for name in same}
        wanted |= {name: iso(values[name]) for name in DAY_FIELDS}
        return {name: value for name, value in wanted.items() if value not in (None, "")}

    def _check_days(self, row: Row, result: Mapping[str, Any]) -> None:
        opened, closed = result.get("opened_on"), result.get("closed_on")
        if opened and closed and closed <= opened:
            message = gettext_noop("The school would close (%(closed)s) before it opens (%(opened)s).")
            row.errors.append(Fault("Schulbetriebsdatum", message, {"closed": closed, "opened": opened}))

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        self._add_authorities(rows, by=by, reason=reason)
        self.write_schools(rows, by=by, reason=reason)

    def _add_authorities(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        for number in sorted({row.values["authority"] for row in rows} - self.authorities.keys()):
            authority = services.ensure_authority(number, by=by, reason=reason)
            self.authorities[number] = authority
            self.numbers[authority.pk] = number

    # -- showing ----------------------------------------------------------------------------------------------------

    def display(self, name: str, value: Any) -> str:
        if value in (None, ""):
            return ""
        if name in DAY_FIELDS:
            return formats.day(datetime.date.fromisoformat(value))
        if name == "school_type":
            return f"{value} {self.types[value].name}" if value in self.types else str(value)
        if name == "authority":
            known = self.authorities.get(value)
            return f"{value} {known.name if known else services.authority_name(value)}"
        if name == "legal_form":
            return str(dict(LegalForm.choices).get(value, value))
        if name == "operating_state":
            return str(dict(OperatingState.choices).get(value, value))
        return str(value)
