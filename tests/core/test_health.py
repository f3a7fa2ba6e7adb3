"""Health: database, broker, worker and beat are told apart, and a part that hangs delays nobody."""

import datetime
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.core import beat, clock, health, jobs
from apps.core.beat import PortalScheduler
from apps.core.models import Heartbeat
from mepportal.celery import app
from tests.support.waiting import wait_until
from tests.support.workers import Worker

FAST = 2.0


def ready(client: Client) -> tuple[int, dict[str, str]]:
    """The answer, which always comes in less than two seconds."""
    began = time.monotonic()
    response = client.get("/health/ready")
    assert time.monotonic() - began < FAST
    return response.status_code, response.json()


def parts(**changed: str) -> dict[str, str]:
    good = {"status": "ok", "database": "ok", "broker": "ok", "worker": "ok", "beat": "ok"}
    return good | ({"status": "failing"} | changed if changed else {})


@pytest.fixture(autouse=True)
def _probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that another test left hanging is not waited for."""
    for name, question in (
        ("DATABASE", health._read_signs),
        ("BROKER", health._reach_broker),
        ("WORKER", health._wake_worker),
    ):
        monkeypatch.setattr(health, name, health.Probe(name.lower(), question))


def seen(part: str, seconds_ago: float = 0) -> None:
    at = clock.now() - datetime.timedelta(seconds=seconds_ago)
    Heartbeat.objects.update_or_create(part=part, defaults={"at": at})


def test_live_needs_nothing(client: Client) -> None:
    response = client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db(transaction=True)
def test_without_worker_and_beat_ready_says_so(client: Client) -> None:
    assert ready(client) == (503, parts(worker="failing", beat="failing"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_with_both_all_is_well(client: Client, start_worker: Callable[..., Worker]) -> None:
    start_worker(beat=True)
    wait_until(lambda: Heartbeat.objects.filter(part="beat").exists(), what="the scheduler's sign of life")
    wait_until(lambda: ready(client) == (200, parts()), what="all parts to be well")


@pytest.mark.django_db(transaction=True)
def test_a_worker_without_beat_is_told_by_its_answer(client: Client, worker: Worker) -> None:
    seen("worker", 3600)
    seen("beat", 3600)
    wait_until(lambda: ready(client) == (503, parts(beat="failing")), what="the worker to be seen")


@pytest.mark.django_db(transaction=True)
def test_beat_without_a_worker(client: Client) -> None:
    seen("beat")
    seen("worker", 3600)
    assert ready(client) == (503, parts(worker="failing"))


@contextmanager
def deaf_server() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]


@contextmanager
def closed_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield port


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("server", [deaf_server, closed_port], ids=["hangs", "is down"])
def test_a_broker_that_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    seen("beat")
    seen("worker")
    with server() as port:
        other = f"redis://127.0.0.1:{port}/0"
        real = app.connection_for_write
        monkeypatch.setattr(app, "connection_for_write", lambda *_given, **more: real(url=other, **more))
        assert ready(client) == (503, parts(broker="failing"))


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_database_that_hangs(client: Client) -> None:
    """Another connection holds the tables that are read; the answer does not wait for it."""
    seen("beat")
    seen("worker")
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE core_heartbeat IN ACCESS EXCLUSIVE MODE")
            unknown = parts(database="failing", worker="unknown", beat="unknown")
            assert ready(client) == (503, unknown)
            assert ready(client) == (503, unknown)
            cursor.execute("ROLLBACK")
        wait_until(lambda: ready(client) == (200, parts()), what="the database to be well again")
    finally:
        other.close()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the portal's clock: so many seconds have passed."""
    real = clock.now

    def move(seconds: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: real() + datetime.timedelta(seconds=seconds))

    return move


@pytest.mark.django_db(transaction=True)
def test_parts_that_fell_silent_are_named_after_forty_seconds(client: Client, later: Callable[[float], None]) -> None:
    """Not before: three signs of ten seconds each may be late."""
    seen("beat")
    seen("worker")
    later(39 - FAST)
    assert ready(client) == (200, parts())
    later(40)
    assert ready(client) == (503, parts(worker="failing", beat="failing"))


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_hangs_in_a_job_is_named_as_soon(client: Client, later: Callable[[float], None]) -> None:
    """Its job's last sign of life is its own."""
    seen("worker", 3600)
    with jobs.running("test.work"):
        later(39 - FAST)
        seen("beat")
        assert ready(client) == (200, parts())
        later(40)
        seen("beat")
        assert ready(client) == (503, parts(worker="failing"))


@pytest.mark.django_db(transaction=True)
def test_beat_shows_itself_every_ten_seconds(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SIGN_SECONDS = 10
    scheduler = PortalScheduler(app=app, schedule_filename=str(tmp_path / "schedule"))
    shown = []
    for seconds in (0, 4, 10, 14, 20):
        Heartbeat.objects.all().delete()
        monkeypatch.setattr(beat, "time", SimpleNamespace(monotonic=lambda seconds=seconds: 1000.0 + seconds))
        scheduler.tick()
        if Heartbeat.objects.filter(part="beat").exists():
            shown.append(seconds)
    scheduler.close()
    assert shown == [0, 10, 20]


def test_a_long_job_shows_a_sign_every_ten_seconds_though_sweeps_are_rare(settings: Any) -> None:
    settings.RECALC_SECONDS, settings.SIGN_SECONDS = 600, 10
    assert jobs.seconds_between_signs() == 10


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_hangs(client: Client, worker: Worker, later: Callable[[float], None]) -> None:
    seen("beat")
    wait_until(lambda: ready(client) == (200, parts()), what="the worker")
    assert worker.process is not None
    later(40)
    seen("beat")
    os.killpg(worker.process.pid, signal.SIGSTOP)
    try:
        assert ready(client) == (503, parts(worker="failing"))
    finally:
        os.killpg(worker.process.pid, signal.SIGCONT)
