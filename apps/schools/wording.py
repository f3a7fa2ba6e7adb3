"""How sites are said on the map."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.core import formats
from apps.schools.network import SiteNetwork
from apps.schools.site_map import Place


def place_of(row: SiteNetwork) -> Place | None:
    """A site as a point of the map; None without coordinates."""
    site = row.site
    if site.easting is None or site.northing is None:
        return None
    name = str(site.school) if site.is_main else f"{site.school}, {site.name}"
    fibre = _("fibre %(bandwidth)s") % {"bandwidth": formats.with_unit(row.mbits, "Mbit/s")}
    return Place(
        label=f"{name}: {fibre if row.has_fibre else _('no fibre')}",
        url=site.school.get_absolute_url(),
        easting=site.easting,
        northing=site.northing,
        marked=row.has_fibre,
    )
