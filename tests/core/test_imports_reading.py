"""Files as people and programs save them, and files that are none."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.errors import ImportFileError
from apps.core.imports.columns import Column, find_columns, folded, known_columns
from apps.core.imports.parsers import text
from apps.core.imports.reading import Limits, Table, open_table

COLUMNS = (
    Column("number", ("Schulnummer", "Nr."), text(longest=10)),
    Column("name", ("Kurzbezeichnung",), text(longest=40)),
    Column("street", ("Strasse", "Straße"), text(longest=40), required=False),
)
HEADER = "Schulnummer;Kurzbezeichnung;Strasse"


def opened(content: bytes, **options: object) -> Table:
    return open_table(io.BytesIO(content), known_columns=known_columns(COLUMNS), **options)  # type: ignore[arg-type]


def rows_of(content: bytes, **options: object) -> list[tuple[int, list[str]]]:
    return list(opened(content, **options).rows)


def refusal(content: bytes, **options: object) -> str:
    with pytest.raises(ImportFileError) as caught:
        rows_of(content, **options)
    return str(caught.value)


def test_declared_delimiter_empty_header_column_and_quotes() -> None:
    table = opened(b'sep=;\nSchulnummer;Kurzbezeichnung;\n"100051";"Hamm, ""GE"" A"\n')

    assert (table.content.encoding, table.delimiter, table.header) == ("utf-8", ";", ("Schulnummer", "Kurzbezeichnung"))
    assert list(table.rows) == [(3, ["100051", 'Hamm, "GE" A'])]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, end: str) -> None:
    lines = ["", "  ", delimiter.join(("Nr.", "Kurzbezeichnung", "Straße")), "", delimiter.join(("1", "A", "B"))]
    table = opened(end.join(lines).encode())

    assert table.delimiter == delimiter
    assert list(table.rows) == [(5, ["1", "A", "B"])]


@pytest.mark.parametrize(
    ("encoding", "expected_first", "found"),
    [
        ("utf-8", ("cp1252", "cp850"), "utf-8"),
        ("utf-8-sig", ("cp1252", "cp850"), "utf-8-sig"),
        ("cp1252", ("cp1252", "cp850"), "cp1252"),
        ("cp1252", ("cp850", "cp1252"), "cp1252"),
        ("cp850", ("cp1252", "cp850"), "cp850"),
        ("cp850", ("cp850", "cp1252"), "cp850"),
    ],
)
def test_encodings(encoding: str, expected_first: tuple[str, str], found: str) -> None:
    content = f"{HEADER}\n1;Städt. Grundschule Düsseldorf;Große Öde\n".encode(encoding)
    table = opened(content, legacy_encodings=expected_first)

    assert table.content.encoding == found
    assert table.header == ("Schulnummer", "Kurzbezeichnung", "Strasse")
    assert list(table.rows) == [(2, ["1", "Städt. Grundschule Düsseldorf", "Große Öde"])]


@pytest.mark.parametrize("expected", ["cp1252", "cp850"])
def test_without_german_letters_the_expected_legacy_encoding_is_taken(expected: str) -> None:
    other = {"cp1252": "cp850", "cp850": "cp1252"}[expected]
    table = opened(f"{HEADER}\n1;A;".encode() + b"\xa7\n", legacy_encodings=(expected, other))

    assert table.content.encoding == expected


def test_cell_over_several_lines_keeps_line_numbers() -> None:
    assert rows_of(f'{HEADER}\n1;"A\nB";C\n2;D;E\n'.encode()) == [(2, ["1", "A\nB", "C"]), (4, ["2", "D", "E"])]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Die Datei ist leer."),
        (b"\n \r\n\t\n", "Die Datei ist leer."),
        (b"PK\x03\x04rest", "Excel-Datei ist beschädigt"),
        (b"%PDF-1.7", "PDF-Datei"),
        (b"\x1f\x8b\x08", "gepackte Datei"),
        (b"\xd0\xcf\x11\xe0\xa1", "alte Excel-Datei"),
        (b"<!DOCTYPE html><html><body>Bitte melden Sie sich an</body></html>", "eine Internetseite oder XML"),
        (b"<html><table></table></html>", "eine Internetseite oder XML"),
        (b"\xff\xfeS\x00c\x00", "UTF-16"),
        (b"\x7fELF\x00\x01" * 100, "keine Textdatei"),
        (f"{HEADER}\n1;Schule \u00e4".encode()[:-1], "am Ende abgeschnitten"),
        (f'{HEADER}\n1;"Schule'.encode(), "ab Zeile 2 beschädigt"),
        (f'{HEADER}\n1;"A" B;C\n'.encode(), "ab Zeile 2 beschädigt"),
        (";".join(["x"] * 1_000_000).encode(), "Zeile 1 ist viel zu lang"),
        (f"{HEADER}\n1;".encode() + b"x" * 10_000_000, "Zeile 2 ist viel zu lang"),
        (f"{HEADER}\n1;".encode() + b'"' + b"x\n" * 5_000_000, "ab Zeile 2 beschädigt"),
        (f"{HEADER}\n1;{'x' * 6000};\n".encode(), "Zelle in Zeile 2 ist viel zu lang"),
        (f"{HEADER}\n{';' * 300}x\n".encode(), "mehr als 200 Spalten"),
        (b"sep=;\n", "keine Tabelle"),
    ],
)
def test_what_is_no_table_gets_one_sentence(content: bytes, sentence: str) -> None:
    assert sentence in refusal(content)


def test_limits_of_size_and_rows() -> None:
    content = (f"{HEADER}\n" + "1;A;B\n" * 5).encode()

    assert "mehr als 4 Zeilen" in refusal(content, limits=Limits(rows=4))
    assert "mehr als 1.000 Zeilen" in refusal(content + b"1;A;B\n" * 1000, limits=Limits(rows=1000))
    assert len(rows_of(content, limits=Limits(rows=5))) == 5
    assert "größer als 0 MB" in refusal(content, limits=Limits(file_bytes=20))


def test_columns_are_found_by_any_name_in_any_order() -> None:
    assert find_columns(["strasse", "x", "KURZBEZEICHNUNG", "nr"], COLUMNS) == {"street": 0, "name": 2, "number": 3}
    assert folded(" E-Mail ") == folded("email")
    assert folded("Straße") == folded("STRASSE")


def test_missing_and_double_columns_are_named() -> None:
    with pytest.raises(ImportFileError) as missing:
        find_columns(["Strasse"], COLUMNS)
    with pytest.raises(ImportFileError, match=r"Schulnummer.*zweimal"):
        find_columns(["Nr.", "Schulnummer"], COLUMNS)

    assert missing.value.missing == ("Schulnummer", "Kurzbezeichnung")
    assert "Schulnummer, Kurzbezeichnung" in str(missing.value)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_rows_or_one_sentence(content: bytes) -> None:
    rows, reason = [], ""
    try:
        rows = rows_of(HEADER.encode() + b"\n" + content)
    except ImportFileError as error:
        reason = str(error)
    assert all(line > 1 and cells for line, cells in rows)
    assert not reason or reason.endswith(".")


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(
        st.lists(
            st.text(st.characters(codec="cp1252", exclude_categories=("Cc",)), max_size=20), min_size=3, max_size=3
        ),
        max_size=6,
    )
)
def test_what_was_written_is_read_back(cells: list[list[str]]) -> None:
    import csv

    out = io.StringIO()
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL).writerows(cells)
    found = [row for _line, row in rows_of(f"{HEADER}\n{out.getvalue()}".encode())]

    assert found == [row for row in cells if any(cell.strip() for cell in row)]
