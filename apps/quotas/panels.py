"""What the page of a school shows of its quota."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from apps.core import clock
from apps.quotas import selectors
from apps.quotas.charts import chart_of_course
from apps.quotas.course import course
from apps.quotas.wording import page_address
from apps.schools.models import School


def quota_of_school(request: HttpRequest, school: School) -> dict[str, Any] | None:
    """Today's quota against the target of the current plan; nothing for schools that do not count."""
    user: Any = request.user
    plan = selectors.current_plan()
    if plan is None or not user.has_perm("quotas.view_quotafigure"):
        return None
    figure = selectors.school_figure(plan, school, clock.today())
    if figure is None:
        return None
    points = course(schools=School.objects.filter(pk=school.pk))
    return {
        "figure": figure,
        "course": chart_of_course(points, school.short_name),
        "plan": plan,
        "status": selectors.figure_status(plan),
        "overview_url": page_address(plan.pk, figure.day),
    }
