"""Rows that differ in nothing but their numbers, room, price and note are read, looked up and compared once.

Lists repeat themselves: a hundred thousand rows hold some thousand combinations of product, school, status and day.
Remembered is only what is sound and without a hint, so each fault is found where it stands; and only what the rules of
`DevicesSource` said of the first such row, so there is one set of rules.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from apps.inventory.imports.differences import Said
from apps.inventory.services.alike import OWN

REMEMBERED = 10_000


@dataclass(slots=True)
class Shape:
    """What the first row of this shape said; `facts`, `changes` and `day` of a new device, once one was compared."""

    said: Said
    label: str
    facts: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, list[Any]] = field(default_factory=dict)
    day: datetime.date | None = None

    def said_with(self, values: dict[str, Any]) -> Said:
        said = self.said
        return Said(
            values, said.product, said.kind, said.school, said.site, said.by_option, said.last_school, said.only_site
        )

    @property
    def is_placed(self) -> bool:
        return self.facts.get("school") is not None

    def learn(self, facts: Mapping[str, Any], changes: Mapping[str, list[Any]], day: datetime.date) -> None:
        """Keeps what a new device of this shape is to be, but for what is its own."""
        self.facts = {name: value for name, value in facts.items() if name not in OWN}
        self.changes = {name: change for name, change in changes.items() if name not in OWN}
        self.day = day


class Shapes:
    """The shapes of a file; the memory for them stays bounded."""

    def __init__(self) -> None:
        self._known: dict[Any, Shape] = {}
        self._shared: Any = None

    def key(self, data: Mapping[str, str]) -> Any:
        """The cells of a row that are not its own. All rows of a file have the same columns."""
        if self._shared is None:
            names = sorted(data.keys() - set(OWN))
            self._shared = itemgetter(*names) if names else lambda _data: ()
        return self._shared(data)

    def get(self, key: Any) -> Shape | None:
        return self._known.get(key)

    def remember(self, key: Any, said: Said, label: str) -> Shape:
        """When it is full, the newest goes: of shapes in turn the others stay, of runs of one shape the next is met."""
        if len(self._known) >= REMEMBERED:
            self._known.popitem()
        shape = self._known[key] = Shape(replace(said), label)
        return shape
