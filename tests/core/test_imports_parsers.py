"""Cells of official files, as they are and as they are not."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.imports import parsers
from apps.core.imports.faults import CellError, Fault

ALL: dict[str, Callable[[str], Any]] = {
    "text": parsers.text(longest=20),
    "code": parsers.code(r"\d{6}", "“%(value)s” is not a whole number."),
    "one_of": parsers.one_of(["1", "2"]),
    "day": parsers.day,
    "whole_number": parsers.whole_number(lowest=1, highest=9),
    "metres": parsers.metres,
    "email": parsers.email,
    "homepage": parsers.homepage,
}


@pytest.mark.parametrize(
    ("parser", "cell", "value"),
    [
        ("text", "  Schule \u00a0 am\tPark ", "Schule am Park"),
        ("code", "010315", "010315"),
        ("one_of", "2", "2"),
        ("day", "01.08.2018", datetime.date(2018, 8, 1)),
        ("day", "1.8.2018", datetime.date(2018, 8, 1)),
        ("day", "", None),
        ("day", "null", None),
        ("whole_number", "7", 7),
        ("whole_number", "", None),
        ("metres", "413185", 413185),
        ("metres", "413185,5", 413186),
        ("metres", "413185.49", 413185),
        ("metres", "null", None),
        ("email", "100051@schule.nrw.de", "100051@schule.nrw.de"),
        ("email", "", ""),
        ("homepage", "www.schule.example", "https://www.schule.example"),
        ("homepage", "http://www.schule.example/a", "http://www.schule.example/a"),
        ("homepage", "", ""),
    ],
)
def test_readable(parser: str, cell: str, value: object) -> None:
    assert ALL[parser](cell) == value


@pytest.mark.parametrize(
    ("parser", "cell", "reason"),
    [
        ("text", "x" * 21, "Der Text ist länger als 20 Zeichen."),
        ("text", "a\x07b", "Der Text enthält Steuerzeichen."),
        ("code", "", "Die Zelle ist leer."),
        ("code", "12345a", "„12345a“ ist keine ganze Zahl."),
        ("code", "１２３４５６", "„１２３４５６“ ist keine ganze Zahl."),
        ("one_of", "3", "Der Schlüssel „3“ ist unbekannt; es gibt 1, 2."),
        ("day", "31.02.2024", "„31.02.2024“ ist kein Datum wie 01.08.2024."),
        ("day", "2024-08-01", "„2024-08-01“ ist kein Datum wie 01.08.2024."),
        ("whole_number", "-1", "„-1“ ist keine ganze Zahl."),
        ("whole_number", "10", "10 liegt nicht zwischen 1 und 9."),
        ("metres", "1e9", "„1e9“ ist keine Koordinate in Metern."),
        ("email", "a@b", "„a@b“ ist keine E-Mail-Adresse."),
        ("homepage", "ftp://a.example", "„ftp://a.example“ ist keine Internetadresse."),
        ("homepage", "x" * 100, "„" + "x" * 60 + "…“ ist keine Internetadresse."),
    ],
)
def test_unreadable(parser: str, cell: str, reason: str) -> None:
    with pytest.raises(CellError) as caught:
        ALL[parser](cell)
    assert Fault.of("Spalte", caught.value).text == reason


@pytest.mark.parametrize("parser", sorted(ALL))
@given(cell=st.text(max_size=40))
def test_any_text_is_read_or_refused(parser: str, cell: str) -> None:
    reason = ""
    try:
        ALL[parser](cell.strip())
    except CellError as error:
        reason = Fault.of("", error).text
    assert not reason or reason.endswith(".")


@given(st.dates(min_value=datetime.date(1000, 1, 1)))
def test_every_day_is_read(day: datetime.date) -> None:
    assert parsers.day(f"{day.day:02d}.{day.month:02d}.{day.year:04d}") == day


@given(st.integers(min_value=0, max_value=999_999))
def test_numbers_are_read_with_and_without_thousands_points(number: int) -> None:
    parse = parsers.whole_number()
    assert parse(str(number)) == parse(f"{number:,}".replace(",", ".")) == number
