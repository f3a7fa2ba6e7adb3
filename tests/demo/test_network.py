"""The demonstration's network: rolled out from 2020 to 2024."""

import datetime
from decimal import Decimal

import pytest

from apps.schools.network import network_summary

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("year", "fibre", "iserv", "citrix", "posts"),
    [(2019, 0, 0, 0, None), (2020, 9, 28, 7, "6.0"), (2022, 31, 52, 43, "11.0"), (2024, 52, 52, 52, "16.0")],
)
def test_roll_out_over_five_years(year: int, fibre: int, iserv: int, citrix: int, posts: str | None) -> None:
    summary = network_summary(datetime.date(year, 12, 31))

    assert (len(summary.sites), summary.schools, summary.sites_on_fibre) == (52, 52, fibre)
    assert {use.platform.name: use.in_use for use in summary.platforms} == {"IServ": iserv, "Citrix": citrix}
    assert summary.posts == (Decimal(posts) if posts else None)


def test_nearly_every_room_has_wifi_in_the_end() -> None:
    summary = network_summary(datetime.date(2024, 12, 31))

    assert (summary.rooms_with_lan, summary.counted_sites) == (summary.rooms, 52)
    assert Decimal(95) < summary.wifi_percent < Decimal(100)
