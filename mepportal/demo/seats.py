"""Places for devices: what a school has room for at the end of 2024, and when each place is filled first.

A place stays filled: who is replaced or lost is followed by another device, so that the sums on 31 December 2024
are those of the published result.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from apps.inventory.choices import Ownership
from apps.schools.models import School
from mepportal.demo.catalogue import TEACHERS
from mepportal.demo.days import BEFORE_THE_PLAN, RENEWAL, some_purchases

PUPILS_DEVICES = 16_912
PRESENTATION_DEVICES = 1_738
TEACHERS_DEVICES = 1_810
IN_STOCK = 60

MIX = {"02": (80, 15, 5), "08": (70, 25, 5), "30": (25, 45, 30)}
OTHER_MIX = (60, 25, 15)
OLD_MIX = (10, 35, 55)
OLD_SHARE = 0.1
"""Of a hundred places so many had a device before 2020: more computer rooms than tablets."""
OLD_PRESENTATION_SHARE = 0.2

LEVEL = {"02": 0.55, "04": 0.75, "10": 0.7, "15": 0.75, "20": 0.8, "08": 1.0, "30": 0.72}
"""Devices per pupil by school type before they are scaled to the city's sum; made up."""
BELOW_TARGET = {"136037": 0.14, "120698": 0.17}

PUPILS_CODES = ("tablet", "notebook", "desktop")
SECONDARY = frozenset({"04", "10", "15", "20"})
BYOD_DAYS = (datetime.date(2022, 8, 1), datetime.date(2023, 8, 1), datetime.date(2024, 8, 1))
TEACHERS_DAYS = (datetime.date(2021, 5, 3), datetime.date(2021, 8, 16))


@dataclass(frozen=True)
class Seat:
    """A place at a school: what is bought for it first and when, and of which kind the successors are.

    `school` None is the depot. `lasting`: the first device stays, whatever its age. `ownership` None: drawn anew
    for each device.
    """

    school: School | None
    bought_on: datetime.date
    first_code: str
    code: str
    room: str = ""
    lasting: bool = False
    ownership: Ownership | None = Ownership.BOUGHT


def seats_of(schools: Sequence[School], pupils: Mapping[int, int], chance: random.Random) -> Iterator[Seat]:
    """All places of the city; `pupils` by id of the school."""
    numbers = apportioned({school.pk: pupils[school.pk] * _level(school) for school in schools}, PUPILS_DEVICES)
    weights = {school.pk: float(pupils[school.pk]) for school in schools}
    presentation = apportioned(weights, PRESENTATION_DEVICES)
    teachers = apportioned(weights, TEACHERS_DEVICES)
    for school in schools:
        yield from _of_pupils(school, numbers[school.pk], chance)
        yield from _of_rooms(school, presentation[school.pk], chance)
        yield from _beside_them(school, numbers[school.pk], teachers[school.pk], chance)
        if school.school_type_id == "20":
            for _ in range(pupils[school.pk] // 8):
                day = chance.choice(BYOD_DAYS)
                yield Seat(school, day, "tablet", "tablet", lasting=True, ownership=Ownership.PARENT_FINANCED)
    for code in chance.choices(("tablet", "notebook"), (70, 30), k=IN_STOCK):
        yield Seat(None, RENEWAL[-1], code, code, lasting=True)


def apportioned(weights: dict[int, float], total: int) -> dict[int, int]:
    """Whole numbers in proportion to the weights that add up to `total` (largest remainders)."""
    whole = sum(weights.values())
    exact = {key: weight * total / whole for key, weight in weights.items()}
    result = {key: int(value) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: (result[key] - exact[key], key))
    for key in by_remainder[: total - sum(result.values())]:
        result[key] += 1
    return result


def _level(school: School) -> float:
    """Devices per pupil; the schools below target are scaled up with the rest, so they start lower."""
    return BELOW_TARGET.get(school.number, LEVEL.get(school.school_type_id, 0.7))


def _of_pupils(school: School, number: int, chance: random.Random) -> Iterator[Seat]:
    days = some_purchases(7, chance)
    for code in chance.choices(PUPILS_CODES, MIX.get(school.school_type_id, OTHER_MIX), k=number):
        old = chance.random() < OLD_SHARE
        first = chance.choices(PUPILS_CODES, OLD_MIX)[0] if old else code
        day = _before_the_plan(first, chance) if old else chance.choice(days)
        yield Seat(school, day, first, code, room_of(chance), ownership=None)


def _before_the_plan(code: str, chance: random.Random) -> datetime.date:
    """Tablets came late."""
    return chance.choice(BEFORE_THE_PLAN[-2:] if code == "tablet" else BEFORE_THE_PLAN)


def _of_rooms(school: School, number: int, chance: random.Random) -> Iterator[Seat]:
    days = some_purchases(6, chance)
    for code in chance.choices(("projector", "display"), (35, 65), k=number):
        old = chance.random() < OLD_PRESENTATION_SHARE
        day = chance.choice(BEFORE_THE_PLAN) if old else chance.choice(days)
        yield Seat(school, day, "projector" if old else code, code, room_of(chance))


def _beside_them(school: School, devices: int, teachers: int, chance: random.Random) -> Iterator[Seat]:
    """Charging carts, document cameras and the teachers' devices: they count for no quota."""
    days = some_purchases(3, chance)
    for _ in range(max(1, devices // 120)):
        yield Seat(school, chance.choice(days), "charging_cart", "charging_cart", room_of(chance), lasting=True)
    for _ in range(4 if school.school_type_id in SECONDARY else 1):
        yield Seat(school, chance.choice(days), "document_camera", "document_camera", room_of(chance), lasting=True)
    for _ in range(teachers):
        yield Seat(school, chance.choice(TEACHERS_DAYS), TEACHERS, TEACHERS, lasting=True)


def room_of(chance: random.Random) -> str:
    return f"{chance.randrange(1, 4)}{chance.randrange(1, 30):02d}"
