"""Exact choice of equal units of time for a job whose pauses and restarts cost energy.

A dynamic programme over units and work done, row by row: the least cost of having just run a
unit
(`on`), and of being paused after having run (`off`). `on` is kept less the cost of all units so
far, so that running on changes nothing. Costs are whole numbers in floating point, so sums are
exact and ties are ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from gridtide.planning.solvers.cancellation import check_cancelled

# From which work on, `on` and `off` by work from there on, and what all units before count.
Row = tuple[int, list[float], list[float], float]


@dataclass(frozen=True)
class Units:
    """Units of time that a job may use, ascending, all of one length.

    Attributes:
        costs: cost of running through each unit.
        breaks: whether a unit does not touch the one before it.
        pause: cost of stopping right before each unit, having run until then.
        restart: cost of starting again at each unit.
        first: cost of the first start at each unit; ``inf`` where it is not allowed.
        running: whether the job already runs, right up to the first unit.
    """

    costs: Sequence[float]
    breaks: Sequence[bool]
    pause: Sequence[float]
    restart: Sequence[float]
    first: Sequence[float]
    running: bool = False


def cheapest(units: Units, work: int) -> tuple[float, list[int]]:
    """Return the least cost of `work` units, and which; of equal ones, those that end earliest.

    The cost is infinite where there are too few units.
    """
    count = len(units.costs)
    if work > count:
        return inf, []
    rows: list[Row] = []
    best, last, spent = inf, -1, 0.0
    # Rows cover the work from `low` on: with less, the units left would not be enough.
    low, on, off = 0, [0.0 if units.running else inf], [inf]
    for u, (cost, broken, pause, restart) in enumerate(
        zip(units.costs, units.breaks, units.pause, units.restart, strict=True)
    ):
        check_cancelled()
        rows.append((low, on, off, spent))
        stopping, starting = spent + pause, restart - spent
        # Both rows are of one length; to have zip check it takes a tenth of the time.
        pairs = zip(on, off, strict=False)
        stay = [y if y <= x + stopping else x + stopping for x, y in pairs]
        if broken:
            moved = [y + starting for y in stay]
        else:
            pairs = zip(on, off, strict=False)
            moved = [x if x <= y + starting else y + starting for x, y in pairs]
        if low == 0 and units.first[u] - spent < moved[0]:
            moved[0] = units.first[u] - spent
        spent += cost
        if low + len(moved) == work:
            final = moved.pop() + spent
            if final < best:
                best, last = final, u
        else:
            stay.append(inf)
        if work - (count - 1 - u) > low:
            low, on, off = low + 1, moved, stay[1:]
        else:
            on, off = [inf, *moved], stay
    return best, _taken(units, rows, last, work)


def _taken(units: Units, rows: Sequence[Row], last: int, work: int) -> list[int]:
    """Return the units of the best solution, traced back from its last one."""
    taken: list[int] = []
    u, done = last, work
    while u >= 0:
        taken.append(u)
        done -= 1
        low, on, off, spent = rows[u]
        ran, stood = on[done - low] + spent, off[done - low]
        if units.breaks[u]:
            ran, stood = inf, min(stood, ran + units.pause[u])
        again = stood + units.restart[u]
        if done == 0 and units.first[u] <= min(ran, again):
            break
        if ran > again:
            # It stood still before this unit: back to the stop, and to the unit before that.
            stopped = units.breaks[u] and off[done - low] > stood
            while not stopped:
                u -= 1
                low, on, off, spent = rows[u]
                stopped = off[done - low] > on[done - low] + (spent + units.pause[u])
        u -= 1
    taken.reverse()
    return taken
