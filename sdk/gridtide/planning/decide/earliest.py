"""The earliest plan within a limit: a carbon budget, or a threshold on the signal.

With more time no plan costs more, so bisection finds the earliest end: over the edges of slots,
then, where the planner is quick and exact at any moment, between two of them.
"""

from __future__ import annotations

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.state import NOT_STARTED, JobState
from gridtide.planning.solvers.costs import Curve
from gridtide.planning.solvers.solution import Solution
from gridtide.planning.solvers.solve import has_segments, solve

# What floating point may leave between two sums of the same numbers.
NEAR = 1e-12


def earliest(curve: Curve, job: Job, limit: float, state: JobState = NOT_STARTED) -> Solution:
    """Return the plan that ends earliest and costs at most `limit`; else the cheapest plan.

    To the microsecond for unbroken, interruptible and elastic jobs; to the edge of a slot for
    jobs in
    segments, profiles that pause and ramps.

    Raises:
        NoFeasibleWindow: there is no plan at all.
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
