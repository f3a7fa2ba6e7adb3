"""A real worker: a commit reaches the figures by itself, and a lost nudge is found by the sweep."""

import pytest

from apps.core import clock
from apps.core.models import Job
from apps.quotas import services
from apps.quotas.models import QuotaFigure
from tests.factories import DeviceFactory, SchoolFactory
from tests.quotas.factories import count_pupils, make_plan
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def school():
    make_plan()
    school = SchoolFactory()
    count_pupils(school, 100)
    services.recalculate_stale()
    return school


def devices_are(number: int):
    return lambda: QuotaFigure.objects.filter(day=clock.today(), devices=number).exists()


def test_a_commit_reaches_the_figures_through_the_worker(worker, school):
    DeviceFactory(school=school)
    wait_until(devices_are(1), what="the nudged recalculation")


def test_a_lost_nudge_is_found_by_the_sweep(start_worker, school):
    """The device comes while no worker runs and its nudge is thrown away."""
    from mepportal.celery import app

    DeviceFactory(school=school)
    app.control.purge()
    assert not devices_are(1)()
    start_worker(beat=True, recalc_seconds=1)
    wait_until(devices_are(1), seconds=40, what="the sweep")
    assert not Job.objects.filter(state="failed").exists()


def test_a_killed_worker_leaves_nothing_wrong(start_worker, school):
    first = start_worker()
    DeviceFactory(school=school)
    first.kill()
    start_worker(beat=True, recalc_seconds=1)
    wait_until(devices_are(1), seconds=40, what="the sweep of the second worker")
