"""The cheapest slots of a job that may pause anywhere at no cost. Exact, parts of slots too."""

from __future__ import annotations

from typing import NamedTuple

from gridtide.planning.problem.job import Job
from gridtide.planning.solvers.costs import Cells, Curve
from gridtide.planning.solvers.solution import Draft, Part, in_units


class Picked(NamedTuple):
    """Whole cells, ascending, and (cell, length) of one used in part.

    `total` is the sum of rate x length, in steps and microseconds.
    """

    total: int
    whole: list[int]
    part: tuple[int, int] | None


def pick(cells: Cells, work: int) -> Picked | None:
    """The cells in which `work` counts least, ties to the earliest; ``None``: not enough.

    One cell at most is used in part, the dearest of those picked.
    """
    order, rates = cells.order, cells.rates
    if cells.step:
        count, rest = divmod(work, cells.step)
        if count + (rest > 0) > len(order):
            return None
        whole = order[:count]
        total = sum(map(rates.__getitem__, whole)) * cells.step
    else:
        count, rest, total = 0, work, 0
        lengths = cells.lengths
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


def cheapest(curve: Curve, job: Job) -> Draft:
    """The cheapest slots, in order; the job draws one power.

    Raises:
        NoFeasibleWindow: there is not enough free time.
    """
    cells = curve.cells
    picked = pick(cells, job.work)
    if picked is None:
        raise curve.refuse(job.work, unbroken=False)
    power_kw = job.steps[0][2]
    parts = laid(cells, picked, power_kw)
    return Draft(in_units(picked.total) * power_kw, parts, len(parts))


def laid(cells: Cells, picked: Picked, power_kw: float) -> tuple[Part, ...]:
    """The picked cells as parts; one used in part leans on its neighbour, else it is early."""
    starts, ends = cells.starts, cells.ends
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
