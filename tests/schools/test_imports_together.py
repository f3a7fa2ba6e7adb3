"""Several at once: workers that apply, a real worker process, a school that changes under an import."""

import io
import threading
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from apps.core.imports import engine, staging
from apps.core.models import ImportRun, ImportState, JobState
from apps.schools.models import School, Site
from apps.schools.services import ensure_school_types, raise_inputs_version
from tests.factories import ClerkFactory
from tests.schools.files import REGION, school, schuldaten
from tests.support.waiting import wait_until
from tests.support.workers import Worker


def checked(content: bytes) -> ImportRun:
    run = engine.create_run("schuldaten", by=None, file_name="schuldaten.csv")
    return engine.check(run.pk, io.BytesIO(content))


def at_once(*works: Callable[[], object]) -> None:
    """Runs works in threads of their own, each with its own connection; raises what any of them raised."""
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not errors, errors


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_one_run_is_written_once_however_many_workers_try() -> None:
    ensure_school_types()
    run = checked(schuldaten(REGION))
    engine.request_apply(run, by=None)
    at_once(*[lambda: engine.apply(run.pk)] * 6)

    run.refresh_from_db()
    assert (run.state, run.job.state) == (ImportState.APPLIED, JobState.DONE)
    assert (School.objects.count(), School.history.count(), Site.objects.count()) == (4, 4, 4)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_two_runs_of_the_same_file_wait_for_each_other() -> None:
    ensure_school_types()
    content = schuldaten([school(f"{200000 + number}") for number in range(120)])
    runs = [checked(content) for _ in range(4)]
    for run in runs:
        engine.request_apply(run, by=None)
    at_once(*[lambda run=run: engine.apply(run.pk) for run in runs])  # type: ignore[misc]

    assert set(ImportRun.objects.values_list("state", "error")) == {(ImportState.APPLIED.value, "")}
    assert (School.objects.count(), School.history.count(), Site.objects.count()) == (120, 120, 120)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_an_import_and_other_writers_never_block_each_other_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both lock schools in primary-key order; the file has them the other way round, in several chunks."""
    for module in (engine, staging):
        monkeypatch.setattr(module, "CHUNK", 4)
    ensure_school_types()
    numbers = range(200000, 200040)
    run = checked(schuldaten([school(f"{number}") for number in numbers]))
    engine.request_apply(run, by=None)
    engine.apply(run.pk)
    ids = list(School.objects.order_by("pk").values_list("pk", flat=True))
    run = checked(schuldaten([school(f"{number}", Schulform="20") for number in reversed(numbers)]))
    engine.request_apply(run, by=None)

    def keep_raising() -> None:
        for _ in range(30):
            raise_inputs_version(ids)

    at_once(lambda: engine.apply(run.pk), *[keep_raising] * 3)

    run.refresh_from_db()
    assert run.state == ImportState.APPLIED
    assert set(School.objects.values_list("school_type", "inputs_version")) == {("20", 93)}


def test_a_real_worker_checks_and_applies(worker: Worker, client: Client) -> None:
    ensure_school_types()
    client.force_login(ClerkFactory())
    file = SimpleUploadedFile("schuldaten.csv", schuldaten(REGION))
    client.post("/admin/core/importrun/upload/schuldaten/", {"file": file, "municipality": "05915000"})
    run = ImportRun.objects.get()
    wait_until(lambda: ImportRun.objects.get().state == ImportState.CHECKED)
    client.post(f"/admin/core/importrun/{run.pk}/apply/")
    wait_until(lambda: ImportRun.objects.get().state == ImportState.APPLIED)

    assert list(School.objects.order_by("number").values_list("number", flat=True)) == ["100001", "100002", "100003"]
