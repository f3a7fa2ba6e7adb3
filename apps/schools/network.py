"""Network, platforms and IT staff of the city as of a day. Dated rows are valid from their day until the next."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from apps.core import clock
from apps.schools.calculations import share
from apps.schools.choices import PlatformState
from apps.schools.models import FibreLine, ItStaffing, Platform, PlatformStatus, RoomNetwork, School, Site


@dataclass(frozen=True)
class SiteNetwork:
    """What a site has on a day; `mbits` and `fibre_since` are None without fibre, `rooms` without a count.

    `platforms` are those of its school, filled in where the whole city is listed.
    """

    day: datetime.date
    site: Site
    mbits: int | None
    fibre_since: datetime.date | None
    rooms: RoomNetwork | None
    platforms: Sequence[PlatformStatus] = ()

    @property
    def school(self) -> School:
        return self.site.school

    @property
    def has_fibre(self) -> bool:
        return self.mbits is not None


@dataclass(frozen=True)
class PlatformUse:
    """In how many schools a platform is in use or planned."""

    platform: Platform
    in_use: int
    planned: int


@dataclass(frozen=True)
class RoomTotals:
    """Rooms of the `sites` that were counted; each site's newest count up to the day."""

    sites: int
    rooms: int
    rooms_with_lan: int
    rooms_with_wifi: int


@dataclass(frozen=True)
class NetworkSummary:
    """The city's network on a day, counted by the database. `sites` is read only when somebody asks for the list."""

    day: datetime.date
    schools: int
    site_count: int
    sites_on_fibre: int
    counted: RoomTotals
    platforms: Sequence[PlatformUse]
    staffing: Sequence[ItStaffing]

    @cached_property
    def sites(self) -> Sequence[SiteNetwork]:
        schools = School.objects.counted_on(self.day)
        used: dict[int, list[PlatformStatus]] = {}
        for status in platforms_on(schools, self.day):
            used.setdefault(status.school_id, []).append(status)
        rows = sites_on(_sites_of(schools), self.day)
        return [replace(row, platforms=used.get(row.site.school_id, ())) for row in rows]

    @property
    def counted_sites(self) -> int:
        return self.counted.sites

    @property
    def rooms(self) -> int:
        return self.counted.rooms

    @property
    def rooms_with_lan(self) -> int:
        return self.counted.rooms_with_lan

    @property
    def rooms_with_wifi(self) -> int:
        return self.counted.rooms_with_wifi

    @property
    def lan_percent(self) -> Decimal | None:
        return share(self.rooms_with_lan, self.rooms)

    @property
    def wifi_percent(self) -> Decimal | None:
        return share(self.rooms_with_wifi, self.rooms)

    @property
    def posts(self) -> Decimal | None:
        """Full-time posts of the day's year; None where they are not on file."""
        return next((row.full_time_posts for row in self.staffing if row.year == self.day.year), None)


FIBRE, ROOMS = "fibre", "rooms"
"""Figures of the city whose sites can be asked for; beside them the id of a platform."""


def rows_behind(rows: Sequence[SiteNetwork], figure: str) -> list[SiteNetwork]:
    """The sites that one figure of the summary counts; all of them for what is no figure."""
    if figure == FIBRE:
        return [row for row in rows if row.has_fibre]
    if figure == ROOMS:
        return [row for row in rows if row.rooms is not None]
    if figure.isdecimal():
        return [row for row in rows if any(_is_in_use(status, figure) for status in row.platforms)]
    return list(rows)


def _is_in_use(status: PlatformStatus, platform: str) -> bool:
    return str(status.platform_id) == platform and status.state == PlatformState.IN_USE


def sites_on(sites: QuerySet[Site], day: datetime.date) -> list[SiteNetwork]:
    """The network of these sites on a day, in three queries whatever their number."""
    lines: dict[int, list[FibreLine]] = {}
    for line in FibreLine.objects.filter(site__in=sites.order_by(), since__lte=day).order_by("since"):
        lines.setdefault(line.site_id, []).append(line)
    counts = RoomNetwork.objects.filter(site__in=sites.order_by(), counted_on__lte=day).order_by("counted_on")
    rooms = {count.site_id: count for count in counts}
    return [
        SiteNetwork(
            day=day,
            site=site,
            mbits=lines[site.pk][-1].mbits if site.pk in lines else None,
            fibre_since=lines[site.pk][0].since if site.pk in lines else None,
            rooms=rooms.get(site.pk),
        )
        for site in sites.select_related("school__school_type").order_by("school__sort_key", "-is_main", "name", "pk")
    ]


def platforms_on(schools: QuerySet[School], day: datetime.date) -> list[PlatformStatus]:
    """The newest status of each school and platform up to a day; platforms that were given up are left out."""
    rows = PlatformStatus.objects.filter(school__in=schools.order_by(), since__lte=day).select_related("platform")
    newest = {(row.school_id, row.platform_id): row for row in rows.order_by("since")}
    found = (row for row in newest.values() if row.state != PlatformState.ENDED)
    return sorted(found, key=lambda row: (row.platform.name, row.school_id))


def network_summary(day: datetime.date | None = None) -> NetworkSummary:
    """The schools that count on a day: their sites, platforms, and the IT staff up to the day's year."""
    day = day or clock.today()
    schools = School.objects.counted_on(day)
    sites = _sites_of(schools)
    with_fibre = Exists(FibreLine.objects.filter(site=OuterRef("pk"), since__lte=day))
    return NetworkSummary(
        day=day,
        schools=schools.count(),
        site_count=sites.count(),
        sites_on_fibre=sites.filter(with_fibre).count(),
        counted=_rooms_on(sites, day),
        platforms=_uses_on(schools, day),
        staffing=list(ItStaffing.objects.filter(year__lte=day.year).order_by("year")),
    )


def _sites_of(schools: QuerySet[School]) -> QuerySet[Site]:
    return Site.objects.filter(school__in=schools.order_by()).order_by()


def _rooms_on(sites: QuerySet[Site], day: datetime.date) -> RoomTotals:
    known = RoomNetwork.objects.filter(counted_on__lte=day).order_by()
    counts = known.filter(site__in=sites)
    later = known.filter(site=OuterRef("site"), counted_on__gt=OuterRef("counted_on"))
    return RoomTotals(
        **counts.filter(~Exists(later)).aggregate(
            sites=Count("pk"),
            **{name: Sum(name, default=0) for name in ("rooms", "rooms_with_lan", "rooms_with_wifi")},
        )
    )


def _uses_on(schools: QuerySet[School], day: datetime.date) -> list[PlatformUse]:
    """Each platform with its schools by the newest status up to the day."""
    rows = PlatformStatus.objects.filter(school__in=schools.order_by(), since__lte=day).order_by()
    later = PlatformStatus.objects.filter(
        school=OuterRef("school"), platform=OuterRef("platform"), since__lte=day, since__gt=OuterRef("since")
    )
    sums = rows.filter(~Exists(later)).values("platform", "state").annotate(number=Count("pk"))
    counted = {(row["platform"], row["state"]): row["number"] for row in sums}
    return [
        PlatformUse(
            platform,
            counted.get((platform.pk, PlatformState.IN_USE), 0),
            counted.get((platform.pk, PlatformState.PLANNED), 0),
        )
        for platform in Platform.objects.order_by("name")
    ]
