"""Workbooks for tests: good ones, and such that want to fill the memory."""

import io
import random
import struct
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


def _lying(method: int) -> bytes:
    """A sheet of 400 MB that says of itself that it has 5,000 bytes."""
    out, good = io.BytesIO(), book(["Inventarnummer"], [["T-1"]])
    with zipfile.ZipFile(io.BytesIO(good)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for part in source.infolist():
            if part.filename != SHEET:
                made.writestr(part, source.read(part))
        described = zipfile.ZipInfo(SHEET)
        described.compress_type = method
        with made.open(described, "w") as target:
            target.write(_OPEN.encode())
            for _ in range(400):
                target.write(b" " * MEGABYTE)
    content = bytearray(out.getvalue())
    place = content.rfind(b"PK\x01\x02")
    struct.pack_into("<L", content, place + 24, 5_000)
    struct.pack_into("<L", content, struct.unpack_from("<L", content, place + 42)[0] + 22, 5_000)
    return bytes(content)


def _overlapping() -> bytes:
    """900 entries of the directory that unpack the same bytes."""
    out = io.BytesIO(book(["a"], [["b"]]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/x.xml", b"<a>" + b" " * 900_000 + b"</a>")
    content = out.getvalue()
    end, entry = content.rfind(b"PK\x05\x06"), content.rfind(b"PK\x01\x02")
    tail, more = bytearray(content[end:]), content[entry:end] * 900
    number, size = struct.unpack_from("<HL", tail, 10)
    struct.pack_into("<HHL", tail, 8, number + 900, number + 900, size + len(more))
    return content[:end] + more + bytes(tail)


def _nested() -> bytes:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("bomb", b"\0" * 100 * MEGABYTE)
    return with_part("xl/media/inner.zip", [inner.getvalue()])


def _long_token(before: str, after: str) -> bytes:
    return with_part(SHEET, [f"{_OPEN}{before}".encode(), *_noise(8), f"{after}{_CLOSE}".encode()])


def _comments(quantity: int) -> Iterable[bytes]:
    return (b"<!--" + text[: MEGABYTE // 2] + b"-->" for text in _noise(quantity))


def _long_strings() -> bytes:
    """Each with a letter that makes the whole text take four bytes for each of its own."""
    long = (b"<si><t>" + text + "😀</t></si>".encode() for text in _noise(24))
    return with_part("xl/sharedStrings.xml", [b"<sst xmlns='", _OPEN.split('"')[1].encode(), b"'>",
                                              b"<si><t>a</t></si>" * 2, *long, b"</sst>"])  # fmt: skip


def _wide_rows() -> bytes:
    rows = (f'<row r="{number}"><c r="XFD{number}"/></row>' for number in range(2, 2_002))
    return _sheet('<row r="1"><c r="A1"><v>1</v></c></row>' + "".join(rows))


def _to_sheet(target: str) -> bytes:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    return with_part(
        "xl/_rels/workbook.xml.rels",
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{kind}" Target="{target}" TargetMode="External"/></Relationships>',
    )


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
    "lying-deflated": lambda: _lying(zipfile.ZIP_DEFLATED),
    "lying-bzip2": lambda: _lying(zipfile.ZIP_BZIP2),
    "lying-lzma": lambda: _lying(zipfile.ZIP_LZMA),
    "overlapping-parts": _overlapping,
    "long-attribute": lambda: _long_token('<row r="1" a="', '"><c r="A1"><v>1</v></c></row>'),
    "long-comment": lambda: _long_token('<row r="1"><c r="A1"><v>1</v></c></row><!--', "-->"),
    "many-comments": lambda: with_part("xl/theme/theme1.xml", [b"<a>", *_comments(28), b"</a>"]),
    "long-strings": _long_strings,
    "wide-rows": _wide_rows,
    "outer-document-type": lambda: with_part(SHEET, '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x">'
                                                    f'{_OPEN}<row><c><v>1</v></c></row>{_CLOSE}'),
    "outer-sheet": lambda: _to_sheet("http://127.0.0.1:9/sheet.xml"),
    "sheet-of-the-machine": lambda: _to_sheet("../../../../../../etc/passwd"),
    "outer-entity": lambda: with_part(SHEET, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
                                             f'{_OPEN}<row><c t="str"><v>&e;</v></c></row>{_CLOSE}'),
    "no-date": lambda: _sheet('<row><c t="d"><v>gestern</v></c></row>'),
}  # fmt: skip
HARMLESS: Mapping[str, Callable[[], bytes]] = {
    "declared-million": lambda: with_part(SHEET, _OPEN.replace("<sheetData>",
        '<dimension ref="A1:XFD1048576"/><sheetData>') + '<row r="1"><c r="A1"><v>1</v></c></row>' + _CLOSE),
    "nested-bomb": _nested,
    "outer-link": lambda: with_part("xl/externalLinks/externalLink1.xml", '<externalLink><ddeLink ddeService="cmd" '
                                    'ddeTopic="/c calc"/></externalLink>'),
}  # fmt: skip
"""What they hold besides their table is never unpacked or followed."""
