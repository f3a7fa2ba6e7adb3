"""A Redis that takes connections and never answers (SIGSTOP) delays nobody's work, and nothing of it is lost."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.choices import Role
from apps.core import nudge
from apps.funding.choices import ApplicationState
from apps.funding.models import Budget, EquipmentApplication
from tests.factories import PASSWORD
from tests.funding.desk import desk_of, form_values
from tests.operations.commands import done
from tests.operations.people import can_sign_in, prepared, rest_of
from tests.operations.servers import TWO_SWEEPS, Browser, WebServer, own_redis, script, sweeping
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
BOUND = 15  # generous: each single question to Redis is given up after a second
NUDGES = 3  # an approval tells of a mail and of stale figures, a device of stale figures
OFFICE = "amt@stadt.example"


def test_approvals_and_devices_while_redis_hangs(smtp_server: Any, tmp_path: Path) -> None:
    """Twelve steps of one process: the first nudge waits, and for some seconds none after it asks Redis again."""
    with own_redis() as redis:
        environment = {"REDIS_URL": redis.url, "EMAIL_URL": smtp_server.url}
        keys, log = prepared(6), tmp_path / "load.log"
        redis.hang()
        began = time.monotonic()
        with script("tests.operations.load", "work", *keys, log=log, **environment) as load:
            lines = rest_of(load)
        pauses = (time.monotonic() - began) // nudge.PAUSE_SECONDS
        redis.go_on()
        assert Counter(line["what"] for line in lines) == {"approved": 6, "added": 6}
        assert max(line["seconds"] for line in lines) < BOUND
        waited, left_out = (log.read_text().count(words) for words in ("Could not nudge", "Did not nudge"))
        assert 1 <= waited <= 1 + pauses, log.read_text()
        assert waited + left_out == 6 * NUDGES
        with sweeping(environment=environment):
            wait_until(lambda: len(smtp_server.messages) >= 6, seconds=2 * TWO_SWEEPS, what="the mails")
    assert len(smtp_server.messages) == 6


def test_the_office_approves_in_the_browser_while_redis_hangs(static_files: None, smtp_server: Any) -> None:
    """Sign-in, pages and the decision are answered while Redis hangs; figures and mails follow when it goes on."""
    with own_redis() as redis:
        environment = {"REDIS_URL": redis.url, "EMAIL_URL": smtp_server.url}
        (key,) = prepared(1)
        can_sign_in(Role.OFFICE_APPROVER, OFFICE)
        row = EquipmentApplication.objects.get(pk=key)
        with sweeping(environment=environment), WebServer(**environment) as web:
            browser = Browser(web, seconds=BOUND)
            redis.hang()
            assert browser.sign_in(OFFICE, PASSWORD).status == 200
            desk = browser.open(desk_of(row))
            typed = form_values(desk.text) | {"budget": str(Budget.objects.get().pk)}
            preview = browser.send(desk_of(row), typed | {"step": "check_approve"})
            assert preview.heading == "Bitte prüfen Sie vor dem Absenden"
            answer = browser.send(desk_of(row), form_values(preview.text) | {"step": "approve"})
            row.refresh_from_db()
            assert (answer.status, row.state) == (200, ApplicationState.APPROVED)
            ready = json.loads(browser.open("/health/ready").text)
            assert (ready["database"], ready["broker"]) == ("ok", "failing")
            redis.go_on()
            wait_until(lambda: len(smtp_server.messages) >= 1, seconds=2 * TWO_SWEEPS, what="the mail")
            wait_until(
                lambda: json.loads(browser.open("/health/ready").text)["broker"] == "ok", what="the broker to be well"
            )
    assert len(smtp_server.messages) == 1
    assert json.loads(done("check_ledger", "--json"))["entries"] == 1
