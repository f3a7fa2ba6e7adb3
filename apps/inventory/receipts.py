"""Receipts of loans as PDF: what was handed out or given back, with lines to sign.

The fields are those of the forms that schools in NRW use; pupils sign with a guardian. Teachers sign an agreement on
use, which is a receipt and no contract that would make them liable (GEW NRW on devices of the school authority).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.translation import get_language, gettext

from apps.core import clock, formats
from apps.inventory.choices import Condition
from apps.inventory.loan_choices import Borrower, LoanState
from apps.inventory.models import Loan

AT_ONCE = 200
_TEMPLATE = Path(__file__).with_name("receipts.typ")


def receipts_pdf(loans: Sequence[Loan], *, back: bool, names: bool) -> bytes:
    """A tagged PDF (PDF/UA-1), each receipt on a page of its own. `loans`: at least one, with device, school, parts.

    back: of the return instead of the hand-out. names: prints stored names; without, there is a line to write it on.
    """
    pdf: bytes = typst.compile(
        {"main.typ": _TEMPLATE.read_bytes(), "receipts.json": json.dumps(_document(loans, back, names)).encode()},
        format="pdf",
        pdf_standards="ua-1",
        ignore_system_fonts=True,
        timestamp=clock.now().replace(microsecond=0),
    )
    return pdf


def _document(loans: Sequence[Loan], back: bool, names: bool) -> dict[str, Any]:
    title = gettext("Receipts of returns") if back else gettext("Receipts of loans")
    return {
        "title": f"{title} – {settings.CITY_NAME}",
        "language": (get_language() or settings.LANGUAGE_CODE).partition("-")[0],
        "city": settings.CITY_NAME,
        "page_words": gettext("Page {page} of {pages}"),
        "receipts": [_returned(loan, names) if back else _handed_out(loan, names) for loan in loans],
    }


def _handed_out(loan: Loan, names: bool) -> dict[str, Any]:
    teacher = loan.borrower == Borrower.TEACHER
    facts = [
        *_device_facts(loan),
        *_parts(gettext("Parts of the kit"), loan, ended=False),
        (gettext("Condition at hand-out"), _condition(loan.condition_out)),
        (gettext("Damage before the hand-out"), loan.damage_out or gettext("none known")),
        (gettext("Start of the loan"), formats.day(loan.since)),
        (gettext("End of the loan"), _end(loan)),
    ]
    return {
        **_head(loan, names),
        "heading": gettext("Agreement on use") if teacher else gettext("Receipt of a loan"),
        "intro": _teacher_intro(loan) if teacher else _pupil_intro(loan),
        "facts": _lines(facts),
        "notes": _teacher_notes() if teacher else _pupil_notes(),
        "signatures": [
            gettext("Place, day, signature of the teacher"),
            gettext("Place, day, signature for the school"),
        ]
        if teacher
        else [
            gettext("Place, day, signature of the pupil"),
            gettext("Place, day, signature of a parent or guardian"),
            gettext("Place, day, signature for the school"),
        ],
    }


def _returned(loan: Loan, names: bool) -> dict[str, Any]:
    """Of a loan that is still out it is a form, to be filled in when the device comes back."""
    ended = not loan.is_open
    missing = gettext("Parts that are missing")
    blank = [(missing, "")] if not ended and loan.parts.all() else []
    facts = [
        *_device_facts(loan),
        *_parts(gettext("Parts of the kit"), loan, ended=ended),
        *(_parts(missing, loan, ended=True, back=False) if ended else blank),
        (gettext("Start of the loan"), formats.day(loan.since)),
        (gettext("Given back on"), formats.day(loan.ended_on) if loan.ended_on else ""),
        (gettext("Condition at hand-out"), _condition(loan.condition_out)),
        (gettext("Condition at return"), _condition(loan.condition_back) if ended else ""),
        (gettext("Damage at return"), loan.damage_back or (gettext("none known") if ended else "")),
    ]
    who = (
        gettext("Place, day, signature of the teacher")
        if loan.borrower == Borrower.TEACHER
        else gettext("Place, day, signature of the pupil")
    )
    return {
        **_head(loan, names),
        "heading": gettext("Receipt of a return") if ended else gettext("Form for a return"),
        "intro": gettext("The school has received the device named below back. The loan has ended.")
        if ended
        else gettext("To be filled in when the device named below comes back to the school."),
        "facts": _lines(facts),
        "notes": [],
        "signatures": [gettext("Place, day, signature for the school"), who],
    }


def _head(loan: Loan, names: bool) -> dict[str, Any]:
    return {
        "school": str(loan.school),
        "number": gettext("Loan number %(number)s") % {"number": loan.number},
        "name": {"label": gettext("Name (block letters)"), "value": loan.borrower_name if names else ""},
    }


def _device_facts(loan: Loan) -> list[tuple[str, str]]:
    device = loan.device
    group = [] if loan.borrower == Borrower.TEACHER and not loan.group else [loan.group or formats.missing()]
    return [
        (gettext("Device"), str(device.product)),
        (gettext("Serial number"), device.serial or formats.missing()),
        (gettext("Inventory number"), device.tag),
        (gettext("Loan number"), loan.number),
        *((gettext("Class or group"), words) for words in group),
        (gettext("Accessories"), loan.accessories or gettext("no accessories")),
        (gettext("Value"), formats.euro(loan.value)),
    ]


def _parts(label: str, loan: Loan, *, ended: bool, back: bool = True) -> list[tuple[str, str]]:
    """One line naming the parts of the kit: all that went out, or of an ended loan those that are `back`, or not."""
    rows = [part for part in loan.parts.all() if not ended or (part.state == LoanState.RETURNED) == back]
    words = [
        ", ".join(
            filter(
                None,
                (
                    str(part.device.product),
                    part.device.tag,
                    part.device.serial,
                    formats.euro(part.value) if part.value else "",
                ),
            )
        )
        for part in rows
    ]
    return [(label, "; ".join(words))] if words else []


def _lines(facts: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"label": label, "value": value or "………………………………"} for label, value in facts]


def _condition(code: str) -> str:
    return str(Condition(code).label) if code else formats.missing()


def _end(loan: Loan) -> str:
    if loan.due_on is None:
        return gettext("on leaving the school")
    day = {"day": formats.day(loan.due_on)}
    if loan.until_school_year_ends:
        return gettext("end of the school year (%(day)s), at the latest on leaving the school") % day
    return gettext("%(day)s, at the latest on leaving the school") % day


def _pupil_intro(loan: Loan) -> str:
    return gettext(
        "%(city)s, as school authority, lends the device named below for learning at school and at home."
    ) % {"city": settings.CITY_NAME}


def _pupil_notes() -> list[str]:
    return [
        gettext("The device remains the property of the school authority. It is not lent on to others."),
        gettext("We treat it with care and report loss, theft and damage to the school at once."),
        gettext("At the end of the loan we give it back with all accessories."),
        gettext("We have received the device and the accessories named above."),
    ]


def _teacher_intro(loan: Loan) -> str:
    text = gettext("%(city)s, as school authority, provides the device named below for official use.")
    return text % {"city": settings.CITY_NAME}


def _teacher_notes() -> list[str]:
    return [
        gettext("The device remains the property of the school authority and is used for official purposes."),
        gettext("I protect it and the data on it from access by others, and report loss, theft and damage at once."),
        gettext("I give it back with all accessories at the end of the loan or on leaving the school."),
        gettext("With my signature I confirm that I have received the device and the accessories named above."),
    ]
