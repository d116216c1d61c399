"""The cheapest units of time for a job in segments when each pause and restart costs. Exact.

The counterpart of `gridtide.planning.solvers.price_search`, and of `segment_programme` beside
it as far as the number of segments and their shortest length go. A dynamic programme over
boundaries between units, all amounts of work and numbers of segments at once: the least cost of
running up to a boundary (`on`, less the cost of all units before it, so that running on changes
nothing), and of being paused there (`off`). It goes by the work done, with all boundaries at
once: there is less work than time, and the best pause up to a boundary is a running minimum.
A boundary counts by the time idle until then, which leaves out those that are too early for the
work done or too late for the rest of it, and lets a job run on in place.
"""

from __future__ import annotations

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
    spent = np.concatenate(([0.0], np.cumsum(units.costs)))
    on, off = _filled(units, spent, work, most, shortest)
    totals = on[work].T + spent[work:, None]
    idle, layer = (int(each) for each in np.unravel_index(totals.argmin(), totals.shape))
    least = float(totals[idle, layer])
    if least == inf:
        return inf, []
    up = 0 if most is None else 1
    return least, _traced(units, on, off, (idle, layer), up=up, shortest=shortest)


def _filled(
    units: Units, spent: Floats, work: int, most: int | None, shortest: int
) -> tuple[Floats, Floats]:
    """Return `on` (work done, segments begun - 1, idle) and `off`.

    With `most`, `off` has a layer for no segment first: a segment begun from a pause of its own
    layer is one more.
    """
    layers, up = (1, 0) if most is None else (min(most, work), 1)
    count = len(units.costs)
    width = count - work + 1
    before, broken = spent[:count], np.array(units.breaks)
    points = np.arange(count)
    room = points - np.maximum.accumulate(np.where(broken, points, 0)) + 1
    fits = room[shortest - 1 :] >= shortest
    starts = len(fits)
    running_on = np.where(broken, inf, 0.0)
    touching = not broken[1:].any()
    pausing = before + np.array(units.pause)
    restarting = np.where(fits, (np.array(units.restart) - before)[:starts], inf)
    first = np.where(fits, (np.array(units.first) - before)[:starts], inf)
    on = np.full((work + 1, layers, width), inf)
    off = np.full((work + 1, layers + up, width), inf)
    on[shortest, 0] = first[:width]
    # One layer is a plain row: numpy takes twice as long for a table of one row.
    ran = on if up else on[:, 0]
    paused, resumed = (off[:, 1:], off[:, :-1]) if up else (off[:, 0], off[:, 0])
    again, stopped = np.empty_like(ran[0]), np.empty_like(ran[0])
    for done in range(shortest, work):
        now, start = ran[done], done + 1 - shortest
        np.add(now, pausing[done : done + width], out=stopped)
        np.minimum.accumulate(stopped, axis=-1, out=paused[done])
        np.add(resumed[start], restarting[start : start + width], out=again)
        if not touching:
            now = now + running_on[done : done + width]
        np.minimum(now, again, out=ran[done + 1])
    return on, off


def _traced(
    units: Units, on: Floats, off: Floats, last: tuple[int, int], *, up: int, shortest: int
) -> Spans:
    """Return the segments of the best path that ends after `last` (idle, layer)."""
    (idle, layer), done = last, len(on) - 1
    # Single values are read from these in half the time.
    ran, paused = on.data, off.data
    spans: Spans = []
    while True:
        end = idle + done
        while (
            done > shortest
            and not units.breaks[idle + done - 1]
            and ran[done - 1, layer, idle] <= ran[done, layer, idle]
        ):
            done -= 1
        done -= shortest
        spans.append((idle + done, end))
        if done == 0:
            return spans[::-1]
        while idle and paused[done, layer, idle - 1] <= paused[done, layer, idle]:
            idle -= 1
        layer -= up
