"""Labels of publishers as UTC instants, over both changes of clocks."""

from __future__ import annotations

import ast
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

import gridtide_pipelines
from gridtide_pipelines.ingest.local_time import (
    end_of_moment,
    latest_instant,
    local_days,
    placed,
    read_at_offset,
    read_clock,
    read_instant,
    read_local,
    read_number,
    refuse_values_without_time,
)
from gridtide_pipelines.ingest.source import Span
from gridtide_store.vocabulary import INSTANT

STAMP = "%Y-%m-%d %H:%M"
QUARTER = timedelta(minutes=15)
# Zone, the UTC instants at which its clocks go forward and back, and how far.
CHANGES = [
    ("America/New_York", "2026-03-08T07:00Z", "2026-11-01T06:00Z", 60),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z", "2026-04-04T15:00Z", 30),
    ("Australia/Sydney", "2026-10-03T16:00Z", "2026-04-04T16:00Z", 60),
    ("Europe/Berlin", "2026-03-29T01:00Z", "2026-10-25T01:00Z", 60),
]
BACK = [(zone, back, minutes) for zone, _, back, minutes in CHANGES]
FORWARD = [(zone, forward, minutes) for zone, forward, _, minutes in CHANGES]


def around(change: str) -> list[datetime]:
    """Quarter hours, UTC, from three hours before a change to three hours after it."""
    return [datetime.fromisoformat(change) + n * QUARTER for n in range(-12, 12)]


def labels(instants: list[datetime], zone: str) -> list[str]:
    """What a clock on the wall shows, by the standard library."""
    return [f"{instant.astimezone(ZoneInfo(zone)):{STAMP}}" for instant in instants]


@pytest.mark.parametrize(("zone", "back", "minutes"), BACK)
def test_where_clocks_go_back_the_second_of_two_labels_is_the_later(
    zone: str, back: str, minutes: int
) -> None:
    instants = around(back)
    shown = labels(instants, zone)
    assert len(shown) - len(set(shown)) == minutes // 15
    assert read_local(shown, zone, STAMP).to_list() == instants


