"""Queued mail reaches a real SMTP server: from this process, and from a real worker that was only nudged."""

from collections.abc import Callable

import pytest
from django.db import transaction

from apps.core.mail import queue_mail
from apps.core.tasks import send_queued_mail
from tests.support.mail_server import MailServer
from tests.support.waiting import wait_until
from tests.support.workers import Worker


def queue_one() -> None:
    queue_mail(
        to="koordination@schulen.example",
        subject="Frage zum Antrag:\nWLAN für Räume 7 und 8",
        template="contact_message",
        context={"message": {"text": "Müssen wir etwas nachreichen?"}},
    )


def to_and_subject(server: MailServer) -> tuple[str, str]:
    (message,) = server.messages
    return str(message["To"]), str(message["Subject"])


@pytest.mark.django_db(transaction=True)  # post-office closes the connection, a test's transaction would be lost
def test_a_queued_mail_arrives_once_with_its_umlauts(smtp_server: MailServer) -> None:
    queue_one()
    assert smtp_server.messages == []

    send_queued_mail()
    send_queued_mail()

    assert to_and_subject(smtp_server) == ("koordination@schulen.example", "Frage zum Antrag: WLAN für Räume 7 und 8")


@pytest.mark.both_databases
def test_a_nudged_worker_sends_after_commit(start_worker: Callable[..., Worker], smtp_server: MailServer) -> None:
    start_worker(environment={"EMAIL_URL": smtp_server.url})

    with transaction.atomic():
        queue_one()
        assert smtp_server.messages == []

    wait_until(lambda: smtp_server.messages, what="the mail")
    assert to_and_subject(smtp_server)[1] == "Frage zum Antrag: WLAN für Räume 7 und 8"


@pytest.mark.both_databases
def test_beat_finds_a_mail_that_nobody_nudged(start_worker: Callable[..., Worker], smtp_server: MailServer) -> None:
    from mepportal.celery import app

    queue_one()
    app.control.purge()

    start_worker(beat=True, recalc_seconds=1, environment={"EMAIL_URL": smtp_server.url})

    wait_until(lambda: smtp_server.messages, what="the mail")
    assert len(smtp_server.messages) == 1


def test_a_mail_that_was_rolled_back_is_never_sent(smtp_server: MailServer, transactional_db: None) -> None:
    @transaction.atomic
    def decide_and_fail() -> None:
        queue_one()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decide_and_fail()
    send_queued_mail()

    assert smtp_server.messages == []
