"""Many new devices go by a staging table on PostgreSQL: the same rows as the ORM writes."""

from typing import Any

import pytest

from apps.core import clock
from apps.inventory.models import Device, Placement, TagSequence
from apps.inventory.services import masses
from tests import factories
from tests.inventory.lists import PLAIN, table
from tests.schools.importing import take_in

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]


def rows() -> list[dict[str, str]]:
    """Devices in use, in the depot, lost; with and without a number, a price, a day, a room."""
    found = []
    for number in range(60):
        status = ("in Gebrauch", "Lager", "verloren")[number % 3]
        found.append({
            "Inventarnummer": f"T-{number}" if number % 2 else "", "Seriennummer": f"SN{number}" if number % 5 else "",
            "Hersteller": "Apple", "Modell": f"iPad {9 + number % 2}", "Geräteart": "Tablet",
            "Schulnummer": "" if status == "Lager" else f"12060{number % 3}",
            "Raum": "R \\N 1" if number % 4 == 0 and status == "in Gebrauch" else "",
            "Eigentum": ("gekauft", "geleast")[number % 2], "Preis": "449,50" if number % 7 else "",
            "Kaufdatum": "01.08.2024" if number % 3 else "", "Status": status,
            "Notiz": "a\\b;\n\"c\"" if number % 2 else "",
        })  # fmt: skip
    return [row for row in found if row["Inventarnummer"] or row["Seriennummer"]]


def written() -> dict[str, list[Any]]:
    """All that was written, but for keys and moments."""
    known = {device.pk: device.tag for device in Device.objects.all()}
    skipped = {"id", "created_at", "history_id", "history_date", "device_id"}

    def plain(row: dict[str, Any], key: int) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name not in skipped} | {"of": known[key]}

    return {
        "devices": sorted((plain(row, row["id"]) for row in Device.objects.values()), key=str),
        "placements": sorted((plain(row, row["device_id"]) for row in Placement.objects.values()), key=str),
        "history": sorted((plain(row, row["id"]) for row in Device.history.values()), key=str),
    }


def test_both_ways_write_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = factories.ClerkFactory()
    for number in range(3):
        factories.SchoolFactory(number=f"12060{number}")
    for model in ("iPad 9", "iPad 10"):
        factories.ProductFactory(manufacturer="Apple", model=model)
    content = table(PLAIN, rows())
    before = clock.now()
    take_in("devices", content, by=clerk)
    quickly = written()
    assert len(quickly["devices"]) == len(quickly["history"]) == len(rows()) > 50
    assert len(quickly["placements"]) == sum(1 for row in rows() if row["Status"] == "in Gebrauch")
    assert all(device.created_at >= before for device in Device.objects.all())

    Placement.objects.all().delete()
    Device.objects.all().delete()
    Device.history.all().delete()
    TagSequence.objects.all().delete()
    monkeypatch.setattr(masses, "is_possible", lambda: False)
    take_in("devices", content, by=clerk)
    assert written() == quickly
