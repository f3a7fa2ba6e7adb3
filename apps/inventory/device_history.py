"""The past of a device in words: who wrote what when, from what to what. One read, whatever was written."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.accounts.choices import SCHOOL_ROLES
from apps.accounts.models import User
from apps.core.clock import day_of
from apps.core.history_pages import shown
from apps.inventory.models import Attachment, Device, DeviceKind, Product
from apps.inventory.querysets import school_of_then
from apps.schools.models import Membership, School, Site
from apps.schools.querysets import serves_all

SHOWN = 15
"""Entries on the device's page before somebody asks for all."""
MOST = 1000
_TRACKED = ("status", "school", "site", "room", "condition", "kind", "ownership", "product", "serial", "price",
            "bought_on", "use_until", "bound_until", "bound_by", "disposal", "disposed_on",
            "proceeds", "note")  # fmt: skip
_SPOT = ("school_id", "site_id", "room")
_NAMED = {"school": School, "site": Site, "kind": DeviceKind, "product": Product}

_ALSO = {"school": ("school_id", "last_school_id")}


@dataclass(frozen=True)
class Change:
    """One field before and after, in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class HistoryEntry:
    """Who wrote what when. `by` is None for the portal itself, `who` says it in words for the reader.

    `product` is what was recorded at first; `said` is a sentence where no field changed. `holds_from` is the day from
    which a change of place holds, where it is not the day of the entry.
    """

    at: datetime.datetime
    by: User | None
    who: str
    created: bool = False
    product: str = ""
    changes: Sequence[Change] = field(default_factory=tuple)
    reason: str = ""
    said: str = ""
    holds_from: datetime.date | None = None


def holding_days(device: Device) -> dict[int, datetime.date]:
    """By the key of a history record the day from which its change of place holds, where it was entered on another.

    Placements do not name the record that made them. Each day on which another place begins was made by a record of
    its own that led there, and later records hold from no earlier day: as many records as such days follow each other
    alike. Where there are more, since some replaced others on their day, nothing is said.
    """
    led: defaultdict[Any, list[tuple[int, datetime.date, bool]]] = defaultdict(list)
    rows = Device.history.filter(id=device.pk).order_by("history_date", "history_id")
    place = None
    for key, moment, kind, *spot in rows.values_list("history_id", "history_date", "history_type", *_SPOT):
        former, place = place, _place(spot)
        if place != former:
            led[place].append((key, day_of(moment), kind == "+"))
    begun: defaultdict[Any, list[datetime.date]] = defaultdict(list)
    for day, place in _begun(device):
        begun[place].append(day)
    return {
        key: day
        for place, days in begun.items()
        if len(days) == len(led[place])
        for (key, entered, first), day in zip(led[place], days, strict=True)
        if day != entered and not first
    }


def _begun(device: Device) -> list[tuple[datetime.date, Any]]:
    """The days on which the device came to another place, or (None) to none, with that place; in their order."""
    course: list[tuple[datetime.date, Any]] = []
    for since, until, *spot in device.placements.order_by("since").values_list("since", "until", *_SPOT):
        if course and course[-1][0] == since:
            course.pop()
        course += [(since, _place(spot)), *([(until, None)] if until else [])]
    places = [None, *(place for _day, place in course)]
    return [step for step, (before, after) in zip(course, pairwise(places), strict=True) if before != after]


def _place(spot: Sequence[Any]) -> tuple[Any, ...] | None:
    return None if spot[0] is None else tuple(spot)


def device_history(device: Device, user: User, *, most: int = MOST) -> list[HistoryEntry]:
    """The newest `most` entries, newest first; schools outside the person's scope stay unnamed.

    Who serves single schools does not read what others said about the device while it stood elsewhere, and of the
    people of other schools only their role.
    """
    people = _People(user)
    entries = [*_of_device(device, user, people, most), *_of_attachments(device, user, people, most)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:most]


class _People:
    """Who of those that wrote is named to a reader: the city's people, those of their schools, and the reader."""

    def __init__(self, user: User) -> None:
        self.reads_all = serves_all(user)
        mine = Membership.objects.filter(school__in=School.objects.visible_to(user))
        self.known = set() if self.reads_all else {user.pk, *mine.values_list("user", flat=True)}

    def name(self, by: User | None, *, at_ours: bool) -> str:
        """`at_ours`: it was written while the device stood at a school of the reader, whoever has left it since."""
        if by is None:
            return _("the portal")
        if self.reads_all or at_ours or by.role not in SCHOOL_ROLES or by.pk in self.known:
            return str(by)
        return _("%(role)s, another school") % {"role": by.get_role_display()}


