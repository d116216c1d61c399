"""Reports of Ontario: hours of EST, units by fuel, ties by neighbour."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.ieso import SOURCE
from gridtide_pipelines.ingest.table import table

DATA = Path(__file__).with_name("data") / "ieso"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def read(
    name: str, zone: str = "CA-ON", *, content: bytes | None = None
) -> list[tuple[str, str, float]]:
    """Time, fuel and value of each row."""
    whole = content if content is not None else (DATA / name).read_bytes()
    frame = SOURCE.parse([Body(Request("GET", "/"), whole, NOW, 1)])
    return table(frame, SOURCE, zone, None).drop("zone").rows()


def test_units_are_added_by_fuel_and_batteries_known_by_their_names() -> None:
    assert read("generation_units.xml") == [
        ("2026-03-01T05:00:00Z", "battery_storage", 20.0),
        ("2026-03-01T05:00:00Z", "nuclear", 1502.0),
        ("2026-03-01T05:00:00Z", "unknown", 7.0),
        ("2026-03-01T05:00:00Z", "wind", 50.0),
        ("2026-03-01T06:00:00Z", "battery_storage", 30.0),
        ("2026-03-01T06:00:00Z", "nuclear", 802.0),
        ("2026-03-01T06:00:00Z", "unknown", 8.0),
        ("2026-03-01T06:00:00Z", "wind", 60.0),
    ]


def test_a_new_fuel_is_unknown_beside_the_others_and_named() -> None:
    content = (DATA / "generation_units_new_fuel.xml").read_bytes()
    frame = SOURCE.parse([Body(Request("GET", "/"), content, NOW, 1)])
    assert frame.select("signal", "value", "flag").rows() == [
        ("generation_unknown", 12.0, "unmapped_code:TIDAL")
    ]
    assert frame["start"].item() == datetime(2026, 3, 2, 4, tzinfo=UTC)  # hour 24


def test_the_file_of_a_year_is_read_and_a_fuel_without_a_value_is_a_gap() -> None:
    assert read("generation_by_fuel.xml") == [
        ("2026-03-01T05:00:00Z", "gas", 901.0),
        ("2026-03-01T05:00:00Z", "nuclear", 9001.0),
        ("2026-03-02T04:00:00Z", "biomass", 3.0),
        ("2026-03-02T04:00:00Z", "gas", 902.0),
        ("2026-03-02T04:00:00Z", "nuclear", 9002.0),
    ]


def test_ties_of_one_neighbour_are_added_and_leave_ontario_when_positive() -> None:
    assert read("flow.xml", "CA-ON->CA-MB") == [("2026-03-01T05:00:00Z", "net_flow", -14.8)]
    assert read("flow.xml", "CA-MB->CA-ON") == [("2026-03-01T05:00:00Z", "net_flow", 14.8)]
    assert read("flow.xml", "CA-ON->CA-QC") == [("2026-03-01T05:00:00Z", "net_flow", -500.0)]
    assert read("flow.xml", "CA-ON->US-MIDW-MISO") == [
        ("2026-03-01T05:55:00Z", "net_flow", 290.0)
    ]
    assert read("flow.xml", "CA-ON->US-NY-NYIS") == [
        ("2026-03-02T04:55:00Z", "net_flow", 512.5)
    ]


def test_demand_is_that_of_ontario_by_the_hour_and_by_five_minutes() -> None:
    assert [value for _, _, value in read("load.csv")] == [15001.0, 14902.0, 15103.0]
    assert read("load_of_an_hour.xml") == [
        ("2026-03-01T05:00:00Z", "load", 13531.9),
        ("2026-03-01T05:55:00Z", "load", 13499.5),
    ]


def test_prices_of_the_day_ahead_are_of_hours_of_est() -> None:
    assert read("price.xml") == [
        ("2026-03-03T05:00:00Z", "price_cad", 41.07),
        ("2026-03-03T06:00:00Z", "price_cad", -3.5),
        ("2026-03-04T04:00:00Z", "price_cad", 52.0),
    ]
    query = Query(Kind.PRICE, ("CA-ON",), NOW, NOW + timedelta(days=1), NOW)
    paths = [request.path for group in SOURCE.requests(query) for request in group]
    folder = "/public/DAHourlyOntarioZonalPrice/PUB_DAHourlyOntarioZonalPrice"
    assert paths == [f"{folder}_2026030{day}.xml" for day in (2, 3)]


def test_a_forecast_adds_participants_and_embedded_power_and_says_when_it_was_made() -> None:
    content = (DATA / "forecast.xml").read_bytes()
    frame = SOURCE.parse([Body(Request("GET", "/"), content, NOW, 1)])
    assert frame["issued_at"].unique().to_list() == [
        datetime(2026, 3, 2, 10, 34, 8, tzinfo=UTC)
    ]
    assert read("forecast.xml") == [
        ("2026-03-02T14:00:00Z", "forecast_solar", 586.7),
        ("2026-03-02T14:00:00Z", "forecast_wind", 1380.5),
        ("2026-03-02T15:00:00Z", "forecast_solar", 700.2),
    ]


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
def test_days_of_a_change_of_clocks_have_24_hours_of_est(day: date) -> None:
    hours = "".join(f"{day},{hour},1,{hour}\n" for hour in range(1, 25))
    rows = read("", content=f"Date,Hour,Market Demand,Ontario Demand\n{hours}".encode())
    first = datetime(day.year, day.month, day.day, 5, tzinfo=UTC)
    assert [time for time, _, _ in rows] == [
        f"{first + n * HOUR:%Y-%m-%dT%H:%M:%SZ}" for n in range(24)
    ]


def test_days_are_files_of_est_and_older_ones_those_of_a_year() -> None:
    start = NOW.replace(hour=0) - timedelta(days=88)
    query = Query(Kind.GENERATION, ("CA-ON",), start, NOW, NOW)
    (year, *days) = [group[0] for group in SOURCE.requests(query)]
    assert year.path == "/public/GenOutputbyFuelHourly/PUB_GenOutputbyFuelHourly_2025.xml"
    assert days[-1].path == "/public/GenOutputCapability/PUB_GenOutputCapability_20260302.xml"
    assert year.span is not None
    assert year.span.start == start
    assert days[0].span is not None
    assert year.span.end == days[0].span.start
    assert NOW - days[0].span.start < timedelta(days=85)
    load = SOURCE.requests(Query(Kind.LOAD, ("CA-ON",), start, NOW, NOW))
    assert [group[0].path[-8:] for group in load] == ["2025.csv", "2026.csv"]


def unit(name: str, fuel: str, *values: str) -> str:
    outputs = "".join(
        f"<Output><Hour>{hour}</Hour><EnergyMW>{value}</EnergyMW></Output>"
        for hour, value in enumerate(values, 1)
    )
    return (
        f"<Generator><GeneratorName>{name}</GeneratorName><FuelType>{fuel}</FuelType>"
        f"<Outputs>{outputs}</Outputs></Generator>"
    )


def units(*generators: str) -> Body:
    inner = "".join(generators)
    content = (
        f"<Document><DocBody><Date>2026-03-01</Date><Generators>{inner}</Generators>"
        "</DocBody></Document>"
    )
    return Body(Request("GET", "/"), content.encode(), NOW, 1)


def test_an_hour_that_one_of_several_units_lacks_is_partial_and_an_idle_unit_is_none() -> None:
    body = units(
        unit("A", "GAS", "100", "110", ""),
        unit("B", "GAS", "50", "", ""),
        unit("IDLE", "GAS", "", "", ""),
        unit("W", "WIND", "7", "8", ""),
    )
    frame = SOURCE.parse([body]).sort("start", "signal")
    assert frame.select("signal", "value", "flag").rows() == [
        ("generation_gas", 150.0, None),
        ("generation_wind", 7.0, None),
        ("generation_gas", 110.0, "partial"),
        ("generation_wind", 8.0, None),
    ]


def test_a_file_that_was_issued_again_takes_the_place_of_the_first() -> None:
    first = units(unit("A", "GAS", "100"), unit("B", "GAS", "50"))
    again = units(unit("A", "GAS", "101"), unit("C", "GAS", "60"))
    assert SOURCE.parse([first, again])["value"].to_list() == [161.0]


def test_a_forecast_without_embedded_power_of_an_hour_is_unknown() -> None:
    text = (DATA / "forecast.xml").read_text()
    embedded = text.index("EMBEDDED")
    hour = "<ForecastHour>11</ForecastHour><MWOutput>600</MWOutput>"
    hour = f"<ForecastInterval>{hour}</ForecastInterval>"
    assert hour in text[embedded:]
    assert ("2026-03-02T15:00:00Z", "forecast_solar") not in {
        row[:2] for row in read("", content=text.replace(hour, "").encode())
    }


def test_a_unit_that_is_listed_twice_counts_once() -> None:
    text = (DATA / "generation_units.xml").read_text()
    unit = re.findall(r"<Generator>.*?</Generator>", text, re.DOTALL)[0]
    once = read("generation_units.xml")
    assert read("", content=text.replace(unit, unit * 2).encode()) == once
    other = unit.replace("<EnergyMW>801<", "<EnergyMW>1<")
    assert other != unit
    content = text.replace(unit, unit + other).encode()
    assert [row for row in once if row not in read("", content=content)] == [
        ("2026-03-01T05:00:00Z", "nuclear", 1502.0)
    ]


def test_batteries_are_not_in_the_other_fuels_of_the_file_of_a_year_as_well() -> None:
    year = (DATA / "generation_by_fuel.xml").read_text().replace(">GAS<", ">OTHER<")
    units = (DATA / "generation_units.xml").read_bytes()
    bodies = [Body(Request("GET", "/"), each, NOW, 1) for each in (units, year.encode())]
    found = table(SOURCE.parse(bodies), SOURCE, "CA-ON", None).drop("zone").rows()
    assert ("2026-03-01T05:00:00Z", "unknown", 7.0) in found
    assert ("2026-03-02T04:00:00Z", "unknown", 902.0) in found
