"""The portal's calendar: one place that says what day it is and how school years are named."""

import datetime

from django.utils import timezone


def now() -> datetime.datetime:
    """The present moment, with time zone."""
    return timezone.now()  # noqa: TID251 - the one place


def today() -> datetime.date:
    """The present day in the portal's time zone."""
    return day_of(now())


def day_of(moment: datetime.datetime) -> datetime.date:
    """The day of a moment in the portal's time zone."""
    return timezone.localtime(moment).date()


def end_of(day: datetime.date) -> datetime.datetime:
    """The first moment after a day in the portal's time zone."""
    midnight = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time())
    return timezone.make_aware(midnight)


def school_year_of(day: datetime.date) -> str:
    """The school year of a day, named as the official statistics do: "2024/25" (1 August to 31 July)."""
    first = day.year if day.month >= 8 else day.year - 1
    return f"{first}/{(first + 1) % 100:02d}"


def end_of_school_year(day: datetime.date) -> datetime.date:
    """The last day of the school year of a day: 31 July (§ 7 SchulG NRW)."""
    return datetime.date(day.year if day.month < 8 else day.year + 1, 7, 31)