def _of_device(device: Device, user: User, people: _People, most: int) -> list[HistoryEntry]:
    records = list(Device.history.filter(id=device.pk).select_related("history_user")[: most + 1])
    words, days = _Words(records, user), holding_days(device)
    return [
        HistoryEntry(
            at=record.history_date,
            by=record.history_user,
            who=people.name(record.history_user, at_ours=words.was_ours(former, record)),
            created=record.history_type == "+",
            product=words.names["product"].get(record.product_id, "") if record.history_type == "+" else "",
            changes=() if former is None else words.changes(former, record),
            reason=(record.history_change_reason or "") if words.may_read(former, record) else "",
            holds_from=days.get(record.history_id) if words.may_read(former, record) else None,
        )
        for record, former in zip(records[:most], [*records[1:], None], strict=False)
    ]


def _of_attachments(device: Device, user: User, people: _People, most: int) -> list[HistoryEntry]:
    """What a file is called says something about it, too: that stays with the school of that time."""
    rows = Attachment.history.filter(device_id=device.pk).select_related("history_user")
    records = list(rows.annotate(school_then=school_of_then("device_id", "at"))[:most])
    ours = None if serves_all(user) else set(School.objects.visible_to(user).values_list("pk", flat=True))
    said = {"+": _("File “%(name)s” added"), "-": _("File “%(name)s” removed")}
    return [
        HistoryEntry(
            at=record.history_date,
            by=record.history_user,
            who=people.name(record.history_user, at_ours=may_read),
            reason=(record.history_change_reason or "") if may_read else "",
            said=said.get(record.history_type, "%(name)s") % {"name": record.name if may_read else "…"},
        )
        for record in records
        for may_read in [ours is None or record.school_then in ours]
    ]


class _Words:
    """Turns stored values of history records into words, with one query for each kind of row they name."""

    def __init__(self, records: Sequence[Any], user: User) -> None:
        self.reads_all = serves_all(user)
        self.names = {
            name: self._names(model.objects.visible_to(user), records, _ALSO.get(name, (f"{name}_id",)))
            for name, model in _NAMED.items()
        }

    def _names(self, rows: QuerySet[Any], records: Sequence[Any], attributes: Sequence[str]) -> dict[int, str]:
        ids = {getattr(record, attribute) for record in records for attribute in attributes} - {None}
        return {row.pk: str(row) for row in rows.filter(pk__in=ids)}

    def may_read(self, former: Any, record: Any) -> bool:
        """Whether what was said at this step was said at a school of the person, or as the device came or went."""
        return self.reads_all or any(row is not None and self._is_ours(row) for row in (former, record))

    def was_ours(self, former: Any, record: Any) -> bool:
        """Whether the device stood at a school of the person before this step and after it."""
        return all(row is None or self._is_ours(row) for row in (former, record))

    def _is_ours(self, record: Any) -> bool:
        return (record.school_id or record.last_school_id) in self.names["school"]

    def changes(self, former: Any, record: Any) -> list[Change]:
        found = []
        for name in _TRACKED:
            row_field: Any = Device._meta.get_field(name)
            if getattr(former, row_field.attname) == getattr(record, row_field.attname):
                continue
            before, after = self._word(former, row_field), self._word(record, row_field)
            if name == "site" and before == after:  # of two schools, whose own line says what changed
                continue
            found.append(Change(str(capfirst(row_field.verbose_name)), before, after))
        return found

    def _word(self, record: Any, row_field: Any) -> str:
        value = getattr(record, row_field.attname)
        if value in (None, ""):
            return "–"
        if row_field.name == "room" and record.school_id and record.school_id not in self.names["school"]:
            return "…"
        if row_field.name == "note" and not self.reads_all and not self._is_ours(record):
            return "…"
        if row_field.name in self.names:
            hidden = _("another school") if row_field.name == "school" else "…"
            return self.names[row_field.name].get(value, hidden)
        return shown(record, row_field)
