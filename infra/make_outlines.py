"""Make pipelines/gridtide_store/catalogue/outlines.json from Natural Earth.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python infra/make_outlines.py package/countries-10m.json

Natural Earth (naturalearthdata.com, 1:10 million, admin 0 countries) is in the public domain;
the npm package world-atlas (ISC licence) carries it as TopoJSON, in which a line between two
countries is stored once. So we can tell borders on land from coasts, and simplify both sides
of a border alike.

An outline is a bag of lines: borders and coasts of all parts of a country, islands and holes
included. Whether a point is inside needs no more than that (even-odd rule). A coast across a
narrow water from another country counts as a border, and so does a point for each enclave
that the atlas leaves out. Lines are simplified (Douglas-Peucker) so that none moves more than
the stated tolerance; islands too small to stand on safely are left out.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from gridtide_store import catalogue
from gridtide_store.catalogue import ZoneKind

TARGET = Path(__file__).parents[1] / "pipelines/gridtide_store/catalogue/outlines.json"

Point: TypeAlias = tuple[float, float]  # lon, lat in degrees
Line: TypeAlias = list[Point]

KM_PER_DEGREE = 111.195
ROUNDING_KM = 0.08  # half a thousandth of a degree, both ways

# Countries with one zone: what is answered. With several: only named in an error.
ONE = {"tolerance_km": 0.25, "island_km2": 4.0}
SEVERAL = {"tolerance_km": 5.0, "island_km2": 400.0}

# Overseas parts (Bonaire, Guiana, Hawaii's outliers) are on other grids than their country.
EUROPE = (-32.0, 27.0, 45.0, 82.0)  # min lon, min lat, max lon, max lat

# Coasts this near to another country's are borders: Carlingford Lough, the Corfu channel.
NARROWS_KM = 4.0

# Places inside one country's outline that belong to another: Baarle-Hertog (BE), Büsingen (DE),
# Campione (IT), Sastavci (BA). Each fits in a circle of 3 km.
ENCLAVES = {
    "NL": [(4.930, 51.443)],
    "CH": [(8.690, 47.697), (8.972, 45.969)],
    "RS": [(19.410, 43.560)],
}

# ISO 3166-1 numeric codes of the countries we list; Kosovo has none.
NUMERIC = {
    "AD": "020", "AL": "008", "AT": "040", "AU": "036", "AX": "248", "BA": "070", "BE": "056",
    "BG": "100", "BY": "112", "CA": "124", "CH": "756", "CY": "196", "CZ": "203", "DE": "276",
    "DK": "208", "EE": "233", "ES": "724", "FI": "246", "FO": "234", "FR": "250", "GB": "826",
    "GG": "831", "GI": "292", "GR": "300", "HR": "191", "HU": "348", "IE": "372", "IM": "833",
    "IS": "352", "IT": "380", "JE": "832", "LI": "438", "LT": "440", "LU": "442", "LV": "428",
    "MC": "492", "MD": "498", "ME": "499", "MK": "807", "MT": "470", "NL": "528", "NO": "578",
    "PL": "616", "PT": "620", "RO": "642", "RS": "688", "SE": "752", "SI": "705", "SK": "703",
    "UA": "804", "US": "840",
}  # fmt: skip
BY_NAME = {"XK": "Kosovo"}


def main(source: Path) -> None:
    """Read the TopoJSON file `source` and write the outlines."""
    atlas = json.loads(source.read_text(encoding="utf-8"))
    counts = Counter(
        z.country for z in catalogue.load().zones.values() if z.kind is ZoneKind.ZONE
    )
    one = {c: outline(atlas, c, **ONE) for c, n in sorted(counts.items()) if n == 1}
    several = {c: outline(atlas, c, **SEVERAL) for c, n in sorted(counts.items()) if n > 1}
    document = {
        "origin": "Natural Earth 1:10m admin 0 countries (public domain), by world-atlas 2.0.2",
        "made_by": "infra/make_outlines.py",
        "unit": "thousandths of a degree: lon, lat of the first point, then steps",
        "tolerance_km": round(ONE["tolerance_km"] + ROUNDING_KM, 2),
        "one_zone": {country: outline for country, outline in one.items() if outline},
        "several_zones": {c: outline for c, outline in several.items() if outline},
    }
    text = json.dumps(document, separators=(",", ":"))
    TARGET.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{TARGET.name}: {len(text) / 1e3:.0f} kB, {len(one)} countries\n")


def outline(
    atlas: dict[str, Any], country: str, *, tolerance_km: float, island_km2: float
) -> dict[str, list[list[int]]] | None:
    """Borders and coasts of one country; None where the atlas does not draw it."""
    geometries = atlas["objects"]["countries"]["geometries"]
    found = [
        g
        for g in geometries
        if (g.get("id") == NUMERIC.get(country) and "id" in g)
        or g["properties"]["name"] == BY_NAME.get(country)
    ]
    if not found:
        return None
    uses = Counter(_arcs(geometries))
    foreign = Near(
        point
        for arc in set(_arcs(g for g in geometries if g not in found))
        if uses[arc] == 1
        for point in decode(atlas, arc)
    )
    borders = [_flat([point, point]) for point in ENCLAVES.get(country, [])]
    coasts = []
    for polygon in (part for geometry in found for part in _polygons(geometry)):
        outer = [point for arc in polygon[0] for point in decode(atlas, arc)]
        if not _belongs(country, outer) or area_km2(outer) < island_km2:
            continue
        for arc in {abs_arc(arc) for ring in polygon for arc in ring}:
            line = simplify(decode(atlas, arc), tolerance_km)
            if uses[arc] > 1:
                borders.append(_flat(line))
                continue
            for part, narrow in _runs(line, foreign):
                (borders if narrow else coasts).append(_flat(part))
    if not borders + coasts:
        return None
    return {"borders": sorted(borders), "coasts": sorted(coasts)}


def _arcs(geometries: Iterable[dict[str, Any]]) -> Iterator[int]:
    """Every arc these geometries are made of, as often as they use it."""
    for geometry in geometries:
        for polygon in _polygons(geometry):
            for ring in polygon:
                yield from map(abs_arc, ring)


class Near:
    """Points in cells of `NARROWS_KM` north to south, to find those near another one."""

    def __init__(self, points: Iterable[Point]) -> None:
        self.cells: dict[tuple[int, int], list[Point]] = {}
        for point in points:
            self.cells.setdefault(self._cell(point), []).append(point)

    def __contains__(self, point: Point) -> bool:
        """Whether one of the points is within `NARROWS_KM`."""
        column, row = self._cell(point)
        reach = math.ceil(1 / max(0.05, math.cos(math.radians(point[1]))))
        return any(
            _off(point, other, other) <= NARROWS_KM
            for x in range(column - reach, column + reach + 1)
            for y in (row - 1, row, row + 1)
            for other in self.cells.get((x, y), ())
        )

    @staticmethod
    def _cell(point: Point) -> tuple[int, int]:
        size = NARROWS_KM / KM_PER_DEGREE
        return math.floor(point[0] / size), math.floor(point[1] / size)


def _runs(line: Line, foreign: Near) -> Iterator[tuple[Line, bool]]:
    """The line cut where narrow water begins and ends; each part with whether it is narrow."""
    narrow = [
        any(_between(a, b, step / 8) in foreign for step in range(9)) for a, b in pairwise(line)
    ]
    first = 0
    for i in range(1, len(line)):
        if i == len(narrow) or narrow[i] != narrow[first]:
            yield line[first : i + 1], narrow[first]
            first = i


def _between(a: Point, b: Point, part: float) -> Point:
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part


def _polygons(geometry: dict[str, Any]) -> list[list[list[int]]]:
    arcs = geometry.get("arcs", [])
    return [arcs] if geometry.get("type") == "Polygon" else arcs


def _belongs(country: str, outer: Line) -> bool:
    """Whether this part is on the country's own grid: in Europe, for a European country."""
    if country in ("US", "CA", "AU"):
        return True
    min_lon, min_lat, max_lon, max_lat = EUROPE
    lon, lat = outer[0]
    return min_lon <= lon <= max_lon and min_lat <= lat <= max_lat


