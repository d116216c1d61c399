"""Segments where bounds lie inside slots: valid, near the best, not falsely exact."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.batch.schedule import Request, plan_batch
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.opening_hours import merged
from gridtide.planning.problem.state import NOT_STARTED, Progress
from gridtide.planning.replanner import replan
from gridtide.planning.solvers import exact_segments, segments, unbroken
from gridtide.planning.solvers.cancellation import cancellable
from gridtide.planning.solvers.costs import Curve, curve
from gridtide.planning.solvers.shifts import Segments
from gridtide.planning.solvers.solution import Solution
from gridtide.slots import to_instant, to_microseconds
from tests.examples import examples
from tests.planning.settings import CI, HOUR, MINUTE, T0

SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
# Prime steps, so that no two hours are alike.
SERIES = Series.regular("DE", CI, T0, HOUR, [100.0 + k * 7919 % 97 for k in range(100)])
COSTS = {"pause_cost": Cost(0.1), "restart_cost": Cost(0.1)}
JOBS = {
    "pauses that cost": Job(8 * HOUR, Kind.SEGMENTS, **COSTS),
    "few": Job(8 * HOUR, Kind.SEGMENTS, max_segments=2, **COSTS),
    "long": Job(8 * HOUR, Kind.SEGMENTS, min_segment=2 * HOUR, **COSTS),
    "long and few": Job(8 * HOUR, Kind.SEGMENTS, min_segment=HOUR, max_segments=3, **COSTS),
    "marks": Job(8 * HOUR, Kind.SEGMENTS, checkpoints=(2 * HOUR, 4 * HOUR), **COSTS),
    "time": Job(8 * HOUR, Kind.SEGMENTS, restart_cost=Cost(0.1, time=HOUR / 4)),
    "profile": Job(
        8 * HOUR, Kind.INTERRUPTIBLE, power=PowerProfile(((2 * HOUR, 3), (6 * HOUR, 1)))
    ),
}


def free(start: timedelta, end: timedelta) -> Curve:
    span = to_instant(T0 + start), to_instant(T0 + end)
    return curve(Outlook(SERIES), Goal(), [span])


def check(solution: Solution, job: Job, start: timedelta, end: timedelta) -> None:
    """The draft keeps to its bounds and limits, and does all of the work."""
    assert to_instant(T0 + start) <= solution.start < solution.end <= to_instant(T0 + end)
    work = sum(part.end - part.start for part in solution.parts)
    lost = (solution.segments - 1) * to_microseconds(
        job.pause_cost.time + job.restart_cost.time
    )
    assert work == job.work + lost
    assert solution.segments <= (job.max_segments or solution.segments)
    spans = merged((part.start, part.end) for part in solution.parts)
    assert all(later[0] > earlier[1] for earlier, later in pairwise(spans))
    if job.min_segment:
        assert min(last - first for first, last in spans) >= to_microseconds(job.min_segment)
    done = 0
    for first, last in spans[:-1]:
        done += last - first
        marks = [to_microseconds(mark) for mark in job.checkpoints]
        assert not marks or done in marks


@examples(60)
@given(
    st.sampled_from(list(JOBS)),
    st.integers(0, 7200 * 10**6),
    st.sampled_from([0, 1, 5, 13, 40]),
    st.integers(0, 3600 * 10**6),
)
def test_an_odd_start_is_no_dearer_than_the_slots_inside_it_or_a_run_through(
    name: str, late: int, slack: int, more: int
) -> None:
    job, start = JOBS[name], late * MICROSECOND
    end = start + job.duration + slack * HOUR + more * MICROSECOND
    there = free(start, end)
    solution = segments.cheapest(there, job)
    check(solution, job, start, end)
    assert solution.bound is None or solution.bound <= solution.cost
    others = [unbroken.cheapest(there, job).cost]
    inside = free(-(-start // HOUR) * HOUR, end // HOUR * HOUR)
    try:
        others.append(exact_segments.cheapest(inside, job).cost)
    except NoFeasibleWindow:
        assert solution.cost <= others[0] * (1 + 1e-9)
    assert solution.cost <= min(others) * (1 + 1e-9)


@examples(40)
@given(
    st.sampled_from(list(JOBS)),
    st.integers(0, 11),
    st.sampled_from([1, 4, 9]),
    st.integers(0, 11),
)
def test_its_bound_holds_and_it_is_near_the_best_on_a_fine_grid(
    name: str, late: int, slack: int, more: int
) -> None:
    job, start = JOBS[name], late * 5 * MINUTE
    end = start + job.duration + slack * HOUR + more * 5 * MINUTE
    best = exact_segments.cheapest(free(start, end), job).cost
    solution = segments.cheapest(free(start, end), job)
    check(solution, job, start, end)
    assert (solution.cost if solution.bound is None else solution.bound) <= best * (1 + 1e-9)
    assert solution.cost <= best * 1.05


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("late", [0, 20, 30])
def test_segments_count_what_the_programmes_count(name: str, late: int) -> None:
    job = JOBS[name]
    there = free(late * MINUTE, 30 * HOUR)
    found = exact_segments.cheapest(there, job)
    spans = exact_segments.cheapest_spans(there, job)
    again = Segments(there.intervals, job, NOT_STARTED).solution(spans)
    assert again.cost == pytest.approx(found.cost, rel=1e-12)
    assert (again.parts, again.extra) == (found.parts, found.extra)


@pytest.mark.parametrize("name", JOBS)
def test_no_second_takes_many_more_states_than_the_full_hour(name: str) -> None:
    job = JOBS[name]
    full = segments.taken(free(timedelta(0), 72 * HOUR), job)
    for late in (HOUR / 2, HOUR / 4, MINUTE, 7 * MINUTE, 433 * SECOND, HOUR - MICROSECOND):
        odd = segments.taken(free(late, 72 * HOUR + late), job)
        assert odd <= 3 * max(full, segments.FEW_STATES), late


def test_opening_hours_inside_slots_take_no_more_states() -> None:
    spans = [
        (
            to_instant(T0 + k * 24 * HOUR + 487 * MINUTE),
            to_instant(T0 + k * 24 * HOUR + 1072 * MINUTE),
        )
        for k in range(4)
    ]
    job = JOBS["long"]
    there = curve(Outlook(SERIES), Goal(), spans)
    assert segments.taken(there, job) <= 3 * segments.taken(free(timedelta(0), 60 * HOUR), job)
    solution = segments.cheapest(there, job)
    check(solution, job, timedelta(0), 96 * HOUR)
    for first, last in merged((part.start, part.end) for part in solution.parts):
        assert any(start <= first and last <= end for start, end in spans)


@pytest.mark.parametrize("late", [0, 1, 433, 433.5, 3599])
def test_a_job_that_runs_may_run_on_from_any_second_without_a_restart(late: float) -> None:
    # Every hour counts more than the one before: nothing is better than to run on.
    series = Series.regular("DE", CI, T0, HOUR, [100.0 + k for k in range(60)])
    job = Job(8 * HOUR, Kind.SEGMENTS, min_segment=HOUR, **COSTS)
    first = plan(job, series, now=T0)
    ran = HOUR + late * SECOND
    rest = replan(first, Progress(T0 + ran, done=ran, running=True, running_for=ran), series)
    assert (rest.start, rest.end) == (T0 + ran, T0 + 8 * HOUR)


@pytest.mark.parametrize("kind", [Kind.UNBROKEN, Kind.INTERRUPTIBLE, Kind.SEGMENTS])
def test_a_batch_at_an_odd_second_is_proven_as_far_as_at_a_full_hour(kind: Kind) -> None:
    pytest.importorskip("scipy")
    costs = COSTS if kind is Kind.SEGMENTS else {}
    requests = [Request(Job(2 * HOUR, kind, **costs), SERIES, Bounds(slack=10 * HOUR))] * 3
    caps = {"DE": Cap(jobs=1)}
    full = plan_batch(requests, caps, now=T0)
    odd = plan_batch(requests, caps, now=T0 + 433 * SECOND + MICROSECOND)
    assert odd.least <= odd.total
    if kind is not Kind.SEGMENTS:
        assert full.exact
        assert odd.total - odd.least <= 0.005 * odd.total
    wide = [replace_end(each) for each in requests]
    more = plan_batch(wide, caps, now=T0)
    # All that the odd second allows is allowed here too, so its least bounds no less.
    assert more.least <= odd.total * (1 + 1e-9)


def replace_end(request: Request) -> Request:
    end = T0 + 12 * HOUR + 433 * SECOND + MICROSECOND
    return Request(request.job, request.where, Bounds(deadline=end))


def test_segments_off_the_slots_are_called_exact_only_where_that_is_proven() -> None:
    # The run through from the odd second on counts least; what is proven is no more than that.
    job = Job(2 * HOUR, Kind.SEGMENTS, min_segment=HOUR, restart_cost=Cost(0.5))
    for late in (1, 433, 1999, 3599):
        now = T0 + late * SECOND
        made = plan_batch([Request(job, SERIES, Bounds(slack=12 * HOUR))], {}, now=now)
        fine = exact_segments.cheapest(
            free(late // 60 * MINUTE, 14 * HOUR + (late // 60 + 1) * MINUTE), job
        ).cost
        assert made.least <= made.total
        if made.exact:
            # No schedule within a longer time, on a grid of minutes, is cheaper by more than
            # what that time adds.
            assert made.total <= fine * (1 + 0.02)


@pytest.mark.parametrize("name", ["marks", "profile"])
@pytest.mark.parametrize("done", [1, 63, 119, 121, 143, 250])
def test_a_paused_job_is_replanned_in_about_as_many_states(name: str, done: int) -> None:
    job, rest = JOBS[name], timedelta(minutes=done)
    first = plan(job, SERIES, Bounds(deadline=T0 + 40 * HOUR), now=T0)
    requested: list[int] = []
    for gone in (HOUR, rest):
        looks = 0

        def called() -> None:
            nonlocal looks
            looks += 1

        progress = Progress(T0 + gone + 433 * SECOND, done=gone)
        with cancellable(called):
            again = replan(first, progress, SERIES)
        requested.append(looks)
        # All that is left is planned, and each checkpoint is where it was in the work.
        spans = merged((to_instant(s.start), to_instant(s.end)) for s in again.slots)
        assert sum(end - start for start, end in spans) == job.work - to_microseconds(gone)
        reached = to_microseconds(gone)
        for start, end in spans[:-1]:
            reached += end - start
            marks = [to_microseconds(mark) for mark in job.checkpoints]
            assert not marks or reached in marks
    assert requested[1] <= 4 * requested[0]


def test_the_first_segment_of_a_paused_job_is_cut_on_its_cheaper_side() -> None:
    # 45 of 60 minutes up to a checkpoint are left; the hour before is dearer, the one after
    # cheaper.
    values = [900.0, 100.0, 800.0, 300.0, 200.0, 900.0]
    series = Series.regular("DE", CI, T0, HOUR, values)
    job = Job(3 * HOUR, Kind.SEGMENTS, checkpoints=(HOUR,), restart_cost=Cost(0.01))
    first = plan(job, series, Bounds(deadline=T0 + 6 * HOUR), now=T0)
    again = replan(first, Progress(T0 + HOUR / 2, done=HOUR / 4), series)
    spans = merged((to_instant(s.start), to_instant(s.end)) for s in again.slots)
    assert [(end - start) // to_microseconds(MINUTE) for start, end in spans] == [45, 120]
    assert to_instant(T0 + HOUR) <= spans[0][0] < spans[0][1] <= to_instant(T0 + 2 * HOUR)
    assert spans[1] == (to_instant(T0 + 3 * HOUR), to_instant(T0 + 5 * HOUR))


@pytest.mark.parametrize("power", [1.0, PowerProfile(((HOUR, 1.0), (HOUR, 1.5)))])
@pytest.mark.parametrize("late", [613, 613.5, 1999])
def test_segments_of_fixed_length_leave_the_grid_one_by_one(
    power: PowerProfile | float, late: float
) -> None:
    # The first hour of work from the odd second on, the second in the slot at 1 g: no grid of
    # whole slots has both.
    series = Series.regular("DE", CI, T0, HOUR, [1.0, 5.0, 1.0, 9.0, 9.0, 9.0])
    job = Job(2 * HOUR, Kind.SEGMENTS, power=power, checkpoints=(HOUR,))
    span = to_instant(T0 + late * SECOND), to_instant(T0 + 6 * HOUR)
    found = segments.cheapest(curve(Outlook(series), Goal(), [span]), job)
    second = 1.0 if isinstance(power, float) else 1.5
    assert found.cost == pytest.approx((3600 - late) / 3600 + late / 3600 * 5 + second)
    assert [part.start for part in found.parts] == [span[0], to_instant(T0 + 2 * HOUR)]
