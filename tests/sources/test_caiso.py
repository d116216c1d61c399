"""What is special about the source of the California ISO."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.caiso import parse, requests

DATA = Path(__file__).with_name("data") / "caiso"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # 04:00 there
DAY = timedelta(days=1)
HEADER = "Time,Solar,Natural Gas,Imports"


def said(content: bytes, path: str = "/", known_at: datetime = NOW) -> pl.DataFrame:
    return parse([Body(Request("GET", path), content, known_at, 7)])


def written(name: str) -> pl.DataFrame:
    return said((DATA / name).read_bytes())


def day(labels: list[str], path: str) -> pl.DataFrame:
    rows = [f"{label},0,{number},1" for number, label in enumerate(labels)]
    return said("\r\n".join([HEADER, *rows, ""]).encode(), path)


def clock(*, skip: tuple[int, ...] = ()) -> list[str]:
    hours = [hour for hour in range(24) if hour not in skip]
    return [f"{hour:02}:{minute:02}" for hour in hours for minute in range(0, 60, 5)]


def test_a_file_of_today_is_dated_by_when_it_came_and_columns_become_fuels() -> None:
    frame = written("fuelsource.csv")
    assert frame["start"].unique().to_list() == [
        datetime(2026, 3, 2, 8, 0, tzinfo=UTC),
        datetime(2026, 3, 2, 8, 5, tzinfo=UTC),
        datetime(2026, 3, 2, 11, 55, tzinfo=UTC),
    ]  # the empty rows of the rest of the day say nothing
    first = dict(frame.filter(start=frame["start"][0]).select("signal", "value").rows())
    assert first["generation_hydro"] == 200 - 120
    assert first["generation_biomass"] == 250 + 150
    assert first["generation_battery_storage"] == -310
    assert first["imports"] == 4100
    assert frame.filter(signal="generation_geothermal")["value"].to_list() == [800, 800, None]


def test_after_midnight_the_file_of_today_may_be_yesterday_s() -> None:
    content = "\n".join([HEADER, *(f"{label},0,5,1" for label in clock()), ""]).encode()
    midnight = datetime(2026, 3, 2, 8, 3, tzinfo=UTC)
    frame = said(content, "/outlook/current/fuelsource.csv", midnight)
    assert frame["start"].min() == midnight - DAY - timedelta(minutes=3)


def test_in_spring_an_hour_is_absent_and_in_autumn_the_double_hour_is_unknown() -> None:
    spring = day(clock(skip=(2,)), "/outlook/history/20260308/fuelsource.csv")
    gas = spring.filter(signal="generation_gas")
    assert (gas.height, gas["start"].max()) == (276, datetime(2026, 3, 9, 6, 55, tzinfo=UTC))
    assert gas["start"].diff().drop_nulls().unique().to_list() == [timedelta(minutes=5)]
    autumn = day(clock(), "/outlook/history/20261101/fuelsource.csv")
    gas = autumn.filter(signal="generation_gas").sort("start")
    assert gas["start"].to_list() == [
        datetime(2026, 11, 1, 7, tzinfo=UTC) + n * timedelta(minutes=5) for n in range(300)
    ]
    unknown = gas.filter(pl.col("value").is_null())
    assert (unknown["start"].min(), unknown.height) == (
        datetime(2026, 11, 1, 8, tzinfo=UTC),
        24,
    )
    assert set(unknown["flag"]) == {"ambiguous_time"}


def test_a_value_in_the_hour_that_spring_lacks_is_source_changed() -> None:
    with pytest.raises(SourceChanged, match="does not name an instant"):
        day(clock(), "/outlook/history/20260308/fuelsource.csv")


def test_demand_is_load_and_its_last_forecast_is_beside_it() -> None:
    for name, first, last in (("demand.csv", 23100, 12), ("netdemand.csv", 23000, 32)):
        frame = written(name)
        observed = frame.filter(pl.col("issued_at").is_null())
        assert observed["value"].to_list() == [22950, 22880]
        ahead = frame.filter(issued_at=NOW)
        assert (ahead["signal"].unique().item(), ahead["value"][0]) == ("load", first)
        assert ahead["start"].max() == datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=last)


def test_wind_is_the_sum_of_the_hubs_and_unknown_without_one() -> None:
    frame = written("forecast_renewables.zip").filter(signal="generation_wind")
    assert frame["value"].to_list() == [307.75]
    demand = written("forecast_demand.zip")
    assert demand["value"].to_list() == [21000, 21001]
    assert set(demand["quality"]) == {"forecast"}
    price = written("price.zip")
    assert price.select("signal", "value").rows() == [
        ("price_usd", 31.25),
        ("price_usd", 32.25),
    ]


def renewables() -> tuple[str, list[str]]:
    """The header and the rows of the forecast by hubs."""
    with zipfile.ZipFile(DATA / "forecast_renewables.zip") as archive:
        header, *rows = archive.read(archive.namelist()[0]).decode().splitlines()
    return header, rows


def packed(header: str, *files: list[str]) -> pl.DataFrame:
    """What a ZIP of files with these rows says."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, rows in enumerate(files):
            archive.writestr(f"{number}.csv", "\n".join([header, *rows, ""]))
    return parse([Body(Request("GET", "/"), out.getvalue(), NOW, 1)])


