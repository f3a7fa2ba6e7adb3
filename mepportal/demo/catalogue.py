"""What the city buys and has bought: products, their predecessors, the teachers' devices, accessories, and kits."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.accounts.models import User
from apps.core.history import bulk_create_by, save_by
from apps.inventory.models import DeviceKind, Kit, KitPart, Product, ProductPrice
from mepportal.demo.days import END

ACCESSORIES = "accessory"
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


WARRANTY_MONTHS = {"tablet": 24, "notebook": 36, "desktop": 36, "projector": 36, "display": 60, TEACHERS: 36}
COMING_PRICES = {"Tablet 11 Zoll mit Hülle": "499.00", "Notebook 14 Zoll": "769.00"}
COMING_SINCE = datetime.date(2027, 1, 1)
ACCESSORY_PRICES = {
    "Tastaturhülle": (("59.90", datetime.date(2020, 1, 1)), ("64.90", datetime.date(2025, 1, 1))),
    "Eingabestift": (("79.00", datetime.date(2020, 1, 1)), ("69.00", datetime.date(2024, 7, 1))),
}
"""What nobody counts piece by piece: gross prices in euros with the day from which each holds."""
KITS = {
    "Tablet mit Tastaturhülle und Stift": {"Tablet 11 Zoll mit Hülle": 1, "Tastaturhülle": 1, "Eingabestift": 1},
    "Klassensatz: Ladewagen mit 16 Tablets": {"Ladewagen für 16 Geräte": 1, "Tablet 11 Zoll mit Hülle": 16},
}


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
    """Writes products, prices and kits; what has a successor, and the teachers' device, cannot be applied for."""
    _own_kinds(by)
    kinds = {kind.code: kind for kind in DeviceKind.objects.all()}
    newest = {row.code: row.model for row in PRODUCTS if row.code != TEACHERS}
    products = [
        Product(
            kind=kinds[row.code],
            manufacturer=MANUFACTURER,
            model=row.model,
            warranty_months=WARRANTY_MONTHS.get(row.code),
            is_active=newest.get(row.code) == row.model,
        )
        for row in PRODUCTS
    ]
    products += [Product(kind=kinds[ACCESSORIES], manufacturer=MANUFACTURER, model=model) for model in ACCESSORY_PRICES]
    by_model = {product.model: product for product in bulk_create_by(products, by=by)}
    _load_prices(by_model, by)
    _load_kits(by_model, by)
    stored = {product.model: product for product in Product.objects.priced(END).select_related("kind")}
    generations: dict[str, list[tuple[datetime.date, Product]]] = {}
    for row in PRODUCTS:
        generations.setdefault(row.code, []).append((row.since, stored[row.model]))
    return Catalogue(generations)


def _load_prices(products: Mapping[str, Product], by: User) -> None:
    """A product costs the same as long as it is bought, which the prices of the devices show."""
    dated = [(row.model, row.price, row.since) for row in PRODUCTS]
    dated += [(model, price, COMING_SINCE) for model, price in COMING_PRICES.items()]
    dated += [(model, price, since) for model, prices in ACCESSORY_PRICES.items() for price, since in prices]
    bulk_create_by(
        [
            ProductPrice(product=products[model], gross_price=Decimal(price), valid_from=since)
            for model, price, since in dated
        ],
        by=by,
    )


def _load_kits(products: Mapping[str, Product], by: User) -> None:
    kits = {kit.name: kit for kit in bulk_create_by([Kit(name=name) for name in KITS], by=by)}
    parts = [
        KitPart(kit=kits[name], product=products[model], quantity=quantity)
        for name, contents in KITS.items()
        for model, quantity in contents.items()
    ]
    bulk_create_by(parts, by=by)


def _own_kinds(by: User) -> None:
    """Teachers' devices belong to the city and count for nobody's quota (BASS 11-02 Nr. 36). Nobody counts cases."""
    general = {"years_of_use": 5, "source": "Allgemeines Fachwissen, kein amtlicher Wert"}
    save_by(DeviceKind(code=TEACHERS, name="Dienstgerät für Lehrkräfte", **general), by=by)
    save_by(DeviceKind(code=ACCESSORIES, name="Zubehör", tracked_singly=False, **general), by=by)
