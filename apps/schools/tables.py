"""Tables of schools and their pupil counts. The social index is plain information: nothing sorts by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.tables import DateColumn, LinkColumn, NumberColumn, PortalTable, TextColumn
from apps.schools.choices import PlatformState
from apps.schools.models import PlatformStatus, PupilCount, RoomNetwork, School, SchoolAuthority, Site
from apps.schools.network import SiteNetwork
from apps.schools.wording import school_address

NOT_COUNTED = _("not maintained by the city, does not count in the quota")


class SchoolTable(PortalTable):
    short_name = LinkColumn(verbose_name=_("School"), order_by=("sort_key", "pk"))
    school_type = TextColumn(verbose_name=_("School type"), order_by=("school_type__name", "sort_key"))
    number = TextColumn(verbose_name=_("School number"))
    pupils = NumberColumn(verbose_name=_("Pupils"))
    pupils_counted_on = DateColumn(verbose_name=_("Counted on"))
    social_level = NumberColumn(verbose_name=_("Social index"))

    class Meta(PortalTable.Meta):
        model = School
        fields = ("short_name", "school_type", "number", "pupils", "pupils_counted_on", "social_level")
        sortable = ("short_name", "school_type", "number")
        cards = ("school_type", "pupils")


class AllSchoolsTable(SchoolTable):
    """For those who see schools of other authorities, too."""

    authority = TextColumn(verbose_name=_("School authority"))

    class Meta(SchoolTable.Meta):
        fields = (*SchoolTable.Meta.fields, "authority")

    def render_authority(self, value: SchoolAuthority) -> str:
        return str(value) if value.is_own else f"{value} ({NOT_COUNTED})"


class PupilCountTable(PortalTable):
    school_year = TextColumn(verbose_name=_("School year"))
    counted_on = DateColumn(verbose_name=_("Counted on"))
    pupils = NumberColumn(verbose_name=_("Pupils"))
    basis = TextColumn(verbose_name=_("Basis"), empty_values=())

    class Meta(PortalTable.Meta):
        model = PupilCount
        fields = ("school_year", "counted_on", "pupils", "basis")
        sortable = ()
        cards = ("counted_on", "pupils")

    def render_basis(self, record: PupilCount) -> str:
        """Exact or rounded, generated or from where."""
        exactness = _("rounded to 5") if record.rounded else _("exact")
        origin = _("generated for the demo") if record.generated else record.source
        return ", ".join(str(part) for part in (exactness, origin) if part) or formats.missing()

    def value_basis(self, record: Any) -> str:
        return self.render_basis(record)


class NetworkTable(PortalTable):
    """The sites of the map as rows, for those who do not see the map, too."""

    school = LinkColumn(
        verbose_name=_("School"),
        accessor="site__school",
        linkify=lambda record: school_address(record.school.number, record.day),
    )
    site = TextColumn(verbose_name=_("Site"))
    mbits = TextColumn(verbose_name=_("Fibre"), empty_values=())
    fibre_since = DateColumn(verbose_name=_("Since"))
    lan = TextColumn(verbose_name=_("Rooms with LAN"), accessor="rooms")
    wifi = TextColumn(verbose_name=_("Rooms with Wi-Fi"), accessor="rooms")
    platforms = TextColumn(verbose_name=_("Platforms"))

    class Meta(PortalTable.Meta):
        model = Site
        fields = ("school", "site", "mbits", "fibre_since", "lan", "wifi", "platforms")
        sortable = ()
        cards = ("mbits", "lan", "wifi")

    def render_mbits(self, record: SiteNetwork) -> str:
        return formats.with_unit(record.mbits, "Mbit/s") if record.has_fibre else str(_("no fibre"))

    def value_mbits(self, record: SiteNetwork) -> int | str:
        return record.mbits or ""

    def render_platforms(self, value: Sequence[PlatformStatus]) -> str:
        return ", ".join(_of_platform(status) for status in value) or formats.missing()

    def value_platforms(self, value: Sequence[PlatformStatus]) -> str:
        return ", ".join(_of_platform(status) for status in value)

    def render_lan(self, value: RoomNetwork) -> str:
        return of_rooms(value.rooms_with_lan, value)

    def render_wifi(self, value: RoomNetwork) -> str:
        return of_rooms(value.rooms_with_wifi, value)

    def value_lan(self, value: RoomNetwork) -> str:
        return of_rooms(value.rooms_with_lan, value)

    def value_wifi(self, value: RoomNetwork) -> str:
        return of_rooms(value.rooms_with_wifi, value)


def _of_platform(status: PlatformStatus) -> str:
    if status.state == PlatformState.IN_USE:
        return status.platform.name
    return _("%(platform)s (planned)") % {"platform": status.platform.name}


def of_rooms(part: int, count: RoomNetwork) -> str:
    return _("%(part)s of %(whole)s") % {"part": formats.number(part), "whole": formats.number(count.rooms)}
