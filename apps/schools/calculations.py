"""School years and counting days as the official statistics name them, and shares."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

COUNTING_MONTH, COUNTING_DAY = 10, 15


def is_school_year(text: str) -> bool:
    """ "2024/25": two years that follow one another."""
    match = re.fullmatch(r"(20\d\d)/(\d\d)", text, re.ASCII)
    return match is not None and (int(match[1]) + 1) % 100 == int(match[2])


def counting_day(school_year: str) -> datetime.date:
    """The day of the official statistics: 15 October of the school year."""
    return datetime.date(int(school_year[:4]), COUNTING_MONTH, COUNTING_DAY)


def next_school_year(school_year: str) -> str:
    first = int(school_year[:4]) + 1
    return f"{first}/{(first + 1) % 100:02d}"


def share(part: int, whole: int) -> Decimal | None:
    """Percent of the whole, not rounded; None when there is no whole."""
    return Decimal(100) * part / whole if whole else None
