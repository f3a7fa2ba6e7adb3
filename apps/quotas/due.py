"""What is due, known without a look at stored figures: a sweep costs no more in a large city than in a small one."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F

from apps.quotas.models import ComputedDay, MediaDevelopmentPlan
from apps.quotas.statements import PlanDay
from apps.schools.models import School


def due_schools() -> dict[int, int]:
    """Schools whose stored figures may be behind, with the version of their inputs; found by an index of their own."""
    return dict(School.objects.due().values_list("pk", "inputs_version"))


def incomplete_days(days: Iterable[PlanDay]) -> dict[PlanDay, int]:
    """Days on which some school may lack its figure or stands on old targets, with the plan's version now."""
    known = set(ComputedDay.objects.filter(targets_version=F("plan__targets_version")).values_list("plan", "day"))
    incomplete = [day for day in days if day not in known]
    versions = dict(MediaDevelopmentPlan.objects.values_list("pk", "targets_version")) if incomplete else {}
    return {(plan_id, day): versions[plan_id] for plan_id, day in incomplete if plan_id in versions}
