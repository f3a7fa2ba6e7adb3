"""Logs: lines with ids, no names, no addresses, no search words."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from django.db import OperationalError
from django.test import Client
from django.urls import path

from apps.accounts.choices import Role
from apps.core import jobs, logs
from apps.core.models import Job
from mepportal.urls import handler500, urlpatterns
from tests.factories import UserFactory
from tests.support.waiting import wait_until
from tests.support.workers import Worker

__all__ = ["handler500"]


def breaks(_request: Any) -> None:
    raise ZeroDivisionError("for geheim@c.example")


def loses_the_database(_request: Any) -> None:
    raise OperationalError("server closed the connection")


urlpatterns = [*urlpatterns, path("breaks/", breaks), path("loses/", loses_the_database)]


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What is logged, as production writes it."""
    config = logs.logging_config(json_lines=True)["formatters"]["line"]
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=config["processors"], foreign_pre_chain=config["foreign_pre_chain"]
    )
    written: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(formatter.format(record))

    handler = Keep()
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(text) for text in written]
    logging.getLogger().removeHandler(handler)


def only(lines: list[dict[str, Any]], event: str) -> dict[str, Any]:
    (line,) = [line for line in lines if line["event"] == event]
    return line


@pytest.mark.django_db
def test_a_request_leaves_one_line_with_ids_and_without_what_was_searched(client: Client, lines: Any) -> None:
    person = UserFactory(role=Role.OFFICE_CLERK, name="Frau Namenswort")
    client.force_login(person)

    response = client.get("/schools/?q=Suchwort")

    line = only(lines(), "request_finished")
    assert line["request"] == "GET /schools/"
    assert (line["code"], line["user_id"], line["level"]) == (200, person.pk, "info")
    assert line["request_id"] == response["X-Request-ID"]
    assert len(response["X-Request-ID"]) == 12
    text = json.dumps(lines(), ensure_ascii=False)
    assert not [word for word in ("Suchwort", "Namenswort", person.email, "127.0.0.1") if word in text]


@pytest.mark.django_db
def test_each_request_has_its_own_id(client: Client) -> None:
    assert client.get("/privacy/")["X-Request-ID"] != client.get("/privacy/")["X-Request-ID"]


def test_a_line_costs_no_query(client: Client, lines: Any) -> None:
    """Without the database mark any query would fail."""
    assert client.get("/health/live").status_code == 200
    assert lines() == [], "monitoring asks all the time"


@pytest.mark.django_db
def test_keys_of_mailed_links_are_not_logged(client: Client, lines: Any) -> None:
    client.get("/accounts/password/reset/key/1-geheim/")
    assert "geheim" not in json.dumps(lines())


@pytest.mark.urls(__name__)
def test_a_fault_shows_its_id_and_the_log_tells_the_rest(lines: Any) -> None:
    response = Client(raise_request_exception=False).get("/breaks/")

    line = only(lines(), "request_failed")
    assert response.status_code == 500
    assert f"Kennung für Rückfragen: {line['request_id']}" in response.content.decode()
    assert "ZeroDivisionError: for …@…" in line["exception"]


@pytest.mark.urls(__name__)
def test_a_lost_database_is_told_in_german_without_asking_it() -> None:
    response = Client(raise_request_exception=False).get("/loses/")
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert "Das Portal erreicht seine Daten gerade nicht" in response.content.decode()


@pytest.mark.django_db
def test_lines_of_a_job_carry_its_number(lines: Any) -> None:
    with jobs.running("test.job") as job:
        logging.getLogger("apps.test").warning("at %s", "a@b.example")
    line = only(lines(), "at …@…")
    assert (line["job_id"], line["logger"], line["level"]) == (job.pk, "apps.test", "warning")


@pytest.mark.django_db(transaction=True)
def test_a_task_carries_the_id_of_the_request_that_nudged_it(
    client: Client, start_worker: Callable[..., Worker]
) -> None:
    worker = start_worker()
    client.force_login(UserFactory(role=Role.ADMIN))
    response = client.post("/jobs/quotas.recalculate_all/run/")

    def told(event: str) -> list[str]:
        text = worker.log.read_text(encoding="utf-8")
        return [line for line in text.splitlines() if event in line and response["X-Request-ID"] in line]

    wait_until(lambda: told("task_succeeded"), what="the task's line")
    job = Job.objects.get(kind="quotas.recalculate_all")
    (begins,) = told("Job begins: quotas.recalculate_all")
    assert f"job_id={job.pk} " in begins
    (task,) = re.findall(r"task_id=(\S+)", begins)
    assert f"task_id={task}" in told("task_succeeded")[0]
