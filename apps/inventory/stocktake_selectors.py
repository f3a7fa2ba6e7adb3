"""What a stocktake has found so far, in numbers and in words for the person who reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import formats
from apps.core.clock import day_of
from apps.inventory.choices import ENDED_STATUSES, DeviceStatus
from apps.inventory.models import Device, Placement, Stocktake, StocktakeItem, StocktakeScan
from apps.inventory.stocktake_choices import Outcome, Settlement, StocktakeState
from apps.schools.models import School

if TYPE_CHECKING:
    from apps.accounts.models import User

LAST_SCANS = 20
RUNNING_SHOWN = 10
ON_LOAN = "on_loan"
"""What filters call the devices that were on loan when the stocktake began."""
GONE = "gone"
"""What filters call the devices that were reported as lost, stolen or retired on their pages since it began."""

_ENDED_ON = {
    DeviceStatus.LOST: gettext_lazy("lost on %(day)s"),
    DeviceStatus.STOLEN: gettext_lazy("stolen on %(day)s"),
    DeviceStatus.RETIRED: gettext_lazy("retired on %(day)s"),
}


def lent(prefix: str = "") -> Q:
    """The items of which `StocktakeItem.is_lent` holds; `prefix` leads to them."""
    facts = {"outcome": Outcome.MISSING, "settlement": Settlement.AWAY, "status": DeviceStatus.ON_LOAN}
    return Q(**{f"{prefix}{name}": value for name, value in facts.items()})


def gone(prefix: str = "") -> Q:
    """Items whose device was reported as lost, stolen or retired on its page since the stocktake began.

    While it runs that is what the device is now; `close_stocktake` keeps it.
    """
    running = {"stocktake__state": StocktakeState.OPEN, "settlement": "", "device__status__in": ENDED_STATUSES}
    kept = Q(**{f"{prefix}settlement": Settlement.GONE})
    return Q(**{f"{prefix}outcome": Outcome.MISSING}) & (kept | Q(**{f"{prefix}{k}": v for k, v in running.items()}))


def away(prefix: str = "") -> Q:
    """Items that nobody looks for, and that are not missing."""
    return lent(prefix) | gone(prefix)


def still_open(stocktake: Stocktake) -> Any:
    """The findings that somebody has to settle before the stocktake can be closed."""
    rows: Any = StocktakeItem.objects.filter(stocktake=stocktake, settlement="")
    return rows.exclude(outcome=Outcome.FOUND).exclude(gone())


def with_ends(items: Any) -> Any:
    """Items with what `gone_words` needs of their devices: what each was reported as since the beginning, and when.

    `gone_as` is what the device is now, or, once the end has kept that, what it was then.
    `ended_on` is the day of the loss, theft or retirement, with which the device's last placement ended; only the
    first report of several ended one.
    """
    since = {"id": OuterRef("device"), "history_date__gte": OuterRef("stocktake__started_at")}
    ends = Device.history.filter(**since, status__in=ENDED_STATUSES).order_by("history_date")
    at_the_end = Device.history.filter(id=OuterRef("device"), history_date__lte=OuterRef("settled_at"))
    kept_as = at_the_end.order_by("-history_date", "-history_id").values("status")[:1]
    reports = ends.filter(status=OuterRef("device__status"))
    stood = Placement.objects.filter(device=OuterRef("device"), school=OuterRef("school"))
    ended = stood.filter(until__isnull=False).order_by("-until")
    return items.annotate(
        gone_as=Case(
            When(settlement=Settlement.GONE, then=Subquery(kept_as)),
            When(gone(), then=F("device__status")),
            default=Value(""),
        ),
        gone_on=Case(When(gone(), then=Subquery(reports.values("history_date")[:1]))),
        gone_first_as=Case(When(gone(), then=Subquery(ends.values("status")[:1]))),
        ended_on=Case(When(gone(), then=Subquery(ended.values("until")[:1]))),
    )


def gone_words(item: Any) -> str:
    """What a device was reported as on its own page, and when; empty for all others. Read by `with_ends`."""
    if item.settlement == Settlement.GONE:
        return str(item.reason)
    if item.gone_as and item.gone_as == item.gone_first_as and item.ended_on is not None:
        ended = str(_ENDED_ON[DeviceStatus(item.gone_as)]) % {"day": formats.day(item.ended_on)}
        if item.ended_on == day_of(item.gone_on):
            return ended
        return _("%(lost)s, reported on %(day)s") % {"lost": ended, "day": formats.day(item.gone_on)}
    sentences = {
        DeviceStatus.LOST: _("reported as lost on %(day)s"),
        DeviceStatus.STOLEN: _("reported as stolen on %(day)s"),
        DeviceStatus.RETIRED: _("retired on %(day)s"),
    }
    return sentences[DeviceStatus(item.gone_as)] % {"day": formats.day(item.gone_on)} if item.gone_as else ""


@dataclass(frozen=True)
class Progress:
    """`expected` devices, of them `found` wherever; `extra` were found besides. The rest by outcome.

    `lent` ones are with their borrowers, and `gone` ones were reported elsewhere: they are neither expected nor
    missing.
    """

    expected: int
    found: int
    extra: int
    lent: int
    gone: int
    numbers: dict[Outcome, int]
    unsettled: dict[Outcome, int]

    @property
    def open(self) -> int:
        return sum(self.unsettled.values())

    @property
    def missing(self) -> int:
        return self.expected - self.found


@dataclass(frozen=True)
class RoomProgress:
    """One room of the place that is counted. `site_id` None: not recorded; `site` is "" unless there are several."""

    site_id: int | None
    site: str
    room: str
    expected: int
    found: int

    @property
    def missing(self) -> int:
        return self.expected - self.found

    @property
    def is_done(self) -> bool:
        return self.found >= self.expected


def progress_of(stocktake: Stocktake) -> Progress:
    """In one query."""
    by_hand = Q(found_at__isnull=False)
    rows = (
        StocktakeItem.objects.filter(stocktake=stocktake)
        .annotate(away=Case(When(lent(), then=Value(ON_LOAN)), When(gone(), then=Value(GONE)), default=Value("")))
        .order_by()
        .values("outcome", "expected", "away")
        .annotate(number=Count("pk"), still=Count("pk", filter=Q(settlement="")), seen=Count("pk", filter=by_hand))
    )
    numbers, unsettled = dict.fromkeys(Outcome, 0), dict.fromkeys(Outcome, 0)
    expected = found = extra = 0
    not_here = {ON_LOAN: 0, GONE: 0}
    for row in rows:
        if row["away"]:
            not_here[row["away"]] += row["number"]
            continue
        outcome = Outcome(row["outcome"])
        numbers[outcome] += row["number"]
        unsettled[outcome] += row["still"] if outcome != Outcome.FOUND else 0
        if row["expected"]:
            expected += row["number"]
            found += row["number"] if outcome != Outcome.MISSING else 0
        elif outcome in {Outcome.FOUND, Outcome.OTHER_ROOM}:
            extra += row["number"]
    return Progress(expected, found, extra, not_here[ON_LOAN], not_here[GONE], numbers, unsettled)


def rooms_of(stocktake: Stocktake) -> list[RoomProgress]:
    """The rooms in which something is to be found, in the order in which people count: 2 before 10."""
    rows = (
        StocktakeItem.objects.filter(stocktake=stocktake, expected=True)
        .exclude(away())
        .order_by()
        .values("site", "site__name", "room")
        .annotate(expected=Count("pk"), found=Count("pk", filter=~Q(outcome=Outcome.MISSING)))
    )
    several = len({row["site"] for row in rows}) > 1
    rooms = [
        RoomProgress(
            row["site"], (row["site__name"] or "") if several else "", row["room"], row["expected"], row["found"]
        )
        for row in rows
    ]
    return sorted(rooms, key=lambda room: (room.site, _natural(room.room)))


def next_room(rooms: Sequence[RoomProgress], site: int | None, room: str) -> RoomProgress | None:
    """The room after this one in which something is still missing, then those before it; None: all is found."""
    here = next((place for place, row in enumerate(rooms) if _is(row, site, room)), -1)
    later = [*rooms[here + 1 :], *rooms[: here + 1]]
    return next((row for row in later if not row.is_done and row.room and not _is(row, site, room)), None)


def _is(row: RoomProgress, site: int | None, room: str) -> bool:
    return row.room.casefold() == room.casefold() and (site is None or row.site_id is None or row.site_id == site)


def _natural(text: str) -> list[tuple[int, int, str]]:
    parts = re.findall(r"\d+|\D+", text.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def last_scans(stocktake: Stocktake, user: User) -> list[StocktakeScan]:
    """What this person scanned last, newest first."""
    scans: Any = StocktakeScan.objects.filter(stocktake=stocktake, by=user)
    return list(scans.select_related("stocktake", "item__device", "item__school")[:LAST_SCANS])


class Words:
    """Says what was found in words that fit the reader's scope: foreign schools and the depot stay unnamed."""

    def __init__(self, user: User, items: Iterable[StocktakeItem]) -> None:
        rows = list(items)
        devices: Any = Device.objects.visible_to(user)
        schools: Any = School.objects.visible_to(user)
        ids = {item.device_id for item in rows} - {None}
        away = {item.school_id for item in rows} - {None}
        self.devices = set(devices.filter(pk__in=ids).values_list("pk", flat=True))
        self.schools = set(schools.filter(pk__in=away).values_list("pk", flat=True))

    def shows(self, item: StocktakeItem) -> bool:
        """Whether the person may see the device itself."""
        return item.device_id in self.devices

    def belongs(self, item: StocktakeItem) -> str:
        """Where a device belongs that was found elsewhere."""
        if item.school_id in self.schools:
            return _("belongs to %(school)s") % {"school": item.school}
        if not self.shows(item):
            return _("belongs to none of your schools")
        ended = {
            DeviceStatus.LOST: _("was reported as lost"),
            DeviceStatus.STOLEN: _("was reported as stolen"),
            DeviceStatus.RETIRED: _("was retired"),
            DeviceStatus.IN_STOCK: _("belongs into the depot"),
        }
        return ended.get(DeviceStatus(item.status), _("belongs to no school yet"))

    def result(self, scan: StocktakeScan) -> str:
        """The answer to one scan: a sentence that is read aloud."""
        item, known = scan.item, {"code": scan.item.code}
        if scan.outcome == Outcome.UNKNOWN:
            return _("%(code)s is unknown. It is noted.") % {"code": scan.code}
        if scan.outcome == Outcome.ELSEWHERE:
            return _("%(code)s %(belongs)s.") % {**known, "belongs": self.belongs(item)}
        if scan.outcome == Outcome.OTHER_ROOM:
            return _("%(code)s is found. It stands in another room so far: %(room)s.") % {
                **known,
                "room": item.room or _("none is recorded"),
            }
        if scan.repeated:
            return _("%(code)s was found before.") % known
        return _("%(code)s is found.") % known


def running_stocktakes(user: User) -> list[Stocktake]:
    """The newest of those that are open at the person's schools."""
    rows: Any = Stocktake.objects.visible_to(user)
    return list(rows.filter(state=StocktakeState.OPEN).select_related("school", "site")[:RUNNING_SHOWN])
