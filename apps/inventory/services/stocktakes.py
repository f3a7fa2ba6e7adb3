"""Stocktakes: begin, scan, close. Each function locks the stocktake first, then what it writes.

A stocktake that is no longer open takes nothing. Part of the services.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.core import clock
from apps.core.errors import DomainError
from apps.core.history import bulk_update_by, save_by
from apps.inventory.choices import DeviceStatus
from apps.inventory.codes import device_of, read_code
from apps.inventory.models import Device, Stocktake, StocktakeItem, StocktakeScan
from apps.inventory.numbering import tidy
from apps.inventory.services.common import ensure_may, spot_at
from apps.inventory.stocktake_choices import Outcome, Settlement, StocktakeState
from apps.inventory.stocktake_selectors import gone, gone_words, with_ends
from apps.inventory.stocktake_workflow import STOCKTAKE_TRANSITIONS
from apps.schools.models import School, Site

if TYPE_CHECKING:
    from apps.accounts.models import User

AT_ONCE = 100
"""So many scans are taken in one go; a phone sends the others after them."""


@dataclass(frozen=True)
class SentScan:
    """One scan as a phone sends it. `id` is made there; `site` is the id of one, None: not said."""

    id: uuid.UUID
    code: str
    room: str = ""
    site: int | None = None
    at: datetime.datetime | None = None


@dataclass(frozen=True)
class Answer:
    """What became of one scan: the stored one, or why it was not taken."""

    id: uuid.UUID
    scan: StocktakeScan | None
    refused: str = ""


_FREEZE = """
INSERT INTO inventory_stocktakeitem
    (stocktake_id, device_id, code, expected, school_id, site_id, room, status, outcome, found_room, settlement, reason)
SELECT %s, device.id, device.tag, %s, device.school_id, device.site_id, device.room, device.status, %s, '', '', ''
FROM inventory_device AS device
WHERE device.school_id = %s AND (%s OR device.site_id = %s) AND (%s OR device.room = %s)
"""


def start_stocktake(*, school: School, by: User, site: Site | None = None, room: str = "") -> Stocktake:
    """Begins a stocktake; what stands there now is what is expected, whatever moves later."""
    ensure_may(by, "inventory.run_stocktake")
    spot = spot_at(school, site, room, by=by)
    stocktake = Stocktake(
        school=school, site=site, room=spot.room if spot else "", started_at=clock.now(), started_by=by
    )
    try:
        with transaction.atomic():
            save_by(stocktake, by=by)
            expected = _freeze(stocktake)
            if not expected:
                raise DomainError(
                    _("No device is recorded there. Please choose another place, or record the devices first."),
                    field="room" if stocktake.room else "school",
                )
    except IntegrityError:
        raise DomainError(
            _("A stocktake of this school is running already. Please close or cancel it first."),
            code="running",
            field="school",
        ) from None
    return stocktake


def _freeze(stocktake: Stocktake) -> int:
    """Writes down what is expected, in two statements whatever its number; the ORM knows no INSERT ... SELECT.

    What is on loan is settled from the start: it is with its borrower, so nobody looks for it.
    """
    values: list[Any] = [stocktake.pk, True, Outcome.MISSING.value, stocktake.school_id]
    values += [stocktake.site_id is None, stocktake.site_id or 0, not stocktake.room, stocktake.room]
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE, values)
        number = int(cursor.rowcount)
    lent = stocktake.items.filter(status=DeviceStatus.ON_LOAN)
    lent.update(settlement=Settlement.AWAY, settled_at=stocktake.started_at)
    return number


def locked_stocktake(stocktake: Stocktake, by: User) -> Stocktake:
    """The present row, locked; everything about one stocktake is written one after the other."""
    ensure_may(by, "inventory.run_stocktake")
    rows: Any = Stocktake.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    row: Stocktake | None = rows.select_related("school", "site").filter(pk=stocktake.pk).first()
    if row is None:
        raise PermissionDenied("outside the scope")
    return row


def ensure_running(row: Stocktake) -> None:
    if not row.is_open:
        raise DomainError(_("This stocktake is closed. Nothing about it changes any more."), code="closed")


@transaction.atomic
def count_scans(*, stocktake: Stocktake, scans: Sequence[SentScan], by: User) -> list[Answer]:
    """Takes scans in, each once: one that was taken already is answered again and counts no second time.

    At most AT_ONCE. The answers stand in the order of the scans.
    """
    if len(scans) > AT_ONCE:
        raise DomainError(_("These are too many scans at once. Please send fewer."), code="too_many")
    row = locked_stocktake(stocktake, by)
    known = StocktakeScan.objects.select_related("stocktake", "item", "item__device", "item__school")
    stored: dict[uuid.UUID, StocktakeScan] = known.in_bulk([scan.id for scan in scans])
    answers = []
    for sent in sorted(scans, key=lambda scan: scan.at or clock.now()):
        if sent.id not in stored:
            answer = _take(row, sent, by)
            if answer.scan is not None:
                stored[sent.id] = answer.scan
        elif stored[sent.id].stocktake_id == row.pk:
            answer = Answer(sent.id, stored[sent.id])
        else:
            answer = Answer(sent.id, None, str(_("This scan belongs to another stocktake. Please scan again.")))
        answers.append(answer)
    places = {scan.id: place for place, scan in enumerate(scans)}
    return sorted(answers, key=lambda answer: places[answer.id])


def _take(row: Stocktake, sent: SentScan, by: User) -> Answer:
    """One new scan; the stocktake is locked."""
    if not row.is_open:
        return Answer(sent.id, None, str(_("The stocktake was closed before this scan arrived. It does not count.")))
    code = read_code(sent.code)
    if not code:
        return Answer(sent.id, None, str(_("Nothing was read. Please scan again.")))
    site = _site_of(row, sent.site)
    room = tidy(sent.room)[:60]
    now = clock.now()
    at = min(max(sent.at or now, row.started_at), now)
    device = device_of(code)
    outcome = _outcome(row, device, site, room)
    item = _item(row, device, code)
    repeated = item.found_at is not None
    _note(item, device, outcome, site=site, room=room, at=at, by=by)
    scan = StocktakeScan(
        id=sent.id, stocktake=row, item=item, code=code, site=site, room=room, outcome=outcome, repeated=repeated,
        scanned_at=at, received_at=now, by=by,
    )  # fmt: skip
    scan.save(force_insert=True)
    return Answer(sent.id, scan)


def _site_of(row: Stocktake, site: int | None) -> Site | None:
    """The site that the scan names, if it is one of the school's; else the one that is counted."""
    return Site.objects.filter(school=row.school, pk=site).first() if site is not None else row.site


