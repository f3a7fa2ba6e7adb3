"""Runs at the same time as each other and as writers: no deadlock, no figure left wrong."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction

from apps.inventory.services import add_device
from apps.quotas import services
from apps.quotas.due import due_schools
from apps.quotas.models import QuotaFigure
from apps.quotas.statements import mark_schools
from apps.schools.models import School
from apps.schools.services import raise_inputs_version
from tests.factories import ClerkFactory, ProductFactory, SchoolFactory
from tests.quotas.factories import count_pupils, make_plan
from tests.quotas.oracle import Oracle

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(*works: Callable[[], None]) -> None:
    """Runs all at once on connections of their own; the first error of any goes on up."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        try:
            start.wait()
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_runs_among_writers_end_in_right_figures():
    make_plan("2026-01-01", "2030-12-31")
    schools = SchoolFactory.create_batch(4)
    for school in schools:
        count_pupils(school, 100)
    clerk, product = ClerkFactory(), ProductFactory()

    def write(order: list[School]) -> Callable[[], None]:
        def work() -> None:
            for _round in range(5):
                for school in order:
                    add_device(product=product, school=school, by=clerk)

        return work

    def run() -> None:
        for _round in range(8):
            services.recalculate_stale()
        services.recalculate_all()

    in_threads(write(schools), write(schools[::-1]), run, run)
    services.recalculate_stale()
    figures = list(QuotaFigure.objects.select_related("plan"))
    assert Oracle().differences(figures) == []
    assert {figure.devices for figure in figures if figure.day == max(figure.day for figure in figures)} == {10}
    assert services.recalculate_all().drift == ()


def test_a_school_that_somebody_holds_stays_due_and_nobody_waits():
    make_plan("2026-01-01", "2030-12-31")
    held, free = SchoolFactory.create_batch(2)
    services.recalculate_stale()
    raise_inputs_version([held.pk, free.pk])
    holding, marked = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(School.objects.select_for_update().filter(pk=held.pk))
            holding.set()
            assert marked.wait(30)

    def mark() -> None:
        assert holding.wait(30)
        if connection.features.has_select_for_update_skip_locked:
            mark_schools(due_schools())
            assert set(due_schools()) == {held.pk}
        marked.set()

    in_threads(hold, mark)
    services.recalculate_stale()
    assert due_schools() == {}
