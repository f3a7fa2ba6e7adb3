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


COMPARED = ("planned", "spent", "eligible", "granted", "own_share", "cost_of_devices", "drawn", "received")


def compare(before: ProofFigures, after: ProofFigures) -> Comparison:
    """What moved from one to the other."""
    pairs = [(name, _compared(before, name), _compared(after, name)) for name in COMPARED]
    return Comparison(
        [
            Difference(name, first, last)
            for name, first, last in pairs
            if first is not None and last is not None and first != last
        ],
        _moved(before.vouchers, after.vouchers, "voucher_number"),
        _moved(before.devices, after.devices, "tag"),
        [name for name in TEXTS if before.texts.get(name, "") != after.texts.get(name, "")],
    )


def _compared(figures: ProofFigures, name: str) -> Decimal | None:
    """None for what was not kept when it was handed in."""
    if name in ("drawn", "received"):
        return getattr(figures.money, name, None)
    amount: Decimal = getattr(figures, name)
    return amount


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
