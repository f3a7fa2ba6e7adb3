"""Recalculation: what is due, what is written over what, and what a run leaves behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from apps.core import clock
from apps.core.models import Job, JobState
from apps.inventory.services import change_kind_counting, move_device, retire_device
from apps.quotas import selectors, services
from apps.quotas.due import due_schools, incomplete_days
from apps.quotas.models import ComputedDay, MediaDevelopmentPlan, QuotaFigure, TargetGroup
from apps.quotas.services import Drift, RunResult
from apps.quotas.statements import FEW_SCHOOLS, mark_schools, read_inputs, refresh_rows, write_rows
from apps.schools.models import PupilWeight, School
from apps.schools.services import raise_inputs_version
from tests.factories import ClerkFactory, DeviceFactory, DeviceKindFactory, SchoolFactory
from tests.quotas.factories import DAY, an_admin, count_pupils, day, figure, make_plan
from tests.quotas.oracle import Oracle

pytestmark = pytest.mark.django_db


def days_of_a_run() -> int:
    return len(selectors.stored_days())


# What is due


def test_a_first_run_computes_today_and_each_first_of_a_month(plan, school):
    DeviceFactory(school=school, since=day("2024-03-15"))
    assert services.recalculate_stale() == RunResult(1, days_of_a_run(), days_of_a_run())
    today = figure(school)
    assert (today.devices, today.target_devices, today.weighted_pupils) == (1, 21, Decimal("101.00"))
    assert figure(school, "2024-03-01").devices == 0
    assert figure(school, "2024-04-01").devices == 1
    assert services.recalculate_stale() == RunResult(0, 0, 0)


def test_only_the_school_whose_version_rose_is_computed_again(school):
    other = SchoolFactory()
    services.recalculate_stale()
    before = figure(other).computed_at
    DeviceFactory(school=school)
    result = services.recalculate_stale()
    assert (result.schools, result.rows, result.written) == (1, days_of_a_run(), days_of_a_run())
    assert figure(school).devices == 1
    assert figure(other).computed_at == before


def test_a_backdated_placement_moves_all_days_since(school):
    services.recalculate_stale()
    DeviceFactory(school=school, since=day("2023-06-10"))
    services.recalculate_stale()
    assert [figure(school, on).devices for on in ("2023-06-01", "2023-07-01", "2025-12-01")] == [0, 1, 1]


@pytest.mark.parametrize("days_ago", [0, 1])
def test_a_device_does_not_count_on_the_day_it_leaves(school, days_ago):
    device = DeviceFactory(school=school, since=clock.today() - 40 * DAY)
    retire_device(device=device, reason="Zerbrochen", by=ClerkFactory(), on=clock.today() - days_ago * DAY)
    services.recalculate_stale()
    assert figure(school).devices == 0


def test_a_device_counts_on_the_day_it_comes(school):
    DeviceFactory(school=school, since=clock.today())
    services.recalculate_stale()
    assert figure(school).devices == 1


def test_both_schools_of_a_move_are_computed_again(school):
    other = SchoolFactory()
    device = DeviceFactory(school=school, since=day("2023-06-10"))
    services.recalculate_stale()
    move_device(device=device, school=other, on=day("2024-06-10"), by=ClerkFactory())
    assert services.recalculate_stale().schools == 2
    assert [figure(school, on).devices for on in ("2024-06-01", "2024-07-01")] == [1, 0]
    assert [figure(other, on).devices for on in ("2024-06-01", "2024-07-01")] == [0, 1]


def test_recounting_a_kind_leaves_the_past_as_it_was(school):
    kind = DeviceKindFactory()
    DeviceFactory(school=school, product__kind=kind, since=day("2023-06-10"))
    change_kind_counting(kind=kind, countable=False, presentation=True, by=ClerkFactory(), on=day("2025-05-05"))
    services.recalculate_stale()
    assert (figure(school, "2025-05-01").devices, figure(school, "2025-05-01").presentation_devices) == (1, 0)
    assert (figure(school, "2025-06-01").devices, figure(school, "2025-06-01").presentation_devices) == (0, 1)


def forget(**which) -> None:
    """As before a day was computed for the first time."""
    QuotaFigure.objects.filter(**which).delete()
    ComputedDay.objects.filter(**which).delete()


def test_a_missing_day_is_due_such_as_today_after_midnight(school):
    services.recalculate_stale()
    forget(day=clock.today())
    assert services.recalculate_stale() == RunResult(1, 1, 1)
    assert figure(school).pupils == 101


@pytest.mark.parametrize("number", [2, FEW_SCHOOLS, FEW_SCHOOLS + 1])
def test_few_schools_and_many_are_computed_alike(number):
    make_plan()
    schools = SchoolFactory.create_batch(FEW_SCHOOLS + 2)
    services.recalculate_stale()
    for count, school in enumerate(schools[:number]):
        count_pupils(school, 100 + count)
        DeviceFactory(school=school, since=day("2024-01-01") + count * 20 * DAY)
    assert services.recalculate_stale() == RunResult(number, number * days_of_a_run(), number * days_of_a_run())
    assert Oracle().differences(QuotaFigure.objects.select_related("plan")) == []


def test_a_new_target_makes_all_schools_of_the_plan_due(plan, school):
    SchoolFactory()
    services.recalculate_stale()
    group = TargetGroup.objects.get(name="Übrige Schulen")
    services.set_target(by=an_admin(), group=group, valid_from=day("2025-01-15"), pupils_per_device=Decimal("2.5"))
    assert services.recalculate_stale().schools == 2
    assert figure(school, "2025-01-01").target_devices == 21
    assert figure(school, "2025-02-01").target_devices == 41


def test_schools_of_other_authorities_get_no_rows(school):
    SchoolFactory(foreign=True)
    services.recalculate_stale()
    assert set(QuotaFigure.objects.values_list("school", flat=True)) == {school.pk}


def test_a_school_handed_over_no_longer_counts(plan, school):
    services.recalculate_stale()
    SchoolFactory(foreign=True)
    School.objects.filter(pk=school.pk).update(authority=School.objects.exclude(pk=school.pk).get().authority)
    raise_inputs_version([school.pk])
    services.recalculate_stale()
    assert not figure(school).counted
    assert selectors.figures(plan, clock.today(), "school") == []


def test_a_closed_school_counts_until_the_day_before(plan, school):
    School.objects.filter(pk=school.pk).update(closed_on=day("2024-08-01"))
    raise_inputs_version([school.pk])
    services.recalculate_stale()
    assert [figure(school, on).counted for on in ("2024-07-01", "2024-08-01")] == [True, False]
    assert selectors.school_figure(plan, school, day("2024-07-31")) is not None
    assert selectors.school_figure(plan, school, day("2024-08-01")) is None


def test_one_statement_reads_however_many_schools_and_days(school):
    def statements() -> int:
        forget()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            services.recalculate_stale()
        return len([query for query in captured if "WITH days" in query["sql"]])

    assert statements() == 1
    SchoolFactory.create_batch(12)
    assert statements() == 1


# What is written over what


def test_an_older_computation_never_overwrites_a_newer_row(plan, school):
    days = [(plan.pk, clock.today())]
    older = read_inputs(days)
    DeviceFactory(school=school)
    newer = read_inputs(days)
    assert write_rows(newer, computed_at=clock.now()) == 1
    assert write_rows(older, computed_at=clock.now()) == 0
    assert write_rows(older, computed_at=clock.now(), same_versions=True) == 0
    assert figure(school).devices == 1


def test_the_guard_holds_for_targets_too(plan, school):
    days = [(plan.pk, clock.today())]
    older = read_inputs(days)
    group = TargetGroup.objects.get(name="Übrige Schulen")
    services.set_target(by=an_admin(), group=group, valid_from=plan.starts_on, pupils_per_device=Decimal(2))
    assert write_rows(read_inputs(days), computed_at=clock.now()) == 1
    assert write_rows(older, computed_at=clock.now()) == 0
    assert write_rows(older, computed_at=clock.now(), same_versions=True) == 0
    assert figure(school).target_devices == 51


def test_the_same_versions_are_written_once_only(plan, school):
    rows = read_inputs([(plan.pk, clock.today())])
    first = clock.now()
    assert write_rows(rows, computed_at=first) == 1
    assert write_rows(rows, computed_at=clock.now()) == 0
    assert figure(school).computed_at == first


def test_many_rows_are_written_in_batches(plan):
    SchoolFactory.create_batch(12)
    result = services.recalculate_stale()
    assert result.rows > 500
    assert result.written == result.rows == QuotaFigure.objects.count()


# What a run leaves behind


def test_a_run_leaves_a_job_row_with_its_counts(school):
    clerk = ClerkFactory()
    services.recalculate_stale(by=clerk)
    job = Job.objects.get()
    assert (job.kind, job.state, job.started_by) == ("quotas.recalculate_stale", JobState.DONE, clerk)
    assert job.result == {"schools": 1, "rows": days_of_a_run(), "written": days_of_a_run()}
    assert job.ended_at is not None


def test_of_sweeps_in_a_row_that_found_nothing_only_the_last_stays(school):
    services.recalculate_stale()
    for _sweep in range(3):
        services.recalculate_stale()
    jobs = Job.objects.order_by("pk")
    assert [job.result["rows"] for job in jobs] == [days_of_a_run(), 0]


@pytest.mark.django_db(transaction=True)
def test_a_failure_is_recorded_and_goes_on_up_and_the_next_run_mends_it(school):
    with table_away("schools_pupilweight"), pytest.raises(DatabaseError):
        services.recalculate_stale()
    job = Job.objects.get()
    assert (job.state, job.ended_at is not None) == (JobState.FAILED, True)
    assert "schools_pupilweight" in job.error
    assert services.recalculate_stale().written == days_of_a_run()


@contextmanager
def table_away(name: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO put_away")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE put_away RENAME TO {name}")


def test_the_full_run_finds_repairs_and_reports_drift(plan, school, caplog):
    services.recalculate_stale()
    QuotaFigure.objects.filter(school=school, day=day("2024-05-01")).update(devices=7, pupils=None)
    result = services.recalculate_all()
    assert set(result.drift) == {
        Drift(plan.name, school.number, day("2024-05-01"), "devices", 7, 0),
        Drift(plan.name, school.number, day("2024-05-01"), "pupils", None, 101),
    }
    assert (figure(school, "2024-05-01").devices, figure(school, "2024-05-01").pupils) == (0, 101)
    job = Job.objects.get(kind="quotas.recalculate_all")
    assert job.result["drifted"] == 2
    assert job.result["compared"] == days_of_a_run()
    assert job.result["drift"][0] == {
        "plan": plan.name, "school": school.number, "day": "2024-05-01", "field": "devices", "old": 7, "new": 0,
    }  # fmt: skip
    assert [record.levelname for record in caplog.records if "drifted" in record.getMessage()] == ["WARNING"]
    assert services.recalculate_all().drift == ()


def test_what_is_merely_stale_is_no_drift(school):
    services.recalculate_stale()
    DeviceFactory(school=school)
    result = services.recalculate_all()
    assert (result.drift, result.rows, result.written) == ((), days_of_a_run(), days_of_a_run())
    assert figure(school).devices == 1


def test_an_input_that_moved_without_its_version_is_found_at_night(school):
    device = DeviceFactory(school=school)
    services.recalculate_stale()
    device.placements.update(countable=False)
    assert services.recalculate_stale().rows == 0
    assert [(entry.field, entry.old, entry.new) for entry in services.recalculate_all().drift] == [("devices", 1, 0)]
    assert figure(school).devices == 0


def test_the_full_run_removes_days_that_are_no_longer_stored(school):
    services.recalculate_stale()
    QuotaFigure.objects.filter(day=clock.today()).update(day=day("2024-05-17"))
    services.recalculate_all()
    assert set(QuotaFigure.objects.values_list("day", flat=True)) == {on for _plan, on in selectors.stored_days()}


def test_a_stored_row_of_a_day_no_longer_kept_current_is_not_read(plan, school):
    services.recalculate_stale()
    yesterday = clock.today() - DAY if (clock.today() - DAY).day != 1 else clock.today() - 2 * DAY
    QuotaFigure.objects.filter(day=clock.today()).update(day=yesterday, devices=99)
    assert selectors.city_figure(plan, yesterday).numbers.devices == 0


# The nudge


def test_a_lost_nudge_costs_time_only(school):
    """Nothing runs after commit here; the next sweep finds the work in the database."""
    services.recalculate_stale()
    DeviceFactory(school=school, since=day("2024-01-10"))
    assert selectors.figure_status().pending == 1
    services.recalculate_stale()
    assert selectors.figure_status().pending == 0
    assert Oracle().differences(QuotaFigure.objects.select_related("plan")) == []


def test_a_transaction_nudges_once(plan, school):
    for _time in range(3):
        DeviceFactory(school=school)
    services.raise_targets_version(plan_ids=[plan.pk])
    assert [entry[1] for entry in connection.run_on_commit].count(services._send_nudge) == 1


# What is known to be due


def test_a_computed_school_is_found_due_again_by_its_version_alone(school):
    other = SchoolFactory()
    services.recalculate_stale()
    assert due_schools() == {}
    raise_inputs_version([other.pk])
    other.refresh_from_db()
    assert due_schools() == {other.pk: other.inputs_version}
    assert services.recalculate_stale().schools == 1
    assert due_schools() == {}


def test_a_run_killed_before_it_noted_what_it_had_done_is_made_up_for(school):
    services.recalculate_stale()
    raise_inputs_version([school.pk])
    refresh_rows(selectors.stored_days(), school_ids=[school.pk], computed_at=clock.now())
    assert set(due_schools()) == {school.pk}
    assert services.recalculate_stale() == RunResult(0, 0, 0)
    assert due_schools() == {}


def test_a_change_after_what_was_due_was_read_is_due_again(school):
    services.recalculate_stale()
    raise_inputs_version([school.pk])
    read = due_schools()
    raise_inputs_version([school.pk])
    mark_schools(read)
    assert set(due_schools()) == {school.pk}


def test_the_mark_of_a_school_never_falls(school):
    services.recalculate_stale()
    school.refresh_from_db()
    mark_schools({school.pk: school.computed_version - 1})
    assert due_schools() == {}


def test_days_are_complete_for_the_targets_they_were_computed_with(plan, school):
    days = selectors.stored_days()
    assert set(incomplete_days(days)) == set(days)
    services.recalculate_stale()
    assert incomplete_days(days) == {}
    services.raise_targets_version(plan_ids=[plan.pk])
    assert set(incomplete_days(days)) == set(days)


def test_the_nightly_run_forgets_that_days_no_longer_stored_were_computed(plan, school):
    services.recalculate_stale()
    MediaDevelopmentPlan.objects.filter(pk=plan.pk).update(starts_on=day("2023-01-01"))
    services.recalculate_all()
    MediaDevelopmentPlan.objects.filter(pk=plan.pk).update(starts_on=plan.starts_on)
    assert min(on for _plan, on in incomplete_days(selectors.stored_days())) == plan.starts_on
    services.recalculate_stale()
    assert figure(school, plan.starts_on.isoformat()).pupils is not None


def test_the_database_computes_what_the_calculations_say(plan, school):
    """Weights and targets with fractions, and pupils at which rounding up matters."""
    PupilWeight.objects.create(school_type_id=school.school_type_id, valid_from=day("2024-01-01"), weight="0.29")
    group = TargetGroup.objects.get(name="Übrige Schulen")
    services.set_target(by=an_admin(), group=group, valid_from=day("2025-01-15"), pupils_per_device=Decimal("0.07"))
    for pupils in (0, 1, 7, 100, 101, 99999):
        count_pupils(school, pupils)
        services.recalculate_stale()
        rows = read_inputs(selectors.stored_days())
        assert rows
        assert [row.row for row in rows if row.row != row.stored] == []
