"""Courses over the same moments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from django.utils.functional import cached_property

from apps.core import formats
from apps.core.charts.scale import HUNDRED, Text, nice_ceiling, uid

PLOT_HEIGHT, PLOT_TOP, PLOT_BOTTOM = 220, 28, 28
EDGE = Decimal(2)
TEXT_ROOM = 24
"""Height that a line of text needs above a line, in pixels."""
SERIES_LIMIT = 4
LABEL_LIMIT = 5
MARKED_POINTS = 24


@dataclass(frozen=True)
class Series:
    """One course; None leaves a gap."""

    label: Text
    values: Sequence[Decimal | None]


@dataclass(frozen=True)
class Point:
    x: Decimal
    y: Decimal


@dataclass(frozen=True)
class DrawnSeries:
    """Segments between neighbouring known points, and all known points; `number` 1 to 4 picks colour and marker."""

    label: Text
    number: int
    points: Sequence[Point]
    segments: Sequence[tuple[Point, Point]]


@dataclass(frozen=True)
class AxisLabel:
    """`between`: left out where there is little room."""

    text: Text
    x: Decimal
    anchor: str
    between: bool = False


@dataclass(frozen=True)
class GridLine:
    text: str
    y: Decimal

    @property
    def text_y(self) -> Decimal:
        return self.y - 4


@dataclass(frozen=True)
class LineChart:
    """Up to four courses over the same moments, with a dashed target line labelled at its end.

    `target` is one value for all moments, `targets` one for each where it changes (None: no target then).
    `places` and `unit` format the axis and the table. Markers stand on few points only.
    """

    title: Text
    description: Text
    labels: Sequence[Text]
    series: Sequence[Series]
    label_header: Text
    target: Decimal | None = None
    targets: Sequence[Decimal | None] = ()
    target_label: Text = ""
    unit: str = ""
    places: int = 0
    height: int = field(default=PLOT_TOP + PLOT_HEIGHT + PLOT_BOTTOM, init=False)

    def __post_init__(self) -> None:
        if len(self.series) > SERIES_LIMIT:
            raise ValueError(f"A line chart shows at most {SERIES_LIMIT} series, not {len(self.series)}")
        if any(len(series.values) != len(self.labels) for series in self.series):
            raise ValueError("Every series needs one value for each label")
        if self.targets and (self.target is not None or len(self.targets) != len(self.labels)):
            raise ValueError("Targets are one for all labels or one for each")

    @property
    def uid(self) -> str:
        return uid("lines", self.title)

    @cached_property
    def top_value(self) -> Decimal:
        values = [value for series in self.series for value in series.values if value is not None]
        values += [value for value in (self.target, *self.targets) if value is not None]
        return nice_ceiling(max(values, default=Decimal(0)))

    def _x(self, index: int) -> Decimal:
        last = max(len(self.labels) - 1, 1)
        return (EDGE + (HUNDRED - 2 * EDGE) * index / last).quantize(Decimal("0.01"))

    def _y(self, value: Decimal) -> Decimal:
        return PLOT_TOP + PLOT_HEIGHT - (value * PLOT_HEIGHT / self.top_value).quantize(Decimal("0.1"))

    def shown(self, value: Decimal | None) -> str:
        """A value as the table and the axis show it."""
        return formats.with_unit(value, self.unit, self.places) if self.unit else formats.number(value, self.places)

    def drawn(self) -> list[DrawnSeries]:
        result = []
        for number, series in enumerate(self.series, start=1):
            points = self._points(series.values)
            marked = [point for point in points if point] if len(points) <= MARKED_POINTS else []
            result.append(DrawnSeries(series.label, number, marked, self._segments(points)))
        return result

    def _points(self, values: Sequence[Decimal | None]) -> list[Point | None]:
        return [None if value is None else Point(self._x(index), self._y(value)) for index, value in enumerate(values)]

    @staticmethod
    def _segments(points: Sequence[Point | None]) -> list[tuple[Point, Point]]:
        return [(first, second) for first, second in pairwise(points) if first is not None and second is not None]

    def target_segments(self) -> list[tuple[Point, Point]]:
        """The dashed line of a target that changes; one line while it stays, so that its dashes can be seen."""
        joined: list[tuple[Point, Point]] = []
        for first, second in self._segments(self._points(self.targets)):
            if joined and joined[-1][1] == first and joined[-1][0].y == first.y == second.y:
                first = joined.pop()[0]
            joined.append((first, second))
        return joined

    def grid(self) -> list[GridLine]:
        """Zero, half and the top of the axis."""
        steps = (Decimal(0), self.top_value / 2, self.top_value)
        places = 0 if steps[1] == steps[1].to_integral_value() else 1
        return [
            GridLine(
                formats.with_unit(value, self.unit, places) if self.unit else formats.number(value, places),
                self._y(value),
            )
            for value in steps
        ]

    def axis(self) -> list[AxisLabel]:
        """At most five labels, the first and the last always among them."""
        last = len(self.labels) - 1
        if last < 0:
            return []
        step = max(1, -(-last // (LABEL_LIMIT - 1)))
        chosen = [index for index in range(0, last, step) if last - index >= step or index == 0]
        return [
            AxisLabel(self.labels[index], self._x(index), self._anchor(index, last), number % 2 == 1 and index < last)
            for number, index in enumerate(dict.fromkeys([*chosen, last]))
        ]

    @staticmethod
    def _anchor(index: int, last: int) -> str:
        if index == 0:
            return "start"
        return "end" if index == last else "middle"

    @cached_property
    def target_y(self) -> Decimal | None:
        """Where the line of the target ends."""
        last = self.targets[-1] if self.targets else self.target
        return None if last is None else self._y(last)

    @property
    def target_text_y(self) -> Decimal | None:
        """Above the line's end, or below where a course ends right above it."""
        if self.target_y is None:
            return None
        ends = [self._y(series.values[-1]) for series in self.series if series.values and series.values[-1] is not None]
        is_taken = any(0 <= self.target_y - end < TEXT_ROOM for end in ends)
        return self.target_y + 16 if is_taken else self.target_y - 6

    @property
    def target_text(self) -> str:
        """The label at the end of the dashed line, with the value where it differs over time."""
        if not self.targets:
            return str(self.target_label)
        return f"{self.target_label} {self.shown(self.targets[-1])}"

    @property
    def axis_y(self) -> int:
        return PLOT_TOP + PLOT_HEIGHT + 20

    def rows(self) -> list[tuple[Text, list[str]]]:
        """The table: one row per label."""
        return [
            (
                label,
                [self.shown(series.values[index]) for series in self.series]
                + ([self.shown(self.targets[index])] if self.targets else []),
            )
            for index, label in enumerate(self.labels)
        ]
