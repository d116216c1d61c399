"""The two tables: whole, without contradictions, and right where we can check."""

from __future__ import annotations

import zoneinfo
from itertools import combinations
from pathlib import Path

import pytest

from gridtide.errors import BadInput
from gridtide_store import catalogue
from gridtide_store.catalogue import ZoneKind, read_table
from gridtide_store.geography import haversine_km

CATALOGUE = catalogue.load()

# CarbonCast's regions (Maji et al. 2022) and where they are.
CARBONCAST = {
    "AUS_QLD": "AU-QLD",
    "BPAT": "US-NW-BPAT",
    "CISO": "US-CAL-CISO",
    "DE": "DE",
    "ERCO": "US-TEX-ERCO",
    "ES": "ES",
    "FPL": "US-FLA-FPL",
    "ISNE": "US-NE-ISNE",
    "NL": "NL",
    "NYISO": "US-NY-NYIS",
    "PJM": "US-MIDA-PJM",
    "PL": "PL",
    "SE": "SE",
}


def test_every_time_zone_exists() -> None:
    used = {zone.timezone for zone in CATALOGUE.zones.values()}
    assert used - zoneinfo.available_timezones() == set()


@pytest.mark.parametrize(
    ("key", "timezone"),
    [
        ("BA", "Europe/Sarajevo"),
        ("HR", "Europe/Zagreb"),
        ("US-SE-SOCO", "America/Chicago"),
        ("US-MIDW-LGEE", "America/New_York"),
        ("AU-QLD", "Australia/Brisbane"),
        ("US-CAL-CISO", "America/Los_Angeles"),
    ],
)
def test_the_time_zone_is_the_one_people_live_by(key: str, timezone: str) -> None:
    assert CATALOGUE.zones[key].timezone == timezone


@pytest.mark.parametrize(("name", "key"), CARBONCAST.items())
def test_carboncast_names_mean_a_zone(name: str, key: str) -> None:
    found = CATALOGUE.find(name)
    assert found is not None
    assert found.key == key


def test_no_name_means_two_zones() -> None:
    names = [
        name.casefold()
        for zone in CATALOGUE.zones.values()
        for name in (zone.key, *zone.aliases)
    ]
    assert sorted(names) == sorted(set(names))


def test_no_alias_looks_like_coordinates_a_list_or_a_cloud_region() -> None:
    names = [n for zone in CATALOGUE.zones.values() for n in (zone.key, *zone.aliases)]
    assert [n for n in names if set(n) & set(",:; ")] == []


def test_a_key_begins_with_its_country() -> None:
    wrong = [z.key for z in CATALOGUE.zones.values() if z.key.split("-")[0] != z.country]
    assert wrong == ["UK", "SEM"]  # two aggregates of zones of two countries


def test_an_aggregate_has_at_least_two_zones_each_once() -> None:
    for zone in CATALOGUE.zones.values():
        members = CATALOGUE.members(zone.key)
        assert (zone.kind is ZoneKind.AGGREGATE) == bool(members), zone.key
        assert len({each.key for each in members}) == len(members), zone.key
        assert len(members) != 1, zone.key
        assert all(each.kind is ZoneKind.ZONE or each.ended for each in members), zone.key


def test_a_country_has_all_its_zones_and_a_region_of_eia_those_of_its_code() -> None:
    assert [each.key for each in CATALOGUE.members("DK")] == ["DK-DK1", "DK-DK2"]
    assert {each.key for each in CATALOGUE.members("UK")} == {"GB", "GB-NIR", "GB-ZET"}
    for key in ("US-CAL", "US-CAR", "US-CENT", "US-FLA", "US-MIDW", "US-NW", "US-SE", "US-SW"):
        inside = {z for z in CATALOGUE.members("US") if z.key.startswith(f"{key}-")}
        assert set(CATALOGUE.members(key)) == inside, key


def test_a_city_is_in_a_zone_and_within_its_reach_in_no_other() -> None:
    cities = CATALOGUE.cities
    assert len({city.key for city in cities}) == len(cities) > 100
    assert {city.zone for city in cities} <= set(CATALOGUE.zones)
    for a, b in combinations(cities, 2):
        if a.zone != b.zone:
            km = haversine_km(a.lat, a.lon, b.lat, b.lon)
            assert km > a.certain_km + b.certain_km, (a.key, b.key)


def test_every_us_zone_with_a_respondent_that_is_not_merged_is_read_from_eia() -> None:
    rows = read_table("merges.csv")
    merged = {row["zone"] for row in rows if row["since"] < "2018-08"}
    assert len(merged) == 7
    for zone in CATALOGUE.zones.values():
        american = zone.country == "US" and zone.eia is not None
        assert ("eia" in zone.sources) == (american and zone.key not in merged)
    assert CATALOGUE.zones["GB"].sources == ("elexon", "neso", "uk_carbon_intensity")


def test_respondent_codes_are_unique() -> None:
    codes = [zone.eia for zone in CATALOGUE.zones.values() if zone.eia]
    assert sorted(codes) == sorted(set(codes))


PLAIN = 'name = "A", country = "A", timezone = "UTC", lat = 0, lon = 0'


@pytest.mark.parametrize(
    ("zones", "says"),
    [
        ('A = { name = "A" ', "not TOML"),
        ('A = { name = "A", country = "A" }', "missing"),
        (f"A = {{ {PLAIN}, capital = 1 }}", "capital"),
        (f'A = {{ {PLAIN}, kind = "x" }}', "'x' is not a valid"),
        (f'A = {{ {PLAIN}, kind = "aggregate", members = ["C"] }}', "no zone has the key C"),
        (f'A = {{ {PLAIN} }}\nB = {{ {PLAIN}, aliases = ["a"] }}', "a names two zones"),
    ],
)
def test_a_wrong_table_is_refused_and_says_where(tmp_path: Path, zones: str, says: str) -> None:
    (tmp_path / "zones.toml").write_text(zones, encoding="utf-8")
    (tmp_path / "cloud.toml").write_text("", encoding="utf-8")
    with pytest.raises(BadInput, match=says):
        catalogue.read(
            tmp_path / "zones.toml", tmp_path / "cloud.toml", catalogue.FOLDER / "names.toml"
        )
