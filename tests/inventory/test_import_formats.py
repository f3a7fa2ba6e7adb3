"""Lists of other programs: recognised by their header, mapped, and freed of secrets and people before anything."""

import datetime
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, models

from apps.core import clock
from apps.core.imports import engine
from apps.core.models import ImportRun, ImportState
from apps.inventory.choices import DeviceStatus
from apps.inventory.imports.devices import DevicesSource
from apps.inventory.imports.formats import FORMATS, is_personal, recognised
from apps.inventory.models import Device, Product
from tests import factories
from tests.inventory.lists import (
    APPLE,
    ENGLISH,
    GLPI,
    ISERV,
    JAMF_SCHOOL,
    PLAIN,
    SECRET,
    SNIPE_DE,
    SNIPE_EN,
    intune_header,
    table,
)
from tests.schools.importing import actions, check, take_in, told

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def on_file() -> None:
    factories.SchoolFactory(number="120674", short_name="GS Overberg")
    factories.ProductFactory(manufacturer="Apple", model="iPad 10")


def stored_text() -> str:
    """Every text that stands anywhere in the database, of all tables."""
    found = []
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")  # noqa: S608 - the tables' own names
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


@pytest.mark.parametrize(
    ("header", "name"),
    [(PLAIN, "plain"), (ENGLISH, "plain"), (SNIPE_EN, "snipe-it"), (SNIPE_DE, "snipe-it"),
     (intune_header("Microsoft Entra"), "intune"), (intune_header("Azure AD"), "intune"),
     (JAMF_SCHOOL, "jamf-school"), (GLPI, "glpi"), (ISERV, "iserv"), (APPLE, "apple-school-manager"),
     (("serial number",), "plain")],
)  # fmt: skip
def test_formats_are_recognised_by_their_header(header, name):
    assert recognised(header).name == name
    assert recognised([column.upper() for column in reversed(header)]).name == name


@pytest.mark.parametrize("header", [SNIPE_EN, SNIPE_DE])
def test_snipe_it_in_both_languages_with_html_and_personal_columns(header):
    names = dict(zip(SNIPE_EN, header, strict=True))
    cells = {"Asset Tag": "sn-17", "Serial": "C02X", "Model": '<a href="/models/3">iPad&nbsp;10</a>',
             "Category": "Tablet", "Status": "Ready to Deploy", "Location": "GS Overberg", "Manufacturer": "Apple",
             "Purchase Date": "2024-08-01", "Purchase Cost": "1,449.50", "Notes": "Koffer 3"}  # fmt: skip
    run = take_in("devices", table(header, [{names[key]: cell for key, cell in cells.items()}], delimiter=",",
                                   rest=SECRET))  # fmt: skip

    assert (run.state, run.options["recognised"]) == (ImportState.APPLIED, "snipe-it")
    device = Device.objects.get()
    assert (device.tag, device.serial, str(device.product), device.note) == (
        "SN-17",
        "C02X",
        "Apple iPad 10",
        "Koffer 3",
    )
    assert (device.school.number, device.status, device.price) == ("120674", "in_use", Decimal("1449.50"))
    assert (run.options["dropped_columns"], run.options["dropped_cells"]) == ("3", "3")
    assert SECRET not in stored_text()


@pytest.mark.parametrize(
    ("cell", "hinted", "status"),
    [("Undeployable", True, "in_use"), ("Broken - Not Fixable", True, "in_use"), ("Deployed", False, "in_use"),
     ("Ready to Deploy", False, "in_use"), ("Out for Repair", False, "in_repair"), ("", False, "in_use")],
)  # fmt: skip
def test_a_status_of_snipe_it_that_is_none_of_ours_is_told(cell, hinted, status):
    facts = {"Asset Tag": "sn-17", "Serial": "C02X", "Model": "iPad 10", "Category": "Tablet", "Manufacturer": "Apple",
             "Location": "GS Overberg", "Status": cell}  # fmt: skip
    run = take_in("devices", table(SNIPE_EN, [facts], delimiter=","))
    hints = [hint["params"]["status"] for row in run.rows.all() for hint in row.hints if "status" in hint["params"]]
    assert hints == ([cell] if hinted else [])
    assert Device.objects.get().status == status


