"""Network, platforms and IT staff of the city as of a day. Dated rows are valid from their day until the next."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from apps.core import clock
from apps.schools.calculations import share
from apps.schools.choices import PlatformState
from apps.schools.models import FibreLine, ItStaffing, Platform, PlatformStatus, RoomNetwork, School, Site


@dataclass(frozen=True)
class SiteNetwork:
    """What a site has on a day; `mbits` and `fibre_since` are None without fibre, `rooms` without a count."""

    day: datetime.date
    site: Site
    mbits: int | None
    fibre_since: datetime.date | None
    rooms: RoomNetwork | None

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
class NetworkSummary:
    """The city's network on a day. `rooms` are those of the sites that were counted, `counted_sites` how many."""

    day: datetime.date
    schools: int
    sites: Sequence[SiteNetwork]
    platforms: Sequence[PlatformUse]
    staffing: Sequence[ItStaffing]

    @property
    def sites_on_fibre(self) -> int:
        return sum(1 for site in self.sites if site.has_fibre)

    @property
    def counted_sites(self) -> int:
        return len(self._counts())

    @property
    def rooms(self) -> int:
        return sum(count.rooms for count in self._counts())

    @property
    def rooms_with_lan(self) -> int:
        return sum(count.rooms_with_lan for count in self._counts())

    @property
    def rooms_with_wifi(self) -> int:
        return sum(count.rooms_with_wifi for count in self._counts())

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

    def _counts(self) -> list[RoomNetwork]:
        return [site.rooms for site in self.sites if site.rooms is not None]


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
    return NetworkSummary(
        day=day,
        schools=schools.count(),
        sites=sites_on(Site.objects.filter(school__in=schools.order_by()), day),
        platforms=_uses(Platform.objects.order_by("name"), platforms_on(schools, day)),
        staffing=list(ItStaffing.objects.filter(year__lte=day.year).order_by("year")),
    )


def _uses(platforms: Iterable[Platform], statuses: Iterable[PlatformStatus]) -> list[PlatformUse]:
    counted = Counter((row.platform_id, row.state) for row in statuses)
    return [
        PlatformUse(platform, counted[platform.pk, PlatformState.IN_USE], counted[platform.pk, PlatformState.PLANNED])
        for platform in platforms
    ]
