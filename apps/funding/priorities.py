"""In which order the office looks at what waits: points from three criteria. Pure: values in, values out, exact.

Each criterion is a value between 0 and 1 and counts with the city's weight for the day; what is not known is neutral
and counts one half, so that nobody gains or loses by it. It orders the work of the office and ranks no school.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

NEUTRAL = Decimal("0.5")
NOTHING, ALL = Decimal(0), Decimal(1)
FOUR_PLACES = Decimal("0.0001")
SOCIAL_INDEX_LEVELS = 9
"""Levels of the school social index of NRW: 1 is the least burden, 9 the greatest."""


class Criterion(StrEnum):
    NEED = "need"
    AGE = "age"
    SOCIAL_INDEX = "social_index"


@dataclass(frozen=True)
class Age:
    """How long a device to be replaced was used, and how long it was planned for, in days."""

    used: int
    planned: int


@dataclass(frozen=True)
class Facts:
    """What is known about an application; None: not known.

    `devices` and `target_devices` of its school before anything is approved; `ages` of the devices it replaces.
    """

    application_id: int
    submitted_at: datetime.datetime
    devices: int | None = None
    target_devices: int | None = None
    ages: tuple[Age, ...] = ()
    social_index: int | None = None


@dataclass(frozen=True)
class Score:
    """One criterion of one application: its value (None: not known, counted as neutral), its weight, its points."""

    criterion: Criterion
    value: Decimal | None
    weight: Decimal

    @property
    def points(self) -> Decimal:
        return (NEUTRAL if self.value is None else self.value) * self.weight


@dataclass(frozen=True)
class Place:
    """One application's place in the order, from 1, with what led to it."""

    number: int
    facts: Facts
    scores: tuple[Score, ...]

    @property
    def points(self) -> Decimal:
        return sum((score.points for score in self.scores), NOTHING)


def need_of(devices: int | None, target_devices: int | None) -> Decimal | None:
    """How much of the school's target is missing: 0 at the target and above, 1 without any device."""
    if devices is None or target_devices is None:
        return None
    if target_devices <= 0:
        return NOTHING
    return _bounded(Decimal(target_devices - devices) / target_devices)


def age_of(ages: Sequence[Age]) -> Decimal | None:
    """The mean share of their planned time that the devices to be replaced were used; none counts for more than all."""
    known = [_bounded(Decimal(max(age.used, 0)) / age.planned) for age in ages if age.planned > 0]
    return _rounded(sum(known, NOTHING) / len(known)) if known else None


def social_index_of(level: int | None) -> Decimal | None:
    """Level 1 is 0, level 9 is 1."""
    return None if level is None else _bounded(Decimal(level - 1) / (SOCIAL_INDEX_LEVELS - 1))


def scores_of(facts: Facts, weights: Mapping[Criterion, Decimal]) -> tuple[Score, ...]:
    """The criteria that have a weight above zero, in their order."""
    values = {
        Criterion.NEED: need_of(facts.devices, facts.target_devices),
        Criterion.AGE: age_of(facts.ages),
        Criterion.SOCIAL_INDEX: social_index_of(facts.social_index),
    }
    return tuple(
        Score(criterion, value, weights[criterion])
        for criterion, value in values.items()
        if weights.get(criterion, NOTHING) > 0
    )


def places_of(all_facts: Iterable[Facts], weights: Mapping[Criterion, Decimal]) -> tuple[Place, ...]:
    """The order: most points first, then who waits longest, then the smaller number."""
    places = [Place(0, facts, scores_of(facts, weights)) for facts in all_facts]
    places.sort(key=lambda place: (-place.points, place.facts.submitted_at, place.facts.application_id))
    return tuple(Place(number, place.facts, place.scores) for number, place in enumerate(places, start=1))


def most_points(weights: Mapping[Criterion, Decimal]) -> Decimal:
    """What an application can reach at most."""
    return sum((weight for weight in weights.values() if weight > 0), NOTHING)


def _bounded(value: Decimal) -> Decimal:
    return _rounded(min(max(value, NOTHING), ALL))


def _rounded(value: Decimal) -> Decimal:
    """Four places, half-up, so that every later sum is exact."""
    return value.quantize(FOUR_PLACES, rounding=ROUND_HALF_UP)
