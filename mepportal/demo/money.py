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
    year = clock.today().year
    programme = save_by(
        FundingProgramme(
            code="DP2",
            name="DigitalPakt 2.0",
            legal_basis="Vereinbarung vom 18.12.2025, Landesrichtlinie offen",
            source="Fördersatz für die Demonstration angenommen",
        ),
        by=by,
    )
    grant = save_by(
        Grant(
            programme=programme,
            file_reference="DEMO-DP2-001",
            notice_on=clock.today().replace(month=1, day=15),
            amount=Decimal("1200000.00"),
            rate=GRANT_RATE,
        ),
        by=by,
    )
    common = {"fiscal_year": year, "product": "03.01.01", "by": by}
    return {
        "city": services.create_budget(
            name="Digitale Ausstattung der Schulen",
            measure_number="400_0300003080",
            ledger_account="783100",
            expenditure_type=ExpenditureType.CAPITAL,
            appropriation=Decimal("650000.00"),
            carried_over=Decimal("82500.00"),
            **common,
        ),
        "small": services.create_budget(
            name="Geringwertige Geräte",
            ledger_account="543100",
            expenditure_type=ExpenditureType.OPERATING,
            appropriation=Decimal("140000.00"),
            freeze=Decimal("15000.00"),
            **common,
        ),
        "own_share": services.create_budget(
            name="Eigenanteil DigitalPakt 2.0",
            measure_number="400_0300003090",
            ledger_account="783100",
            expenditure_type=ExpenditureType.CAPITAL,
            appropriation=Decimal("90000.00"),
            **common,
        ),
        "grant": services.create_budget(
            name="DigitalPakt 2.0",
            measure_number="400_0300003090",
            ledger_account="783100",
            expenditure_type=ExpenditureType.CAPITAL,
            grant=grant,
            appropriation=Decimal("810000.00"),
            **common,
        ),
    }
