"""Pure calculations: exact values, rounding on output only, what is missing stays missing."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from apps.quotas.calculations import (
    Effect,
    FigureRow,
    Share,
    figure_row,
    mean_of_schools,
    needed_days,
    pupils_per_device,
    quota_percent,
    share_at,
    target_devices,
    target_percent,
    totals,
    two_places,
    weighted_pupils,
)

COUNTED_ON = datetime.date(2024, 10, 15)


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def school(devices: int = 0, pupils: int | None = None, target: str | None = "5", **changes: Any) -> FigureRow:
    values: dict[str, Any] = {
        "counted": True,
        "devices": devices,
        "parent_financed": 0,
        "presentation_devices": 0,
        "pupils": pupils,
        "weight": None,
        "counted_on": None if pupils is None else COUNTED_ON,
        "rounded": None if pupils is None else True,
        "target": None if target is None else Decimal(target),
    }
    return figure_row(**values | changes)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.005", "0.01"),
        ("0.015", "0.02"),
        ("71.205", "71.21"),
        ("71.2049999", "71.20"),
        ("-0.005", "-0.01"),
        ("100", "100.00"),
        ("1e3", "1000.00"),
    ],
)
def test_output_is_rounded_half_up_to_two_places(value, text):
    assert two_places(Decimal(value)) == text


def test_missing_stays_missing():
    assert two_places(None) is None


@pytest.mark.parametrize(
    ("devices", "pupils", "percent", "ratio"),
    [
        (16_912, 23_750, "71.21", "1.40"),
        (50, 250, "20.00", "5.00"),
        (1, 3, "33.33", "3.00"),
        (2, 3, "66.67", "1.50"),
        (300, 200, "150.00", "0.67"),
        (0, 200, "0.00", None),
        (5, 0, None, None),
        (5, None, None, None),
        (0, 0, None, None),
    ],
)
def test_percent_and_pupils_per_device(devices, pupils, percent, ratio):
    assert two_places(quota_percent(devices, pupils)) == percent
    assert two_places(pupils_per_device(devices, pupils)) == ratio


@pytest.mark.parametrize(
    ("pupils", "target", "devices"),
    [
        ("250", "5", 50),
        ("251", "5", 51),
        ("250.01", "5", 51),
        ("0", "5", 0),
        ("1", "3", 1),
        ("100", "3", 34),
        ("95", "4.75", 20),
        ("23750", "4.31", 5511),
        (None, "5", None),
        ("250", None, None),
    ],
)
def test_a_target_is_rounded_up_to_whole_devices(pupils, target, devices):
    found = target_devices(None if pupils is None else Decimal(pupils), None if target is None else Decimal(target))
    assert found == devices


def test_a_target_in_percent():
    assert [two_places(target_percent(Decimal(n))) for n in (1, 2, 3, 5)] == ["100.00", "50.00", "33.33", "20.00"]
    assert target_percent(None) is None


def test_pupils_are_weighted_exactly():
    assert weighted_pupils(2_345, Decimal("0.40")) == Decimal("938.00")
    assert weighted_pupils(3, Decimal("1.25")) == Decimal("3.75")
    assert school(100, 1_000, "3", weight=Decimal("0.40")).weighted_pupils == Decimal("400.00")
    assert school(100, 1_000, "3", weight=Decimal("0.40")).target_devices == 134


def test_a_school_without_a_count_says_so():
    row = school(12, None)
    assert (row.percent, row.pupils_per_device, row.target_devices, row.difference) == (None, None, None, None)
    assert row.devices == 12


def test_the_city_is_the_sum_of_its_rows_and_its_targets_are_each_rounded_up():
    rows = [school(10, 101), school(50, 101), school(40, 100, "3", presentation_devices=7, parent_financed=3)]
    city = totals(rows)
    assert (city.schools, city.devices, city.pupils, city.weighted_pupils) == (3, 100, 302, Decimal("302.00"))
    assert (city.target_devices, city.difference) == (21 + 21 + 34, 100 - 76)
    assert (city.presentation_devices, city.parent_financed) == (7, 3)
    assert two_places(city.percent) == "33.11"
    assert two_places(city.pupils_per_device) == "3.02"
    assert two_places(city.target_pupils_per_device) == "3.97"


def test_the_city_quota_is_not_the_mean_of_the_schools():
    rows = [school(100, 100), school(0, 900), school(5, None)]
    assert two_places(totals(rows).percent) == "10.00"
    assert two_places(mean_of_schools(rows)) == "50.00"
    assert mean_of_schools([school(5, None)]) is None


def test_a_school_without_a_count_is_in_neither_part_of_a_total_quota():
    city = totals([school(50, 100), school(30, None)])
    assert (city.devices, city.quota_devices, city.devices_without_count) == (80, 50, 30)
    assert (city.schools, city.schools_without_count) == (2, 1)
    assert two_places(city.percent) == "50.00"
    assert (city.target_devices, city.difference) == (20, 30)


def test_a_school_without_a_target_counts_for_the_quota_and_not_for_the_target():
    city = totals([school(50, 100), school(30, 100, None)])
    assert two_places(city.percent) == "40.00"
    assert (city.target_devices, city.difference) == (20, 30)
    assert city.target_pupils_per_device == Decimal(5)


def test_schools_that_do_not_count_are_left_out():
    city = totals([school(50, 100), school(30, 100, counted=False)])
    assert (city.schools, city.devices, city.pupils) == (1, 50, 100)
    assert mean_of_schools([school(30, 100, counted=False)]) is None
    assert share_at([school(100, 100, counted=False)], 1) == Share(0, 0)


def test_a_total_of_nothing_knows_nothing():
    city = totals([])
    assert (city.devices, city.pupils, city.percent, city.target_devices, city.rounded) == (0, None, None, None, None)


def test_a_total_names_the_oldest_and_the_latest_count_and_whether_any_is_rounded():
    older = datetime.date(2023, 10, 15)
    city = totals([school(1, 10), school(1, 10, counted_on=older, rounded=False)])
    assert (city.counted_on, city.counted_on_latest, city.rounded) == (older, COUNTED_ON, True)


def test_shares_of_schools_at_one_to_one_and_one_to_two():
    rows = [school(100, 100), school(99, 100), school(50, 100), school(49, 100), school(9, None), school(9, 0)]
    assert share_at(rows, 1) == Share(1, 4)
    assert share_at(rows, 2) == Share(3, 4)
    assert share_at(rows, 2).percent == Decimal(75)
    assert Share(0, 0).percent is None


def test_an_effect_shows_before_and_after():
    effect = Effect(school(10, 100), devices_after=25)
    assert (two_places(effect.percent_before), two_places(effect.percent_after)) == ("10.00", "25.00")
    assert (two_places(effect.target_percent), effect.difference_after) == ("20.00", 5)
    assert Effect(school(10, None), devices_after=25).percent_after is None


@pytest.mark.parametrize(
    ("first", "last", "today", "followed_on", "days"),
    [
        ("2024-01-01", "2025-12-31", "2024-03-15", None, "2024-01-01 2024-02-01 2024-03-01 2024-03-15"),
        ("2024-01-01", "2025-12-31", "2024-03-15", "2026-01-01", "2024-01-01 2024-02-01 2024-03-01 2024-03-15"),
        ("2024-01-15", "2025-12-31", "2024-03-01", None, "2024-02-01 2024-03-01"),
        (
            "2024-01-01",
            "2024-02-29",
            "2024-04-10",
            None,
            "2024-01-01 2024-02-01 2024-02-29 2024-03-01 2024-04-01 2024-04-10",
        ),
        ("2024-01-01", "2024-02-29", "2024-04-10", "2024-03-01", "2024-01-01 2024-02-01 2024-02-29"),
        (
            "2024-01-01",
            "2024-02-29",
            "2024-05-10",
            "2024-04-02",
            "2024-01-01 2024-02-01 2024-02-29 2024-03-01 2024-04-01",
        ),
        ("2023-11-20", "2024-12-31", "2024-02-02", "2024-01-01", "2023-12-01 2024-01-01 2024-02-01"),
        ("2025-01-01", "2025-12-31", "2024-04-10", None, ""),
    ],
    ids=[
        "running",
        "the next one is known",
        "begins mid-month",
        "over, none after it",
        "over",
        "over, the next began later",
        "overtaken",
        "to come",
    ],
)
def test_stored_are_today_each_first_of_a_month_and_the_last_day_of_what_is_over(first, last, today, followed_on, days):
    found = needed_days(day(first), day(last), day(today), followed_on and day(followed_on))
    assert found == [day(text) for text in days.split()]
