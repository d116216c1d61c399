"""Québec's two days: what is ahead, what is missing, and local time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.source import Body, Request
from gridtide_pipelines.ingest.sources.hydroquebec import SOURCE
from gridtide_pipelines.ingest.table import table

DATA = Path(__file__).with_name("data") / "hydroquebec"
NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def body(content: bytes, now: datetime = NOW) -> Body:
    return Body(Request("GET", "/"), content, now, 1)


def read(content: bytes) -> list[tuple[str, str, float]]:
    return table(SOURCE.parse([body(content)]), SOURCE, "CA-QC", None).drop("zone").rows()


def test_what_is_ahead_is_not_read_and_a_label_is_the_start() -> None:
    rows = read((DATA / "generation.json").read_bytes())
    assert [row for row in rows if row[1] in ("hydro", "gas")] == [
        ("2026-03-01T05:30:00Z", "gas", 10.0),
        ("2026-03-01T05:30:00Z", "hydro", 19000.0),
        ("2026-03-01T06:30:00Z", "hydro", 19100.0),
        ("2026-03-01T07:30:00Z", "hydro", 19200.0),
    ]
    assert read((DATA / "load.json").read_bytes()) == [
        ("2026-03-01T05:00:00Z", "load", 25001.0),
        ("2026-03-01T05:15:00Z", "load", 25002.0),
    ]


def test_a_fuel_that_a_row_lacks_is_unknown_where_the_total_does_not_add_up() -> None:
    frame = SOURCE.parse([body((DATA / "generation.json").read_bytes())])
    unknown = frame.filter(frame["value"].is_null())
    # The second row adds up without gas, the third lacks 600 MW.
    assert unknown.select("signal", "start").rows() == [
        ("generation_biomass", datetime(2026, 3, 1, 7, 30, tzinfo=UTC)),
        ("generation_gas", datetime(2026, 3, 1, 7, 30, tzinfo=UTC)),
    ]


def test_a_new_fuel_is_unknown_and_named() -> None:
    frame = SOURCE.parse([body((DATA / "generation_new_fuel.json").read_bytes())])
    assert frame.filter(signal="generation_unknown").select("value", "flag").rows() == [
        (300.0, "unmapped_code:hydrogene")
    ]


@pytest.mark.parametrize(
    ("day", "first", "hours"),
    [("2026-03-08", "2026-03-08T05:30Z", 23), ("2026-11-01", "2026-11-01T04:30Z", 25)],
)
def test_both_changes_of_clocks(day: str, first: str, hours: int) -> None:
    labels = [f"{day}T{hour:02}:30:00" for hour in range(24)]
    if hours == 25:
        labels.insert(2, labels[1])
    else:
        labels.remove(f"{day}T02:30:00")
    rows = [{"date": label, "valeurs": {"hydraulique": n}} for n, label in enumerate(labels)]
    found = read(json.dumps({"recentHour": f"{day}T23:30:00", "details": rows}).encode())
    start = datetime.fromisoformat(first)
    assert found == [
        (f"{start + n * timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "hydro", float(n))
        for n in range(hours)
    ]


def test_an_hour_that_is_there_twice_is_not_guessed_where_it_is_named_once() -> None:
    rows = [
        {"date": f"2026-11-01T{hour:02}:30:00", "valeurs": {"hydraulique": hour}}
        for hour in range(3)
    ]
    found = read(json.dumps({"recentHour": "2026-11-01T02:30:00", "details": rows}).encode())
    assert [value for _, _, value in found] == [0.0, 2.0]


def test_an_hour_that_is_not_over_is_left_to_the_next_answer() -> None:
    content = (DATA / "generation.json").read_bytes()
    early = datetime(2026, 3, 1, 7, 40, tzinfo=UTC)  # the newest hour began at 07:30
    frame = SOURCE.parse([body(content, early)])
    assert frame["end"].max() == datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
