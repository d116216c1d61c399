"""Exact plans for an interruptible job whose pauses cost energy, with or without a segment
limit.

The cheapest slots with free pauses are a lower bound, and the best unbroken run is an upper
bound.
Where they are no further apart than the cost of one pause, no search is needed. Otherwise one
of
three dynamic programmes solves it: `grid` or `limited_grid` on equal units of time,
`uneven_grid`
on intervals of any length.
"""

from __future__ import annotations

from math import inf

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.problem.job import HOUR, Job
from gridtide.planning.solvers import interruptible, unbroken
from gridtide.planning.solvers.costs import Curve, hours
from gridtide.planning.solvers.overheads import NOT_STARTED, JobState, place_overheads
from gridtide.planning.solvers.segment_search import MOST_ROWS, MOST_STATES, search
from gridtide.planning.solvers.solution import Solution, apply_power, in_units
from gridtide.slots import STEPS_PER_UNIT


def cheapest(
    curve: Curve,
    job: Job,
    state: JobState = NOT_STARTED,
    *,
    most_rows: int = MOST_ROWS,
    most_states: int = MOST_STATES,
) -> Solution:
    """Return the schedule with the least cost; of equal ones, one that ends early.

    Up to `most_rows` states `grid` solves it, up to `most_states` `limited_grid`, else
    `uneven_grid`.
    Limits on the length of a segment, checkpoints, pauses that take time and power profiles
    need
    `limited_segments.cheapest`.

    Raises:
        NoFeasibleWindow: there is not enough free time, or no segment is left.
        TooFine: the times share only a very small unit.
    """
    most = state.segments_left(job.max_segments)
    if interruptible.pick(curve.intervals, job.work) is None:
        raise curve.refuse(job.work, unbroken=False)
    if most is not None and most < 1:
        raise too_few_segments(curve, job)
    bound = inf
    if state is NOT_STARTED:
        settled, bound = _between_bounds(curve, job, most)
        if settled is not None:
            return settled
    total, spans = search(
        curve.intervals,
        job,
        state,
        most=most,
        bound=bound,
        most_rows=most_rows,
        most_states=most_states,
    )
    if not spans:
        raise too_few_segments(curve, job)
    cost = in_units(total) * job.steps[0][2]
    extra = place_overheads(curve.intervals, spans, job, state)
    return Solution(cost, apply_power(spans, job.steps), len(spans), extra)


def too_few_segments(curve: Curve, job: Job) -> NoFeasibleWindow:
    """Return the error for a job that has enough free time, but not for its segments."""
    return NoFeasibleWindow(
        f"{curve.name}: {hours(job.work)} do not fit into the free and known time in "
        "such segments; allow more or shorter segments, or a later deadline"
    )


def _between_bounds(curve: Curve, job: Job, most: int | None) -> tuple[Solution | None, float]:
    """Return the solution where the bounds decide it, and an upper bound on the cost."""
    free = interruptible.cheapest(curve, job)
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
    bound = whole.cost * HOUR * STEPS_PER_UNIT / job.steps[0][2]
    return None, bound
