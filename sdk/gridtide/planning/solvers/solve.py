"""Choice of the planner for a job: the one entry point for all kinds.

With more time no plan costs more, so bisection finds the earliest end within a limit: over the
edges of slots, then, where the planner is quick and exact at any moment, between two of them.
"""

from __future__ import annotations

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.state import NOT_STARTED, JobState
from gridtide.planning.solvers import elastic, interruptible, ramp, segments, unbroken
from gridtide.planning.solvers.cancellation import check_cancelled
from gridtide.planning.solvers.costs import Curve
from gridtide.planning.solvers.exact_segments import MOST_STATES, is_limited
from gridtide.planning.solvers.solution import Part, Solution, apply_power

# States of `segment_programme` in whose time a solver finds one variable of a ramp.
RAMP = 200


def solve(curve: Curve, job: Job, state: JobState = NOT_STARTED) -> Solution:
    """Return the cheapest schedule of `job` in the free time of the curve.

    Raises:
        NoFeasibleWindow: none is feasible; the message says what to request instead.
        TooFine: the times share too small a unit for an exact plan in segments.
        NoSolver: a ramp needs a solver, and none is installed.
    """
    check_cancelled()
    if job.kind is Kind.UNBROKEN:
        return unbroken.cheapest(curve, job)
    if job.workers is not None:
        if job.workers.ramp is not None:
            return ramp.cheapest(curve, job, job.workers, job.workers.ramp, state)
        return elastic.cheapest(curve, job, job.workers)
    if has_segments(job):
        return segments.cheapest(curve, job, state)
    return interruptible.cheapest(curve, job)


def has_segments(job: Job) -> bool:
    """Say whether the job is planned on equal units of time: pauses cost, or have limits."""
    return job.kind is Kind.SEGMENTS or (job.kind is Kind.INTERRUPTIBLE and is_limited(job))


def steps(curve: Curve, job: Job, state: JobState = NOT_STARTED) -> int:
    """Return how many states `solve` goes through, a quarter microsecond each.

    Zero for jobs that are always quick.
    """
    if job.workers is not None and job.workers.ramp is not None:
        return len(curve.intervals.rates) * len(elastic.increments_of(job.workers)) * RAMP
    if not has_segments(job) or not curve.stretches:
        return 0
    return min(segments.taken(curve, job, state), MOST_STATES)


def run_at_once(curve: Curve, job: Job) -> tuple[Part, ...] | None:
    """Return the parts of the job run at its own power as soon as it may, or ``None``.

    An unbroken job waits for the first stretch that is long enough. The overhead of forced
    pauses is left out. ``None`` where the job does not fit.
    """
    spans, left = [], job.work
    for _, start, end in curve.stretches:
        taken = min(end - start, left)
        if job.kind is Kind.UNBROKEN and taken < left:
            continue
        spans.append((start, start + taken))
        left -= taken
        if not left:
            size = job.workers.base if job.workers else None
            return tuple(part._replace(workers=size) for part in apply_power(spans, job.steps))
    return None


# What floating point may leave between two sums of the same numbers.
NEAR = 1e-12


def earliest(curve: Curve, job: Job, limit: float, state: JobState = NOT_STARTED) -> Solution:
    """Return the plan that ends earliest and costs at most `limit`; else the cheapest plan.

    To the microsecond for unbroken, interruptible and elastic jobs; to the edge of a slot for
    jobs in segments, profiles that pause and ramps.

    Raises:
        NoFeasibleWindow: no plan is feasible.
    """
    best = solve(curve, job, state)
    ends = sorted(set(curve.intervals.ends))
    if not _within(best, limit):
        return best
    low, high = -1, len(ends) - 1  # the plan that ends by `ends[high]` is `best`
    while high - low > 1:
        middle = (low + high) // 2
        found = _by(curve, job, state, ends[middle], limit)
        low, high, best = (low, middle, found) if found else (middle, high, best)
    if has_segments(job) or (job.workers and job.workers.ramp):
        return best
    first, last = (ends[low] if low >= 0 else curve.intervals.starts[0]), best.end
    while last - first > 1:
        moment = (first + last) // 2
        found = _by(curve, job, state, moment, limit)
        first, last, best = (first, moment, found) if found else (moment, last, best)
    return best


def _by(
    curve: Curve, job: Job, state: JobState, deadline: int, limit: float
) -> Solution | None:
    """Return the best plan that ends by `deadline`, if it costs at most `limit`."""
    try:
        found = solve(curve.before(deadline), job, state)
    except NoFeasibleWindow:
        return None
    return found if _within(found, limit) else None


def _within(solution: Solution, limit: float) -> bool:
    return solution.cost <= limit + abs(limit) * NEAR
