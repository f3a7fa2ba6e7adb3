"""Files of devices: what is taken, who fetches it and how, and what stays of one that was removed."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.device_history import device_history
from apps.inventory.models import Attachment
from apps.inventory.services.attachments import MOST_BYTES, MOST_FILES
from tests import factories

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Page >>\nendobj\n%%EOF\n"
PACKED = b"%PDF-1.7\n1 0 obj\n<</Type/ObjStm/N 3/Filter/FlateDecode>>\nendobj\n%%EOF\n"
WITHOUT_PAGE = (
    b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    b"2 0 obj\n<</Type /Pages/Kids[]/Count 0>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20) + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe1" + bytes(20)
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def school():
    return factories.SchoolFactory()


@pytest.fixture
def device(school):
    return factories.DeviceFactory(school=school)


def sent(name, content, content_type="application/pdf"):
    return SimpleUploadedFile(name, content, content_type=content_type)


def kept(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("name", "content", "stored", "content_type"),
    [
        ("Rechnung.pdf", PDF, "Rechnung.pdf", "application/pdf"),
        ("Gepackt.pdf", PACKED, "Gepackt.pdf", "application/pdf"),
        ("Foto.JPG", JPEG, "Foto.jpg", "image/jpeg"),
        ("foto.jpeg", JPEG + b"MotionPhoto" + bytes(90), "foto.jpeg", "image/jpeg"),
        ("bild.png", PNG, "bild.png", "image/png"),
        ("anzeige.html", PDF, "anzeige.html.pdf", "application/pdf"),
        ("foto", JPEG, "foto.jpg", "image/jpeg"),
        ("../../etc/passwd", PNG, "passwd.png", "image/png"),
        ("C:\\Bilder\\riss\x00\n.png", PNG, "riss.png", "image/png"),
        ("x" * 300 + ".pdf", PDF, "x" * 116 + ".pdf", "application/pdf"),
        ("Schäden „groß“.pdf", PDF, "Schäden „groß“.pdf", "application/pdf"),
    ],
)
def test_a_file_is_what_its_bytes_say(device, name, content, stored, content_type):
    file = sent("x", content, "text/html")
    file._name = name
    row = services.add_attachment(device=device, file=file, by=factories.ClerkFactory(), description=" Riss  oben ")

    assert (row.name, row.content_type, row.size, row.description) == (stored, content_type, len(content), "Riss oben")
    assert row.file.read() == content


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("rechnung.pdf", HTML, "nichts davon: PDF, JPEG, PNG"),
        ("bild.png", SVG, "nichts davon"),
        ("bild.svg", SVG, "nichts davon"),
        ("programm.pdf", b"MZ\x90\x00" + bytes(60), "nichts davon"),
        ("archiv.pdf", b"PK\x03\x04" + bytes(60), "nichts davon"),
        ("bild.gif", b"GIF89a/*" + bytes(20) + b"*/=alert(1)", "nichts davon"),
        ("vorne.pdf", HTML + PDF, "nichts davon"),
        ("hinten.pdf", PDF + HTML * 60, "abgeschnitten, oder es wurde etwas angehängt"),
        ("hinten.png", PNG + b"PK\x03\x04" + bytes(2000), "abgeschnitten, oder es wurde etwas angehängt"),
        ("halb.pdf", PDF[:-7], "abgeschnitten"),
        ("leer.pdf", b"", "Die Datei ist leer"),
        ("ohne.pdf", WITHOUT_PAGE, "Die Datei hat keine Seite"),
        ("gross.pdf", PDF[:-6] + bytes(MOST_BYTES) + PDF[-6:], "größer als 10 MB"),
    ],
)
def test_what_is_refused_says_why_and_leaves_nothing(client, device, folder, name, content, sentence):
    client.force_login(factories.ClerkFactory())

    response = client.post(reverse("inventory:attach", args=[device.tag]), {"file": sent(name, content)})

    assert sentence in response.context["form"].errors["file"][0]
    assert (Attachment.objects.count(), kept(folder)) == (0, [])


def test_fifty_megabytes_are_refused_without_being_read(client, device, folder):
    client.force_login(factories.ClerkFactory())
    content = PDF[:-6] + bytes(50 * 1024 * 1024) + PDF[-6:]

    response = client.post(reverse("inventory:attach", args=[device.tag]), {"file": sent("film.pdf", content)})

    assert "größer als 10 MB" in response.context["form"].errors["file"][0]
    assert kept(folder) == []


def test_no_file_at_all_is_asked_for(client, device):
    client.force_login(factories.ClerkFactory())
    form = client.post(reverse("inventory:attach", args=[device.tag]), {"description": "Riss"}).context["form"]
    assert form.errors["file"] == ["Bitte wählen Sie eine Datei."]
    assert form["description"].value() == "Riss"


def test_a_device_has_a_limit_of_files(device, folder):
    clerk = factories.ClerkFactory()
    for _ in range(MOST_FILES):
        services.add_attachment(device=device, file=sent("a.pdf", PDF), by=clerk)
    with pytest.raises(DomainError, match="schon 20 Dateien"):
        services.add_attachment(device=device, file=sent("a.pdf", PDF), by=clerk)
    assert len(kept(folder)) == MOST_FILES


def test_a_file_is_added_shown_fetched_and_removed(client, school, device, folder, django_capture_on_commit_callbacks):
    coordinator = factories.CoordinatorFactory(schools=[school], name="Kim Beispiel")
    client.force_login(coordinator)
    client.post(
        reverse("inventory:attach", args=[device.tag]),
        {"file": sent("Anzeige.pdf", PDF), "description": "Anzeige bei der Polizei"},
    )
    row = Attachment.objects.get()
    page = client.get(device.get_absolute_url()).content.decode()
    assert "Anzeige.pdf" in page
    assert "Anzeige bei der Polizei" in page

    answer = client.get(reverse("inventory:attachment", args=[device.tag, row.pk]))
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="Anzeige.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cache-Control"] == "private, no-store"

    removal = reverse("inventory:remove_attachment", args=[device.tag, row.pk])
    assert "Soll „Anzeige.pdf“ entfernt werden?" in client.get(removal).content.decode()
    assert Attachment.objects.count() == 1
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(removal).url == device.get_absolute_url()
    assert (Attachment.objects.count(), kept(folder)) == (0, [])
    entries = device_history(device, coordinator)
    assert [(entry.said, entry.by) for entry in entries[:2]] == [
        ("Datei „Anzeige.pdf“ entfernt", coordinator), ("Datei „Anzeige.pdf“ hinzugefügt", coordinator),
    ]  # fmt: skip
    assert client.post(removal).status_code == 404


def test_a_school_removes_what_its_people_added_and_the_office_removes_any(client, school, device):
    other = factories.SchoolFactory()
    kim, former = factories.CoordinatorFactory(schools=[school]), factories.CoordinatorFactory(schools=[other])
    device_of_both = factories.DeviceFactory(school=other)
    clerk = factories.ClerkFactory()
    ours = services.add_attachment(device=device, file=sent("schule.pdf", PDF), by=kim)
    office = services.add_attachment(device=device, file=sent("amt.pdf", PDF), by=clerk)
    before = services.add_attachment(device=device_of_both, file=sent("vorher.pdf", PDF), by=former)
    Attachment.objects.filter(pk=before.pk).update(device=device)
    before.refresh_from_db()
    colleague = factories.CoordinatorFactory(schools=[school])
    client.force_login(colleague)
    page = client.get(device.get_absolute_url()).content.decode()
    addresses = {
        row: reverse("inventory:remove_attachment", args=[device.tag, row.pk]) for row in (ours, office, before)
    }

    assert [address in page for address in addresses.values()] == [True, False, False]
    for row in (office, before):
        with pytest.raises(DomainError, match="niemand Ihrer Schulen"):
            services.remove_attachment(attachment=row, by=colleague)
        assert "niemand Ihrer Schulen" in client.get(addresses[row], follow=True).content.decode()
    services.remove_attachment(attachment=ours, by=colleague)
    for row in (office, before):
        services.remove_attachment(attachment=row, by=factories.ClerkFactory())
    assert Attachment.objects.count() == 0


def test_who_only_reads_fetches_and_changes_nothing(client, device):
    row = services.add_attachment(device=device, file=sent("a.pdf", PDF), by=factories.ClerkFactory())
    client.force_login(factories.AuditorFactory())
    removal = reverse("inventory:remove_attachment", args=[device.tag, row.pk])

    assert client.get(reverse("inventory:attachment", args=[device.tag, row.pk])).status_code == 200
    assert removal not in client.get(device.get_absolute_url()).content.decode()
    assert (client.get(removal).status_code, client.post(removal).status_code) == (403, 403)


def test_files_are_scoped_like_their_device_and_belong_to_it(client, school, device):
    foreign = factories.DeviceFactory(school=factories.SchoolFactory())
    row = services.add_attachment(device=foreign, file=sent("a.pdf", PDF), by=factories.ClerkFactory())
    client.force_login(factories.CoordinatorFactory(schools=[school]))

    for tag in (foreign.tag, device.tag):
        for name in ("attachment", "remove_attachment"):
            assert client.get(reverse(f"inventory:{name}", args=[tag, row.pk])).status_code == 404
        assert client.post(reverse("inventory:remove_attachment", args=[tag, row.pk])).status_code == 404
    assert Attachment.objects.count() == 1


def test_files_of_the_time_at_a_former_school_stay_with_it_and_the_office(client, school, device, folder):
    former, clerk = factories.CoordinatorFactory(schools=[school]), factories.ClerkFactory()
    old = services.add_attachment(device=device, file=sent("alt.pdf", PDF), by=former, description="Schaden Klasse 5a")
    following = factories.SchoolFactory()
    services.move_device(device=device, school=following, by=clerk)
    new = services.add_attachment(device=device, file=sent("neu.pdf", PDF), by=clerk)
    address = {row: reverse("inventory:attachment", args=[device.tag, row.pk]) for row in (old, new)}

    client.force_login(factories.CoordinatorFactory(schools=[following]))
    page = client.get(device.get_absolute_url())

    assert list(page.context["attachments"]) == [new]
    assert "alt.pdf" not in page.content.decode()
    assert "Datei „…“ hinzugefügt" in page.content.decode()
    assert "neu.pdf" in page.content.decode()
    assert [client.get(address[row]).status_code for row in (old, new)] == [404, 200]
    assert client.get(reverse("inventory:remove_attachment", args=[device.tag, old.pk])).status_code == 404
    for person in (clerk, factories.CoordinatorFactory(schools=[school, following])):
        client.force_login(person)
        assert list(client.get(device.get_absolute_url()).context["attachments"]) == [new, old]
        assert client.get(address[old]).status_code == 200
    services.report_lost(device=device, by=clerk)
    client.force_login(factories.CoordinatorFactory(schools=[following]))
    lost = services.add_attachment(device=device, file=sent("anzeige.pdf", PDF), by=clerk)
    assert list(client.get(device.get_absolute_url()).context["attachments"]) == [lost, new]


def test_a_file_that_is_gone_from_the_disk_is_said_to_be(client, device, folder):
    row = services.add_attachment(device=device, file=sent("a.pdf", PDF), by=factories.ClerkFactory())
    kept(folder)[0].unlink()
    client.force_login(factories.ClerkFactory())

    page = client.get(reverse("inventory:attachment", args=[device.tag, row.pk]), follow=True)

    assert "nicht mehr da" in page.content.decode()


def test_files_of_a_former_school_take_no_room_from_the_next_one(device):
    mine, before = factories.SchoolFactory(), device.school
    former, kim = factories.CoordinatorFactory(schools=[before]), factories.CoordinatorFactory(schools=[mine])
    for _number in range(MOST_FILES):
        services.add_attachment(device=device, file=sent("a.pdf", PDF), by=former)
    with pytest.raises(DomainError) as at_school:
        services.add_attachment(device=device, file=sent("a.pdf", PDF), by=former)
    with pytest.raises(DomainError) as before_it_moved:
        services.add_attachment(device=device, file=sent("a.pdf", PDF), by=factories.ClerkFactory())
    assert str(before_it_moved.value) == (
        "Das Gerät hat schon 20 Dateien; ab 20 kommt keine mehr hinzu. Bitte entfernen Sie eine, die nicht mehr"
        " gebraucht wird."
    )
    services.move_device(device=device, school=mine, by=factories.SupportFactory())

    row = services.add_attachment(device=device, file=sent("unsere.pdf", PDF), by=kim)

    assert list(device.attachments.visible_to(kim)) == [row]
    assert str(at_school.value) == (
        "Ihre Schule hat bei diesem Gerät schon 20 Dateien, mehr sind nicht möglich. Bitte entfernen Sie eine, die"
        " nicht mehr gebraucht wird, oder fragen Sie das Amt für schulische Bildung."
    )
    with pytest.raises(DomainError) as at_office:
        services.add_attachment(device=device, file=sent("a.pdf", PDF), by=factories.ClerkFactory())
    assert str(at_office.value) == (
        "Das Gerät hat schon 21 Dateien, die früherer Schulen mitgezählt; ab 20 kommt keine mehr hinzu. Bitte"
        " entfernen Sie eine, die nicht mehr gebraucht wird."
    )
