"""Generated budgets of the present fiscal year: municipal money, and one grant with its own share.

The clerk proposes each, the approver confirms it. A few changes wait, so that both find something to do.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from apps.core import clock
from apps.core.history import save_by
from apps.funding import services
from apps.funding.choices import ExpenditureType
from apps.funding.models import Budget, BudgetChange, Grant
from mepportal.demo.days import at_noon
from mepportal.demo.past_budgets import CARRIED_OVER, CARRIED_OVER_LINE
from mepportal.demo.people import People
from mepportal.demo.programmes import load_programme

GRANT_RATE = Decimal("0.9")
"""Assumed: the guideline of the state and its own share were not published when this was written."""
GROUP = "DK 0301 Digitale Schule"


def load_budgets(people: People) -> dict[str, Budget]:
    """Four budgets by short name: "city", "small", "own_share", "grant"."""
    common = {"fiscal_year": clock.today().year, "product": "03.01.01"}
    capital = {"ledger_account": "783100", "expenditure_type": ExpenditureType.CAPITAL} | common
    operating = {"ledger_account": "543100", "expenditure_type": ExpenditureType.OPERATING} | common
    budgets = {
        "city": _budget(
            people,
            name=CARRIED_OVER_LINE,
            measure_number="400_0300003080",
            virement_group=GROUP,
            appropriation=Decimal("650000.00"),
            **capital,
        ),
        "small": _budget(
            people,
            name="Geringwertige Geräte",
            virement_group=GROUP,
            appropriation=Decimal("140000.00"),
            freeze=Decimal("15000.00"),
            **operating,
        ),
        "own_share": _budget(
            people,
            name="Eigenanteil DigitalPakt 2.0",
            measure_number="400_0300003090",
            appropriation=Decimal("90000.00"),
            **capital,
        ),
        "grant": _budget(
            people,
            name="DigitalPakt 2.0",
            measure_number="400_0300003090",
            grant=_load_grant(people),
            appropriation=Decimal("810000.00"),
            **capital,
        ),
    }
    _propose(people, budgets)
    return budgets


def load_carry_over(people: People) -> None:
    """What last year left goes into this year's budget, as the office does it: proposed, and confirmed by another."""
    year = clock.today().year - 1
    last = Budget.objects.filter(fiscal_year=year, name=CARRIED_OVER_LINE, grant=None).first() or _budget(
        people,
        name=CARRIED_OVER_LINE,
        fiscal_year=year,
        product="03.01.01",
        ledger_account="783100",
        expenditure_type=ExpenditureType.CAPITAL,
        appropriation=CARRIED_OVER,
    )
    row = services.CarryOver(budget_id=last.pk, target_id=None, amount=CARRIED_OVER)
    reason = "Ausschreibung der Displays verschoben, § 22 KomHVO NRW"
    (change,) = services.propose_carry_overs(rows=[row], reason=reason, by=people.clerk)
    services.confirm_change(change=change, by=people.approver)
    moved = (change.budget, change.counterpart)
    for budget in moved:
        if budget is not None:
            _set_back(budget, change, datetime.date(year + 1, 1, 7))


def _budget(people: People, **values: Any) -> Budget:
    reason = f"Haushaltsplan {values['fiscal_year']}"
    change = services.propose_budget(by=people.clerk, reason=reason, **values)
    budget = services.confirm_change(change=change, by=people.approver).budget
    if budget is None:
        raise ValueError("A confirmed budget stands")
    _set_back(budget, change, datetime.date(budget.fiscal_year, 1, 7))
    return budget


def _set_back(budget: Budget, change: BudgetChange, day: datetime.date) -> None:
    """As if it had been confirmed on that day, so that the year's earlier days are read with its money."""
    moment = min(at_noon(day), clock.now())
    BudgetChange.objects.filter(pk=change.pk).update(proposed_at=moment, decided_at=moment)
    for rows in (Budget.history.filter(id=budget.pk), BudgetChange.history.filter(id=change.pk)):  # type: ignore[attr-defined]
        rows.filter(history_date__gt=moment).update(history_date=moment)


def _propose(people: People, budgets: dict[str, Budget]) -> None:
    """What waits: one change of the clerk, one of the approver."""
    services.propose_virement(
        budget=budgets["city"],
        counterpart=budgets["small"],
        amount=Decimal("12000.00"),
        reason="Mehrbedarf an Dokumentenkameras",
        by=people.clerk,
    )
    services.propose_edit(
        budget=budgets["own_share"],
        by=people.approver,
        reason="Haushaltssperre bis zur Landesrichtlinie",
        freeze=Decimal("9000.00"),
    )


def _load_grant(people: People) -> Grant:
    """Notice and programme as the office enters them; the programme without a notice is there for the next one."""
    programme = load_programme("DP2", by=people.clerk)
    load_programme("SCP", by=people.clerk)
    return save_by(
        Grant(
            programme=programme,
            file_reference="DEMO-DP2-001",
            notice_on=clock.today().replace(month=1, day=15),
            amount=Decimal("1200000.00"),
            rate=GRANT_RATE,
            implementation_from=clock.today().replace(month=1, day=15),
        ),
        by=people.clerk,
    )
