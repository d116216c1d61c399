"""What is special about Energy-Charts: names, arrays, countries that bodies do not name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.energy_charts import parse, requests

DATA = Path(__file__).with_name("data") / "energy_charts"
KNOWN_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def read(content: bytes, zone: str = "DE", address: str = "/written") -> pl.DataFrame:
    zones = (zone,) if zone else ()
    return parse([Body(Request("GET", address, zones=zones), content, KNOWN_AT, 7)])


def written(name: str) -> pl.DataFrame:
    return read((DATA / name).read_bytes())


def test_types_are_added_to_fuels_and_what_is_no_generation_is_left_out() -> None:
    frame = written("public_power.json")
    first = frame.filter(pl.col("start") == datetime(2026, 3, 1, tzinfo=UTC))
    assert dict(first.select("signal", "value").rows()) == {
        "generation_hydro_storage": -400.0,
        "generation_hydro": 1500.0,
        "generation_coal": 11000.0,
        "generation_wind": 22000.0,
        "generation_solar": 0.0,
        "generation_biomass": 700.0,
        "generation_unknown": 300.0,
        "load": 50000.0,
    }
    last = frame.filter(pl.col("start") == datetime(2026, 3, 1, 0, 30, tzinfo=UTC))
    coal = last.filter(pl.col("signal") == "generation_coal")
    assert coal.select("value", "flag").rows() == [(8002.0, "partial")]
    assert set(frame["end"] - frame["start"]) == {timedelta(minutes=15)}


def test_a_change_of_resolution_inside_an_answer_is_followed() -> None:
    tree = json.loads((DATA / "price.json").read_bytes())
    first = tree["unix_seconds"][0]
    tree |= {"unix_seconds": [first, first + 3600, first + 4500], "price": [1.0, 2.0, 3.0]}
    frame = read(json.dumps(tree).encode())
    assert (frame["end"] - frame["start"]).to_list() == [
        timedelta(hours=1),
        timedelta(minutes=15),
        timedelta(minutes=15),
    ]
    assert set(frame["signal"]) == {"price_eur"}


@pytest.mark.parametrize(
    ("minutes", "lengths"),
    [
        ([0, 15, 45, 60], [15, 15, 15, 15]),  # a quarter is missing
        ([0, 15, 30, 90, 105], [15, 15, 15, 15, 15]),  # three are missing
        ([0, 15, 30, 90, 150], [15, 15, 60, 60, 60]),  # hours follow
    ],
)
def test_no_value_is_stretched_over_a_gap(minutes: list[int], lengths: list[int]) -> None:
    tree = json.loads((DATA / "price.json").read_bytes())
    first = tree["unix_seconds"][0]
    tree["unix_seconds"] = [first + 60 * each for each in minutes]
    tree["price"] = [float(each) for each in minutes]
    frame = read(json.dumps(tree).encode())
    found = (frame["end"] - frame["start"]).to_list()
    assert found == [timedelta(minutes=each) for each in lengths]


def test_flows_are_in_megawatts_into_the_country() -> None:
    frame = written("cbpf.json")
    assert frame.filter(pl.col("zone") == "FR->DE")["value"].to_list() == [2000.0]
    assert set(frame["zone"]) == {"AT->DE", "FR->DE", "atlantis->DE"}


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("/public_power?country=fi&start=x", "FI"),
        ("/public_power?country=nie", "GB-NIR"),
        ("https://api.energy-charts.info/price?bzn=DE-LU", "DE"),
        ("/written", "DE"),
    ],
)
def test_a_body_is_of_the_country_of_its_address(address: str, zone: str) -> None:
    assert set(read((DATA / "price.json").read_bytes(), "", address)["zone"]) == {zone}


def test_arrays_of_different_length_are_refused_and_empty_ones_are_nothing_yet() -> None:
    tree = json.loads((DATA / "new_type.json").read_bytes())
    tree["production_types"][0]["data"].pop()
    with pytest.raises(SourceChanged):
        read(json.dumps(tree).encode())
    with pytest.raises(NothingYet):
        written("nothing_empty_arrays.json")
    with pytest.raises(NothingYet):
        read(b'{"unix_seconds": null, "production_types": null, "deprecated": false}')


def forecast(code: str, content: bytes | None, zone: str = "DE") -> Body:
    params = (("country", zone.lower()), ("production_type", code))
    request = Request("GET", "/public_power_forecast", params, Kind.FORECAST, (zone,))
    return Body(request, content or b"Not Found", KNOWN_AT, 7, 200 if content else 404)


def ahead(code: str, *values: float | None) -> bytes:
    seconds = [1772496000 + 900 * n for n in range(len(values))]
    tree = {"unix_seconds": seconds, "forecast_values": values, "production_type": code}
    return json.dumps(tree).encode()


def test_what_is_not_published_of_one_type_ends_no_forecast_of_another() -> None:
    query = Query(Kind.FORECAST, ("AT",), KNOWN_AT, KNOWN_AT + timedelta(hours=9), KNOWN_AT)
    groups = [[dict(each.params)["production_type"] for each in g] for g in requests(query)]
    assert groups == [["load"], ["solar"], ["wind_offshore", "wind_onshore"]]
    with pytest.raises(NothingYet):
        parse([forecast("load", None)])
    inland = [
        forecast("wind_offshore", None, "AT"),
        forecast("wind_onshore", ahead("wind_onshore", 900.0), "AT"),
    ]
    assert parse(inland).select("value", "flag").rows() == [(900.0, None)]


def test_wind_lacks_a_part_where_the_forecast_of_turbines_at_sea_is_missing() -> None:
    land = forecast("wind_onshore", ahead("wind_onshore", 900.0, 800.0, 700.0))
    sea = forecast("wind_offshore", ahead("wind_offshore", 100.0, None))
    found = parse([sea, land]).select("value", "flag").rows()
    assert found == [(1000.0, None), (800.0, "partial"), (700.0, "partial")]
    found = parse([forecast("wind_offshore", None), land]).select("value", "flag").rows()
    assert found == [(900.0, "partial"), (800.0, "partial"), (700.0, "partial")]