def abs_arc(arc: int) -> int:
    """The arc's index: TopoJSON writes an arc run backwards as its complement."""
    return arc if arc >= 0 else ~arc


def decode(atlas: dict[str, Any], arc: int) -> Line:
    """The points of one arc; TopoJSON stores whole-number steps."""
    (sx, sy), (tx, ty) = atlas["transform"]["scale"], atlas["transform"]["translate"]
    x = y = 0
    line = []
    for dx, dy in atlas["arcs"][abs_arc(arc)]:
        x, y = x + dx, y + dy
        line.append((x * sx + tx, y * sy + ty))
    return line if arc >= 0 else line[::-1]


def simplify(line: Line, tolerance_km: float) -> Line:
    """Douglas-Peucker: fewer points, none of the dropped ones farther than the tolerance.

    The ends stay. Of a closed line the point farthest from its start stays too.
    """
    if len(line) < 3:
        return line
    keep = {0, len(line) - 1}
    spans = [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        far, index = max(
            ((_off(line[i], line[first], line[last]), i) for i in range(first + 1, last)),
            default=(0.0, 0),
        )
        if far > tolerance_km:
            keep.add(index)
            spans += [(first, index), (index, last)]
    kept = [line[i] for i in sorted(keep)]
    closed_to_nothing = line[0] == line[-1] and len(kept) < 4
    return line if closed_to_nothing else kept


def _off(point: Point, start: Point, end: Point) -> float:
    """Distance in km from a point to the segment, on the plane around the point."""
    shrink = math.cos(math.radians(point[1]))
    ax, ay = (start[0] - point[0]) * shrink, start[1] - point[1]
    bx, by = (end[0] - point[0]) * shrink, end[1] - point[1]
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    along = 0.0 if length == 0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / length))
    return math.hypot(ax + along * dx, ay + along * dy) * KM_PER_DEGREE


def area_km2(ring: Sequence[Point]) -> float:
    """Area inside a ring (shoelace on the plane at its mean latitude)."""
    shrink = math.cos(math.radians(sum(lat for _, lat in ring) / len(ring)))
    twice = sum(
        a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)
    )
    return abs(twice) / 2 * shrink * KM_PER_DEGREE**2


def _flat(line: Iterable[Point]) -> list[int]:
    """The first point, then steps, which are shorter to write."""
    flat, x, y = [], 0, 0
    for lon, lat in line:
        flat += [round(lon * 1000) - x, round(lat * 1000) - y]
        x, y = round(lon * 1000), round(lat * 1000)
    return flat


if __name__ == "__main__":
    main(Path(sys.argv[1]))
