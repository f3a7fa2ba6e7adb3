"""Writes the generated devices set-based: their rows, placements and history, all out of the same dated steps."""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings

from apps.accounts.models import User
from apps.inventory.choices import ENDED_STATUSES, Ownership
from apps.inventory.models import Device, Placement, TagSequence
from apps.inventory.numbering import tag_of
from apps.inventory.placing import search_text_of
from apps.schools.models import PupilCount, School, Site
from mepportal.demo.catalogue import Catalogue
from mepportal.demo.course_of_devices import Course, Courses, Step
from mepportal.demo.days import at_noon
from mepportal.demo.people import People
from mepportal.demo.pupils import REAL_YEAR
from mepportal.demo.seats import seats_of

SEED = 2026
BATCH = 500
PRICELESS = frozenset({Ownership.PARENT_FINANCED, Ownership.DONATED})
"""The city paid nothing for these."""

_Record: Any = Device.history.model  # type: ignore[attr-defined]
_TRACKED = [field.attname for field in _Record.tracked_fields]


def load_devices(schools: list[School], catalogue: Catalogue, people: People) -> int:
    """Writes all devices, the oldest with the lowest inventory number; returns how many."""
    courses = _courses(schools, catalogue)
    sites = {site.school_id: site for site in Site.objects.filter(is_main=True)}
    devices = [_device(course, number, sites) for number, course in enumerate(courses, start=1)]
    Device.objects.bulk_create(devices, batch_size=BATCH)
    _set_recorded_at(devices)
    pairs = list(zip(devices, courses, strict=True))
    Placement.objects.bulk_create(
        [placement for pair in pairs for placement in _placements(*pair, sites, people.support)], batch_size=BATCH
    )
    _Record.objects.bulk_create(
        [record for pair in pairs for record in _history(*pair, sites, people)], batch_size=BATCH
    )
    TagSequence.objects.update_or_create(prefix=settings.TAG_PREFIX, defaults={"last": len(devices)})
    return len(devices)


def _courses(schools: list[School], catalogue: Catalogue) -> list[Course]:
    """Those of all places, in the order of purchase."""
    counts = PupilCount.objects.filter(school__in=schools, school_year=REAL_YEAR)
    pupils = dict(counts.values_list("school_id", "pupils"))
    seats = list(seats_of(schools, pupils, random.Random(SEED)))
    courses = Courses(catalogue, schools, random.Random(SEED + 1))
    return sorted((course for seat in seats for course in courses.of(seat)), key=lambda course: course.bought_on)


def _device(course: Course, number: int, sites: Mapping[int, Site]) -> Device:
    last = course.steps[-1]
    device = Device(
        tag=tag_of(number),
        serial=f"DEMO{number:08d}",
        product=course.product,
        kind=course.product.kind,
        ownership=course.ownership,
        price=None if course.ownership in PRICELESS else course.product.gross_price,
        bought_on=course.bought_on,
        status=last.status,
        school=last.school,
        site=None if last.school is None else sites[last.school.pk],
        room=last.room,
        last_school=_last_school(course.steps),
    )
    device.search_text = search_text_of(device)
    return device


def _last_school(steps: Sequence[Step]) -> School | None:
    """Where an ended device stood last; None while it has not ended."""
    if steps[-1].status not in ENDED_STATUSES:
        return None
    return next((step.school for step in reversed(steps) if step.school is not None), None)


def _set_recorded_at(devices: Sequence[Device]) -> None:
    """Recorded when bought; a few statements, because many are bought on one day."""
    for day in sorted({device.bought_on for device in devices if device.bought_on}):
        Device.objects.filter(bought_on=day).update(created_at=at_noon(day))
    for device in devices:
        device.created_at = at_noon(device.bought_on or datetime.date.min)


def _placements(device: Device, course: Course, sites: Mapping[int, Site], by: User) -> Iterator[Placement]:
    """One for each stay at one place; a device away for repair keeps its own."""
    stays = [list(group) for _spot, group in itertools.groupby(course.steps, key=lambda step: (step.school, step.room))]
    ends = [stay[0].day for stay in stays[1:]] + [None]
    for stay, until in zip(stays, ends, strict=True):
        school = stay[0].school
        if school is not None:
            yield Placement(
                device=device,
                school=school,
                site=sites[school.pk],
                room=stay[0].room,
                since=stay[0].day,
                until=until,
                countable=device.kind.countable,
                presentation=device.kind.presentation,
                ownership=device.ownership,
                by=by,
            )


def _history(device: Device, course: Course, sites: Mapping[int, Site], people: People) -> Iterator[Any]:
    """One record for each step, with its day and person."""
    facts = {name: getattr(device, name) for name in _TRACKED}
    for index, step in enumerate(course.steps):
        school = step.school
        moment = at_noon(step.day)
        facts |= {
            "status": step.status,
            "school_id": None if school is None else school.pk,
            "site_id": None if school is None else sites[school.pk].pk,
            "room": step.room,
            "last_school_id": device.last_school_id if step.status in ENDED_STATUSES else None,
        }
        yield _Record(
            history_date=moment,
            history_type="~" if index else "+",
            history_change_reason=step.reason or None,
            history_user=_person(step, course.steps[max(index - 1, 0)], people),
            **facts,
        )


def _person(step: Step, before: Step, people: People) -> User:
    """The coordinator of the school where it happens, or the support."""
    school = step.school or before.school
    return people.coordinators[school.number] if step.by == "coordinator" and school else people.support
