"""Faulty official files: every fault is named with line and reason in one pass, nothing is written, exits as fixed."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.core.models import ImportRow, ImportRun, Job, JobState
from apps.schools.models import PupilCount, School, SocialIndex
from apps.schools.services import ensure_school_types
from tests.factories import SchoolFactory
from tests.schools.files import counts, directory, school, schuldaten, social_index

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
YEAR = ("--school-year", "2025/26")
OPTIONS = {"schuldaten": (), "counts": YEAR, "social-index": YEAR, "directory": ()}
GOOD = {
    "schuldaten": schuldaten([school("100001")]),
    "counts": counts([("100001", "10")]),
    "social-index": social_index([("100001", "5")]),
    "directory": directory([{}]),
}
COLUMN = {"schuldaten": "Schulform", "counts": "Anzahl", "social-index": "Sozialindexstufe", "directory": "Anzahl"}


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
    content = GOOD[source].decode("cp850" if source == "social-index" else "utf-8")
    code, report = failing(tmp_path, damage(content), source)

    assert (code, report["written"]) == (2, False)
    assert sentence in report["error"]


@pytest.mark.parametrize("source", GOOD)
def test_a_missing_column_is_named(tmp_path: Path, source: str) -> None:
    encoding = "cp850" if source == "social-index" else "utf-8"
    content = GOOD[source].decode(encoding).replace(COLUMN[source], "Irgendwas", 1)
    code, report = failing(tmp_path, content.encode(encoding), source)

    assert (code, report["errors"]) == (2, [])
    assert report["error"] == f"Das ist nicht die erwartete Tabelle, es fehlen diese Spalten: {COLUMN[source]}."


@pytest.mark.parametrize("source", GOOD)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, source: str) -> None:
    for kind, content in GOOD.items():
        if kind != source:
            assert failing(tmp_path, content, source)[0] == 2, kind


def test_500_faulty_rows_among_5000(tmp_path: Path) -> None:
    rows = [school(f"{200000 + n}") for n in range(5000)]
    for n in range(0, 5000, 10):
        rows[n] = (
            school(rows[n]["Schulnummer"], PLZ="x") if n % 20 else school(rows[n + 1]["Schulnummer"], Schulform="?")
        )
    code, report = failing(tmp_path, schuldaten(rows), "schuldaten")

    expected: list[tuple[int, str]] = []
    for n in range(0, 5000, 10):
        expected += [(n + 3, "PLZ")] if n % 20 else [(n + 3, "Schulform"), (n + 4, "Schulnummer")]
    assert places(report) == expected
    assert (code, report["counts"]["wrong"]) == (1, 750)
    assert all(fault["message"] for fault in report["errors"])


@pytest.mark.parametrize("source", ["counts", "social-index", "directory"])
def test_500_faulty_rows_among_5000_of_known_schools(tmp_path: Path, source: str) -> None:
    School.objects.bulk_create(
        [SchoolFactory.build(number=f"{200000 + n}", authority=School.objects.get().authority,
                             school_type=School.objects.get().school_type) for n in range(5000)]
    )  # fmt: skip
    numbers = [f"{200000 + n}" for n in range(5000)]
    bad = range(7, 5000, 10)
    if source == "counts":
        content, first = counts([(number, "x" if n in bad else "10") for n, number in enumerate(numbers)]), 3
    elif source == "social-index":
        content = social_index([(number, "x" if n in bad else "5") for n, number in enumerate(numbers)])
        first = 2
    else:
        rows = [{"Schulnummer": number} | ({"Anzahl": "zehn"} if n in bad else {}) for n, number in enumerate(numbers)]
        content, first = directory(rows), 2
    code, report = failing(tmp_path, content, source)

    assert places(report) == [(n + first, COLUMN[source]) for n in bad]
    assert (code, report["counts"]["wrong"]) == (1, 500)


def test_wrong_letters_are_no_fault_but_the_encoding_is_told(tmp_path: Path) -> None:
    """Latin letters in any of the three encodings are read right."""
    for encoding, told in (("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1252", "cp1252"), ("cp850", "cp850")):
        path = tmp_path / "file.csv"
        path.write_bytes(schuldaten([school("100001", Strasse="Öläcker 1ß")], encoding=encoding))
        out = io.StringIO()
        call_command("import_schools", str(path), "--source", "schuldaten", "--json", stdout=out)
        assert json.loads(out.getvalue())["encoding"] == told
        assert School.objects.get().sites.get().street == "Öläcker 1ß"
