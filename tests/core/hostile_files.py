"""Files that nobody should send to an import, whatever their kind; each must end with one sentence."""

import gzip
import io
import random
import zipfile
from collections.abc import Callable, Mapping
from functools import cache

from tests.core.workbooks import HOSTILE, MEGABYTE

DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def document() -> bytes:
    """A letter of Word, whose name says that it is a workbook."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(
            "[Content_Types].xml", f'<Types><Override PartName="/word/document.xml" ContentType="{DOCUMENT}"/>'
        )
        made.writestr("word/document.xml", "<w:document><w:body/></w:document>")
    return out.getvalue()


def _zipped(depth: int) -> bytes:
    """A ZIP in a ZIP in a ZIP, with 50 MB of nothing at its bottom."""
    content = b"\0" * 50 * MEGABYTE
    for _level in range(depth):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("list.xlsx", content)
        content = out.getvalue()
    return content


def _text(content: str) -> Callable[[bytes], bytes]:
    return lambda head: head + content.encode()


TEXTS: Mapping[str, Callable[[bytes], bytes]] = {
    "random-bytes": lambda head: random.Random(1).randbytes(300_000),
    "random-text": lambda head: bytes(byte or 1 for byte in random.Random(2).randbytes(300_000)),
    "blank-lines": lambda head: b"\n\r\n \t\n",
    "only-its-header": lambda head: head,
    "byte-order-mark-alone": lambda head: b"\xef\xbb\xbf",
    "utf-16": lambda head: head.decode().encode("utf-16"),
    "utf-16-without-mark": lambda head: head.decode().encode("utf-16-le"),
    "utf-32": lambda head: head.decode().encode("utf-32"),
    "cut-off-letter": lambda head: head + "Straße ä".encode()[:-1],
    "NUL-at-its-end": lambda head: head + b"1;2;3\n\x00",
    "open-quote": _text('"100001;'),
    "10-MB-line": _text("x" * 10 * MEGABYTE),
    "10-MB-cell": _text('"' + "x\n" * 5 * MEGABYTE + '"'),
    "million-cells": _text(";" * 1_000_000),
    "million-columns": lambda head: ";".join(f"Spalte {n}" for n in range(1_000_000)).encode(),
    "million-quotes": _text('""' * 1_000_000),
    "pdf": lambda head: b"%PDF-1.7\n" + random.Random(3).randbytes(1000),
    "old-workbook": lambda head: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000),
    "gzip": lambda head: gzip.compress(bytes(50 * MEGABYTE)),
    "web-page": lambda head: b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>",
    "document": lambda head: document(),
    "zip-in-zip": lambda head: _zipped(3),
    "over-the-limit": lambda head: head + b"1;2;3\n" * (21 * MEGABYTE // 6),
}
"""Name -> the file, made with the header that the source expects."""
FILES: Mapping[str, Callable[[bytes], bytes]] = {
    **{f"text-{name}": make for name, make in TEXTS.items()},
    **{f"workbook-{name}": lambda _head, name=name: workbook(name) for name in HOSTILE},  # type: ignore[misc]
}
"""All of them; the workbooks are those of the reader's own tests."""


@cache
def workbook(name: str) -> bytes:
    """Some take a second to make, and each of the ways into the portal gets them."""
    return HOSTILE[name]()
