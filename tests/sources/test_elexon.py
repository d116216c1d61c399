"""What is special about the sources of GB: embedded generation, cables, settlement periods."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources import elexon, neso

DATA = Path(__file__).with_name("data")
KNOWN_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def body(content: bytes) -> Body:
    return Body(Request("GET", "/written"), content, KNOWN_AT, 7)


def written(*names: str) -> pl.DataFrame:
    return elexon.parse([body((DATA / f"{name}.json").read_bytes()) for name in names])


def values(frame: pl.DataFrame, signal: str) -> list[Any]:
    return frame.filter(pl.col("signal") == signal).sort("start")["value"].to_list()


def test_codes_of_one_fuel_are_added_and_imports_stay_apart() -> None:
    frame = written("elexon/fuelhh")
    assert values(frame, "generation_gas") == [9005.0, 9025.0]
    assert values(frame, "generation_hydro_storage") == [-250.0, -240.0]
    assert values(frame, "import_INTELEC") == [-100.0, -90.0]
    # By hand: 1500 + 900 - 100 into GB over three cables are -2300 along GB->FR.
    france = frame.filter(pl.col("zone") == "GB->FR").sort("start")
    assert france["value"].to_list() == [-2300.0, -2330.0]
    assert set(frame["end"] - frame["start"]) == {timedelta(minutes=30)}


def test_of_two_publications_the_later_one_counts_and_slots_are_of_5_minutes() -> None:
    frame = written("elexon/fuelinst_revised")
    assert frame["value"].to_list() == [9010.0, 9040.0]
    assert set(frame["end"] - frame["start"]) == {timedelta(minutes=5)}


def test_a_new_code_is_unknown_and_a_new_cable_is_an_import() -> None:
    frame = written("elexon/new_code")
    assert values(frame, "generation_unknown") == [320.0]
    assert frame["flag"].drop_nulls().to_list() == ["unmapped_code:TIDAL"]
    assert values(frame, "import_INTNEW") == [-40.0]


def test_embedded_generation_is_added_and_unknown_where_it_is_missing() -> None:
    frame = written("elexon/fuelhh", "neso/embedded")
    # By hand: 8000 metered and 1901 embedded, 8010 and 1902.
    assert values(frame, "generation_wind") == [9901.0, 9912.0]
    assert values(frame, "generation_solar") == [0.0, 0.0]
    wind = frame.filter(pl.col("signal") == "generation_wind")
    assert set(wind["quality"]) == {"estimated"}
    lacking = written("elexon/fuelhh", "neso/nothing")
    assert values(lacking, "generation_solar") == [None, None]
    wind = lacking.filter(pl.col("signal") == "generation_wind")
    assert set(wind["flag"]) == {"partial"}


def rows(*given: dict[str, Any]) -> list[tuple[str, str, float | None, bool]]:
    """Zone, signal, value and whether it is a forecast, of rows of one time."""
    common = {"startTime": "2026-03-01T10:00:00Z", "publishTime": "2026-03-01T09:00:00Z"}
    content = json.dumps({"data": [common | each for each in given]}).encode()
    frame = elexon.parse([body(content)])
    ahead = frame["issued_at"].is_not_null()
    return frame.select("zone", "signal", "value", ahead=ahead).rows()


def test_a_forecast_of_wind_without_a_settlement_period_is_no_load() -> None:
    assert rows({"quantity": 6540}) == [("GB", "generation_wind", 6540.0, True)]
    assert rows({"generation": 6540}) == [("GB", "generation_wind", 6540.0, True)]
    assert rows({"quantity": 31000, "settlementPeriod": 21}) == [("GB", "load", 31000.0, False)]


@pytest.mark.parametrize(
    "named", [{"fuelType": "CCGT"}, {"interconnectorName": "INTFR"}, {"psrType": "Solar"}]
)
def test_what_names_a_fuel_or_cable_is_of_half_an_hour(named: dict[str, str]) -> None:
    row = {"startTime": "2026-03-01T10:00:00Z", "generation": 9, "quantity": 9} | named
    frame = elexon.parse([body(json.dumps([row]).encode())])
    assert set(frame["end"] - frame["start"]) == {timedelta(minutes=30)}


def test_demand_of_the_transmission_system_is_not_that_of_the_nation() -> None:
    period = {"settlementPeriod": 21}
    nation = period | {"dataset": "NDF", "boundary": "N", "demand": 30000}
    system = period | {"dataset": "TSDF", "boundary": "N", "demand": 31000}
    assert rows(nation, system) == [("GB", "load", 30000.0, True)]
    assert rows(period | {"dataset": "INDO", "demand": 29000}) == [
        ("GB", "load", 29000.0, False)
    ]


def test_a_cable_is_known_by_the_code_in_its_name() -> None:
    cable = {
        "interconnectorName": "ElecLink (INTELEC)",
        "settlementPeriod": 21,
        "generation": 9,
    }
    assert rows(cable) == [
        ("GB", "import_INTELEC", 9.0, False),
        ("GB->FR", "flow", -9.0, False),
    ]


def test_only_the_auction_with_trades_is_a_price() -> None:
    assert written("elexon/price").select("signal", "value").rows() == [("price_gbp", 81.37)]


def test_forecasts_are_of_the_nation_day_ahead_and_issued_when_published() -> None:
    load = written("elexon/forecast_demand")
    assert load["value"].to_list() == [25000.0, 24500.0]
    assert set(load["issued_at"]) == {datetime(2026, 3, 2, 8, 45, tzinfo=UTC)}
    ahead = written("elexon/forecast_wind_solar")
    assert dict(ahead.select("signal", "value").rows()) == {
        "generation_solar": 4000.5,
        "generation_wind": 9500.0,
    }


@pytest.mark.parametrize(
    ("day", "period", "start"),
    [
        # 46 periods when clocks go forward, 50 when they go back.
        ("2026-03-29", 2, datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
        ("2026-03-29", 3, datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("2026-03-29", 46, datetime(2026, 3, 29, 22, 30, tzinfo=UTC)),
        ("2026-10-25", 1, datetime(2026, 10, 24, 23, 0, tzinfo=UTC)),
        ("2026-10-25", 50, datetime(2026, 10, 25, 23, 30, tzinfo=UTC)),
    ],
)
def test_settlement_periods_of_both_days_when_clocks_change(
    day: str, period: int, start: datetime
) -> None:
    tree = json.loads((DATA / "neso/embedded.json").read_bytes())
    row = tree["result"]["records"][0] | {"SETTLEMENT_DATE": day, "SETTLEMENT_PERIOD": period}
    tree["result"]["records"] = [row]
    assert set(neso.parse([body(json.dumps(tree).encode())])["start"]) == {start}


def test_a_day_of_utc_in_summer_is_requested_as_two_settlement_dates() -> None:
    start = datetime(2026, 7, 1, tzinfo=UTC)
    query = Query(Kind.GENERATION, ("GB",), start, start + timedelta(days=1), KNOWN_AT)
    ((fuels, embedded),) = elexon.requests(query)
    assert dict(fuels.params) == {
        "settlementDateFrom": "2026-07-01",
        "settlementDateTo": "2026-07-02",
    }
    assert embedded.host == "neso"
    assert "< '2026-07-03'" in dict(embedded.params)["sql"]


def test_metered_and_embedded_wind_make_the_mix_of_the_portal() -> None:
    frame = neso.parse([body((DATA / "neso/mix.json").read_bytes())])
    assert values(frame, "generation_wind") == [10000.0, 10000.0]
    assert values(frame, "imports") == [2900.0, 2900.0]


@pytest.mark.parametrize("nothing", [b"{}", b"null", b'{"result": {"records": []}}'])
def test_without_the_estimate_of_embedded_generation_wind_and_solar_are_unknown(
    nothing: bytes,
) -> None:
    metered = body((DATA / "elexon/fuelhh.json").read_bytes())
    estimate = Body(Request("GET", "/written", host="neso"), nothing, KNOWN_AT, 8)
    frame = elexon.parse([metered, estimate])
    wind = frame.filter(pl.col("signal") == "generation_wind")
    assert set(wind["flag"]) == {"partial"}  # printed as metered, stored as unknown
    assert values(frame, "generation_solar") == [None, None]


def test_both_sources_keep_the_pace_of_neso() -> None:
    assert elexon.SOURCE.interval("neso") == neso.SOURCE.min_interval


def test_a_new_fuel_of_the_mix_is_unknown_and_sums_and_shares_are_none() -> None:
    tree = json.loads((DATA / "neso/mix.json").read_bytes())
    row = tree["result"]["records"][0]
    more = {
        "GENERATION": 30000,
        "LOW_CARBON": 9000,
        "GAS_perc": 40,
        "_id": 4,
        "_full_text": "x",
    }
    tree["result"]["records"] = [row | more | {"TIDAL": 7, "OTHER": 3}]
    frame = neso.parse([body(json.dumps(tree).encode())])
    assert values(frame, "generation_unknown") == [10.0]
    assert frame["flag"].drop_nulls().to_list() == ["unmapped_code:TIDAL"]


def changed(name: str, **change: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # any JSON value
    """The rows of a written body, with other values."""
    document = json.loads((DATA / f"{name}.json").read_bytes())
    found = document if isinstance(document, list) else document["data"]
    return [{**row, **change} for row in found]


def answered(*answers: list[dict[str, Any]]) -> pl.DataFrame:
    return elexon.parse([body(json.dumps({"data": each}).encode()) for each in answers])


def test_data_sets_that_state_one_quantity_are_not_added() -> None:
    start, quantity = "2026-03-01T02:30:00Z", 27002.0
    outturn = [{"dataset": "INDO", "startTime": start, "demand": 24000}]
    for answers in ((changed("elexon/load"), outturn), (outturn, changed("elexon/load"))):
        assert values(answered(*answers), "load") == [quantity, 27003.0]
    assert values(answered(outturn), "load") == [24000.0]
    metered = [
        {"dataset": name, "startTime": at, "fuelType": "CCGT", "generation": 9000}
        for name, at in (
            ("FUELHH", "2026-03-01T12:00:00Z"),
            ("FUELINST", "2026-03-01T12:25:00Z"),
            ("FUELINST", "2026-03-01T13:00:00Z"),
        )
    ]
    frame = answered(metered, changed("elexon/agpt"))
    assert values(frame, "generation_gas") == [8825.0, 8826.0, 9000.0]
    assert values(answered(metered), "generation_gas") == [9000.0, 9000.0]


def test_a_revision_without_a_number_is_the_first() -> None:
    one = changed("elexon/load", documentRevisionNumber=None)
    two = changed("elexon/load", documentRevisionNumber=2, quantity=1)
    assert values(answered(one), "load") == [27002.0, 27003.0]
    assert values(answered(two, one), "load") == [1.0, 1.0]


def test_embedded_generation_in_the_mix_and_in_the_update_is_one() -> None:
    mix, embedded = (
        body((DATA / f"neso/{name}.json").read_bytes()) for name in ("mix", "embedded")
    )
    frame = neso.parse([mix, embedded, mix, embedded])
    wind = frame.filter(pl.col("signal") == "generation_wind").sort("start")
    # By hand: 8000 + 1901; 1902 without what is metered; 8000 + 2000.
    assert wind.select("value", "flag").rows() == [
        (9901.0, None),
        (1902.0, "partial"),
        (10000.0, None),
    ]
    assert values(frame, "generation_solar") == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("code", ["WIND", "WIND_EMB"])
def test_wind_of_one_kind_alone_is_partial(code: str) -> None:
    document = json.loads((DATA / "neso/mix.json").read_bytes())
    for row in document["result"]["records"]:
        del row[code]
    frame = neso.parse([body(json.dumps(document).encode())])
    assert (
        frame.filter(pl.col("signal") == "generation_wind")["flag"].to_list() == ["partial"] * 2
    )
