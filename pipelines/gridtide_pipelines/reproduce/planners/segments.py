"""The cheapest units of time for a job in segments when each pause and restart costs. Exact.

The counterpart of `gridtide.planning.solvers.price_search`, and of `segment_programme` beside
it as far as the number of segments and their shortest length go. A dynamic programme over
boundaries between units, all amounts of work and numbers of segments at once: the least cost of
running up to a boundary (`on`, less the cost of all units before it, so that running on changes
nothing), and of being paused there (`off`).
"""

from __future__ import annotations

from itertools import accumulate
from math import inf

import numpy as np

from gridtide.errors import BadInput
from gridtide.planning.solvers.time_grid import Units
from gridtide_pipelines.reproduce.planners.whole_steps import Floats

Spans = list[tuple[int, int]]


def cheapest(
    units: Units, work: int, *, most: int | None = None, shortest: int = 1
) -> tuple[float, Spans]:
    """Return the least cost of `work` units and the segments ``[start, end)``, ascending.

    At most `most` segments, each of `shortest` units or more. Of equal costs one that ends
    earliest. The cost is infinite, without segments, where none is feasible.

    Raises:
        BadInput: `work`, `most` or `shortest` below 1, or a job that runs already.
    """
    if min(work, shortest, most or 1) < 1 or most == 0:
        raise BadInput(f"work {work}, most {most}, shortest {shortest}; give 1 or more")
    if units.running:
        raise BadInput("a job that runs already is planned by gridtide.planning")
    count = len(units.costs)
    if work > count or shortest > work:
        return inf, []
    spent = list(accumulate(units.costs, initial=0.0))
    on, off = _filled(units, spent, work, most, shortest)
    totals = on[:, :, work] + np.array(spent)[:, None]
    point, layer = (int(each) for each in np.unravel_index(totals.argmin(), totals.shape))
    least = float(totals[point, layer])
    if least == inf:
        return inf, []
    up = 0 if most is None else 1
    return least, _traced(units, on, off, (point, layer), up=up, shortest=shortest)


def _filled(
    units: Units, spent: list[float], work: int, most: int | None, shortest: int
) -> tuple[Floats, Floats]:
    """Return `on` and `off` (boundaries, segments begun, work done)."""
    layers, up = (1, 0) if most is None else (min(most, work), 1)
    count = len(units.costs)
    on = np.full((count + 1, layers, work + 1), inf)
    off = np.full((count + 1, layers, work + 1), inf)
    starting = off[:, : layers - up, : work + 1 - shortest]
    started, onward, ran = on[:, up:, shortest:], on[:, :, 1:], on[:, :, :-1]
    room = 0  # units since the last break
    for point in range(1, count + 1):
        broken = units.breaks[point - 1]
        room = 1 if broken else room + 1
        if not broken:
            onward[point] = ran[point - 1]
        start = point - shortest
        if room >= shortest:
            again = starting[start] + (units.restart[start] - spent[start])
            np.minimum(started[point], again, out=started[point])
            first = units.first[start] - spent[start]
            if first < on[point, 0, shortest]:
                on[point, 0, shortest] = first
        if point < count:
            stopped = on[point] + (spent[point] + units.pause[point])
            np.minimum(off[point - 1], stopped, out=off[point])
    return on, off


def _traced(
    units: Units, on: Floats, off: Floats, last: tuple[int, int], *, up: int, shortest: int
) -> Spans:
    """Return the segments of the best path that ends at boundary and layer `last`."""
    (point, layer), done = last, on.shape[2] - 1
    spans: Spans = []
    while True:
        end = point
        while (
            done > shortest
            and not units.breaks[point - 1]
            and on[point - 1, layer, done - 1] <= on[point, layer, done]
        ):
            point, done = point - 1, done - 1
        start, done = point - shortest, done - shortest
        spans.append((start, end))
        if done == 0:
            return spans[::-1]
        layer -= up
        point = start
        while off[point - 1, layer, done] <= off[point, layer, done]:
            point -= 1
