"""The figures of a proof of use (Verwendungsnachweis). Pure: values in, values out. Amounts in euros.

A proof has a report in numbers and one in words; per grant and school: planned and actual, financing, vouchers,
devices, own share. Only paid invoice lines count. Page, PDF and XLSX show the same `ProofFigures`; handing in stores
it as JSON (`proof_keeping.py`), and nothing that happens later changes what was stored.

There are two plans. Who was to pay what is the financing plan: the notice with its changes (`financing_plan`). What it
was to be spent on are the grant's budgets (`positions_of`); what no budget has yet is a position, too, so that both add
up to the same.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from apps.core.money import ZERO, rounded, total

HUNDRED = Decimal(100)
TEXTS = ("purpose", "course", "result", "deviations", "award_note")
"""The parts of the report in words, in their order."""


@dataclass(frozen=True)
class Facts:
    """What the grant notice says, and whom to ask."""

    programme: str
    legal_basis: str
    file_reference: str
    lucom_number: str
    notice_on: datetime.date
    amount: Decimal
    rate: Decimal
    implementation_from: datetime.date | None
    implementation_until: datetime.date | None
    bound_until: datetime.date | None
    contact: str
    school: str
    """"" for all schools."""


@dataclass(frozen=True)
class Plan:
    """What was planned for a budget of the grant: the grant's part of it."""

    budget: int
    name: str
    fiscal_year: int
    granted: Decimal


@dataclass(frozen=True)
class FinancingPlan:
    """What was to be paid, in euros, and of it by the grant.

    `basis`: "notice" (the grant notice with its changes), "committed" (for one school, out of the grant), or "budgets"
    (what proofs showed that were handed in before the plan was kept).
    """

    basis: str
    granted: Decimal
    eligible: Decimal

    @property
    def own(self) -> Decimal:
        return self.eligible - self.granted


@dataclass(frozen=True)
class GrantMoney:
    """The way of the grant's money, in euros. `drawn`: requested, whether it has come or not; `received` of it has.

    For one school `granted` is what was committed for it, and the others count its vouchers.
    """

    granted: Decimal
    drawn: Decimal
    received: Decimal
    spent: Decimal

    @property
    def to_draw(self) -> Decimal:
        """Paid out of the grant and not requested yet."""
        return max(self.spent - self.drawn, ZERO)

    @property
    def to_pay_back(self) -> Decimal:
        """Requested and not spent: it goes back or is set off against the next drawdown."""
        return max(self.drawn - self.spent, ZERO)

    @property
    def unused(self) -> Decimal:
        return max(self.granted - self.spent, ZERO)


@dataclass(frozen=True)
class Voucher:
    """A paid line of an invoice. `granted` and `own` were fixed at the payment and add up to `amount`."""

    line: int
    budget: int
    voucher_number: str
    invoice_number: str
    dated_on: datetime.date
    payee: str
    subject: str
    school: str
    quantity: int
    amount: Decimal
    eligible: Decimal
    granted: Decimal
    own: Decimal
    paid_on: datetime.date
    booking_reference: str

    @property
    def own_share(self) -> Decimal:
        """The city's part of what is eligible; what is not eligible is the city's as well, but no own share."""
        return self.eligible - self.granted

    @property
    def not_eligible(self) -> Decimal:
        return self.amount - self.eligible


@dataclass(frozen=True)
class ProofDevice:
    """A device that was bought with the grant and not sent back."""

    tag: str
    serial: str
    product: str
    school: str
    cost: Decimal
    voucher_number: str
    bound_until: datetime.date | None
    gone: str = ""
    """How it got lost while it was bound, in words."""


@dataclass(frozen=True)
class Position:
    """One budget of the grant, planned and actual; `kind` "unassigned": what no budget has."""

    name: str
    fiscal_year: int
    planned: Decimal
    planned_granted: Decimal
    actual: Decimal
    granted: Decimal
    kind: str = "budget"

    @property
    def planned_own(self) -> Decimal:
        return self.planned - self.planned_granted

    @property
    def own(self) -> Decimal:
        return self.actual - self.granted

    @property
    def difference(self) -> Decimal:
        return self.actual - self.planned

    @property
    def percent(self) -> Decimal | None:
        return percent_of(self.actual, self.planned)


@dataclass(frozen=True)
class Source:
    """Where the money came from. `kind`: grant, own_share or third_party."""

    kind: str
    planned: Decimal
    planned_percent: Decimal | None
    actual: Decimal
    actual_percent: Decimal | None


@dataclass(frozen=True)
class Agreement:
    """What the proof says of a budget, and what the ledger paid out of it. `own`: the budget of an own share."""

    name: str
    own: bool
    proof: Decimal
    ledger: Decimal

    @property
    def difference(self) -> Decimal:
        return self.proof - self.ledger


@dataclass(frozen=True)
class Gap:
    """Something that is missing or has to be explained. `target`: "model:key" of the row where it is mended."""

    kind: str
    subject: str
    target: str = ""


