"""The best pieces of a job that may pause at a cost, any number of them or up to a most. Exact.

The cheapest slots, taken at no cost, are a lower bound; the best unbroken run is an upper
bound. Where they are no further apart than one pause, nothing is left to search. Else one of
three programmes answers: `rows` or `limits` on equal units, `sparse` on any cells.
"""

from __future__ import annotations

from math import inf

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.problem.job import HOUR, Job
from gridtide.planning.solvers import interruptible, unbroken
from gridtide.planning.solvers.costs import Curve, hours
from gridtide.planning.solvers.overheads import FRESH, Standing, drawn
from gridtide.planning.solvers.segment_search import MOST_ROWS, MOST_STATES, search
from gridtide.planning.solvers.solution import Draft, in_units, powered
from gridtide.slots import STEPS_PER_UNIT


def cheapest(
    curve: Curve,
    job: Job,
    standing: Standing = FRESH,
    *,
    most_rows: int = MOST_ROWS,
    most_states: int = MOST_STATES,
) -> Draft:
    """The pieces that count least; of equal ways one that ends early.

    Up to `most_rows` states `rows` answers, up to `most_states` `limits`, else `sparse`. Limits
    on the length of a piece, marks, time lost or a power profile are for `limited.cheapest`.

    Raises:
        NoFeasibleWindow: there is not enough free time, or no piece is left.
        TooFine: the times share too small a step.
    """
    most = standing.pieces_left(job.max_pieces)
    if interruptible.pick(curve.cells, job.work) is None:
        raise curve.refuse(job.work, unbroken=False)
    if most is not None and most < 1:
        raise too_few_pieces(curve, job)
    bound = inf
    if standing is FRESH:
        settled, bound = _between_bounds(curve, job, most)
        if settled is not None:
            return settled
    total, spans = search(
        curve.cells,
        job,
        standing,
        most=most,
        bound=bound,
        most_rows=most_rows,
        most_states=most_states,
    )
    if not spans:
        raise too_few_pieces(curve, job)
    cost = in_units(total) * job.steps[0][2]
    extra = drawn(curve.cells, spans, job, standing)
    return Draft(cost, powered(spans, job.steps), len(spans), extra)


def too_few_pieces(curve: Curve, job: Job) -> NoFeasibleWindow:
    """The error where there is time enough, but not for pieces as they are asked for."""
    return NoFeasibleWindow(
        f"{curve.name}: {hours(job.work)} do not fit into the free and known time in pieces as "
        "short or as few as asked for; allow more or shorter pieces, or a later deadline"
    )


def _between_bounds(curve: Curve, job: Job, most: int | None) -> tuple[Draft | None, float]:
    """The answer where the bounds settle it, and an upper bound in steps x microseconds."""
    free = interruptible.cheapest(curve, job)
    costless = not (job.pause_cost.kwh or job.restart_cost.kwh)
    if free.pieces == 1 or (costless and (most is None or free.pieces <= most)):
        return free, free.cost
    try:
        whole = unbroken.cheapest(curve, job)
    except NoFeasibleWindow:
        if most == 1:
            raise
        return None, inf
    lowest = max(0, curve.cells.rates[curve.cells.order[0]]) / STEPS_PER_UNIT
    one_pause = lowest * (job.pause_cost.kwh + job.restart_cost.kwh)
    if most == 1 or whole.cost <= free.cost + one_pause:
        return whole, whole.cost
    bound = whole.cost * HOUR * STEPS_PER_UNIT / job.steps[0][2]
    return None, bound
