"""Exact plans for an elastic job whose number of workers may change freely.

Each interval offers speed in increments, from no workers to the maximum. Speed is concave in
the number of workers, so a later increment never gives more speed per worker than an earlier
one, and taking increments in order of the cost of a unit of work is optimal. Where workers are
whole, the increments reach from one whole number to the next, and the increment that is used in
part means the larger number for a part of the interval and the smaller number for the rest.

At a rate below 0 energy is paid for, and the cheapest way to do any work is on the most workers
for a part of the interval, so the interval offers that alone, as one increment.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isclose
from typing import NamedTuple

from gridtide.errors import BadInput
from gridtide.planning.errors import TooFine
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.scaling import NEAR, Elastic
from gridtide.planning.solvers.costs import Curve, Intervals
from gridtide.planning.solvers.solution import (
    Part,
    Solution,
    count_segments,
    in_units,
    join_parts,
)

# Intervals times increments; a few seconds.
MOST_OFFERS = 1_000_000
# Microseconds; where a job takes less on all its workers, rounding is no longer small.
SHORTEST = 1000


class Increment(NamedTuple):
    """`more` workers beyond `workers`, and the `speed` they add; the first starts at none."""

    workers: float
    more: float
    speed: float


class FreePower(NamedTuple):
    """Power that is free over ``[start, end)``, before PUE."""

    start: int
    end: int
    kw: float


def cheapest(
    curve: Curve, job: Job, workers: Elastic, free_power: Sequence[FreePower] | None = None
) -> Solution:
    """Return the numbers of workers over time with the least cost.

    Ties go to fewer workers, then to the earliest time. One increment is used in part: below
    the minimum, or below the maximum of a linear throughput, the job runs for a part of the
    interval; above, it runs at a number in between over all of the interval, or where workers
    are whole at the two whole numbers around it, one after the other.

    Args:
        free_power: the power the job may draw, ascending; outside it none. ``None``: any.

    Raises:
        NoFeasibleWindow: the maximum all the time is not enough.
        BadInput: the job is too short to schedule.
        TooFine: intervals times increments are too many.
    """
    increments, kw = increments_of(workers), job.steps[0][2] / workers.base
    intervals, steps = curve.intervals, [increments] * len(curve.intervals.rates)
    if free_power is not None:
        intervals, sizes = _cut(intervals, workers, kw, free_power)
        known = {size: increments_of(workers, size) for size in set(sizes)}
        steps = [known[size] for size in sizes]
    if len(intervals.rates) * len(increments) > MOST_OFFERS:
        raise TooFine(
            f"{curve.name}: {len(intervals.rates):,} slots at {len(increments):,} steps of "
            "throughput are too many to weigh; give a table with fewer steps, or a nearer "
            "deadline"
        )
    steps = [
        _together(each) if rate < 0 else each
        for each, rate in zip(steps, intervals.rates, strict=True)
    ]
    fastest = sum(increment.speed for increment in increments)
    if SHORTEST <= job.work < fastest * SHORTEST:
        raise BadInput(
            f"{curve.name}: on {workers.most:g} workers the job takes less than a "
            "millisecond, too short to schedule; give a smaller maximum"
        )
    reach, used = _taken(intervals, steps, job.work)
    if reach is None:
        raise curve.refuse(-int(-job.work // fastest), unbroken=False)
    cost = sum(
        intervals.rates[i] * steps[i][j].more * length for (i, j), length in used.items()
    )
    parts = _to_parts(intervals, steps, used, kw, whole=not workers.fractional_workers)
    return Solution(in_units(cost * kw), parts, count_segments(parts))


def _cut(
    intervals: Intervals, workers: Elastic, kw: float, free_power: Sequence[FreePower]
) -> tuple[Intervals, list[float]]:
    """Return the intervals cut where the free power changes, and the most workers in each."""
    found, sizes = Intervals([], [], []), list[float]()
    i = 0
    for start, end, rate in zip(intervals.starts, intervals.ends, intervals.rates, strict=True):
        while i < len(free_power) and free_power[i].end <= start:
            i += 1
        k = i
        while k < len(free_power) and free_power[k].start < end:
            size = workers.within(min(workers.maximum, max(0.0, free_power[k].kw) / kw))
            if size >= workers.least and size > 0:
                found.starts.append(max(start, free_power[k].start))
                found.ends.append(min(end, free_power[k].end))
                found.rates.append(rate)
                sizes.append(size)
            k += 1
    return found, sizes


def _together(increments: Sequence[Increment]) -> list[Increment]:
    """Return the increments as one, from no workers to the maximum."""
    last = increments[-1]
    return [Increment(0.0, last.workers + last.more, sum(each.speed for each in increments))]


def increments_of(workers: Elastic, most: float | None = None) -> list[Increment]:
    """Return the increments up to `most` workers; those of equal speed per worker are one."""
    found: list[Increment] = []
    knees = workers.knees()
    if most is not None and most < knees[-1][0]:
        knees = (*(knee for knee in knees if knee[0] < most), (most, workers.speed(most)))
    for (left, slow), (right, fast) in pairwise(knees):
        more, speed = right - left, fast - slow
        if found and isclose(speed / more, found[-1].speed / found[-1].more, rel_tol=NEAR):
            last = found.pop()
            left, more, speed = last.workers, last.more + more, last.speed + speed
        found.append(Increment(left, more, speed))
    return found


def _taken(
    intervals: Intervals, steps: Sequence[Sequence[Increment]], work: int
) -> tuple[float | None, dict[tuple[int, int], float]]:
    """Return the time for which each (interval, increment) is used, and the work left over."""
    offers = sorted(
        (rate * increment.more / increment.speed, j, i)
        for i, rate in enumerate(intervals.rates)
        for j, increment in enumerate(steps[i])
    )
    lengths = intervals.lengths
    used: dict[tuple[int, int], float] = {}
    # What rounding leaves of the work is dropped: it would use another increment.
    left, done = float(work), min(0.5, work * NEAR)
    for _, j, i in offers:
        if left <= done:
            break
        length = min(lengths[i], left / steps[i][j].speed)
        used[i, j] = length
        left -= length * steps[i][j].speed
    # Less than a microsecond is what rounding left.
    return (left, used) if left < 1 else (None, used)


def _to_parts(
    intervals: Intervals,
    steps: Sequence[Sequence[Increment]],
    used: dict[tuple[int, int], float],
    kw: float,
    *,
    whole: bool,
) -> tuple[Part, ...]:
    parts: list[Part] = []
    for i, (start, length) in enumerate(zip(intervals.starts, intervals.lengths, strict=True)):
        increments = steps[i]
        times = [used[i, j] for j in range(len(increments)) if (i, j) in used]
        if not times:
            continue
        end, last = start + length, increments[len(times) - 1]
        if len(times) == 1 and times[0] < length:
            # Less than the first increment: all of it for a part of the time, next to
            # what runs before or after.
            workers, time = last.more, max(1, round(times[0]))
            touches = bool(parts) and parts[-1].end == start
            if not touches and intervals.starts[i + 1 : i + 2] == [end] and (i + 1, 0) in used:
                start = end - time
            end = start + time
        elif whole:
            workers, time = last.workers + last.more, max(1, round(times[-1]))
            if time < length:
                parts.append(Part(start, start + time, workers * kw, workers))
                start, workers = start + time, last.workers
        else:
            shares = zip(increments, times, strict=False)
            workers = sum(increment.more * time / length for increment, time in shares)
        parts.append(Part(start, end, workers * kw, workers))
    return join_parts(parts)
