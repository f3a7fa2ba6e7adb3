"""Hostile files as people send them: one sentence each, little memory, little time, and nothing is written."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from apps.accounts.choices import Role
from apps.core.imports import engine
from apps.core.models import ImportRow, ImportRun
from apps.inventory.models import Device
from apps.schools.models import School
from apps.schools.services import ensure_school_types
from tests.core.hostile_files import FILES
from tests.core.workbooks import MEGABYTE
from tests.factories import PASSWORD
from tests.inventory.lists import PLAIN, table
from tests.operations.people import can_sign_in
from tests.operations.servers import Answer, Browser, WebServer
from tests.schools.files import schuldaten
from tests.support.workers import process_environment

pytestmark = pytest.mark.django_db(transaction=True)
UPLOAD = "/admin/core/importrun/upload/{}/"
HEADS = {"devices": table(PLAIN, []).decode("utf-8-sig").encode(), "schuldaten": schuldaten([])}
NO_ROWS = "text-only-its-header"
TOO_LARGE = "text-over-the-limit"
MOST_MEGABYTES, MOST_SECONDS = 100, 20
NAMES = {
    "../../../etc/passwd.csv": "passwd.csv",
    "C:\\Listen\\a.csv": "a.csv",
    "<img src=x onerror=alert(1)>.csv": "<img src=x onerror=alert(1)>.csv",
    "Geräte 🎒 der Schule.csv": "Geräte 🎒 der Schule.csv",
    "ä" * 300 + ".csv": "ä" * 156 + ".csv",
    "a\x00b.csv": "ab.csv",
    "\u202efdp.csv": "fdp.csv",
    "{{ 7|add:7 }}%s.csv": "{{ 7|add:7 }}%s.csv",
}
"""What is sent as the file's name -> what is kept of it."""
COMMAND = """
import io, json, resource, sys
import django
django.setup()
from django.core.management import CommandError, call_command
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
at_rest, told = peak(), {}
for path in sys.argv[1:]:
    try:
        call_command("import_schools", path, "--source", "schuldaten", stdout=io.StringIO())
    except CommandError as error:
        told[path] = error.returncode, str(error)
print(json.dumps([told, peak() - at_rest]))
"""


@pytest.fixture
def office(static_files: None) -> None:
    ensure_school_types()
    can_sign_in(Role.OFFICE_CLERK, "amt@stadt.example")


def signed_in(web: WebServer) -> Browser:
    browser = Browser(web, seconds=60)
    browser.sign_in("amt@stadt.example", PASSWORD)
    browser.open(UPLOAD.format("devices"))
    return browser


def sent(browser: Browser, source: str, name: str, content: bytes) -> tuple[Answer, str]:
    """The answer, and the sentence that it has for the file."""
    began = time.monotonic()
    answer = browser.send(UPLOAD.format(source), {}, file=("file", name, content))
    assert time.monotonic() - began < MOST_SECONDS, name
    found = re.findall(r'<p class="kern-error">.*?</p>', answer.text, re.DOTALL)
    return answer, " ".join(re.sub(r"<[^>]+>", " ", " ".join(found)).split())


def test_hostile_lists_of_devices_are_refused_on_the_upload_page(office: None) -> None:
    """The web process reads the list at once, because cells with personal data are never kept."""
    files = {"empty": lambda _head: b"", **FILES}
    with WebServer() as web:
        browser = signed_in(web)
        at_rest = web.most_megabytes()
        for name, make in files.items():
            answer, sentence = sent(browser, "devices", f"{name}.xlsx", make(HEADS["devices"]))
            assert (answer.status, sentence[-1:]) == (200, "" if name == NO_ROWS else "."), name
        taken = web.most_megabytes() - at_rest

    engine.run_due()
    assert [(run.file_name, run.state) for run in ImportRun.objects.all()] == [(f"{NO_ROWS}.xlsx", "unreadable")]
    assert ImportRun.objects.get().error.startswith("Die Datei enthält unter der Kopfzeile keine Zeilen.")
    assert (ImportRow.objects.count(), Device.objects.count(), taken < MOST_MEGABYTES) == (0, 0, True), taken


def test_hostile_registers_of_schools_are_uploaded_and_named_by_the_worker(office: None) -> None:
    with WebServer() as web:
        browser = signed_in(web)
        at_rest = web.most_megabytes()
        for name, make in FILES.items():
            answer, sentence = sent(browser, "schuldaten", name, make(HEADS["schuldaten"]))
            assert (answer.status, sentence[-1:]) == (200, "." if name == TOO_LARGE else ""), name
        engine.run_due()
        for run in ImportRun.objects.all():
            text = browser.open(f"/admin/core/importrun/{run.pk}/change/").text
            assert (run.state, run.error[-1:], run.error in text) == ("unreadable", ".", True), run.file_name
        taken = web.most_megabytes() - at_rest

    assert ImportRun.objects.count() == len(FILES) - 1
    assert (ImportRow.objects.count(), School.objects.count(), taken < MOST_MEGABYTES) == (0, 0, True), taken


@pytest.mark.parametrize("source", ["devices", "schuldaten"])
def test_an_upload_far_beyond_the_limit_does_not_fill_the_memory(office: None, source: str) -> None:
    with WebServer() as web:
        browser = signed_in(web)
        at_rest = web.most_megabytes()
        answer, sentence = sent(browser, source, "a.csv", HEADS[source] + b"1;2;3\n" * (250 * MEGABYTE // 6))
        taken = web.most_megabytes() - at_rest

    assert (answer.status, sentence) == (200, "Die Datei ist größer als 20 MB. Bitte wählen Sie eine kleinere Datei.")
    assert (ImportRun.objects.count(), taken < 30) == (0, True), taken


def test_names_of_files_are_shown_and_lead_nowhere(office: None) -> None:
    """No path is taken from them, and no page runs them."""
    with WebServer() as web:
        browser = signed_in(web)
        for name, kept in NAMES.items():
            answer, sentence = sent(browser, "schuldaten", name, HEADS["schuldaten"])
            run = ImportRun.objects.order_by("-pk")[0]
            assert (answer.status, sentence, run.file_name) == (200, "", kept)
            folder = Path(run.file.path).resolve().parent
            assert folder.is_relative_to(Path(settings.MEDIA_ROOT).resolve())
            assert re.fullmatch(r"schuldaten\w*\.csv", Path(run.file.path).name)
            assert "<img src=x" not in browser.open("/admin/core/importrun/").text + answer.text


def test_hostile_files_end_the_command_with_2_and_one_sentence(tmp_path: Path) -> None:
    ensure_school_types()
    for name, make in {"empty": lambda _head: b"", **FILES}.items():
        (tmp_path / name).write_bytes(make(HEADS["schuldaten"]))
    paths = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *paths], cwd=settings.BASE_DIR, env=process_environment(), timeout=180,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told, taken = json.loads(done.stdout)

    assert {path: (code, text[-1:]) for path, (code, text) in told.items()} == dict.fromkeys(paths, (2, "."))
    assert (ImportRun.objects.count(), ImportRow.objects.count(), School.objects.count()) == (0, 0, 0)
    assert taken < MOST_MEGABYTES, taken
