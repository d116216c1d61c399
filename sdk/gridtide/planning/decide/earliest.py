"""The earliest plan within a limit: a carbon budget, or a threshold on the signal.

With more time no plan counts more, so the earliest end is found by halving: over the edges of
slots, then, where the planner is quick and exact at any moment, between two of them.
"""

from __future__ import annotations

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.problem.job import Job
from gridtide.planning.solvers.costs import Curve
from gridtide.planning.solvers.overheads import FRESH, Standing
from gridtide.planning.solvers.solution import Draft
from gridtide.planning.solvers.solve import drafted, has_segments

# What floating point may leave between two sums of the same numbers.
NEAR = 1e-12


def earliest(curve: Curve, job: Job, limit: float, standing: Standing = FRESH) -> Draft:
    """The plan that ends earliest and counts at most `limit`; without one, the least there is.

    To the microsecond for unbroken, interruptible and elastic jobs; to the edge of a slot for
    pieces, for profiles that pause and for ramps.

    Raises:
        NoFeasibleWindow: there is no plan at all.
    """
    best = drafted(curve, job, standing)
    ends = sorted(set(curve.cells.ends))
    if not _within(best, limit):
        return best
    low, high = -1, len(ends) - 1  # the plan that ends by `ends[high]` is `best`
    while high - low > 1:
        middle = (low + high) // 2
        found = _by(curve, job, standing, ends[middle], limit)
        low, high, best = (low, middle, found) if found else (middle, high, best)
    if has_segments(job) or (job.chips and job.chips.ramp):
        return best
    first, last = (ends[low] if low >= 0 else curve.cells.starts[0]), best.end
    while last - first > 1:
        moment = (first + last) // 2
        found = _by(curve, job, standing, moment, limit)
        first, last, best = (first, moment, found) if found else (moment, last, best)
    return best


def _by(
    curve: Curve, job: Job, standing: Standing, deadline: int, limit: float
) -> Draft | None:
    """The best plan that ends by `deadline`, if it counts at most `limit`."""
    try:
        found = drafted(curve.before(deadline), job, standing)
    except NoFeasibleWindow:
        return None
    return found if _within(found, limit) else None


def _within(draft: Draft, limit: float) -> bool:
    return draft.cost <= limit + abs(limit) * NEAR
