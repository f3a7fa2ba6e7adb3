"""Addresses, forms and files of drawdowns and proofs of use, as tests read them."""

import io
from typing import Any

import openpyxl
import pypdfium2
from django.urls import reverse

from tests.funding.papers import TEXTS


def page(row: Any, what: str = "change") -> str:
    return reverse(f"admin:funding_{row._meta.model_name}_{what}", args=[row.pk])


def typed(step: str, row: Any) -> dict[str, Any]:
    revision = getattr(row, "revision", 1)
    return {"step": step, "reason": "Grund", "seen": revision, "revision": revision, **TEXTS}


def pdf_text(pdf: bytes) -> str:
    """All words of a PDF, which must be tagged and number its pages."""
    assert b"/MarkInfo" in pdf
    assert b"/StructTreeRoot" in pdf
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[number].get_textpage().get_text_range() for number in range(len(document))]
    for number, words in enumerate(pages, start=1):
        assert f"Seite {number} von {len(pages)}" in words
    return " ".join(" ".join(pages).replace("\u202f", " ").replace("\xa0", " ").split())


def workbook(response: Any) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    return {sheet.title: list(sheet.iter_rows(min_row=2, values_only=True)) for sheet in book}
