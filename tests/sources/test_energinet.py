"""What is special about Energinet: several data sets, flows, forecasts that are overwritten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.energinet import parse, requests

DATA = Path(__file__).with_name("data") / "energinet"
KNOWN_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def written(name: str) -> pl.DataFrame:
    return parse([Body(Request("GET", "/x"), (DATA / name).read_bytes(), KNOWN_AT, 7)])


def test_plants_are_one_unknown_fuel_and_wind_is_added() -> None:
    frame = written("generation.json")
    late = frame.filter(pl.col("start").dt.minute() == 5, pl.col("zone") == "DK-DK1")
    assert dict(late.select("signal", "value").rows()) == {
        "generation_unknown": 750.75,
        "generation_wind": 3600.0,
        "generation_solar": 0.0,
    }
    early = frame.filter(pl.col("start").dt.minute() == 0, pl.col("zone") == "DK-DK1")
    assert dict(early.select("signal", "value").rows())["generation_solar"] is None


def test_exchanges_are_flows_into_the_area_and_both_ends_agree() -> None:
    frame = written("generation.json").filter(
        pl.col("signal") == "flow", pl.col("start").dt.minute() == 5
    )
    assert dict(frame.select("zone", "value").rows()) == {
        "DK-DK2->DK-DK1": -300.0,
        "DK-DK1->DK-DK2": 300.0,
        "DE->DK-DK1": 30.5,
        "DE->DK-DK2": 30.5,
        "NL->DK-DK1": -700.0,
        "NO-NO2->DK-DK1": 1200.0,
        "SE-SE3->DK-DK1": 58.0,
        "SE-SE4->DK-DK2": 58.0,
    }


def test_intensity_is_of_consumption_and_its_prognosis_a_forecast() -> None:
    actual = written("co2emis.json")
    assert set(actual.select("signal", "quality").rows()) == {
        ("ci_direct_consumed", "estimated")
    }
    assert set(actual["end"] - actual["start"]) == {timedelta(minutes=5)}
    ahead = written("co2emisprog.json")
    assert set(ahead["issued_at"]) == {KNOWN_AT}
    assert sorted(ahead["value"]) == [94.0, 99.0]


def test_prices_are_of_hours_and_later_of_quarters() -> None:
    hours, quarters = written("prices_hours.json"), written("prices_quarters.json")
    assert dict(hours.select("signal", "value").rows()) == {
        "price_dkk": 600.5,
        "price_eur": 80.5,
    }
    assert set(hours["end"] - hours["start"]) == {timedelta(hours=1)}
    assert set(quarters["end"] - quarters["start"]) == {timedelta(minutes=15)}


def test_a_forecast_is_the_day_ahead_one_else_the_current_one() -> None:
    frame = written("forecasts_hour.json")
    assert dict(frame.select("signal", "value").rows()) == {
        "generation_solar": 800.5,
        "generation_wind": 2400.0,
    }


def test_a_new_column_of_power_is_unknown_and_flagged() -> None:
    frame = written("new_column.json").filter(pl.col("signal") == "generation_unknown")
    assert frame.select("value", "flag").rows() == [(762.75, "unmapped_code:BatteryPower")]


def test_times_are_requested_in_utc() -> None:
    query = Query(Kind.PRICE, ("DK-DK1",), KNOWN_AT - timedelta(days=1), KNOWN_AT, KNOWN_AT)
    (group,) = requests(query)
    assert [each.path for each in group] == ["/dataset/Elspotprices", "/dataset/DayAheadPrices"]
    named = dict(group[0].params)
    assert (named["timezone"], named["filter"]) == ("UTC", '{"PriceArea": ["DK1"]}')
