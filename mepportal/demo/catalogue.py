"""What the city buys and has bought: products of today, their predecessors, and the teachers' devices."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.accounts.models import User
from apps.core.history import bulk_create_by, save_by
from apps.inventory.models import DeviceKind, Product

TEACHERS = "teacher_device"
MANUFACTURER = "Muster"
_ALWAYS = datetime.date(2000, 1, 1)


@dataclass(frozen=True)
class Generation:
    """A product with its gross price in euros, and the day from which it is bought instead of the one before."""

    code: str
    model: str
    price: str
    since: datetime.date = _ALWAYS


PRODUCTS = (
    Generation("tablet", "Tablet 10 Zoll", "379.00"),
    Generation("tablet", "Tablet 10 Zoll mit Hülle", "429.00", datetime.date(2020, 1, 1)),
    Generation("tablet", "Tablet 11 Zoll mit Hülle", "489.00", datetime.date(2023, 1, 1)),
    Generation("notebook", "Notebook 15 Zoll", "599.00"),
    Generation("notebook", "Notebook 13 Zoll", "649.00", datetime.date(2020, 1, 1)),
    Generation("notebook", "Notebook 14 Zoll", "749.00", datetime.date(2022, 1, 1)),
    Generation("desktop", "Desktop-PC", "549.00"),
    Generation("desktop", "Desktop mit Bildschirm", "689.00", datetime.date(2021, 1, 1)),
    Generation("projector", "Beamer mit Lampe", "890.00"),
    Generation("projector", "Kurzdistanzbeamer", "1190.00", datetime.date(2020, 1, 1)),
    Generation("display", "Interaktives Display 65 Zoll", "2490.00"),
    Generation("display", "Interaktives Display 75 Zoll", "2890.00", datetime.date(2022, 7, 1)),
    Generation("charging_cart", "Ladewagen für 16 Geräte", "1350.00"),
    Generation("document_camera", "Dokumentenkamera", "329.00"),
    Generation(TEACHERS, "Notebook 13 Zoll mit Stift", "500.00"),
)


@dataclass(frozen=True)
class Catalogue:
    """Products by code of their kind, the oldest first."""

    generations: Mapping[str, list[tuple[datetime.date, Product]]]

    def bought_on(self, code: str, day: datetime.date) -> Product:
        """What was bought of a kind on a day."""
        return [product for since, product in self.generations[code] if since <= day][-1]

    @property
    def present(self) -> dict[str, Product]:
        """What schools may apply for now."""
        return {code: products[-1][1] for code, products in self.generations.items() if code != TEACHERS}


def load_catalogue(*, by: User) -> Catalogue:
    """Writes the products; those that have a successor, and the teachers' device, cannot be applied for."""
    _teachers_kind(by)
    kinds = {kind.code: kind for kind in DeviceKind.objects.all()}
    newest = {row.code: row.model for row in PRODUCTS if row.code != TEACHERS}
    products = [
        Product(
            kind=kinds[row.code],
            manufacturer=MANUFACTURER,
            model=row.model,
            gross_price=Decimal(row.price),
            is_active=newest.get(row.code) == row.model,
        )
        for row in PRODUCTS
    ]
    generations: dict[str, list[tuple[datetime.date, Product]]] = {}
    for row, product in zip(PRODUCTS, bulk_create_by(products, by=by), strict=True):
        generations.setdefault(row.code, []).append((row.since, product))
    return Catalogue(generations)


def _teachers_kind(by: User) -> None:
    """Teachers' devices belong to the city and count for nobody's quota (BASS 11-02 Nr. 36)."""
    save_by(
        DeviceKind(
            code=TEACHERS,
            name="Dienstgerät für Lehrkräfte",
            years_of_use=5,
            source="Allgemeines Fachwissen, kein amtlicher Wert",
        ),
        by=by,
    )
