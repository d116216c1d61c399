"""The table of weather points, and how it is made from tables of cities and plants."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide_store import catalogue

SCRIPT = Path(__file__).parents[2] / "infra/make_weather_points.py"


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_weather_points", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


MADE: Any = load_script()


def city(name: str, lat: float, lon: float, people: int, **given: str) -> str:
    """A line of GeoNames' cities15000.txt, in its 19 columns."""
    where = {"country": "DE", "admin1": "07", "feature": "PPL"} | given
    cells = ["1", name, name, "", str(lat), str(lon), "P", where["feature"], where["country"]]
    cells += ["", where["admin1"], "", "", "", str(people), "", "48", "Europe/Berlin", "2026"]
    return "\t".join(cells)


def test_cities_are_those_of_geonames_in_both_of_its_forms(tmp_path: Path) -> None:
    path = tmp_path / "cities15000.txt"
    lines = [
        city("Koeln", 50.93, 6.95, 1_000_000),
        city("Ehrenfeld", 50.95, 6.92, 100_000, feature="PPLX"),  # counts in its city
        city("Odense", 55.4, 10.4, 180_000, country="DK", admin1="21"),
        city("Roskilde", 55.6, 12.1, 50_000, country="DK", admin1="20"),
        city("Trondheim", 63.4, 10.4, 200_000, country="NO", admin1="21"),
        city("Stockholm", 59.3, 18.1, 1_500_000, country="SE", admin1="26"),
        city("Palma", 39.6, 2.7, 400_000, country="ES", admin1="07"),
        city("Madrid", 40.4, -3.7, 3_000_000, country="ES", admin1="29"),
        city("Austin", 30.27, -97.74, 900_000, country="US", admin1="TX"),
        city("Nowhere", 41.5, -100.5, 20_000, country="US", admin1="NE"),
        city("Tokyo", 35.7, 139.7, 9_000_000, country="JP", admin1="40"),
        city("Empty", 50.0, 7.0, 0),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = [(each.zone, each.lat, each.weight) for each in MADE.read_cities(path)]
    assert found == [
        ("DE", 50.93, 1_000_000.0),
        ("DK-DK1", 55.4, 180_000.0),
        ("DK-DK2", 55.6, 50_000.0),
        ("NO-NO3", 63.4, 200_000.0),
        ("SE-SE3", 59.3, 1_500_000.0),
        ("ES", 40.4, 3_000_000.0),
        ("US-TEX-ERCO", 30.27, 900_000.0),
    ]
    packaged = tmp_path / "cities15000.json"
    one = {
        "geonameid": 1,
        "name": "Koeln",
        "latitude": 50.93,
        "longitude": 6.95,
        "countrycode": "DE",
        "population": 1_000_000,
        "timezone": "Europe/Berlin",
        "admin1code": "07",
        "alternatenames": [],
    }
    packaged.write_text(json.dumps({"1": one}), encoding="utf-8")
    assert [each.zone for each in MADE.read_cities(packaged)] == ["DE"]
    path.write_text("1\tKoeln\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 1: 2 columns in place of 19"):
        list(MADE.read_cities(path))


WRI = """country,country_long,name,gppd_idnr,capacity_mw,latitude,longitude,primary_fuel,owner
DEU,Germany,Nordsee,DEU1,300.5,54.5,6.4,Wind,x
DEU,Germany,Lausitz,DEU2,50,51.7,14.1,Solar,x
DEU,Germany,Werk,DEU3,800,51.5,14.5,Coal,x
SWE,Sweden,Markbygden,SWE1,1100,65.4,20.7,Wind,x
SWE,Sweden,Far away,SWE2,10,68.5,21.0,Wind,x
USA,United States of America,Roscoe,USA1,780,32.3,-100.3,Wind,x
JPN,Japan,Kagoshima,JPN1,70,31.4,130.5,Solar,x
DEU,Germany,No place,DEU4,12,,,Wind,x
"""
MATCHED = """id,Name,Fueltype,Technology,Set,Country,Capacity,Efficiency,lat,lon
1,Nordsee,Wind,Offshore,PP,Germany,300.5,,54.5,6.4
2,Lausitz,Solar,PV,PP,Germany,50.0,,51.7,14.1
3,Werk,Hard Coal,Steam,PP,Germany,800.0,,51.5,14.5
"""
EIA_COLUMNS = "Entity ID,Plant Name,Balancing Authority Code,Technology,Nameplate Capacity (MW)"
EIA = f"""{EIA_COLUMNS},Latitude,Longitude
1,Alta,CISO,Onshore Wind Turbine,"1,548.0",35.0,-118.3
2,Topaz,CISO,Solar Photovoltaic,550.0,35.4,-120.1
3,Gas,CISO,Natural Gas Fired Combined Cycle,900.0,35.4,-120.1
4,Far,XXXX,Onshore Wind Turbine,10.0,35.0,-110.0
"""


def test_plants_are_in_the_zone_of_their_country_authority_or_nearest_city(
    tmp_path: Path,
) -> None:
    path = tmp_path / "plants.csv"
    cities = [MADE.Weighed("load", 65.58, 22.15, 78_000, "SE-SE1", "geonames")]
    path.write_text(WRI, encoding="utf-8")
    found = [(each.zone, each.role, each.weight) for each in MADE.read_plants(path, cities)]
    german = [("DE", "wind", 300.5), ("DE", "solar", 50.0)]
    assert found == [*german, ("SE-SE1", "wind", 1100.0)]
    path.write_text(MATCHED, encoding="utf-8")
    assert [(p.zone, p.role, p.weight) for p in MADE.read_plants(path, ())] == german
    path.write_text(EIA, encoding="utf-8")
    found = [(each.zone, each.role, each.weight) for each in MADE.read_us_plants(path)]
    assert found == [("US-CAL-CISO", "wind", 1548.0), ("US-CAL-CISO", "solar", 550.0)]
    with pytest.raises(ValueError, match="has not the columns of a table of plants"):
        list(MADE.read_plants(path, ()))
    path.write_text(WRI, encoding="utf-8")
    with pytest.raises(ValueError, match="lacks the columns Balancing Authority Code"):
        list(MADE.read_us_plants(path))


def farm(lat: float, lon: float, megawatts: float) -> Any:  # noqa: ANN401  # of the script
    return MADE.Weighed("wind", lat, lon, megawatts, "DE", "wri")


def test_cells_are_around_grid_points_also_at_the_antimeridian() -> None:
    (one,) = MADE.of_role("DE", "wind", [farm(54.4, 7.6, 30), farm(53.6, 8.4, 10)])
    # Both are nearest to 54 N, 8 E; the point is their weighted middle.
    assert one == ("DE", "wind", pytest.approx(54.2), pytest.approx(7.8), 1.0, "wri")
    (two,) = MADE.of_role("DE", "wind", [farm(66.0, 179.7, 10), farm(66.0, -179.6, 10)])
    assert two[3] == pytest.approx(-179.95)
    # From the top to nine tenths: 60 and 30 of 100 MW are enough.
    rows = [*MADE.of_role("DE", "wind", [farm(50, 8, 60), farm(52, 9, 30), farm(54, 9, 10)])]
    assert [(row[2], row[4]) for row in rows] == [
        (50, pytest.approx(2 / 3)),
        (52, pytest.approx(1 / 3)),
    ]
    assert list(MADE.of_role("DE", "wind", [])) == []


@given(
    farms=st.lists(
        st.builds(farm, st.floats(-89, 89), st.floats(-180, 180), st.floats(0.1, 2000)),
        min_size=1,
        max_size=40,
    )
)
def test_points_of_a_role_are_few_and_their_weights_add_up_to_one(farms: list[Any]) -> None:
    rows = list(MADE.of_role("DE", "wind", farms))
    assert 1 <= len(rows) <= MADE.MOST_CELLS
    assert sum(row[4] for row in rows) == pytest.approx(1.0)
    for _, _, lat, lon, _, _ in rows:
        assert -180 <= lon < 180
        assert any(abs(MADE.wrap(lon - each.lon)) <= 1 for each in farms)
        assert any(abs(lat - each.lat) <= 1 for each in farms)


def test_the_table_has_the_roles_that_the_documents_say() -> None:
    roles: dict[str, set[str]] = defaultdict(set)
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for row in catalogue.read_table("weather_points.csv"):
        roles[row["zone"]].add(row["role"])
        weights[row["zone"], row["role"]] += float(row["weight"])
    assert set(roles) == {zone.key for zone in MADE.zones()}
    assert all(abs(total - 1) < 1e-4 for total in weights.values())
    text = (SCRIPT.parents[1] / "docs/sources.md").read_text(encoding="utf-8")
    named = text.partition("no city of their own in that table (")[2].partition(")")[0]
    without = sorted(zone for zone, mine in roles.items() if "load" not in mine)
    assert sorted(name.strip("` \n") for name in named.split(",")) == without
    assert set.union(*roles.values()) == {"box", "load"}
