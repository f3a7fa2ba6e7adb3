"""Geometry of the map of sites: points drawn from their coordinates (EPSG:25832, metres), without any map tiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.charts import nice_ceiling

WIDTH = 600
MARGIN = 24
RADIUS = 7
MOST_HEIGHT = 900
SCALE_SHARE = 5


@dataclass(frozen=True)
class Place:
    """One point to be drawn; `marked` ones are discs, the others squares."""

    label: str
    url: str
    easting: int
    northing: int
    marked: bool


@dataclass(frozen=True)
class Point:
    place: Place
    x: int
    y: int


@dataclass(frozen=True)
class SiteMap:
    """Points in drawing units, north above; the scale bar is `scale_width` units and `scale_metres` metres long."""

    points: Sequence[Point]
    height: int
    scale_width: int
    scale_metres: int

    width = WIDTH
    radius = RADIUS

    @property
    def scale_kilometres(self) -> Decimal:
        return Decimal(self.scale_metres) / 1000


def draw(places: Iterable[Place]) -> SiteMap | None:
    """The map of these places; None when there are none. Places at one spot stand side by side."""
    places = list(places)
    if not places:
        return None
    west, east = min(p.easting for p in places), max(p.easting for p in places)
    south, north = min(p.northing for p in places), max(p.northing for p in places)
    metres = max(east - west, (north - south) * (WIDTH - 2 * MARGIN) // (MOST_HEIGHT - 2 * MARGIN), 1000)
    inner = WIDTH - 2 * MARGIN
    scale_metres = int(nice_ceiling(Decimal(metres) / SCALE_SHARE))
    taken = Counter[tuple[int, int]]()
    points = []
    for place in places:
        x, y = MARGIN + (place.easting - west) * inner // metres, MARGIN + (north - place.northing) * inner // metres
        points.append(Point(place, x + taken[x, y] * 2 * RADIUS, y))
        taken[x, y] += 1
    height = 2 * MARGIN + (north - south) * inner // metres + MARGIN
    return SiteMap(points, height, scale_metres * inner // metres, scale_metres)
