"""The start page by role: where each lands, and what waits for them."""

import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core import clock
from apps.core.models import Job, JobState
from apps.funding import services as funding
from apps.quotas.services import recalculate_stale
from apps.schools.models import Membership
from apps.tickets import services as tickets
from tests.factories import SchoolFactory, UserFactory
from tests.summaries.pages import apply_for, plain

pytestmark = pytest.mark.django_db


def test_the_head_lands_on_the_summary(client, city):
    client.force_login(city.people["head"])
    assert client.get("/").url == reverse("summaries:summary")


def test_a_coordinator_lands_on_the_school_with_what_waits(client, city):
    application = apply_for(city, 2, "Zwei Tablets")
    funding.return_with_question(application=application, by=city.people["office_clerk"], question="Wofür?")
    client.force_login(city.people["coordinator"])
    page = client.get("/")
    assert page.context["heading"] == "Talschule"
    assert "Zwei Tablets" in plain(page.text)
    assert f'href="{reverse("funding:detail", args=[application.pk])}"' in page.text
    assert [task["verb"] for task in page.context["page"].tasks] == ["Rückfrage beantworten"]


def test_a_coordinator_of_two_schools_sees_the_list_of_theirs(client, city):
    both = UserFactory(role="coordinator", schools=[city.school, city.other_school])
    client.force_login(both)
    page = client.get("/")
    assert page.context["heading"] == "Übersicht"
    for school in (city.school, city.other_school):
        assert f'href="{reverse("schools:detail", args=[school.number])}"' in page.text


def test_the_office_sees_its_queue_oldest_first_and_how_many_more(client, city):
    applications = [apply_for(city, 1, f"Antrag {number}") for number in range(7)]
    client.force_login(city.people["office_clerk"])
    tasks = client.get("/").context["page"].tasks
    assert [task["what"] for task in tasks] == [
        *(f"Antrag {number} – Talschule" for number in range(5)),
        "2 weitere Anträge warten",
    ]
    assert tasks[0]["url"] == reverse("admin:funding_equipmentapplication_change", args=[applications[0].pk])


def test_support_sees_new_tickets_and_nobody_elses(client, city):
    tickets.report_ticket(by=city.people["coordinator"], school=city.school, title="Kein Bild", text="dunkel")
    client.force_login(city.people["it_support"])
    assert [task["what"] for task in client.get("/").context["page"].tasks] == ["Kein Bild – Talschule"]
    client.force_login(city.people["school_staff"])
    assert client.get("/").context["page"].tasks == []
    assert "Zurzeit wartet nichts auf Sie." in client.get("/").text


def test_a_failed_job_leads_the_operator_to_the_jobs_page(client):
    Job.objects.create(kind="quotas.recalculate_all", state=JobState.FAILED, ended_at=clock.now(), error="OSError")
    Job.objects.create(kind="core.send_queued_mail", state=JobState.FAILED, ended_at=clock.now(), error="OSError")
    Job.objects.create(kind="core.send_queued_mail", state=JobState.DONE, ended_at=clock.now())
    client.force_login(UserFactory(role="admin"))
    (task,) = client.get("/").context["page"].tasks
    assert (task["what"], task["url"], task["state"][0]) == (
        "Auftrag fehlgeschlagen: Alle Quoten neu berechnen und vergleichen",
        "/jobs/",
        "Fehlgeschlagen",
    )
    assert "OSError" in client.get(task["url"]).text
    for role in ("auditor", "office_clerk", "head"):
        client.force_login(UserFactory(role=role))
        page = client.get("/")
        assert page.status_code == 302 or page.context["page"].tasks == []


def test_a_run_broken_off_is_a_failure_even_before_a_sweep_has_written_it_down(client):
    long_ago = clock.now() - datetime.timedelta(days=1)
    values = {"started_at": long_ago, "beat_at": long_ago}
    Job.objects.create(kind="quotas.recalculate_stale", state=JobState.RUNNING, **values)
    Job.objects.create(kind="core.clear_expired", state=JobState.BROKEN_OFF, **values, ended_at=long_ago)
    client.force_login(UserFactory(role="admin"))
    tasks = client.get("/").context["page"].tasks
    assert [(task["what"], task["url"], task["since"]) for task in tasks] == [
        ("Auftrag abgebrochen: Abgelaufenes aufräumen", "/jobs/", long_ago),
        ("Auftrag abgebrochen: Geänderte Quoten neu berechnen", "/jobs/", long_ago),
    ]


def test_a_file_that_failed_long_ago_waits_for_nobody(client):
    failed = Job.objects.create(kind="core.check_import", state=JobState.FAILED, ended_at=clock.now(), error="leer")
    client.force_login(UserFactory(role="admin"))
    assert len(client.get("/").context["page"].tasks) == 1
    Job.objects.filter(pk=failed.pk).update(created_at=clock.now() - datetime.timedelta(days=8))
    assert client.get("/").context["page"].tasks == []


def test_a_coordinator_of_several_schools_sees_each_ones_quota(client, city):
    """Read in one go, however many there are; a school that does not count says so."""
    closed = SchoolFactory(short_name="Altschule", closed_on=clock.today() - datetime.timedelta(days=400))
    user = UserFactory(role="coordinator", schools=[city.school, city.other_school, closed])
    client.force_login(user)
    words = plain(client.get("/").text)
    assert "Altschule Grundschule keine Angabe" in words
    assert "Bergschule Grundschule 25,0 % · 1 : 4,0 Ziel 20,0 % · 1 : 5 · 40 Geräte" in words
    assert "Talschule Grundschule 10,0 % · 1 : 10,0 Ziel 20,0 % · 1 : 5 · 20 Geräte Unter dem Ziel" in words
    assert len(re.findall(r"\bStand \d", words)) == 1
    assert "60 Geräte" not in words, "the city is not theirs"

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/")
        return len(asked)

    recalculate_stale()
    before = queries()
    for _number in range(10):
        Membership.objects.create(user=user, school=SchoolFactory())
    recalculate_stale()
    assert queries() == before
