"""Columns put right by hand, kept under a name, and used again for the next file with the same header."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.core.imports import engine, mappings
from apps.core.models import ImportMapping, ImportRun, ImportState
from apps.inventory.imports.formats import is_personal
from apps.inventory.models import Device
from tests import factories
from tests.inventory.lists import JAMF_SCHOOL, SECRET, table
from tests.schools.importing import check, take_in

pytestmark = pytest.mark.django_db
UPLOAD = "/admin/core/importrun/upload/devices/"
HEADER = ("Ser.-Nr. laut Liste", "Gerät", "Zimmer", "Kosten", "Handy der Lehrkraft")
ROWS = [
    {"Ser.-Nr. laut Liste": "C02X1", "Gerät": "iPad 10", "Zimmer": "R 12", "Kosten": "449,00",
     "Handy der Lehrkraft": SECRET},
    {"Ser.-Nr. laut Liste": "C02X2", "Gerät": "iPad 10", "Zimmer": "R 13", "Kosten": "viel",
     "Handy der Lehrkraft": SECRET},
]  # fmt: skip
CHOSEN = {
    "column_0": "serial",
    "column_1": "model",
    "column_2": "room",
    "column_3": "-",
    "name": "Liste der Sekretariate",
}
FIELDS = ["serial", "model", "room", "", ""]


@pytest.fixture(autouse=True)
def on_file(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path
    factories.SchoolFactory(number="120674", short_name="GS Overberg")
    factories.ProductFactory(manufacturer="Apple", model="iPad 10")


def upload(client) -> tuple[ImportRun, str]:
    file = SimpleUploadedFile("liste.csv", table(HEADER, ROWS))
    response = client.post(UPLOAD, {"file": file, "format": "", "school": "120674"})
    return ImportRun.objects.latest("pk"), response["Location"]


def columns_page(run: ImportRun) -> str:
    return reverse("admin:core_importrun_columns", args=[run.pk])


def test_unknown_columns_are_put_right_saved_and_used_for_the_next_file(client, clerk):
    run, address = upload(client)
    assert (run.state, address) == (ImportState.UNREADABLE, columns_page(run))
    page = client.get(address).content.decode()
    assert "Erste Werte: C02X1, C02X2" in page
    assert "Handy der Lehrkraft" in page
    assert 'name="column_4"' not in page
    assert SECRET not in page
    assert SECRET.encode() not in run.file.read()

    response = client.post(address, CHOSEN)
    assert response["Location"] == reverse("admin:core_importrun_change", args=[run.pk])
    engine.run_due()
    run.refresh_from_db()
    assert (run.state, run.counts["new"], run.options["unused"]) == (ImportState.CHECKED, 2, "1")
    mapping = ImportMapping.objects.get()
    assert (mapping.name, mapping.fields, mapping.header, mapping.saved_by) == (
        "Liste der Sekretariate", FIELDS, list(HEADER), clerk
    )  # fmt: skip
    assert "<strong>Zimmer</strong> → Raum" in client.get(response["Location"]).content.decode()

    again, address = upload(client)
    assert address == reverse("admin:core_importrun_change", args=[again.pk])
    engine.run_due()
    page = client.get(address).content.decode()
    assert "Zuordnung „Liste der Sekretariate“" in page
    client.post(reverse("admin:core_importrun_apply", args=[again.pk]))
    engine.run_due()
    assert list(Device.objects.order_by("serial").values_list("serial", "room", "price")) == [
        ("C02X1", "R 12", None), ("C02X2", "R 13", None)
    ]  # fmt: skip


def test_a_command_uses_a_saved_assignment_whatever_the_case_of_the_header(clerk):
    source = mappings.source_of("devices")()
    mappings.save_mapping(source, HEADER, FIELDS, name="Liste", by=clerk)
    run = take_in("devices", table([name.upper() for name in HEADER], [
        {name.upper(): cell for name, cell in row.items()} for row in ROWS]), school="120674")  # fmt: skip

    assert (run.state, run.options["mapping_name"], run.counts["new"]) == (ImportState.APPLIED, "Liste", 2)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"column_0": "-"}, "Bitte wählen Sie die Spalte der Seriennummern oder die der Inventarnummern."),
        ({"column_2": "model"}, "„Modell“ ist für zwei Spalten gewählt."),
        ({"name": "Vergeben"}, "Eine Zuordnung mit diesem Namen gibt es schon."),
        ({"column_2": "private"}, "steht nicht (mehr) zur Auswahl"),
    ],
)
def test_what_cannot_be_read_so_is_said_and_nothing_is_saved(client, clerk, changed, sentence):
    source = mappings.source_of("devices")()
    mappings.save_mapping(source, ["Seriennummer"], ["serial"], name="Vergeben", by=clerk)
    run, address = upload(client)

    assert sentence in client.post(address, CHOSEN | changed).content.decode()
    run.refresh_from_db()
    assert (run.state, ImportMapping.objects.count()) == (ImportState.UNREADABLE, 1)


def test_secrets_and_people_can_never_be_assigned(client, clerk):
    """Neither by the page, nor by a saved assignment, nor by the import's options."""
    run, address = upload(client)
    client.post(address, CHOSEN | {"column_4": "note", "name": "Liste"})
    assert ImportMapping.objects.get().fields == FIELDS

    ImportMapping.objects.update(fields=["serial", "model", "room", "", "note"])
    run = check("devices", table(HEADER, ROWS), school="120674")
    assert [row.data.get("note") for row in run.rows.all()] == [None, None]
    run = check("devices", table(HEADER, ROWS), school="120674", mapping="serial,model,room,,note")
    assert [row.data.get("note") for row in run.rows.all()] == [None, None]
    closed = {name for name in JAMF_SCHOOL if is_personal(name)}
    assert {"ActivationLockBypassCode", "OwnerEmail", "OwnerLastName", "OwnerUsername", "CurrentIPAddress"} <= closed


