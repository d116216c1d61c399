"""A request costs the planner the same at whichever second it is made."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gridtide.model import Series
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Cost, Job, Kind
from gridtide.planning.solvers.cancellation import cancellable
from tests.planning.settings import CI, HOUR, MINUTE, T0

SECOND = timedelta(seconds=1)
SERIES = Series.regular("DE", CI, T0, HOUR, [100.0 + k * 7919 % 97 for k in range(40)])
JOBS = {
    "pauses that cost": Job(5 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=0.2)),
    "few pieces": Job(5 * HOUR, Kind.SEGMENTS, max_segments=2),
    "long pieces": Job(5 * HOUR, Kind.SEGMENTS, min_segment=HOUR),
    "interruptible": Job(5 * HOUR, Kind.INTERRUPTIBLE),
    "unbroken": Job(5 * HOUR),
}


def steps(job: Job, bounds: Bounds, offset: timedelta) -> int:
    """How often the planner looks at the time: once a step."""
    count = 0

    def check() -> None:
        nonlocal count
        count += 1

    with cancellable(check):
        made = plan(job, SERIES, bounds, now=T0 + offset)
    assert made.start >= T0 + offset
    return count


@pytest.mark.parametrize("name", JOBS)
def test_every_second_of_a_minute_costs_the_same(name: str) -> None:
    requested = [7 * MINUTE + k * SECOND for k in range(60)]  # none is a full hour
    counts = [steps(JOBS[name], Bounds(slack=10 * HOUR), each) for each in requested]
    assert max(counts) <= 1.25 * min(counts), counts


@pytest.mark.parametrize("name", JOBS)
def test_a_minute_costs_no_more_than_a_full_five(name: str) -> None:
    on = steps(JOBS[name], Bounds(slack=10 * HOUR), 5 * MINUTE)
    for minute in (6, 8, 13, 31, 59):
        assert steps(JOBS[name], Bounds(slack=10 * HOUR), minute * MINUTE) <= 2 * on, minute
    odd = Bounds(deadline=T0 + 15 * HOUR + 7 * MINUTE + 13 * SECOND)
    assert steps(JOBS[name], odd, 5 * MINUTE) <= 2 * on
    odd = Bounds(earliest=T0 + 11 * MINUTE + 7 * SECOND, slack=10 * HOUR)
    assert steps(JOBS[name], odd, 5 * MINUTE) <= 2 * on


def test_the_last_minutes_are_used_where_only_they_make_room() -> None:
    # An hour and its pause fit only into all minutes between now and the end.
    series = Series.regular("DE", CI, T0, HOUR, [1.0, 2.0, 3.0])
    closed = (T0 + 30 * MINUTE, T0 + 60 * MINUTE)
    bounds = Bounds(blackouts=(closed,), deadline=T0 + 93 * MINUTE)
    made = plan(Job(63 * MINUTE, Kind.SEGMENTS, max_segments=2), series, bounds, now=T0)
    assert (made.start, made.end) == (T0, T0 + 93 * MINUTE)


def test_a_plan_still_knows_the_requested_end() -> None:
    end = T0 + 25 * HOUR + 3 * MINUTE
    made = plan(JOBS["few pieces"], SERIES, Bounds(deadline=end), now=T0 + MINUTE)
    assert made.problem is not None
    assert made.problem.bounds.deadline == end
