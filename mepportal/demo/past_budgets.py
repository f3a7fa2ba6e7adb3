"""Budgets and grants of the finished plan and of 2025: who paid for what, in thousands of euros per fiscal year.

Generated so that they add up to Hamm's published sums for 2020 to 2024: about 13.7 million euros of municipal money,
own shares included, and almost 15.7 million euros of grants. Lines without `codes` buy no devices: cabling, Wi-Fi,
servers, operation and staff.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.accounts.models import User
from apps.core import clock
from apps.core.history import bulk_create_by, save_by
from apps.core.money import ZERO, share_rounded_down, total
from apps.funding.choices import ExpenditureType
from apps.funding.models import Budget, FundingProgramme, Grant
from mepportal.demo.catalogue import TEACHERS
from mepportal.demo.days import at_noon
from mepportal.demo.programmes import load_programme

MOBILE = ("tablet", "notebook")
FIXED = ("desktop", "projector", "display", "charging_cart", "document_camera")
YEARS = range(2020, 2026)
CARRIED_OVER = Decimal("82500.00")
CARRIED_OVER_LINE = "Digitale Ausstattung der Schulen"
"""Last year's budget of this name left so much, which goes into this year's (`money.load_carry_over`)."""
PRODUCT = "03.01.01"

OWN_SHARES = {
    "DP1": "Eigenanteil DigitalPakt Schule",
    "DP1-SOFORT": "Eigenanteil Sofortausstattung",
    "DP1-ADMIN": "Eigenanteil IT-Administration",
}


@dataclass(frozen=True)
class Notice:
    """A grant notice; its amount is the sum of its budgets. `until`: the end of its implementation.

    Days of the proof that no guideline names are made up.
    """

    programme: str
    notice_on: datetime.date
    rate: Decimal
    until: datetime.date
    proof_due_on: datetime.date
    earmarking_years: int | None = None
    limit_per_device: Decimal | None = None


_END_OF_DP1 = datetime.date(2024, 10, 31)
NOTICES = {
    "DEMO-GS2020-001": Notice(
        "GS2020", datetime.date(2019, 11, 20), Decimal(1), datetime.date(2020, 12, 31), datetime.date(2021, 6, 30)
    ),
    "DEMO-SOFORT-001": Notice(
        "DP1-SOFORT",
        datetime.date(2020, 8, 17),
        Decimal("0.9"),
        datetime.date(2021, 7, 31),
        datetime.date(2021, 9, 30),
    ),
    "DEMO-LK-001": Notice(
        "DP1-LK",
        datetime.date(2021, 1, 18),
        Decimal(1),
        datetime.date(2021, 12, 31),
        datetime.date(2022, 6, 30),
        limit_per_device=Decimal("500.00"),
    ),
    "DEMO-DP1-001": Notice(
        "DP1", datetime.date(2021, 1, 25), Decimal("0.9"), _END_OF_DP1, datetime.date(2025, 12, 31), earmarking_years=5
    ),
    "DEMO-DP1-002": Notice(
        "DP1", datetime.date(2021, 2, 1), Decimal("0.9"), _END_OF_DP1, datetime.date(2025, 12, 31), earmarking_years=5
    ),
    "DEMO-DP1-003": Notice(
        "DP1", datetime.date(2021, 2, 1), Decimal("0.9"), _END_OF_DP1, datetime.date(2026, 12, 18), earmarking_years=5
    ),
    "DEMO-ADMIN-001": Notice(
        "DP1-ADMIN",
        datetime.date(2021, 4, 12),
        Decimal("0.9"),
        datetime.date(2025, 1, 31),
        datetime.date(2025, 7, 31),
    ),
    "DEMO-AO2-001": Notice(
        "AO2",
        datetime.date(2022, 2, 14),
        Decimal(1),
        datetime.date(2023, 12, 31),
        datetime.date(2024, 6, 30),
        limit_per_device=Decimal("500.00"),
    ),
}
CONTACT = "Amt für schulische Bildung, Demo-Sachbearbeitung, Telefon 02381 0000"
WITHOUT_CONTACT = "DEMO-DP1-003"
"""Its proof of use is a draft yet, and a few things are missing in it."""


@dataclass(frozen=True)
class Line:
    """What money is for. `thousands` per fiscal year with the own share; `notice` None: municipal money alone."""

    name: str
    thousands: Mapping[int, int]
    notice: str | None = None
    codes: tuple[str, ...] = ()
    operating: bool = False


LINES = (
    Line("Sofortausstattung: Tablets", {2020: 540, 2021: 260}, "DEMO-SOFORT-001", ("tablet",)),
    Line("Gute Schule 2020: Ausstattung", {2020: 620}, "DEMO-GS2020-001", FIXED),
    Line("Gute Schule 2020: Vernetzung der Schulgebäude", {2020: 1690}, "DEMO-GS2020-001"),
    Line("Dienstgeräte für Lehrkräfte", {2021: 905}, "DEMO-LK-001", (TEACHERS,)),
    Line("Ausstattungsoffensive: Tablets", {2022: 600, 2023: 380}, "DEMO-AO2-001", ("tablet",)),
    Line("DigitalPakt: mobile Endgeräte", {2021: 600, 2022: 620, 2023: 560, 2024: 500}, "DEMO-DP1-003", MOBILE),
    Line("DigitalPakt: digitale Arbeitsgeräte", {2021: 740, 2022: 850, 2023: 850, 2024: 860}, "DEMO-DP1-002", FIXED),
    Line("DigitalPakt: Vernetzung der Schulgebäude", {2021: 1200, 2022: 1750, 2023: 1630, 2024: 1250}, "DEMO-DP1-001"),
    Line("IT-Administration", {2021: 130, 2022: 140, 2023: 140, 2024: 140}, "DEMO-ADMIN-001", operating=True),
    Line(
        CARRIED_OVER_LINE,
        {2020: 1230, 2021: 1360, 2022: 460, 2023: 440, 2024: 1220, 2025: 1750},
        codes=(*MOBILE, *FIXED),
    ),
    Line("Vernetzung der Schulgebäude", {2020: 500, 2021: 500, 2022: 900, 2023: 900, 2024: 700, 2025: 300}),
    Line("Server und zentrale Dienste", {2020: 160, 2021: 170, 2022: 215, 2023: 225, 2024: 246, 2025: 240}),
    Line(
        "Betrieb, Wartung und Lizenzen",
        {2020: 480, 2021: 560, 2022: 660, 2023: 720, 2024: 780, 2025: 820},
        operating=True,
    ),
)
"""In the order in which a purchase looks for money: grants first."""


@dataclass
class Pot:
    """The money of a line in a year: one budget, or a grant's budget with the one of its own share."""

    line: Line
    year: int
    budget: Budget
    own_share: Budget | None = None

    @property
    def amount(self) -> Decimal:
        """Euros with the own share."""
        return Decimal(self.line.thousands[self.year] * 1000)


