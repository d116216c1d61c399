"""Build the table of the points at which the weather of each zone is read.

    python infra/make_weather_points.py

writes `pipelines/gridtide_store/catalogue/weather_points.csv`. Tables:

- the zones of the catalogue, and its outlines of countries (Natural Earth, public domain);
- boxes of regions: CarbonCast, Maji et al. 2022, `src/weather/ds084.1_control.ctl`
  (Apache-2.0), below; without its `AUS-NSW`, which has the capital territory alone, and its
  `DK-DK2`, which has the west of Denmark.

Role `box` has nine points in the box of the zone, each for a ninth of its latitudes and
longitudes, weighted by the cosine of the latitude: of CarbonCast's regions their boxes, of a
country that is one zone the box around its outline within 1,000 km of the zone's point, without
islands and territories beyond. Zones without a box, and those whose box is smaller than a
degree, have the point of zones.toml. Weights of a role add up to 1.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gridtide_store import catalogue, geography

TABLE = Path(geography.FOLDER) / "weather_points.csv"
COLUMNS = ("zone", "role", "lat", "lon", "weight", "origin")
NEAR_KM = 1000.0
LEAST_DEGREES = 1.0
SIDE = 3  # points along each side of a box

Box = tuple[float, float, float, float]

# North, south, west, east, in degrees; ends included.
CARBONCAST: dict[str, Box] = {
    "US-CAL-CISO": (42, 32, -124.75, -113.5),
    "US-MIDA-PJM": (43, 34.25, -91, -73.5),
    "US-TEX-ERCO": (36.5, 25.25, -104.5, -93.25),
    "US-NE-ISNE": (48, 40, -74.25, -66.5),
    "US-MIDW-MISO": (50, 28.5, -107.75, -81.75),
    "US-NW-BPAT": (49.5, 39.5, -125.25, -105.5),
    "US-CENT-SWPP": (49.5, 30.25, -107.75, -89.5),
    "US-SE-SOCO": (35.5, 29.25, -90.5, -80.25),
    "US-FLA-FPL": (31.25, 24, -83.5, -79.5),
    "US-NY-NYIS": (45.5, 40, -80.25, -71.25),
    "GB": (61, 49.75, -8.25, 2.25),
    "DE": (55.25, 47.25, 5.75, 15),
    "PL": (54.75, 49, 14, 24),
    "FI": (70, 59.75, 20.5, 31.5),
    "FR": (51.25, 42.25, -5.25, 8.25),
    "ES": (43.75, 36, -9.25, 3.5),
    "BE": (51.5, 49.5, 2.5, 6.25),
    "NL": (53.5, 50.75, 3.25, 7),
    "AU-QLD": (-8.75, -29.75, 137.5, 154),
    "AU-SA": (-25.5, -38.5, 128.5, 141.5),
    "CA-ON": (57.25, 41.25, -95.75, -73.75),
}


def points() -> Iterator[tuple[str, str, float, float, float, str]]:
    """Yield the rows of the table, by zone."""
    known = catalogue.load()
    zones = [each for each in known.zones.values() if each.kind is catalogue.ZoneKind.ZONE]
    in_country = Counter(each.country for each in zones)
    outlines = geography.load().one_zone
    for zone in sorted(zones, key=lambda each: each.key):
        box, origin = CARBONCAST.get(zone.key), "carboncast"
        outline = outlines.get(zone.country)
        if box is None and outline is not None and in_country[zone.country] == 1:
            box, origin = box_of(outline, zone.lat, zone.lon), "naturalearth"
        if box is None or max(box[0] - box[1], box[3] - box[2]) < LEAST_DEGREES:
            yield zone.key, "box", zone.lat, zone.lon, 1.0, "zones.toml"
            continue
        nine = list(inside(box))
        total = sum(math.cos(math.radians(lat)) for lat, _ in nine)
        for lat, lon in nine:
            yield zone.key, "box", lat, lon, math.cos(math.radians(lat)) / total, origin


def box_of(outline: geography.Outline, lat: float, lon: float) -> Box | None:
    """Return the box around the parts of an outline that are near a point."""
    near = [
        part
        for part in outline.border_parts
        if geography.haversine_km(lat, lon, part.lats[0], part.lons[0]) < NEAR_KM
    ]
    if not near:
        return None
    return (
        max(part.north for part in near),
        min(part.south for part in near),
        min(part.west for part in near),
        max(part.east for part in near),
    )


def inside(box: Box) -> Iterator[tuple[float, float]]:
    """Yield the middles of the nine parts of a box, from north-west to south-east."""
    north, south, west, east = box
    for row in range(SIDE):
        for column in range(SIDE):
            lat = north - (row + 0.5) / SIDE * (north - south)
            yield lat, west + (column + 0.5) / SIDE * (east - west)


def main() -> None:
    """Write the table."""
    with TABLE.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(COLUMNS)
        for zone, role, lat, lon, weight, origin in points():
            out.writerow((zone, role, f"{lat:.2f}", f"{lon:.2f}", f"{weight:.6f}", origin))


if __name__ == "__main__":
    main()
