"""Faulty official files: every fault is named with line and reason in one pass, nothing is written, exits as fixed."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.core.models import ImportRow, ImportRun, Job, JobState
from apps.schools.models import PupilCount, School, Site, SocialIndex
from apps.schools.services import ensure_school_types
from tests.factories import SchoolFactory
from tests.schools.files import counts, directory, school, schuldaten, social_index

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
YEAR = ("--school-year", "2025/26")
OPTIONS = {"schuldaten": (), "counts": YEAR, "social-index": YEAR, "directory": (), "network": ()}


def network_table(rows: list[dict[str, str]]) -> bytes:
    """The city's own table, as a spreadsheet saves it."""
    names = ("Schulnummer", "Standort", "Glasfaser Mbit/s", "Glasfaser seit", "Räume", "Räume mit LAN",
             "Räume mit WLAN")  # fmt: skip
    return "\n".join([";".join(names), *(";".join(row.get(name, "") for name in names) for row in rows)]).encode(
        "cp1252"
    )


GOOD = {
    "schuldaten": schuldaten([school("100001")]),
    "counts": counts([("100001", "10")]),
    "social-index": social_index([("100001", "5")]),
    "directory": directory([{}]),
    "network": network_table([{"Schulnummer": "100001"}]),
}
COLUMN = {
    "schuldaten": "Schulform",
    "counts": "Anzahl",
    "social-index": "Sozialindexstufe",
    "directory": "Anzahl",
    "network": "Räume",
}
ENCODING = {"social-index": "cp850", "network": "cp1252"}  # the others are UTF-8


@pytest.fixture(autouse=True)
def known_school() -> School:
    ensure_school_types()
    return SchoolFactory(number="100001", short_name="GG Birken")


def failing(path: Path, content: bytes, source: str) -> tuple[int, dict[str, Any]]:
    """Exit and JSON report; whatever happened, nothing of it is left."""
    path = path / "file.csv"
    path.write_bytes(content)
    before = School.objects.count(), PupilCount.objects.count(), SocialIndex.objects.count()
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_schools", str(path), "--source", source, *OPTIONS[source], "--json", stdout=out)
    assert (School.objects.count(), PupilCount.objects.count(), SocialIndex.objects.count()) == before
    assert (ImportRun.objects.count(), ImportRow.objects.count()) == (0, 0)
    assert Job.objects.filter(state=JobState.QUEUED).count() == 0
    return caught.value.returncode, json.loads(out.getvalue())


def places(report: dict[str, Any]) -> list[tuple[int, str]]:
    return [(fault["line"], fault["column"]) for fault in report["errors"]]


@pytest.mark.parametrize("source", GOOD)
@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda text: text.encode("utf-16"), "(UTF-16)"),
        (lambda text: text.encode() + b"\x00", "keine Textdatei"),
        (lambda text: b"", "Die Datei ist leer."),
        (lambda text: b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "keine Textdatei"),
        (lambda text: text.encode() + b'"100002;', "beschädigt oder abgeschnitten"),
    ],
    ids=["utf-16", "binary", "empty", "picture", "cut-off"],
)
def test_unreadable_files(tmp_path: Path, source: str, damage: Any, sentence: str) -> None:
    content = GOOD[source].decode(ENCODING.get(source, "utf-8"))
    code, report = failing(tmp_path, damage(content), source)

    assert (code, report["written"]) == (2, False)
    assert sentence in report["error"]


@pytest.mark.parametrize("source", GOOD)
def test_a_missing_column_is_named(tmp_path: Path, source: str) -> None:
    encoding = ENCODING.get(source, "utf-8")
    content = GOOD[source].decode(encoding).replace(COLUMN[source], "Irgendwas", 1)
    code, report = failing(tmp_path, content.encode(encoding), source)

    assert (code, report["errors"]) == (2, [])
    assert report["error"] == f"Das ist nicht die erwartete Tabelle, es fehlen diese Spalten: {COLUMN[source]}."


@pytest.mark.parametrize("source", GOOD)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, source: str) -> None:
    for kind, content in GOOD.items():
        if kind != source:
            assert failing(tmp_path, content, source)[0] == 2, kind


@dataclass(frozen=True)
class Kind:
    """How a source's file is made of rows of cells, and which cell gets a value that no one can read."""

    source: str
    file: Callable[[list[dict[str, str]]], bytes]
    first_line: int
    column: str
    bad: str
    reason: str
    width: int
    separator: str = ";"


def _pairs(make: Callable[..., bytes], value: str) -> Callable[[list[dict[str, str]]], bytes]:
    return lambda rows: make((row["Schulnummer"], row.get(value, "5")) for row in rows)


