"""What the page of a school shows of its network and platforms."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from apps.core import clock
from apps.schools.models import School, Site
from apps.schools.network import platforms_on, sites_on


def network_of_school(request: HttpRequest, school: School) -> dict[str, Any] | None:
    """Today's network of its sites and its platforms; nothing for those who may not read it."""
    user: Any = request.user
    if not user.has_perm("schools.view_fibreline"):
        return None
    schools = School.objects.visible_to(user).filter(pk=school.pk)
    sites = Site.objects.visible_to(user).filter(school=school)
    return {
        "sites": sites_on(sites, clock.today()),
        "platforms": platforms_on(schools, clock.today()),
        "may_see_city": user.has_perm("schools.view_city_network"),
    }
