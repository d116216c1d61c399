"""Outlines of countries, and distances on a sphere. Pure Python."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("catalogue")

EARTH_KM = 6371.009  # mean radius, IUGG
KM_PER_DEGREE = EARTH_KM * math.pi / 180

# Natural Earth is drawn for maps of 1:10 million. Against the towns on European borders in
# tests/catalogue/test_geography.py its borders are off by up to 1.9 km (Vaals); a point nearer
# to a border than this is not certain.
BORDER_KM = 3.0

# Segments of a border part: few enough that the boxes of most parts can be passed over.
PIECE = 32


@dataclass(frozen=True, slots=True)
class Border:
    """A short part of a border or coast with the box around it; lon and lat in degrees."""

    west: float
    south: float
    east: float
    north: float
    lons: Sequence[float]
    lats: Sequence[float]
    border: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """All borders and coasts of one country, islands and holes included, in no order."""

    country: str
    border_parts: tuple[Border, ...]

    def contains(self, lat: float, lon: float) -> bool:
        """Say whether coordinates are inside: a ray crosses an odd number of lines."""
        crossings = 0
        for border_part in self.border_parts:
            if border_part.south > lat or border_part.north < lat or border_part.east < lon:
                continue
            for (x1, x2), (y1, y2) in zip(
                pairwise(border_part.lons), pairwise(border_part.lats), strict=True
            ):
                if (y1 > lat) != (y2 > lat) and lon < x1 + (lat - y1) / (y2 - y1) * (x2 - x1):
                    crossings += 1
        return crossings % 2 == 1

    def distance_km(
        self, lat: float, lon: float, *, within: float = math.inf, borders_only: bool = False
    ) -> float:
        """Return the distance to the nearest line.

        Infinite when none is nearer than `within`.
        """
        nearest = within
        shrink = math.cos(math.radians(lat))
        for border_part in self.border_parts:
            if borders_only and not border_part.border:
                continue
            if _box_km(border_part, lat, lon, shrink) >= nearest:
                continue
            nearest = min(nearest, _border_km(border_part, lat, lon, shrink))
        return nearest if nearest < within else math.inf

    def far_km(self, lat: float, lon: float) -> float:
        """Return the distance to the outline from anywhere on the globe.

        Within 300 km exact to 1 %; farther off to a corner of the line instead of to the line.
        """
        near = self.distance_km(lat, lon, within=300.0)
        if near < math.inf:
            return near
        ends = ((haversine_km(lat, lon, p.lats[0], p.lons[0]), p) for p in self.border_parts)
        _, border_part = min(ends, key=itemgetter(0))
        return min(
            haversine_km(lat, lon, y, x)
            for x, y in zip(border_part.lons, border_part.lats, strict=True)
        )


def haversine_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the great-circle distance between two coordinates in degrees."""
    up = math.radians(lat2 - lat1)
    across = math.radians(lon2 - lon1)
    a = (
        math.sin(up / 2) ** 2
        + math.cos(math.radians(lat1))
        * math.cos(math.radians(lat2))
        * math.sin(across / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(a)))


@dataclass(frozen=True)
class Atlas:
    """Outlines by ISO country code.

    Attributes:
        one_zone: countries that are one zone; a point well inside is in that zone.
        several_zones: coarse, good enough only to name the country in an error.
        states: by zone key, the outline of states of a country that lie wholly in that zone.
        tolerance_km: how far a line may be from Natural Earth's.
    """

    one_zone: Mapping[str, Outline]
    several_zones: Mapping[str, Outline]
    states: Mapping[str, Outline]
    tolerance_km: float


@cache
def load() -> Atlas:
    """Return the outlines of this release; they are read once per process, on first use."""
    document = json.loads((FOLDER / "outlines.json").read_text(encoding="utf-8"))
    states = json.loads((FOLDER / "state_outlines.json").read_text(encoding="utf-8"))
    return Atlas(
        one_zone=_outlines(document["one_zone"]),
        several_zones=_outlines(document["several_zones"]),
        states=_outlines(states["zones"]),
        tolerance_km=document["tolerance_km"],
    )


def outline(
    country: str, *, borders: Sequence[Sequence[int]], coasts: Sequence[Sequence[int]]
) -> Outline:
    """Build an outline from lines of outlines.json: differences, thousandths of a degree."""
    return Outline(
        country,
        tuple(
            border_part
            for lines, border in ((borders, True), (coasts, False))
            for line in lines
            for border_part in _cut(line, border=border)
        ),
    )


def _outlines(countries: Mapping[str, Any]) -> dict[str, Outline]:
    return {country: outline(country, **lines) for country, lines in countries.items()}


def _cut(line: Sequence[int], *, border: bool) -> Iterator[Border]:
    lons = [x / 1000 for x in accumulate(line[::2])]
    lats = [y / 1000 for y in accumulate(line[1::2])]
    for first in range(0, len(lons) - 1, PIECE):
        xs, ys = lons[first : first + PIECE + 1], lats[first : first + PIECE + 1]
        yield Border(min(xs), min(ys), max(xs), max(ys), xs, ys, border)


def _box_km(border_part: Border, lat: float, lon: float, shrink: float) -> float:
    """Return a lower bound of the distance to the part, on the plane around the coordinates."""
    across = max(border_part.west - lon, 0.0, lon - border_part.east) * shrink
    up = max(border_part.south - lat, 0.0, lat - border_part.north)
    return math.hypot(across, up) * KM_PER_DEGREE


def _border_km(border_part: Border, lat: float, lon: float, shrink: float) -> float:
    """Return the distance to the nearest segment, on the plane around the coordinates."""
    nearest = math.inf
    xs = [(x - lon) * shrink for x in border_part.lons]
    ys = [y - lat for y in border_part.lats]
    for (x1, x2), (y1, y2) in zip(pairwise(xs), pairwise(ys), strict=True):
        dx, dy = x2 - x1, y2 - y1
        length = dx * dx + dy * dy
        along = min(1.0, max(0.0, -(x1 * dx + y1 * dy) / length)) if length else 0.0
        nearest = min(nearest, math.hypot(x1 + along * dx, y1 + along * dy))
    return nearest * KM_PER_DEGREE
