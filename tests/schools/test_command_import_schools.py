"""`manage.py import_schools`: exits, reports and what it leaves behind."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.core.models import ImportRow, ImportRun, ImportState, Job, JobState
from apps.schools.models import PupilCount, School
from apps.schools.services import ensure_school_types
from tests.schools.files import REGION, counts, school, schuldaten

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def school_types() -> None:
    ensure_school_types()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "schuldaten.csv"
    path.write_bytes(schuldaten(REGION))
    return path


def run(file: Path, *arguments: str) -> str:
    out = io.StringIO()
    call_command("import_schools", str(file), "--source", "schuldaten", *arguments, stdout=out)
    return out.getvalue()


def failing(file: Path, *arguments: str) -> tuple[int, str, str]:
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_schools", str(file), "--source", "schuldaten", *arguments, stdout=out)
    return caught.value.returncode, str(caught.value), out.getvalue()


def test_good_file_is_written_and_counted(file: Path) -> None:
    assert run(file).splitlines() == [
        "Fehlerhaft: 0",
        "Neu: 4",
        "Geändert: 0",
        "Vorhanden, aber nicht in dieser Datei: 0",
        "Unverändert: 0",
        "Ausgelassen: 4",
        "  in den Schuldaten gelöscht: 2",
        "  keine Schule (Schulamt oder Seminar): 2",
    ]
    assert School.objects.count() == 4
    kept = ImportRun.objects.get()
    assert (kept.state, kept.file_name, kept.file.name) == (ImportState.APPLIED, "schuldaten.csv", "")


@pytest.mark.parametrize(
    ("arguments", "new"), [(["--authority", "10315"], 2), (["--municipality", "05915000"], 3), ([], 4)]
)
def test_json_report(file: Path, arguments: list[str], new: int) -> None:
    report: dict[str, Any] = json.loads(run(file, "--json", *arguments))

    assert report["counts"]["new"] == School.objects.count() == new
    assert sum(report["left_out"].values()) == report["counts"]["left_out"] == 8 - new
    assert (report["written"], report["errors"], report["encoding"]) == (True, [], "utf-8")


def test_dry_run_writes_nothing(file: Path) -> None:
    assert run(file, "--dry-run").splitlines()[-1] == "Nur geprüft, es wurde nichts übernommen."
    assert (School.objects.count(), ImportRun.objects.count(), ImportRow.objects.count()) == (0, 0, 0)


def test_faulty_rows_end_with_1_and_write_nothing(file: Path) -> None:
    file.write_bytes(schuldaten([school("100001"), school("1"), school("100002", Schulform="81")]))
    code, message, report = failing(file)

    assert (code, message) == (1, "Fehlerhafte Zeilen: 2. Es wurde nichts übernommen.")
    assert report.splitlines()[:2] == [
        "Zeile 4, Schulnummer: „1“ ist keine Schulnummer: Sie hat sechs Ziffern.",
        "Zeile 5, Schulform: Der Schulformschlüssel „81“ ist unbekannt. Die Systemverwaltung kann ihn anlegen.",
    ]
    assert (School.objects.count(), ImportRun.objects.count()) == (0, 0)
    assert [fault["line"] for fault in json.loads(failing(file, "--json", "--dry-run")[2])["errors"]] == [4, 5]


def test_unreadable_files_end_with_2(file: Path, tmp_path: Path) -> None:
    file.write_bytes(b"%PDF-1.7")
    assert failing(file)[0] == 2
    assert failing(tmp_path / "none.csv")[0] == 2
    assert failing(tmp_path)[0] == 2
    assert json.loads(failing(file, "--json")[2])["error"].startswith("Das ist eine PDF-Datei.")
    assert (ImportRun.objects.count(), Job.objects.filter(state=JobState.QUEUED).count()) == (0, 0)


def test_authority_and_municipality_exclude_each_other(file: Path) -> None:
    with pytest.raises(CommandError, match="not allowed with"):
        run(file, "--authority", "10315", "--municipality", "05915000")


# -- the other sources ----------------------------------------------------------------------------------------------


def call(path: Path, *arguments: str) -> str:
    out = io.StringIO()
    call_command("import_schools", str(path), *arguments, stdout=out)
    return out.getvalue()


def test_yearly_update_names_what_changed_is_missing_and_left_out(file: Path, tmp_path: Path) -> None:
    run(file)
    file.write_bytes(schuldaten([school("100001", Kurzbezeichnung="Musterstadt, GG Ulme", Strasse="Ulmenweg 2")]))
    assert run(file, "--municipality", "05915000").splitlines() == [
        "Fehlerhaft: 0",
        "Neu: 0",
        "Geändert: 1",
        "  100001 GG Ulme: Kurzname GG Birken → GG Ulme; Straße und Hausnummer Birkenweg 1 → Ulmenweg 2",
        "Vorhanden, aber nicht in dieser Datei: 2",
        "  100002 GY Eiche",
        "  100003 BK Land",
        "Unverändert: 0",
        "Ausgelassen: 0",
    ]
    numbers = tmp_path / "anzahlen.csv"
    numbers.write_bytes(counts([("100001", "10"), ("999999", "5")]))
    text = call(numbers, "--source", "counts", "--school-year", "2025/26", "--authority", "10315")
    assert text.splitlines()[4:] == [
        "  100002 GY Eiche",
        "Unverändert: 0",
        "Ausgelassen: 1",
        "  ist hier nicht erfasst: Neue Schulen kommen mit den Schuldaten (schuldaten.csv): 1",
        "    999999",
    ]


def test_json_names_every_school(file: Path) -> None:
    run(file)
    file.write_bytes(schuldaten([school("100001", Kurzbezeichnung="Musterstadt, GG Ulme"), school("100009")]))
    report = json.loads(run(file, "--json", "--municipality", "05915000"))

    assert report["new"] == [{"number": "100009", "name": "GG Birken"}]
    assert report["changed"] == [
        {"number": "100001", "name": "GG Ulme", "changes": {"short_name": ["GG Birken", "GG Ulme"]}}]  # fmt: skip
    assert report["missing"] == [
        {"number": "100002", "name": "GY Eiche"}, {"number": "100003", "name": "BK Land"}]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "counts"], "Dateien der Art „counts“ brauchen die Option --school-year."),
        (["--source", "schuldaten", "--school-year", "2025/26"],
         "Die Option --school-year gehört nicht zu Dateien der Art „schuldaten“."),
        (["--source", "counts", "--school-year", "2025"], "Bitte geben Sie ein Schuljahr wie 2024/25 ein."),
        (["--source", "counts", "--school-year", "2025/27"], "Bitte geben Sie ein Schuljahr wie 2024/25 ein."),
        (["--source", "counts", "--school-year", "2025/26", "--counted-on", "2024-10-15"],
         "Der Zähltag liegt außerhalb des Schuljahrs 2025/26."),
        (["--source", "counts", "--school-year", "2095/96"],
         "Der Zähltag 15.10.2095 liegt in der Zukunft. Bitte geben Sie den Tag an, an dem gezählt wurde."),
        (["--source", "network", "--counted-on", "2095-01-01"], "Der Zähltag 01.01.2095 liegt in der Zukunft."),
        (["--source", "schuldaten", "--municipality", "05915"], "Ein Gemeindeschlüssel hat acht Ziffern"),
        (["--source", "schuldaten", "--authority", "Hamm"], "Ein Schulträger hat eine Nummer wie 10315."),
    ],
)  # fmt: skip
def test_options_that_do_not_fit(file: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        call(file, *arguments)
    assert message in str(caught.value)
    assert ImportRun.objects.count() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--authority", "10316"], "Keine Zeile der Datei gehört zum Schulträger 10316. Bitte prüfen Sie die Nummer."),
        (["--municipality", "05915999"],
         "Keine Zeile der Datei gehört zu einer Schule in der Gemeinde 05915999. Bitte prüfen Sie den Schlüssel."),
    ],
)  # fmt: skip
def test_a_filter_that_matches_no_row_is_told(file: Path, arguments: list[str], message: str) -> None:
    assert failing(file, *arguments)[:2] == (2, message)
    run(file)
    file.write_bytes(counts([("100001", "10"), ("999999", "5")]))
    with pytest.raises(CommandError, match="Keine Zeile der Datei") as caught:
        call(file, "--source", "counts", "--school-year", "2025/26", *arguments)
    assert (caught.value.returncode, PupilCount.objects.count()) == (2, 0)


@pytest.mark.parametrize("day", ["2026-02-01", "01.02.2026"])
def test_another_counting_day(file: Path, day: str) -> None:
    run(file)
    file.write_bytes(counts([("100001", "10")]))
    call(file, "--source", "counts", "--school-year", "2025/26", "--counted-on", day)

    assert f"{PupilCount.objects.get().counted_on}" == "2026-02-01"


def test_a_file_that_cannot_be_opened_is_named_in_german(tmp_path: Path) -> None:
    gone = tmp_path / "gibt-es-nicht.csv"
    code, message, _ = failing(gone)
    assert (code, message) == (2, f"Die Datei {gone} gibt es nicht.")
    code, message, _ = failing(tmp_path)
    assert (code, message) == (2, f"{tmp_path} ist ein Ordner. Bitte geben Sie eine Datei an.")
