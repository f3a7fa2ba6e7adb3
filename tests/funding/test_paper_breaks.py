"""Where papers break over pages, at every length: no sum and no line to sign stands on a page of its own."""

import dataclasses
import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from apps.funding import drawdown_report
from apps.funding.carry_over import CarryOverList
from apps.funding.carry_over_report import list_pdf
from apps.funding.models import Budget, BudgetChange
from apps.funding.proof_figures import ProofFigures, Voucher
from apps.funding.proof_report import proof_pdf
from apps.funding.proof_selectors import figures_of
from apps.funding.typeset import pdf_of, table
from tests.funding.papers import make_proof

D = Decimal
DRAWDOWN = Path(drawdown_report.__file__).with_name("drawdown.typ")


def pages_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [document[number].get_textpage().get_text_range() for number in range(len(document))]


def drawdown(rows: int) -> list[str]:
    """The pages of a drawdown with so many vouchers, whose names are "Zeile 1" and so on."""
    header = [
        "Beleg",
        "Rechnung",
        "Zahlungsempfänger",
        "Betreff",
        "Zahlungsdatum",
        "davon zuwendungsfähig",
        "aus der Zuwendung",
    ]
    lines = [
        [f"Zeile {number}", "R", "Muster", "Tablet\nSchule", "1.1.2026", D(10), D(9)] for number in range(1, rows + 1)
    ]
    vouchers = table(header, lines, ["Summe", None, None, None, None, D(10 * rows), D(9 * rows)])
    document = {
        "title": "Mittelabruf", "heading": "Mittelabruf", "subtitle": "Programm", "running": "48-1", "mark": "",
        "facts": [["Status", "Entwurf"]],
        "sums": {"title": "Summen", "rows": [["Abgerufen", "9,00 €"]]},
        "vouchers": vouchers | {"title": "Belege"},
        "signatures": {"title": "Bestätigung", "sum": "9 €", "text": "Benötigt", "lines": ["Ort", "Unterschrift"]},
    }  # fmt: skip
    return pages_of(pdf_of(DRAWDOWN, document))


@pytest.mark.parametrize("rows", [1, 2, 3, *range(20, 52)])
def test_the_sum_of_a_drawdown_stands_with_its_last_rows_and_the_lines_to_sign(rows: int) -> None:
    *_others, last = drawdown(rows)
    for words in (f"Zeile {max(rows - 1, 1)}", f"Zeile {rows}", "Summe", "Bestätigung", "Unterschrift"):
        assert words in last


def test_a_long_drawdown_fills_its_pages_before_the_last() -> None:
    assert [len(drawdown(rows)) for rows in (15, 30, 50)] == [1, 2, 2]
    first, _last = drawdown(30)
    assert first.count("Zeile") >= 20


@pytest.mark.parametrize("rows", range(8, 24))
def test_the_sum_of_the_carry_overs_stands_with_its_last_rows(rows: int) -> None:
    changes = tuple(
        BudgetChange(budget=Budget(name=f"Zeile {number},", fiscal_year=2025), amount=D(10), reason="Ausschreibung")
        for number in range(1, rows + 1)
    )
    pages = pages_of(list_pdf(CarryOverList(2025, changes, ())))
    (last,) = [page for page in pages if "Summe" in page]
    assert pages.index(last) == len(pages) - 1
    for number in (rows - 1, rows):
        assert f"Zeile {number}," in last


@pytest.mark.django_db
@pytest.mark.parametrize("lines", range(0, 44, 3))
def test_the_lines_to_sign_a_proof_stand_with_the_agreement(lines: int) -> None:
    proof = make_proof()
    figures = figures_of(proof)
    texts = {**figures.texts, "course": "\n".join(f"Absatz {number}" for number in range(lines))}
    (signed,) = [
        page for page in pages_of(proof_pdf(proof, dataclasses.replace(figures, texts=texts))) if "Ort, " in page
    ]
    for words in ("Abgleich mit der Buchhaltung", "Summe", "Unterschrift"):
        assert words in signed


@pytest.mark.django_db
@pytest.mark.parametrize("rows", range(18, 28))
def test_the_sum_of_a_proofs_vouchers_stands_with_its_last_rows(rows: int) -> None:
    proof = make_proof()
    pages = pages_of(proof_pdf(proof, with_vouchers(figures_of(proof), rows)))
    (last,) = [page for page in pages if f"V-{rows}\r\n" in page or f"V-{rows} " in page]
    assert "Summe" in last
    assert f"V-{rows - 1}" in last


def with_vouchers(figures: ProofFigures, rows: int) -> ProofFigures:
    facts: dict[str, Any] = {
        "budget": 1, "invoice_number": "R", "dated_on": datetime.date(2026, 3, 2), "payee": "Muster",
        "subject": "Tablet", "school": "Schule", "quantity": 2, "amount": D(10), "eligible": D(10), "granted": D(9),
        "own": D(1), "paid_on": datetime.date(2026, 3, 9), "booking_reference": "783100/1",
    }  # fmt: skip
    vouchers = [Voucher(line=number, voucher_number=f"V-{number}", **facts) for number in range(1, rows + 1)]
    return dataclasses.replace(figures, vouchers=vouchers)


def test_long_words_of_a_head_break_between_their_parts() -> None:
    shown = " ".join(drawdown(3)[0].replace("\ufffe", "-").replace("\xad", "").split())
    for words in ("Zahlungs-empfänger", "Zahlungs-datum", "davon zuwendungsfähig", "aus der Zuwendung"):
        assert words in shown, shown
