"""The Yukon's chart of the last day: hours at UTC-7 all year, four kinds of power."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.source import Body, Request
from gridtide_pipelines.ingest.sources.yukon_energy import SOURCE
from gridtide_pipelines.ingest.table import table

CHART = Path(__file__).with_name("data") / "yukon_energy/chart.html"


def read(content: bytes, now: datetime) -> list[tuple[str, str, float]]:
    frame = SOURCE.parse([Body(Request("GET", "/"), content, now, 1)])
    return table(frame, SOURCE, "CA-YT", None).drop("zone").rows()


def test_hours_are_read_with_thermal_power_as_unknown() -> None:
    rows = read(CHART.read_bytes(), datetime(2026, 3, 2, tzinfo=UTC))
    assert rows == [
        ("2026-03-01T12:00:00Z", "hydro", 71.2),
        ("2026-03-01T12:00:00Z", "solar", 0.1),
        ("2026-03-01T12:00:00Z", "unknown", 4.1),
        ("2026-03-01T12:00:00Z", "wind", 0.0),
        ("2026-03-01T13:00:00Z", "hydro", 70.5),
        ("2026-03-01T13:00:00Z", "unknown", 3.0),
        ("2026-03-01T13:00:00Z", "wind", 1.5),
    ]


def test_an_hour_under_way_is_left_to_the_next_answer() -> None:
    rows = read(CHART.read_bytes(), datetime(2026, 3, 1, 13, 30, tzinfo=UTC))
    assert {time for time, _, _ in rows} == {"2026-03-01T12:00:00Z"}


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
def test_no_clock_changes(day: str) -> None:
    content = CHART.read_bytes().replace(b"2026-03-01", day.encode())
    rows = read(content, datetime(2027, 1, 1, tzinfo=UTC))
    assert {time for time, _, _ in rows} == {f"{day}T12:00:00Z", f"{day}T13:00:00Z"}
