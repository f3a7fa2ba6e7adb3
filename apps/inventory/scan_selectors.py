"""Reads about scanned deliveries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import formats
from apps.inventory.models import Device, Product, ScanSession
from apps.inventory.scan_checks import to_take_in
from apps.inventory.scan_places import Places
from apps.inventory.taking_in import obstacle_of


@dataclass(frozen=True)
class Progress:
    """How many numbers, or complete kits, a delivery holds, of how many that were expected (None: nobody said).

    `begun`: the numbers, or the kits of which anything is scanned.
    """

    number: int
    expected: int | None
    begun: int
    in_kits: bool = False

    @property
    def shown(self) -> str:
        return formats.number(self.number)

    @property
    def of(self) -> str:
        """ "of 300" or "of 25 kits"; where nobody said nothing, or "kits"."""
        if self.expected is None:
            return ngettext("complete kit", "complete kits", self.number) if self.in_kits else ""
        words = _("of %(expected)s kits complete") if self.in_kits else _("of %(expected)s")
        return words % {"expected": formats.number(self.expected)}

    @property
    def is_complete(self) -> bool:
        return self.number == self.begun == self.expected

    @property
    def is_over(self) -> bool:
        return self.expected is not None and self.begun > self.expected

    @property
    def hint(self) -> str:
        if self.expected is None:
            return ""
        missing, more = self.expected - self.number, self.begun - self.expected
        if more > 0:
            words = ngettext("%(number)s more than expected.", "%(number)s more than expected.", more)
        elif missing > 0:
            words = ngettext("%(number)s is still missing.", "%(number)s are still missing.", missing)
        else:
            return _("The delivery is complete.")
        return words % {"number": formats.number(max(missing, more))}


def progress_of(session: ScanSession) -> Progress:
    places = Places.of(session.kit_parts)
    if places is None:
        number = session.scans.kept().count()
        return Progress(number, session.expected, begun=number)
    taken = taken_places(session)
    return Progress(places.complete(taken), session.expected, begun=len(places.kits(taken)), in_kits=True)


def warning_of(session: ScanSession) -> str:
    """Why what is scanned by now cannot be taken in, or that it is more than expected; "" where all is well."""
    progress = progress_of(session)
    return obstacle_of(session, progress.begun) or (progress.hint if progress.is_over else "")


def taken_places(session: ScanSession) -> set[int]:
    """The places of a delivery of kits that hold a number, or for which it was said that there is none."""
    return set(session.scans.kept().filter(place__isnull=False).values_list("place", flat=True))


@dataclass(frozen=True)
class KitWords:
    """What people read about the places of a delivery of kits. `products`: by id."""

    places: Places
    products: Mapping[int, Product]

    @classmethod
    def of(cls, session: ScanSession) -> KitWords | None:
        """None where the delivery is no kit."""
        places = Places.of(session.kit_parts)
        ids = [product for product, _quantity, _scanned in session.kit_parts]
        return None if places is None else cls(places, Product.objects.in_bulk(ids))

    def at(self, place: int) -> str:
        """ "Kit 3: Muster Keyboard"."""
        return _("Kit %(kit)s: %(part)s") % self.facts_at(place)

    def facts_at(self, place: int) -> dict[str, str]:
        """The words of one place: `kit`, counted from 1 on, and `part`."""
        return {
            "kit": formats.number(self.places.kit_of(place) + 1),
            "part": str(self.products[self.places.product_at(place)]),
        }

    def names(self) -> list[str]:
        """The products of the slots of one kit."""
        return [str(self.products[product]) for product in self.places.slots]


@dataclass(frozen=True)
class NewDevices:
    """Devices of a product that the taking in makes; `numbered`: so many with a serial number."""

    product: Product
    quantity: int
    numbered: int


@dataclass(frozen=True)
class Preview:
    """What the taking in makes. `kits`: None where the delivery is none; `missing`: what its kits lack, in words."""

    devices: int
    kits: int | None = None
    lines: tuple[NewDevices, ...] = ()
    accessories: str = ""
    missing: tuple[str, ...] = ()


def preview_of(session: ScanSession, known: Collection[str]) -> Preview:
    """`known`: serial numbers that belong to a device by now; their kits are left out."""
    scans = to_take_in(session, list(session.scans.kept()), known)
    words = KitWords.of(session)
    if words is None:
        return Preview(len(scans))
    places, at = words.places, {scan.place: scan.serial for scan in scans if scan.place is not None}
    kits = places.kits(at)
    lines = tuple(
        NewDevices(
            words.products[product],
            quantity * len(kits),
            sum(bool(at.get(place)) for place in places.of_product(product, kits)),
        )
        for product, quantity, _scanned in session.kit_parts
    )
    missing = tuple(words.at(place) for place in places.missing(at))
    return Preview(sum(line.quantity for line in lines), len(kits), lines, session.accessories, missing)


def newest_scans(session: ScanSession) -> QuerySet[Any]:
    """What a delivery holds, the last one first."""
    return session.scans.kept().select_related("device__product").order_by("-pk")


def open_deliveries(user: User) -> QuerySet[Any]:
    """What the person may go on with, their own first; each with its `number` of scans."""
    rows: Any = ScanSession.objects.visible_to(user)
    kept = Count("scans", filter=Q(scans__removed_at__isnull=True) & ~Q(scans__serial=""))
    mine = Case(When(by=user, then=Value(0)), default=Value(1))
    return (  # type: ignore[no-any-return]  # the managers are built at run time
        rows.open()
        .select_related("product", "kit", "school", "by")
        .annotate(number=kept, turn=mine)
        .order_by("turn", "-pk")
    )


def waiting_scans(user: User) -> tuple[int, ScanSession | None]:
    """How many numbers the person has scanned and not taken in, and the newest of these deliveries."""
    rows = [row for row in open_deliveries(user).filter(by=user) if row.number]
    return sum(row.number for row in rows), rows[0] if rows else None


def delivery_of(device: Device, user: User) -> tuple[ScanSession | None, bool]:
    """The scanned delivery with which a device came, and whether the person may see its page."""
    found = ScanSession.objects.filter(scans__device=device).first()
    return found, found is not None and ScanSession.objects.visible_to(user).filter(pk=found.pk).exists()
