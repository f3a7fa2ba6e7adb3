"""Papers about money as tagged PDF (PDF/UA-1), set by typst with the fonts that it brings."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.translation import get_language, gettext

from apps.core import clock, formats
from apps.funding.proof_lists import Percent, Row

FONT = "Libertinus Serif"
"""Comes with typst."""


def pdf_of(template: Path, document: Mapping[str, Any]) -> bytes:
    """The template reads `document.json`; this adds language, font, city and the words of the page numbers."""
    shared = {
        "language": (get_language() or settings.LANGUAGE_CODE).partition("-")[0],
        "font": FONT,
        "city": settings.CITY_NAME,
        "page_words": gettext("Page {page} of {pages}"),
        "printed": gettext("As of %(moment)s") % {"moment": formats.moment(clock.now())},
    }
    pdf: bytes = typst.compile(
        {
            "main.typ": template.read_bytes(),
            "paper.typ": Path(__file__).with_name("paper.typ").read_bytes(),
            "document.json": json.dumps(shared | dict(document)).encode(),
        },
        format="pdf",
        pdf_standards="ua-1",
        ignore_system_fonts=True,
        timestamp=clock.now().replace(microsecond=0),
    )
    return pdf


def table(header: Sequence[str], rows: Iterable[Row], last: Row) -> dict[str, Any]:
    """Cells as text, with the columns that hold numbers."""
    body = list(rows)
    examples = [*body[:1], last]
    numbers = [any(isinstance(row[index], (Decimal, int, Percent)) for row in examples) for index in range(len(header))]
    return {
        "header": list(header),
        "rows": [[cell(value) for value in row] for row in body],
        "last": ["" if value is None else cell(value) for value in last],
        "numbers": numbers,
        "none": gettext("None."),
    }


def cell(value: Any) -> str:
    """A value as it is read; a year is a number without groups."""
    if value is None:
        return "–"
    if isinstance(value, Percent):
        return "–" if value.value is None else formats.percent(value.value)
    if isinstance(value, Decimal):
        return formats.euro(value)
    if isinstance(value, datetime.date):
        return formats.day(value)
    if isinstance(value, int) and value < 0:
        return formats.number(value)
    return str(value)
