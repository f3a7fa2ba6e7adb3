"""Workbooks: read as text, and never a server error or a full memory, whatever the file holds."""

import io
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pytest
from django.utils.translation import override

from apps.core.errors import ImportFileError
from apps.core.imports import workbooks
from apps.core.imports.reading import open_table
from tests.core.workbooks import HARMLESS, HOSTILE, book

ROOT = Path(__file__).resolve().parents[2]
READ = """
import io, resource, sys
import django
django.setup()
from apps.core.errors import ImportFileError
from apps.core.imports.reading import open_table
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        with open(path, "rb") as content:
            print(sum(1 for _ in open_table(content, known_columns=len).rows))
    except ImportFileError:
        print("refused")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def read(paths: Iterable[Path]) -> tuple[list[str], int]:
    """Rows of each file or "refused", and the megabytes that it took, in a process of its own."""
    command = [sys.executable, "-c", READ, *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    *outcomes, megabytes = done.stdout.split()
    return outcomes, int(megabytes)


def test_hostile_workbooks_are_refused_in_little_memory(tmp_path: Path) -> None:
    for name, make in HOSTILE.items():
        (tmp_path / name).write_bytes(make())
    outcomes, megabytes = read(tmp_path / name for name in HOSTILE)

    assert dict(zip(HOSTILE, outcomes, strict=True)) == dict.fromkeys(HOSTILE, "refused")
    assert megabytes < 100


def test_what_stands_beside_the_table_is_not_unpacked(tmp_path: Path) -> None:
    for name, make in HARMLESS.items():
        (tmp_path / name).write_bytes(make())
    outcomes, megabytes = read(tmp_path / name for name in HARMLESS)

    assert (outcomes, megabytes < 50) == (["0", "1", "1"], True)


def test_a_large_workbook_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(book(["a", "b", "c"], ([f"A {n}", n, "c"] for n in range(50_000))))

    outcomes, megabytes = read([path])
    assert (outcomes, megabytes < 150) == (["50000"], True)


def test_the_sheet_with_the_known_columns_is_read() -> None:
    made, out = openpyxl.Workbook(), io.BytesIO()
    made.active.append(["Hinweise", "zur", "Liste", "hier"])
    made.create_sheet("Geräte").append(["Nummer", "Name"])
    made["Geräte"].append([1, True])
    made.create_sheet("alt").append(["Nummer", "Name", "Ort"])
    made["alt"].sheet_state = "hidden"
    made.save(out)
    known = {"Nummer", "Name", "Ort"}
    table = open_table(out, known_columns=lambda header: len(known & set(header)))

    assert (table.header, list(table.rows)) == (("Nummer", "Name"), [(2, ["1", "true"])])


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.5, "1,5"), (1234.0, "1234"), (0.1 + 0.2, "0,3"), (1e20, "1e+20"), ("007", "007"), ("_x0041_", "A"), (None, "")],
)
def test_cells_read_as_in_a_german_table(value: object, text: str) -> None:
    assert workbooks.text_of(value) == text


def test_a_locked_workbook_is_named() -> None:
    content = bytearray(book(["a"], []))
    place = content.rfind(b"PK\x01\x02")
    content[place + 8] |= 1
    with override("de"), pytest.raises(ImportFileError, match="hat ein Passwort"):
        open_table(io.BytesIO(bytes(content)), known_columns=len)