def load_pots(*, by: User) -> list[Pot]:
    """Writes programmes, grants and budgets; returns where the money is, by year and in the order of `LINES`."""
    grants = _load_grants(by)
    pots = [pot for year in YEARS for pot in _pots(year, grants)]
    budgets = [pot.budget for pot in pots]
    budgets += {id(pot.own_share): pot.own_share for pot in pots if pot.own_share is not None}.values()
    for budget in budgets:
        budget._history_date = at_noon(datetime.date(budget.fiscal_year, 1, 4))  # type: ignore[attr-defined]
    bulk_create_by(budgets, by=by)
    return pots


def _load_grants(by: User) -> dict[str, Grant]:
    programmes = {code: load_programme(code, by=by) for code in sorted({row.programme for row in NOTICES.values()})}
    return {
        reference: save_by(_grant(reference, notice, programmes[notice.programme]), by=by)
        for reference, notice in NOTICES.items()
    }


def _grant(reference: str, notice: Notice, programme: FundingProgramme) -> Grant:
    grant = Grant(
        programme=programme,
        file_reference=reference,
        lucom_number=reference.replace("DEMO", "LUCOM"),
        notice_on=notice.notice_on,
        rate=notice.rate,
        amount=total(
            share_rounded_down(Decimal(sum(line.thousands.values()) * 1000), notice.rate)
            for line in LINES
            if line.notice == reference
        ),
        limit_per_device=notice.limit_per_device,
        implementation_from=notice.notice_on,
        implementation_until=notice.until,
        earmarking_years=notice.earmarking_years,
        proof_due_on=notice.proof_due_on,
        contact="" if reference == WITHOUT_CONTACT else CONTACT,
    )
    grant._history_date = at_noon(notice.notice_on)  # type: ignore[attr-defined]  # simple-history's name for it
    return grant


def _pots(year: int, grants: Mapping[str, Grant]) -> Iterator[Pot]:
    """Pots of a year with unsaved budgets; lines of one programme share the budget of its own share."""
    own_shares: dict[str, Budget] = {}
    for line in LINES:
        if year not in line.thousands:
            continue
        whole = Decimal(line.thousands[year] * 1000)
        if line.notice is None:
            left = CARRIED_OVER if (line.name, year) == (CARRIED_OVER_LINE, clock.today().year - 1) else ZERO
            yield Pot(line, year, _budget(line.name, year, line, whole + left))
            continue
        grant = grants[line.notice]
        granted = share_rounded_down(whole, grant.rate)
        pot = Pot(line, year, _budget(line.name, year, line, granted, grant))
        if whole > granted:
            name = OWN_SHARES[NOTICES[line.notice].programme]
            pot.own_share = own_shares.setdefault(name, _budget(name, year, line, ZERO))
            pot.own_share.appropriation += whole - granted
        yield pot


def _budget(name: str, year: int, line: Line, amount: Decimal, grant: Grant | None = None) -> Budget:
    return Budget(
        name=name,
        fiscal_year=year,
        measure_number="" if line.operating else "400_0300003080",
        product=PRODUCT,
        ledger_account="524900" if line.operating else "783100",
        expenditure_type=ExpenditureType.OPERATING if line.operating else ExpenditureType.CAPITAL,
        grant=grant,
        appropriation=amount,
    )
