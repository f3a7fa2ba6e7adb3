"""A list of devices through the administration: uploaded, shown, applied."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.core.imports import engine
from apps.core.models import ImportRun, ImportState
from apps.inventory.models import Device
from tests import factories
from tests.core.workbooks import book
from tests.inventory.lists import JAMF_SCHOOL, SECRET, table
from tests.schools.importing import check

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


def test_only_a_text_file_has_an_encoding(client):
    header, row = ("Seriennummer", "Hersteller", "Modell"), ("SN-1", "Apple", "iPad 10")
    client.force_login(factories.ClerkFactory())
    for content, told in ((table(header, [dict(zip(header, row, strict=True))]), True), (book(header, [row]), False)):
        run = check("devices", content)
        page = client.get(reverse("admin:core_importrun_change", args=[run.pk])).content.decode()
        assert ("<li>Zeichensatz: " in page) == told
