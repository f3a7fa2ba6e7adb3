"""What is to happen to many devices at once, and why it cannot happen to some: pure but for what is read beforehand.

The preview and the write ask the same functions, so the page says what would happen now.
"""

from __future__ import annotations

import datetime
import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from apps.core.clock import today
from apps.core.errors import DomainError
from apps.core.transitions import Transition
from apps.inventory.binding import bound_reference, bound_words, is_bound
from apps.inventory.choices import BulkAction, DeviceStatus
from apps.inventory.loan_selectors import last_loans, lent_since
from apps.inventory.models import Device, DeviceKind, Placement
from apps.inventory.placing import LoanDays, ensure_bought, ensure_day, ensure_open
from apps.inventory.workflow import TRANSITIONS
from apps.schools.models import School, Site
from apps.schools.selectors import only_site

STEPS = {
    BulkAction.MOVE: "move_device",
    BulkAction.ROOM: "move_device",
    BulkAction.STOCK: "take_to_stock",
    BulkAction.REPAIR: "send_to_repair",
    BulkAction.REPAIRED: "return_from_repair",
    BulkAction.RETIRE: "retire_device",
    BulkAction.LOST: "report_lost",
    BulkAction.STOLEN: "report_stolen",
}
"""Action -> step of the workflow; the others are corrections."""
CORRECTING = {
    BulkAction.NOTE: "inventory.change_device",
    BulkAction.OWNERSHIP: "inventory.change_device",
    BulkAction.KIND: "inventory.classify_device",
}
TARGETS = {
    BulkAction.MOVE: DeviceStatus.IN_USE,
    BulkAction.ROOM: DeviceStatus.IN_USE,
    BulkAction.STOCK: DeviceStatus.IN_STOCK,
    BulkAction.REPAIR: DeviceStatus.IN_REPAIR,
    BulkAction.REPAIRED: DeviceStatus.IN_USE,
    BulkAction.RETIRE: DeviceStatus.RETIRED,
    BulkAction.LOST: DeviceStatus.LOST,
    BulkAction.STOLEN: DeviceStatus.STOLEN,
}
LOSSES = frozenset({BulkAction.LOST, BulkAction.STOLEN})
CHANGES_PLACE = LOSSES | {BulkAction.RETIRE, BulkAction.MOVE, BulkAction.ROOM, BulkAction.STOCK}
"""Actions that no device takes while it is lent out by its school: not on a day of a past loan either."""
SHOWN_TAGS, SHOWN_ROWS = 20, 50
LEAVES_SCHOOL = frozenset({BulkAction.MOVE, BulkAction.STOCK})
KEEPS_PLACE = frozenset({BulkAction.REPAIR, BulkAction.REPAIRED, BulkAction.NOTE})
"""Actions that move no figure, and so know no day."""


def permission_of(action: str) -> str:
    """What the person must be granted for it: the same as for one device."""
    known = BulkAction(action)
    return TRANSITIONS.transitions[STEPS[known]].permission if known in STEPS else CORRECTING[known]


@dataclass(frozen=True)
class Wish:
    """The action with its entries; `on` is the day from which on it holds."""

    action: BulkAction
    on: datetime.date
    school: School | None = None
    room: str = ""
    reason: str = ""
    note: str = ""
    ownership: str = ""
    kind: DeviceKind | None = None

    @classmethod
    def of(cls, action: str, values: Mapping[str, Any]) -> Wish:
        """From what a `BulkChange` keeps: keys for rows, ISO days."""
        words = {name: values.get(name, "") for name in ("room", "reason", "note", "ownership")}
        return cls(
            action=BulkAction(action),
            on=datetime.date.fromisoformat(values["on"]) if values.get("on") else today(),
            school=School.objects.filter(pk=values["school"]).first() if values.get("school") else None,
            kind=DeviceKind.objects.filter(pk=values["kind"]).first() if values.get("kind") else None,
            **words,
        )

    @cached_property
    def _only_site(self) -> Site | None:
        return only_site(self.school) if self.school is not None else None

    def _is_there(self, device: Device) -> bool:
        return self.school is not None and device.school_id == self.school.pk

    def facts(self, device: Device) -> dict[str, Any]:
        """What becomes of one device, as `batches.Entry` takes it."""
        if self.action == BulkAction.NOTE:
            return {"note": "\n".join(part for part in (device.note, self.note.strip()) if part)}
        if self.action == BulkAction.OWNERSHIP:
            return {"ownership": self.ownership}
        if self.action == BulkAction.KIND:
            return {"kind": self.kind}
        status = {"status": TARGETS[self.action].value}
        if self.action == BulkAction.MOVE:
            site = device.site if self._is_there(device) else None
            room = self.room or (device.room if self._is_there(device) else "")
            return {**status, "school": self.school, "site": site or self._only_site, "room": room}
        return {**status, "room": self.room} if self.action == BulkAction.ROOM else status


