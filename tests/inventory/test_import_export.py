"""The export is the import's own format: what goes out comes back as no difference."""

import datetime
from decimal import Decimal

import pytest
from django.utils import translation

from apps.core import clock
from apps.core.exports import csv_lines, escaped, unescaped
from apps.core.imports.columns import folded
from apps.inventory import services
from apps.inventory.imports.formats import PLAIN, recognised
from apps.inventory.models import Device, Placement
from apps.inventory.tables import DeviceExportTable
from tests import factories
from tests.schools.importing import check, take_in

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
LIST = "/inventory/"


@pytest.fixture
def fleet() -> list[Device]:
    """Devices in every status, with texts that spreadsheets take for formulas."""
    clerk = factories.ClerkFactory()
    school = factories.SchoolFactory(number="120674", short_name="GS Overberg")
    site = factories.SiteFactory(school=school, name="Nebenstelle")
    odd = factories.ProductFactory(manufacturer="=cmd()", model="-Brett-")
    even = factories.ProductFactory(manufacturer="=cmd()", model="Brett")
    facts = {"by": clerk, "since": clock.today() - datetime.timedelta(days=9)}
    placed = [
        factories.DeviceFactory(product=product, school=school, site=site, room=room, note=note, serial=serial,
                                price=Decimal("1234.50"), bought_on=datetime.date(2024, 2, 29), **facts)
        for product, room, note, serial in (
            (odd, "-1", "=1+1", "+49"), (even, "@2", "'=x\r\nzweite; Zeile", "SN 2"), (even, "'3", '="00012"', "="),
            (odd, "", "", ""), (odd, "R 5", "''+", "SN-5"), (odd, "R 6", "-", "SN-6"), (odd, "R 7", "a\nb", "SN-7"),
        )
    ]  # fmt: skip
    services.lend_device(device=placed[3], by=clerk)
    services.send_to_repair(device=placed[4], by=clerk)
    services.retire_device(device=placed[5], by=clerk, reason="alt")
    services.report_stolen(device=placed[6], by=clerk)
    factories.DeviceFactory(product=even, by=clerk, ownership="parent_financed", price=Decimal("0.00"))
    return placed


@pytest.mark.parametrize("language", ["de", "en"])
def test_export_then_import_is_an_empty_difference(client, fleet, language):
    client.force_login(factories.ClerkFactory())
    client.cookies["django_language"] = language
    content = b"".join(client.get(LIST, {"export": "csv", "status": "all"}).streaming_content)
    entries = Device.history.count()
    run = take_in("devices", content)

    assert content.startswith(
        "\ufeffInventarnummer;Hersteller;".encode() if language == "de" else b"\xef\xbb\xbfInventory"
    )
    assert run.options["recognised"] == "plain"
    assert run.counts == {"wrong": 0, "new": 0, "changed": 0, "missing": 0, "unchanged": 8, "left_out": 0, "hints": 0}
    assert Device.history.count() == entries


def test_an_export_into_an_empty_inventory_gives_the_same_devices(client, fleet):
    client.force_login(factories.ClerkFactory())
    content = b"".join(client.get(LIST, {"export": "csv", "status": "all"}).streaming_content)
    fields = ("tag", "serial", "product", "kind", "ownership", "price", "bought_on", "status", "school", "site", "room")
    before = list(Device.objects.values_list(*fields))
    Placement.objects.all().delete()
    Device.objects.all().delete()
    take_in("devices", content)

    assert list(Device.objects.values_list(*fields)) == before
    assert Placement.objects.count() == Device.objects.filter(school__isnull=False).count() == 5


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_column_of_the_export_is_taken_back(language):
    taken = {folded(alias) for column in PLAIN.columns for alias in column.aliases}
    with translation.override(language):
        header = [str(column.verbose_name) for name, column in DeviceExportTable.base_columns.items()
                  if name in DeviceExportTable.Meta.fields]  # fmt: skip

    assert [name for name in header if folded(name) not in taken] == []
    assert recognised(header) is PLAIN


def test_an_export_that_broke_midway_is_refused(fleet):
    def rows():
        yield ["HAM-000001", "SN"]
        raise OSError("gone")

    content = "".join(csv_lines(["Inventarnummer", "Seriennummer"], rows())).encode()
    run = check("devices", content)

    assert (run.counts["wrong"], run.counts["changed"]) == (1, 1)


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "'", "''", "'a", "a", "-", "'-", "@x", "", "+", "'\t"])
def test_escaping_is_undone_exactly(text):
    assert unescaped(escaped(text)) == text
