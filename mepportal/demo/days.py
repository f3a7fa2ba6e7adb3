"""The fixed days of the generated past. Only applications and tickets move with the real today."""

from __future__ import annotations

import datetime
import functools
import itertools
import random
from collections.abc import Mapping, Sequence

from django.utils import timezone


def working_day(day: datetime.date) -> datetime.date:
    """The day itself, or the Monday after a weekend."""
    return day + datetime.timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)


def last_working_day(day: datetime.date) -> datetime.date:
    """The day itself, or the Friday before a weekend."""
    return day - datetime.timedelta(days=max(0, day.weekday() - 4))


FINISHED_PLAN = (datetime.date(2020, 1, 1), datetime.date(2024, 12, 31))
OPEN_PLAN = (datetime.date(2026, 1, 1), datetime.date(2030, 12, 31))
END = datetime.date(2026, 2, 28)
"""Nothing is generated for devices after this day: from here on, people go on themselves."""

GROWTH: Mapping[datetime.date, int] = {
    datetime.date(2020, 8, 31): 8,
    datetime.date(2020, 10, 5): 6,
    datetime.date(2020, 11, 16): 4,
    datetime.date(2021, 2, 15): 7,
    datetime.date(2021, 5, 3): 6,
    datetime.date(2021, 8, 16): 8,
    datetime.date(2021, 10, 25): 4,
    datetime.date(2022, 3, 7): 6,
    datetime.date(2022, 6, 20): 5,
    datetime.date(2022, 9, 5): 8,
    datetime.date(2022, 11, 7): 3,
    datetime.date(2023, 2, 27): 6,
    datetime.date(2023, 5, 15): 6,
    datetime.date(2023, 8, 28): 7,
    datetime.date(2024, 2, 19): 4,
    datetime.date(2024, 5, 6): 5,
    datetime.date(2024, 7, 1): 4,
    datetime.date(2024, 9, 2): 3,
}
"""Days of purchase of the finished plan with their weights; the last is rolled out before the plan ends."""

RENEWAL = (datetime.date(2025, 5, 12), datetime.date(2025, 9, 8), datetime.date(2025, 11, 24))
"""Days of purchase after the finished plan: they replace, and add nothing."""

PURCHASES = (*GROWTH, *RENEWAL)
BEFORE_THE_PLAN = tuple(working_day(datetime.date(year, 9, 14)) for year in range(2014, 2020))


def between(first: datetime.date, last: datetime.date, chance: random.Random) -> datetime.date:
    """A working day from `first` to a little after `last`."""
    return working_day(first + datetime.timedelta(days=chance.randrange((last - first).days + 1)))


def next_purchase(after: datetime.date) -> datetime.date | None:
    """The first day of purchase after a day; None when the story ends before."""
    return next((day for day in PURCHASES if day > after), None)


def some_purchases(number: int, chance: random.Random) -> Sequence[datetime.date]:
    """Days on which a school is given devices, the more likely the heavier; the same day may come twice."""
    return sorted(chance.choices(list(GROWTH), cum_weights=list(itertools.accumulate(GROWTH.values())), k=number))


@functools.cache
def at_noon(day: datetime.date) -> datetime.datetime:
    """A moment of a day in the portal's time zone."""
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time(12)))
