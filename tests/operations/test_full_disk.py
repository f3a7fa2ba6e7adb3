"""A full disk refuses an upload in a sentence, and nothing half-written stays."""

from pathlib import Path

import pytest
from django.conf import settings

from apps.accounts.choices import Role
from apps.core.models import ImportRun, ImportState
from apps.schools.services import ensure_school_types
from tests.factories import PASSWORD
from tests.operations.people import can_sign_in
from tests.operations.servers import (
    Browser,
    WebServer,
)
from tests.schools.files import school as school_row
from tests.schools.files import schuldaten

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("megabytes", "status", "sentence"),
    [(2, 200, "kein Platz mehr für diese Datei"), (4, 507, "Auf dem Server ist kein Speicherplatz mehr frei.")],
    ids=["kept in memory", "kept in a temporary file"],
)
def test_a_full_disk_refuses_an_upload_in_a_sentence(
    static_files: None, megabytes: int, status: int, sentence: str
) -> None:
    """The web server may write files of a megabyte at most, as if the disk were full then."""
    ensure_school_types()
    can_sign_in(Role.ADMIN, "admin@stadt.example")
    page, before = "/admin/core/importrun/upload/schuldaten/", kept_files()
    rows = [school_row(f"{100000 + number}") for number in range(20000)]
    content = schuldaten(rows)
    assert len(content) > megabytes * MEGABYTE
    with WebServer(most_bytes=MEGABYTE) as web:
        browser = Browser(web)
        browser.sign_in("admin@stadt.example", PASSWORD)
        browser.open(page)
        answer = browser.send(page, {"authority": "10315"}, file=("file", "a.csv", content[: megabytes * MEGABYTE]))
        assert (answer.status, sentence in answer.text) == (status, True), answer.text[:2000]
        assert browser.open("/").status == 200
        small = browser.send(page, {"authority": "10315"}, file=("file", "schulen.csv", schuldaten(rows[:5])))
        assert small.status == 200

    (run,) = ImportRun.objects.all()
    assert run.state == ImportState.CHECKING
    kept = kept_files() - before
    assert [path.name for path in kept] == [Path(run.file.name).name]
    assert Path(run.file.path).read_bytes() == schuldaten(rows[:5])


def kept_files() -> set[Path]:
    return {path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}
