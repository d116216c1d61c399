"""Utilities of Canada's east and Saskatchewan: percent of a load, reports of the moment."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.table import table

DATA = Path(__file__).with_name("data")
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def parse(
    source: str, *contents: bytes, now: datetime = NOW
) -> list[tuple[str, str, str, float]]:
    bodies = [Body(Request("GET", "/"), content, now, n) for n, content in enumerate(contents)]
    publisher = sources()[source]
    return [
        (zone, time, fuel, round(value, 6))
        for zone, time, fuel, value in table(
            publisher.parse(bodies), publisher, "*", None
        ).iter_rows()
    ]


def read(source: str, *names: str) -> list[tuple[str, str, str, float]]:
    return parse(source, *((DATA / source / name).read_bytes() for name in names))


@pytest.mark.parametrize(
    "names",
    [("load.json", "shares_without_a_load.json"), ("shares_without_a_load.json", "load.json")],
)
def test_nova_scotia_s_percent_are_of_the_load_and_an_hour_without_one_is_left_out(
    names: tuple[str, str],
) -> None:
    at, later = "2026-03-01T13:00:00Z", "2026-03-01T14:00:00Z"
    assert read("nspower", *names) == [
        ("CA-NS", at, "biomass", 15.0),
        ("CA-NS", at, "coal", 400.0),
        ("CA-NS", at, "gas", 250.0),
        ("CA-NS", at, "hydro", 30.0),
        ("CA-NS", at, "imports", 10.0),
        ("CA-NS", at, "load", 1000.0),
        ("CA-NS", at, "oil", 5.0),
        ("CA-NS", later, "load", 1100.5),
    ]  # the wind of that hour is not known


def test_nova_scotia_s_mix_alone_is_shares_and_a_new_code_is_named() -> None:
    rows = {fuel: value for _, _, fuel, value in read("nspower", "shares_new_code.json")}
    assert rows["share_pct_gas"] == 25.0
    assert rows["share_pct_other"] == 0.5
    content = (DATA / "nspower/shares_new_code.json").read_bytes()
    frame = sources()["nspower"].parse([Body(Request("GET", "/"), content, NOW, 1)])
    assert frame["flag"].drop_nulls().to_list() == ["unmapped_code:Tidal"]


def test_new_brunswick_s_ties_to_new_england_are_added() -> None:
    at = "2026-03-02T11:57:29Z"
    assert read("nbpower", "load_and_flows.html") == [
        ("CA-NB", at, "load", 1501.0),
        ("CA-NB->CA-NS", at, "net_flow", 46.0),
        ("CA-NB->CA-PE", at, "net_flow", 150.0),
        ("CA-NB->CA-QC", at, "net_flow", -700.0),
        ("CA-NB->US-NE-ISNE", at, "net_flow", 504.0),
    ]


def test_new_brunswick_s_forecast_says_standard_or_daylight_time() -> None:
    spring = [time for _, time, _, _ in read("nbpower", "forecast_load.csv")]
    assert spring == [f"2026-03-08T0{hour}:00:00Z" for hour in (5, 6, 7)]
    autumn = b"20261101010000AD,1801,0\n20261101010000AS,1802,0\n20261101020000AS,1803,0\n"
    rows = parse("nbpower", autumn)
    assert [(time, value) for _, time, _, value in rows] == [
        ("2026-11-01T04:00:00Z", 1801.0),
        ("2026-11-01T05:00:00Z", 1802.0),
        ("2026-11-01T06:00:00Z", 1803.0),
    ]


@pytest.mark.parametrize(
    ("said", "now", "instant"),
    [
        ("Nov 01, 2026 01:57:29", "2026-11-01T05:00Z", "2026-11-01T04:57:29Z"),
        ("Nov 01, 2026 01:57:29", "2026-11-01T06:00Z", "2026-11-01T05:57:29Z"),
        ("Mar 08, 2026 03:02:29", "2026-03-08T06:05Z", "2026-03-08T06:02:29Z"),
    ],
)
def test_new_brunswick_s_page_over_both_changes_of_clocks(
    said: str, now: str, instant: str
) -> None:
    page = (DATA / "nbpower/load_and_flows.html").read_text()
    content = page.replace("Mar 02, 2026 07:57:29", said).encode()
    rows = parse("nbpower", content, now=datetime.fromisoformat(now))
    assert {time for _, time, _, _ in rows} == {instant}


def test_the_hour_of_a_forecast_is_that_of_moncton() -> None:
    query = Query(Kind.FORECAST, ("CA-NB",), NOW, NOW + timedelta(days=1), NOW)
    ((request,),) = sources()["nbpower"].requests(query)
    assert request.path.endswith("/2026-03-02%2008.csv")


def test_an_island_imports_what_it_does_not_generate() -> None:
    at = "2026-03-01T12:01:01Z"
    assert read("other_canada", "island.json") == [
        ("CA-NB->CA-PE", at, "net_flow", 104.0),
        ("CA-PE", at, "load", 150.5),
        ("CA-PE", at, "oil", 2.0),
        ("CA-PE", at, "wind", 44.5),
    ]


def test_saskatchewan_keeps_one_time_and_newfoundland_half_an_hour_of_its_own() -> None:
    assert read("other_canada", "saskatchewan.json") == [
        ("CA-SK", "2026-03-02T11:31:00Z", "load", 3012.0)
    ]
    assert read("other_canada", "newfoundland.html") == [
        ("CA-NL", "2026-03-02T11:45:00Z", "load", 1273.0)
    ]


FORECAST = "20260301000000AS,1801,0\n20260302000000AS,1802,0"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_forecast_of_new_brunswick_ends_with_or_without_a_line_end(end: str) -> None:
    rows = parse("nbpower", (FORECAST + end).encode())
    assert [value for *_, value in rows] == [1801.0, 1802.0]


@pytest.mark.parametrize("cut", range(2, 6))
def test_a_forecast_of_new_brunswick_that_ends_within_a_number_is_refused(cut: int) -> None:
    with pytest.raises(SourceChanged, match="cut short"):
        parse("nbpower", FORECAST[:-cut].encode())


def test_nova_scotia_s_fuel_without_one_of_its_codes_is_not_known() -> None:
    load, shares = (
        json.loads((DATA / "nspower" / name).read_bytes())
        for name in ("load.json", "shares_without_a_load.json")
    )
    first, later = ({**shares[0], "datetime": each["datetime"]} for each in load[1:])
    del first["LM 6000's"]
    bodies = [json.dumps(each).encode() for each in (load, [first, later])]
    gas = [row[1] for row in parse("nspower", *bodies) if row[2] == "gas"]
    assert gas == ["2026-03-01T14:00:00Z"]


def test_nova_scotia_s_hour_with_two_loads_is_left_out() -> None:
    load = json.loads((DATA / "nspower/load.json").read_bytes())
    other = {**load[1], "Base Load": 5}
    rows = parse("nspower", json.dumps([*load, other]).encode())
    assert [row[1] for row in rows] == ["2026-03-01T14:00:00Z"]
