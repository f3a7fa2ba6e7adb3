"""The register's file taken into the demonstration city: what is as it was is said to be unchanged."""

import csv

import pytest

from apps.core.models import RowAction
from mepportal.demo.schools import DATA
from tests.schools.files import school, schuldaten
from tests.schools.importing import changes, check

pytestmark = pytest.mark.django_db

PARTS = {
    "120674": ("Stephanusschule", "Städt. Gem. Grundschule"),
    "169584": ("Märkisches Gymnasium", "Gymnasium der Stadt Hamm", "- Sek. I und II -"),
    "192922": (
        "Mark-Twain-Schule, Förderschule der",
        "Stadt Hamm, FSP Emotionale und soziale",
        "Entwicklung, Primarstufe",
    ),
}
"""How the register spreads some names over its cells; the other schools' names come in one."""


def register_row(row: dict[str, str]) -> dict[str, str]:
    """A school of the demonstration city as the register writes it."""
    first, second, third = (*PARTS.get(row["number"], (row["official_name"],)), "", "")[:3]
    dialling_code, extension = row["phone"].split(" ", 1)
    return school(
        row["number"],
        Schulform=row["type_key"],
        Schulbezeichnung_1=first,
        Schulbezeichnung_2=second,
        Schulbezeichnung_3=third,
        Kurzbezeichnung=row["short_name"],
        PLZ=row["postal_code"],
        Ort=row["town"],
        Strasse=row["street"],
        Telefonvorwahl=dialling_code,
        Telefon=extension,
        E_Mail=row["email"],
        Homepage=row["homepage"],
        Rechtsform=row["legal_form"],
        Traegernummer=row["authority_number"],
        Gemeindeschluessel=row["municipality_key"],
        UTMRechtswert=row["easting"],
        UTMHochwert=row["northing"],
    )


def test_only_what_differs_from_the_register_is_changed():
    with DATA.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if len(row["official_name"]) <= 52 or row["number"] in PARTS]
    assert PARTS.keys() <= {row["number"] for row in rows}
    renamed, moved = "120686", "120704"
    official = [register_row(row) for row in rows]
    for cells in official:
        if cells["Schulnummer"] == renamed:
            cells["Schulbezeichnung_2"] = "Städt. Kath. Grundschule"
        if cells["Schulnummer"] == moved:
            cells["Strasse"] = "Neue Str. 1"
    run = check("schuldaten", schuldaten(official))
    assert {number: set(found) for number, found in changes(run).items()} == {
        renamed: {"official_name"},
        moved: {"street"},
    }
    assert run.counts[RowAction.UNCHANGED] == len(rows) - 2 > 25