@pytest.mark.parametrize(("zone", "forward", "minutes"), FORWARD)
def test_where_clocks_go_forward_labels_follow_and_those_in_the_gap_name_nothing(
    zone: str, forward: str, minutes: int
) -> None:
    instants = around(forward)
    assert read_local(labels(instants, zone), zone, STAMP).to_list() == instants
    # The wall clock as it would have been: a publisher prints these rows without values.
    before = datetime.fromisoformat(labels(instants, zone)[11])
    skipped = [f"{before + n * QUARTER:{STAMP}}" for n in range(1, minutes // 15 + 2)]
    found = read_local(skipped, zone, STAMP).to_list()
    assert found == [None] * (minutes // 15) + [instants[12]]


@pytest.mark.parametrize(("zone", "back", "minutes"), BACK)
def test_a_mark_of_the_publisher_decides_where_there_is_one(
    zone: str, back: str, minutes: int
) -> None:
    instants = around(back)[::-1]  # newest first, so the order would mislead
    later = pl.Series([instant >= datetime.fromisoformat(back) for instant in instants])
    assert read_local(labels(instants, zone), zone, STAMP, later=later).to_list() == instants
    assert len(instants) > minutes // 15


def test_a_label_in_the_fold_that_is_there_once_or_three_times_is_not_guessed() -> None:
    once = ["2026-10-25 01:45", "2026-10-25 02:00", "2026-10-25 03:00"]
    found = read_local(once, "Europe/Berlin", STAMP)
    assert found.is_null().to_list() == [False, True, False]
    assert read_local(["2026-10-25 02:00"] * 3, "Europe/Berlin", STAMP).null_count() == 3


def test_each_series_has_its_own_order() -> None:
    fuels = ["wind", "gas", "wind", "gas"]
    found = read_local(
        ["2026-10-25 02:00"] * 4, "Europe/Berlin", STAMP, series=pl.Series(fuels)
    )
    assert [instant.hour for instant in found] == [0, 0, 1, 1]


def test_a_value_whose_label_names_nothing_is_not_dropped_in_silence() -> None:
    instants = read_local(["2026-03-29 02:00", "2026-03-29 03:00"], "Europe/Berlin", STAMP)
    refuse_values_without_time(instants, pl.Series([None, 1.0]))
    with pytest.raises(ValueError, match="1 values at a local time"):
        refuse_values_without_time(instants, pl.Series([1.0, 1.0]))


def test_a_row_in_the_fold_that_is_there_once_is_unknown_at_both_its_instants() -> None:
    labels = ["2026-10-25 01:00", "2026-10-25 02:00", "2026-10-25 02:00", "2026-10-25 02:00"]
    rows = pl.DataFrame({"label": labels, "value": [1.0, 2.0, 3.0, 4.0], "fuel": [*"aabb"]})
    found = placed(rows, "Europe/Berlin", STAMP, series="fuel").sort("fuel", "start")
    assert found.select("fuel", pl.col("start").dt.hour(), "value", "flag").rows() == [
        ("a", 23, 1.0, None),
        ("a", 0, None, "ambiguous_time"),
        ("a", 1, None, "ambiguous_time"),
        ("b", 0, 3.0, None),
        ("b", 1, 4.0, None),
    ]
    empty = pl.DataFrame({"label": ["2026-03-29 02:00"], "value": [None]})
    assert placed(empty, "Europe/Berlin", STAMP).is_empty()


def test_an_offset_holds_all_year() -> None:
    shown = ["2026-01-01 00:00", "2026-07-01 00:00"]
    est = read_at_offset(shown, timedelta(hours=-5), STAMP)
    assert est.to_list() == [
        datetime(2026, 1, 1, 5, tzinfo=UTC),
        datetime(2026, 7, 1, 5, tzinfo=UTC),
    ]
    assert read_at_offset(shown, timedelta(hours=10), STAMP)[0] == datetime(
        2025, 12, 31, 14, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("zone", "day", "most"),
    [
        ("Europe/London", date(2026, 3, 29), 46),
        ("Europe/London", date(2026, 10, 25), 50),
        ("Europe/London", date(2026, 6, 1), 48),
        ("Australia/Lord_Howe", date(2026, 10, 4), 47),
        ("Australia/Lord_Howe", date(2026, 4, 5), 49),
        (timedelta(hours=-5), date(2026, 3, 8), 48),
    ],
)
def test_intervals_of_a_day_are_numbered_without_regard_to_the_clock(
    zone: str | timedelta, day: date, most: int
) -> None:
    half = timedelta(minutes=30)
    starts = [read_number(day, number, half, zone) for number in range(1, most + 1)]
    assert starts == [starts[0] + n * half for n in range(most)]
    assert read_number(day + timedelta(days=1), 1, half, zone) == starts[-1] + half
    for number in (0, most + 1):
        with pytest.raises(ValueError, match=f"which has {most} of"):
            read_number(day, number, half, zone)


def test_an_hour_ending_label_is_the_hour_before_it() -> None:
    # Hour 1 of Ontario's day, in EST all year, is the hour that ends at 01:00.
    start = read_number(date(2026, 7, 1), 1, timedelta(hours=1), timedelta(hours=-5))
    assert start == datetime(2026, 7, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("zone", [*(zone for zone, *_ in CHANGES), timedelta(hours=-5)])
def test_local_days_divide_a_span_without_a_hole(zone: str | timedelta) -> None:
    span = Span(datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2027, 1, 1, 12, tzinfo=UTC))
    days = local_days(span, zone)
    assert [after.start for _, after in days[1:]] == [part.end for _, part in days[:-1]]
    assert (days[0][1].start, days[-1][1].end) == (span.start, span.end)
    assert len({day for day, _ in days}) == len(days)
    for day, part in days:
        last = part.end - timedelta(seconds=1)
        offset = zone if isinstance(zone, timedelta) else None
        local = (
            [moment + offset for moment in (part.start, last)]
            if offset is not None
            else [moment.astimezone(ZoneInfo(str(zone))) for moment in (part.start, last)]
        )
        assert [moment.date() for moment in local] == [day, day]


def test_no_labels_are_no_instants() -> None:
    found = read_local([], "Europe/Berlin", STAMP)
    assert found.dtype == INSTANT
    assert found.is_empty()


def test_a_report_of_the_moment_ends_when_it_was_received() -> None:
    at = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)
    seconds = timedelta(seconds=41)
    assert end_of_moment(at, QUARTER, at + seconds + timedelta(microseconds=5)) == at + seconds
    assert end_of_moment(at, QUARTER, at + timedelta(hours=1)) == at + QUARTER
    assert end_of_moment(at, QUARTER, at - seconds) == at + QUARTER  # a clock is wrong


def test_a_clock_just_read_is_the_later_of_two_instants_unless_that_is_ahead() -> None:
    local = datetime(2026, 11, 1, 1, 30)  # noqa: DTZ001  # local
    for hour in (5, 6):
        instant = datetime(2026, 11, 1, hour, 30, tzinfo=UTC)
        found = latest_instant(local, "America/New_York", instant + timedelta(minutes=1))
        assert found == instant


@pytest.mark.parametrize(
    ("label", "stamp", "time"),
    [
        ("5-May-2026", "%d-%b-%Y", datetime(2026, 5, 5)),  # noqa: DTZ001  # without a zone
        ("02_October_2026", "%d_%B_%Y", datetime(2026, 10, 2)),  # noqa: DTZ001
        ("12/1/2026 12:05 AM", "%m/%d/%Y %I:%M %p", datetime(2026, 12, 1, 0, 5)),  # noqa: DTZ001
    ],
)
def test_a_month_is_read_in_english(label: str, stamp: str, time: datetime) -> None:
    assert read_clock(label, stamp) == time


NAMES = "%[aAbBhpcxXr]"


def names_of_the_locale(module: Path) -> list[str]:
    """Formats of a module by which Python would read or write names as the locale has them."""
    text = module.read_text(encoding="utf-8")
    if not re.search(NAMES, text):
        return []
    tree = ast.parse(text)
    constants = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    formats: list[ast.AST] = [
        node.format_spec
        for node in ast.walk(tree)
        if isinstance(node, ast.FormattedValue) and node.format_spec
    ]
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in ("strptime", "strftime"):
            given = node.args[-1]  # type: ignore[attr-defined]  # a call
            formats.append(constants.get(given.id, given) if hasattr(given, "id") else given)
    texts = [
        part.value
        for each in formats
        for part in ast.walk(each)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    return [each for each in texts if re.search(NAMES, each)]


def test_no_module_reads_or_writes_a_name_of_the_locale() -> None:
    root = Path(gridtide_pipelines.__file__).parents[2]
    modules = [
        *sorted((root / "pipelines").rglob("*.py")),
        *sorted((root / "sdk").rglob("*.py")),
        *sorted((root / "server").rglob("*.py")),
    ]
    found = {path.name: names for path in modules if (names := names_of_the_locale(path))}
    assert len(modules) > 100
    assert found == {}


def test_an_iso_label_needs_its_offset() -> None:
    assert read_instant("2026-03-01 01:30:00+0130") == datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="without an offset: '2026-03-01T01:30'"):
        read_instant("2026-03-01T01:30")
