"""Cron expressions, by hand and against the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput
from gridtide.planning.problem.recurrence import Recurring
from tests.examples import examples

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday


def starts(cron: str, days: int, zone: str = "UTC", start: datetime = START) -> list[str]:
    found = Recurring(cron, HOUR, zone).occurrences(start, start + timedelta(days=days))
    return [f"{each:%d %H:%M}" for each in found]


@pytest.mark.parametrize(
    ("cron", "days", "expected"),
    [
        ("30 2 * * *", 2, ["02 02:30", "03 02:30"]),
        ("@daily", 2, ["02 00:00", "03 00:00"]),
        (
            "0 */6 * * mon",
            8,
            [f"{d} {h}:00" for d in ("02", "09") for h in ("00", "06", "12", "18")],
        ),
        ("0 9 * * mon-fri", 7, [f"{d:02} 09:00" for d in range(2, 7)]),
        ("0 9 * mar tues,Thursday", 7, ["03 09:00", "05 09:00"]),
        ("0 9 * * fri-sun", 7, ["06 09:00", "07 09:00", "08 09:00"]),
        ("0 9 * * 0,6", 7, ["07 09:00", "08 09:00"]),
        ("0 9 * * 7", 7, ["08 09:00"]),
        ("0 0 5 * *", 7, ["05 00:00"]),
        ("0 0 5 * sat", 7, ["05 00:00", "07 00:00"]),  # either day field, as in cron
        ("0 0 5 * 0-6", 7, ["05 00:00"]),  # every weekday restricts nothing
        ("0 0 5 * 1-7", 7, ["05 00:00"]),
        ("0 0 5 * mon-sun", 7, ["05 00:00"]),
        ("0 9 * * sun-sun", 7, ["08 09:00"]),
        ("0 9 * * 0-0", 7, ["08 09:00"]),
        ("0 0 */2 * sat", 7, ["03 00:00", "05 00:00", "07 00:00"]),
        ("0 0 1 apr *", 7, []),
        ("15,45 8-9 3 mar *", 7, ["03 08:15", "03 08:45", "03 09:15", "03 09:45"]),
        ("50/5 0 2 * *", 1, ["02 00:50", "02 00:55"]),
    ],
)
def test_an_expression_names_its_starts(cron: str, days: int, expected: list[str]) -> None:
    assert starts(cron, days) == expected


def test_a_skipped_time_comes_when_it_skips_and_a_repeated_one_once() -> None:
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert starts("30 2 * * *", 1, "Europe/Berlin", spring) == ["29 01:00"]
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert starts("30 2 * * *", 1, "Europe/Berlin", autumn) == ["25 00:30"]


@examples(40)
@given(
    st.integers(0, 59),
    st.integers(0, 23),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    st.integers(0, 360),
)
def test_the_wall_clock_reads_the_time_unless_it_skips_it(
    minute: int, hour: int, zone: str, day: int
) -> None:
    start = START + timedelta(days=day)
    found = Recurring(f"{minute} {hour} * * *", 0.5, zone).occurrences(start, start + 24 * HOUR)
    every = [start + i * timedelta(minutes=1) for i in range(24 * 60)]
    read = [each.astimezone(ZoneInfo(zone)) for each in every]
    named = [each for each in read if (each.hour, each.minute) == (hour, minute)]
    assert found == named[:1] or (not named and len(found) <= 1)


def test_each_run_has_its_own_bounds() -> None:
    bounds = Recurring("0 9 * * *", 2 * HOUR).bounds(START + 9 * HOUR)
    assert bounds.limits(START, HOUR) == (START + 9 * HOUR, START + 12 * HOUR)


@pytest.mark.parametrize(
    ("cron", "message"),
    [
        ("0 9 * *", "has 4 fields; give five"),
        ("60 9 * * *", "'60' is not a valid minute; give 0 to 59"),
        ("0 9 * * someday", "'someday' is not a valid day of the week"),
        ("0 9 * * monkey", "'monkey' is not a valid day of the week"),
        ("0 9 * marbles *", "'marbles' is not a valid month"),
        ("0 9-7 * * *", "'9-7' is not a valid hour"),
        ("*/0 9 * * *", "is not a valid minute"),
        ("0 9 0 * *", "'0' is not a valid day of the month"),
    ],
)
def test_what_is_no_cron_expression_is_refused(cron: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Recurring(cron, HOUR)


def test_a_negative_slack_and_an_unknown_zone_are_refused() -> None:
    with pytest.raises(BadInput, match="slack"):
        Recurring("@daily", -HOUR)
    with pytest.raises(BadInput, match="time zone"):
        Recurring("@daily", HOUR, "Nowhere")
