"""New devices that a list names, in a fixed number of statements for each batch. Part of the services.

The order of locks is that of `batches`: the kinds first; after the last batch the caller raises the versions of the
schools that `create_batch` returned.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.core.history import bulk_create_by
from apps.core.text import search_text
from apps.inventory.choices import ENDED_STATUSES, PLACED_STATUSES, DeviceStatus
from apps.inventory.models import Device, Placement
from apps.inventory.numbering import next_tags
from apps.inventory.placing import Spot, ensure_bought, ensure_day, ensure_open, placement_for
from apps.inventory.services import masses
from apps.inventory.services.batches import BATCH, BINDING, FACTS, ensure_may_bind
from apps.inventory.services.common import ensure_may
from apps.inventory.services.loan_rows import follow_statuses

if TYPE_CHECKING:
    from apps.accounts.models import User

FEW = 20
"""Below so many new devices the staging table costs more than it saves."""


@dataclass(slots=True)
class Newcomer:
    """A device that is not on file: what it is to be, and from which day on it stands so.

    `facts` holds fields of FACTS with values of the model's kind; product, kind, ownership and status always. One
    without a tag gets a running number. `last_school` is only for one that is lost, stolen or retired already.
    """

    facts: dict[str, Any]
    day: datetime.date
    search_text: str = ""


def create_batch(entries: Sequence[Newcomer], *, by: User | None, reason: str) -> set[int]:
    """Writes new devices with placements and history; returns the schools whose figures moved.

    Raises `DomainError` for a day on which a device cannot stand at its school.
    """
    ensure_allowed(entries, by=by)
    _number(entries)
    lent = [entry for entry in entries if entry.facts["status"] == DeviceStatus.ON_LOAN]
    others = [entry for entry in entries if entry.facts["status"] != DeviceStatus.ON_LOAN]
    if masses.is_possible() and len(others) >= FEW:
        masses.insert_devices(others, by=by, reason=reason)
    else:
        _create(others, by=by, reason=reason)
    devices = _create(lent, by=by, reason=reason)
    if devices:
        days = {device.pk: entry.day for device, entry in zip(devices, lent, strict=True)}
        follow_statuses(devices, days, by=by)
    return {entry.facts["school"].pk for entry in entries if entry.facts["school"] is not None}


def ensure_allowed(entries: Sequence[Newcomer], *, by: User | None) -> None:
    """Who may write these devices, and whether they can stand where and since when they are to; settles their facts."""
    if by is not None:
        ensure_may(by, "inventory.import_devices")
    if any(not BINDING.isdisjoint(entry.facts) for entry in entries):
        ensure_may_bind(by)
    for entry in entries:
        _settle(entry.facts)
    _ensure_may_stand(entries)


def _settle(facts: dict[str, Any]) -> None:
    """A device that stands nowhere has no school; only one that ended has a school where it stood last."""
    unknown = facts.keys() - FACTS
    if unknown:
        raise ValueError(f"no facts of a device: {sorted(unknown)}")
    if facts["status"] in PLACED_STATUSES:
        facts.setdefault("school", None)
    else:
        facts["school"], facts["site"], facts["room"] = None, None, ""
    if facts["status"] not in ENDED_STATUSES:
        facts["last_school"] = None


def _ensure_may_stand(entries: Sequence[Newcomer]) -> None:
    """Devices that came to one school on one day are looked at once."""
    stands = {(entry.facts["school"], entry.facts.get("bought_on"), entry.day) for entry in entries}
    for school, bought_on, day in stands:
        if school is not None:
            ensure_day(day, None)
            ensure_bought(bought_on, day)
            ensure_open(school, day)


def _number(entries: Sequence[Newcomer]) -> None:
    """Running numbers for those that have none; then what each is found by, as `placing.search_text_of`.

    Words of products and schools are folded once: what a text is found by is what its words are found by.
    """
    nameless = [entry.facts for entry in entries if not entry.facts.get("tag")]
    for facts, tag in zip(nameless, next_tags(len(nameless)), strict=True):
        facts["tag"] = tag
    known: dict[Any, str] = {None: ""}
    for entry in entries:
        facts = entry.facts
        product, school = facts["product"], facts["school"]
        if product not in known:
            known[product] = search_text(product)
        if school not in known:
            known[school] = search_text(school.number, school.short_name)
        own, room = search_text(facts["tag"], facts.get("serial")), search_text(facts.get("room"))
        entry.search_text = " ".join(filter(None, (own, known[product], room, known[school])))


def _create(entries: Sequence[Newcomer], *, by: User | None, reason: str) -> list[Device]:
    """The same through the ORM."""
    devices = [Device(**entry.facts, search_text=entry.search_text) for entry in entries]
    bulk_create_by(devices, by=by, reason=reason)
    spots = [(device, Spot.of(device), entry.day) for device, entry in zip(devices, entries, strict=True)]
    opened = [placement_for(device, spot, day=day, by=by) for device, spot, day in spots if spot is not None]
    Placement.objects.bulk_create(opened, batch_size=BATCH)
    return devices
