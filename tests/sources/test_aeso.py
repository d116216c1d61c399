"""Alberta's report of the moment, as text and from the API, and its forecasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.aeso import SOURCE
from gridtide_pipelines.ingest.table import table

DATA = Path(__file__).with_name("data") / "aeso"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def parse(
    *contents: bytes, zone: str = "CA-AB", now: datetime = NOW
) -> list[tuple[str, str, float]]:
    bodies = [Body(Request("GET", "/"), content, now, n) for n, content in enumerate(contents)]
    return table(SOURCE.parse(bodies), SOURCE, zone, None).drop("zone").rows()


def read(name: str, zone: str = "CA-AB") -> list[tuple[str, str, float]]:
    return parse((DATA / name).read_bytes(), zone=zone)


def test_kinds_of_gas_plant_are_gas_and_what_is_not_certain_is_unknown() -> None:
    at = "2026-03-02T11:55:00Z"  # 04:55 in Mountain standard time
    assert read("report.csv") == [
        (at, "battery_storage", 10.0),
        (at, "gas", 7000.0),
        (at, "hydro", 150.0),
        (at, "load", 9150.0),
        (at, "solar", 0.0),
        (at, "unknown", 240.0),
        (at, "wind", 1600.0),
    ]
    assert read("report.csv", "CA-AB->CA-BC") == [(at, "net_flow", -100.0)]
    assert read("report.csv", "US-NW-NWMT->CA-AB") == [(at, "net_flow", -25.0)]


def test_a_new_code_is_unknown_and_named() -> None:
    body = Body(Request("GET", "/"), (DATA / "report_new_code.csv").read_bytes(), NOW, 1)
    unknown = SOURCE.parse([body]).filter(signal="generation_unknown")
    assert unknown.select("value", "flag").rows() == [(100.0, "unmapped_code:HYDROGEN")]


def test_the_api_says_the_same_in_utc_and_null_is_a_gap() -> None:
    assert read("report_of_the_api.json") == [
        ("2026-03-02T11:55:00Z", "gas", 7000.0),
        ("2026-03-02T11:55:00Z", "load", 9150.0),
        ("2026-03-02T11:55:00Z", "wind", 1600.0),
    ]


def test_a_block_that_does_not_add_up_is_refused() -> None:
    content = (DATA / "report.csv").read_bytes().replace(b'"1600"', b'"160"')
    with pytest.raises(SourceChanged, match="total of 9000"):
        parse(content)


@pytest.mark.parametrize(
    ("label", "now", "instant"),
    [
        ("Nov 01, 2026 01:30", "2026-11-01T07:31Z", "2026-11-01T07:30:00Z"),  # daylight time
        ("Nov 01, 2026 01:30", "2026-11-01T08:31Z", "2026-11-01T08:30:00Z"),
        ("Mar 08, 2026 03:05", "2026-03-08T09:06Z", "2026-03-08T09:05:00Z"),
        ("Mar 08, 2026 01:55", "2026-03-08T08:56Z", "2026-03-08T08:55:00Z"),
    ],
)
def test_the_minute_of_the_update_is_found_over_both_changes_of_clocks(
    label: str, now: str, instant: str
) -> None:
    content = (DATA / "report.csv").read_bytes().replace(b"Mar 02, 2026 04:55", label.encode())
    rows = parse(content, now=datetime.fromisoformat(now))
    assert {time for time, _, _ in rows} == {instant}


@pytest.mark.parametrize("order", [("wind", "solar"), ("solar", "wind")])
def test_the_forecast_that_is_0_at_night_is_solar(order: tuple[str, str]) -> None:
    files = [(DATA / f"forecast_{each}.csv").read_bytes() for each in order]
    assert parse(*files) == [
        ("2026-03-02T07:00:00Z", "forecast_solar", 0.0),
        ("2026-03-02T07:00:00Z", "forecast_wind", 1000.5),
        ("2026-03-02T19:00:00Z", "forecast_solar", 640.25),
        ("2026-03-02T19:00:00Z", "forecast_wind", 1200.0),
    ]


@pytest.mark.parametrize(
    ("day", "first", "hours"),
    [("2026-03-08", "2026-03-08T07:00Z", 23), ("2026-11-01", "2026-11-01T06:00Z", 25)],
)
def test_hours_of_a_forecast_follow_one_another_over_a_change_of_clocks(
    day: str, first: str, hours: int
) -> None:
    labels = [f"{day} {hour:02}:00" for hour in range(24)]
    if hours == 25:
        labels.insert(2, labels[1])
    head = (DATA / "forecast_wind.csv").read_text().splitlines()[0]
    lines = [f"{label},1,{n + 1},3,,1,1,1,1" for n, label in enumerate(labels)]
    rows = parse("\n".join([head, *lines]).encode())
    start = datetime.fromisoformat(first)
    wanted = [f"{start + n * timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}" for n in range(hours)]
    assert [time for time, _, _ in rows] == wanted


def test_the_report_is_requested_for_now_alone() -> None:
    query = Query(Kind.GENERATION, ("CA-AB",), NOW - timedelta(days=2), NOW, NOW)
    assert len(SOURCE.requests(query)) == 1
    past = Query(query.kind, query.zones, query.start, NOW - timedelta(days=1), NOW)
    assert SOURCE.requests(past) == []
    (group,) = SOURCE.requests(Query(Kind.FORECAST, ("CA-AB",), NOW, NOW, NOW))
    assert [request.path[-21:-4] for request in group] == [
        "wind_rpt_longterm",
        "olar_rpt_longterm",
    ]


def test_of_one_moment_the_newest_report_counts_whatever_its_codes() -> None:
    text, api = (
        (DATA / name).read_bytes() for name in ("report.csv", "report_of_the_api.json")
    )
    for first, second in ((text, api), (api, text)):
        both = [row for row in parse(first, second) if row[1] == "gas"]
        assert both == [row for row in parse(second) if row[1] == "gas"]
        assert len(both) == 1
