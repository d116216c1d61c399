"""Bounds, opening hours and days over changes of the clocks, minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput
from gridtide.planning.problem import LONGEST
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.opening_hours import Days, Weekly, next_working_day
from gridtide.slots import to_instant, to_moment
from tests.examples import examples

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NAIVE = datetime(2026, 3, 2)  # noqa: DTZ001  # what is refused
# Days around which the clocks change, and an ordinary one. Lord Howe changes by half an hour.
PLACES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
CHANGES = st.sampled_from(
    [
        datetime(2026, 3, 28, 12, tzinfo=UTC),
        datetime(2026, 10, 24, 12, tzinfo=UTC),
        datetime(2026, 3, 7, 12, tzinfo=UTC),
        datetime(2026, 10, 31, 12, tzinfo=UTC),
        datetime(2026, 4, 4, 12, tzinfo=UTC),
        datetime(2026, 10, 3, 12, tzinfo=UTC),
        datetime(2026, 7, 1, 12, tzinfo=UTC),
    ]
)


@st.composite
def weeklies(draw: st.DrawFn) -> Weekly:
    hours = {}
    for day in range(7):
        pairs = []
        for _ in range(draw(st.integers(0, 2))):
            start = draw(st.integers(0, 1439))
            pairs.append((start, min(2880, start + draw(st.integers(1, 1440)))))
        hours[day] = tuple(pairs)
    hours[0] = (*hours[0], (0, 1))  # never none at all
    return Weekly(draw(PLACES), hours)


def reads_within(weekly: Weekly, instant: datetime) -> bool:
    """The definition: what the wall clock reads, on its day or over midnight from the last."""
    wall = instant.astimezone(ZoneInfo(weekly.zone))
    minute = wall.hour * 60 + wall.minute
    today = any(a <= minute < b for a, b in weekly.hours.get(wall.weekday(), ()))
    before = weekly.hours.get((wall.weekday() - 1) % 7, ())
    return today or any(a <= minute + 1440 < b for a, b in before)


@examples(60)
@given(weeklies(), CHANGES)
def test_hours_hold_whenever_the_wall_clock_reads_within_them(
    weekly: Weekly, start: datetime
) -> None:
    end = start + timedelta(hours=30)
    spans = weekly.spans(to_instant(start), to_instant(end))
    inside = {
        to_moment(minute) for first, last in spans for minute in range(first, last, 60_000_000)
    }
    every = [start + i * MINUTE for i in range(30 * 60)]
    assert inside == {each for each in every if reads_within(weekly, each)}
    assert all(one[1] < other[0] for one, other in pairwise(spans))


def test_hours_are_read_from_text() -> None:
    weekly = Weekly.parse("Europe/Berlin", "Mon-Fri 08:00-12:00,13:00-18:00; Sat 22:00-06:00")
    working = ((480, 720), (780, 1080))
    assert weekly.hours == {**dict.fromkeys(range(5), working), 5: ((1320, 1800),)}
    assert Weekly.parse("UTC", "sat-mon 00:00-24:00").hours.keys() == {5, 6, 0}
    assert Weekly.parse("UTC", "daily 06:00-07:30").hours[6] == ((360, 450),)
    assert Weekly.parse("UTC", "Mon,Wednesday 06:00-07:30").hours.keys() == {0, 2}


@pytest.mark.parametrize(
    ("zone", "text", "message"),
    [
        ("Mars/Olympus", "daily 06:00-07:00", "'Mars/Olympus' is unknown here; give an IANA"),
        ("UTC", "Someday 06:00-07:00", "names no days"),
        ("UTC", "Monkey 06:00-07:00", "names no days"),
        ("UTC", "Mon-Satchel 06:00-07:00", "names no days"),
        ("UTC", "Mon 6-7", "not of the form"),
        ("UTC", "Mon 06:00-25:00", "not within 00:00 to 24:00"),
        ("UTC", "Mon 06:70-07:00", "not within"),
        ("UTC", "", "name no hour"),
    ],
)
def test_hours_that_cannot_be_read_are_refused_with_what_to_write(
    zone: str, text: str, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        Weekly.parse(zone, text)


@pytest.mark.parametrize("hours", [{7: ((0, 60),)}, {0: ((60, 60),)}, {0: ((1500, 1600),)}])
def test_hours_out_of_range_are_refused(hours: Any) -> None:  # noqa: ANN401
    with pytest.raises(BadInput, match="end after they start"):
        Weekly("UTC", hours)


def test_whole_days_are_those_of_their_zone() -> None:
    days = Days("Europe/Berlin", date(2026, 3, 29), date(2026, 3, 29))
    start, end = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    found = days.spans(to_instant(start), to_instant(end))
    # The clocks skip an hour that day: 23 hours from midnight to midnight.
    assert [(to_moment(a), to_moment(b)) for a, b in found] == [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))
    ]
    with pytest.raises(BadInput, match="the last is before the first"):
        Days("UTC", date(2026, 3, 2), date(2026, 3, 1))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-02T12:00+01:00", "2026-03-03T09:00+01:00"),  # Monday to Tuesday
        ("2026-03-06T23:30+01:00", "2026-03-09T09:00+01:00"),  # Friday to Monday
        ("2026-03-07T00:30+01:00", "2026-03-09T09:00+01:00"),  # a Saturday there, Friday UTC
        ("2026-04-02T12:00+02:00", "2026-04-07T09:00+02:00"),  # over Easter
        ("2026-03-27T12:00+01:00", "2026-03-30T09:00+02:00"),  # over the change of the clocks
    ],
)
def test_the_next_working_day_is_one_of_the_zone(now: str, expected: str) -> None:
    easter = frozenset({date(2026, 4, 3), date(2026, 4, 6)})
    instant = to_instant(datetime.fromisoformat(now))
    found = next_working_day("Europe/Berlin", instant, time(9), easter)
    assert to_moment(found) == datetime.fromisoformat(expected)


def test_a_time_that_the_clock_skips_is_when_it_skips() -> None:
    saturday = to_instant(datetime(2026, 3, 27, 12, tzinfo=UTC))
    found = next_working_day("Asia/Beirut", saturday, time(0, 30))
    assert to_moment(found) == datetime(2026, 3, 29, 21, 30, tzinfo=UTC)


def test_of_several_ends_the_first_holds() -> None:
    bounds = Bounds(
        deadline=MONDAY + 40 * HOUR, slack=4 * HOUR, next_working_day=time(9), zone="UTC"
    )
    assert bounds.limits(MONDAY, 2 * HOUR) == (MONDAY, MONDAY + 6 * HOUR)
    assert bounds.limits(MONDAY, 35 * HOUR) == (MONDAY, MONDAY + 33 * HOUR)
    assert Bounds(slack_fraction=0.5).limits(MONDAY, 8 * HOUR) == (MONDAY, MONDAY + 12 * HOUR)
    assert Bounds(slack=0).limits(MONDAY, 8 * HOUR) == (MONDAY, MONDAY + 8 * HOUR)
    assert Bounds().limits(MONDAY, HOUR) == (MONDAY, None)


def test_a_share_of_the_duration_is_rounded_to_the_nearest_microsecond() -> None:
    # 0.29 x 3.6e9 is 1,043,999,999.9999999.
    _, end = Bounds(slack_fraction=0.29).limits(MONDAY, HOUR)
    assert end == MONDAY + HOUR + timedelta(minutes=17, seconds=24)


def test_a_slack_of_just_the_longest_job_is_one() -> None:
    bounds = Bounds(slack=LONGEST)
    assert bounds.slack == LONGEST
    _, end = Bounds(slack_fraction=1.0).limits(MONDAY, LONGEST)
    assert end == MONDAY + 2 * LONGEST
    with pytest.raises(BadInput, match="over a century"):
        Bounds(slack_fraction=1.0 + 1e-9).limits(MONDAY, LONGEST)


def test_the_next_working_day_follows_the_day_of_the_earliest_start() -> None:
    bounds = Bounds(earliest=MONDAY + 48 * HOUR, next_working_day=time(9))
    _, end = bounds.limits(MONDAY, HOUR)
    assert end is not None
    assert end.date() == (MONDAY + 72 * HOUR).date()


def test_an_earliest_that_has_passed_is_now() -> None:
    late = Bounds(earliest=MONDAY - HOUR, slack=HOUR)
    assert late.limits(MONDAY, HOUR) == (MONDAY, MONDAY + 2 * HOUR)
    early = Bounds(earliest=MONDAY + HOUR, slack=HOUR)
    assert early.limits(MONDAY, HOUR) == (MONDAY + HOUR, MONDAY + 3 * HOUR)


def test_allowed_is_open_and_not_blacked_out_before_the_end_or_the_horizon() -> None:
    bounds = Bounds(
        earliest=MONDAY + HOUR,
        deadline=MONDAY + 40 * HOUR,
        opening=Weekly.parse("UTC", "daily 00:00-06:00,08:00-12:00"),
        blackouts=(
            (MONDAY + 3 * HOUR, MONDAY + 4 * HOUR),
            Weekly.parse("UTC", "Mon 11:00-13:00"),
            Days("UTC", date(2026, 3, 3), date(2026, 3, 3)),
        ),
    )
    hours = [(1, 3), (4, 6), (8, 11)]
    assert bounds.allowed(MONDAY, HOUR, MONDAY + 72 * HOUR) == [
        (MONDAY + a * HOUR, MONDAY + b * HOUR) for a, b in hours
    ]
    assert bounds.allowed(MONDAY, HOUR, MONDAY + 5 * HOUR) == [
        (MONDAY + a * HOUR, MONDAY + b * HOUR) for a, b in [(1, 3), (4, 5)]
    ]
    assert bounds.allowed(MONDAY, HOUR, MONDAY) == []


@examples(60)
@given(
    st.lists(st.tuples(st.integers(-5, 60), st.integers(1, 20)), max_size=5),
    st.integers(0, 20),
    st.integers(21, 50),
)
def test_a_minute_is_allowed_when_no_blackout_holds(
    blackouts: list[tuple[int, int]], first: int, last: int
) -> None:
    bounds = Bounds(
        earliest=MONDAY + first * MINUTE,
        deadline=MONDAY + last * MINUTE,
        blackouts=tuple(
            (MONDAY + start * MINUTE, MONDAY + (start + length) * MINUTE)
            for start, length in blackouts
        ),
    )
    shut = {m for start, length in blackouts for m in range(start, start + length)}
    allowed = bounds.allowed(MONDAY, MINUTE, MONDAY + HOUR)
    inside = {
        m for a, b in allowed for m in range((a - MONDAY) // MINUTE, (b - MONDAY) // MINUTE)
    }
    assert inside == set(range(first, last)) - shut


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"slack": -HOUR}, r"slack is -1.0; give 0 or more \(hours\)"),
        ({"slack": -0.5}, "give 0 or more"),
        ({"slack_fraction": -0.5}, "slack_fraction is -0.5; give 0 or more"),
        ({"slack": HOUR, "slack_fraction": 0.5}, "both given; give one"),
        ({"slack": float("nan")}, "slack is nan, which is not finite"),
        ({"earliest": NAIVE}, "earliest .* has no UTC offset"),
        ({"deadline": NAIVE}, "deadline .* has no UTC offset"),
        ({"blackouts": ((NAIVE, MONDAY),)}, "blackouts.* has no UTC offset"),
        ({"blackouts": ((MONDAY, MONDAY),)}, "does not end after it starts"),
        ({"zone": "Nowhere"}, "time zone 'Nowhere' is unknown"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Bounds(**members)


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(earliest=MONDAY + HOUR, deadline=MONDAY + HOUR),
        Bounds(deadline=MONDAY - HOUR),
        Bounds(earliest=MONDAY + 48 * HOUR, deadline=MONDAY + HOUR),
    ],
)
def test_an_end_before_the_start_is_bad_input(bounds: Bounds) -> None:
    with pytest.raises(BadInput, match="deadline before start"):
        bounds.limits(MONDAY, HOUR)
