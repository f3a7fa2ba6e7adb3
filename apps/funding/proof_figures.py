"""The figures of a proof of use (Verwendungsnachweis). Pure: values in, values out. Amounts in euros.

A proof has a report in numbers and one in words; per grant and school: planned and actual, financing, vouchers,
devices, own share. Only paid invoice lines count. Page, PDF and XLSX show the same `ProofFigures`; handing in stores
it as JSON, and nothing that happens later changes what was stored.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

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
    """One budget of the grant, planned and actual."""

    name: str
    fiscal_year: int
    planned: Decimal
    planned_granted: Decimal
    actual: Decimal
    granted: Decimal

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

    @property
    def planned(self) -> Decimal:
        """Eligible expenditure as planned."""
        return total(row.planned for row in self.positions)

    @property
    def planned_granted(self) -> Decimal:
        return total(row.planned_granted for row in self.positions)

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


def positions_of(plans: Iterable[Plan], vouchers: Iterable[Voucher], rate: Decimal) -> list[Position]:
    """One for each budget of the grant, with what its vouchers made of it."""
    eligible: Counter[int] = Counter()
    granted: Counter[int] = Counter()
    for voucher in vouchers:
        eligible[voucher.budget] += voucher.eligible  # type: ignore[assignment]  # a counter of Decimals
        granted[voucher.budget] += voucher.granted  # type: ignore[assignment]
    return [
        Position(
            plan.name,
            plan.fiscal_year,
            planned_eligible(plan.granted, rate),
            plan.granted,
            total([Decimal(eligible[plan.budget])]),
            total([Decimal(granted[plan.budget])]),
        )
        for plan in plans
    ]


def sources_of(figures: ProofFigures) -> list[Source]:
    """Grant, own share, money of third parties (none so far, and shown as such)."""
    rows = (
        ("grant", figures.planned_granted, figures.granted),
        ("own_share", figures.planned - figures.planned_granted, figures.own_share),
        ("third_party", ZERO, ZERO),
    )
    return [
        Source(
            kind, planned, percent_of(planned, figures.planned), actual, percent_of(actual, figures.eligible)
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


@dataclass(frozen=True)
class Difference:
    """What changed between two states of a proof. `what`: a name of a figure, or of a kind of rows."""

    what: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True)
class Comparison:
    """What changed since a proof was handed in."""

    sums: Sequence[Difference]
    vouchers: Sequence[str]
    """Numbers of vouchers that came, went or changed."""
    devices: Sequence[str]
    """Inventory numbers likewise."""
    texts: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.sums or self.vouchers or self.devices or self.texts)


COMPARED = ("planned", "spent", "eligible", "granted", "own_share", "cost_of_devices")


def compare(before: ProofFigures, after: ProofFigures) -> Comparison:
    """What moved from one to the other."""
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in COMPARED]
    return Comparison(
        [Difference(name, first, last) for name, first, last in pairs if first != last],
        _moved(before.vouchers, after.vouchers, "voucher_number"),
        _moved(before.devices, after.devices, "tag"),
        [name for name in TEXTS if before.texts.get(name, "") != after.texts.get(name, "")],
    )


def _moved(before: Iterable[Any], after: Iterable[Any], name: str) -> list[str]:
    changed = set(before) ^ set(after)
    return sorted({getattr(row, name) for row in changed})


# As JSON: amounts and days as text, so that they come back exactly as they were.


def as_json(figures: ProofFigures) -> dict[str, Any]:
    """What `from_json` reads."""
    return {key: _plain(value) for key, value in dataclasses.asdict(figures).items()}


def from_json(stored: Mapping[str, Any]) -> ProofFigures:
    """The figures as they were handed in."""
    figures: ProofFigures = _typed(ProofFigures, stored)
    return figures


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value


def _typed(kind: Any, value: Any) -> Any:
    """The value as the annotation `kind` says."""
    if value is None:
        return None
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        known = {name: _typed(hint, value[name]) for name, hint in hints.items() if name in value}
        return kind(**known)  # type: ignore[operator]  # a class
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _typed(next(entry for entry in get_args(kind) if entry is not type(None)), value)
    if origin is not None and issubclass(origin, Mapping):
        return dict(value)
    if origin is not None and issubclass(origin, Sequence):
        (entry,) = get_args(kind)
        return [_typed(entry, row) for row in value]
    if kind is Decimal:
        return Decimal(value)
    return datetime.date.fromisoformat(value) if kind is datetime.date else value


_KNOWN_HINTS: dict[Any, dict[str, Any]] = {}


def _hints(kind: Any) -> dict[str, Any]:
    """Read once: thousands of rows are of one kind."""
    if kind not in _KNOWN_HINTS:
        _KNOWN_HINTS[kind] = get_type_hints(kind)
    return _KNOWN_HINTS[kind]
