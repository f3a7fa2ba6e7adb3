"""What a proof of use keeps when it is handed in, and what has changed since. Pure: values in, values out."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from apps.funding.proof_figures import TEXTS, ProofFigures


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


COUNTED = ("vouchers", "devices")
"""Of these the number of rows is compared; all others are euros."""


def sums_of(figures: ProofFigures) -> dict[str, Decimal]:
    """What is compared, in the order in which it is named; without what was not kept when it was handed in."""
    names = ("planned", "spent", "eligible", "granted", "own_share", "vouchers", "devices", "cost_of_devices")
    sums = {name: _sum(getattr(figures, name)) for name in names}
    money = figures.money
    return sums if money is None else sums | {"drawn": money.drawn, "received": money.received}


def _sum(value: Decimal | Sequence[Any]) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(len(value))


def moved(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> list[Difference]:
    """Those of `sums_of` that are not the same; what one side does not know is not compared."""
    return [
        Difference(name, amount, after[name])
        for name, amount in before.items()
        if name in after and amount != after[name]
    ]


def compare(before: ProofFigures, after: ProofFigures) -> Comparison:
    """What moved from one to the other."""
    return Comparison(
        moved(sums_of(before), sums_of(after)),
        _moved(before.vouchers, after.vouchers, "voucher_number"),
        _moved(before.devices, after.devices, "tag"),
        [name for name in TEXTS if before.texts.get(name, "") != after.texts.get(name, "")],
    )


def came_or_went(before: ProofFigures, after: ProofFigures) -> tuple[list[str], list[str]]:
    """Numbers of vouchers and of devices that only one of both knows."""
    vouchers = {row.voucher_number for row in before.vouchers} ^ {row.voucher_number for row in after.vouchers}
    devices = {row.tag for row in before.devices} ^ {row.tag for row in after.devices}
    return sorted(vouchers), sorted(devices)


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


def sums_as_json(figures: ProofFigures) -> dict[str, str]:
    """What `sums_from_json` reads; kept beside the figures, which are long, so that lists need not read them."""
    return {name: str(amount) for name, amount in sums_of(figures).items()}


def sums_from_json(stored: Mapping[str, str]) -> dict[str, Decimal]:
    """The sums as they were handed in."""
    return {name: Decimal(amount) for name, amount in stored.items()}


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
