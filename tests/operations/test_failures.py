"""Any plug may be pulled: nothing confirmed is lost or doubled, people get a German sentence, figures come right again.

Real processes on PostgreSQL and Redis. What is broken on purpose is the test's own, never what other tests use.
"""

import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.choices import Role
from apps.core.imports import engine
from apps.core.imports.staging import CHUNK
from apps.core.models import ImportRow, ImportRun, ImportState, Job, JobState, RowAction
from apps.inventory import services as inventory
from apps.quotas.models import QuotaFigure
from apps.quotas.services import recalculate_stale
from apps.schools.models import School
from apps.schools.services import ensure_school_types
from tests.factories import PASSWORD, ProductFactory, SchoolAuthorityFactory, SchoolFactory, UserFactory
from tests.operations.commands import done
from tests.operations.people import can_sign_in, prepared, read_until, rest_of
from tests.operations.servers import (
    SWEEP,
    TWO_SWEEPS,
    Browser,
    PrivatePostgres,
    WebServer,
    own_postgres,
    own_redis,
    script,
    sweeping,
)
from tests.quotas.factories import count_pupils, make_plan
from tests.schools.files import school as school_row
from tests.schools.files import schuldaten
from tests.support.waiting import wait_until
from tests.support.workers import Beat, Worker

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "5"))
STEPS = 16


@contextmanager
def held(work: Callable[[], Any]) -> Iterator[None]:
    """Somebody else has done `work` in a transaction still open: who needs the same stops in the middle."""
    done_it, over = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                work()
                done_it.set()
                over.wait()
                transaction.set_rollback(True)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as somebody:
        holding = somebody.submit(hold)
        try:
            wait_until(lambda: done_it.is_set() or holding.done(), what="the others")
            yield
        finally:
            over.set()
        holding.result()


def lock(table: str) -> None:
    """Nobody else writes to the table."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")


WAITING = "SELECT %s FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"


def somebody_waits(table: str) -> bool:
    """Whether somebody stands before what is held, about to write to the table."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING.replace("%s", "query"))
        return any(re.search(rf'(INTO|COPY) "?{table}\b', row[0]) for row in cursor.fetchall())