@dataclass(frozen=True)
class ProofFigures:
    """Everything that a proof of use shows."""

    day: datetime.date
    facts: Facts
    positions: Sequence[Position]
    vouchers: Sequence[Voucher]
    devices: Sequence[ProofDevice]
    agreements: Sequence[Agreement]
    gaps: Sequence[Gap]
    texts: Mapping[str, str] = field(default_factory=dict)
    despite: str = ""
    """Why it was handed in although something is missing."""
    plan: FinancingPlan | None = None
    """None in what was handed in before plans were kept; so `money`."""
    money: GrantMoney | None = None

    @property
    def financing_plan(self) -> FinancingPlan:
        if self.plan is not None:
            return self.plan
        granted = total(row.planned_granted for row in self.positions)
        return FinancingPlan("budgets", granted, total(row.planned for row in self.positions))

    @property
    def planned(self) -> Decimal:
        """Eligible expenditure as planned: the same over the sources and over the positions."""
        return self.financing_plan.eligible

    @property
    def spent(self) -> Decimal:
        """All that was paid, gross, with what is not eligible."""
        return total(row.amount for row in self.vouchers)

    @property
    def eligible(self) -> Decimal:
        return total(row.eligible for row in self.vouchers)

    @property
    def not_eligible(self) -> Decimal:
        """What the city pays alone, beside its own share."""
        return total(row.not_eligible for row in self.vouchers)

    @property
    def granted(self) -> Decimal:
        return total(row.granted for row in self.vouchers)

    @property
    def own_share(self) -> Decimal:
        return total(row.own_share for row in self.vouchers)

    @property
    def cost_of_devices(self) -> Decimal:
        return total(row.cost for row in self.devices)

    @property
    def sources(self) -> list[Source]:
        return sources_of(self)

    @property
    def difference(self) -> Decimal:
        """Of all budgets together; zero where the proof agrees with the ledger."""
        return total(row.difference for row in self.agreements)

    @property
    def agrees(self) -> bool:
        """Whether the proof agrees with the ledger, budget by budget, to the cent."""
        return all(row.difference == ZERO for row in self.agreements)


def percent_of(part: Decimal, whole: Decimal) -> Decimal | None:
    """Percent points; None of nothing."""
    return part * HUNDRED / whole if whole else None


def planned_eligible(granted: Decimal, rate: Decimal) -> Decimal:
    """The expenditure that a grant stands for, rounded half-up to the cent."""
    return rounded(granted / rate)


def financing_plan(facts: Facts, plans: Iterable[Plan]) -> FinancingPlan:
    """The notice's amount with the own share that belongs to it; for one school what was committed for it."""
    basis = "committed" if facts.school else "notice"
    granted = total(plan.granted for plan in plans) if facts.school else facts.amount
    return FinancingPlan(basis, granted, planned_eligible(granted, facts.rate))


def positions_of(plans: Sequence[Plan], vouchers: Iterable[Voucher], facts: Facts) -> list[Position]:
    """One for each budget of the grant, with what its vouchers made of it, and one for what no budget has."""
    eligible: Counter[int] = Counter()
    granted: Counter[int] = Counter()
    for voucher in vouchers:
        eligible[voucher.budget] += voucher.eligible  # type: ignore[assignment]  # a counter of Decimals
        granted[voucher.budget] += voucher.granted  # type: ignore[assignment]
    parts = _planned_parts(plans, facts.rate)
    rows = [
        Position(
            plan.name,
            plan.fiscal_year,
            planned,
            plan.granted,
            total([Decimal(eligible[plan.budget])]),
            total([Decimal(granted[plan.budget])]),
        )
        for plan, planned in zip(plans, parts, strict=True)
    ]
    whole = financing_plan(facts, plans)
    rest, rest_granted = whole.eligible - total(parts), whole.granted - total(plan.granted for plan in plans)
    return [*rows, Position("", 0, rest, rest_granted, ZERO, ZERO, "unassigned")] if rest else rows


def _planned_parts(plans: Iterable[Plan], rate: Decimal) -> list[Decimal]:
    """The expenditure that each plan stands for, rounded so that the parts add up to what all stand for together."""
    parts, so_far = [], ZERO
    for plan in plans:
        before, so_far = so_far, so_far + plan.granted
        parts.append(planned_eligible(so_far, rate) - planned_eligible(before, rate))
    return parts


def sources_of(figures: ProofFigures) -> list[Source]:
    """Grant, own share, money of third parties (none so far, and shown as such)."""
    plan = figures.financing_plan
    rows = (
        ("grant", plan.granted, figures.granted),
        ("own_share", plan.own, figures.own_share),
        ("third_party", ZERO, ZERO),
    )
    return [
        Source(
            kind, planned, percent_of(planned, plan.eligible), actual, percent_of(actual, figures.eligible)
        )
        for kind, planned, actual in rows
    ]  # fmt: skip


def agreements_of(
    names: Mapping[int, tuple[str, bool]], proof: Mapping[int, Decimal], ledger: Mapping[int, Decimal]
) -> list[Agreement]:
    """One for each budget that the proof or the ledger knows. `names`: budget -> (name, whether of an own share)."""
    return [
        Agreement(*names[budget], total([proof.get(budget, ZERO)]), total([ledger.get(budget, ZERO)]))
        for budget in sorted(proof.keys() | ledger.keys(), key=lambda budget: (names[budget][1], names[budget][0]))
    ]
