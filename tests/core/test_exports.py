"""Exports open in German spreadsheets, hold no formulas, and say when they are incomplete."""

import datetime
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from apps.core import exports
from tests.browser.city import make_city

HEADER = ["Nummer", "Preis"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (0, "0"),
        (-5, "-5"),
        (Decimal("1234.50"), "1234,50"),
        (Decimal("-3.00"), "-3,00"),
        (datetime.date(2026, 11, 2), "02.11.2026"),
        (datetime.datetime(2026, 11, 22, 9, 42, tzinfo=datetime.UTC), "22.11.2026 10:42"),
        ("Müller", "Müller"),
        ("=SUM(A1)", "'=SUM(A1)"),
        ("+49 2381", "'+49 2381"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a=b", "a=b"),
    ],
)
def test_cells(value: Any, cell: str) -> None:
    assert exports.csv_cell(value) == cell


def test_truth_is_a_word() -> None:
    with override("en"):
        assert (exports.csv_cell(True), exports.csv_cell(False)) == ("yes", "no")


def test_csv_file() -> None:
    response = exports.csv_response("inventory", HEADER, [["A;1", Decimal("1.50")], [None, None]])
    body = b"".join(response.streaming_content).decode()
    assert body == '\ufeffNummer;Preis\r\n"A;1";1,50\r\n;\r\n'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="inventory-')


def test_rows_are_read_one_after_the_other() -> None:
    read = []

    def rows() -> Iterator[list[Any]]:
        for number in range(3):
            read.append(number)
            yield [number, None]

    lines = exports.csv_lines(HEADER, rows())
    assert next(lines) == "\ufeffNummer;Preis\r\n"
    assert read == []
    assert next(lines) == "0;\r\n"
    assert read == [0]


def test_a_broken_export_says_so_in_its_last_line(caplog: pytest.LogCaptureFixture) -> None:
    def rows() -> Iterator[list[Any]]:
        yield [1, None]
        raise ConnectionError("gone")

    with override("en"):
        lines = list(exports.csv_lines(HEADER, rows()))
    assert lines[1:] == ["1;\r\n", "INCOMPLETE: the export broke off here. Please export again.\r\n"]
    assert "An export broke midway" in caplog.text


def test_xlsx_keeps_types_and_makes_no_formulas() -> None:
    response = exports.xlsx_response(
        "inventory",
        ["Text", "Preis", "Tag", "Moment", "Zahl", "Ja"],
        [
            [
                "=1+1",
                Decimal("1234.50"),
                datetime.date(2026, 11, 2),
                datetime.datetime(2026, 11, 22, 9, 42, tzinfo=datetime.UTC),
                7,
                None,
            ]
        ],
    )
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    header, row = book.active.iter_rows()
    assert [cell.value for cell in header] == ["Text", "Preis", "Tag", "Moment", "Zahl", "Ja"]
    assert [cell.value for cell in row] == [
        "=1+1",
        1234.5,
        datetime.datetime(2026, 11, 2),  # noqa: DTZ001 - spreadsheets know no time zones
        datetime.datetime(2026, 11, 22, 10, 42),  # noqa: DTZ001 - as above
        7,
        None,
    ]
    assert row[0].data_type == "s"


def test_a_full_sheet_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "XLSX_ROW_LIMIT", 3)
    with override("en"):
        response = exports.xlsx_response("x", ["a"], [[number] for number in range(10)])
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    values = [cell.value for (cell,) in book.active.iter_rows()]
    assert values == ["a", 0, 1, "INCOMPLETE: a sheet holds no more rows. Please filter the list."]


def test_column_names_hold_no_soft_hyphens() -> None:
    name = "Eltern\u00adfinanziert"
    body = b"".join(exports.csv_response("quotas", [name], []).streaming_content).decode()
    assert body == "\ufeffElternfinanziert\r\n"
    book = openpyxl.load_workbook(io.BytesIO(b"".join(exports.xlsx_response("quotas", [name], []).streaming_content)))
    assert [cell.value for cell in book.active[1]] == ["Elternfinanziert"]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", exports.FORMATS)
def test_no_list_exports_a_soft_hyphen(client: Client, kind: str) -> None:
    city = make_city()
    client.force_login(city.people["head"])
    for address in ("quotas:overview", "inventory:list", "funding:list", "tickets:list", "schools:list"):
        body = b"".join(client.get(reverse(address), {"export": kind}).streaming_content)
        if kind == "xlsx":
            header = [str(cell.value) for cell in openpyxl.load_workbook(io.BytesIO(body)).active[1]]
        else:
            header = body.decode().splitlines()[0].split(";")
        assert len(header) > 3
        assert not [name for name in header if "\u00ad" in name], address
