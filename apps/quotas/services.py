"""Recalculation of stored figures, and writes to plans and targets.

A run reads versions and inputs in one statement, computes, and writes only over older versions; so any number of
runs at the same time, repeated or killed, end in the same figures.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from celery import signature
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.history import bulk_create_by, delete_by, save_by
from apps.core.jobs import running
from apps.core.models import Job, JobState
from apps.core.nudge import nudge
from apps.quotas.calculations import FigureRow
from apps.quotas.due import due_schools, incomplete_days
from apps.quotas.models import (
    ComputedDay,
    MediaDevelopmentPlan,
    QuotaFigure,
    Target,
    TargetGroup,
    TargetGroupMember,
)
from apps.quotas.selectors import FULL_JOB, STALE_JOB, stored_days
from apps.quotas.statements import Computed, PlanDay, mark_schools, read_inputs, refresh_rows, renew_states, write_rows
from apps.schools.models import School, SchoolType

logger = logging.getLogger(__name__)
DRIFT_REPORTED = 200
SCHOOLS_COMPARED = 200
"""How many schools the nightly run holds in memory at a time."""


# Recalculation


@dataclass(frozen=True)
class Drift:
    """A stored value that claimed to be current and was not."""

    plan: str
    school: str
    day: datetime.date
    field: str
    old: Any
    new: Any

    def as_json(self) -> dict[str, Any]:
        """For the job row: numbers stay numbers, all else is text."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: _plain(value) for name, value in values.items()}


@dataclass(frozen=True)
class RunResult:
    """What a run did: rows it found due, rows it wrote (the others were newer already), values that had drifted.

    A run of what is stale learns only what it wrote.
    """

    schools: int
    rows: int
    written: int
    drift: tuple[Drift, ...] = ()


def recalculate_stale(*, by: Any = None, waiting: Job | None = None) -> RunResult:
    """Computes every stored figure whose versions differ or whose row is missing.

    Leaves a job row with its counts (`waiting`, when a person asked for the run); a failure is recorded there and
    goes on up.
    """
    with running(STALE_JOB, started_by=by, waiting=waiting) as job:
        written = _bring_up_to_date(clock.now())
        result = RunResult(len({school_id for _plan_id, school_id in written}), len(written), len(written))
        _note(job, result)
    if not result.rows:
        _forget_quiet_run_before(job)
    return result


def _bring_up_to_date(moment: datetime.datetime) -> list[tuple[int, int]]:
    """(plan, school) of each row written: of days on which not all schools are computed, and of schools that are due.

    What is due is read before what it is computed from, and noted as done no further than that: whatever changes in
    between is due again.
    """
    days = stored_days()
    incomplete, due = incomplete_days(days), due_schools()
    written = []
    if incomplete:
        with transaction.atomic():
            written += refresh_rows(list(incomplete), computed_at=moment)
            ComputedDay.objects.bulk_create(
                [ComputedDay(plan_id=plan_id, day=day, targets_version=version)
                 for (plan_id, day), version in incomplete.items()],
                update_conflicts=True, unique_fields=["plan", "day"], update_fields=["targets_version"],
            )  # fmt: skip
            renew_states(plan_id for plan_id, _school_id in written)
    if due:
        with transaction.atomic():
            others = [day for day in days if day not in incomplete]
            found = refresh_rows(others, school_ids=due, computed_at=moment)
            mark_schools(due)
            renew_states(plan_id for plan_id, _school_id in found)
            written += found
    return written


def recalculate_all(*, by: Any = None, waiting: Job | None = None) -> RunResult:
    """Computes all stored figures, repairs what had drifted and reports it, and removes days no longer stored.

    Drift means that an input moved without its version: a fault, so it is logged as a warning.
    """
    with running(FULL_JOB, started_by=by, waiting=waiting) as job:
        moment, days = clock.now(), stored_days()
        compared, wrong = _compare(days)
        drift = _drift_of([row for row in wrong if row.has_drifted])
        with transaction.atomic():
            written = write_rows(wrong, computed_at=moment, same_versions=True)
            removed = _forget_other_days(days)
            renew_states(plan_id for plan_id, _day in days)
        result = RunResult(len({row.school_id for row in wrong}), len(wrong), written, drift)
        _note(job, result)
        job.result |= {"compared": compared, "removed": removed} | _drift_report(drift)
    return result


def _compare(days: Sequence[PlanDay]) -> tuple[int, list[Computed]]:
    """How many rows were computed anew, and those that differ from what is stored; some schools at a time."""
    compared, wrong = 0, []
    ids = list(School.objects.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(ids), SCHOOLS_COMPARED):
        rows = read_inputs(days, school_ids=ids[first : first + SCHOOLS_COMPARED])
        compared += len(rows)
        wrong += [row for row in rows if row.is_stale or row.has_drifted]
    return compared, wrong


def _note(job: Job, result: RunResult) -> None:
    job.result = {"schools": result.schools, "rows": result.rows, "written": result.written}


def _forget_quiet_run_before(job: Job) -> None:
    """A sweep a minute would fill the table: of runs in a row that found nothing, the last one stays."""
    before = Job.objects.filter(kind=job.kind, pk__lt=job.pk).order_by("-pk").first()
    if before is None or before.started_by_id is not None:
        return
    if before.state == JobState.DONE and before.result.get("rows") == 0:
        before.delete()


def _forget_other_days(days: Sequence[PlanDay]) -> int:
    """Removes rows of days that are over and no longer stored, such as yesterday's."""
    kept = Q(pk__in=())
    for plan_id in {plan_id for plan_id, _day in days}:
        kept |= Q(plan=plan_id, day__in=[day for owner, day in days if owner == plan_id])
    ComputedDay.objects.exclude(kept).delete()
    return QuotaFigure.objects.filter(day__lt=clock.today()).exclude(kept).delete()[0]


