"""Exact plans for an interruptible job in segments, on one grid of equal units of time.

Where pauses only cost energy, the cheapest slots with free pauses are a lower bound and the
best unbroken run is an upper bound; where they are no further apart than the cost of one pause,
no search is needed. Else `price_search` solves it. Where no price finds the most segments, or
there are more units, `segment_programme` counts them, as it does under any other limit. Where
there are too many units for that, `uneven_grid` takes intervals of any length.
"""

from __future__ import annotations

from math import gcd, inf

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.errors import TooFine
from gridtide.planning.problem.job import HOUR, Job
from gridtide.planning.problem.opening_hours import merged
from gridtide.planning.problem.state import NOT_STARTED, JobState
from gridtide.planning.solvers import interruptible, price_search, segment_programme, unbroken
from gridtide.planning.solvers.costs import Curve, Intervals, hours
from gridtide.planning.solvers.solution import (
    Solution,
    in_units,
    overhead_costs,
    to_solution,
)
from gridtide.planning.solvers.time_grid import TimeGrid, exact_unit, states
from gridtide.planning.solvers.uneven_grid import SiteCosts, UnevenGrid
from gridtide.slots import STEPS_PER_UNIT

# States up to which prices are tried first; their rows take 20 MB.
MOST_ROWS = 300_000
# States that the programme with all limits takes: two seconds and a few tens of megabytes.
MOST_STATES = 8_000_000
# What floating point may leave between two sums of the same whole numbers.
NEAR = 1e-12

Spans = list[tuple[int, int]]


def is_limited(job: Job) -> bool:
    """Say whether more than the number and the energy of its pauses matters."""
    return bool(
        job.min_segment
        or job.checkpoints
        or job.pause_cost.time
        or job.restart_cost.time
        or len(job.steps) > 1
    )


def check_room(curve: Curve, job: Job, state: JobState) -> None:
    """Raise where the free time or the number of segments cannot be enough.

    Raises:
        NoFeasibleWindow: there is not enough free time, or no segment is left.
    """
    if interruptible.pick(curve.intervals, job.work) is None:
        raise curve.refuse(job.work, unbroken=False)
    most = state.segments_left(job.max_segments)
    if most is not None and most < 1:
        raise too_few_segments(curve, job)


def too_few_segments(curve: Curve, job: Job) -> NoFeasibleWindow:
    """Return the error for a job that has enough free time, but not for its segments."""
    return NoFeasibleWindow(
        f"{curve.name}: {hours(job.work)} do not fit into the free and known time in "
        "such segments; allow more or shorter segments, or a later deadline"
    )


def cheapest(curve: Curve, job: Job, state: JobState = NOT_STARTED) -> Solution:
    """Return the schedule with the least cost; of equal ones, one that ends early.

    Raises:
        NoFeasibleWindow: there is not enough free time, or not for such segments.
        TooFine: the times share only a very small unit.
    """
    return _solve(curve, job, state)[0]


def cheapest_spans(curve: Curve, job: Job, state: JobState = NOT_STARTED) -> Spans:
    """Return the work of `cheapest` in time, without the time of pauses and restarts."""
    return _solve(curve, job, state)[1]


def _solve(curve: Curve, job: Job, state: JobState) -> tuple[Solution, Spans]:
    check_room(curve, job, state)
    if is_limited(job):
        total, spans = _with_limits(curve.intervals, job, state)
    else:
        bound = inf
        if state is NOT_STARTED:
            settled, bound = _between_bounds(curve, job)
            if settled is not None:
                return settled, merged((part.start, part.end) for part in settled.parts)
        total, spans = _by_size(curve.intervals, job, state, bound)
    if not spans:
        raise too_few_segments(curve, job)
    cost = in_units(total) * max(kw for *_, kw in job.steps)
    return to_solution(curve.intervals, spans, job, state, cost), spans


