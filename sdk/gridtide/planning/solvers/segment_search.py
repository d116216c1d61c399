"""Which programme finds the best pieces, and how each is asked.

`rows` answers on few equal units. Where pieces are limited in number it is asked again with a
price on each further piece: a best way at some price that has just the most pieces is a best
way. On more units, or where no price finds it, `limits` answers, which counts the pieces. Where
the units would be too many for that, `sparse` does, bounded by what is found on larger ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, inf

from gridtide.planning.problem.job import Job
from gridtide.planning.problem.opening_hours import merged
from gridtide.planning.solvers.costs import Cells
from gridtide.planning.solvers.grid import Units
from gridtide.planning.solvers.grid import cheapest as by_rows
from gridtide.planning.solvers.limited_grid import Limits
from gridtide.planning.solvers.limited_grid import cheapest as by_limits
from gridtide.planning.solvers.overheads import Standing, at_edges, tolls
from gridtide.planning.solvers.transitions import Track
from gridtide.planning.solvers.uneven_grid import Ragged

# Above this many states, on which `rows` takes 20 MB, `limits` answers.
MOST_ROWS = 300_000
# Above this many, on which `limits` takes two seconds, `sparse` does.
MOST_STATES = 8_000_000
# How many prices are tried in search of just the most pieces.
PRICES = 12

# What floating point may leave between two sums of the same whole numbers.
NEAR = 1e-12

Found = tuple[float, list[tuple[int, int]]]


def search(
    cells: Cells,
    job: Job,
    standing: Standing,
    *,
    most: int | None,
    bound: float,
    most_rows: int,
    most_states: int,
) -> Found:
    """Least cost in steps x microseconds, and the pieces; infinite and none where there is no
    way.

    `bound` is the cost of some way, or infinite.

    Raises:
        TooFine: the times share too small a step.
    """
    unit = gcd(job.work, *cells.lengths)
    grid = _Grid(cells, job, standing, unit)
    if grid.states <= most_rows:
        found, best = grid.within(most)
        if best:
            return found
        bound = min(bound, found[0])
    if grid.layered(most) <= most_states:
        return grid.counted(most)
    if grid.states > most_rows:
        whole, unit = whole_units(cells)
        grid = _Grid(whole, job, standing, unit)
        fits = sum(whole.lengths) >= grid.work * unit and min(cells.rates) >= 0
        if fits and grid.states <= most_rows:
            bound = min(bound, grid.within(most)[0][0])
    total, uses = _ragged(cells, job, standing, most, bound).cheapest()
    return total, merged((use.start, use.end) for use in uses)


@dataclass(frozen=True)
class _Grid:
    """A question to `rows`; work that is no whole number of units is taken as more."""

    cells: Cells
    job: Job
    standing: Standing
    unit: int

    @property
    def work(self) -> int:
        return -(-self.job.work // self.unit)

    @property
    def states(self) -> int:
        return sum(self.cells.lengths) // self.unit * self.work

    def within(self, most: int | None) -> tuple[Found, bool]:
        """The best way found with at most `most` pieces, and whether there is no better."""
        cells = cut(self.cells, self.unit)
        found, pieces = self._asked(cells, 0)
        if most is None or pieces <= most:
            return found, True
        best: Found = (inf, [])
        low, high = 0, max(map(abs, cells.rates)) + 1
        for _ in range(PRICES):
            price = high if best[0] == inf else (low + high) // 2
            found, pieces = self._asked(cells, price)
            if pieces <= most:
                high, best = price, min(best, found)
            elif best[0] == inf:
                low, high = high, high * 8
            else:
                low = price
            if pieces == most:
                return found, True
        return best, False

    def layered(self, most: int | None) -> int:
        """How many states it takes to count the pieces."""
        return self.states * min(most or 1, self.work + 1)

    def counted(self, most: int | None) -> Found:
        """The best way with at most `most` pieces, each counted."""
        cells = cut(self.cells, self.unit)
        most = None if most is None else min(most, self.work + 1)
        limits = Limits(1, 0, most, None, 0, 0, 0, ())
        total, found = by_limits(self._units(cells, 0), self.work, limits)
        spans = [(cells.starts[each.start], cells.ends[each.end - 1]) for each in found]
        return total * self.unit, spans

    def _asked(self, cells: Cells, price: int) -> tuple[Found, int]:
        """What `rows` finds with `price` on each further piece, its cost without the price.

        And how many pieces that takes, one that runs already counted, also if it stops.
        """
        total, taken = by_rows(self._units(cells, price), self.work)
        spans = merged((cells.starts[u], cells.ends[u]) for u in taken)
        standing = self.standing
        stopped = standing.running and bool(spans) and spans[0][0] != standing.at
        pieces = len(spans) + stopped
        return ((total - price * (pieces - 1)) * self.unit, spans), pieces

    def _units(self, cells: Cells, price: int) -> Units:
        """The units of `cells`, each `unit` long, with `price` on each further piece."""
        standing = self.standing
        pause = tolls(cells.rates, self.job.pause_cost, self.job)
        restart = tolls(cells.rates, self.job.restart_cost, self.job)
        touching = cells.starts[0] if cells.starts[0] == standing.at else None
        before = [touching, *cells.ends[:-1]]
        breaks = [start != end for start, end in zip(cells.starts, before, strict=True)]
        again = at_edges(restart, breaks, self.unit, after=True)
        first: Sequence[float] = again if standing.started else [0.0] * len(again)
        return Units(
            costs=[float(rate) for rate in cells.rates],
            breaks=breaks,
            pause=at_edges(pause, breaks, self.unit, after=False),
            restart=[each + price for each in again] if price else again,
            first=[inf] * len(again) if standing.running else first,
            running=standing.running,
        )


def cut(cells: Cells, unit: int) -> Cells:
    """The cells in pieces of `unit`, of which each is a whole number."""
    if cells.step == unit:
        return cells
    found = Cells([], [], [])
    for start, end, rate in zip(cells.starts, cells.ends, cells.rates, strict=True):
        found.starts.extend(range(start, end, unit))
        found.ends.extend(range(start + unit, end + 1, unit))
        found.rates.extend([rate] * ((end - start) // unit))
    return found


def whole_units(cells: Cells) -> tuple[Cells, int]:
    """The cells less what is over a whole number of the common unit at bounds; the unit.

    The unit is what cells have in common that no bound has cut.
    """
    starts, ends = set(cells.starts), set(cells.ends)
    inner = [
        end - start
        for start, end in zip(cells.starts, cells.ends, strict=True)
        if start in ends and end in starts
    ]
    unit = gcd(*inner) or max(cells.lengths)
    found = Cells([], [], [])
    for start, end, rate in zip(cells.starts, cells.ends, cells.rates, strict=True):
        over = (end - start) % unit
        if end - start > over:
            # Cut at the side of the bound: at the front unless something touches there.
            first = start + over if start not in ends else start
            found.starts.append(first)
            found.ends.append(first + end - start - over)
            found.rates.append(rate)
    return found, unit


def _ragged(
    cells: Cells, job: Job, standing: Standing, most: int | None, bound: float
) -> Ragged:
    pause = tolls(cells.rates, job.pause_cost, job)
    restart = tolls(cells.rates, job.restart_cost, job)
    return Ragged(
        cells,
        [Track(cells.rates, pause, restart, move=[0] * len(pause))],
        work=job.work,
        most=most,
        bound=bound + abs(bound) * NEAR + 1,
        home=0,
        started=standing.started,
        running=standing.running,
        touching=cells.starts[0] == standing.at,
    )
