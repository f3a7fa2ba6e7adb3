"""What undoing a change of many devices would do, and why it cannot be undone for some of them.

The preview and the write ask the same functions, as in `bulk`. A device goes back from the day on from which the change
held, so that its former placement goes on as if it had never ended.
"""

from __future__ import annotations

import copy
import datetime
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from apps.core import clock, formats
from apps.core.clock import today
from apps.core.errors import DomainError
from apps.inventory.binding import bound_words, is_bound
from apps.inventory.bulk import SHOWN_ROWS, Plan, Shown, last_days, place_of, state_of, steps_between
from apps.inventory.choices import PLACED_STATUSES, BulkAction, DeviceStatus
from apps.inventory.models import BulkChange, BulkItem, Device, DeviceKind
from apps.inventory.placing import ensure_bought, ensure_day, ensure_open
from apps.schools.models import School, Site

if TYPE_CHECKING:
    from apps.accounts.models import User

ROWS = {"school": School, "site": Site, "last_school": School, "kind": DeviceKind}
PLACE = frozenset({"status", "school", "site", "room", "ownership", "kind"})
"""Facts that end a placement and begin the next."""
KEPT = ("status", "school", "site", "room", "last_school", "kind", "ownership", "disposal", "disposed_on", "proceeds",
        "note")  # fmt: skip
"""Facts that a change of many devices may move, all of them."""


def facts_of(device: Device) -> dict[str, Any]:
    """The facts of KEPT as JSON keeps them: keys for rows, ISO days."""
    return {name: _kept(getattr(device, f"{name}_id" if name in ROWS else name)) for name in KEPT}


def _kept(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value) if isinstance(value, (str, Decimal)) else value


def left_mark(device: Device) -> str:
    """A short mark of the facts of KEPT, to tell whether anybody changed the device since."""
    return hashlib.blake2s(repr(facts_of(device)).encode(), digest_size=6).hexdigest()


def item_of(change: BulkChange, device: Device, before: Mapping[str, Any]) -> BulkItem:
    """What the change did to a device that is written already; `before`: `facts_of` it beforehand.

    The last school is kept in any case: what left one for good takes it along, what was in the depot has none.
    """
    after = facts_of(device)
    changed = {name: value for name, value in before.items() if after[name] != value or name == "last_school"}
    return BulkItem(change=change, device=device, before=changed, left=left_mark(device))


@dataclass(frozen=True)
class Undo:
    """The way back from a change of many devices, for the devices of one batch."""

    action: BulkAction
    on: datetime.date
    reason: str
    by: User
    items: Mapping[int, BulkItem]
    rows: Mapping[str, Mapping[int, Any]]
    schools: frozenset[int]
    """Of those that the devices go back to, the ones within the person's scope."""

    @classmethod
    def of(cls, change: BulkChange, devices: Sequence[Device], by: User) -> Undo:
        """`change` is the one that is undone."""
        found = change.items.filter(device__in=[device.pk for device in devices])
        items = {item.device_id: item for item in found}
        rows = {name: model.objects.in_bulk(_keys(items.values(), name)) for name, model in ROWS.items()}
        visible = School.objects.visible_to(by).filter(pk__in=rows["school"].keys())
        return cls(
            action=BulkAction(change.action),
            on=day_of(change),
            reason=reason_of(change),
            by=by,
            items=items,
            rows=rows,
            schools=frozenset(visible.values_list("pk", flat=True)),
        )

    def facts(self, device: Device) -> dict[str, Any]:
        """What becomes of one device again, as `batches.Entry` takes it."""
        return {name: self._value(name, value) for name, value in self.items[device.pk].before.items()}

    def _value(self, name: str, value: Any) -> Any:
        if value is None or value == "":
            return value
        if name in ROWS:
            return self.rows[name].get(value)
        if name == "disposed_on":
            return datetime.date.fromisoformat(value)
        return Decimal(value) if name == "proceeds" else value

    def device_then(self, device: Device) -> Device:
        """A copy as the device would be."""
        then = copy.copy(device)
        for name, value in self.facts(device).items():
            setattr(then, name, value)
        return then


def _keys(items: Iterable[BulkItem], name: str) -> set[int]:
    return {item.before[name] for item in items if item.before.get(name) is not None}


