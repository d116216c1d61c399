"""What is special about the GB source."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.uk_carbon_intensity import parse, requests

DATA = Path(__file__).with_name("data") / "uk_carbon_intensity"
KNOWN_AT = datetime(2026, 3, 1, 1, 10, tzinfo=UTC)


def body(content: bytes) -> Body:
    return Body(Request("GET", "/written"), content, KNOWN_AT, 7)


def written(name: str) -> pl.DataFrame:
    return parse([body((DATA / f"{name}.json").read_bytes())])


def said(frame: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return frame.select(columns).rows()


def test_actual_is_an_estimate_of_direct_consumption_and_null_is_not_known_yet() -> None:
    observed = written("intensity").filter(pl.col("issued_at").is_null())
    assert said(observed, "zone", "signal", "quality", "value") == [
        ("GB", "ci_direct_consumed", "estimated", 148.0),
        ("GB", "ci_direct_consumed", "estimated", 149.5),
    ]
    assert observed["start"][0] == datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
    assert observed["end"][0] == datetime(2026, 3, 1, 0, 30, tzinfo=UTC)


def test_a_forecast_counts_as_issued_when_we_received_it() -> None:
    forecast = written("forecast_fw48h")
    assert said(forecast, "issued_at", "value", "quality") == [
        (KNOWN_AT, 92.0, "forecast"),
        (KNOWN_AT, 88.0, "forecast"),
        (KNOWN_AT, 85.0, "forecast"),
    ]


def test_percents_become_shares_and_imports_stay_apart() -> None:
    first = written("generation").filter(pl.col("start").dt.minute() == 0)
    shares = dict(said(first, "signal", "value"))
    assert shares["share_imports"] == 0.125
    assert shares["share_wind"] == 0.32
    assert shares["share_unknown"] == 0.005
    assert sum(shares.values()) == pytest.approx(1.0)


def test_a_new_fuel_is_added_to_unknown_and_flagged() -> None:
    new = written("generation_new_fuel").filter(pl.col("signal") == "share_unknown")
    # By hand: 1 % other and 9 % of an unknown fuel.
    assert said(new, "value", "flag") == [(pytest.approx(0.10), "unmapped_code:tidal")]


def test_a_part_listed_with_null_is_unknown_not_left_out() -> None:
    tree = json.loads((DATA / "generation.json").read_bytes())
    parts = tree["data"][0]["generationmix"]
    next(part for part in parts if part["fuel"] == "gas")["perc"] = None
    first = parse([body(json.dumps(tree).encode())]).filter(pl.col("start").dt.minute() == 0)
    assert dict(said(first, "signal", "value"))["share_gas"] is None
    assert first["value"].null_count() == 1
    for part in parts:
        part["perc"] = None
    tree["data"] = tree["data"][:1]
    with pytest.raises(NothingYet):
        parse([body(json.dumps(tree).encode())])


@pytest.mark.parametrize(
    ("name", "zones"),
    [
        ("regional_list", {"GB:1", "GB:13", "GB:18"}),
        ("regional_one_as_list", {"GB:15"}),
        ("regional_one_as_object", {"GB:13"}),
    ],
)
def test_all_that_is_regional_is_forecast(name: str, zones: set[str]) -> None:
    frame = written(name)
    assert set(frame["zone"]) == zones
    assert frame["issued_at"].null_count() == 0


def test_an_error_sent_as_success_says_what_the_publisher_says() -> None:
    with pytest.raises(SourceChanged, match="400 Bad Request"):
        written("error_with_200")


def test_a_slot_without_the_field_actual_is_a_changed_body_not_a_gap() -> None:
    tree = json.loads((DATA / "intensity.json").read_bytes())
    del tree["data"][1]["intensity"]["actual"]
    with pytest.raises(SourceChanged, match="actual"):
        parse([body(json.dumps(tree).encode())])


def test_a_range_is_requested_in_spans_of_at_most_14_days() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    groups = requests(
        Query(Kind.INTENSITY, ("GB",), start, start + timedelta(days=30, minutes=30), start)
    )
    assert [request.path for group in groups for request in group] == [
        "/intensity/2026-01-01T00:00Z/2026-01-15T00:00Z",
        "/intensity/2026-01-15T00:00Z/2026-01-29T00:00Z",
        "/intensity/2026-01-29T00:00Z/2026-01-31T00:30Z",
    ]


def test_other_kinds_have_their_own_routes() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=1)
    mix = requests(Query(Kind.GENERATION, ("GB",), start, end, end))
    ahead = requests(Query(Kind.FORECAST, ("GB",), start, end, start))
    assert mix[0][0].path == "/generation/2026-01-01T00:00Z/2026-01-02T00:00Z"
    assert ahead[0][0].path == "/intensity/2026-01-01T00:00Z/fw48h"
