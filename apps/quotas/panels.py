"""What the page of a school shows of its quota."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from apps.core.days import asked_day
from apps.quotas import selectors
from apps.quotas.charts import chart_of_course
from apps.quotas.course import course, up_to
from apps.quotas.wording import page_address, school_address
from apps.schools.models import School


def plan_of_day(request: HttpRequest, _school: School) -> dict[str, Any] | None:
    """The plan whose targets hold on the page's day, for the head of the page."""
    day = asked_day(request).day
    plan = selectors.current_plan(day)
    if plan is None or not request.user.has_perm("quotas.view_quotafigure"):
        return None
    return {"plan": plan, "url": page_address(plan.pk, day)}


def quota_of_school(request: HttpRequest, school: School) -> dict[str, Any] | None:
    """Quota against the target of the plan in force on the page's day; nothing for schools that do not count then."""
    user: Any = request.user
    day = asked_day(request).day
    plan = selectors.current_plan(day)
    if plan is None or not user.has_perm("quotas.view_quotafigure"):
        return None
    figure = selectors.school_figure(plan, school, day)
    if figure is None:
        return None
    points = course(day, schools=School.objects.filter(pk=school.pk))
    return {
        "figure": figure,
        "course": chart_of_course(up_to(figure, points), school.short_name),
        "plan": plan,
        "target": selectors.target_in_force(plan, school, day),
        "counts_url": school_address(figure, "counts"),
        "status": selectors.figure_status(plan),
        "overview_url": page_address(plan.pk, figure.day),
    }
