"""Plans for an elastic job whose number of workers changes by at most a ramp between slots.

A linear programme, solved by `highs`: exact. With a minimum above 0, a binary variable for each
slot says whether the job runs in it; where workers are whole, their numbers are integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.planning.problem.job import HOUR, Job
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.problem.state import NOT_STARTED, JobState
from gridtide.planning.solvers.costs import Curve, Intervals, hours
from gridtide.planning.solvers.elastic import FreePower, increments_of
from gridtide.planning.solvers.highs import Programme
from gridtide.planning.solvers.solution import (
    Part,
    Solution,
    count_segments,
    in_units,
    join_parts,
)

# A solver keeps its rows to 1e-7, here of an hour of work.
SHORTEST = timedelta(seconds=1)
# Workers below this part of the most used are what a solver leaves of none.
NONE = 1e-7


def cheapest(
    curve: Curve,
    job: Job,
    workers: Elastic,
    ramp: float,
    state: JobState = NOT_STARTED,
    free_power: Sequence[FreePower] | None = None,
) -> Solution:
    """Return the workers in each slot with the least cost, changing by at most `ramp`.

    Before the first slot the job has the workers of its state; after the last slot, and
    wherever the job may not run, none. With whole workers, with a minimum, or where it cannot
    ramp down as fast as its work ends, the job may finish before its last slot ends; the plan
    counts all of that slot.

    Args:
        free_power: the power the job may draw, ascending; outside it none. ``None``: any.

    Raises:
        NoFeasibleWindow: not enough work fits.
        BadInput: a rate below 0 with a minimum or a throughput that falls off, or a job of less
            than a second.
        TooFine: slots times increments of throughput are too many.
        SolverFailed: the solver gave up, or took a minute.
        NoSolver: no solver is installed.
    """
    intervals = curve.intervals
    whole = not workers.fractional_workers
    more = (
        whole or workers.minimum > 0 or _least_work(intervals, workers, ramp, state) > job.work
    )
    if more or len(increments_of(workers)) > 1:
        _refuse_negative(curve)
    if job.duration < SHORTEST:
        raise BadInput(
            f"{curve.name}: a job of {job.duration} is too short for a linear programme "
            "to tell from none; with a ramp give a second or more"
        )
    programme = Programme(f"{curve.name}: an elastic job with a ramp")
    variables_by_interval = _variables(programme, intervals, workers, job, more=more)
    _limit(programme, intervals, variables_by_interval, ramp, state)
    if free_power is not None:
        _keep_to(programme, intervals, variables_by_interval, workers, job, free_power)
    stops = state.workers > ramp and intervals.starts[:1] != [state.at]
    values = programme.solve() if intervals.starts and not stops else None
    if values is None:
        raise NoFeasibleWindow(_why(curve, job, workers, ramp, state, stops=stops))
    found = [sum(values[each] for each in variables) for variables in variables_by_interval]
    if whole:
        found = [float(round(size)) for size in found]
    kw, none = job.steps[0][2] / workers.base, NONE * max(found)
    parts = join_parts(
        Part(start, end, size * kw, size)
        for start, end, size in zip(intervals.starts, intervals.ends, found, strict=True)
        if size > none
    )
    energy = sum(
        rate * length * size
        for rate, length, size in zip(intervals.rates, intervals.lengths, found, strict=True)
    )
    return Solution(in_units(energy * kw), parts, count_segments(parts))


def _refuse_negative(curve: Curve) -> None:
    """Refuse a rate below 0, which would reward workers that the job does not need.

    Raises:
        BadInput: there is one.
    """
    intervals = curve.intervals
    if intervals.rates and intervals.rates[intervals.order[0]] < 0:
        raise BadInput(
            f"{curve.name}: a rate below 0 would reward an elastic job with a ramp for running "
            "on more workers than it needs; leave the ramp out, or use another kind"
        )


def _least_work(intervals: Intervals, workers: Elastic, ramp: float, state: JobState) -> float:
    """Return the work done while the current workers ramp down to none."""
    size, work, end = state.workers, 0.0, state.at
    for start, length in zip(intervals.starts, intervals.lengths, strict=True):
        if size <= ramp or start != end:
            break
        size, end = max(workers.least, size - ramp), start + length
        work += workers.speed(size) * length
    return work


def _why(
    curve: Curve, job: Job, workers: Elastic, ramp: float, state: JobState, *, stops: bool
) -> str:
    """Return what prevents a plan, and what to request instead."""
    if stops:
        return (
            f"{curve.name}: it runs on {state.workers:g} workers and may not run on, at a ramp "
            f"of {ramp:g} a slot; when it has stopped ask again with 0 workers and not "
            "running, or allow a larger ramp"
        )
    now = f", from {state.workers:g} workers on" if state.workers else ""
    return (
        f"{curve.name}: {hours(job.work)} of work at the job's own power do not fit into "
        f"the free and known time with at most {workers.most:g} workers and a ramp of "
        f"{ramp:g} a slot{now}; allow more of either, or a later deadline"
    )


def _variables(
    programme: Programme, intervals: Intervals, workers: Elastic, job: Job, *, more: bool
) -> list[list[int]]:
    """Add a variable for each increment of each interval, together at least the work.

    Exactly the work, unless `more`.
    """
    increments = increments_of(workers)
    variables_by_interval, work = [], []
    for rate, length in zip(intervals.rates, intervals.lengths, strict=True):
        time = length / HOUR
        variables = []
        for increment in increments:
            cost = rate / 1e9 * time
            variable = programme.variable(
                cost, increment.more, whole=not workers.fractional_workers
            )
            work.append((variable, increment.speed / increment.more * time))
            variables.append(variable)
        if workers.least:
            runs = programme.variable(0, 1, whole=True)
            most = [(each, 1.0) for each in variables]
            programme.at_most.add([*most, (runs, -workers.most)], 0)
            programme.at_most.add(
                [*((each, -1.0) for each in variables), (runs, workers.least)], 0
            )
        variables_by_interval.append(variables)
    if more:
        # Whole workers, or the fewest that a slot may have, may be more than the work needs.
        programme.at_most.add([(each, -speed) for each, speed in work], -job.work / HOUR)
    else:
        programme.equal.add(work, job.work / HOUR)
    return variables_by_interval


def _limit(
    programme: Programme,
    intervals: Intervals,
    variables_by_interval: list[list[int]],
    ramp: float,
    state: JobState,
) -> None:
    """Limit each change to `ramp`, from the current workers and from and to none included."""
    for i, variables in enumerate(variables_by_interval):
        here = [(each, 1.0) for each in variables]
        touching = i > 0 and intervals.ends[i - 1] == intervals.starts[i]
        if touching:
            before = [(each, -1.0) for each in variables_by_interval[i - 1]]
            programme.at_most.add([*here, *before], ramp)
            programme.at_most.add([(each, -factor) for each, factor in [*here, *before]], ramp)
        else:
            size = state.workers if intervals.starts[i] == state.at else 0.0
            programme.at_most.add(here, size + ramp)
            if size > ramp:
                programme.at_most.add([(each, -1.0) for each in variables], ramp - size)
        if i + 1 == len(variables_by_interval) or intervals.ends[i] != intervals.starts[i + 1]:
            programme.at_most.add(here, ramp)


def _keep_to(
    programme: Programme,
    intervals: Intervals,
    variables_by_interval: list[list[int]],
    workers: Elastic,
    job: Job,
    free_power: Sequence[FreePower],
) -> None:
    """Limit the workers in each slot to what the power that is free all through it carries."""
    kw, i = job.steps[0][2] / workers.base, 0
    for start, end, variables in zip(
        intervals.starts, intervals.ends, variables_by_interval, strict=True
    ):
        while i < len(free_power) and free_power[i].end <= start:
            i += 1
        k, free, least = i, start, workers.most * kw
        while k < len(free_power) and free_power[k].start <= free < end:
            free, least = free_power[k].end, min(least, free_power[k].kw)
            k += 1
        most = workers.within(max(0.0, least) / kw) if kw else workers.most
        if free < end or most < workers.least:
            most = 0.0
        if most < workers.most:
            programme.at_most.add([(each, 1.0) for each in variables], most)
