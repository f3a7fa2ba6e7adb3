"""Geometry of the inline SVG charts. Pages stay readable at any width: x in percent of the width, y in pixels.

Axes start at zero. Bars and lines are told apart by pattern, marker and label besides colour. Every chart
carries its table.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from django.utils.functional import Promise, cached_property

from apps.core import formats

Text = str | Promise
HUNDRED = Decimal(100)
BAR_ROW, BAR_HEIGHT, BAR_OFFSET, BAR_HEAD, BAR_AXIS = 48, 16, 24, 24, 24
BAR_TARGET = 24
"""Height for the label below a bar at the end of its own target's mark, in pixels."""
PLOT_HEIGHT, PLOT_TOP, PLOT_BOTTOM = 220, 28, 28
EDGE = Decimal(2)
TEXT_ROOM = 24
"""Height that a line of text needs above a line, in pixels."""
SERIES_LIMIT = 4
LABEL_LIMIT = 5
MARKED_POINTS = 24


def nice_ceiling(value: Decimal) -> Decimal:
    """The next of 1, 2, 2.5, 5, 10 times a power of ten; 1 for nothing above zero."""
    if value <= 0:
        return Decimal(1)
    magnitude = Decimal(1).scaleb(value.adjusted())
    return next(
        step * magnitude
        for step in (
            Decimal(1),
            Decimal("1.5"),
            Decimal(2),
            Decimal("2.5"),
            Decimal(3),
            Decimal(4),
            Decimal(5),
            Decimal(6),
            Decimal(8),
            Decimal(10),
        )
        if step * magnitude >= value
    )


def _share(value: Decimal, whole: Decimal) -> Decimal:
    return (max(value, Decimal(0)) * HUNDRED / whole).quantize(Decimal("0.01"))


def _shown(value: Decimal, unit: str, places: int) -> str:
    return formats.with_unit(value, unit, places) if unit else formats.number(value, places)


def _uid(kind: str, title: Text) -> str:
    return f"{kind}-{zlib.crc32(str(title).encode()):08x}"


@dataclass(frozen=True)
class Bar:
    """`text` is the value as people read it; `target` in the same measure as `value`; `note` e.g. "below target"."""

    label: Text
    value: Decimal
    text: str
    target: Decimal | None = None
    target_text: str = ""
    note: Text = ""
    url: str = ""


@dataclass(frozen=True)
class DrawnBar:
    """One bar with its place: `width` and `target_x` in percent, `top` in pixels."""

    bar: Bar
    top: int
    width: Decimal
    target_x: Decimal | None
    below: bool

    @property
    def target_text(self) -> str:
        """What stands at the end of the mark; "" where the line of all bars has its label on top."""
        return self.bar.target_text if self.bar.target is not None else ""

    @property
    def target_anchor(self) -> str:
        """Towards the middle of the picture, so that the label stays inside."""
        return "end" if self.target_x is not None and self.target_x > 50 else "start"

    @property
    def target_text_y(self) -> int:
        return self.target_y2 + 14

    @property
    def text_y(self) -> int:
        return self.top + 16

    @property
    def bar_y(self) -> int:
        return self.top + BAR_OFFSET

    @property
    def target_y1(self) -> int:
        return self.bar_y - 4

    @property
    def target_y2(self) -> int:
        return self.bar_y + BAR_HEIGHT + 4


@dataclass(frozen=True)
class Mark:
    """A round value on the axis of bars, with its place in percent of the width; `anchor` of its text."""

    text: str
    x: Decimal
    anchor: str


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars in the given order, which the description states ("sorted by distance to the target").

    `target` is for all bars and is labelled at its line; bars below their target are hatched and say `note`.
    Targets of single bars have their label below the bar. `target_word` stands before each. `unit` is for the axis.
    """

    title: Text
    description: Text
    bars: Sequence[Bar]
    value_header: Text
    label_header: Text
    target: Decimal | None = None
    target_label: Text = ""
    target_word: Text = ""
    unit: str = ""

    @property
    def uid(self) -> str:
        return _uid("bars", self.title)

    @cached_property
    def row_height(self) -> int:
        has_labels = any(bar.target is not None and bar.target_text for bar in self.bars)
        return BAR_ROW + BAR_TARGET if has_labels else BAR_ROW

    @cached_property
    def top_value(self) -> Decimal:
        """The right end of the axis."""
        values = [bar.value for bar in self.bars]
        values += [goal for bar in self.bars if (goal := self._target_of(bar)) is not None]
        return nice_ceiling(max(values, default=Decimal(0)))

    @property
    def head(self) -> int:
        return BAR_HEAD if self.target is not None and self.target_label else 0

    @property
    def height(self) -> int:
        return self.axis_y + BAR_AXIS

    @property
    def axis_y(self) -> int:
        """Where the bars end and the marks of the axis are written."""
        return self.head + self.row_height * len(self.bars)

    @property
    def mark_y(self) -> int:
        return self.axis_y + 18

    def marks(self) -> list[Mark]:
        """Zero, half and the end of the axis; texts at the edges stay inside the picture."""
        half = self.top_value / 2
        places = 0 if half == half.to_integral_value() else 2
        return [
            Mark(_shown(value, self.unit, places), _share(value, self.top_value), anchor)
            for value, anchor in ((Decimal(0), "start"), (half, "middle"), (self.top_value, "end"))
        ]

    @property
    def bar_height(self) -> int:
        return BAR_HEIGHT

    @cached_property
    def target_x(self) -> Decimal | None:
        return None if self.target is None else _share(self.target, self.top_value)

    @property
    def target_label_ends(self) -> bool:
        """Whether the label stands left of the line, because the line is far right."""
        return self.target_x is not None and self.target_x > 50

    @property
    def has_targets(self) -> bool:
        return any(bar.target_text for bar in self.bars)

    @property
    def has_notes(self) -> bool:
        return any(bar.note for bar in self.bars)

    def _target_of(self, bar: Bar) -> Decimal | None:
        return bar.target if bar.target is not None else self.target

    def drawn(self) -> list[DrawnBar]:
        rows = []
        for index, bar in enumerate(self.bars):
            goal = self._target_of(bar)
            rows.append(
                DrawnBar(
                    bar=bar,
                    top=self.head + index * self.row_height,
                    width=_share(bar.value, self.top_value),
                    target_x=None if goal is None else _share(goal, self.top_value),
                    below=goal is not None and bar.value < goal,
                )
            )
        return rows


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
        return _uid("lines", self.title)

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