@pytest.mark.parametrize("directory", ["Microsoft Entra", "Azure AD"])
def test_intune_takes_only_serial_and_product_and_nothing_of_private_devices(directory):
    header = intune_header(directory)
    row = {"Serial number": "5CD1", "Manufacturer": "Apple", "Model": "iPad 10", "Ownership": "Corporate"}
    private = {"Serial number": SECRET, "Manufacturer": SECRET, "Model": SECRET, "Ownership": "Personal"}
    run = take_in("devices", table(header, [row, private], delimiter=",", rest=SECRET), school="120674")

    assert (run.counts["new"], run.reasons) == (1, {"private": 1})
    assert Device.objects.get().school.number == "120674"
    assert SECRET not in stored_text()


def jamf(**cells: str) -> dict[str, str]:
    return {"AssetTag": "", "SerialNumber": "DMPX1", "Model": "iPad 10", "SchoolNumber": "120674",
            "LocationName": "irgendwo", "IsTrashed": "false"} | cells  # fmt: skip


def test_jamf_school_maps_its_school_number_and_drops_the_unlock_code():
    rows = [jamf(), jamf(SerialNumber="DMPX2", IsTrashed="true"), jamf(SerialNumber="DMPX3", AssetTag="Wagen 3")]
    run = take_in("devices", table(JAMF_SCHOOL, rows, rest=SECRET))

    assert actions(run) == {"DMPX1": "new", "DMPX2": "trashed", "DMPX3": "new"}
    assert [hint[:2] for hint in told(run, "hints")] == [(4, "AssetTag")]
    assert [device.school.number for device in Device.objects.all()] == ["120674", "120674"]
    assert (run.options["dropped_columns"], run.options["dropped_cells"]) == ("14", "42")
    assert SECRET not in stored_text()


def test_apples_models_say_their_kind_where_the_list_has_none():
    rows = [jamf(Model="iPad Air"), jamf(SerialNumber="DMPX2", Model="MacBook Neo"),
            jamf(SerialNumber="DMPX3", Model="HomePod")]  # fmt: skip
    run = check("devices", table(JAMF_SCHOOL, rows[:2]))
    assert run.counts["new"] == 2
    assert [row.changes["kind"][1] for row in run.rows.order_by("line")] == ["Tablet", "Notebook"]

    told_of = told(check("devices", table(JAMF_SCHOOL, rows)))
    assert [(line, column) for line, column, _text in told_of] == [(4, "Model")]
    assert told_of[0][2].startswith("Das Produkt „Apple HomePod“ steht nicht")


def test_a_chosen_kind_puts_products_of_a_list_without_kinds_into_the_catalogue():
    header = intune_header("Microsoft Entra")
    rows = [{"Serial number": f"I-{number}", "Manufacturer": "Marke", "Model": "Rechner 5"} for number in (1, 2)]
    assert [column for _line, column, _text in told(check("devices", table(header, rows, delimiter=",")))] == [
        "Model"
    ] * 2

    run = take_in("devices", table(header, rows, delimiter=","), kind="notebook")
    assert run.state == ImportState.APPLIED
    assert "neue Produkte: Notebook" in DevicesSource(run.options).option_labels()
    assert [(str(row.product), row.kind.code) for row in Device.objects.all()] == [("Marke Rechner 5", "notebook")] * 2
    assert Product.objects.filter(model="Rechner 5").count() == 1


def test_a_chosen_kind_says_nothing_of_products_on_file():
    rows = [jamf(Model="iPad 10")]
    take_in("devices", table(JAMF_SCHOOL, rows), kind="notebook")
    assert Device.objects.get().kind == Product.objects.get(model="iPad 10").kind


def test_an_unknown_kind_is_refused():
    run = check("devices", table(JAMF_SCHOOL, [jamf()]), kind="zeppelin")
    assert (run.state, run.error) == (ImportState.UNREADABLE, "Die Geräteart „zeppelin“ ist hier unbekannt.")


