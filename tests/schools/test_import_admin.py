"""The import in the admin: upload, preview, apply or discard."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from apps.accounts.choices import Role
from apps.core import jobs
from apps.core.imports import engine
from apps.core.models import ImportRun, ImportState, Job
from apps.schools.models import School
from apps.schools.services import ensure_school_types
from tests.factories import AdminFactory, AuditorFactory, ClerkFactory, SchoolFactory, UserFactory
from tests.schools.files import REGION, counts, school, schuldaten

pytestmark = pytest.mark.django_db
UPLOAD = "/admin/core/importrun/upload/schuldaten/"


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    ensure_school_types()


@pytest.fixture
def clerk(client: Client) -> Any:
    user = ClerkFactory()
    client.force_login(user)
    return user


def lose_worker(run: ImportRun) -> None:
    """A worker has begun and fell silent long ago."""
    assert engine.jobs.begin_job(run.job)
    long_ago = engine.clock.now() - 2 * engine.jobs.patience()
    Job.objects.filter(pk=run.job.pk).update(started_at=long_ago, beat_at=long_ago)


def upload(client: Client, content: bytes, **options: str) -> HttpResponse:
    file = SimpleUploadedFile("schuldaten.csv", content, content_type="text/csv")
    return client.post(UPLOAD, {"file": file, **options})  # type: ignore[return-value]


def address(run: ImportRun, step: str = "change") -> str:
    return reverse(f"admin:core_importrun_{step}", args=[run.pk])


def shown(client: Client, run: ImportRun, query: str = "") -> list[int]:
    preview = client.get(address(run) + query).context["preview"]
    return [line["row"].line for line in preview.lines()]


def test_an_import_that_is_being_applied_says_how_far_it_is(client: Client, clerk: Any) -> None:
    upload(client, schuldaten(REGION), municipality="05915000")
    engine.run_due()
    run = ImportRun.objects.get()
    written = run.counts["new"]
    client.post(address(run, "apply"))
    Job.objects.filter(pk=ImportRun.objects.get().job_id).update(
        state="running", started_at=engine.clock.now(), beat_at=engine.clock.now(), done=1, total=written
    )

    page, part = client.get(address(run)).content.decode(), client.get(address(run, "progress")).content.decode()

    assert 'role="status"' in page
    for text in (page, part):
        assert f'<progress value="1" max="{written}"' in text
        assert f"1 von {written} erledigt" in text
    Job.objects.update(state="queued", done=0, total=0)
    run = engine.apply(run.pk)
    assert (run.state, run.job.total) == (ImportState.APPLIED, written)


def test_from_upload_to_applied(client: Client, clerk: Any) -> None:
    assert UPLOAD in client.get("/admin/schools/school/").content.decode()
    assert 'value="10315"' in client.get(UPLOAD).content.decode()
    answer = upload(client, schuldaten(REGION), municipality="05915000")
    run = ImportRun.objects.get()
    assert answer.headers["Location"] == address(run)
    assert (run.state, run.created_by, run.options) == (ImportState.CHECKING, clerk, {"municipality": "05915000"})
    assert "Die Datei wird geprüft." in client.get(address(run)).content.decode()
    assert "HX-Refresh" not in client.get(address(run, "progress")).headers

    engine.run_due()
    text = client.get(address(run)).content.decode()
    assert client.get(address(run, "progress")).headers["HX-Refresh"] == "true"
    for words in ("Geprüft, noch nicht übernommen", "nur Gemeinde 05915000", "Birkenweg 1", "02 Grundschule",
                  "10315 Stadt Hamm", "liegt in einer anderen Gemeinde"):  # fmt: skip
        assert words in text
    assert School.objects.count() == 0

    assert client.post(address(run, "apply")).headers["Location"] == address(run)
    engine.run_due()
    run.refresh_from_db()
    assert (run.state, run.applied_by, run.file.name, School.objects.count()) == (ImportState.APPLIED, clerk, "", 3)
    client.post(address(run, "apply"))
    assert "Dieser Import ist schon übernommen." in client.get(address(run)).content.decode()


def test_differences_are_shown_with_old_and_new_value(client: Client, clerk: Any) -> None:
    upload(client, schuldaten([school()]))
    engine.run_due()
    client.post(address(ImportRun.objects.get(), "apply"))
    engine.run_due()
    upload(client, schuldaten([school(Schulform="20", Rechtsform="2", Strasse="Ulmenweg 2")]))
    engine.run_due()
    preview = client.get(address(ImportRun.objects.first())).context["preview"]

    assert preview.lines()[0]["changes"] == [
        ("Schulform", "02 Grundschule", "20 Gymnasium"),
        ("Rechtsform", "öffentlich", "privat"),
        ("Straße und Hausnummer", "Birkenweg 1", "Ulmenweg 2"),
    ]


def test_faulty_rows_stand_first_and_block(client: Client, clerk: Any) -> None:
    upload(client, schuldaten([school("100001"), school("100002", Kurzbezeichnung="Eiche"), school("1"), *REGION[4:6]]))
    engine.run_due()
    run = ImportRun.objects.get()
    text = client.get(address(run)).content.decode()

    assert shown(client, run) == [5, 3, 4, 6, 7]
    assert shown(client, run, "?action=wrong") == [5]
    assert shown(client, run, "?action=left_out&reason=no_school") == [6, 7]
    assert shown(client, run, "?q=eiche") == shown(client, run, "?q=100002") == [4]
    assert shown(client, run, "?action=nonsense&page=99") == [5, 3, 4, 6, 7]
    assert "Schulnummer: „1“ ist keine Schulnummer: Sie hat sechs Ziffern." in text
    assert "Import übernehmen" not in text
    client.post(address(run, "apply"))
    assert ImportRun.objects.get().state == ImportState.CHECKED


def test_long_files_are_paged(client: Client, clerk: Any) -> None:
    upload(client, schuldaten([school(f"{200000 + n}") for n in range(60)]))
    engine.run_due()
    run = ImportRun.objects.get()

    assert shown(client, run) == list(range(3, 53))
    assert shown(client, run, "?page=2") == list(range(53, 63))
    assert "?action=new&amp;page=2" in client.get(address(run) + "?action=new").content.decode()


@pytest.mark.parametrize("rows", [3, 45])
def test_preview_asks_the_same_however_many_rows(
    client: Client, clerk: Any, rows: int, django_assert_num_queries: Any
) -> None:
    upload(client, schuldaten([school(f"{200000 + n}") for n in range(rows)]))
    engine.run_due()
    run = ImportRun.objects.get()
    client.get(address(run))
    with django_assert_num_queries(8):
        client.get(address(run))


def test_discarding_and_checking_again(client: Client, clerk: Any) -> None:
    upload(client, schuldaten([school()]))
    engine.run_due()
    run = ImportRun.objects.get()
    client.post(address(run, "check"))
    assert ImportRun.objects.get().state == ImportState.CHECKING
    engine.run_due()
    assert (ImportRun.objects.get().state, run.rows.count()) == (ImportState.CHECKED, 1)
    client.post(address(run, "discard"))
    run.refresh_from_db()
    assert (run.state, run.rows.count(), run.file.name) == (ImportState.DISCARDED, 0, "")
    assert run.file_name in client.get("/admin/core/importrun/").content.decode()


def test_a_check_whose_worker_died_is_taken_up_by_the_sweep(client: Client, clerk: Any) -> None:
    upload(client, schuldaten([school()]))
    run = ImportRun.objects.get()
    lose_worker(run)
    engine.run_due()
    first, second = Job.objects.order_by("pk")
    assert (ImportRun.objects.get().state, first.state, second.state) == ("checked", "broken_off", "done")


def test_a_check_whose_worker_is_alive_is_left_alone(client: Client, clerk: Any) -> None:
    """However long it takes: a second worker that sweeps meanwhile begins nothing."""
    upload(client, schuldaten([school()]))
    (job,) = Job.objects.all()
    assert jobs.begin_job(job)

    assert engine.run_due() == 0

    assert (ImportRun.objects.get().state, Job.objects.get().state) == ("checking", "running")


def test_a_file_that_ends_its_worker_each_time_is_given_up_and_can_be_checked_again(client: Client, clerk: Any) -> None:
    upload(client, schuldaten([school()]))
    run = ImportRun.objects.get()
    for _attempt in range(engine.ATTEMPTS):
        lose_worker(run)
        engine._take_up_interrupted()
        run.refresh_from_db()
    assert "Die Arbeit wurde unterbrochen." in client.get(address(run)).content.decode()
    client.post(address(run, "check"))
    engine.run_due()
    assert ImportRun.objects.get().state == ImportState.CHECKED


def test_what_the_form_refuses(client: Client, clerk: Any) -> None:
    assert "Bitte wählen Sie eine Datei." in client.post(UPLOAD, {}).content.decode()
    both = upload(client, schuldaten([school()]), authority="10315", municipality="05915000")
    assert "Bitte füllen Sie entweder den Schulträger oder die Gemeinde aus." in both.content.decode()
    assert "Ein Schulträger hat eine Nummer wie 10315." in upload(client, b"x", authority="a").content.decode()
    assert ImportRun.objects.count() == 0


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"\x00\x01\x02", b"a;b;c\n1;2;3\n", b"PK\x03\x04"])
def test_no_table_no_crash(client: Client, clerk: Any, content: bytes) -> None:
    upload(client, content)
    engine.run_due()
    run = ImportRun.objects.get()

    assert run.state == ImportState.UNREADABLE
    text = client.get(address(run)).content.decode()
    assert run.error in text
    assert "Import übernehmen" not in text


@pytest.mark.parametrize("role", [Role.SCHOOL_STAFF, Role.COORDINATOR, Role.HEAD, Role.IT_SUPPORT])
def test_others_have_no_business_here(client: Client, role: Role) -> None:
    run = engine.create_run("schuldaten", by=None, file_name="a.csv")
    client.force_login(UserFactory(role=role))

    for url in (UPLOAD, address(run), address(run, "apply"), "/admin/core/importrun/"):
        answer = client.get(url)
        assert answer.status_code in {302, 403}, url
        assert "/login/" in answer.headers.get("Location", "/login/")


def test_the_auditor_reads_and_changes_nothing(client: Client) -> None:
    run = engine.create_run("schuldaten", by=AdminFactory(), file_name="a.csv")
    client.force_login(AuditorFactory())

    assert client.get(address(run)).status_code == 200
    assert UPLOAD not in client.get("/admin/schools/school/").content.decode()
    assert [client.get(UPLOAD).status_code] + [
        client.post(address(run, step)).status_code for step in ("apply", "check", "discard")
    ] == [403] * 4


def test_unknown_source_and_run_are_404(client: Client, clerk: Any) -> None:
    assert client.get("/admin/core/importrun/upload/nonsense/").status_code == 404
    assert client.get("/admin/core/importrun/999/change/").status_code == 404
    assert client.post("/admin/core/importrun/999/apply/").status_code == 404


def test_a_second_click_says_that_the_import_is_under_way(client: Client, clerk: Any) -> None:
    upload(client, schuldaten([school()]))
    engine.run_due()
    run = ImportRun.objects.get()
    client.post(address(run, "apply"))

    again = client.post(address(run, "apply"), follow=True).content.decode()

    assert "Dieser Import wird schon übernommen." in again


def test_opening_the_address_of_a_step_does_nothing(client: Client, clerk: Any) -> None:
    upload(client, schuldaten([school()]))
    engine.run_due()
    run = ImportRun.objects.get()
    assert client.get(address(run, "apply")).headers["Location"] == address(run)
    assert ImportRun.objects.get().state == ImportState.CHECKED


def test_counts_need_their_year_and_missing_schools_are_listed(client: Client, clerk: Any) -> None:
    for number, name in (("100001", "GG Birken"), ("100002", "GY Eiche")):
        SchoolFactory(number=number, short_name=name)
    address_of = "/admin/core/importrun/upload/counts/"
    assert address_of in client.get("/admin/schools/school/").content.decode()

    def send(**options: str) -> HttpResponse:
        file = SimpleUploadedFile("anzahlen.csv", counts([("100001", "1234")]), content_type="text/csv")
        return client.post(address_of, {"file": file, **options})  # type: ignore[return-value]

    assert ImportRun.objects.count() == 0
    assert "Bitte geben Sie ein Schuljahr wie 2024/25 ein." in send(school_year="2025").content.decode()
    outside = send(school_year="2025/26", counted_on="01.10.2024").content.decode()
    assert "Der Zähltag liegt außerhalb des Schuljahrs 2025/26." in outside
    assert "Der Zähltag 15.10.2095 liegt in der Zukunft." in send(school_year="2095/96").content.decode()
    send(school_year="2025/26", counted_on="01.11.2025", authority="10315")
    engine.run_due()
    run = ImportRun.objects.get()
    assert run.options == {"school_year": "2025/26", "counted_on": "2025-11-01", "authority": "10315"}
    text = client.get(address(run)).content.decode()
    for words in ("nur Schulträger 10315", "Schuljahr 2025/26", "gezählt am 01.11.2025", "1.234",
                  "Vorhanden, aber nicht in dieser Datei"):  # fmt: skip
        assert words in text
    missing = client.get(address(run) + "?action=missing").context["preview"].lines()
    assert [(line["row"].key, line["row"].label) for line in missing] == [("100002", "GY Eiche")]


def test_a_changed_row_says_in_a_word_what_changed(client: Client, clerk: Any) -> None:
    upload(client, schuldaten([school()]))
    engine.run_due()
    client.post(address(ImportRun.objects.get(), "apply"))
    engine.run_due()
    upload(client, schuldaten([school(Kurzbezeichnung="Musterstadt, GG Ulme", Strasse="Ulmenweg 2", Schulform="20")]))
    engine.run_due()

    preview = client.get(address(ImportRun.objects.first())).context["preview"]
    assert preview.lines()[0]["kinds"] == "umbenannt, neue Anschrift oder Lage, andere Schulform oder anderer Träger"
