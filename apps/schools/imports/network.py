"""The city's own table of network and platforms: one row for each site, platforms as columns such as “IServ seit”.

A cell that is empty says nothing. The counts of rooms are those of `counted_on`, today without it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from apps.core import clock, formats
from apps.core.errors import ImportFileError
from apps.core.history import bulk_create_by, bulk_update_by
from apps.core.imports import parsers
from apps.core.imports.columns import Column, folded
from apps.core.imports.faults import Fault
from apps.core.imports.sources import Row
from apps.core.models import ImportRow, RowAction
from apps.schools.choices import PlatformState
from apps.schools.forms import NetworkUploadForm
from apps.schools.imports.base import KnownSchoolSource, iso, school_number
from apps.schools.models import FibreLine, Platform, PlatformStatus, RoomNetwork, School, Site

ROOMS = ("rooms", "rooms_with_lan", "rooms_with_wifi")
SINCE = re.compile(r"(.+?) (seit|since)", re.IGNORECASE)
MOST_MBITS, MOST_ROOMS = 1_000_000, 5_000


class NetworkSource(KnownSchoolSource):
    """Platforms must be on file; a column of an unknown one refuses the whole file."""

    name = "network"
    label = gettext_lazy("Network and platforms (own table)")
    upload_form = NetworkUploadForm
    option_names = (*KnownSchoolSource.option_names, "counted_on")
    fields = ("mbits", "fibre_since", *ROOMS)
    columns = (
        Column("number", ("Schulnummer",), school_number),
        Column("site", ("Standort",), parsers.text(longest=80), required=False),
        Column("mbits", ("Glasfaser Mbit/s", "Glasfaser (Mbit/s)"), parsers.whole_number(highest=MOST_MBITS)),
        Column("fibre_since", ("Glasfaser seit",), parsers.day),
        Column("rooms", ("Räume",), parsers.whole_number(highest=MOST_ROOMS)),
        Column("rooms_with_lan", ("Räume mit LAN",), parsers.whole_number(highest=MOST_ROOMS)),
        Column("rooms_with_wifi", ("Räume mit WLAN",), parsers.whole_number(highest=MOST_ROOMS)),
    )

    @cached_property
    def platforms(self) -> dict[str, Platform]:
        """The name of its column -> platform."""
        return {_field(platform): platform for platform in Platform.objects.order_by("name")}

    def all_columns(self) -> Sequence[Column]:
        more = (
            Column(name, (f"{platform.name} seit", f"{platform.name} since"), parsers.day, required=False)
            for name, platform in self.platforms.items()
        )
        return (*self.columns, *more)

    def see_header(self, header: Sequence[str]) -> None:
        known = {folded(alias) for column in self.all_columns() for alias in column.aliases}
        unknown = [match[1] for name in header if folded(name) not in known and (match := SINCE.fullmatch(name))]
        if unknown:
            raise ImportFileError(
                _("These platforms are unknown: %(names)s. Please add them in the administration first.")
                % {"names": ", ".join(unknown)}
            )

    def key_of(self, data: Mapping[str, str]) -> str:
        return f"{data.get('number', '')} {data.get('site', '')}".strip()

    def prepare(self) -> None:
        super().prepare()
        given = self.options.get("counted_on")
        self.counted_on = datetime.date.fromisoformat(given) if given else clock.today()
        self.fields = (*NetworkSource.fields, *self.platforms)  # type: ignore[misc]  # platforms are rows
        self._sites_seen: dict[int, int] = {}
        self._platforms_seen: dict[tuple[str, str], datetime.date] = {}

    def expected(self) -> Sequence[tuple[str, str]]:
        """Tables of the network often name only some sites."""
        return ()

    # -- one row ----------------------------------------------------------------------------------------------------

    def clean(self, row: Row) -> None:
        values = row.values
        row.label = " – ".join(filter(None, (self.name_of(values["number"]), values["site"])))
        if values["mbits"] == 0:
            values["mbits"] = None
        if (values["mbits"] is None) != (values["fibre_since"] is None):
            message = gettext_noop("Fibre needs both its bandwidth and the day since when.")
            row.errors.append(Fault("Glasfaser", message))
        counted = [values[name] for name in ROOMS]
        if any(value is None for value in counted):
            if any(value is not None for value in counted):
                row.errors.append(Fault("Räume", gettext_noop("All three numbers of rooms are needed, or none.")))
        elif max(counted) > counted[0]:
            row.errors.append(Fault("Räume", gettext_noop("There cannot be more rooms with network than rooms.")))
        for name, platform in self.platforms.items():
            self._check_platform(row, name, platform)

    def _check_platform(self, row: Row, name: str, platform: Platform) -> None:
        day = row.values.get(name)
        if day and self._platforms_seen.setdefault((row.values["number"], name), day) != day:
            message = gettext_noop("Another row of this school names another day.")
            row.errors.append(Fault(f"{platform.name} seit", message))

    # -- comparing --------------------------------------------------------------------------------------------------

    def lock(self, staged: QuerySet[ImportRow]) -> None:
        numbers = {key[:6] for key in staged.order_by().values_list("key", flat=True)}
        schools = School.objects.select_for_update(no_key=True).filter(number__in=numbers)
        list(schools.order_by("pk").values_list("pk"))

    def compare(self, rows: Sequence[Row]) -> None:
        known = _Known({row.values["number"] for row in rows}, self.counted_on)
        for row in rows:
            row.target = site = known.site(row.values["number"], row.values["site"])
            if site is None:
                message = gettext_noop("The school has no such site. Please add it in the administration first.")
                row.errors.append(Fault("Standort", message))
                continue
            if self._sites_seen.setdefault(site.pk, row.line) != row.line:
                message = gettext_noop("This site stands in line %(first)s already.")
                row.errors.append(Fault("Standort", message, {"first": self._sites_seen[site.pk]}))
            row.changes = self._fibre(row, known) | self._rooms(row, known) | self._platforms(row, known)
            row.action = RowAction.CHANGED if row.changes else RowAction.UNCHANGED

    def _fibre(self, row: Row, known: _Known) -> dict[str, list[Any]]:
        mbits, since = row.values["mbits"], row.values["fibre_since"]
        lines = known.lines.get(row.target.pk, {})
        if mbits is None or (since in lines and lines[since].mbits == mbits):
            return {}
        newest = lines[max(lines)] if lines else None
        before = lines.get(since, newest)
        changes: dict[str, list[Any]] = {"mbits": [before.mbits if before else None, mbits]}
        if since not in lines:
            changes["fibre_since"] = [iso(newest.since) if newest else None, iso(since)]
        return changes

    def _rooms(self, row: Row, known: _Known) -> dict[str, list[Any]]:
        count = known.rooms.get(row.target.pk)
        return {
            name: [getattr(count, name, None), row.values[name]]
            for name in ROOMS
            if row.values[name] is not None and getattr(count, name, None) != row.values[name]
        }

    def _platforms(self, row: Row, known: _Known) -> dict[str, list[Any]]:
        changes: dict[str, list[Any]] = {}
        for name, platform in self.platforms.items():
            since = row.values.get(name)
            statuses = known.statuses.get((row.target.school_id, platform.pk), {})
            same = statuses.get(since)
            if since and (same is None or same.state != PlatformState.IN_USE):
                changes[name] = [iso(max(statuses)) if statuses else None, iso(since)]
        return changes

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(self, rows: Sequence[Row], *, by: Any, reason: str) -> None:
        known = _Known({row.values["number"] for row in rows}, self.counted_on)
        lines, counts = [], []
        statuses: dict[tuple[int, int], PlatformStatus] = {}
        for row in rows:
            site, values = row.target, row.values
            if "mbits" in row.changes:
                since = values["fibre_since"]
                line = known.lines.get(site.pk, {}).get(since) or FibreLine(site=site, since=since)
                line.mbits = values["mbits"]
                lines.append(line)
            if not row.changes.keys().isdisjoint(ROOMS):
                count = known.rooms.get(site.pk)
                if count is None or count.counted_on != self.counted_on:
                    count = RoomNetwork(site=site, counted_on=self.counted_on)
                for name in ROOMS:
                    setattr(count, name, values[name])
                counts.append(count)
            for name in row.changes.keys() & self.platforms.keys():
                platform = self.platforms[name]
                same = known.statuses.get((site.school_id, platform.pk), {}).get(values[name])
                status = same or PlatformStatus(school_id=site.school_id, platform=platform, since=values[name])
                status.state = PlatformState.IN_USE
                statuses[site.school_id, platform.pk] = status
        for found, fields in ((lines, ("mbits",)), (counts, ROOMS), (list(statuses.values()), ("state",))):
            known_rows = [entry for entry in found if entry.pk is not None]
            bulk_create_by([entry for entry in found if entry.pk is None], by=by, reason=reason)
            bulk_update_by(known_rows, fields, by=by, reason=reason)

    # -- showing ----------------------------------------------------------------------------------------------------

    def kinds(self, changes: Mapping[str, Any]) -> list[str]:
        return []

    def field_label(self, name: str) -> str:
        if name in self.platforms:
            return _("%(platform)s since") % {"platform": self.platforms[name].name}
        if name in ROOMS:
            return str(RoomNetwork._meta.get_field(name).verbose_name)
        return str(FibreLine._meta.get_field({"fibre_since": "since"}.get(name, name)).verbose_name)

    def display(self, name: str, value: Any) -> str:
        if value is None:
            return ""
        is_day = name == "fibre_since" or name in self.platforms
        return formats.day(datetime.date.fromisoformat(value)) if is_day else formats.number(value)


class _Known:
    """What is on file about the schools of some rows, in four queries."""

    def __init__(self, numbers: set[str], day: datetime.date) -> None:
        self._sites: dict[str, list[Site]] = {}
        for site in Site.objects.filter(school__number__in=numbers).select_related("school").order_by("-is_main"):
            self._sites.setdefault(site.school.number, []).append(site)
        self.lines: dict[int, dict[datetime.date, FibreLine]] = {}
        for line in FibreLine.objects.filter(site__school__number__in=numbers):
            self.lines.setdefault(line.site_id, {})[line.since] = line
        counts = RoomNetwork.objects.filter(site__school__number__in=numbers, counted_on__lte=day)
        self.rooms = {count.site_id: count for count in counts.order_by("counted_on")}
        self.statuses: dict[tuple[int, int], dict[datetime.date, PlatformStatus]] = {}
        for status in PlatformStatus.objects.filter(school__number__in=numbers):
            self.statuses.setdefault((status.school_id, status.platform_id), {})[status.since] = status

    def site(self, number: str, name: str) -> Site | None:
        """The site of that name; the main site where none is named."""
        sites = self._sites.get(number, [])
        return next((site for site in sites if site.name == name or (not name and site.is_main)), None)


def _field(platform: Platform) -> str:
    return f"platform:{platform.name}"
