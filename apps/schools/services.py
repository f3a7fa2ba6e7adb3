"""Writes about schools. `raise_inputs_version` is the last statement of whatever can move a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from apps.core.history import bulk_create_by, delete_by, save_by
from apps.core.querysets import ensure_still_visible
from apps.core.text import search_text, sort_key
from apps.schools.choices import OFFICIAL_SCHOOL_TYPES
from apps.schools.models import Membership, PupilCount, PupilWeight, School, SchoolAuthority, SchoolType, Site

FIGURE_FIELDS = frozenset({"school_type", "authority", "opened_on", "closed_on"})
"""Fields of a school that decide whether and how it counts in the quota."""

_listeners: list[Callable[[], None]] = []


def register_inputs_listener(callback: Callable[[], None]) -> None:
    """A higher app is told, inside the transaction, that figures became stale (it nudges its job on commit)."""
    _listeners.append(callback)


_renamed_listeners: list[Callable[[Sequence[int]], None]] = []


def register_renamed_listener(callback: Callable[[Sequence[int]], None]) -> None:
    """A higher app is told, after commit, which schools bear another name (it stores names to search by)."""
    _renamed_listeners.append(callback)


def tell_renamed(school_ids: Iterable[int]) -> None:
    """Tells the listeners after commit: they write many rows that others may hold, and a failure is only logged."""
    ids = sorted(set(school_ids))
    if ids:
        for callback in _renamed_listeners:
            transaction.on_commit(partial(callback, ids), robust=True)


def raise_inputs_version(school_ids: Iterable[int]) -> None:
    """Marks the figures of these schools as stale. Locks the rows in primary-key order.

    Call it as the last statement of the transaction that changed placements, counts or the school itself.
    """
    ids = sorted(set(school_ids))
    if not ids:
        return
    with transaction.atomic():
        # no_key: whoever only refers to the school, such as a new ticket, need not wait
        rows = School.objects.select_for_update(no_key=True).filter(pk__in=ids)
        list(rows.order_by("pk").values_list("pk", flat=True))
        School.objects.filter(pk__in=ids).update(inputs_version=F("inputs_version") + 1)
        for callback in _listeners:
            callback()


def ensure_school_types() -> None:
    """Adds the official school types that are missing; names that were changed here stay."""
    known = set(SchoolType.objects.values_list("key", flat=True))
    bulk_create_by([SchoolType(key=key, name=name) for key, name in OFFICIAL_SCHOOL_TYPES if key not in known], by=None)


def authority_name(number: str) -> str:
    """How a school authority is called before somebody names it; in the portal's language, as it is stored."""
    if number == settings.OWN_AUTHORITY_NUMBER:
        return str(settings.CITY_NAME)
    with translation.override(settings.LANGUAGE_CODE):
        return _("School authority %(number)s") % {"number": number}


def ensure_authority(number: str, *, by: Any = None, reason: str = "") -> SchoolAuthority:
    """The school authority of that number; created when unknown. The own one is known by the settings."""
    known = SchoolAuthority.objects.filter(number=number).first()
    if known is not None:
        return known
    is_own = number == settings.OWN_AUTHORITY_NUMBER
    return save_by(SchoolAuthority(number=number, name=authority_name(number), is_own=is_own), by=by, reason=reason)


def main_site_name() -> str:
    """What the site of the official address is called; in the portal's language, as it is stored."""
    with translation.override(settings.LANGUAGE_CODE):
        return _("Main site")


def fill_search(school: School, *, type_name: str, town: str) -> None:
    """Sets the stored sort and search columns; call before every save of a school."""
    school.sort_key = sort_key(school.short_name)[:160]
    school.search_text = search_text(school.number, school.short_name, school.official_name, type_name, town)


def _town_of(school: School) -> str:
    towns = Site.objects.filter(school=school.pk, is_main=True).values_list("city", flat=True)
    return towns.first() or ""