def test_what_was_forecast_and_what_came_are_not_added_in_one_file() -> None:
    header, rows = renewables()
    came = [row.replace(",DAM,", ",ACTUAL,") for row in rows]
    assert came != rows
    wind = packed(header, [*rows, *came]).filter(signal="generation_wind").sort("quality")
    assert wind.select("quality", "value").rows() == [
        ("forecast", 307.75),
        ("measured", 307.75),
    ]


def test_hubs_in_several_files_or_twice_are_added_once_and_none_may_lack() -> None:
    header, rows = renewables()
    whole = packed(header, rows)
    split = [[row for row in rows if (",NP15," in row) == mine] for mine in (True, False)]
    assert all(split)
    for files in (split, [rows, rows], [rows + rows], [rows[::-1]]):
        assert packed(header, *files).equals(whole)
    rest = packed(header, split[1] + [row for row in split[0] if ",Solar," in row])
    assert rest.equals(whole.filter(pl.col("signal") != "generation_wind"))


def test_days_are_local_and_today_has_an_address_of_its_own() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    query = Query(Kind.GENERATION, ("US-CAL-CISO",), start, NOW, NOW)
    (first,), (second,), (today,) = requests(query)
    assert (first.path, second.path, today.path) == (
        "/outlook/history/20260228/fuelsource.csv",
        "/outlook/history/20260301/fuelsource.csv",
        "/outlook/current/fuelsource.csv",
    )
    assert first.span is not None
    assert (first.span.start, first.span.end) == (start, start + timedelta(hours=8))


def test_oasis_takes_times_in_utc_and_31_days_at_most() -> None:
    query = Query(Kind.PRICE, ("US-CAL-CISO",), NOW - 60 * DAY, NOW, NOW)
    groups = requests(query)
    assert len(groups) == 2
    request = groups[0][0]
    assert request.host == "oasis"
    assert request.address == (
        "//oasis/oasisapi/SingleZip?queryname=PRC_LMP&market_run_id=DAM&node=TH_SP15_GEN-APND"
        "&resultformat=6&version=12&startdatetime=20260101T12%3A00-0000"
        "&enddatetime=20260201T00%3A00-0000"
    )
    ((wind, demand),) = requests(Query(Kind.FORECAST, ("US-CAL-CISO",), NOW, NOW + DAY, NOW))
    assert "queryname=SLD_REN_FCST&market_run_id=DAM" in wind.address
    assert "queryname=SLD_FCST&market_run_id=DAM" in demand.address
