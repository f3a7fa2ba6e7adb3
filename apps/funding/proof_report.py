"""The proof of use as tagged PDF and as spreadsheet: report in words, report in numbers, lists, lines to sign.

Its two long lists also as CSV, for programs that add them up again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import FileResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.core import exports, formats
from apps.funding import handings_in
from apps.funding import proof_lists as lists
from apps.funding.choices import ProofState
from apps.funding.models import ProofOfUse
from apps.funding.proof_figures import TEXTS, ProofFigures
from apps.funding.proof_words import (
    TEXT_LABELS,
    devices_in_words,
    facts_in_words,
    gap_label,
    gap_subject,
    planned_in_words,
    vouchers_in_words,
)
from apps.funding.sheets import Sheet, workbook_response
from apps.funding.typeset import pdf_of, table

_TEMPLATE = Path(__file__).with_name("proof.typ")


def proof_pdf(proof: ProofOfUse, figures: ProofFigures) -> bytes:
    """A tagged PDF (PDF/UA-1); a draft says on every page that it is one, and what is missing."""
    return pdf_of(_TEMPLATE, _document(proof, figures))


def proof_xlsx(proof: ProofOfUse, figures: ProofFigures) -> FileResponse:
    """A workbook with a sheet for each part."""
    facts = [[label, value] for label, value in facts_in_words(figures.facts)]
    sums = lists.money(figures)
    facts += [[_("Planned"), planned_in_words(figures)]]
    if why := devices_in_words(figures):
        facts += [[_("Devices"), why]]
    facts += [[str(TEXT_LABELS[name]), figures.texts.get(name, "")] for name in TEXTS]
    sheets = [
        Sheet(_("Proof of use"), [_("What"), _("Value")], [[_("State"), _state(proof)], *facts]),
        Sheet(_("Financing"), *lists.financing(figures)),
        *([Sheet(_("Money of the grant"), [_("What"), _("Value")], [list(row) for row in sums])] if sums else []),
        Sheet(_("Spending"), *lists.spending(figures)),
        Sheet(_("Vouchers"), *lists.vouchers(figures)),
        Sheet(_("Devices"), *lists.devices(figures)),
        Sheet(_("Agreement with the ledger"), *lists.agreement(figures)),
    ]
    missing = [[gap_label(gap), gap_subject(gap)] for gap in figures.gaps]
    header = [_("What is missing"), _("Where")]
    if proof.state == ProofState.DRAFT:
        sheets.append(Sheet(_("Missing"), header, missing))
    elif missing:
        sheets.append(Sheet(_("Explained by the office"), header, [*missing, [_("Explanation"), figures.despite]]))
    return workbook_response(file_stem(proof), sheets)


def vouchers_csv(proof: ProofOfUse, figures: ProofFigures) -> StreamingHttpResponse:
    """The vouchers of the spreadsheet without their sum: whoever adds up a column counts nothing twice."""
    header, rows, _sum = lists.vouchers(figures)
    name = pgettext("name of a file", "vouchers")
    return exports.csv_response(f"{file_stem(proof)}-{name}", header, rows)


def devices_csv(proof: ProofOfUse, figures: ProofFigures) -> StreamingHttpResponse:
    """Likewise the devices."""
    header, rows, _sum = lists.devices(figures)
    name = pgettext("name of a file", "devices")
    return exports.csv_response(f"{file_stem(proof)}-{name}", header, rows)


def file_stem(proof: ProofOfUse) -> str:
    """The name of the file without its day: with the file reference, the school's number, which handing in it is."""
    reference = "".join(sign if sign.isalnum() else "-" for sign in proof.grant.file_reference)
    shown = handings_in.shown_of(proof)
    name = pgettext("name of a file", "handing-in")  # gettext finds no words within an f-string
    which = shown and f"{name}-{shown.number}"
    return "-".join(filter(None, (_("proof-of-use"), reference, proof.school and proof.school.number, which)))