def _drift_of(rows: Sequence[Computed]) -> tuple[Drift, ...]:
    """Each value that differs, with the plan's name and the school's number."""
    plans = dict(MediaDevelopmentPlan.objects.values_list("pk", "name"))
    numbers = dict(School.objects.filter(pk__in={row.school_id for row in rows}).values_list("pk", "number"))
    return tuple(
        Drift(plans[row.plan_id], numbers[row.school_id], row.day, field.name, old, new)
        for row in rows
        for field in fields(FigureRow)
        if (old := getattr(row.stored, field.name)) != (new := getattr(row.row, field.name))
    )


def _drift_report(drift: Sequence[Drift]) -> dict[str, Any]:
    if drift:
        logger.warning("%d stored quota values had drifted and were repaired, the first: %s", len(drift), drift[0])
    return {"drifted": len(drift), "drift": [entry.as_json() for entry in drift[:DRIFT_REPORTED]]}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int) else str(value)


# The nudge


def nudge_recalculation() -> None:
    """Tells the worker after commit that figures are stale; once per transaction, however often it is called."""
    if any(entry[1] is _send_nudge for entry in connection.run_on_commit):
        return
    transaction.on_commit(_send_nudge)


def _send_nudge() -> None:
    nudge(signature(STALE_JOB))


# Plans and targets


@dataclass(frozen=True)
class GroupInput:
    """A target group as it begins: its school types (keys) and its first target."""

    name: str
    school_types: Sequence[str]
    pupils_per_device: Decimal
    source: str = ""


def raise_targets_version(*, plan_ids: Iterable[int]) -> None:
    """Marks all figures of these plans as stale; the last statement of a transaction that moves a target."""
    ids = sorted(set(plan_ids))
    with transaction.atomic():
        list(MediaDevelopmentPlan.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
        MediaDevelopmentPlan.objects.filter(pk__in=ids).update(targets_version=F("targets_version") + 1)
        nudge_recalculation()


@contextmanager
def targets_changing(*plan_ids: int) -> Iterator[None]:
    """A transaction around writes to a plan's targets, which ends by raising its version."""
    with transaction.atomic():
        yield
        raise_targets_version(plan_ids=plan_ids)


def create_plan(
    *, by: Any, name: str, starts_on: datetime.date, ends_on: datetime.date, groups: Iterable[GroupInput] = ()
) -> MediaDevelopmentPlan:
    """A plan with its target groups; each group's first target holds from the plan's first day."""
    if ends_on <= starts_on:
        raise DomainError(_("A plan ends after it began."), field="ends_on")
    with transaction.atomic():
        plan = save_by(MediaDevelopmentPlan(name=name, starts_on=starts_on, ends_on=ends_on), by=by)
        for entry in groups:
            group = save_by(TargetGroup(plan=plan, name=entry.name), by=by)
            set_members(by=by, group=group, school_types=entry.school_types)
            set_target(
                by=by,
                group=group,
                valid_from=starts_on,
                pupils_per_device=entry.pupils_per_device,
                source=entry.source,
            )
        nudge_recalculation()
    plan.refresh_from_db()
    return plan


def set_members(*, by: Any, group: TargetGroup, school_types: Iterable[str]) -> None:
    """The school types of a group, by key; a type stands in one group of a plan only (`DomainError`)."""
    keys = set(school_types)
    with targets_changing(group.plan_id):
        taken = TargetGroupMember.objects.filter(plan=group.plan_id, school_type__in=keys).exclude(group=group)
        other = taken.select_related("school_type", "group").first()
        if other is not None:
            raise DomainError(
                _("%(type)s belongs to the group “%(group)s” of this plan. Please take it out there first.")
                % {"type": other.school_type, "group": other.group.name}
            )
        unknown = keys - set(SchoolType.objects.filter(key__in=keys).values_list("key", flat=True))
        if unknown:
            raise DomainError(_("There is no school type with the key %(key)s.") % {"key": min(unknown)})
        present = {member.school_type_id: member for member in group.members.all()}
        for key in sorted(present.keys() - keys):
            delete_by(present[key], by=by)
        new = sorted(keys - present.keys())
        rows = [TargetGroupMember(plan_id=group.plan_id, group=group, school_type_id=key) for key in new]
        bulk_create_by(rows, by=by)


def set_target(
    *, by: Any, group: TargetGroup, valid_from: datetime.date, pupils_per_device: Decimal, source: str = ""
) -> Target:
    """A group's target from a day on, until the next one; a target of the same day is replaced."""
    if pupils_per_device <= 0:
        raise DomainError(_("A target needs more than 0 pupils per device."), field="pupils_per_device")
    with targets_changing(group.plan_id):
        target = Target.objects.filter(group=group, valid_from=valid_from).first()
        target = target or Target(group=group, valid_from=valid_from)
        target.pupils_per_device, target.source = pupils_per_device, source
        return save_by(target, by=by)


def delete_target(*, by: Any, target: Target) -> None:
    """Takes a target back; the one before it holds on."""
    with targets_changing(target.group.plan_id):
        delete_by(target, by=by)


def save_targets(*, by: Any, group: TargetGroup, changed: Iterable[Target], deleted: Iterable[Target] = ()) -> None:
    """Writes a group's targets as edited together; the ones taken out first, so that days may swap."""
    with targets_changing(group.plan_id):
        for target in deleted:
            delete_by(target, by=by)
        for target in changed:
            target.group = group
            save_by(target, by=by)


def delete_group(*, by: Any, group: TargetGroup) -> None:
    """Removes a group with its targets; its school types have no target in this plan then."""
    with targets_changing(group.plan_id):
        delete_by(group, by=by)
