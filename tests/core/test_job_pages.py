"""The operators' page: what runs, waits and failed, in German words, and "run now"."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from post_office.models import STATUS, Email

from apps.accounts.choices import Role
from apps.core import clock, job_pages, jobs
from apps.core.models import Heartbeat, Job, JobState
from tests.factories import UserFactory
from tests.support.browser import axe_violations

pytestmark = pytest.mark.django_db
STALE, FULL = "quotas.recalculate_stale", "quotas.recalculate_all"
PAGE = "/jobs/"


@pytest.fixture
def admin(client: Client) -> Any:
    person = UserFactory(role=Role.ADMIN, name="Frau Betrieb")
    client.force_login(person)
    return person


def job_of(kind: str, state: str = JobState.DONE, *, seconds: float = 1, **values: Any) -> Job:
    began = clock.now() - datetime.timedelta(minutes=5)
    ended = None if state == JobState.RUNNING else began + datetime.timedelta(seconds=seconds)
    return Job.objects.create(kind=kind, state=state, started_at=began, beat_at=began, ended_at=ended, **values)


def text_of(client: Client) -> str:
    """The page with single spaces, also where narrow ones stand."""
    html = client.get(PAGE).content.decode()
    return " ".join(html.split())


def test_runs_are_told_in_german_words(client: Client, admin: Any) -> None:
    job_of(FULL, seconds=200, result={"compared": 3120, "drifted": 1, "rows": 1, "schools": 1, "written": 1})
    job_of(STALE, seconds=0.44, result={"schools": 2, "rows": 130, "written": 130})
    job_of("core.send_queued_mail", JobState.FAILED, error="ConnectionRefusedError: [Errno 111]", started_by=admin)

    text = text_of(client)

    for words in (
        "3.120 Kennzahlen verglichen, 1 Wert wich ab und wurde berichtigt",
        "3 min 20 s",
        "2 Schulen, 130 Kennzahlen geschrieben",
        "0,4 s",
        "ConnectionRefusedError: [Errno 111]",
        "Frau Betrieb",
        "Mails versenden",
        'data-label="Gestartet von">von selbst</td>',
    ):
        assert words in text, words


def test_a_job_whose_worker_died_is_shown_as_broken_off_at_once(client: Client, admin: Any) -> None:
    job_of(STALE, JobState.RUNNING)
    text = text_of(client)
    assert "Abgebrochen" in text
    assert "Der nächste Durchgang nimmt die Arbeit wieder auf." in text
    assert "hx-trigger" not in text


def test_a_nightly_job_whose_worker_died_says_when_it_runs_again(client: Client, admin: Any) -> None:
    job_of(FULL, JobState.RUNNING)
    text = text_of(client)
    assert "Die Arbeit beginnt von selbst wieder zu ihrer Zeit: jede Nacht." in text
    assert "Der nächste Durchgang" not in text


@pytest.mark.parametrize(("seconds", "shown"), [(0, ""), (1.5, "1,5\u202fs")])
def test_a_job_that_broke_off_ran_until_its_last_sign_of_life(seconds: float, shown: str) -> None:
    assert job_pages.duration(job_of(STALE, JobState.BROKEN_OFF, seconds=seconds)) == shown


def test_the_top_renews_itself_while_something_runs(client: Client, admin: Any) -> None:
    job = jobs.queue_job(STALE, total=10)
    jobs.begin_job(job)
    jobs.report_progress(job, done=4)
    assert 'hx-trigger="every 3s"' in text_of(client)

    part = client.get(PAGE, headers={"HX-Request": "true"}).content.decode()

    assert "4 von 10" in part
    assert '<progress value="4" max="10"' in part
    assert "<html" not in part


def test_what_waits_is_counted_and_failed_mails_give_their_reason(client: Client, admin: Any) -> None:
    for status in (STATUS.queued, STATUS.requeued, STATUS.failed):
        mail = Email.objects.create(from_email="a@b.example", to="geheim@c.example", status=status)
    mail.logs.create(status=STATUS.failed, exception_type="SMTPRecipientsRefused", message="geheim@c.example")

    rows = {str(row["entry"].label): (row["count"], row["hint"]) for row in job_pages.waiting_rows()}

    assert rows["Zu versendende Mails"] == (2, "")
    assert rows["Endgültig gescheiterte Mails"] == (1, "SMTPRecipientsRefused (1)")
    assert "geheim@c.example" not in text_of(client)


def test_who_works_is_told_by_signs_of_life(client: Client, admin: Any) -> None:
    Heartbeat.objects.create(part="beat", at=clock.now())
    Heartbeat.objects.create(part="worker", at=clock.now() - datetime.timedelta(hours=2))
    assert [row.works for row in job_pages.part_rows()] == [False, True]
    text = text_of(client)
    assert text.index("Hintergrundverarbeitung") < text.index("Kein Lebenszeichen") < text.index("Taktgeber")


def test_run_now_starts_one_run_however_often_it_is_clicked(client: Client, admin: Any) -> None:
    address = reverse("core:run_job", args=[FULL])

    pages = [client.post(address, follow=True).content.decode() for _click in range(2)]

    (job,) = Job.objects.filter(kind=FULL)
    assert (job.state, job.started_by) == (JobState.QUEUED, admin)
    assert "beginnt, sobald die Hintergrundverarbeitung frei ist" in pages[0]
    assert "wartet oder läuft bereits" in pages[1]


def test_who_comes_back_from_signing_in_reads_that_nothing_was_started(client: Client, admin: Any) -> None:
    shown = client.get(reverse("core:run_job", args=[FULL]), follow=True)
    assert shown.redirect_chain == [(reverse("core:jobs"), 302)]
    assert "Ihre Sitzung war abgelaufen. Die Aufgabe ist nicht gestartet worden." in shown.content.decode()
    assert Job.objects.count() == 0
    assert client.get(reverse("core:run_job", args=["no.such"])).status_code == 404


@pytest.mark.parametrize("kind", ["no.such", "core.check_import"])
def test_only_what_can_be_started_is(client: Client, admin: Any, kind: str) -> None:
    assert client.post(reverse("core:run_job", args=[kind])).status_code == 404
    assert Job.objects.count() == 0


def test_the_office_reads_and_starts_nothing(client: Client) -> None:
    client.force_login(UserFactory(role=Role.OFFICE_CLERK))
    text = text_of(client)
    assert "Letzte Läufe" in text
    assert "Jetzt starten" not in text
    assert client.post(reverse("core:run_job", args=[FULL])).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_an_operator_starts_a_run_and_sees_it_done(pages: Any, worker: Any) -> None:
    page = pages.open(UserFactory(role=Role.ADMIN))
    page.goto(PAGE)
    page.get_by_role("button", name="Jetzt starten: Alle Quoten neu berechnen und vergleichen").click()
    row = page.locator("#job-state tr", has_text="Alle Quoten neu berechnen")
    row.get_by_text("Erledigt").wait_for()
    assert row.get_by_text("0 Kennzahlen verglichen, keine Abweichung").is_visible()
    assert axe_violations(page) == []

    narrow = pages.open(UserFactory(role=Role.ADMIN), viewport={"width": 320, "height": 640}, color_scheme="dark")
    narrow.goto(PAGE)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 320
    assert axe_violations(narrow) == []
