"""What becomes of each device between its purchase and the end of the story: a list of dated steps.

Placements, history and the copies on the device are all made from these steps (see `devices`), so they agree.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apps.inventory.choices import ENDED_STATUSES, DeviceStatus, Ownership
from apps.inventory.models import Product
from apps.schools.models import School
from mepportal.demo.catalogue import Catalogue
from mepportal.demo.days import END, FINISHED_PLAN, PURCHASES, between, next_purchase, working_day
from mepportal.demo.seats import BELOW_TARGET, Seat, room_of

DAY = datetime.timedelta(days=1)
PORTABLE = frozenset({"tablet", "notebook"})
LEASING_SINCE = datetime.date(2023, 1, 1)
BEFORE_DUE = 60 * DAY
"""So early before its planned end of use a device may be replaced."""
REPLACED_AT_ONCE = 0.65
"""Otherwise it waits for the next day of purchase; what waits at the end of the story is overdue."""

MOVED, TO_ANOTHER_ROOM, REPAIRED, ENDED_EARLY = 0.05, 0.04, 0.05, 0.025
NOT_FOUND = "Bei der Inventur nicht auffindbar"
EARLY_ENDS = (
    (DeviceStatus.LOST, NOT_FOUND, "coordinator"),
    (DeviceStatus.STOLEN, "Einbruch, Anzeige ist erstattet", "coordinator"),
    (DeviceStatus.RETIRED, "Sturzschaden, Reparatur lohnt nicht", "support"),
    (DeviceStatus.RETIRED, "Hauptplatine defekt, Reparatur lohnt nicht", "support"),
)
EARLY_WEIGHTS = (3, 1, 4, 2)
REPLACED = "Nutzungsdauer erreicht, durch ein neues Gerät ersetzt"


@dataclass(frozen=True)
class Step:
    """From `day` on the device is in this status, at this school (None: at none). `by`: see `devices`."""

    day: datetime.date
    status: DeviceStatus
    school: School | None
    room: str
    reason: str = ""
    by: str = "support"


@dataclass(frozen=True)
class Course:
    """One device from its purchase on."""

    product: Product
    ownership: Ownership
    bought_on: datetime.date
    steps: Sequence[Step]


class Courses:
    """Tells the courses of all devices; the same chance gives the same courses."""

    def __init__(self, catalogue: Catalogue, schools: Sequence[School], chance: random.Random) -> None:
        self.catalogue = catalogue
        self.chance = chance
        self._rollouts: dict[tuple[int, datetime.date], datetime.date] = {}
        self._alike: dict[str, list[School]] = {}
        for school in schools:
            if school.number not in BELOW_TARGET:
                self._alike.setdefault(school.school_type_id, []).append(school)

    def of(self, seat: Seat) -> Iterator[Course]:
        """The devices that fill a place, one after the other."""
        day: datetime.date | None = seat.bought_on
        code, school = seat.first_code, seat.school
        while day is not None:
            product = self.catalogue.bought_on(code, day)
            if school is None:
                arrived = Step(working_day(day + 14 * DAY), DeviceStatus.IN_STOCK, None, "")
                yield Course(product, Ownership.BOUGHT, day, [arrived])
                return
            replaced_by = None if seat.lasting else self._replaced_by(product, day)
            steps = self._steps(seat, code, school, day, replaced_by)
            yield Course(product, seat.ownership or self._ownership(day), day, steps)
            ended_early = steps[-1].status in ENDED_STATUSES and steps[-1].reason != REPLACED
            day = next_purchase(steps[-1].day) if ended_early else replaced_by
            code = seat.code
            school = [step.school for step in steps if step.school is not None][-1]

    def _replaced_by(self, product: Product, bought_on: datetime.date) -> datetime.date | None:
        """The day on which its successor is bought; None: not within the story."""
        due = bought_on.replace(year=bought_on.year + product.kind.years_of_use)
        days = (day for day in PURCHASES if day >= due - BEFORE_DUE)
        return next((day for day in days if self.chance.random() < REPLACED_AT_ONCE), None)

    def _ownership(self, day: datetime.date) -> Ownership:
        leased = 8 if day >= LEASING_SINCE else 0
        return self.chance.choices((Ownership.BOUGHT, Ownership.LEASED, Ownership.DONATED), (90, leased, 2))[0]

    def _rollout(self, school: School, bought_on: datetime.date) -> datetime.date:
        """The day on which a school is given what was bought on a day."""
        key = (school.pk, bought_on)
        if key not in self._rollouts:
            self._rollouts[key] = between(bought_on + 14 * DAY, bought_on + 70 * DAY, self.chance)
        return self._rollouts[key]

    def _steps(
        self, seat: Seat, code: str, school: School, bought_on: datetime.date, replaced_by: datetime.date | None
    ) -> list[Step]:
        placed = self._rollout(school, bought_on)
        steps = [Step(placed, DeviceStatus.IN_USE, school, seat.room, "Eingerichtet und übergeben")]
        last = replaced_by or END
        early = None if seat.lasting else self._early_end(placed, last)
        steps += self._incidents(steps[0], early.day if early else last, movable=not seat.lasting)
        if early is not None:
            return [*steps, early]
        if replaced_by is not None:
            day = self._rollout(steps[-1].school or school, replaced_by)
            return [*steps, Step(day, DeviceStatus.RETIRED, None, "", REPLACED)]
        if code in PORTABLE and seat.ownership is None:
            steps += self._present_state(steps[-1])
        return steps

    def _early_end(self, placed: datetime.date, last: datetime.date) -> Step | None:
        """Loss or total damage between February and June, so that the place is filled again in the same year."""
        first = max(placed.year + 1, FINISHED_PLAN[0].year)
        years = [year for year in range(first, last.year + 1) if datetime.date(year, 6, 30) < last]
        if not years or self.chance.random() >= ENDED_EARLY * len(years) / 5:
            return None
        year = self.chance.choice(years)
        day = between(datetime.date(year, 2, 15), datetime.date(year, 6, 20), self.chance)
        status, reason, by = self.chance.choices(EARLY_ENDS, EARLY_WEIGHTS)[0]
        return Step(day, status, None, "", reason, by) if day > placed else None

    def _incidents(self, first: Step, last: datetime.date, *, movable: bool) -> Iterator[Step]:
        """What happens in between, with two months from one to the next, so that a repair ends before."""
        days = [(self._summer(first.day, last), "move")] if movable and self.chance.random() < MOVED else []
        days += [(self._any_day(first.day, last), "room")] if self.chance.random() < TO_ANOTHER_ROOM else []
        days += [(self._any_day(first.day, last), "repair")] if self.chance.random() < REPAIRED else []
        now = first
        for day, what in sorted((day, what) for day, what in days if day is not None):
            if now.day + 60 * DAY <= day <= last - 60 * DAY:
                incident = list(self._incident(now, day, what))
                yield from incident
                now = [now, *incident][-1]

    def _incident(self, now: Step, day: datetime.date, what: str) -> Iterator[Step]:
        if now.school is None:
            return
        if what == "room":
            yield Step(day, DeviceStatus.IN_USE, now.school, room_of(self.chance), "In einen anderen Raum gestellt")
        elif what == "repair":
            back = working_day(day + self.chance.randrange(10, 35) * DAY)
            yield Step(day, DeviceStatus.IN_REPAIR, now.school, now.room, "Gerät defekt", "coordinator")
            yield Step(back, DeviceStatus.IN_USE, now.school, now.room, "Aus der Reparatur zurück")
        elif now.school.number not in BELOW_TARGET:
            other = self.chance.choice(self._alike[now.school.school_type_id])
            if other != now.school:
                yield Step(day, DeviceStatus.IN_STOCK, None, "", "Für eine andere Schule vorbereitet")
                back = working_day(day + self.chance.randrange(5, 20) * DAY)
                yield Step(back, DeviceStatus.IN_USE, other, room_of(self.chance), "An eine andere Schule abgegeben")

    def _summer(self, first: datetime.date, last: datetime.date) -> datetime.date | None:
        """A day in the summer holidays of some year between."""
        years = [year for year in range(first.year + 1, last.year + 1) if datetime.date(year, 9, 1) < last]
        if not years:
            return None
        year = self.chance.choice(years)
        return between(datetime.date(year, 7, 5), datetime.date(year, 8, 10), self.chance)

    def _any_day(self, first: datetime.date, last: datetime.date) -> datetime.date | None:
        return between(first, last, self.chance) if first < last else None

    def _present_state(self, now: Step) -> Iterator[Step]:
        """Of the portable devices that are in use at the end, some are on loan and some away for repair."""
        drawn = self.chance.random()
        if drawn < 0.1:
            day = between(datetime.date(2025, 8, 28), datetime.date(2025, 10, 24), self.chance)
            if day > now.day:
                reason = "An Schülerinnen und Schüler verliehen"
                yield Step(day, DeviceStatus.ON_LOAN, now.school, now.room, reason, "coordinator")
        elif drawn < 0.12:
            day = between(datetime.date(2026, 2, 9), datetime.date(2026, 2, 25), self.chance)
            if day > now.day:
                yield Step(day, DeviceStatus.IN_REPAIR, now.school, now.room, "Gerät defekt", "coordinator")
