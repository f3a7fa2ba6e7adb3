"""`/health/ready` of a real portal names the part whose plug is pulled, and no other; then it is well again."""

import json
from typing import Any

import pytest

from tests.operations.servers import Browser, PrivatePostgres, WebServer, own_postgres, own_redis
from tests.support.waiting import wait_until
from tests.support.workers import Beat, Worker

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
WELL = {"status": "ok", "database": "ok", "broker": "ok", "worker": "ok", "beat": "ok"}


def test_each_part_is_told_apart() -> None:
    with own_postgres() as postgres, own_redis() as redis:
        environment = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
        beat, web = Beat(environment=environment), WebServer(**environment)  # the web server sweeps every 60 s
        with Worker(environment=environment) as worker, beat, web:
            becomes(web, "all parts to be well")

            redis.hang()
            assert ready(web) == (503, failing("broker")), "the broker hangs"
            redis.go_on()
            becomes(web, "the broker to go on")

            redis.stop()
            assert ready(web) == (503, failing("broker")), "the broker is down"
            redis.start()
            becomes(web, "the broker to be back")

            beat.kill()
            long_ago(postgres, "beat")
            assert ready(web) == (503, failing("beat"))
            beat.start()
            becomes(web, "beat to be back")

            worker.kill()
            leave_a_job_running(postgres)
            long_ago(postgres, "worker")
            assert ready(web) == (503, failing("worker"))
            with Worker(environment=environment):
                becomes(web, "a worker to be back")

                postgres.crash()
                assert ready(web) == (503, failing("database") | {"worker": "unknown", "beat": "unknown"})
                postgres.start()
                becomes(web, "the database to be back")


def ready(web: WebServer) -> tuple[int, dict[str, Any]]:
    answer = Browser(web, seconds=15).open("/health/ready")
    return answer.status, json.loads(answer.text)


def becomes(web: WebServer, what: str) -> None:
    wait_until(lambda: ready(web) == (200, WELL), seconds=60, what=what)


def failing(part: str) -> dict[str, str]:
    return WELL | {"status": "failing", part: "failing"}


def long_ago(postgres: PrivatePostgres, part: str) -> None:
    """As if the part had shown its last sign of life long ago; a job that a worker runs is one of its signs, too."""
    with postgres.connect() as database:
        database.execute("UPDATE core_heartbeat SET at = at - interval '1 hour' WHERE part = %s", [part])
        if part == "worker":
            database.execute("UPDATE core_job SET beat_at = beat_at - interval '1 hour'")


def leave_a_job_running(postgres: PrivatePostgres) -> None:
    """As if the worker had died in the middle of a sweep, of which it begins one a second."""
    with postgres.connect() as database:
        database.execute(
            "INSERT INTO core_job (kind, state, created_at, started_at, beat_at, done, total, result, error)"
            " VALUES ('quotas.recalculate_stale', 'running', now(), now(), now(), 0, 0, '{}', '')"
        )
