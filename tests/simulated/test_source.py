"""The simulated grid as a source: it answers itself, and never tells the future."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.model import format_time
from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import READING, Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.sources.simulated import BY_ZONE, SOURCE, answer, parse, requests
from gridtide_pipelines.simulation.grid import simulate
from tests.examples import examples

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def requested(start: datetime, end: datetime, known_at: datetime, *zones: str) -> pl.DataFrame:
    """What one request after the other brings in, as the flow does it."""
    frames = [READING.to_frame()]
    for group in requests(Query(Kind.GENERATION, zones, start, end, known_at)):
        bodies = [Body(request, answer(request), known_at, 1) for request in group]
        frames.append(parse(bodies))
    return pl.concat(frames).unique(["zone", "signal", "start"]).sort("zone", "signal", "start")


def test_it_is_found_and_says_what_it_is() -> None:
    assert sources()["simulated"] is SOURCE
    assert SOURCE.simulated
    assert SOURCE.licence == "simulated, not real data"
    assert SOURCE.credentials is None


def test_it_says_what_is_simulated_slot_by_slot() -> None:
    end = START + 5 * HOUR
    frame = requested(START, end, end, "GB", "DE")
    assert frame.schema == READING
    assert set(frame["quality"]) == {"simulated"}
    wind = frame.filter(pl.col("signal") == "generation_wind", pl.col("start") >= START)
    for zone, length in (("DE", HOUR), ("GB", HOUR / 2)):
        mine = wind.filter(pl.col("zone") == zone)
        truth = simulate(BY_ZONE[zone], START, end)
        assert mine["value"].to_list() == truth["wind"].to_list()
        assert mine["start"].to_list() == truth["start"].to_list()
        assert set(mine["end"] - mine["start"]) == {length}


@examples(25)
@given(minutes=st.integers(0, 1900))
def test_no_slot_is_reported_before_it_has_ended(minutes: int) -> None:
    known_at = START + timedelta(minutes=minutes)
    frame = requested(START, START + 30 * HOUR, known_at, "DE", "GB")
    assert frame.filter(pl.col("end") > known_at).is_empty()
    whole = requested(START, START + 30 * HOUR, START + 30 * HOUR, "DE", "GB")
    assert frame.equals(whole.filter(pl.col("end") <= known_at))


@examples(25)
@given(minutes=st.integers(1, 60 * 24))
def test_a_slot_that_straddles_two_refreshes_is_reported_by_the_second(minutes: int) -> None:
    between, end = START + timedelta(minutes=minutes), START + timedelta(days=1)
    first = requested(START, between, between, "DE", "GB")
    second = requested(between, end, end, "DE", "GB")
    both = pl.concat([first, second]).unique(["zone", "signal", "start"])
    assert both.sort("zone", "signal", "start").equals(requested(START, end, end, "DE", "GB"))


def test_a_long_span_is_requested_month_by_month_for_all_zones_together() -> None:
    end = START + timedelta(days=70)
    groups = requests(Query(Kind.GENERATION, ("DE", "FR"), START, end, end))
    assert [len(group) for group in groups] == [1, 1, 1]
    spans = [dict(group[0].params) for group in groups]
    assert spans[0]["start"] == format_time(START)
    assert [span["end"] for span in spans[:-1]] == [span["start"] for span in spans[1:]]
    assert spans[-1]["end"] == format_time(START + timedelta(days=70))
    assert all(group[0].zones == ("DE", "FR") for group in groups)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"zones": {"DE": {}}}',
        b'{"zones": {"DE": {"start": "yesterday", "step_seconds": 3600, "generation": {}}}}',
        json.dumps(
            {
                "zones": {
                    "DE": {
                        "start": "2026-03-01T00:00Z",
                        "step_seconds": 3600,
                        "generation": {"phlogiston": [1.0]},
                    }
                }
            }
        ).encode(),
    ],
)
def test_a_body_that_is_no_answer_is_source_changed(content: bytes) -> None:
    with pytest.raises(SourceChanged):
        parse([Body(Request("GET", "/generation"), content, START, 1)])
