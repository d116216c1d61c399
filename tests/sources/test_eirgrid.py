"""What is special about EirGrid: totals without fuels, local time, regions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.eirgrid import parse, requests

DATA = Path(__file__).with_name("data") / "eirgrid"
KNOWN_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def read(*contents: bytes) -> pl.DataFrame:
    return parse([Body(Request("GET", "/written"), each, KNOWN_AT, 7) for each in contents])


def loads(*labels: str) -> pl.DataFrame:
    rows = [
        {"EffectiveTime": label, "FieldName": "SYSTEM_DEMAND", "Region": "ROI", "Value": i}
        for i, label in enumerate(labels)
    ]
    return read(json.dumps({"Rows": rows}).encode())


def test_the_rest_of_the_total_is_unknown_and_partial_where_a_part_is_not_known() -> None:
    frame = read((DATA / "day.json").read_bytes())
    rest = frame.filter(pl.col("signal") == "generation_unknown").sort("start")
    # By hand: 3600 - 1900 - 0, 3601 - 1901 - 0, 3500 - 1800.
    assert rest.select("value", "flag").rows() == [
        (1700.0, None),
        (1700.0, None),
        (1700.0, "partial"),
    ]
    # The third quarter has wind and solar but no total yet.
    assert set(rest["start"].dt.minute()) == {0, 15, 45}
    wind = frame.filter(pl.col("signal") == "generation_wind")
    assert set(wind["start"].dt.minute()) == {0, 15, 45}


def test_imports_over_two_cables_are_one_flow_into_the_region() -> None:
    frame = read((DATA / "day.json").read_bytes()).filter(pl.col("signal") == "flow")
    assert frame.sort("start").select("zone", "value").rows() == [
        ("GB->IE", 80.0),
        ("GB->IE", 82.0),
    ]


def test_the_older_service_has_the_same_rows() -> None:
    frame = read((DATA / "older_service.json").read_bytes())
    assert frame.select("zone", "signal", "value").rows() == [("GB-NIR", "load", 700.0)]


def test_the_hour_that_is_there_twice_is_told_apart_by_order() -> None:
    labels = [
        f"25-Oct-2026 {each}:00"
        for each in ("00:45", "01:00", "01:15", "01:00", "01:15", "02:00")
    ]
    starts = loads(*labels).sort("value")["start"].to_list()
    first = datetime(2026, 10, 24, 23, 45, tzinfo=UTC)
    assert [(each - first) // timedelta(minutes=15) for each in starts] == [0, 1, 2, 5, 6, 9]
    # An hour that is there once could be either: it is left out.
    assert loads("25-Oct-2026 00:45:00", "25-Oct-2026 01:00:00").height == 1


def test_the_hour_that_is_missing_in_spring_has_no_values() -> None:
    starts = loads("29-Mar-2026 00:45:00", "29-Mar-2026 02:00:00")["start"].to_list()
    assert starts[1] - starts[0] == timedelta(minutes=15)
    with pytest.raises(SourceChanged, match="does not name an instant"):
        loads("29-Mar-2026 01:15:00")


def test_a_month_of_a_region_is_one_request_of_local_dates() -> None:
    start = datetime(2026, 7, 1, tzinfo=UTC)
    query = Query(Kind.GENERATION, ("GB-NIR",), start, start + timedelta(days=2), start)
    ((request,),) = requests(query)
    assert request.address == (
        "/api/chart?areas=generationactual%2Cwindactual%2Csolaractual%2Cdemandactual"
        "%2Cinterconnection&chartType=default&region=NI&dateRange=day"
        "&datefrom=2026-07-01&dateto=2026-07-03"
    )


def mix(**values: list[float]) -> pl.DataFrame:
    """What a body says that states each field of one slot so often, sorted by signal."""
    rows = [
        {
            "EffectiveTime": "01-Mar-2026 00:00:00",
            "FieldName": name,
            "Region": "ROI",
            "Value": each,
        }
        for name, given in values.items()
        for each in given
    ]
    return read(json.dumps({"Rows": rows}).encode()).sort("signal")


def test_the_rest_is_unknown_where_the_body_contradicts_itself() -> None:
    once = mix(GEN_EXP=[3600], WIND_ACTUAL=[1900], SOLAR_ACTUAL=[100])
    assert mix(GEN_EXP=[3600] * 2, WIND_ACTUAL=[1900] * 2, SOLAR_ACTUAL=[100]).equals(once)
    part = mix(GEN_EXP=[3600], WIND_ACTUAL=[1900, 1000], SOLAR_ACTUAL=[100])
    assert part.select("signal", "value", "flag").rows() == [
        ("generation_solar", 100.0, None),
        ("generation_unknown", 3500.0, "partial"),
        ("generation_wind", None, "conflict"),
    ]
    total = mix(GEN_EXP=[3600, 3000], WIND_ACTUAL=[1900], SOLAR_ACTUAL=[100])
    assert total.select("signal", "value", "flag").rows() == [
        ("generation_solar", 100.0, None),
        ("generation_unknown", None, "conflict"),
        ("generation_wind", 1900.0, None),
    ]
