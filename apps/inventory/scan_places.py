"""Which number of a scanned delivery belongs to which device of which kit. Pure: numbers in, numbers out.

The devices of a kit whose numbers are scanned are its slots, in the order in which they are scanned. A place counts the
slots of one kit after the other: with two slots, place 5 is the second device of the third kit. Because each number is
sent with the place that it was scanned for, one that is refused shifts none of those after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

Part = Sequence[int]
"""Product id, quantity, and whether its serial numbers are scanned: a row of `ScanSession.kit_parts`."""


@dataclass(frozen=True)
class Places:
    """The places of a delivery of kits. `slots`: the product of each slot; `devices`: how many one kit is made of."""

    slots: tuple[int, ...]
    devices: int
    firsts: int
    """So many slots are of the first part, which never goes without its number."""

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Places | None:
        """None for what is no kit."""
        rows = list(parts)
        if not rows:
            return None
        slots = tuple(product for product, quantity, scanned in rows if scanned for _piece in range(quantity))
        return cls(slots, sum(quantity for _product, quantity, _scanned in rows), rows[0][1])

    def kit_of(self, place: int) -> int:
        """Which kit of the delivery it is, from 0 on."""
        return place // len(self.slots)

    def slot_of(self, place: int) -> int:
        return place % len(self.slots)

    def product_at(self, place: int) -> int:
        return self.slots[self.slot_of(place)]

    def is_first(self, place: int) -> bool:
        return self.slot_of(place) < self.firsts

    def most_kits(self, most_devices: int) -> int:
        """So many kits have no more devices than these."""
        return most_devices // self.devices

    def kits(self, taken: Collection[int]) -> list[int]:
        """The kits of which something is scanned, in order."""
        return sorted({self.kit_of(place) for place in taken})

    def of_product(self, product: int, kits: Iterable[int]) -> list[int]:
        """The places of a product in these kits, one kit after the other."""
        size = len(self.slots)
        return [kit * size + slot for kit in kits for slot in range(size) if self.slots[slot] == product]

    def missing(self, taken: Collection[int]) -> list[int]:
        """Places without a number in kits of which something is scanned."""
        size = len(self.slots)
        places = (kit * size + slot for kit in self.kits(taken) for slot in range(size))
        return [place for place in places if place not in taken]

    def complete(self, taken: Collection[int]) -> int:
        """How many kits have all their numbers."""
        return len(self.kits(taken)) - len(self.kits(self.missing(taken)))


def free_places(taken: Collection[int]) -> tuple[list[int], int]:
    """The free places between those taken, and the first after all of them: in this order they are filled."""
    end = max(taken, default=-1) + 1
    return [place for place in range(end) if place not in taken], end
