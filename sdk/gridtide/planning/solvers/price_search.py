"""Exact segments of a job whose pauses cost energy; with a limit on their number, by price.

One dynamic programme over units and work done, row by row: the least cost of having just run a
unit (`on`), and of being paused after having run (`off`). `on` is kept less the cost of all
units so far, so that running on changes nothing. Costs are whole numbers in floating point, so
sums are exact and ties are ties. It is several times as fast as `segment_programme`, which has
all limits.

A limit on the number of segments is met by a price on each further one: an optimum at a price
that has exactly the most segments is optimal (Lagrange).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

from gridtide.planning.problem.job import Job
from gridtide.planning.problem.opening_hours import merged
from gridtide.planning.problem.state import JobState
from gridtide.planning.solvers.cancellation import check_cancelled
from gridtide.planning.solvers.pruning import Pruning, Useful
from gridtide.planning.solvers.time_grid import TimeGrid, Units

# How many prices are tried in search of exactly the most segments.
PRICES = 12
# Below so much work the exact programme takes no longer than to prune it.
LEAST_PRUNED = 8

# From which work on, `on` and `off` by work from there on, and what all units before cost.
Row = tuple[int, list[float], list[float], float]
Found = tuple[float, list[tuple[int, int]]]


def search(
    grid: TimeGrid, job: Job, state: JobState, work: int, most: int | None
) -> tuple[Found, bool]:
    """Return the best schedule found with at most `most` segments, and whether it is optimal.

    Its cost is in rate x microseconds; infinite, without segments, where none was found.
    """
    units = grid.units(job, state)
    found, segments = _solve_at_price(grid, units, state, work, 0)
    if most is None or segments <= most:
        return found, True
    best: Found = (inf, [])
    low, high = 0, max(map(abs, grid.rates)) + 1
    for _ in range(PRICES):
        price = high if best[0] == inf else (low + high) // 2
        found, segments = _solve_at_price(grid, units, state, work, price)
        if segments <= most:
            high, best = price, min(best, found)
        elif best[0] == inf:
            low, high = high, high * 8
        else:
            low = price
        if segments == most:
            return found, True
    return best, False


def _solve_at_price(
    grid: TimeGrid, units: Units, state: JobState, work: int, price: int
) -> tuple[Found, int]:
    """Solve with `price` on each further segment; the cost is without the price.

    Also return the number of segments, one that already runs counted even if it stops.
    """
    priced = replace(units, restart=[each + price for each in units.restart])
    total, taken = cheapest(priced if price else units, work)
    spans = merged((grid.starts[u], grid.starts[u] + grid.unit) for u in taken)
    stopped = state.running and bool(spans) and spans[0][0] != state.at
    segments = len(spans) + stopped
    return ((total - price * (segments - 1)) * grid.unit, spans), segments


def cheapest(units: Units, work: int) -> tuple[float, list[int]]:
    """Return the least cost of `work` units, and which; of equal ones, those that end earliest.

    The cost is infinite where there are too few units.
    """
    if work > len(units.costs):
        return inf, []
    if work < LEAST_PRUNED:
        return _cheapest_of(units, work, None)
    pruning = Pruning(units, work)
    limit = pruning.expected
    found = _cheapest_of(units, work, pruning.within(limit))
    if found[0] > limit:  # what was left out may cost less
        found = _cheapest_of(units, work, pruning.within(found[0]))
    return found


def _cheapest_of(units: Units, work: int, useful: Useful | None) -> tuple[float, list[int]]:
    """Return what `cheapest` returns, among schedules in the `useful` states alone."""
    count = len(units.costs)
    runs = [True] * count if useful is None else useful.runs
    pauses = [True] * count if useful is None else useful.pauses
    left = sum(runs)  # units to come that it may run in
    if left < work:
        return inf, []
    rows: list[Row] = []
    best, last, spent = inf, -1, 0.0
    # Rows cover the work from `low` on: with less, the units left would not be enough.
    low, on, off = 0, [0.0 if units.running else inf], [inf]
    on_is_used, off_is_used = units.running, False
    for u, (cost, broken, pause, restart, may_run, may_pause) in enumerate(
        zip(
            units.costs,
            units.breaks,
            units.pause,
            units.restart,
            runs,
            pauses,
            strict=True,
        )
    ):
        check_cancelled()
        rows.append((low, on, off, spent))
        stopping, starting = spent + pause, restart - spent
        # Both rows are of one length; to have zip check it takes a tenth of the time.
        if on_is_used and (may_pause or (broken and may_run)):
            pairs = zip(on, off, strict=False)
            stay = [y if y <= x + stopping else x + stopping for x, y in pairs]
        else:
            stay = off
        if not may_run:
            if on_is_used:
                on, on_is_used = [inf] * len(off), False
            off_is_used = may_pause
            off = stay if may_pause else [inf] * len(off)
            spent += cost
            continue
        if broken:
            moved = [y + starting for y in stay]
        elif not off_is_used:
            moved = on.copy()
        elif not on_is_used:
            moved = [y + starting for y in off]
        else:
            pairs = zip(on, off, strict=False)
            moved = [x if x <= y + starting else y + starting for x, y in pairs]
        if low == 0 and units.first[u] - spent < moved[0]:
            moved[0] = units.first[u] - spent
        spent += cost
        off_is_used = may_pause
        stay = stay.copy() if may_pause else [inf] * len(moved)
        if low + len(moved) == work:
            final = moved.pop() + spent
            if final < best:
                best, last = final, u
        else:
            stay.append(inf)
        left -= 1
        if work - left > low:
            low, on, off = low + 1, moved, stay[1:]
        else:
            on, off = [inf, *moved], stay
        on_is_used = True
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
