"""Generated accounts of the finished grants: what was called from them, and the proofs of use.

All have handed in but one of DigitalPakt, whose proof is a draft with a few things missing and whose last year is not
called yet.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from itertools import groupby

from django.utils.translation import override

from apps.core.money import ZERO
from apps.funding.choices import DrawdownState, ProofState
from apps.funding.models import Drawdown, DrawdownItem, Grant, InvoiceLine, ProofHandingIn, ProofOfUse
from apps.funding.proof_figures import ProofFigures
from apps.funding.proof_keeping import as_json, sums_as_json
from apps.funding.proof_selectors import figures_of
from mepportal.demo.days import at_noon, last_working_day, working_day
from mepportal.demo.past_budgets import NOTICES, WITHOUT_CONTACT
from mepportal.demo.people import People
from mepportal.demo.raw_rows import insert_raw, insert_with_history

DAY = datetime.timedelta(days=1)
NOT_CALLED = (WITHOUT_CONTACT, 2024)
BEFORE_DUE = 20 * DAY
DESPITE = "Die verlorenen und gestohlenen Geräte sind im Sachbericht erläutert; Ersatz gleicher Art ist beschafft."
PURPOSE = (
    "Die Schulen sollten nach ihren Medienkonzepten ausgestattet werden. Grundlage waren der Medienentwicklungsplan"
    " 2020–2024 der Stadt und der Bescheid der Bezirksregierung."
)
COURSE = (
    "Die Beschaffung lief über mehrere Lieferungen im Jahr. Alle Geräte sind inventarisiert, eingerichtet und den"
    " Schulen übergeben. Arbeiten in den Gebäuden sind abgenommen."
)
RESULT = (
    "Die Schulen setzen die Ausstattung im Unterricht aller Jahrgänge ein. Die Ziele des Medienentwicklungsplans sind"
    " erreicht."
)
DEVIATIONS = "Einzelne Lieferungen kamen wegen Engpässen später als geplant. Verlorene Geräte sind ersetzt."
AWARD = (
    "Die Geräte sind aus einem Rahmenvertrag abgerufen, der öffentlich ausgeschrieben war. Bauleistungen sind"
    " öffentlich ausgeschrieben; den Zuschlag erhielt das wirtschaftlichste Angebot."
)


def load_drawdowns(people: People) -> int:
    """One for each grant and year of payment, received a few weeks later; returns how many."""
    paid = InvoiceLine.objects.filter(grant_amount__gt=ZERO, invoice__paid_on__isnull=False)
    rows = paid.select_related("invoice", "order_line__budget__grant").order_by(
        "order_line__budget__grant", "invoice__paid_on", "pk"
    )
    pairs: list[tuple[Drawdown, list[InvoiceLine]]] = []
    for grant, of_grant in groupby(rows, key=lambda line: line.order_line.budget.grant):
        years = groupby(of_grant, key=lambda line: line.invoice.paid_on.year)
        called = [list(lines) for year, lines in years if (grant.file_reference, year) != NOT_CALLED]
        pairs += [(_drawdown(grant, number, lines, people), lines) for number, lines in enumerate(called, start=1)]
    insert_with_history([drawdown for drawdown, _lines in pairs], by=people.clerk)
    insert_raw(
        [
            DrawdownItem(drawdown=drawdown, invoice_line=line, amount=line.grant_amount)
            for drawdown, lines in pairs
            for line in lines
        ]
    )
    return len(pairs)


def _drawdown(grant: Grant, number: int, lines: Sequence[InvoiceLine], people: People) -> Drawdown:
    requested_on = working_day(lines[-1].invoice.paid_on + 10 * DAY)
    drawdown = Drawdown(
        grant=grant,
        number=number,
        state=DrawdownState.RECEIVED,
        file_reference=grant.file_reference,
        lucom_number=grant.lucom_number,
        requested_on=requested_on,
        received_on=working_day(requested_on + 30 * DAY),
        by=people.clerk,
        at=at_noon(requested_on),
    )
    drawdown._history_date = at_noon(working_day(requested_on + 30 * DAY))  # type: ignore[attr-defined]
    return drawdown


def load_proofs(people: People) -> int:
    """One for each finished grant; returns how many."""
    grants = Grant.objects.filter(file_reference__in=NOTICES).select_related("programme").order_by("pk")
    with override("de"):
        proofs = [_proof(grant, people) for grant in grants]
    insert_with_history(proofs, by=people.clerk)
    handed_in = [row for row in proofs if row.handed_in_on is not None and row.handed_in_by is not None]
    ProofHandingIn.objects.bulk_create(
        ProofHandingIn(proof=row, at=at_noon(row.handed_in_on), by=row.handed_in_by, figures=row.figures, sums=row.sums)
        for row in handed_in
    )
    return len(proofs)


def _proof(grant: Grant, people: People) -> ProofOfUse:
    proof = ProofOfUse(grant=grant, purpose=PURPOSE, course=COURSE)
    if grant.file_reference == WITHOUT_CONTACT:
        proof._history_date = at_noon(datetime.date(2025, 2, 3))  # type: ignore[attr-defined]
        return proof
    proof.result, proof.deviations, proof.award_note = RESULT, DEVIATIONS, AWARD
    day = last_working_day(NOTICES[grant.file_reference].proof_due_on - BEFORE_DUE)
    proof.state, proof.handed_in_on, proof.handed_in_by = ProofState.HANDED_IN, day, people.approver
    figures = figures_of(proof)
    proof.figures, proof.sums = as_json(_as_of(figures, day)), sums_as_json(figures)
    proof._history_date = at_noon(day)  # type: ignore[attr-defined]
    return proof


def _as_of(figures: ProofFigures, day: datetime.date) -> ProofFigures:
    """ValueError when the generated past does not agree with its ledger."""
    if not figures.agrees:
        raise ValueError(f"The proof of {figures.facts.file_reference} differs by {figures.difference}")
    return dataclasses.replace(figures, day=day, despite=DESPITE if figures.gaps else "")
