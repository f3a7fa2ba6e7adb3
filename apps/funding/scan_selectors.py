"""What of an order can be scanned in: the devices of a line, or kits whose parts are all missing at one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from apps.funding.models import Order, OrderLine, ScannedReceipt
from apps.funding.purchasing import spread
from apps.inventory.choices import ScanState
from apps.inventory.models import Kit, ScanSession
from apps.schools.models import School


@dataclass(frozen=True)
class Part:
    """Lines of one product, in their order, and how many pieces of it one kit has; 1 where devices are no kit."""

    lines: tuple[OrderLine, ...]
    per_kit: int

    @property
    def quantity(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def delivered(self) -> int:
        return sum(line.delivered for line in self.lines)

    @property
    def missing(self) -> int:
        return self.quantity - self.delivered

    def shares(self, pieces: int) -> list[tuple[OrderLine, int]]:
        """The lines that so many pieces fill, with the pieces of each."""
        filled = spread(pieces, [line.quantity - line.delivered for line in self.lines])
        return [(line, number) for line, number in zip(self.lines, filled, strict=True) if number]


@dataclass(frozen=True)
class ToScan:
    """Goods for one school, or for the depot, that are scanned in together: a kit's parts, or one part without kit."""

    parts: tuple[Part, ...]
    kit: Kit | None = None

    @property
    def number(self) -> int:
        """So many kits, or devices, are missing of every part."""
        return min(part.missing // part.per_kit for part in self.parts)

    @property
    def line(self) -> OrderLine:
        """One of its lines: it says the school."""
        return self.parts[0].lines[0]

    @property
    def school(self) -> School | None:
        return self.line.school

    @property
    def what(self) -> Kit | OrderLine:
        return self.kit or self.line


def kits_to_scan(lines: Iterable[OrderLine], **wanted: Any) -> list[ToScan]:
    """Kits of which a whole one is missing, place by place in the order of the lines. `wanted`: filters of the kits."""
    places: dict[int | None, dict[int, list[OrderLine]]] = {}
    for line in lines:
        if line.product_id is not None and line.delivered < line.quantity:
            places.setdefault(line.school_id, {}).setdefault(line.product_id, []).append(line)
    products = {product for place in places.values() for product in place}
    rows = Kit.objects.filter(is_active=True, **wanted)
    kits = list(
        rows.filter(parts__product__in=products, parts__product__kind__tracked_singly=True)
        .distinct()
        .prefetch_related("parts")
        .order_by("name")
    )
    offers = [_of_kit(kit, place) for place in places.values() for kit in kits]
    return [offer for offer in offers if offer is not None and offer.number]


def _of_kit(kit: Kit, place: dict[int, list[OrderLine]]) -> ToScan | None:
    """None where a part of the kit is not missing at this place at all."""
    rows = sorted(kit.parts.all(), key=lambda row: row.pk)
    if not all(row.product_id in place for row in rows):
        return None
    return ToScan(tuple(Part(tuple(place[row.product_id]), row.quantity) for row in rows), kit)


def receipt_of(session: ScanSession) -> ScannedReceipt | None:
    """The order whose goods are scanned in there; None where no order stands behind it."""
    rows = ScannedReceipt.objects.filter(scan_session=session)
    found: ScannedReceipt | None = rows.select_related("order__supplier", "kit").first()
    return found


def goods_of(receipt: ScannedReceipt, lines: Iterable[OrderLine]) -> ToScan:
    """What a receipt is about. `lines`: those of its order, as they are now."""
    per_kit: dict[int, int] = dict(receipt.lines.values_list("order_line", "per_kit"))
    parts: dict[int | None, list[OrderLine]] = {}
    for line in lines:
        if line.pk in per_kit:
            parts.setdefault(line.product_id, []).append(line)
    return ToScan(tuple(Part(tuple(rows), per_kit[rows[0].pk]) for rows in parts.values()), receipt.kit)


@dataclass
class KitRow:
    """A kit at a place on the page of an order: how many are missing there, and what is being scanned in of it."""

    kit: Kit
    school: School | None
    goods: ToScan | None = None
    scans: list[ScanSession] = field(default_factory=list)


def kit_rows(order: Order, lines: Iterable[OrderLine]) -> list[KitRow]:
    """Kits that can be scanned in, then those that others are scanning in though no whole one is missing any more."""
    rows: dict[tuple[int, int | None], KitRow] = {}
    for goods in kits_to_scan(lines):
        if goods.kit is not None:
            rows[goods.kit.pk, goods.line.school_id] = KitRow(goods.kit, goods.school, goods)
    for scan in open_scans(order).filter(receipt__kit__isnull=False).select_related("receipt__kit", "school"):
        key = (scan.receipt.kit_id, scan.school_id)
        rows.setdefault(key, KitRow(scan.receipt.kit, scan.school)).scans.append(scan)
    return list(rows.values())


def open_scans(order: Order) -> QuerySet[Any]:
    """What is being scanned in of an order, the first begun first."""
    rows: QuerySet[Any] = ScanSession.objects.filter(receipt__order=order, state=ScanState.OPEN)
    return rows.select_related("by").order_by("pk")
