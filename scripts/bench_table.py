"""Measures of `make bench`: taken in order, compared with one another, held against their limits."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from console import say


@dataclass(frozen=True)
class Measure:
    """A median time; `ratio` says how often as long as the measure named `ratio_to` it takes."""

    name: str
    value: float
    unit: str = "ms"
    ratio_to: str | None = None
    ratio: float | None = None


class Bench:
    """Collects measures in order, each with its ratio to one taken before.

    A limit is one of the ratio where there is one, else one of the value.
    """

    def __init__(self) -> None:
        self.measures: dict[str, Measure] = {}
        self.limits: dict[str, float] = {}

    def take(
        self, name: str, value: float, ratio_to: str | None = None, *, limit: float | None = None, unit: str = "ms"
    ) -> None:
        base = self.measures[ratio_to].value if ratio_to else None
        ratio = round(value / base, 2) if base else None
        self.measures[name] = Measure(name, round(value, 2), unit, ratio_to, ratio)
        if limit is not None:
            self.limits[name] = limit

    def exceeded(self) -> list[str]:
        """Names of the measures beyond their limits."""
        return [name for name in self.limits if self._compared(name) > self.limits[name]]

    def _compared(self, name: str) -> float:
        measure = self.measures[name]
        return measure.value if measure.ratio is None else measure.ratio

    def show(self) -> None:
        width = max(len(name) for name in self.measures)
        beyond = self.exceeded()
        say()
        for name, measure in self.measures.items():
            words = [f"{name.ljust(width)} {measure.value:12.2f} {measure.unit}"]
            if measure.ratio is not None:
                words.append(f"{measure.ratio:8.2f} x {measure.ratio_to}")
            if name in self.limits:
                words.append(f"(limit {self.limits[name]:g}{', EXCEEDED' if name in beyond else ''})")
            say("  ".join(words))

    def write(self, target: Path) -> None:
        found = [asdict(measure) for measure in self.measures.values()]
        target.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _nothing() -> None:
    """Before a run that needs no preparation."""


def median_ms(act: Callable[[], object], *, times: int, before: Callable[[], object] = _nothing) -> float:
    """Median of several runs in milliseconds, after one that is not counted; `before` is not timed."""
    act()
    taken = []
    for _number in range(times):
        before()
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def medians_in_turn_ms(*acts: Callable[[], object], times: int) -> list[float]:
    """Medians of acts that take turns, so that what else the machine does falls on all of them alike."""
    taken: list[list[float]] = [[] for _act in acts]
    for number in range(times + 1):
        for act, values in zip(acts, taken, strict=True):
            milliseconds = once_ms(act)
            if number:
                values.append(milliseconds)
    return [statistics.median(values) for values in taken]


def once_ms(act: Callable[[], object]) -> float:
    """Milliseconds of a single run, for what takes long anyway."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


class DatabaseTime:
    """Adds up the milliseconds that statements take, from being sent to their answer."""

    def __init__(self) -> None:
        self.milliseconds = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.milliseconds += (time.perf_counter() - began) * 1000


@contextmanager
def database_time() -> Iterator[DatabaseTime]:
    from django.db import connection

    taken = DatabaseTime()
    with connection.execute_wrapper(taken):
        yield taken


def median_database_ms(act: Callable[[], object], *, times: int, before: Callable[[], object] = _nothing) -> float:
    """Median of the database's part of several runs, after one that is not counted."""
    taken = []
    for number in range(times + 1):
        before()
        with database_time() as one:
            act()
        if number:
            taken.append(one.milliseconds)
    return statistics.median(taken)
