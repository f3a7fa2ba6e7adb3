"""Any plug may be pulled: nothing confirmed is lost or doubled, people get a German sentence, figures come right again.

Real processes on PostgreSQL and Redis. What is broken on purpose is the test's own, never what other tests use.
"""

import json
import os
import secrets
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from apps.accounts.choices import Role
from apps.accounts.models import User
from apps.core.imports import engine
from apps.core.models import ImportRow, ImportRun, ImportState, Job, JobState
from apps.inventory import services as inventory
from apps.quotas.models import QuotaFigure
from apps.quotas.services import recalculate_stale
from apps.schools.models import School
from apps.schools.services import ensure_school_types
from tests.factories import PASSWORD, ProductFactory, SchoolFactory, UserFactory
from tests.operations.commands import done
from tests.operations.servers import Browser, PrivatePostgres, PrivateRedis, WebServer, script
from tests.quotas.factories import count_pupils, make_plan
from tests.schools.files import school as school_row
from tests.schools.files import schuldaten
from tests.support.waiting import wait_until
from tests.support.workers import Worker

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
SWEEP = 4
TWO_SWEEPS = 2 * SWEEP + 2  # and what a sweep itself takes on a busy machine
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "5"))
STEPS = 16


@pytest.fixture(scope="session")
def static_files() -> None:
    """The pages of a real web server need them; `make run` collects them, too."""
    done("collectstatic", "--no-input", "--verbosity", "0")


@contextmanager
def held(table: str) -> Iterator[None]:
    """Nobody writes to the table meanwhile: who tries stops in the middle of the work."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            yield
            cursor.execute("ROLLBACK")
    finally:
        other.close()


def waits_for(table: str) -> bool:
    """Whether somebody stands before the held table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table])
        return bool(cursor.fetchone()[0])


