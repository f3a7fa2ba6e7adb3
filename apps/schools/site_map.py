"""Geometry of the map of sites: points drawn from their coordinates (EPSG:25832, metres), without any map tiles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.charts import nice_ceiling

WIDTH = 600
MARGIN = 24
RADIUS = 7
FARTHEST_REACH = 36
"""At 390 px a point without near neighbours is a target of 44 px, which the design of touch screens asks for."""
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
    """`reach`: how far around a finger meets it, at most half the way to the next point: none covers another."""

    place: Place
    x: int
    y: int
    reach: Decimal


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
    spots = []
    for place in places:
        x, y = MARGIN + (place.easting - west) * inner // metres, MARGIN + (north - place.northing) * inner // metres
        spots.append((x + taken[x, y] * 2 * RADIUS, y))
        taken[x, y] += 1
    points = [Point(place, *spot, reach) for place, spot, reach in zip(places, spots, _reaches(spots), strict=True)]
    height = 2 * MARGIN + (north - south) * inner // metres + MARGIN
    return SiteMap(points, height, scale_metres * inner // metres, scale_metres)


def _reaches(spots: Sequence[tuple[int, int]]) -> list[Decimal]:
    """Half the way to the nearest other spot, within what a finger needs; from west to east, so that many are quick."""
    order = sorted(range(len(spots)), key=lambda index: spots[index])
    found = [Decimal(0)] * len(spots)
    for place, index in enumerate(order):
        x, y = spots[index]
        nearest: float = 2 * FARTHEST_REACH
        for others in (reversed(order[:place]), order[place + 1 :]):
            for other in others:
                if abs(spots[other][0] - x) >= nearest:
                    break
                nearest = min(nearest, math.hypot(spots[other][0] - x, spots[other][1] - y))
        found[index] = Decimal(max(RADIUS, nearest / 2)).quantize(Decimal("0.1"))
    return found