def day_of(change: BulkChange) -> datetime.date:
    """From when on the devices are as they were: the day of the change itself, whichever day it is undone on."""
    if change.values.get("on"):
        return datetime.date.fromisoformat(change.values["on"])
    written = change.result.get("written_at")
    return clock.day_of(datetime.datetime.fromisoformat(written)) if written else today()


def reason_of(change: BulkChange) -> str:
    """What the history says of each device."""
    return _("Undoes the change of many devices of %(moment)s: %(action)s") % {
        "moment": formats.moment(change.at),
        "action": BulkAction(change.action).label,
    }


def make_undo_plan(devices: Sequence[Device], undo: Undo) -> Plan:
    """Sorts the devices into those that go back and those that stay; they bear the same rows as in `make_plan`."""
    plan, days = Plan(), last_days(devices)
    for device in devices:
        try:
            _ensure_back(device, undo, days.get(device.pk))
        except DomainError as error:
            plan.refused[str(error)].append(device.tag)
            continue
        plan.devices.append(device)
        then = undo.device_then(device)
        if then.status in (DeviceStatus.LOST, DeviceStatus.STOLEN) and is_bound(device, undo.on):
            plan.bound.append(device)
        plan.from_where[str(device.school) if device.school else place_of(device)] += 1
        if len(plan.rows) < SHOWN_ROWS:
            plan.rows.append(Shown(device, state_of(device, undo.action), _state_then(then, device, undo.action)))
    return plan


def _state_then(then: Device, device: Device, action: BulkAction) -> str:
    """The like of `state_of`; where a device comes back to a school, that as well."""
    words, place = state_of(then, action), place_of(then)
    return f"{words}, {place}" if device.school is None and then.school is not None and words != place else words


def _ensure_back(device: Device, undo: Undo, last_day: datetime.date | None) -> None:
    item = undo.items.get(device.pk)
    if item is None or item.left != left_mark(device):
        raise DomainError(_("It was changed since, so it stays as it is."))
    then = undo.device_then(device)
    _ensure_way_back(device, then, undo.by)
    if "school" in item.before and then.school_id is not None and then.school_id not in undo.schools:
        raise DomainError(_("It stood at none of your schools before."))
    is_given_up = then.status == DeviceStatus.RETIRED or then.ownership != device.ownership
    if is_given_up and is_bound(device, undo.on):
        raise DomainError(_("A grant binds it until %(bound)s, so it stays.") % {"bound": bound_words(device)})
    if not PLACE.isdisjoint(item.before):
        _ensure_days(device, then, undo.on, last_day)


def _ensure_way_back(device: Device, then: Device, by: User) -> None:
    """One step of the workflow leads back, and the person may take it."""
    if device.status == then.status and device.school_id == then.school_id:
        return
    steps = steps_between(device.status, then.status)
    if not steps:
        raise DomainError(
            _("No step leads from “%(now)s” back to “%(before)s”. Please choose the next step on the device's page.")
            % {"now": DeviceStatus(device.status).label, "before": DeviceStatus(then.status).label}
        )
    if not any(by.has_perm(step.permission) for step in steps):
        raise DomainError(_("You may not take the step that leads back. Please ask IT support."))


def _ensure_days(device: Device, then: Device, day: datetime.date, last_day: datetime.date | None) -> None:
    if device.status not in PLACED_STATUSES and then.status not in PLACED_STATUSES:
        return
    if device.status in PLACED_STATUSES and then.status in PLACED_STATUSES and _same_place(device, then):
        return
    if last_day is not None and day < last_day:
        raise DomainError(
            _(
                "Something changed on %(later)s again, so it cannot be as before from %(day)s on. Please change it on"
                " the device's page, on %(later)s at the earliest."
            )
            % {"later": formats.day(last_day), "day": formats.day(day)}
        )
    ensure_day(day, None)
    if then.status in PLACED_STATUSES and then.school is not None:
        ensure_bought(device.bought_on, day)
        ensure_open(then.school, day)


def _same_place(device: Device, then: Device) -> bool:
    names = ("school_id", "site_id", "room", "ownership", "kind_id")
    return all(getattr(device, name) == getattr(then, name) for name in names)