def _outcome(row: Stocktake, device: Device | None, site: Site | None, room: str) -> Outcome:
    """Compares with where the portal says that the device stands now. A scan that names no room is of no other room."""
    if device is None:
        return Outcome.UNKNOWN
    if device.school_id != row.school_id:
        return Outcome.ELSEWHERE
    other_room = bool(room) and room.casefold() != device.room.casefold()
    other_site = site is not None and device.site_id is not None and site.pk != device.site_id
    return Outcome.OTHER_ROOM if other_room or other_site else Outcome.FOUND


def _item(row: Stocktake, device: Device | None, code: str) -> StocktakeItem:
    """The stocktake's row of this device or number, new where there is none yet.

    A number that was unknown when it was scanned first, and was recorded since, becomes its device's row.
    """
    if device is None:
        found = row.items.filter(code=code).first()
        return found or StocktakeItem(stocktake=row, code=code, expected=False, outcome=Outcome.UNKNOWN)
    found = (
        row.items.filter(device=device).first()
        or row.items.filter(device__isnull=True, code__in=[code, device.tag]).order_by("pk").first()
        or StocktakeItem(stocktake=row, expected=False, outcome=Outcome.UNKNOWN)
    )
    if found.device_id is None:
        found.device, found.code = device, device.tag
    return found


def _note(
    item: StocktakeItem, device: Device | None, outcome: Outcome, *, site: Site | None, room: str,
    at: datetime.datetime, by: User,
) -> None:  # fmt: skip
    """Writes what the newest scan says; what was settled opens again only where the scan says something new."""
    late = item.found_at is not None and at < item.found_at
    same = (item.outcome, item.found_site_id, item.found_room) == (outcome, site.pk if site else None, room)
    in_order = item.settlement in {Settlement.ROOM_TAKEN_OVER, Settlement.MOVED_HERE} and outcome == Outcome.FOUND
    if late or in_order or (same and item.found_at is not None):
        return
    if device is not None and not item.expected:
        item.school, item.site, item.room, item.status = device.school, device.site, device.room, device.status
    elif device is not None and outcome == Outcome.ELSEWHERE:
        item.school, item.status = device.school, device.status
    item.outcome, item.found_site, item.found_room = outcome, site, room
    item.found_at, item.found_by = at, by
    item.settlement, item.settled_at, item.settled_by, item.reason = "", None, None, ""
    save_by(item, by=by)


@transaction.atomic
def close_stocktake(*, stocktake: Stocktake, by: User) -> Stocktake:
    """Closes a stocktake of which every difference is settled; from then on it does not change."""
    row = locked_stocktake(stocktake, by)
    STOCKTAKE_TRANSITIONS.ensure("close_stocktake", source=row.state, target=StocktakeState.CLOSED)
    _keep_gone(row, by)
    still = row.items.filter(settlement="").exclude(outcome=Outcome.FOUND).count()
    if still:
        raise DomainError(
            ngettext(
                "%(number)d difference is still open. Please settle it first.",
                "%(number)d differences are still open. Please settle them first.",
                still,
            )
            % {"number": still},
            code="unsettled",
        )
    return _end(row, StocktakeState.CLOSED, by=by)


def _keep_gone(row: Stocktake, by: User) -> None:
    """Settles what was reported as lost, stolen or retired elsewhere, whatever becomes of it after the end."""
    items = list(with_ends(row.items.filter(gone())))
    for item in items:
        item.reason = gone_words(item)
        item.settlement, item.settled_at, item.settled_by = Settlement.GONE, clock.now(), by
    bulk_update_by(items, ["settlement", "settled_at", "settled_by", "reason"], by=by)


@transaction.atomic
def cancel_stocktake(*, stocktake: Stocktake, by: User, reason: str) -> Stocktake:
    """Gives a stocktake up, e.g. because it was begun for the wrong room. What was settled stays settled."""
    row = locked_stocktake(stocktake, by)
    STOCKTAKE_TRANSITIONS.ensure("cancel_stocktake", source=row.state, target=StocktakeState.CANCELLED)
    if not reason.strip():
        raise DomainError(_("Please say why the stocktake is cancelled."), field="reason")
    return _end(row, StocktakeState.CANCELLED, by=by, reason=reason)


def _end(row: Stocktake, state: StocktakeState, *, by: User, reason: str = "") -> Stocktake:
    row.state, row.closed_at, row.closed_by = state, clock.now(), by
    return save_by(row, by=by, update_fields=["state", "closed_at", "closed_by"], reason=reason.strip())
