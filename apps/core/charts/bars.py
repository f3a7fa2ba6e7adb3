"""Bars, each with its value and, where there is one, its target."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import cached_property

from apps.core.charts.scale import Text, nice_ceiling, share, shown, uid

BAR_ROW, BAR_HEIGHT, BAR_OFFSET, BAR_HEAD, BAR_AXIS = 48, 16, 24, 24, 24
BAR_TARGET = 24
"""Height for the label below a bar at the end of its own target's mark, in pixels."""


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
        return uid("bars", self.title)

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
            Mark(shown(value, self.unit, places), share(value, self.top_value), anchor)
            for value, anchor in ((Decimal(0), "start"), (half, "middle"), (self.top_value, "end"))
        ]

    @property
    def bar_height(self) -> int:
        return BAR_HEIGHT

    @cached_property
    def target_x(self) -> Decimal | None:
        return None if self.target is None else share(self.target, self.top_value)

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
                    width=share(bar.value, self.top_value),
                    target_x=None if goal is None else share(goal, self.top_value),
                    below=goal is not None and bar.value < goal,
                )
            )
        return rows
