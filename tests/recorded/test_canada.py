"""Recorded bodies of Canada without an expected file: rows worked out by hand from the body."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.source import Body, Request
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.table import table

pytestmark = pytest.mark.recorded

KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POWER = 0.5  # MW


def read(recorded: Path, source: str, *names: str) -> list[tuple[str, str, str, float]]:
    folder = recorded / "fixtures" / source
    bodies = [
        Body(Request("GET", "/"), (folder / name).read_bytes(), KNOWN_AT, n)
        for n, name in enumerate(names)
    ]
    publisher = sources()[source]
    return table(publisher.parse(bodies), publisher, "*", None).rows()


def assert_rows(
    found: list[tuple[str, str, str, float]], wanted: list[tuple[str, str, str, float]]
) -> None:
    assert [row[:3] for row in found] == [row[:3] for row in wanted]
    assert [row[3] for row in found] == pytest.approx([row[3] for row in wanted], abs=POWER)


def test_nova_scotia_is_a_mix_in_percent_of_the_load(recorded: Path) -> None:
    rows = read(recorded, "nspower", "currentmix.json", "currentload.json")
    # The load of the first hour is 0, so nothing is known of it. Of 986.93 MW then 42.81 % are
    # solid fuel, 14.69 + 8.69 % burn gas, 0.05 % oil.
    at = "2017-10-04T12:00:00Z"
    assert_rows(
        rows[:8],
        [
            ("CA-NS", at, "biomass", 14.2),
            ("CA-NS", at, "coal", 422.5),
            ("CA-NS", at, "gas", 230.7),
            ("CA-NS", at, "hydro", 31.3),
            ("CA-NS", at, "imports", 22.0),
            ("CA-NS", at, "load", 986.93),
            ("CA-NS", at, "oil", 0.5),
            ("CA-NS", at, "wind", 265.6),
        ],
    )
    assert len(rows) == 24 * 8
    # The last hour: 892.64 MW, 44.91 % solid fuel, 35.52 % wind.
    last = {fuel: value for _, time, fuel, value in rows if time == "2017-10-05T11:00:00Z"}
    assert last["coal"] == pytest.approx(400.9, abs=POWER)
    assert last["wind"] == pytest.approx(317.1, abs=POWER)


def test_new_brunswick_is_load_and_schedules_that_leave_it_when_positive(
    recorded: Path,
) -> None:
    # "Jul 16, 2017 22:57:29 Atlantic Time", in daylight time. 729 + 11 - 9 go to New England.
    at = "2017-07-17T01:57:29Z"
    assert_rows(
        read(recorded, "nbpower", "SystemInformation_realtime.html"),
        [
            ("CA-NB", at, "load", 1150),
            ("CA-NB->CA-NS", at, "net_flow", 45),
            ("CA-NB->CA-PE", at, "net_flow", 148),
            ("CA-NB->CA-QC", at, "net_flow", -741),
            ("CA-NB->US-NE-ISNE", at, "net_flow", 731),
        ],
    )


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        (
            "2017-07-16_22.csv",
            [
                ("2017-07-17T01:00:00Z", 1263),
                ("2017-07-17T02:00:00Z", 1160),
                ("2017-07-17T03:00:00Z", 1129),
                ("2017-07-17T04:00:00Z", 1089),
            ],
        ),
        (
            "2017-11-06_00.csv",
            [
                ("2017-11-06T04:00:00Z", 1196),
                ("2017-11-06T05:00:00Z", 1183),
                ("2017-11-06T06:00:00Z", 1182),
                ("2017-11-06T07:00:00Z", 1064),
            ],
        ),
        # The night on which clocks go forward: 01:00 AS is followed by 03:00 AD, which this
        # body has twice with two values: which of them holds is not known.
        (
            "2017-03-12_00.csv",
            [
                ("2017-03-12T04:00:00Z", 2020),
                ("2017-03-12T05:00:00Z", 1982),
            ],
        ),
    ],
)
def test_new_brunswick_s_forecast_says_which_time_it_keeps(
    recorded: Path, name: str, hours: list[tuple[str, float]]
) -> None:
    wanted = [("CA-NB", time, "forecast_load", value) for time, value in hours]
    assert sorted(read(recorded, "nbpower", name)) == sorted(wanted)


def test_prince_edward_island_imports_what_it_does_not_generate(recorded: Path) -> None:
    # 1506333661 s since 1970; 150.56 MW of load, 4.55 of wind, none of fossil fuel.
    at = "2017-09-25T10:01:01Z"
    assert_rows(
        read(recorded, "other_canada", "chart-values.json"),
        [
            ("CA-NB->CA-PE", at, "net_flow", 146.01),
            ("CA-PE", at, "load", 150.56),
            ("CA-PE", at, "oil", 0.0),
            ("CA-PE", at, "wind", 4.55),
        ],
    )


def test_saskatchewan_and_newfoundland_are_loads(recorded: Path) -> None:
    # 8:01 pm in Regina, which keeps UTC-6 all year.
    assert_rows(
        read(recorded, "other_canada", "sysloadJSON.json"),
        [("CA-SK", "2017-07-23T02:01:00Z", "load", 2712)],
    )
    # "10/19/2017 11:15 PM" in St. John's, two hours and a half behind UTC in summer.
    assert_rows(
        read(recorded, "other_canada", "system-information-center.html"),
        [("CA-NL", "2017-10-20T01:45:00Z", "load", 773)],
    )
