"""A list of devices through the administration: uploaded, shown, applied."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.core.clock import today
from apps.core.imports import engine
from apps.core.models import ImportRun, ImportState
from apps.inventory.models import Device, Placement
from apps.schools.models import School
from tests import factories
from tests.core.workbooks import book
from tests.inventory.lists import JAMF_SCHOOL, SECRET, table
from tests.inventory.test_services import DAY

pytestmark = pytest.mark.django_db
UPLOAD = "/admin/core/importrun/upload/devices/"


@pytest.fixture(autouse=True)
def on_file(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path
    factories.SchoolFactory(number="120674", short_name="GS Overberg")
    factories.ProductFactory(manufacturer="Apple", model="iPad 10")


def test_a_list_is_uploaded_shown_with_its_format_and_applied(client):
    clerk = factories.ClerkFactory()
    client.force_login(clerk)
    row = {"SerialNumber": "DMPX1", "Model": "iPad 10", "IsTrashed": "false", "AssetTag": "", "SchoolNumber": "",
           "LocationName": ""}  # fmt: skip
    file = SimpleUploadedFile("jamf.csv", table(JAMF_SCHOOL, [row], rest=SECRET))
    assert 'value="jamf-school"' in client.get(UPLOAD).content.decode()
    response = client.post(UPLOAD, {"file": file, "format": "", "school": "120674"})
    run = ImportRun.objects.get()
    assert response["Location"] == reverse("admin:core_importrun_change", args=[run.pk])
    engine.run_due()

    page = client.get(response["Location"]).content.decode()
    for told in ("Jamf School</li>", "Schule 120674</li>", "Ungelesen weggelassen: 14 Spalten"):
        assert f"<li>{told}" in page
    assert "120674 GS Overberg" in page
    assert SECRET not in page
    client.post(reverse("admin:core_importrun_apply", args=[run.pk]))
    engine.run_due()
    run.refresh_from_db()
    assert (run.state, run.file.name, run.applied_by) == (ImportState.APPLIED, "", clerk)
    assert Device.objects.get().history.get().history_user == clerk


def test_the_page_says_from_which_day_a_move_holds_and_that_without_one_it_is_that_of_the_import(client):
    client.force_login(factories.ClerkFactory())
    old, new = factories.SchoolFactory(), School.objects.get(number="120674")
    for tag in ("T-1", "T-2", "T-3"):
        factories.DeviceFactory(tag=tag, school=old, since=today() - 9 * DAY)
    day, header = today() - 3 * DAY, ("Inventarnummer", "Schulnummer", "Steht dort seit", "Notiz")
    rows = [("T-1", new.number, f"{day:%d.%m.%Y}", ""), ("T-2", new.number, "", ""), ("T-3", "", "", "neu")]
    file = SimpleUploadedFile("liste.csv", "\n".join(";".join(row) for row in (header, *rows)).encode())
    run_page = client.post(UPLOAD, {"file": file, "format": "", "school": ""})["Location"]
    engine.run_due()

    page = client.get(run_page).content.decode()
    told = re.findall("<dt>Ab diesem Tag</dt>.*?<ins><span.*?</span>(.*?)</ins>", page, re.DOTALL)
    assert told == [f"{day:%d.%m.%Y}", "Tag, an dem der Import übernommen wird"]
    client.post(f"{run_page.rpartition('change')[0]}apply/")
    engine.run_due()
    moved = Placement.objects.filter(school=new).order_by("since").values_list("device__tag", "since")
    assert list(moved) == [("T-1", day), ("T-2", today())]


def test_an_unreadable_list_is_refused_in_the_form(client):
    client.force_login(factories.ClerkFactory())
    page = client.post(UPLOAD, {"file": SimpleUploadedFile("a.csv", b"PK\x03\x04abc")}).content.decode()

    assert "Die Excel-Datei ist beschädigt" in page
    assert ImportRun.objects.count() == 0


@pytest.mark.parametrize(
    ("role", "status"),
    [("coordinator", 302), ("it_support", 302), ("head", 302), ("school_staff", 302), ("auditor", 403), ("admin", 403)],
)
def test_others_take_in_no_devices(client, role, status):
    """Who has no administration is sent to its sign-in."""
    client.force_login(factories.UserFactory(role=role))
    assert client.get(UPLOAD).status_code == status


HEADER, ROW = ("Seriennummer", "Hersteller", "Modell", "Notiz"), ("SN-1", "Apple", "iPad 10", "für Öffentlichkeit")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("\n".join(";".join(cells) for cells in (HEADER, ROW)).encode("cp1252"), ["Windows-1252"]),
        (";".join(HEADER).encode() + b"\n" + ";".join(ROW).encode(), ["UTF-8"]),
        ("\n".join(";".join(cells) for cells in (HEADER, ROW)).encode("utf-8-sig"), ["UTF-8"]),
        (book(HEADER, [ROW]), []),
    ],
    ids=["cp1252", "utf-8", "utf-8-sig", "workbook"],
)
def test_the_encoding_is_that_of_what_was_uploaded_and_a_workbook_has_none(client, content, told):
    client.force_login(factories.ClerkFactory())
    response = client.post(UPLOAD, {"file": SimpleUploadedFile("liste", content), "format": "", "school": ""})
    engine.run_due()
    page = client.get(response["Location"]).content.decode()
    assert "Geprüft, noch nicht übernommen" in page
    assert re.findall("<li>Zeichensatz: (.+?)</li>", page) == told
