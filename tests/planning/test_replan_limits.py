"""What a started job and rates below 0 do not change, by hand."""

from __future__ import annotations

from datetime import timedelta

from gridtide.model import Series
from gridtide.planning.decide.response import Code
from gridtide.planning.planner import plan
from gridtide.planning.problem.job import Cost, Job, Kind
from gridtide.planning.problem.objective import Goal
from gridtide.planning.replanner import Progress, replan
from gridtide.planning.solvers.solution import overhead_costs
from tests.planning.settings import CI, HOUR, T0


def hourly(*values: float) -> Series:
    return Series.regular("DE", CI, T0, HOUR, values)


def test_a_smallest_saving_holds_only_before_a_job_has_started() -> None:
    # Waiting for hour 2 saves 5 %, less than the 50 % requested: it starts at once. Half done,
    # the rest goes where it counts least, however little that saves.
    goal = Goal(min_saving=0.5)
    job = Job(2 * HOUR, Kind.INTERRUPTIBLE)
    first = plan(job, hourly(100, 100, 95, 95), goal=goal, now=T0)
    assert first.reason.code is Code.SAVING_TOO_SMALL
    news = hourly(100, 100, 95, 95)
    rest = replan(first, Progress(T0 + HOUR, done=HOUR), news)
    assert rest.start == T0 + 2 * HOUR
    assert rest.reason.code is Code.BEST
    runs = replan(first, Progress(T0 + HOUR, done=HOUR, running=True), news)
    assert (runs.start, runs.reason.code) == (T0 + 2 * HOUR, Code.BEST)
    # Not started, it still is.
    waits = replan(first, Progress(T0), news)
    assert (waits.start, waits.reason.code) == (T0, Code.SAVING_TOO_SMALL)


def test_what_a_pause_counts_is_0_where_the_rate_is_below_it() -> None:
    job = Job(timedelta(hours=2), Kind.SEGMENTS, power=2.0, pause_cost=Cost(1.0))
    assert overhead_costs([-5, 0, 4], job.pause_cost, job) == [0, 0, 4 * 3_600_000_000 // 2]


def test_a_running_job_that_stops_has_used_up_a_segment() -> None:
    # Two segments in all. It runs in hour 0; hours 1 and 2 are dear, 3 and 5 are cheap. If it
    # stops, one further segment is left, and 3 with 5 would take two.
    job = Job(3 * HOUR, Kind.SEGMENTS, max_segments=2)
    news = hourly(1, 90, 90, 10, 80, 11, 95)
    first = plan(job, hourly(1, 1, 1, 90, 90, 90, 90), now=T0)
    assert (first.start, first.end) == (T0, T0 + 3 * HOUR)
    rest = replan(first, Progress(T0 + HOUR, done=HOUR, running=True, segments=1), news)
    assert (rest.start, rest.end, rest.grams) == (T0 + 3 * HOUR, T0 + 5 * HOUR, 10 + 80)
    # With three in all it takes both cheap hours.
    three = plan(Job(3 * HOUR, Kind.SEGMENTS, max_segments=3), hourly(1, 1, 1, 90, 90), now=T0)
    free = replan(three, Progress(T0 + HOUR, done=HOUR, running=True, segments=1), news)
    assert [slot.start for slot in free.slots] == [T0 + 3 * HOUR, T0 + 5 * HOUR]