def _refresh_search(school_ids: Iterable[int]) -> None:
    """Rewrites what schools are found by after a site of theirs changed."""
    for school in School.objects.select_related("school_type").filter(pk__in=school_ids).order_by("pk"):
        fill_search(school, type_name=school.school_type.name, town=_town_of(school))
        School.objects.filter(pk=school.pk).update(search_text=school.search_text)


def _ensure_in_scope(row: models.Model, by: Any) -> None:
    """People stay inside their scope; the portal itself (`by` None) has none."""
    if by is not None:
        ensure_still_visible(row, by)


@transaction.atomic
def save_school(*, school: School, by: Any, reason: str = "") -> School:
    """Saves a new or changed school with history; its figures become stale when it counts differently.

    Raises `DomainError` when the school would leave the writer's scope.
    """
    before = School.objects.filter(pk=school.pk).values_list(*sorted(FIGURE_FIELDS)).first()
    name = School.objects.filter(pk=school.pk).values_list("short_name", flat=True).first()
    fill_search(school, type_name=school.school_type.name, town=_town_of(school))
    save_by(school, by=by, reason=reason)
    _ensure_in_scope(school, by)
    after = School.objects.filter(pk=school.pk).values_list(*sorted(FIGURE_FIELDS)).first()
    if name not in {None, school.short_name}:
        tell_renamed([school.pk])
    if before != after:
        raise_inputs_version([school.pk])
    return school


@transaction.atomic
def save_details(*, rows: Sequence[models.Model], by: Any, reason: str = "") -> None:
    """Saves sites, pupil counts or social indices of schools; counts make the figures of their schools stale.

    A site that is no longer the main one is saved before the one that becomes it.
    Raises `DomainError` when a row would leave the writer's scope.
    """
    stale: set[int] = set()
    for row in sorted(rows, key=lambda row: bool(getattr(row, "is_main", False))):
        if isinstance(row, PupilCount):
            stale |= {row.school_id, *PupilCount.objects.filter(pk=row.pk).values_list("school", flat=True)}
        save_by(row, by=by, reason=reason)
        _ensure_in_scope(row, by)
    _refresh_search({row.school_id for row in rows if isinstance(row, Site)})
    raise_inputs_version(stale)


@transaction.atomic
def save_weight(*, weight: PupilWeight, by: Any) -> PupilWeight:
    """Saves how much pupils of a school type count; all schools of the type become stale."""
    before = PupilWeight.objects.filter(pk=weight.pk).values_list("school_type", flat=True)
    types = {weight.school_type_id, *before}
    save_by(weight, by=by)
    _raise_for(school_type__in=types)
    return weight


@transaction.atomic
def save_authority(*, authority: SchoolAuthority, by: Any) -> SchoolAuthority:
    """Saves a school authority; all its schools become stale when it becomes (or is no longer) the own one."""
    was_own = SchoolAuthority.objects.filter(pk=authority.pk).values_list("is_own", flat=True).first()
    save_by(authority, by=by)
    if was_own is not None and was_own != authority.is_own:
        _raise_for(authority=authority)
    return authority


@transaction.atomic
def save_school_type(*, school_type: SchoolType, by: Any) -> SchoolType:
    """Saves a school type; all its schools become stale when it becomes (or is no longer) a real school."""
    was_school = SchoolType.objects.filter(pk=school_type.pk).values_list("is_school", flat=True).first()
    save_by(school_type, by=by)
    if was_school is not None and was_school != school_type.is_school:
        _raise_for(school_type=school_type)
    return school_type


def _raise_for(**schools: Any) -> None:
    raise_inputs_version(School.objects.filter(**schools).values_list("pk", flat=True))


@transaction.atomic
def set_schools(*, user: Any, schools: Iterable[School], by: Any, reason: str = "") -> None:
    """The schools that a person serves from now on; memberships that are no longer meant end."""
    wanted = {school.pk: school for school in schools}
    for membership in Membership.objects.select_for_update().filter(user=user).order_by("pk"):
        if membership.school_id in wanted:
            del wanted[membership.school_id]
        else:
            delete_by(membership, by=by, reason=reason)
    for school in wanted.values():
        save_by(Membership(user=user, school=school), by=by, reason=reason)
