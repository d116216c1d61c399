"""The cheapest units of time for a job in segments when each pause and restart costs. Exact.

The counterpart of `gridtide.planning.solvers.price_search`, and of `segment_programme` beside
it as far as the number of segments and their shortest length go. A dynamic programme over
boundaries between units, all amounts of work and numbers of segments at once: the least cost of
running up to a boundary (`on`, less the cost of all units before it, so that running on changes
nothing), and of being paused there (`off`). It goes by the work done, with all boundaries at
once: there is less work than time, and the best pause up to a boundary is a running minimum.
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
    totals = on[work].T + np.array(spent)[:, None]
    point, layer = (int(each) for each in np.unravel_index(totals.argmin(), totals.shape))
    least = float(totals[point, layer])
    if least == inf:
        return inf, []
    up = 0 if most is None else 1
    return least, _traced(units, on, off, (point, layer), up=up, shortest=shortest)


def _filled(
    units: Units, spent: list[float], work: int, most: int | None, shortest: int
) -> tuple[Floats, Floats]:
    """Return `on` and `off` (work done, segments begun, boundaries)."""
    layers, up = (1, 0) if most is None else (min(most, work), 1)
    count = len(units.costs)
    before, broken = np.array(spent[:count]), np.array(units.breaks)
    points = np.arange(count)
    room = points - np.maximum.accumulate(np.where(broken, points, 0)) + 1
    starts = count + 1 - shortest
    fits = room[shortest - 1 :] >= shortest
    running_on = np.where(broken, inf, 0.0)
    pausing = before + np.array(units.pause)
    restarting = np.where(fits, (np.array(units.restart) - before)[:starts], inf)
    on = np.full((work + 1, layers, count + 1), inf)
    off = np.full((work + 1, layers, count), inf)
    again, stopped = np.empty((layers - up, starts)), np.empty((layers, count))
    for done in range(shortest, work + 1):
        now = on[done]
        np.add(on[done - 1, :, :-1], running_on, out=now[:, 1:])
        started = now[up:, shortest:]
        np.add(off[done - shortest, : layers - up, :starts], restarting, out=again)
        np.minimum(started, again, out=started)
        if done == shortest:
            first = np.where(fits, (np.array(units.first) - before)[:starts], inf)
            np.minimum(now[0, shortest:], first, out=now[0, shortest:])
        np.add(now[:, :count], pausing, out=stopped)
        np.minimum.accumulate(stopped, axis=1, out=off[done])
    return on, off


def _traced(
    units: Units, on: Floats, off: Floats, last: tuple[int, int], *, up: int, shortest: int
) -> Spans:
    """Return the segments of the best path that ends at boundary and layer `last`."""
    (point, layer), done = last, len(on) - 1
    spans: Spans = []
    while True:
        end = point
        while (
            done > shortest
            and not units.breaks[point - 1]
            and on[done - 1, layer, point - 1] <= on[done, layer, point]
        ):
            point, done = point - 1, done - 1
        start, done = point - shortest, done - shortest
        spans.append((start, end))
        if done == 0:
            return spans[::-1]
        layer -= up
        point = start
        while off[done, layer, point - 1] <= off[done, layer, point]:
            point -= 1
