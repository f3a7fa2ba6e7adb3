"""How sites are said on the map, and the way to a school."""

from __future__ import annotations

import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core import clock, formats
from apps.schools.network import SiteNetwork
from apps.schools.site_map import Place


def school_address(number: str, day: datetime.date) -> str:
    """The page of a school as of a day; that of today has no day, so that it moves on."""
    address = reverse("schools:detail", args=[number])
    return address if day == clock.today() else f"{address}?{urlencode({'day': day.isoformat()})}"


def network_address(day: datetime.date) -> str:
    """The network of the city as of a day."""
    return f"{reverse('schools:network')}?{urlencode({'day': day.isoformat()})}"


def place_of(row: SiteNetwork) -> Place | None:
    """A site as a point of the map; None without coordinates."""
    site = row.site
    if site.easting is None or site.northing is None:
        return None
    name = str(site.school) if site.is_main else f"{site.school}, {site.name}"
    fibre = _("fibre %(bandwidth)s") % {"bandwidth": formats.with_unit(row.mbits, "Mbit/s")}
    return Place(
        label=f"{name}: {fibre if row.has_fibre else _('no fibre')}",
        url=school_address(site.school.number, row.day),
        easting=site.easting,
        northing=site.northing,
        marked=row.has_fibre,
    )
