"""Generated stocktakes: two of the past, which lost what the devices' courses say, and one that runs."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator

from apps.accounts.models import User
from apps.core.history import save_by
from apps.inventory import services
from apps.inventory.choices import DeviceStatus
from apps.inventory.models import Device, Placement, Stocktake, StocktakeItem, StocktakeScan
from apps.inventory.stocktake_choices import Outcome, Settlement, StocktakeState
from apps.schools.models import School
from mepportal.demo.course_of_devices import NOT_FOUND
from mepportal.demo.days import at_noon
from mepportal.demo.people import People

PAST = 2
RUNNING_AT = "120686"
SCANNED_SO_FAR = (6, 10)
DAY, HOUR, STEP = datetime.timedelta(days=1), datetime.timedelta(hours=1), datetime.timedelta(seconds=15)
PRIVATE, BORROWED = "Privates Gerät einer Lehrkraft", "Für ein Projekt ausgeliehen, kommt zurück"


def load_stocktakes(people: People) -> int:
    """Writes them; returns how many."""
    for school, day in _days_of_losses():
        _past(school, day, people.coordinators[school.number])
    _running(School.objects.get(number=RUNNING_AT), people.coordinators[RUNNING_AT])
    return PAST + 1


def _days_of_losses() -> list[tuple[School, datetime.date]]:
    """The last days on which a school did not find a device at its stocktake, each of another school."""
    lost = Device.history.filter(history_change_reason=NOT_FOUND, status=DeviceStatus.LOST)
    found: dict[School, datetime.date] = {}
    for record in lost.select_related("last_school").order_by("-history_date", "tag"):
        found.setdefault(record.last_school, record.history_date.date())
        if len(found) == PAST:
            break
    return list(found.items())


def _past(school: School, day: datetime.date, by: User) -> None:
    """All that stood there on the eve was scanned, but for what was lost that day."""
    noon = at_noon(day)
    stocktake = Stocktake(school=school, started_at=noon - 3 * HOUR, started_by=by)
    stocktake.state, stocktake.closed_at, stocktake.closed_by = StocktakeState.CLOSED, noon + HOUR, by
    stocktake._history_date = noon + HOUR  # type: ignore[attr-defined]  # simple-history's way to name the moment
    save_by(stocktake, by=by)
    items = [*_items(stocktake, day, by), _unknown(stocktake, by)]
    StocktakeItem.objects.bulk_create(items)
    StocktakeScan.objects.bulk_create([_scan(item, by) for item in items if item.found_at is not None])


def _items(stocktake: Stocktake, day: datetime.date, by: User) -> Iterator[StocktakeItem]:
    """One for each device, scanned room by room; the last one stood in the next room."""
    stood = Placement.objects.on(day - DAY).filter(school=stocktake.school).select_related("device")
    lost = set(Device.objects.filter(status=DeviceStatus.LOST, placements__until=day).values_list("pk", flat=True))
    placements = list(stood.order_by("room", "device__tag"))
    for turn, placement in enumerate(placements):
        item = StocktakeItem(
            stocktake=stocktake, device=placement.device, code=placement.device.tag, expected=True,
            school=stocktake.school, site=placement.site, room=placement.room, status=DeviceStatus.IN_USE,
            outcome=Outcome.MISSING,
        )  # fmt: skip
        if placement.device_id in lost:
            _settle(item, Settlement.REPORTED_LOST, "", by)
        else:
            item.outcome, item.found_site, item.found_room = Outcome.FOUND, placement.site, placement.room
            item.found_at, item.found_by = stocktake.started_at + turn * STEP, by
        if turn == len(placements) - 1 and item.outcome == Outcome.FOUND:
            item.outcome, item.found_room = Outcome.OTHER_ROOM, "Lehrerzimmer"
            _settle(item, Settlement.IGNORED, BORROWED, by)
        yield item


def _unknown(stocktake: Stocktake, by: User) -> StocktakeItem:
    item = StocktakeItem(
        stocktake=stocktake, code="5CD0000PRIVAT", expected=False, outcome=Outcome.UNKNOWN,
        found_at=stocktake.started_at + HOUR, found_by=by,
    )  # fmt: skip
    _settle(item, Settlement.IGNORED, PRIVATE, by)
    return item


def _settle(item: StocktakeItem, how: Settlement, reason: str, by: User) -> None:
    item.settlement, item.reason = how, reason
    item.settled_at, item.settled_by = item.stocktake.started_at + 3 * HOUR, by


def _scan(item: StocktakeItem, by: User) -> StocktakeScan:
    return StocktakeScan(
        id=_key(item.stocktake, item.code), stocktake=item.stocktake, item=item, code=item.code, site=item.found_site,
        room=item.found_room, outcome=item.outcome, repeated=False, scanned_at=item.found_at,
        received_at=item.found_at, by=by,
    )  # fmt: skip


def _key(stocktake: Stocktake, code: str) -> uuid.UUID:
    """The same at every load."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{stocktake.school.number}/{stocktake.started_at.date()}/{code}")


def _running(school: School, by: User) -> None:
    """Begun by the services that people use: more than half is scanned, one stood elsewhere, two are foreign."""
    stocktake = services.start_stocktake(school=school, by=by)
    places = list(stocktake.items.order_by("room", "code").values_list("code", "room"))
    part, whole = SCANNED_SO_FAR
    there = [place for place in places if place[1]][: len(places) * part // whole]
    in_depot = Device.objects.filter(status=DeviceStatus.IN_STOCK).order_by("tag").values_list("tag", flat=True)[0]
    moved = [(there[-1][0], there[0][1]), (in_depot, there[0][1]), ("5CD0000PRIVAT", there[0][1])]
    scans = [services.SentScan(_key(stocktake, code), code, room=room) for code, room in [*there[:-1], *moved]]
    for start in range(0, len(scans), 100):
        services.count_scans(stocktake=stocktake, scans=scans[start : start + 100], by=by)
