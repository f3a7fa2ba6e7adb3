"""The 59 schools of Hamm with their real numbers, types and social index, and their pupils (data/SOURCES.md)."""

from __future__ import annotations

import csv
from pathlib import Path

from django.conf import settings

from apps.core.history import bulk_create_by
from apps.schools.models import School, SchoolAuthority, SchoolType, Site, SocialIndex
from apps.schools.names import short_name
from apps.schools.services import fill_search
from mepportal.demo.pupils import load_counts

DATA = Path(__file__).parent / "data" / "hamm_schools.csv"


def read_rows() -> list[dict[str, str]]:
    with DATA.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load_schools() -> list[School]:
    """All 59 schools; returns the municipal ones in the order of their numbers."""
    rows = read_rows()
    authorities = _authorities(rows)
    types = SchoolType.objects.in_bulk()
    schools = bulk_create_by([_school(row, authorities, types) for row in rows], by=None)
    pairs = list(zip(schools, rows, strict=True))
    bulk_create_by([_main_site(school, row) for school, row in pairs], by=None)
    load_counts({school: int(row["pupils_2024_25"]) for school, row in pairs if row["pupils_2024_25"]})
    bulk_create_by([_index(school, row) for school, row in pairs if row["social_index_2025_26"]], by=None)
    return sorted((school for school in schools if school.authority.is_own), key=lambda school: school.number)


def _authorities(rows: list[dict[str, str]]) -> dict[str, SchoolAuthority]:
    names = {row["authority_number"]: row["authority_name"] for row in rows}
    return {
        number: SchoolAuthority.objects.update_or_create(
            number=number, defaults={"name": name, "is_own": number == settings.OWN_AUTHORITY_NUMBER}
        )[0]
        for number, name in names.items()
    }


def _school(row: dict[str, str], authorities: dict[str, SchoolAuthority], types: dict[str, SchoolType]) -> School:
    school = School(
        number=row["number"],
        school_type=types[row["type_key"]],
        authority=authorities[row["authority_number"]],
        short_name=short_name(row["short_name"], row["town"]),
        official_name=row["official_name"],
        legal_form=row["legal_form"],
        municipality_key=row["municipality_key"],
        phone=row["phone"],
        email=row["email"],
        homepage=row["homepage"],
        startchancen=row["startchancen"] == "1",
    )
    fill_search(school, type_name=types[row["type_key"]].name, town=row["town"])
    return school


def _main_site(school: School, row: dict[str, str]) -> Site:
    return Site(
        school=school,
        name="Hauptstandort",
        is_main=True,
        street=row["street"],
        postal_code=row["postal_code"],
        city=row["town"],
        easting=int(row["easting"]) if row["easting"] else None,
        northing=int(row["northing"]) if row["northing"] else None,
    )


def _index(school: School, row: dict[str, str]) -> SocialIndex:
    return SocialIndex(school=school, school_year="2025/26", level=int(row["social_index_2025_26"]))
