"""Pupil counts of seven school years. Those of 2024/25 are real; the others are generated and say so."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator, Mapping

from apps.core import clock
from apps.core.history import bulk_create_by
from apps.schools.models import PupilCount, School
from mepportal.demo.days import at_noon

REAL_YEAR = "2024/25"
REAL_SOURCE = "IT.NRW 2024/25 (dl-de/by-2-0)"
GENERATED_SOURCE = "Für die Demonstration erzeugt, keine amtliche Zahl"
COUNTING_DAYS = tuple(datetime.date(year, 10, 15) for year in range(2019, 2026))
"""The official day of the school statistics."""

_SEED = 2024
_TREND = (-0.012, 0.02)
_SWING = 0.012


def load_counts(pupils: Mapping[School, int]) -> None:
    """Writes the counts of all years around the real ones of 2024/25."""
    chance = random.Random(_SEED)
    counts = [count for school, real in pupils.items() for count in _counts(school, real, chance)]
    for count in counts:
        count._history_date = at_noon(count.counted_on + datetime.timedelta(days=60))  # type: ignore[attr-defined]
    bulk_create_by(counts, by=None)


def _counts(school: School, real: int, chance: random.Random) -> Iterator[PupilCount]:
    """A gentle trend of the school's own, and a little more or less each year."""
    trend = chance.uniform(*_TREND)
    for day in COUNTING_DAYS:
        year = clock.school_year_of(day)
        if year == REAL_YEAR:
            yield PupilCount(
                school=school, school_year=year, counted_on=day, pupils=real, rounded=True, source=REAL_SOURCE
            )
            continue
        change = trend * (day.year - 2024) + chance.uniform(-_SWING, _SWING)
        yield PupilCount(
            school=school,
            school_year=year,
            counted_on=day,
            pupils=round(real * (1 + change)),
            generated=True,
            source=GENERATED_SOURCE,
        )