def cut_off(table: str) -> None:
    """Ends the statement that the dead worker left waiting, as the server does once it misses its client."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table]
        )
    wait_until(lambda: not waits_for(table), what="the statement to end")


def sweeping(**more: Any) -> Worker:
    """A worker with beat, to be used by `with`."""
    return Worker(beat=True, recalc_seconds=SWEEP, **more)


# A worker killed in the middle


def test_a_worker_killed_in_mid_recalculation(start_worker: Callable[..., Worker]) -> None:
    kill_in_mid_recalculation(start_worker)


@pytest.mark.soak
def test_workers_killed_in_mid_recalculation_again_and_again(start_worker: Callable[..., Worker]) -> None:
    for _round in range(min(ROUNDS, 30)):
        kill_in_mid_recalculation(start_worker)
        Job.objects.all().delete()


def kill_in_mid_recalculation(start_worker: Callable[..., Worker]) -> None:
    if not School.objects.exists():
        make_plan()
    school, product = SchoolFactory(), ProductFactory()
    count_pupils(school, 100)
    recalculate_stale()
    Job.objects.all().delete()
    victim = start_worker()
    with held("quotas_quotafigure"):
        inventory.add_devices(product=product, quantity=3, by=UserFactory(), school=school)
        wait_until(lambda: waits_for("quotas_quotafigure"), what="the recalculation to write")
        victim.kill()
        cut_off("quotas_quotafigure")
    assert devices_on_file(school) == 0
    assert Job.objects.filter(state=JobState.RUNNING).count() == 1

    with sweeping():
        began = time.monotonic()
        wait_until(lambda: devices_on_file(school) == 3, seconds=TWO_SWEEPS, what="the figures to be right")
        assert time.monotonic() - began <= TWO_SWEEPS
        wait_until(
            lambda: Job.objects.filter(state=JobState.BROKEN_OFF).count() == 1,
            seconds=TWO_SWEEPS,
            what="the dead run to be known as broken off",
        )
    assert not Job.objects.filter(state=JobState.FAILED).exists()


def devices_on_file(school: School) -> int:
    newest = QuotaFigure.objects.filter(school=school, day=timezone.localdate()).first()  # noqa: TID251 - compared
    return newest.devices if newest else -1


@pytest.mark.parametrize("table", ["core_importrow", "schools_school"], ids=["checking", "writing"])
def test_a_worker_killed_in_mid_import(start_worker: Callable[..., Worker], table: str) -> None:
    """The check begins afresh and the write happens once; nobody has to ask again."""
    ensure_school_types()
    rows = [school_row(f"{150000 + number}", Kurzbezeichnung=f"Musterstadt, {number}") for number in range(700)]
    office = UserFactory(role=Role.OFFICE_CLERK)
    run = engine.create_run(
        "schuldaten",
        by=office,
        file_name="schulen.csv",
        upload=ContentFile(schuldaten(rows), name="schulen.csv"),
        options={"authority": "10315"},
    )
    if table == "schools_school":
        engine.check(run.pk)
        run.refresh_from_db()
        engine.request_apply(run, by=office)
    victim = start_worker()
    with held(table):
        nudge_imports()
        wait_until(lambda: waits_for(table), what="the import to write")
        victim.kill()
        cut_off(table)
    before = ImportRun.objects.get()
    assert (before.state, before.job.state) == (run_state(table), JobState.RUNNING)

    wanted = ImportState.APPLIED if table == "schools_school" else ImportState.CHECKED
    with sweeping():
        wait_until(
            lambda: ImportRun.objects.get().state == wanted, seconds=2 * TWO_SWEEPS, what="the import to be taken up"
        )
    assert (
        Counter(Job.objects.filter(kind__startswith="core.").values_list("state", flat=True))[JobState.BROKEN_OFF] == 1
    )
    assert ImportRow.objects.filter(run=run).count() == len(rows)
    written = len(rows) if table == "schools_school" else 0
    assert (School.objects.count(), School.history.count()) == (written, written)


def run_state(table: str) -> str:
    return ImportState.APPLYING if table == "schools_school" else ImportState.CHECKING


def nudge_imports() -> None:
    from apps.core.tasks import run_due_imports

    run_due_imports.delay()


# Redis gone and back


@contextmanager
def own_redis() -> Iterator[PrivateRedis]:
    folder = Path(tempfile.mkdtemp(prefix="mep-redis-", dir="/tmp"))
    try:
        with PrivateRedis(folder) as redis:
            yield redis
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def can_sign_in(role: Role, email: str) -> User:
    """A person whose password another process can check."""
    user = UserFactory(role=role, email=email)
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, secrets.token_hex(8), iterations=1000)
    User.objects.filter(pk=user.pk).update(password=user.password)
    return user


def test_redis_stopped_during_approvals_and_started_again(static_files: None, smtp_server: Any) -> None:
    """Approvals, pages and sign-in go on without it, and no mail is sent twice."""
    with own_redis() as redis:
        environment = {"REDIS_URL": redis.url, "EMAIL_URL": smtp_server.url}
        keys = prepared(20)
        can_sign_in(Role.OFFICE_CLERK, "office@stadt.example")
        worker, web = sweeping(environment=environment), WebServer(**environment)
        with worker, web, script("tests.operations.load", "work", *keys, **environment) as load:
            lines = read_until(load, 8)
            redis.stop()
            assert Browser(web).sign_in("office@stadt.example", PASSWORD).url.endswith("/"), "sign-in without Redis"
            wrong = Browser(web).sign_in("office@stadt.example", "wrong")
            assert (wrong.status, "account_login" in wrong.text or "/accounts/login/" in wrong.url) == (200, True)
            ready = json.loads(Browser(web).open("/health/ready").text)
            assert (ready["database"], ready["broker"]) == ("ok", "failing")
            lines += read_until(load, 16)
            redis.start()
            lines += rest_of(load)
            assert Browser(web).sign_in("office@stadt.example", PASSWORD).status == 200
            assert kinds(lines) == {"approved": 20, "added": 20}
            assert max(line["seconds"] for line in lines) < 3
            wait_until(figures_are_right, seconds=TWO_SWEEPS, what="the figures to be right")
            wait_until(lambda: len(smtp_server.messages) >= 20, seconds=3 * TWO_SWEEPS, what="the mails")
            time.sleep(SWEEP)
    assert len(smtp_server.messages) == 20
    assert json.loads(done("check_ledger", "--json"))["entries"] == 20


def prepared(number: int) -> list[str]:
    from tests.operations import load

    return [str(key) for key in load.prepare(number)]


def read_until(load: Any, number: int) -> list[dict[str, Any]]:
    """The next lines, so many."""
    return [json.loads(load.stdout.readline()) for _line in range(number)]


def rest_of(load: Any) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in load.stdout]
    assert load.wait(30) == 0
    return lines


def kinds(lines: list[dict[str, Any]]) -> dict[str, int]:
    return dict(Counter(line["what"] for line in lines))


def figures_are_right() -> bool:
    newest = QuotaFigure.objects.filter(day=timezone.localdate())  # noqa: TID251 - compared
    return sum(newest.values_list("devices", flat=True)) == 20 and not stale()


def stale() -> bool:
    from apps.quotas.selectors import figure_status

    return bool(figure_status().pending)


# PostgreSQL gone and back


def test_postgresql_crashes_under_load(static_files: None) -> None:
    crash_under_load(rounds=1)


@pytest.mark.soak
def test_postgresql_crashes_again_and_again(static_files: None) -> None:
    crash_under_load(rounds=min(ROUNDS, 20))


def crash_under_load(*, rounds: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="mep-crash-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        with PrivatePostgres(folder / "pg") as postgres, own_redis() as redis:
            environment = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
            done("migrate", **environment)
            number = STEPS * rounds
            with script("tests.operations.load", "prepare", str(number), **environment) as preparing:
                keys = [str(key) for key in rest_of(preparing)[-1]["applications"]]
            with sweeping(environment=environment), WebServer(**environment) as web:
                for place in range(rounds):
                    crash_once(postgres, web, keys[STEPS * place : STEPS * (place + 1)], environment)
                wait_until(lambda: nothing_stale(postgres, number), seconds=TWO_SWEEPS + 5, what="the figures")
            assert json.loads(done("check_ledger", "--json", **environment))["entries"] == number
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def crash_once(postgres: PrivatePostgres, web: WebServer, keys: list[str], environment: dict[str, str]) -> None:
    """Pulls the plug in the middle of the work and starts again; each step is there exactly once."""
    browser = Browser(web)
    with script("tests.operations.load", "work", *keys, **environment) as load:
        lines = read_until(load, STEPS)
        postgres.crash()
        page = browser.open("/accounts/login/?next=/applications/")
        sent = browser.sign_in("freigabe@stadt.example", PASSWORD)
        ready = json.loads(browser.open("/health/ready").text)
        postgres.start()
        lines += rest_of(load)
    assert (sent.status, sent.heading) == (503, "Das Portal erreicht seine Daten gerade nicht"), page.status
    assert (ready["database"], ready["worker"]) == ("failing", "unknown")
    assert {line["what"] for line in lines} <= {"approved", "added", "lost", "found"}
    wait_until(lambda: browser.sign_in("freigabe@stadt.example", PASSWORD).status == 200, seconds=15, what="the portal")
    with postgres.connect() as database:
        for key in keys:
            entries = database.execute(
                "SELECT count(*) FROM funding_ledgerentry entry JOIN funding_applicationline line"
                " ON line.id = entry.line_id WHERE line.application_id = %s",
                [key],
            ).fetchone()
            devices = database.execute(
                "SELECT count(*) FROM inventory_device WHERE tag = %s", [f"LAST-{key}"]
            ).fetchone()
            assert (entries, devices) == ((1,), (1,)), key


def nothing_stale(postgres: PrivatePostgres, devices: int) -> bool:
    """The newest figures count every device."""
    with postgres.connect() as database:
        found = database.execute(
            "SELECT coalesce(sum(devices), 0) FROM quotas_quotafigure WHERE day = current_date"
        ).fetchone()
    return found == (devices,)


# A full disk


@pytest.mark.parametrize("megabytes", [2, 4], ids=["kept in memory", "kept in a temporary file"])
def test_a_full_disk_refuses_an_upload_in_a_sentence(static_files: None, megabytes: int) -> None:
    """The web server may write files of a megabyte at most, as if the disk were full then."""
    ensure_school_types()
    can_sign_in(Role.ADMIN, "admin@stadt.example")
    page, before = "/admin/core/importrun/upload/schuldaten/", kept_files()
    rows = [school_row(f"{100000 + number}") for number in range(8000)]
    content = schuldaten(rows)[: megabytes * 1024 * 1024]
    with WebServer(most_bytes=1024 * 1024) as web:
        browser = Browser(web)
        browser.sign_in("admin@stadt.example", PASSWORD)
        browser.open(page)
        answer = browser.send(page, {"authority": "10315"}, file=("file", "schulen.csv", content))
        assert "kein Platz mehr" in answer.text or "kein Speicherplatz mehr" in answer.text, answer.text[:2000]
        assert answer.status in {200, 507}
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
