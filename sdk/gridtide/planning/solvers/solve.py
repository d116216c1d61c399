"""Which planner answers for a job: one way in for all kinds."""

from __future__ import annotations

from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.solvers import (
    elastic,
    interruptible,
    limited_segments,
    phases,
    ramp,
    unbroken,
)
from gridtide.planning.solvers.cancellation import go_on
from gridtide.planning.solvers.costs import Curve
from gridtide.planning.solvers.overheads import FRESH, Standing
from gridtide.planning.solvers.solution import Draft, Part, powered

# States of `limited` in whose time a solver finds one variable of a ramp.
RAMP = 200


def drafted(curve: Curve, job: Job, standing: Standing = FRESH) -> Draft:
    """The way to run `job` in the curve's free time that counts least.

    Raises:
        NoFeasibleWindow: there is none; the message says what to ask for.
        TooFine: the times share too small a step for an exact plan in pieces.
        NoSolver: a ramp, and no solver here.
    """
    go_on()
    if job.kind is Kind.UNBROKEN:
        return unbroken.cheapest(curve, job)
    if job.chips is not None:
        if job.chips.ramp is not None:
            return ramp.cheapest(curve, job, job.chips, job.chips.ramp, standing)
        return elastic.cheapest(curve, job, job.chips)
    if has_segments(job):
        return phases.cheapest(curve, job, standing)
    return interruptible.cheapest(curve, job)


def has_segments(job: Job) -> bool:
    """Whether it is planned over equal units of time: its pauses cost, or have limits."""
    return job.kind is Kind.PIECES or (
        job.kind is Kind.INTERRUPTIBLE and limited_segments.is_limited(job)
    )


def steps(curve: Curve, job: Job, standing: Standing = FRESH) -> int:
    """How much `drafted` has to go through, in states of `limited`: a quarter microsecond.

    Of what is quick for any question, nothing.
    """
    if job.chips is not None and job.chips.ramp is not None:
        return len(curve.cells.rates) * len(elastic.segments_of(job.chips)) * RAMP
    if not has_segments(job) or not curve.stretches:
        return 0
    return min(phases.taken(curve, job, standing), limited_segments.MOST_STATES)


def at_once(curve: Curve, job: Job) -> tuple[Part, ...] | None:
    """The job run at its own size as soon as it may, waiting only where it must.

    An unbroken job waits for the first stretch that is long enough. What forced pauses take is
    left out. ``None`` where it does not fit.
    """
    spans, left = [], job.work
    for _, start, end in curve.stretches:
        taken = min(end - start, left)
        if job.kind is Kind.UNBROKEN and taken < left:
            continue
        spans.append((start, start + taken))
        left -= taken
        if not left:
            size = job.chips.base if job.chips else None
            return tuple(part._replace(chips=size) for part in powered(spans, job.steps))
    return None