def _between_bounds(curve: Curve, job: Job) -> tuple[Solution | None, float]:
    """Return the solution where the bounds decide it, and an upper bound on the cost.

    The bound is in rate x microseconds.
    """
    most, free = job.max_segments, interruptible.cheapest(curve, job)
    costless = not (job.pause_cost.kwh or job.restart_cost.kwh)
    if free.segments == 1 or (costless and (most is None or free.segments <= most)):
        return free, free.cost
    try:
        whole = unbroken.cheapest(curve, job)
    except NoFeasibleWindow:
        if most == 1:
            raise
        return None, inf
    lowest = max(0, curve.intervals.rates[curve.intervals.order[0]]) / STEPS_PER_UNIT
    one_pause = lowest * (job.pause_cost.kwh + job.restart_cost.kwh)
    if most == 1 or whole.cost <= free.cost + one_pause:
        return whole, whole.cost
    return None, whole.cost * HOUR * STEPS_PER_UNIT / job.steps[0][2]


def _with_limits(intervals: Intervals, job: Job, state: JobState) -> tuple[float, Spans]:
    """Return the least cost, in rate x microseconds at the highest power, and the segments."""
    unit = exact_unit(intervals, job, state)
    if (taken := states(intervals, job, unit)) > MOST_STATES:
        raise TooFine(
            f"an exact plan takes {taken:,} steps of the smallest time that slots, "
            "bounds, duration and limits share; give them in whole minutes or longer, a "
            "nearer deadline, or drop a limit"
        )
    return _by_programme(intervals, job, state, unit)


def _by_size(
    intervals: Intervals, job: Job, state: JobState, bound: float
) -> tuple[float, Spans]:
    """Return the least cost and the segments of a job without further limits.

    Args:
        bound: cost of a known schedule, or infinite.
    """
    most, unit = state.segments_left(job.max_segments), exact_unit(intervals, job, state)
    count, work = sum(intervals.lengths) // unit, job.work // unit
    if count * work <= MOST_ROWS:
        grid = TimeGrid.of(intervals, unit, state)
        found, is_best = price_search.search(grid, job, state, work, most)
        if is_best:
            return found
        bound = min(bound, found[0])
    if count * work * min(most or 1, work + 1) <= MOST_STATES:
        return _by_programme(intervals, job, state, unit)
    if count * work > MOST_ROWS:
        bound = min(bound, _bound_on_whole_units(intervals, job, state, most))
    pause, restart = (
        overhead_costs(intervals.rates, each, job)
        for each in (job.pause_cost, job.restart_cost)
    )
    total, uses = UnevenGrid(
        intervals,
        [SiteCosts(intervals.rates, pause, restart, move=[0] * len(pause))],
        work=job.work,
        most=most,
        bound=bound + abs(bound) * NEAR + 1,
        current_site=0,
        started=state.started,
        running=state.running,
        touching=intervals.starts[0] == state.at,
    ).cheapest()
    return total, merged((use.start, use.end) for use in uses)


def _by_programme(
    intervals: Intervals, job: Job, state: JobState, unit: int
) -> tuple[float, Spans]:
    """Return the least cost and the segments by the programme that has every limit."""
    grid = TimeGrid.of(intervals, unit, state)
    total, found = segment_programme.cheapest(
        grid.units(job, state), job.work // unit, grid.limits(job, state)
    )
    return total * unit, grid.spans(found)


def _bound_on_whole_units(
    intervals: Intervals, job: Job, state: JobState, most: int | None
) -> float:
    """Return the cost of a schedule in whole slots that does at least the work, or infinite."""
    whole, unit = whole_units(intervals)
    count, work = sum(whole.lengths) // unit, -(-job.work // unit)
    if count < work or min(intervals.rates) < 0 or count * work > MOST_ROWS:
        return inf
    grid = TimeGrid.of(whole, unit, state)
    return price_search.search(grid, job, state, work, most)[0][0]


def whole_units(intervals: Intervals) -> tuple[Intervals, int]:
    """Return the intervals without the remainder at bounds, and the unit.

    The unit is what the intervals have in common that no bound has cut.
    """
    starts, ends = set(intervals.starts), set(intervals.ends)
    inner = [
        end - start
        for start, end in zip(intervals.starts, intervals.ends, strict=True)
        if start in ends and end in starts
    ]
    unit = gcd(*inner) or max(intervals.lengths)
    found = Intervals([], [], [])
    for start, end, rate in zip(intervals.starts, intervals.ends, intervals.rates, strict=True):
        over = (end - start) % unit
        if end - start > over:
            # Cut at the side of the bound: at the front unless something touches there.
            first = start + over if start not in ends else start
            found.starts.append(first)
            found.ends.append(first + end - start - over)
            found.rates.append(rate)
    return found, unit
