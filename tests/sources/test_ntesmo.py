"""The Northern Territory: three systems in one sum, weeks found through a listing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.ntesmo import SOURCE
from gridtide_pipelines.ingest.table import table

DATA = Path(__file__).with_name("data") / "ntesmo"
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def body(content: bytes) -> Body:
    return Body(Request("GET", "/"), content, NOW, 1)


def test_systems_are_added_and_one_that_is_missing_makes_the_sum_partial() -> None:
    frame = SOURCE.parse([body((DATA / "generation.csv").read_bytes())])
    assert table(frame, SOURCE, "AU-NT", None).drop("zone").rows() == [
        ("2026-02-28T14:30:00Z", "biomass", 1.0),
        ("2026-02-28T14:30:00Z", "gas", 199.0),
        ("2026-02-28T14:30:00Z", "solar", 0.0),
        ("2026-02-28T15:00:00Z", "biomass", 1.0),
        ("2026-02-28T15:00:00Z", "gas", 174.5),
        ("2026-02-28T15:00:00Z", "solar", 0.0),
    ]
    odd = frame.filter(frame["flag"].is_not_null())
    assert odd.select("signal", "flag").rows() == [
        ("generation_gas", "partial"),
        ("generation_solar", "partial"),
    ]


def test_a_new_column_is_unknown_and_named() -> None:
    frame = SOURCE.parse([body((DATA / "generation_new_column.csv").read_bytes())])
    assert frame.filter(signal="generation_unknown").select("value", "flag").rows() == [
        (2.0, "unmapped_code:DK_Hydrogen")
    ]


@pytest.mark.parametrize("day", ["04/10/2026", "05/04/2026"])
def test_no_clock_changes(day: str) -> None:
    content = (DATA / "generation.csv").read_bytes().replace(b"01/03/2026", day.encode())
    starts = SOURCE.parse([body(content)])["start"].unique().sort().to_list()
    assert starts[1] - starts[0] == timedelta(minutes=30)
    assert f"{starts[0]:%H:%M}" == "14:30"


def test_the_files_of_the_days_requested_follow_the_listing() -> None:
    query = Query(Kind.GENERATION, ("AU-NT",), NOW - timedelta(days=10), NOW, NOW)
    ((request,),) = SOURCE.requests(query)
    listing = Body(request, (DATA / "nothing_but_a_listing.html").read_bytes(), NOW, 1)
    names = [each.path.rpartition("/")[2] for each in SOURCE.following([listing])]
    assert names == [
        "Generation_mix_data_01_March_2026_-_07_March_2026.csv",
        "Generation_mix_data_22_February_2026_-_28_February_2026.csv",
    ]
    assert SOURCE.following([listing, body(b"x")]) == ()
