"""Network and platforms of the municipal schools, rolled out from 2020 to 2024. Generated, the same at every run."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from decimal import Decimal

from apps.core.history import bulk_create_by
from apps.schools.models import FibreLine, ItStaffing, Platform, PlatformStatus, PupilCount, RoomNetwork, School, Site

SEED = 2024
FIRST, LAST = datetime.date(2020, 3, 2), datetime.date(2024, 11, 29)
ROLL_OUT = {"IServ": (datetime.date(2020, 4, 20), datetime.date(2021, 8, 16)),
            "Citrix": (datetime.date(2020, 9, 1), datetime.date(2023, 6, 30))}  # fmt: skip
WIFI = {2020: 25, 2021: 45, 2022: 65, 2023: 85, 2024: 98}
"""Percent of the rooms with Wi-Fi at the end of each year; LAN is ten points ahead."""
POSTS = {2020: "6.0", 2021: "8.5", 2022: "11.0", 2023: "13.5", 2024: "16.0", 2025: "17.5", 2026: "18.0"}
PUPILS_PER_ROOM = 11


def load_network(schools: Sequence[School]) -> int:
    """Fibre, rooms, platforms and IT posts; returns how many sites are on fibre."""
    chance = random.Random(SEED)
    sites = list(Site.objects.filter(school__in=schools).order_by("school__number", "name"))
    pupils = dict(PupilCount.objects.filter(school__in=schools).order_by("counted_on").values_list("school", "pupils"))
    order = chance.sample(sites, len(sites))
    bulk_create_by([_line(site, place, len(order), chance) for place, site in enumerate(order)], by=None)
    bulk_create_by([row for site in sites for row in _rooms(site, pupils.get(site.school_id, 0), chance)], by=None)
    for name, (first, last) in ROLL_OUT.items():
        _roll_out(Platform(name=name), first, last, chance.sample(list(schools), len(schools)))
    bulk_create_by([ItStaffing(year=year, full_time_posts=Decimal(posts)) for year, posts in POSTS.items()], by=None)
    return len(order)


def _spread(first: datetime.date, last: datetime.date, place: int, number: int) -> datetime.date:
    """The day of the n-th of so many, evenly from the first day to the last."""
    return first + datetime.timedelta((last - first).days * place // max(number - 1, 1))


def _line(site: Site, place: int, number: int, chance: random.Random) -> FibreLine:
    return FibreLine(site=site, since=_spread(FIRST, LAST, place, number), mbits=chance.choice((500, 1000, 1000)))


def _rooms(site: Site, pupils: int, chance: random.Random) -> list[RoomNetwork]:
    rooms = max(pupils // PUPILS_PER_ROOM, 8) + chance.randrange(6)
    return [
        RoomNetwork(
            site=site,
            counted_on=datetime.date(year, 12, 31),
            rooms=rooms,
            rooms_with_lan=rooms * min(percent + 10, 100) // 100,
            rooms_with_wifi=rooms * percent // 100,
        )
        for year, percent in WIFI.items()
    ]


def _roll_out(platform: Platform, first: datetime.date, last: datetime.date, schools: Sequence[School]) -> None:
    (platform,) = bulk_create_by([platform], by=None)
    statuses = [
        PlatformStatus(school=school, platform=platform, since=_spread(first, last, place, len(schools)))
        for place, school in enumerate(schools)
    ]
    bulk_create_by(statuses, by=None)
