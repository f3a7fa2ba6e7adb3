"""Generated budgets of the present fiscal year: municipal money, and one grant with its own share."""

from __future__ import annotations

from decimal import Decimal

from apps.accounts.models import User
from apps.core import clock
from apps.core.history import save_by
from apps.funding import services
from apps.funding.choices import ExpenditureType
from apps.funding.models import Budget, FundingProgramme, Grant

GRANT_RATE = Decimal("0.9")
"""Assumed: the guideline of the state and its own share were not published when this was written."""


def load_budgets(*, by: User) -> dict[str, Budget]:
    """Four budgets by short name: "city", "small", "own_share", "grant"."""
    common = {"fiscal_year": clock.today().year, "product": "03.01.01", "by": by}
    capital = {"ledger_account": "783100", "expenditure_type": ExpenditureType.CAPITAL} | common
    operating = {"ledger_account": "543100", "expenditure_type": ExpenditureType.OPERATING} | common
    return {
        "city": services.create_budget(
            name="Digitale Ausstattung der Schulen",
            measure_number="400_0300003080",
            appropriation=Decimal("650000.00"),
            carried_over=Decimal("82500.00"),
            **capital,
        ),
        "small": services.create_budget(
            name="Geringwertige Geräte",
            appropriation=Decimal("140000.00"),
            freeze=Decimal("15000.00"),
            **operating,
        ),
        "own_share": services.create_budget(
            name="Eigenanteil DigitalPakt 2.0",
            measure_number="400_0300003090",
            appropriation=Decimal("90000.00"),
            **capital,
        ),
        "grant": services.create_budget(
            name="DigitalPakt 2.0",
            measure_number="400_0300003090",
            grant=_load_grant(by=by),
            appropriation=Decimal("810000.00"),
            **capital,
        ),
    }


def _load_grant(*, by: User) -> Grant:
    programme = save_by(
        FundingProgramme(
            code="DP2",
            name="DigitalPakt 2.0",
            legal_basis="Vereinbarung vom 18.12.2025, Landesrichtlinie offen",
            source="Fördersatz für die Demonstration angenommen",
        ),
        by=by,
    )
    return save_by(
        Grant(
            programme=programme,
            file_reference="DEMO-DP2-001",
            notice_on=clock.today().replace(month=1, day=15),
            amount=Decimal("1200000.00"),
            rate=GRANT_RATE,
        ),
        by=by,
    )
