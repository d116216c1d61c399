"""How an elastic job spreads over time when nothing limits how fast it changes size. Exact.

Each cell offers speed in segments, from standing still to the most chips. Speed is concave in
chips, so a later segment of a cell never gives more speed a chip than an earlier one, and
taking segments in the order of what a unit of work counts is the least there is.
"""

from __future__ import annotations

from itertools import pairwise
from math import isclose
from typing import NamedTuple

from gridtide.errors import BadInput
from gridtide.planning.curve import Cells, Curve
from gridtide.planning.draft import Draft, Part, in_units, joined, pieces
from gridtide.planning.elasticity import NEAR, Elastic
from gridtide.planning.errors import TooFine
from gridtide.planning.job import Job

# Cells times segments; a few seconds.
MOST_OFFERS = 1_000_000
# Microseconds; where a job takes less on all its chips, rounding is no longer small.
SHORTEST = 1000


class Segment(NamedTuple):
    """From `chips` on, `more` chips that add `speed`; the first begins at standing still."""

    chips: float
    more: float
    speed: float


def cheapest(curve: Curve, job: Job, chips: Elastic) -> Draft:
    """Chips over time that count least; ties to fewer chips, then to the earliest.

    The one segment that is used in part: below the minimum, or below the most chips of a linear
    throughput, the job runs for a part of the cell; above, on a size between over all of it.

    Raises:
        NoFeasibleWindow: the most chips all the time are not enough.
        BadInput: a rate below 0 with a throughput that falls off: the least would be waste.
        TooFine: slots times steps of throughput are too many.
    """
    cells, segments = curve.cells, segments_of(chips)
    if len(cells.rates) * len(segments) > MOST_OFFERS:
        raise TooFine(
            f"{curve.name}: {len(cells.rates):,} slots at {len(segments):,} steps of "
            "throughput are too many to weigh; give a table with fewer steps, or a nearer "
            "deadline"
        )
    refuse_negative(curve, chips)
    fastest = sum(segment.speed for segment in segments)
    if SHORTEST <= job.work < fastest * SHORTEST:
        raise BadInput(
            f"{curve.name}: on {chips.maximum:g} chips the job is done in less than a "
            "millisecond, too short to lay into time; give a smaller maximum"
        )
    reach, used = _taken(cells, segments, job.work)
    if reach is None:
        raise curve.refuse(-int(-job.work // fastest), unbroken=False)
    kw = job.steps[0][2] / chips.base
    cost = sum(cells.rates[i] * segments[j].more * length for (i, j), length in used.items())
    parts = _laid(cells, segments, used, kw)
    return Draft(in_units(cost * kw), parts, pieces(parts))


def refuse_negative(curve: Curve, chips: Elastic, *, also: bool = False) -> None:
    """Raise where a rate below 0 would reward chips that add little, or where `also`.

    Raises:
        BadInput: there is such a rate, and the throughput is not linear.
    """
    cells = curve.cells
    wasteful = also or len(segments_of(chips)) > 1
    if wasteful and cells.rates and cells.rates[cells.order[0]] < 0:
        raise BadInput(
            f"{curve.name}: a rate below 0 would reward an elastic job for running on more "
            "chips than it has use for; use a linear throughput without a ramp and a minimum, "
            "or another kind"
        )


def segments_of(chips: Elastic) -> list[Segment]:
    """The segments between the knees, in order; of the same speed a chip they are one."""
    found: list[Segment] = []
    for (left, slow), (right, fast) in pairwise(chips.knees()):
        more, speed = right - left, fast - slow
        if found and isclose(speed / more, found[-1].speed / found[-1].more, rel_tol=NEAR):
            last = found.pop()
            left, more, speed = last.chips, last.more + more, last.speed + speed
        found.append(Segment(left, more, speed))
    return found


def _taken(
    cells: Cells, segments: list[Segment], work: int
) -> tuple[float | None, dict[tuple[int, int], float]]:
    """Time for which (cell, segment) is used, and what is left over; ``None``: not enough."""
    offers = sorted(
        (rate * segment.more / segment.speed, j, i)
        for i, rate in enumerate(cells.rates)
        for j, segment in enumerate(segments)
    )
    lengths = cells.lengths
    used: dict[tuple[int, int], float] = {}
    left = float(work)
    for _, j, i in offers:
        if left <= 0:
            break
        length = min(lengths[i], left / segments[j].speed)
        used[i, j] = length
        left -= length * segments[j].speed
    # Less than a microsecond is what rounding left.
    return (left, used) if left < 1 else (None, used)


def _laid(
    cells: Cells, segments: list[Segment], used: dict[tuple[int, int], float], kw: float
) -> tuple[Part, ...]:
    parts: list[Part] = []
    for i, (start, length) in enumerate(zip(cells.starts, cells.lengths, strict=True)):
        times = [used[i, j] for j in range(len(segments)) if (i, j) in used]
        if not times:
            continue
        end = start + length
        if len(times) == 1 and times[0] < length:
            # Less than the first segment: its whole size for a part of the time, next to
            # what runs before or after.
            chips, time = segments[0].more, max(1, round(times[0]))
            touches = bool(parts) and parts[-1].end == start
            if not touches and cells.starts[i + 1 : i + 2] == [end] and (i + 1, 0) in used:
                start = end - time
            end = start + time
        else:
            shares = zip(segments, times, strict=False)
            chips = sum(segment.more * time / length for segment, time in shares)
        parts.append(Part(start, end, chips * kw, chips))
    return joined(parts)
