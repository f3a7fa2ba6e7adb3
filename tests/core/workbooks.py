"""Workbooks for tests: good ones, and such that want to fill the memory."""

import io
import random
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import xlsxwriter

MEGABYTE = 1024 * 1024
SHEET = "xl/worksheets/sheet1.xml"
_OPEN = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_CLOSE = "</sheetData></worksheet>"


def book(header: Sequence[str], rows: Iterable[Sequence[Any]], *,
         formulas: Mapping[str, tuple[str, Any]] | None = None) -> bytes:  # fmt: skip
    """Cells as `xlsxwriter` types them; `formulas` by cell with their values."""
    out = io.BytesIO()
    options = {"strings_to_formulas": False, "default_date_format": "dd.mm.yyyy"}
    with xlsxwriter.Workbook(out, options) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, header)
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, row)
        for cell, (formula, value) in (formulas or {}).items():
            sheet.write_formula(cell, formula, None, value)
    return out.getvalue()


def with_part(name: str, content: str | Iterable[bytes]) -> bytes:
    """A good workbook, one part of which is exchanged."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book(["Inventarnummer"], [["T-1"]]))) as good,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for part in good.infolist():
            if part.filename != name:
                made.writestr(part, good.read(part))
        with made.open(name, "w") as target:
            for chunk in [content.encode()] if isinstance(content, str) else content:
                target.write(chunk)
    return out.getvalue()


def _sheet(inside: str) -> bytes:
    return with_part(SHEET, _OPEN + inside + _CLOSE)


def _noise(quantity: int) -> Iterable[bytes]:
    """Text that hardly shrinks, so that only what it holds gives it away."""
    rng = random.Random(7)
    return (rng.randbytes(MEGABYTE // 2).hex().encode() for _ in range(quantity))


def _long_cell() -> bytes:
    parts = [_OPEN.encode(), b'<row r="1"><c r="A1" t="inlineStr"><is><t>', *_noise(10)]
    return with_part(SHEET, [*parts, b"</t></is></c></row>", _CLOSE.encode()])


def _many_parts() -> bytes:
    out = io.BytesIO(book(["a"], []))
    with zipfile.ZipFile(out, "a") as made:
        for number in range(30_000):
            made.writestr(f"xl/{number}.xml", "")
    return out.getvalue()


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(9))
    return with_part(SHEET, f'<!DOCTYPE x [{entities}]>{_OPEN}<row><c t="str"><v>&a8;</v></c></row>{_CLOSE}')


HOSTILE: Mapping[str, Callable[[], bytes]] = {
    "bomb": lambda: with_part(SHEET, (b"<" * MEGABYTE for _ in range(200))),
    "flat-bomb": lambda: with_part(SHEET, (b"<row/>" * 170_000 for _ in range(200))),
    "empty-rows": lambda: _sheet("<row/>" * 400_000),
    "million-columns": lambda: _sheet("<row>" + "<c/>" * 1_000_000 + "</row>"),
    "wide-row": lambda: _sheet("<row>" + "<c><v>1</v></c>" * 20_000 + "</row>"),
    "far-cell": lambda: _sheet('<row r="1"><c r="ZZZZZZ1"><v>1</v></c></row>'),
    "far-row": lambda: _sheet('<row r="1"><c r="A1"><v>1</v></c></row><row r="2000000000"><c><v>1</v></c></row>'),
    "10-MB-in-one-cell": _long_cell,
    "many-styles": lambda: with_part("xl/styles.xml", "<styleSheet>" + "<xf/>" * 200_000 + "</styleSheet>"),
    "many-parts": _many_parts,
    "entities": _laughs,
    "no-workbook": lambda: with_part("[Content_Types].xml", "<Types/>"),
    "damaged-sheet": lambda: _sheet("<row><c>"),
    "cut-off-workbook": lambda: book(["a"], [["b"]] * 1000)[:-500],
    "noisy-workbook": lambda: bytes(byte ^ (17 if place % 97 == 60 else 0)
                                    for place, byte in enumerate(book(["a"], [["b"]] * 1000))),
    "empty-sheet": lambda: book([], []),
    "no-date": lambda: _sheet('<row><c t="d"><v>gestern</v></c></row>'),
}  # fmt: skip
