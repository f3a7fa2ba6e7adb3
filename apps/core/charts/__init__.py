"""Geometry of the inline SVG charts. Pages stay readable at any width: x in percent of the width, y in pixels.

Axes start at zero. Bars and lines are told apart by pattern, marker and label besides colour. Every chart
carries its table.
"""

from apps.core.charts.bars import Bar, BarChart
from apps.core.charts.lines import LineChart, Series
from apps.core.charts.scale import nice_ceiling

__all__ = ["Bar", "BarChart", "LineChart", "Series", "nice_ceiling"]