def test_what_is_uploaded_is_stored_without_secrets_and_lines_stay(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    secrets = {name: SECRET for name in JAMF_SCHOOL if is_personal(name) and name not in jamf()}
    assert {"ActivationLockBypassCode", "OwnerEmail", "CurrentIPAddress", "Name"} <= secrets.keys()
    rows = [secrets | jamf(Notes=f"{SECRET}\r\n{SECRET}\n{SECRET}"),
            secrets | jamf(SerialNumber="DMPX2", SchoolNumber="9")]  # fmt: skip
    content = b"sep=;\r\n\r\n" + table(JAMF_SCHOOL, rows, rest="Region 3", encoding="utf-8")
    clerk = factories.ClerkFactory()
    run = engine.create_run(
        "devices", by=clerk, file_name="jamf.csv", upload=SimpleUploadedFile("jamf.csv", content), options={}
    )
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    engine.check(run.pk)
    run.refresh_from_db()

    assert len(kept) == 1
    assert SECRET.encode() not in kept[0]
    assert [(line, column) for line, column, _text in told(run)] == [(7, "SchoolNumber")]
    assert (run.options["dropped_columns"], run.options["dropped_cells"]) == ("14", "28")
    assert SECRET not in stored_text()


def test_an_upload_that_cannot_be_read_is_not_stored(settings, tmp_path):
    from apps.core.errors import ImportFileError

    settings.MEDIA_ROOT = tmp_path
    file = SimpleUploadedFile("a.csv", b"PK\x03\x04" + SECRET.encode())
    with pytest.raises(ImportFileError):
        engine.create_run("devices", by=None, file_name="a.csv", upload=file)
    assert ImportRun.objects.count() == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_glpi_names_places_and_kinds_in_its_own_way():
    """The header is assumed."""
    row = {"Name": "pc-17", "Manufacturers": "Neuwerk", "Serial number": "G1\u00a0", "Type": "Notebook",
           "Model": "N 5", "Locations": "GS Overberg"}  # fmt: skip
    strange = row | {"Serial number": "G2", "Type": "Desktop-Dings", "Model": "iPad 10", "Manufacturers": "Apple"}
    run = take_in("devices", table(GLPI, [row, strange], rest=SECRET, first="\n"))

    device = Device.objects.get(serial="G1")
    assert (str(device.product), device.kind.code, device.school.number) == ("Neuwerk N 5", "notebook", "120674")
    assert Device.objects.get(serial="G2").kind.code == "tablet"
    assert [hint[:2] for hint in told(run, "hints")] == [(4, "Type")]


def test_iserv_lists_tell_rooms_of_known_devices_and_name_notebooks_twice():
    """The header is assumed."""
    device = factories.DeviceFactory(tag="HAM-7", school=Device._meta.get_field("school").related_model.objects.get(),
                                     since=clock.today() - datetime.timedelta(days=3))  # fmt: skip
    rows = [
        {"Name": "ham-7", "Raum": "R 1"}, {"Name": "HAM-7", "Raum": "R 1 WLAN"}, {"Name": "drucker-3", "Raum": "R 2"}
    ]  # fmt: skip
    run = take_in("devices", table(ISERV, rows, rest=SECRET))

    device.refresh_from_db()
    assert (device.room, device.placements.count()) == ("R 1", 2)
    assert (run.counts["changed"], run.reasons) == (1, {"second_line": 1, "not_on_file": 1})
    assert SECRET not in stored_text()
    assert take_in("devices", table(ISERV, rows, rest=SECRET)).counts["changed"] == 0


@pytest.mark.parametrize("status", [DeviceStatus.ON_LOAN, DeviceStatus.IN_REPAIR])
def test_a_device_that_is_away_keeps_its_room_and_holds_up_no_list_of_rooms(status):
    school = Device._meta.get_field("school").related_model.objects.get()
    away = factories.DeviceFactory(tag="HAM-7", school=school, room="R 0")
    factories.DeviceFactory(tag="HAM-8", school=school, room="R 0")
    Device.objects.filter(pk=away.pk).update(status=status)
    run = take_in("devices", table(ISERV, [{"Name": "ham-7", "Raum": "R 1"}, {"Name": "ham-8", "Raum": "R 1"}]))

    assert dict(Device.objects.values_list("tag", "room")) == {"HAM-7": "R 0", "HAM-8": "R 1"}
    assert (run.counts["changed"], run.counts["unchanged"], run.counts["hints"]) == (1, 1, 1)
    sentence = "Das Gerät ist verliehen oder in Reparatur und bleibt deshalb, wo es steht. Die Angabe wird ausgelassen."
    assert told(run, "hints") == [(2, "Raum", sentence)]


def test_apple_school_manager_by_the_names_of_its_interface():
    """The header of its own download is not known."""
    row = {"serialNumber": "DM1", "deviceModel": "iPad 11", "productFamily": "iPad",
           "orderDateTime": "2024-08-01T09:00:00Z"}  # fmt: skip
    run = take_in("devices", table(APPLE, [row], delimiter=",", rest=SECRET))

    device = Device.objects.get()
    assert (str(device.product), device.kind.code, device.status) == ("Apple iPad 11", "tablet", "in_stock")
    assert device.bought_on == datetime.date(2024, 8, 1)
    assert (run.options["dropped_columns"], SECRET in stored_text()) == ("2", False)


def test_lists_of_other_programs_never_rename_products_or_kinds_of_known_devices():
    device = factories.DeviceFactory(product=Device._meta.get_field("product").related_model.objects.get(),
                                     serial="DMPX1")  # fmt: skip
    run = take_in("devices", table(JAMF_SCHOOL, [jamf(Model="iPad (10. Generation)")], rest=""))

    device.refresh_from_db()
    assert (run.counts["changed"], str(device.product), device.status) == (1, "Apple iPad 10", "in_use")


# -- the command ----------------------------------------------------------------------------------------------------


def command(path: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    out = io.StringIO()
    try:
        call_command("import_devices", str(path), *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


def test_the_command_reports_format_and_what_was_dropped(tmp_path):
    path = tmp_path / "jamf.csv"
    path.write_bytes(table(JAMF_SCHOOL, [jamf()], rest=SECRET))
    code, text = command(path, "--dry-run")

    assert (code, Device.objects.count()) == (0, 0)
    assert text.splitlines()[-3:] == [
        "Format: Jamf School",
        "Ungelesen weggelassen: 14 Spalten mit Geheimnissen oder personenbezogenen Daten (gefüllte Zellen: 14)",
        "Nur geprüft, es wurde nichts übernommen.",
    ]
    code, text = command(path, "--json")
    report: dict[str, Any] = json.loads(text)
    assert (code, report["format"], report["dropped"]) == (0, "jamf-school", {"columns": 14, "cells": 14})
    assert (report["written"], report["counts"]["new"], report["unused_columns"]) == (True, 1, 14)
    assert (Device.objects.count(), ImportRun.objects.count()) == (1, 1)


def test_the_format_can_be_forced_and_school_and_columns_are_checked(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(table(PLAIN, [{"Seriennummer": "1"}]))

    assert command(path, "--format", "jamf-school")[0] == 2
    code, text = command(path, "--school", "999999")
    assert (code, text) == (2, "Es gibt keine Schule „999999“ des eigenen Schulträgers im Bestand.")
    path.write_bytes(table(("Hersteller", "Modell"), [{"Hersteller": "Apple"}]))
    assert command(path) == (2, ("Das ist nicht die erwartete Tabelle: Es gibt weder eine Spalte mit Seriennummern noch"
                                " eine mit Inventarnummern."))  # fmt: skip
    with pytest.raises(CommandError):
        call_command("import_devices", str(path), "--format", "excel")
    assert list(FORMATS) == ["jamf-school", "intune", "apple-school-manager", "snipe-it", "glpi", "iserv", "plain"]
    assert issubclass(Device, models.Model)
