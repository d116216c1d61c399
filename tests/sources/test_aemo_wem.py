"""Western Australia: facilities by the fuels of AEMO's list, files of days and months."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.aemo_wem import LISTING, SOURCE

DATA = Path(__file__).with_name("data") / "aemo_wem"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def content(name: str) -> bytes:
    return (DATA / name).read_bytes()


def read(*contents: bytes) -> list[tuple[str, str, float | None, str | None]]:
    """Start, signal, value and flag of each row."""
    bodies = [Body(Request("GET", "/"), each, NOW, n) for n, each in enumerate(contents)]
    frame = SOURCE.parse(bodies).sort("start", "signal")
    return [
        (f"{start:%m-%d %H:%M} {(end - start) // timedelta(minutes=1)}", signal, value, flag)
        for start, end, signal, value, flag in frame.select(
            "start", "end", "signal", "value", "flag"
        ).rows()
    ]


def test_energy_of_five_minutes_is_power_of_the_fuels_in_the_list() -> None:
    facilities, scada = content("nothing_but_facilities.csv"), content("facility_scada.json")
    assert read(facilities, scada) == [
        ("03-01 00:00 5", "generation_coal", 246.0, None),
        ("03-01 00:00 5", "generation_solar", None, None),
        ("03-01 00:00 5", "generation_wind", 60.0, None),
        ("03-01 00:05 5", "generation_coal", 240.0, None),
        ("03-01 00:05 5", "generation_solar", None, None),
        ("03-01 00:05 5", "generation_wind", None, None),
    ]
    sun = scada.replace(b"WIND_WF1", b"SUN_PV1")
    assert ("03-01 00:00 5", "generation_solar", 60.0, "partial") in read(facilities, sun)
    charging = scada.replace(b"WIND_WF1", b"BESS1").replace(b"5.0", b"-5.0")
    assert ("03-01 00:00 5", "generation_battery_storage", -60.0, None) in read(
        facilities, charging
    )


def test_facilities_that_the_list_lacks_are_unknown_and_flagged() -> None:
    first = [row for row in read(content("facility_scada.json")) if "00:00 " in row[0]]
    assert first[1] == (
        *("03-01 00:00 5", "generation_unknown", 306.0),
        "unmapped_code:COAL_G1;unmapped_code:WIND_WF1",
    )
    with pytest.raises(NothingYet):
        read(content("nothing_but_facilities.csv"), content("nothing_but_a_listing.html"))


def test_energy_of_half_hours_was_in_files_of_months() -> None:
    rows = read(content("nothing_but_facilities.csv"), content("half_hours_of_a_month.csv"))
    assert [row for row in rows if row[1] == "generation_coal"] == [
        ("09-01 00:00 30", "generation_coal", 200.5, None),
        ("09-01 00:30 30", "generation_coal", 202.0, None),
    ]


def test_the_files_of_the_days_follow_the_listing_and_months_are_requested_at_once() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    (group,) = SOURCE.requests(Query(Kind.GENERATION, ("AU-WA",), start, start + DAY, NOW))
    assert group[1].path == LISTING
    bodies = [
        Body(group[0], content("nothing_but_facilities.csv"), NOW, 1),
        Body(group[1], content("nothing_but_a_listing.html"), NOW, 2),
    ]
    (file,) = SOURCE.following(bodies)
    assert file.path == f"{LISTING}FacilityScada_20260301.json"
    assert SOURCE.following([*bodies, Body(file, b"{}", NOW, 3)]) == ()
    cut = content("nothing_but_a_listing.html")[:-9]
    assert SOURCE.following([bodies[0], Body(group[1], cut, NOW, 2)]) == ()
    with pytest.raises(SourceChanged, match="markup"):
        read(content("nothing_but_facilities.csv"), cut)
    old = datetime(2023, 8, 30, tzinfo=UTC)
    groups = SOURCE.requests(Query(Kind.GENERATION, ("AU-WA",), old, old + 5 * DAY, NOW))
    assert [each[1].path[-11:] for each in groups] == ["2023-08.csv", "2023-09.csv"]
    assert [each[1].span.end - old for each in groups if each[1].span] == [2 * DAY, 5 * DAY]


def test_days_of_five_minutes_are_not_requested_of_the_files_of_months() -> None:
    start = datetime(2023, 9, 28, tzinfo=UTC)
    groups = SOURCE.requests(Query(Kind.GENERATION, ("AU-WA",), start, start + 7 * DAY, NOW))
    assert [each[1].path[-11:] for each in groups[:-1]] == ["2023-09.csv"]
    assert groups[-1][1].path == LISTING
    assert [each[1].span.end - start for each in groups if each[1].span] == [3 * DAY, 7 * DAY]
