"""The demonstration's stocktakes agree with what its devices went through."""

import datetime

import pytest

from apps.core import clock
from apps.inventory.models import Device, Stocktake
from apps.inventory.stocktake_choices import Outcome, Settlement
from apps.inventory.stocktake_selectors import progress_of

pytestmark = pytest.mark.django_db


def test_two_are_finished_and_lost_what_the_history_says():
    finished = Stocktake.objects.filter(state="closed")
    assert finished.count() == 2
    for stocktake in finished:
        progress = progress_of(stocktake)
        assert (progress.open, progress.numbers[Outcome.UNKNOWN]) == (0, 1)
        assert progress.missing >= 1
        for item in stocktake.items.filter(outcome=Outcome.MISSING):
            day = stocktake.started_at.date()
            lost = Device.history.get(id=item.device_id, status="lost")
            assert (lost.history_date.date(), lost.history_change_reason) == (day, "Bei der Inventur nicht auffindbar")
            assert item.settlement == Settlement.REPORTED_LOST
        assert stocktake.scans.count() == progress.found + 1


def test_one_runs_and_has_a_finding_of_each_kind():
    (running,) = Stocktake.objects.filter(state="open")
    progress = progress_of(running)
    assert running.school.number == "120686"
    assert (progress.found, progress.expected, progress.lent) == (85, 139, 3)
    assert {outcome: progress.numbers[outcome] for outcome in Outcome} == {
        Outcome.FOUND: 84,
        Outcome.OTHER_ROOM: 1,
        Outcome.MISSING: 54,
        Outcome.ELSEWHERE: 1,
        Outcome.UNKNOWN: 1,
    }
    assert clock.now() - running.started_at < datetime.timedelta(days=1)
