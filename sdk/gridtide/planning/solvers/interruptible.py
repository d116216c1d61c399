"""Exact plans for a job that may pause anywhere at no cost, using parts of slots too."""

from __future__ import annotations

from typing import NamedTuple

from gridtide.planning.problem.job import Job
from gridtide.planning.solvers.costs import Curve, Intervals
from gridtide.planning.solvers.solution import Part, Solution, in_units


class Picked(NamedTuple):
    """Whole intervals, ascending, and (interval, length) of the one used in part.

    `total` is the sum of rate x length.
    """

    total: int
    whole: list[int]
    part: tuple[int, int] | None


def pick(intervals: Intervals, work: int) -> Picked | None:
    """Return the intervals in which `work` costs least, ties to the earliest; ``None``: not
    enough.

    At most one interval, the dearest of those picked, is used in part.
    """
    order, rates = intervals.order, intervals.rates
    if intervals.step:
        count, rest = divmod(work, intervals.step)
        if count + (rest > 0) > len(order):
            return None
        whole = order[:count]
        total = sum(map(rates.__getitem__, whole)) * intervals.step
    else:
        count, rest, total = 0, work, 0
        lengths = intervals.lengths
        for i in order:
            if lengths[i] > rest:
                break
            rest -= lengths[i]
            total += rates[i] * lengths[i]
            count += 1
        if rest and count == len(order):
            return None
        whole = order[:count]
    part = None
    if rest:
        part = order[count], rest
        total += rates[order[count]] * rest
    whole.sort()
    return Picked(total, whole, part)


def cheapest(curve: Curve, job: Job) -> Solution:
    """Return the cheapest slots, in order; the job draws constant power.

    Raises:
        NoFeasibleWindow: there is not enough free time.
    """
    intervals = curve.intervals
    picked = pick(intervals, job.work)
    if picked is None:
        raise curve.refuse(job.work, unbroken=False)
    power_kw = job.steps[0][2]
    parts = to_parts(intervals, picked, power_kw)
    return Solution(in_units(picked.total) * power_kw, parts, len(parts))


def to_parts(intervals: Intervals, picked: Picked, power_kw: float) -> tuple[Part, ...]:
    """Return the picked intervals as parts; one used in part touches a neighbour, else it is
    early.
    """
    starts, ends = intervals.starts, intervals.ends
    spans = [(starts[i], ends[i]) for i in picked.whole]
    if picked.part is not None:
        i, length = picked.part
        start, end = starts[i], ends[i]
        touched = any(stop == start for _, stop in spans)
        if not touched and any(begin == end for begin, _ in spans):
            start = end - length
        spans.append((start, start + length))
        spans.sort()
    parts = []
    begins, ended = spans[0]
    for start, end in spans:
        if start > ended:
            parts.append(Part(begins, ended, power_kw))
            begins = start
        ended = end
    parts.append(Part(begins, ended, power_kw))
    return tuple(parts)