@dataclass(frozen=True)
class Shown:
    """One device on the preview, before and after in words."""

    device: Device
    before: str
    after: str


@dataclass
class Plan:
    """What would happen: the devices that it can happen to, and the reasons why not, each with its devices.

    Of a loss or theft: how many loans would end, and which of the devices a grant binds. Of a move to another place:
    the numbers of devices of the same kits that stay behind. Of each step: from which status none leads back at once.
    """

    devices: list[Device] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    gone: int = 0
    from_where: Counter[str] = field(default_factory=Counter)
    rows: list[Shown] = field(default_factory=list)
    bound: list[Device] = field(default_factory=list)
    ends_loans: int = 0
    one_way: Counter[str] = field(default_factory=Counter)
    left_behind: list[str] = field(default_factory=list)

    @property
    def bindings(self) -> list[tuple[str, str]]:
        """The first of the devices that would be lost although a grant binds them: number, and by which grant."""
        return [(device.tag, bound_reference(device)) for device in self.bound[:SHOWN_ROWS]]

    @property
    def number_one_way(self) -> int:
        return self.one_way.total()

    @property
    def refusals(self) -> list[tuple[str, int, list[str]]]:
        """Reason, number of devices, the first of their inventory numbers; the most frequent first."""
        ordered = sorted(self.refused.items(), key=lambda item: (-len(item[1]), item[0]))
        return [(reason, len(tags), tags[:SHOWN_TAGS]) for reason, tags in ordered]

    @property
    def number_refused(self) -> int:
        return sum(len(tags) for tags in self.refused.values())

    @property
    def places(self) -> list[tuple[str, int]]:
        return self.from_where.most_common(SHOWN_ROWS)


def mark_of(device: Device) -> str:
    """A short mark of the facts that a preview shows or decides by."""
    facts = (device.status, device.school_id, device.site_id, device.room, device.kind_id, device.ownership,
             device.bought_on, device.note)  # fmt: skip
    return hashlib.blake2s(repr(facts).encode(), digest_size=6).hexdigest()


def make_plan(devices: Sequence[Device], wish: Wish, *, seen: Mapping[str, str] | None = None) -> Plan:
    """Sorts the devices into those that it can happen to and those that it cannot.

    They bear `product`, `kind`, `school`, `site` and `last_school`. With `seen`, a device that is no longer as it was
    shown is refused.
    """
    plan, days = Plan(), last_days(devices)
    lent, back = (lent_since(devices), last_loans(devices)) if wish.action in CHANGES_PLACE else ({}, {})
    for device in devices:
        reason = _meanwhile(device, seen) or _refusal(
            device, wish, days.get(device.pk), lent_on=lent.get(device.pk), last_loan=back.get(device.pk)
        )
        if reason:
            plan.refused[reason].append(device.tag)
            continue
        plan.devices.append(device)
        if wish.action in STEPS and not steps_between(TARGETS[wish.action], device.status):
            plan.one_way[str(device.get_status_display())] += 1
        if wish.action in LOSSES:
            plan.ends_loans += device.status == DeviceStatus.ON_LOAN
            plan.bound += [device] if is_bound(device, wish.on) else []
        plan.from_where[str(device.school) if device.school else place_of(device)] += 1
        if len(plan.rows) < SHOWN_ROWS:
            plan.rows.append(Shown(device, state_of(device, wish.action), _after(device, wish)))
    return plan


def steps_between(source: str, target: str) -> list[Transition]:
    return [step for _name, step in TRANSITIONS if source in step.sources and target in step.targets]