def test_assignments_are_listed_renamed_and_deleted(client, clerk):
    source = mappings.source_of("devices")()
    mapping = mappings.save_mapping(source, HEADER, FIELDS, name="Liste", by=clerk)
    mappings.save_mapping(source, ["Seriennummer"], ["serial"], name="Andere", by=clerk)
    listed = client.get(reverse("admin:core_importmapping_changelist")).content.decode()
    assert "Ser.-Nr. laut Liste → Seriennummer, Gerät → Modell, Zimmer → Raum" in listed

    page = reverse("admin:core_importmapping_change", args=[mapping.pk])
    assert "gibt es schon" in client.post(page, {"name": "Andere"}).content.decode()
    client.post(page, {"name": " Liste  der Schulen "})
    mapping.refresh_from_db()
    assert (mapping.name, mapping.fields) == ("Liste der Schulen", FIELDS)
    client.post(reverse("admin:core_importmapping_delete", args=[mapping.pk]), {"post": "yes"})
    assert [row.name for row in ImportMapping.objects.all()] == ["Andere"]


def test_a_recognised_list_can_be_corrected_too(client, clerk):
    """A column that the format does not know goes to the room; what the format alone reads stays."""
    header = ("SerialNumber", "Model", "SchoolNumber", "LocationName", "DeviceUDID", "Region", "IsTrashed")
    rows = [{"SerialNumber": "D1", "Model": "iPad 10", "SchoolNumber": "120674", "Region": "R 9", "IsTrashed": "false"},
            {"SerialNumber": "D2", "Model": "iPad 10", "IsTrashed": "true"}]  # fmt: skip
    client.post(UPLOAD, {"file": SimpleUploadedFile("a.csv", table(header, rows)), "format": "", "school": ""})
    engine.run_due()
    run = ImportRun.objects.get()
    page = client.get(columns_page(run)).content.decode()
    assert "Jamf School" in page
    assert 'name="column_6"' not in page

    client.post(columns_page(run), {"column_0": "serial", "column_1": "model", "column_2": "school_number",
                                    "column_3": "-", "column_5": "room"})  # fmt: skip
    engine.run_due()
    run.refresh_from_db()
    assert (run.counts["new"], run.reasons) == (1, {"trashed": 1})
    assert [change[1] for change in (run.rows.get(line=2).changes[name] for name in ("serial", "room"))] == [
        "D1",
        "R 9",
    ]
    assert ImportMapping.objects.count() == 0


def test_the_page_leads_back_when_the_file_is_gone(client, clerk):
    run, address = upload(client)
    run.file.storage.delete(run.file.name)
    response = client.get(address, follow=True)

    assert "Die Datei ist nicht mehr" in response.content.decode()


def test_a_column_beyond_its_format_is_written_as_it_was_shown(client, clerk):
    """Jamf School knows no room: what is assigned by hand counts on writing, too."""
    header = ("SerialNumber", "Model", "SchoolNumber", "Region")
    rows = [{"SerialNumber": "C02X1", "Model": "iPad 10", "SchoolNumber": "120674", "Region": "R 12"}]
    file = SimpleUploadedFile("jamf.csv", table(header, rows))
    client.post(UPLOAD, {"file": file, "format": "", "school": ""})
    engine.run_due()
    run = ImportRun.objects.latest("pk")
    client.post(
        columns_page(run),
        {"column_0": "serial", "column_1": "model", "column_2": "school_number", "column_3": "room", "name": ""},
    )
    engine.run_due()
    run.refresh_from_db()
    assert run.state == ImportState.CHECKED, (run.state, run.error)

    engine.request_apply(run, by=clerk)
    engine.apply(run.pk)

    assert Device.objects.get(serial="C02X1").room == "R 12"
