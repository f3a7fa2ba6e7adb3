"""The export is the import's own format: what goes out comes back as no difference."""

import csv
import datetime
import io
from decimal import Decimal

import pytest
from django.core.files import File
from django.utils import translation

from apps.core import clock
from apps.core.exports import csv_lines, escaped, unescaped, xlsx_response
from apps.core.imports import engine
from apps.core.imports.columns import folded
from apps.core.imports.report import Report
from apps.inventory import device_lines, services
from apps.inventory.imports.cells import LINE_BREAK
from apps.inventory.imports.formats import PLAIN, recognised
from apps.inventory.models import Device, Loan, Placement
from apps.inventory.tables import DeviceExportTable
from tests import factories
from tests.schools.importing import check, take_in, told

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
    end = datetime.date(2029, 12, 31)
    services.bind_devices(devices=[placed[0], placed[6]], until=end, file_reference="-48.03", by=clerk)
    services.bind_device(device=placed[1], until=datetime.date(2021, 12, 31), file_reference="48;03", by=clerk)
    services.change_condition(device=placed[1], condition="worn", by=clerk)
    services.change_condition(device=placed[5], condition="defective", by=clerk)
    services.change_details(device=placed[2], serial=placed[2].serial, price=None, bought_on=placed[2].bought_on,
                            note=placed[2].note, use_until=datetime.date(2031, 7, 31), by=clerk)  # fmt: skip
    services.lend_device(device=placed[3], by=clerk)
    services.send_to_repair(device=placed[4], by=clerk)
    services.retire_device(device=placed[5], by=clerk, reason="alt", disposal="sold", proceeds=Decimal("12.50"))
    services.report_stolen(device=placed[6], by=clerk)
    factories.DeviceFactory(product=even, by=clerk, ownership="parent_financed", price=Decimal("0.00"))
    for ownership, disposal in (("bought", "scrapped"), ("leased", "returned"), ("bought", "")):
        gone = factories.DeviceFactory(product=even, by=clerk, ownership=ownership, school=school, since=facts["since"])
        services.retire_device(device=gone, by=clerk, reason="alt", on=facts["since"], disposal=disposal)
    return placed


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_export_then_import_is_an_empty_difference(client, fleet, language, kind):
    client.force_login(factories.ClerkFactory())
    client.cookies["django_language"] = language
    content = b"".join(client.get(LIST, {"export": kind, "status": "all"}).streaming_content)
    entries = Device.history.count()
    run = take_in("devices", content)

    if kind == "csv":
        first = "\ufeffInventarnummer;Hersteller;" if language == "de" else "\ufeffInventory"
        assert content.decode().startswith(first)
    assert (run.options["recognised"], "end" in run.options) == ("plain", False)
    assert run.counts == {"wrong": 0, "new": 0, "changed": 0, "missing": 0, "unchanged": 11, "left_out": 0, "hints": 0}
    assert Device.history.count() == entries


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_export_then_upload_is_an_empty_difference(client, fleet, kind, settings, tmp_path):
    """The kept copy of an upload says the same as the file."""
    settings.MEDIA_ROOT = tmp_path
    client.force_login(factories.ClerkFactory())
    content = b"".join(client.get(LIST, {"export": kind, "status": "all"}).streaming_content)
    run = engine.create_run("devices", by=None, file_name=f"a.{kind}", upload=File(io.BytesIO(content), name="a"))
    run = engine.check(run.pk)

    assert told(run) == []
    assert (run.state, run.counts["unchanged"], "end" in run.options) == ("checked", 11, False)


def test_a_row_of_a_workbook_keeps_its_number_in_the_kept_copy(fleet, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    rows = [["X-1", "Erste\nZweite"], ["X 2", ""], ["X-3", "a"]]
    content = b"".join(xlsx_response("a", ["Inventarnummer", "Notiz"], rows).streaming_content)
    run = engine.create_run("devices", by=None, file_name="a.xlsx", upload=File(io.BytesIO(content), name="a"))
    run = engine.check(run.pk)

    assert {line for line, column, _text in told(run) if column == "Inventarnummer"} == {3}
    assert run.rows.get(line=2).data["note"] == f"Erste{LINE_BREAK}Zweite"


def test_an_export_without_its_last_line_says_so(client, fleet):
    client.force_login(factories.ClerkFactory())
    content = b"".join(client.get(LIST, {"export": "csv", "status": "all"}).streaming_content)
    lines = content.decode().splitlines(keepends=True)
    assert lines[-1] == "Ende der Liste, vollständig. Zeilen: 11\r\n"

    run = check("devices", "".join(lines[:-1]).encode())
    assert (run.counts["unchanged"], run.options["end"]) == (11, "missing")
    assert "Die letzte Zeile des Exports fehlt" in Report(run, dry_run=True).source.remarks()[-1]
    run = check("devices", "".join([*lines[:1], *lines[2:]]).encode())
    assert (run.counts["unchanged"], run.options["end"]) == (10, "11 10")


def test_an_export_into_an_empty_inventory_gives_the_same_devices(client, fleet):
    client.force_login(factories.ClerkFactory())
    content = b"".join(client.get(LIST, {"export": "csv", "status": "all"}).streaming_content)
    fields = ("tag", "serial", "product", "kind", "ownership", "price", "bought_on", "status", "school", "site", "room",
              "use_until", "condition", "bound_until", "bound_by", "disposal", "disposed_on", "proceeds",
              "last_school")  # fmt: skip
    before = list(Device.objects.values_list(*fields))
    for model in (Loan, Placement, Device):
        model.objects.all().delete()
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


def test_a_list_of_retired_devices_says_where_they_stood(client, fleet):
    client.force_login(factories.ClerkFactory())
    content = b"".join(client.get(LIST, {"export": "csv", "status": "retired"}).streaming_content)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))[:-1]

    assert [(row["Schule"], row["Nummer der letzten Schule"], row["Letzte Schule"]) for row in rows] == [
        ("", "120674", "GS Overberg")
    ] * 4


def test_a_last_school_that_is_not_on_file_is_a_hint(fleet):
    head = "Inventarnummer;Hersteller;Modell;Geräteart;Status;Letzte Schule\r\n"
    run = take_in("devices", (head + "T-9;A;B;Tablet;verloren;Nirgends\r\n").encode())

    assert (run.counts["new"], run.counts["hints"]) == (1, 1)
    assert Device.objects.get(tag="T-9").last_school is None


def test_an_export_that_broke_midway_is_refused(fleet):
    def rows():
        yield ["HAM-000001", "SN"]
        raise OSError("gone")

    content = "".join(csv_lines(["Inventarnummer", "Seriennummer"], rows())).encode()
    run = check("devices", content)

    assert (run.state, run.error) == (
        "unreadable", "Dieser Export brach ab: Es fehlen Zeilen. Bitte exportieren Sie die Liste noch einmal."
    )  # fmt: skip


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "'", "''", "'a", "a", "-", "'-", "@x", "", "+", "'\t"])
def test_escaping_is_undone_exactly(text):
    assert unescaped(escaped(text)) == text


@pytest.mark.postgres_only
@pytest.mark.parametrize("language", ["de", "en"])
def test_the_database_writes_the_same_lines_as_the_portal(fleet, language):
    table = DeviceExportTable(Device.objects.select_related("product", "kind", "school", "site").order_by("tag"))
    with translation.override(language):
        rows = table.data.data
        assert device_lines.knows(bound.name for bound in table.columns)
        lines = "".join(table.csv_file(rows))
        assert lines == "".join(csv_lines(table.export_header(), table.export_rows(rows), ends=True))
        assert lines.count("HAM-0000") == 11
