"""How an elastic job spreads over time when nothing limits how fast it changes size. Exact.

Each cell offers speed in segments, from standing still to the most chips. Speed is concave in
chips, so a later segment of a cell never gives more speed a chip than an earlier one, and
taking segments in the order of what a unit of work counts is the least there is. Where workers
are whole the segments reach from one whole number to another, and the one that is used in part
is the larger number for a part of the cell and the smaller for the rest: whole at every moment,
and still the least.
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
from gridtide.planning.solvers.costs import Cells, Curve
from gridtide.planning.solvers.solution import Draft, Part, in_units, joined, pieces

# Cells times segments; a few seconds.
MOST_OFFERS = 1_000_000
# Microseconds; where a job takes less on all its chips, rounding is no longer small.
SHORTEST = 1000


class Segment(NamedTuple):
    """From `chips` on, `more` chips that add `speed`; the first begins at standing still."""

    chips: float
    more: float
    speed: float


class Room(NamedTuple):
    """Power that is free over ``[start, end)``, before PUE."""

    start: int
    end: int
    kw: float


def cheapest(
    curve: Curve, job: Job, chips: Elastic, room: Sequence[Room] | None = None
) -> Draft:
    """Chips over time that count least; ties to fewer chips, then to the earliest.

    The one segment that is used in part: below the minimum, or below the most chips of a linear
    throughput, the job runs for a part of the cell; above, on a size between over all of it, or
    where workers are whole on the sizes at both its ends, one after the other.

    Args:
        room: the power it may draw, ascending; without it any. Outside it draws none.

    Raises:
        NoFeasibleWindow: the most chips all the time are not enough.
        BadInput: a rate below 0 with a throughput that falls off: the least would be waste.
        TooFine: slots times steps of throughput are too many.
    """
    segments, kw = segments_of(chips), job.steps[0][2] / chips.base
    cells, steps = curve.cells, [segments] * len(curve.cells.rates)
    if room is not None:
        cells, sizes = _cut(cells, chips, kw, room)
        known = {size: segments_of(chips, size) for size in set(sizes)}
        steps = [known[size] for size in sizes]
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
            f"{curve.name}: on {chips.most:g} chips the job is done in less than a "
            "millisecond, too short to lay into time; give a smaller maximum"
        )
    reach, used = _taken(cells, steps, job.work)
    if reach is None:
        raise curve.refuse(-int(-job.work // fastest), unbroken=False)
    cost = sum(cells.rates[i] * steps[i][j].more * length for (i, j), length in used.items())
    parts = _laid(cells, steps, used, kw, whole=not chips.fractional_workers)
    return Draft(in_units(cost * kw), parts, pieces(parts))


def _cut(
    cells: Cells, chips: Elastic, kw: float, room: Sequence[Room]
) -> tuple[Cells, list[float]]:
    """The cells cut where the room changes, and the most chips that fit in each."""
    found, sizes = Cells([], [], []), list[float]()
    i = 0
    for start, end, rate in zip(cells.starts, cells.ends, cells.rates, strict=True):
        while i < len(room) and room[i].end <= start:
            i += 1
        k = i
        while k < len(room) and room[k].start < end:
            size = chips.within(min(chips.maximum, max(0.0, room[k].kw) / kw))
            if size >= chips.least and size > 0:
                found.starts.append(max(start, room[k].start))
                found.ends.append(min(end, room[k].end))
                found.rates.append(rate)
                sizes.append(size)
            k += 1
    return found, sizes


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


def segments_of(chips: Elastic, most: float | None = None) -> list[Segment]:
    """The segments between the knees up to `most` chips; of one speed a chip they are one."""
    found: list[Segment] = []
    knees = chips.knees()
    if most is not None and most < knees[-1][0]:
        knees = (*(knee for knee in knees if knee[0] < most), (most, chips.speed(most)))
    for (left, slow), (right, fast) in pairwise(knees):
        more, speed = right - left, fast - slow
        if found and isclose(speed / more, found[-1].speed / found[-1].more, rel_tol=NEAR):
            last = found.pop()
            left, more, speed = last.chips, last.more + more, last.speed + speed
        found.append(Segment(left, more, speed))
    return found


def _taken(
    cells: Cells, steps: Sequence[Sequence[Segment]], work: int
) -> tuple[float | None, dict[tuple[int, int], float]]:
    """Time for which (cell, segment) is used, and what is left over; ``None``: not enough."""
    offers = sorted(
        (rate * segment.more / segment.speed, j, i)
        for i, rate in enumerate(cells.rates)
        for j, segment in enumerate(steps[i])
    )
    lengths = cells.lengths
    used: dict[tuple[int, int], float] = {}
    # What rounding leaves of the work is no work: it would be a second segment of a cell.
    left, done = float(work), min(0.5, work * NEAR)
    for _, j, i in offers:
        if left <= done:
            break
        length = min(lengths[i], left / steps[i][j].speed)
        used[i, j] = length
        left -= length * steps[i][j].speed
    # Less than a microsecond is what rounding left.
    return (left, used) if left < 1 else (None, used)


def _laid(
    cells: Cells,
    steps: Sequence[Sequence[Segment]],
    used: dict[tuple[int, int], float],
    kw: float,
    *,
    whole: bool,
) -> tuple[Part, ...]:
    parts: list[Part] = []
    for i, (start, length) in enumerate(zip(cells.starts, cells.lengths, strict=True)):
        segments = steps[i]
        times = [used[i, j] for j in range(len(segments)) if (i, j) in used]
        if not times:
            continue
        end, last = start + length, segments[len(times) - 1]
        if len(times) == 1 and times[0] < length:
            # Less than the first segment: its whole size for a part of the time, next to
            # what runs before or after.
            chips, time = last.more, max(1, round(times[0]))
            touches = bool(parts) and parts[-1].end == start
            if not touches and cells.starts[i + 1 : i + 2] == [end] and (i + 1, 0) in used:
                start = end - time
            end = start + time
        elif whole:
            chips, time = last.chips + last.more, max(1, round(times[-1]))
            if time < length:
                parts.append(Part(start, start + time, chips * kw, chips))
                start, chips = start + time, last.chips
        else:
            shares = zip(segments, times, strict=False)
            chips = sum(segment.more * time / length for segment, time in shares)
        parts.append(Part(start, end, chips * kw, chips))
    return joined(parts)
