"""Exact best start of an unbroken job, at constant power or along a profile.

A rate holds over its whole slot and a power over its whole profile step, so the cost is
piecewise linear in the start, and its minimum lies where an edge of the job or of a profile
step meets an edge of a slot, or at a bound. Costs are whole numbers, so that ties are ties;
they go to the earliest.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from gridtide.planning.problem.job import Job
from gridtide.planning.solvers.costs import Curve
from gridtide.planning.solvers.solution import Solution, apply_power, in_units
from gridtide.slots import Run

Steps = Sequence[tuple[int, int, float]]
POWER_STEPS = 10**9  # per kW, or per highest power of a job below `SMALL_KW`
SMALL_KW = 1e-3


class Trial(NamedTuple):
    """A start, in microseconds, and its cost in the unit of the goal."""

    cost: float
    start: int


def cheapest(curve: Curve, job: Job) -> Solution:
    """Return the run with the least cost; of equal ones the earliest.

    Raises:
        NoFeasibleWindow: no stretch is long enough.
    """
    steps, per_kw = job.steps, power_steps(job.steps)
    best: tuple[int, int] | None = None
    for run, low, end in curve.stretches:
        last = end - job.work
        if low > last:
            continue
        if len(steps) == 1:
            total, start = run.cleanest(low, last, job.work, lower_is_cleaner=True)
            total *= round(steps[0][2] * per_kw)
        else:
            starts = corners(run, low, last, steps)
            totals = costs_at(run, starts, steps)
            total = min(totals)
            start = starts[totals.index(total)]
        if best is None or total < best[0]:
            best = total, start
    if best is None:
        raise curve.refuse(job.work, unbroken=True)
    total, start = best
    parts = apply_power([(start, start + job.work)], steps)
    return Solution(in_units(total / per_kw), parts)


def trials(curve: Curve, steps: Steps) -> list[Trial]:
    """Return every start at an edge of a slot, or as soon as a stretch begins; ascending."""
    found, per_kw = [], power_steps(steps)
    for run, low, end in curve.stretches:
        last = end - steps[-1][1]
        if low > last:
            continue
        inside = run.edges[bisect_right(run.edges, low) : bisect_right(run.edges, last)]
        starts = [low, *inside]
        totals = costs_at(run, starts, steps)
        found += [
            Trial(in_units(total / per_kw), start)
            for total, start in zip(totals, starts, strict=True)
        ]
    return found


def basins(curve: Curve, steps: Steps) -> list[Trial]:
    """Return the local minima: starts with no better start right beside them. Best first.

    A level stretch counts once, at its first start.
    """
    found, per_kw = [], power_steps(steps)
    for run, low, end in curve.stretches:
        last = end - steps[-1][1]
        if low > last:
            continue
        starts = corners(run, low, last, steps)
        totals = costs_at(run, starts, steps)
        # A level stretch is one floor, at its first start.
        floors = [
            (total, start)
            for i, (total, start) in enumerate(zip(totals, starts, strict=True))
            if i == 0 or totals[i - 1] != total
        ]
        for i, (total, start) in enumerate(floors):
            beside = [*floors[max(0, i - 1) : i], *floors[i + 1 : i + 2]]
            if all(other > total for other, _ in beside):
                found.append(Trial(in_units(total / per_kw), start))
    return sorted(found)


def corners(run: Run, low: int, last: int, steps: Steps) -> list[int]:
    """Return the starts in ``[low, last]`` where the slope of the cost can change."""
    edges = run.edges
    starts = {low, last}
    for offset in (0, *(end for _, end, _ in steps)):
        left, right = bisect_left(edges, low + offset), bisect_right(edges, last + offset)
        starts.update(edge - offset for edge in edges[left:right])
    return sorted(starts)


def costs_at(run: Run, starts: Sequence[int], steps: Steps) -> list[int]:
    """Return the cost of the run from each of `starts`, in rate x power x microseconds.

    Power is counted in steps, `power_steps` for each kW.
    """
    per_kw = power_steps(steps)
    edges, integrals, scaled, top = run.edges, run.integrals, run.scaled, len(run.scaled)
    kilowatts = [0, *(round(kw * per_kw) for *_, kw in steps), 0]
    offsets = [0, *(end for _, end, _ in steps)]
    totals = [0] * len(starts)
    for offset, (before, after) in zip(offsets, pairwise(kilowatts), strict=True):
        # The sum of power x (integral to its end - integral to its start), gathered by edge.
        factor = before - after
        if factor:
            for k, start in enumerate(starts):
                instant = start + offset
                i = bisect_right(edges, instant, 0, top) - 1
                upto = integrals[i] + scaled[i] * (instant - edges[i])
                totals[k] += factor * upto
    return totals


def power_steps(steps: Steps) -> int:
    """Return how many whole steps a kW is counted in, so that no power of a job rounds to 0."""
    most = max(kw for *_, kw in steps)
    return POWER_STEPS if most >= SMALL_KW else round(POWER_STEPS / most)
