"""The list of carry-overs for the council (§ 22 Abs. 4 KomHVO NRW): as cells of a file and as tagged PDF."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.translation import get_language, gettext, pgettext
from django.utils.translation import gettext_lazy as _

from apps.core import clock, formats
from apps.core.money import ZERO
from apps.funding.carry_over import CarryOverList
from apps.funding.choices import ProposalState
from apps.funding.models import Budget, BudgetChange

_TEMPLATE = Path(__file__).with_name("carry_over.typ")
_FONT = "Libertinus Serif"
"""Comes with typst."""
HEADER = (
    _("Budget"),
    _("Measure number"),
    _("Budget product"),
    _("Ledger account"),
    _("Capital or operating"),
    _("Source"),
    _("Goes to"),
    _("Amount"),
    _("State"),
    _("Proposed by"),
    _("Confirmed by"),
    _("Reason"),
)


def cells(change: BudgetChange) -> list[Any]:
    """One line of the file, in the order of HEADER; money as Decimal."""
    budget = _budget(change)
    return [
        str(budget),
        budget.measure_number,
        budget.product,
        budget.ledger_account,
        budget.get_expenditure_type_display(),
        _source(budget),
        _target(change),
        _amount(change),
        str(ProposalState(change.state).label),
        str(change.proposed_by),
        str(change.decided_by or ""),
        change.reason,
    ]


def list_pdf(found: CarryOverList) -> bytes:
    """A tagged PDF (PDF/UA-1) with the confirmed ones and their sum; those that wait stand apart."""
    sections = [_section(gettext("Confirmed"), found.confirmed, found.sum_confirmed)]
    if found.proposed:
        sections.append(_section(gettext("Proposed, not confirmed yet"), found.proposed, found.sum_proposed))
    document = {
        "title": gettext("Carry-overs from the fiscal year %(year)s into %(next)s")
        % {"year": found.year, "next": found.year + 1},
        "language": (get_language() or settings.LANGUAGE_CODE).partition("-")[0],
        "font": _FONT,
        "city": settings.CITY_NAME,
        "page": {"of": pgettext("page 1 of 2", "of"), "page": gettext("Page")},
        "printed": gettext("As of %(moment)s") % {"moment": formats.moment(clock.now())},
        "intro": gettext(
            "Appropriations that go into the next fiscal year (§ 22 KomHVO NRW). They raise its budgets by these "
            "amounts. What is committed already stays payable out of the old year and is not listed here."
        ),
        "header": [
            gettext("Budget"),
            gettext("Measure number"),
            gettext("Source"),
            gettext("Goes to"),
            gettext("Reason"),
            gettext("Amount"),
        ],
        "sections": sections,
    }
    pdf: bytes = typst.compile(
        {"main.typ": _TEMPLATE.read_bytes(), "carry_over.json": json.dumps(document).encode()},
        format="pdf",
        pdf_standards="ua-1",
        ignore_system_fonts=True,
        timestamp=clock.now().replace(microsecond=0),
    )
    return pdf


def _section(title: str, changes: Iterable[BudgetChange], amount: Decimal) -> dict[str, Any]:
    return {
        "title": title,
        "rows": [_row(change) for change in changes],
        "sum": [gettext("Sum"), formats.euro(amount)],
        "none": gettext("There are none."),
    }


def _row(change: BudgetChange) -> list[str]:
    budget = _budget(change)
    measure = budget.measure_number or formats.missing()
    return [str(budget), measure, _source(budget), _target(change), change.reason, formats.euro(change.amount)]


def _budget(change: BudgetChange) -> Budget:
    if change.budget is None:
        raise ValueError("A carry-over comes out of a budget")
    return change.budget


def _source(budget: Budget) -> str:
    return gettext("municipal money") if budget.grant is None else str(budget.grant)


def _target(change: BudgetChange) -> str:
    budget = _budget(change)
    return str(change.counterpart) if change.counterpart else f"{budget.name} {budget.fiscal_year + 1}"


def _amount(change: BudgetChange) -> Decimal:
    return change.amount or ZERO
