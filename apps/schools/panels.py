"""What the page of a school shows of its network and platforms."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from apps.core.days import AskedDay, asked_day
from apps.schools.models import School, Site
from apps.schools.network import platforms_on, sites_on


def network_of_school(request: HttpRequest, school: School) -> dict[str, Any] | None:
    """Network of its sites and platforms as of the page's day; nothing for those who may not read it."""
    user: Any = request.user
    if not user.has_perm("schools.view_fibreline"):
        return None
    asked = asked_day(request)
    schools = School.objects.visible_to(user).filter(pk=school.pk)
    sites = Site.objects.visible_to(user).filter(school=school)
    return {
        "sites": sites_on(sites, asked.day),
        "platforms": platforms_on(schools, asked.day),
        "city_url": _city_address(asked) if user.has_perm("schools.view_city_network") else "",
    }


def _city_address(asked: AskedDay) -> str:
    return "?".join(filter(None, (reverse("schools:network"), urlencode(asked.query))))
