"""What is special about Energinet: several data sets, flows, forecasts that are overwritten."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.energinet import parse, requests

DATA = Path(__file__).with_name("data") / "energinet"
SAID = ("signal", "value", "flag")
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


def test_the_hourly_balance_has_all_fuels_and_load() -> None:
    row = {
        **{"HourUTC": "2026-03-01T00:00:00", "HourDK": "2026-03-01T01:00:00"},
        **{"PriceArea": "DK1", "TotalLoad": 2500.5, "Biomass": 300.0, "FossilGas": 90.0},
        **{"FossilHardCoal": 200.0, "FossilOil": 10.0, "HydroPower": 1.0, "SolarPower": 0.0},
        **{"OtherRenewable": 4.0, "Waste": 120.0, "OnshoreWindPower": 900.0},
        **{"OffshoreWindPower": None, "ExchangeGreatBelt": -300.0, "ExchangeContinent": 50.0},
    }
    content = json.dumps({"dataset": "ElectricityBalanceNonv", "records": [row]}).encode()
    frame = parse([Body(Request("GET", "/x"), content, KNOWN_AT, 7)])
    assert set(frame["end"] - frame["start"]) == {timedelta(hours=1)}
    found = {name: (value, flag) for name, value, flag in frame.select(*SAID).rows()}
    assert found == {
        "generation_biomass": (420.0, None),
        "generation_gas": (90.0, None),
        "generation_coal": (200.0, None),
        "generation_oil": (10.0, None),
        "generation_hydro": (1.0, None),
        "generation_solar": (0.0, None),
        "generation_unknown": (4.0, None),
        "generation_wind": (900.0, "partial"),
        "flow": (-300.0, None),
        "load": (2500.5, None),
    }


def test_a_new_column_of_numbers_is_a_fuel_whatever_its_name() -> None:
    row = {"HourUTC": "2026-03-01T00:00:00", "HourDK": "x", "PriceArea": "DK1", "Waste": 120.0}
    row |= {"OtherRenewable": 4.0, "WaveEnergy": 7.0, "Version": "final", "TotalLoad": 2500.0}
    content = json.dumps({"records": [row, {**row, "PriceArea": "DK2", "WaveEnergy": None}]})
    frame = parse([Body(Request("GET", "/x"), content.encode(), KNOWN_AT, 7)])
    unknown = frame.filter(pl.col("signal") == "generation_unknown").sort("zone")
    new = "unmapped_code:WaveEnergy"
    assert unknown.select("zone", "value", "flag").rows() == [
        ("DK-DK1", 11.0, new),
        ("DK-DK2", 4.0, f"partial;{new}"),
    ]


@pytest.mark.parametrize("code", ["OffshoreWindPower", "OnshoreWindPower"])
def test_a_column_that_is_gone_leaves_a_partial_sum(code: str) -> None:
    document = json.loads((DATA / "new_column.json").read_bytes())
    for row in document["records"]:
        del row[code]
    frame = parse([Body(Request("GET", "/x"), json.dumps(document).encode(), KNOWN_AT, 7)])
    assert frame.filter(pl.col("signal") == "generation_wind")["flag"].item() == "partial"


def test_records_without_a_column_that_is_read_are_refused() -> None:
    row = {"HourUTC": "2026-03-01T00:00:00", "PriceArea": "DK1", "Version": "Final"}
    content = json.dumps({"dataset": "DeclarationProduction", "records": [row]}).encode()
    with pytest.raises(SourceChanged, match="no column that is read"):
        parse([Body(Request("GET", "/x"), content, KNOWN_AT, 7)])
