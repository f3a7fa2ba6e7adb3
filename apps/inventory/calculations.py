"""Days that follow from a purchase."""

from __future__ import annotations

import calendar
import datetime


def months_later(day: datetime.date, months: int) -> datetime.date:
    """The same day so many months later, or the last day of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(day.day, last))


def warranty_ends(bought_on: datetime.date | None, months: int | None) -> datetime.date | None:
    """The last day of the warranty (§ 188 (2) BGB); None where the purchase or the warranty is not known."""
    return None if bought_on is None or not months else months_later(bought_on, months)