def _state(proof: ProofOfUse) -> str:
    if proof.state == ProofState.DRAFT or proof.handed_in_on is None:
        return _("Draft")
    if (shown := handings_in.shown_of(proof)) is not None:
        return handings_in.in_words(shown)
    return _("handed in on %(day)s") % {"day": formats.day(proof.handed_in_on)}


def _document(proof: ProofOfUse, figures: ProofFigures) -> dict[str, Any]:
    facts = figures.facts
    draft = proof.state == ProofState.DRAFT
    return {
        "title": f"{_('Proof of use')} {facts.file_reference}",
        "heading": _("Proof of use"),
        "subtitle": f"{facts.programme}, {facts.school or _('all schools')}",
        "running": facts.file_reference,
        "mark": _("Draft") if draft else "",
        "facts": [[_("State"), _state(proof)], *(list(fact) for fact in facts_in_words(facts))],
        "missing": _missing(figures, draft),
        "report": {
            "title": _("Report in words"),
            "parts": [
                {"label": str(TEXT_LABELS[name]), "paragraphs": _paragraphs(figures.texts.get(name, ""))}
                for name in TEXTS
            ],
        },
        "numbers": _numbers(figures),
        "signatures": {
            "title": _("Confirmation"),
            "text": _(
                "The expenditure was necessary, the money was spent economically and thriftily, and what is stated here"
                " agrees with the books and vouchers."
            ),
            "lines": [_("Place, day"), _("Signature, name and office")],
        },
        "vouchers": table(*lists.vouchers_in_short(figures)) | {"title": vouchers_in_words(len(figures.vouchers))},
        "devices": _devices(figures),
    }


def _devices(figures: ProofFigures) -> dict[str, Any]:
    intro = _("By school and product; below it, of each device, its inventory number and its serial number.")
    cost = _("Together they cost %(sum)s.") % {"sum": formats.euro(figures.cost_of_devices)}
    return {
        "title": f"{_('Devices')} ({formats.number(len(figures.devices))})",
        "intro": f"{intro} {cost}",
        "note": devices_in_words(figures),
        "groups": lists.device_groups(figures),
        "none": _("None."),
    }


def _missing(figures: ProofFigures, draft: bool) -> dict[str, Any]:
    """What a draft lacks; of what was handed in, why it was all the same."""
    subjects: dict[str, list[str]] = {}
    for gap in figures.gaps:
        subjects.setdefault(gap_label(gap), []).extend(filter(None, [gap_subject(gap)]))
    groups = [
        {"label": f"{label} ({formats.number(len(found))})" if len(found) > 1 else label, "subjects": found}
        for label, found in subjects.items()
    ]
    if draft:
        intro = _("Before this proof is handed in, the office mends or explains what follows.")
        return {"title": _("What is missing"), "intro": intro, "groups": groups}
    return {"title": _("Explained by the office"), "intro": figures.despite, "groups": groups}


def _paragraphs(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()] or [formats.missing()]


def _numbers(figures: ProofFigures) -> dict[str, Any]:
    notes = [
        planned_in_words(figures),
        _("Paid altogether: %(spent)s. Of it not eligible, paid by the city alone: %(rest)s.")
        % {"spent": formats.euro(figures.spent), "rest": formats.euro(figures.not_eligible)},
    ]
    sentence = (
        _("The proof agrees with the ledger: the difference is %(difference)s.")
        if figures.agrees
        else _("The proof differs from the ledger by %(difference)s.")
    )
    return {
        "title": _("Report in numbers"),
        "financing": table(*lists.financing(figures)) | {"title": _("Financing"), "notes": notes},
        "money": {
            "title": _("Money of the grant"),
            "rows": [[label, formats.euro(amount)] for label, amount in lists.money(figures)],
        },
        "spending": table(*lists.spending(figures)) | {"title": _("Eligible expenditure by position")},
        "agreement": table(*lists.agreement(figures))
        | {
            "title": _("Agreement with the ledger"),
            "sentence": sentence % {"difference": formats.euro(figures.difference)},
        },
    }