NO_NUMBER = "„zehn“ ist keine ganze Zahl."
NO_POSTCODE = "„4711“ ist keine Postleitzahl: Sie hat fünf Ziffern."
NO_TYPE = "Der Schulformschlüssel „77“ ist unbekannt. Die Systemverwaltung kann ihn anlegen."
NO_LEVEL = "„zwölf“ ist kein Sozialindex: Er geht von 1 bis 9."
KINDS = [
    Kind("schuldaten", lambda rows: schuldaten(school() | row for row in rows), 3, "PLZ", "4711", NO_POSTCODE, 23),
    Kind("schuldaten", lambda rows: schuldaten((school() | row for row in rows), newer=True), 3, "Schulform", "77",
         NO_TYPE, 24),
    Kind("counts", _pairs(counts, "Anzahl"), 3, "Anzahl", "zehn", NO_NUMBER, 2),
    Kind("social-index", _pairs(social_index, "Sozialindexstufe"), 2, "Sozialindexstufe", "zwölf", NO_LEVEL, 6),
    Kind("directory", directory, 2, "Anzahl", "zehn", NO_NUMBER, 19, ","),
    Kind("network", network_table, 2, "Räume", "zehn", NO_NUMBER, 7),
]  # fmt: skip
NAMES = ["schuldaten", "schuldaten newer", "counts", "social-index", "directory", "network"]


def spoilt(kind: Kind, rows: list[dict[str, str]], wrong: dict[int, str]) -> bytes:
    """The file with these rows spoilt: place -> "value", "twice" or "cut"."""
    for place, what in wrong.items():
        if what == "value":
            rows[place][kind.column] = kind.bad
        elif what == "twice":
            rows[place]["Schulnummer"] = rows[place - 1]["Schulnummer"]
    lines = kind.file(rows).splitlines(keepends=True)
    for place in (place for place, what in wrong.items() if what == "cut"):
        line = place + kind.first_line - 1
        lines[line] = lines[line].rpartition(kind.separator.encode())[0] + b"\n"
    return b"".join(lines)


def sentence(kind: Kind, place: int, what: str) -> tuple[str, str]:
    """Column and beginning of the reason that a spoilt row is told with."""
    if what == "value":
        return kind.column, kind.reason
    if what == "twice":
        first = place - 1
        return "Schulnummer", f"„{200000 + first}“ steht schon in Zeile {first + kind.first_line}; "
    return "", f"Die Zeile hat {kind.width - 1} statt {kind.width} Zellen; vielleicht ist sie abgeschnitten."


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_500_faulty_rows_among_5000(tmp_path: Path, kind: Kind) -> None:
    """Unreadable values, numbers given twice and rows cut off, mixed: all named in one pass, in the file's order."""
    known = School.objects.get()
    schools = School.objects.bulk_create(
        SchoolFactory.build(number=f"{200000 + n}", authority=known.authority, school_type=known.school_type)
        for n in range(5000)
    )
    Site.objects.bulk_create(Site(school=row, name="Hauptstandort", is_main=True) for row in schools)
    wrong = {n: ("value", "twice", "cut")[n // 10 % 3] for n in range(7, 5000, 10)}
    content = spoilt(kind, [{"Schulnummer": row.number} for row in schools], wrong)

    code, report = failing(tmp_path, content, kind.source)

    assert (code, report["counts"]["wrong"]) == (1, 500)
    told: dict[int, tuple[str, str]] = {}
    for fault in report["errors"]:  # a row that is cut off may have a second fault
        told.setdefault(fault["line"], (fault["column"], fault["message"]))
    assert list(told) == [n + kind.first_line for n in wrong]
    for (column, message), (n, what) in zip(told.values(), wrong.items(), strict=True):
        expected = sentence(kind, n, what)
        assert (column, message if what == "value" else message[: len(expected[1])]) == expected


def test_wrong_letters_are_no_fault_but_the_encoding_is_told(tmp_path: Path) -> None:
    """Latin letters in any of the three encodings are read right."""
    for encoding, told in (("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252"), ("cp850", "cp850")):
        path = tmp_path / "file.csv"
        path.write_bytes(schuldaten([school("100001", Strasse="Öläcker 1ß")], encoding=encoding))
        out = io.StringIO()
        call_command("import_schools", str(path), "--source", "schuldaten", "--json", stdout=out)
        assert json.loads(out.getvalue())["encoding"] == told
        assert School.objects.get().sites.get().street == "Öläcker 1ß"
