"""What is due, known without a look at stored figures: a sweep costs no more in a large city than in a small one."""

from __future__ import annotations

from collections.abc import Iterable

from apps.quotas.models import ComputedDay, MediaDevelopmentPlan
from apps.quotas.statements import PlanDay
from apps.schools.models import School


def due_schools() -> dict[int, int]:
    """Schools whose stored figures may be behind, with the version of their inputs; found by an index of their own."""
    return dict(School.objects.due().values_list("pk", "inputs_version"))


def incomplete_days(days: Iterable[PlanDay]) -> dict[PlanDay, int]:
    """Days on which some school may lack its figure or stands on old targets, with the plan's version now."""
    versions = dict(MediaDevelopmentPlan.objects.values_list("pk", "targets_version"))
    known = {
        (plan_id, day): version
        for plan_id, day, version in ComputedDay.objects.values_list("plan_id", "day", "targets_version")
    }
    return {day: versions[day[0]] for day in days if day[0] in versions and known.get(day) != versions[day[0]]}
