"""Measures of lists for `make bench`: the device list, its filters and its search, as the office opens them.

Each is held against the same page in the small city, and against a plain Django view and template that show the same
fifty rows through the same middleware. This module is the addresses of the portal with that view beside them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_table import Bench, medians_in_turn_ms

GROWTH_LIMIT, PLAIN_LIMIT = 1.5, 3.0
TIMES = 20
PLAIN = "/bench/plain/"
DEVICE_PAGES = {
    "device list": "/inventory/",
    "device list, all devices": "/inventory/?status=all",
    "device list, page 20": "/inventory/?page=20",
    "device list, one school": "/inventory/?school={school}",
    "device list, by status": "/inventory/?status=retired",
    "device list, by kind": "/inventory/?kind=tablet",
    "device list, by a rare kind": "/inventory/?kind=document_camera",
    "device list, sorted by day": "/inventory/?sort=-bought_on",
    "device list, search for a frequent word": "/inventory/?q=tablet",
    "device list, search for few devices": "/inventory/?q={part}",
    "device list, search for nothing": "/inventory/?q=gibtesnicht",
}
OTHER_LISTS = {
    "application list": "/applications/",
    "ticket list": "/tickets/",
    "school list": "/schools/",
    "admin, devices": "/admin/inventory/device/",
    "admin, devices, searched": "/admin/inventory/device/?q=tablet",
    "admin, schools": "/admin/schools/school/",
}
TEMPLATE = """{% extends "base.html" %}{% load portal %}{% block content %}<table>{% for device in devices %}<tr>
<th><a href="{{ device.get_absolute_url }}">{{ device.tag }}</a></th>
<td>{{ device.product }}</td><td>{{ device.kind }}</td><td>{{ device.serial }}</td>
<td>{{ device.get_status_display }}</td><td>{{ device.school|default:"" }}</td>
<td>{{ device.room }}</td><td>{{ device.bought_on|day }}</td></tr>{% endfor %}</table>{% endblock content %}"""


def plain_list(request: Any) -> Any:
    """The same rows by the means of Django alone."""
    from django.http import HttpResponse
    from django.template import engines

    from apps.inventory.choices import PRESENT_STATUSES
    from apps.inventory.models import Device

    rows = Device.objects.visible_to(request.user).filter(status__in=PRESENT_STATUSES).order_by("tag")
    devices = rows.select_related("product", "kind", "school", "last_school")[:50]
    return HttpResponse(engines["django"].from_string(TEMPLATE).render({"devices": devices}, request))


def __getattr__(name: str) -> Any:
    """Addresses for the resolver, made only once Django is ready."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.urls import path

    from mepportal.urls import urlpatterns

    return [path(PLAIN.removeprefix("/"), plain_list), *urlpatterns]


def page_of_the_office() -> Callable[[str], Callable[[], object]]:
    """Makes a function that asks for an address as a clerk, whose scope is the city's own schools."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    people = json.loads((Path(settings.VAR_DIR) / "demo.json").read_text(encoding="utf-8"))
    email = next(person["email"] for person in people if person["role"] == "office_clerk")
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(get_user_model().objects.get(email=email))

    def page(address: str) -> Callable[[], object]:
        def act() -> None:
            response = client.get(address)
            if response.status_code != 200:
                raise SystemExit(f"{address} answered {response.status_code}")

        return act

    return page


def measure_lists(bench: Bench, city: str, before: str | None) -> None:
    """Each list against itself in the small city, and the lists of devices against the plain page of this city."""
    from django.test import override_settings

    from apps.inventory.models import Device

    middle = Device.objects.filter(status="in_use").order_by("-pk")[7]
    known = {"school": middle.school.number, "part": middle.serial[:-1].lower()}
    with override_settings(ROOT_URLCONF=__name__):
        page = page_of_the_office()
        for name, address in (DEVICE_PAGES | OTHER_LISTS).items():
            value, plain = medians_in_turn_ms(page(address.format(**known)), page(PLAIN), times=TIMES)
            if before is None:
                bench.take(f"{city}: {name}", value)
            else:
                bench.take(f"{city}: {name}", value, f"{before}: {name}", limit=GROWTH_LIMIT)
            if name in DEVICE_PAGES:
                bench.take(f"{city}: plain template beside {name}", plain)
                bench.take(
                    f"{city}: {name}, by plain template", value, f"{city}: plain template beside {name}",
                    limit=PLAIN_LIMIT,
                )  # fmt: skip
