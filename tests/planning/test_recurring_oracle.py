"""Recurring starts against cronsim, which follows Debian's cron, where both read the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.planning.problem.recurrence import Recurring
from tests.examples import examples

cronsim = pytest.importorskip("cronsim", reason="comes with the extra dev")
DAY = timedelta(days=1)
# The day before the clock changes.
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 28, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 10, 31, tzinfo=UTC)),
    ("UTC", datetime(2026, 3, 28, tzinfo=UTC)),
]


def field(low: int, high: int, *, step: bool = True) -> st.SearchStrategy[str]:
    """A wildcard, with a step, or a list of numbers."""
    numbers = st.lists(st.integers(low, high), min_size=1, max_size=3)
    stepped = st.sampled_from([2, 3, 5, 10, 15]).map(lambda each: f"*/{each}")
    return st.one_of(
        st.just("*"),
        *([stepped] if step else []),
        numbers.map(lambda each: ",".join(map(str, each))),
    )


@examples(40)
@given(
    st.tuples(
        field(0, 59),
        field(0, 23),
        field(1, 31, step=False),
        st.just("*"),
        field(0, 6, step=False),
    ),
    st.sampled_from(CHANGES),
)
def test_starts_around_a_clock_change_are_those_of_cronsim(
    fields: tuple[str, ...], change: tuple[str, datetime]
) -> None:
    zone, start = change
    text, end = " ".join(fields), start + 3 * DAY
    theirs = set()
    for each in cronsim.CronSim(text, (start - 2 * DAY).astimezone(ZoneInfo(zone))):
        if each.astimezone(UTC) >= end + DAY:
            break
        theirs.add(each.astimezone(UTC))
    ours = Recurring(text, slack=1, zone=zone).occurrences(start, end)
    assert ours == sorted(each for each in theirs if start <= each < end)


def test_where_the_clock_changes_by_half_an_hour_no_start_is_lost() -> None:
    # Lord Howe goes back from UTC+11 to UTC+10:30 on 5 April 2026. Midnight of 6 April is at
    # 13:30 UTC; cronsim 2.8 leaves out the first half hour.
    recurring = Recurring("*/10 0 * * *", slack=1, zone="Australia/Lord_Howe")
    start = datetime(2026, 4, 5, 13, tzinfo=UTC)
    found = recurring.occurrences(start, start + timedelta(hours=2))
    first = datetime(2026, 4, 5, 13, 30, tzinfo=UTC)
    assert found == [first + timedelta(minutes=10 * i) for i in range(6)]


def test_where_the_clock_skips_midnight_no_other_hour_stands_for_it() -> None:
    # Havana goes from UTC-5 to UTC-4 at midnight of 8 March 2026, so that the clock never reads
    # an hour of 0; cronsim 2.8 starts every minute from 05:00 UTC, when it reads 01:00.
    recurring = Recurring("* */2 8 3 *", slack=1, zone="America/Havana")
    start = datetime(2026, 3, 8, 4, tzinfo=UTC)
    found = recurring.occurrences(start, start + timedelta(hours=4))
    first = datetime(2026, 3, 8, 6, tzinfo=UTC)
    assert found == [first + timedelta(minutes=i) for i in range(60)]