def _meanwhile(device: Device, seen: Mapping[str, str] | None) -> str:
    if seen is None or seen.get(str(device.pk)) == mark_of(device):
        return ""
    return _("It was changed after it was shown. Please check it again.")


def last_days(devices: Sequence[Device]) -> dict[int, datetime.date]:
    """By device the day of its last change of place; a change may not lie before it."""
    rows = Placement.objects.filter(device__in=[device.pk for device in devices]).order_by()
    days = rows.values("device").annotate(day=Max(Coalesce("until", "since")))
    return dict(days.values_list("device", "day"))


def _refusal(
    device: Device,
    wish: Wish,
    last_day: datetime.date | None,
    *,
    lent_on: datetime.date | None,
    last_loan: LoanDays | None,
) -> str:
    try:
        _ensure_step(device, wish)
        _ensure_change(device, wish)
        _ensure_free(device, wish)
        if wish.action not in KEEPS_PLACE:
            ensure_day(wish.on, last_day, lent_on=lent_on, last_loan=last_loan)
            _ensure_school(device, wish)
    except DomainError as error:
        return str(error)
    return ""


def _ensure_step(device: Device, wish: Wish) -> None:
    if wish.action in STEPS and not TRANSITIONS.allowed(STEPS[wish.action], source=device.status):
        raise DomainError(
            _("This is not possible now: the device is “%(status)s”.") % {"status": DeviceStatus(device.status).label}
        )
    if wish.action == BulkAction.ROOM and device.school_id is None:
        raise DomainError(_("It stands at no school and so in no room."))


def _ensure_change(device: Device, wish: Wish) -> None:
    """What is so already is left alone."""
    if wish.action == BulkAction.KIND and wish.kind is None:
        raise DomainError(_("The kind of device is no longer there. Please choose another one."))
    for name, value in wish.facts(device).items():
        if getattr(device, name) != value:
            return
    raise DomainError(_("It is so already."))


def _ensure_free(device: Device, wish: Wish) -> None:
    """Whoever may let a bound device go says why for each, on its own page."""
    if wish.action in (BulkAction.RETIRE, BulkAction.OWNERSHIP) and is_bound(device, wish.on):
        raise DomainError(
            _(
                "A grant binds it until %(bound)s, so it stays. Who may allow it does so on the device's page,"
                " with a reason."
            )
            % {"bound": bound_words(device)}
        )


def _ensure_school(device: Device, wish: Wish) -> None:
    """Where it is to stand, or stays, from that day on."""
    school = wish.school if wish.action == BulkAction.MOVE else device.school
    stays = wish.action in (BulkAction.MOVE, BulkAction.ROOM, BulkAction.OWNERSHIP, BulkAction.KIND)
    if stays and school is not None:
        ensure_bought(device.bought_on, wish.on)
        ensure_open(school, wish.on)


def place_of(device: Device) -> str:
    """Where a device stands, in words; for what stands nowhere its status."""
    if device.school is None:
        return str(DeviceStatus(device.status).label)
    return ", ".join(part for part in (str(device.school), device.room) if part)


def state_of(device: Device, action: BulkAction) -> str:
    """What such a change is about, as it is: the like of what `_after` says."""
    if action == BulkAction.NOTE:
        return device.note or _("no note")
    if action == BulkAction.OWNERSHIP:
        return str(device.get_ownership_display())
    if action == BulkAction.KIND:
        return str(device.kind)
    if action in (BulkAction.MOVE, BulkAction.ROOM, BulkAction.STOCK):
        return place_of(device)
    return str(device.get_status_display())


def _after(device: Device, wish: Wish) -> str:
    if wish.action == BulkAction.NOTE:
        return str(wish.facts(device)["note"])
    if wish.action == BulkAction.OWNERSHIP:
        return str(Device(ownership=wish.ownership).get_ownership_display())
    if wish.action == BulkAction.KIND:
        return str(wish.kind)
    if wish.action == BulkAction.MOVE:
        return ", ".join(part for part in (str(wish.school), wish.facts(device)["room"]) if part)
    if wish.action == BulkAction.ROOM:
        return ", ".join(part for part in (str(device.school), wish.room) if part)
    return str(TARGETS[wish.action].label)