def cut_off() -> None:
    """Ends the statement that the dead worker left waiting, as the server does once it misses its client."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING.replace("%s", "pg_terminate_backend(pid)"))

    def over() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(WAITING.replace("%s", "pid"))
            return not cursor.fetchall()

    wait_until(over, what="the statement to end")


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
    with held(lambda: lock("quotas_quotafigure")):
        inventory.add_devices(product=product, quantity=3, by=UserFactory(), school=school)
        wait_until(lambda: somebody_waits("quotas_quotafigure"), what="the recalculation to write")
        victim.kill()
        cut_off()
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


def test_a_process_of_the_pool_killed(start_worker: Callable[..., Worker]) -> None:
    """While it waits for work: another one takes its place and does what comes next."""
    make_plan()
    school, product = SchoolFactory(), ProductFactory()
    count_pupils(school, 100)
    recalculate_stale()
    worker = start_worker()
    for number in (1, 2):
        (victim,) = wait_until(worker.children, what="the pool")
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda victim=victim: worker.children() not in ([], [victim]), what="another process")
        inventory.add_devices(product=product, quantity=3, by=UserFactory(), school=school)
        wait_until(lambda number=number: devices_on_file(school) == 3 * number, what="the figures to be right")
    assert worker.process is not None
    assert worker.process.poll() is None


def test_a_process_of_the_pool_killed_in_mid_recalculation() -> None:
    """Its job breaks off, the worker goes on, and a sweep takes the work up again."""
    make_plan()
    school, product = SchoolFactory(), ProductFactory()
    count_pupils(school, 100)
    recalculate_stale()
    Job.objects.all().delete()
    with Worker(recalc_seconds=SWEEP) as worker, Beat(recalc_seconds=SWEEP):
        (victim,) = worker.children()
        with held(lambda: lock("quotas_quotafigure")):
            inventory.add_devices(product=product, quantity=3, by=UserFactory(), school=school)
            wait_until(lambda: somebody_waits("quotas_quotafigure"), what="the recalculation to write")
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: worker.children() not in ([], [victim]), what="another process")
            cut_off()
        wait_until(lambda: devices_on_file(school) == 3, seconds=TWO_SWEEPS, what="the figures to be right")
        assert worker.process is not None
        assert worker.process.poll() is None
    assert not Job.objects.filter(state=JobState.FAILED).exists()


def devices_on_file(school: School) -> int:
    newest = QuotaFigure.objects.filter(school=school, day=timezone.localdate()).first()  # noqa: TID251 - compared
    return newest.devices if newest else -1


ROWS, SECOND_CHUNK = CHUNK + 100, CHUNK + 50


@pytest.mark.parametrize("writing", [False, True], ids=["checking", "writing"])
def test_a_worker_killed_in_mid_import(start_worker: Callable[..., Worker], writing: bool) -> None:
    """In the second chunk. The check begins afresh and the write happens once; nobody has to ask again."""
    ensure_school_types()
    SchoolAuthorityFactory()  # else the import would stop before it, and not at its second chunk
    rows = [school_row(f"{150000 + number}", Kurzbezeichnung=f"Musterstadt, {number}") for number in range(ROWS)]
    office = UserFactory(role=Role.OFFICE_CLERK)
    run = engine.create_run(
        "schuldaten",
        by=office,
        file_name="schulen.csv",
        upload=ContentFile(schuldaten(rows), name="schulen.csv"),
        options={"authority": "10315"},
    )
    if writing:
        engine.check(run.pk)
        run.refresh_from_db()
        engine.request_apply(run, by=office)
    victim = start_worker()
    with held(lambda: taken_in_second_chunk(run, writing=writing)):
        nudge_imports()
        table = "schools_school" if writing else "core_importrow"
        wait_until(lambda: somebody_waits(table), what="the import to reach its second chunk")
        victim.kill()
        cut_off()
    before = ImportRun.objects.get()
    due = ImportState.APPLYING if writing else ImportState.CHECKING
    assert (before.state, before.job.state) == (due, JobState.RUNNING)
    assert School.objects.filter(number__gte="150000").count() == 0
    assert before.rows.count() == (ROWS if writing else CHUNK)
    assert before.job.done in ({0, CHUNK} if writing else {CHUNK}), "while it writes, a thread tells once a second"

    wanted = ImportState.APPLIED if writing else ImportState.CHECKED
    with sweeping():
        wait_until(
            lambda: ImportRun.objects.get().state == wanted, seconds=2 * TWO_SWEEPS, what="the import to be taken up"
        )
    states = Counter(Job.objects.filter(kind__startswith="core.").values_list("state", flat=True))
    assert states[JobState.BROKEN_OFF] == 1
    assert sorted(run.rows.values_list("line", flat=True)) == list(range(3, ROWS + 3))
    written = ROWS if writing else 0
    numbers = School.objects.filter(number__gte="150000")
    assert (numbers.count(), School.history.filter(number__gte="150000").count()) == (written, written)


def taken_in_second_chunk(run: ImportRun, *, writing: bool) -> None:
    """Writes one of the rows that the second chunk will write: a school, or a staged line."""
    if writing:
        SchoolFactory(number=f"{150000 + SECOND_CHUNK}")
    else:
        ImportRow.objects.create(run=run, line=SECOND_CHUNK, action=RowAction.NEW)


def nudge_imports() -> None:
    from apps.core.tasks import run_due_imports

    run_due_imports.delay()


# Redis gone and back


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
    with own_postgres() as postgres, own_redis() as redis:
        environment, number = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url}, STEPS * rounds
        keys = prepared(number, **environment)
        with sweeping(environment=environment), WebServer(**environment) as web:
            for place in range(rounds):
                crash_once(postgres, web, keys[STEPS * place : STEPS * (place + 1)], environment)
            wait_until(lambda: nothing_stale(postgres, number), seconds=TWO_SWEEPS + 5, what="the figures")
            wait_until(lambda: all_parts_are_well(postgres, web), seconds=TWO_SWEEPS + 5, what="worker and beat")
        assert json.loads(done("check_ledger", "--json", **environment))["entries"] == number


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


def all_parts_are_well(postgres: PrivatePostgres, web: WebServer) -> bool:
    """Worker and beat have shown signs of life after the crash."""
    with postgres.connect() as database:
        signs = database.execute("SELECT count(*) FROM core_heartbeat WHERE at > pg_postmaster_start_time()").fetchone()
    return signs == (2,) and Browser(web).open("/health/ready").status == 200


def nothing_stale(postgres: PrivatePostgres, devices: int) -> bool:
    """The newest figures count every device."""
    with postgres.connect() as database:
        found = database.execute(
            "SELECT coalesce(sum(devices), 0) FROM quotas_quotafigure WHERE day = current_date"
        ).fetchone()
    return found == (devices,)
