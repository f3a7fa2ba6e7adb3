"""The list of carry-overs for the council (§ 22 Abs. 4 KomHVO NRW): as cells of a file and as tagged PDF."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.clock import day_of
from apps.core.money import ZERO
from apps.funding.carry_over import CarryOverList
from apps.funding.choices import ProposalState
from apps.funding.models import Budget, BudgetChange
from apps.funding.proof_lists import Row
from apps.funding.typeset import pdf_of, table

_TEMPLATE = Path(__file__).with_name("carry_over.typ")
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
    _("Proposed on"),
    _("Confirmed by"),
    _("Confirmed on"),
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
        day_of(change.proposed_at),
        str(change.decided_by or ""),
        day_of(change.decided_at) if change.decided_at else "",
        change.reason,
    ]


def list_pdf(found: CarryOverList) -> bytes:
    """A tagged PDF (PDF/UA-1) with the confirmed ones and their sum; those that wait stand apart.

    It is laid before the council in public, so it has the days but not the names of who proposed and confirmed: these
    are in the file of `cells`.
    """
    sections = [_section(gettext("Confirmed"), gettext("Confirmed on"), found.confirmed, found.sum_confirmed)]
    if found.proposed:
        title = gettext("Proposed, not confirmed yet")
        sections.append(_section(title, gettext("Proposed on"), found.proposed, found.sum_proposed))
    document = {
        "title": gettext("Carry-overs from the fiscal year %(year)s into %(next)s")
        % {"year": found.year, "next": found.year + 1},
        "running": gettext("Carry-overs"),
        "intro": gettext(
            "Appropriations that go into the next fiscal year (§ 22 KomHVO NRW). They raise its budgets by these "
            "amounts. What is committed already stays payable out of the old year and is not listed here."
        ),
        "sections": sections,
    }
    return pdf_of(_TEMPLATE, document)


def _section(title: str, day: str, changes: Iterable[BudgetChange], amount: Decimal) -> dict[str, Any]:
    header = [
        gettext("Budget"), gettext("Measure number"), gettext("Source"), gettext("Goes to"), gettext("Reason"), day,
        gettext("Amount"),
    ]  # fmt: skip
    last = [gettext("Sum"), None, None, None, None, None, amount]
    part = table(header, [_row(change) for change in changes], last)
    return part | {"title": title, "none": gettext("There are none.")}


def _row(change: BudgetChange) -> Row:
    budget = _budget(change)
    measure = budget.measure_number or formats.missing()
    day = formats.day(day_of(change.decided_at or change.proposed_at))
    return [str(budget), measure, _source(budget), _target(change), change.reason, day, _amount(change)]


def _budget(change: BudgetChange) -> Budget:
    if change.budget is None:
        raise ValueError("A carry-over comes out of a budget")
    return change.budget


def _source(budget: Budget) -> str:
    return gettext("municipal money") if budget.grant is None else str(budget.grant)


def _target(change: BudgetChange) -> str:
    """Where it goes; of what was taken back, where that came from."""
    budget = _budget(change)
    if _amount(change) < ZERO:
        return gettext("Taken back from “%(budget)s”") % {"budget": change.counterpart}
    return str(change.counterpart) if change.counterpart else f"{budget.name} {budget.fiscal_year + 1}"


def _amount(change: BudgetChange) -> Decimal:
    return change.amount or ZERO
