"""Choice among the dynamic programmes for segments, by problem size.

`grid` solves small problems on equal units. With a limit on the number of segments it is solved
again with a price on each further segment: an optimum at a price that has exactly the most
segments is optimal. Where there are more units, or no price finds it, `limited_grid` counts the
segments. Where there would be too many units for that, `uneven_grid` solves it, bounded by the
result on larger units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, inf

from gridtide.planning.problem.job import Job
from gridtide.planning.problem.opening_hours import merged
from gridtide.planning.solvers.costs import Intervals
from gridtide.planning.solvers.grid import Units
from gridtide.planning.solvers.grid import cheapest as by_rows
from gridtide.planning.solvers.limited_grid import Limits
from gridtide.planning.solvers.limited_grid import cheapest as by_limits
from gridtide.planning.solvers.overheads import JobState, at_edges, overhead_costs
from gridtide.planning.solvers.transitions import SiteCosts
from gridtide.planning.solvers.uneven_grid import UnevenGrid

# Above this many states, on which `rows` takes 20 MB, `limits` answers.
MOST_ROWS = 300_000
# Above this many, on which `limits` takes two seconds, `sparse` does.
MOST_STATES = 8_000_000
# How many prices are tried in search of just the most segments.
PRICES = 12

# What floating point may leave between two sums of the same whole numbers.
NEAR = 1e-12

Found = tuple[float, list[tuple[int, int]]]


def search(
    intervals: Intervals,
    job: Job,
    state: JobState,
    *,
    most: int | None,
    bound: float,
    most_rows: int,
    most_states: int,
) -> Found:
    """Return the least cost and the segments; infinite and none where it is infeasible.

    Args:
        bound: cost of a known schedule, or infinite.

    Raises:
        TooFine: the times share only a very small unit.
    """
    unit = gcd(job.work, *intervals.lengths)
    grid = _Grid(intervals, job, state, unit)
    if grid.states <= most_rows:
        found, best = grid.within(most)
        if best:
            return found
        bound = min(bound, found[0])
    if grid.layered(most) <= most_states:
        return grid.counted(most)
    if grid.states > most_rows:
        whole, unit = whole_units(intervals)
        grid = _Grid(whole, job, state, unit)
        fits = sum(whole.lengths) >= grid.work * unit and min(intervals.rates) >= 0
        if fits and grid.states <= most_rows:
            bound = min(bound, grid.within(most)[0][0])
    total, uses = _uneven_grid(intervals, job, state, most, bound).cheapest()
    return total, merged((use.start, use.end) for use in uses)


@dataclass(frozen=True)
class _Grid:
    """A problem on equal units; work that is not a whole number of units is rounded up."""

    intervals: Intervals
    job: Job
    state: JobState
    unit: int

    @property
    def work(self) -> int:
        return -(-self.job.work // self.unit)

    @property
    def states(self) -> int:
        return sum(self.intervals.lengths) // self.unit * self.work

    def within(self, most: int | None) -> tuple[Found, bool]:
        """Return the best schedule found with at most `most` segments, and whether it is
        optimal.
        """
        intervals = cut(self.intervals, self.unit)
        found, segments = self._solve_at_price(intervals, 0)
        if most is None or segments <= most:
            return found, True
        best: Found = (inf, [])
        low, high = 0, max(map(abs, intervals.rates)) + 1
        for _ in range(PRICES):
            price = high if best[0] == inf else (low + high) // 2
            found, segments = self._solve_at_price(intervals, price)
            if segments <= most:
                high, best = price, min(best, found)
            elif best[0] == inf:
                low, high = high, high * 8
            else:
                low = price
            if segments == most:
                return found, True
        return best, False

    def layered(self, most: int | None) -> int:
        """Return how many states it takes to count the segments."""
        return self.states * min(most or 1, self.work + 1)

    def counted(self, most: int | None) -> Found:
        """Return the best schedule with at most `most` segments, each counted."""
        intervals = cut(self.intervals, self.unit)
        most = None if most is None else min(most, self.work + 1)
        limits = Limits(1, 0, most, None, 0, 0, 0, ())
        total, found = by_limits(self._units(intervals, 0), self.work, limits)
        spans = [(intervals.starts[each.start], intervals.ends[each.end - 1]) for each in found]
        return total * self.unit, spans

    def _solve_at_price(self, intervals: Intervals, price: int) -> tuple[Found, int]:
        """Solve with `price` on each further segment; the cost is without the price.

        Also return the number of segments, one that already runs counted even if it stops.
        """
        total, taken = by_rows(self._units(intervals, price), self.work)
        spans = merged((intervals.starts[u], intervals.ends[u]) for u in taken)
        state = self.state
        stopped = state.running and bool(spans) and spans[0][0] != state.at
        segments = len(spans) + stopped
        return ((total - price * (segments - 1)) * self.unit, spans), segments

    def _units(self, intervals: Intervals, price: int) -> Units:
        """Return the units of `intervals`, each `unit` long, with `price` on each further
        segment.
        """
        state = self.state
        pause = overhead_costs(intervals.rates, self.job.pause_cost, self.job)
        restart = overhead_costs(intervals.rates, self.job.restart_cost, self.job)
        touching = intervals.starts[0] if intervals.starts[0] == state.at else None
        before = [touching, *intervals.ends[:-1]]
        breaks = [start != end for start, end in zip(intervals.starts, before, strict=True)]
        again = at_edges(restart, breaks, self.unit, after=True)
        first: Sequence[float] = again if state.started else [0.0] * len(again)
        return Units(
            costs=[float(rate) for rate in intervals.rates],
            breaks=breaks,
            pause=at_edges(pause, breaks, self.unit, after=False),
            restart=[each + price for each in again] if price else again,
            first=[inf] * len(again) if state.running else first,
            running=state.running,
        )


def cut(intervals: Intervals, unit: int) -> Intervals:
    """Return the intervals cut into parts of `unit`, of which each is a multiple."""
    if intervals.step == unit:
        return intervals
    found = Intervals([], [], [])
    for start, end, rate in zip(intervals.starts, intervals.ends, intervals.rates, strict=True):
        found.starts.extend(range(start, end, unit))
        found.ends.extend(range(start + unit, end + 1, unit))
        found.rates.extend([rate] * ((end - start) // unit))
    return found


def whole_units(intervals: Intervals) -> tuple[Intervals, int]:
    """Return the intervals without the remainder at bounds, and the unit.

    The unit is what the intervals have in common that no bound has cut.
    """
    starts, ends = set(intervals.starts), set(intervals.ends)
    inner = [
        end - start
        for start, end in zip(intervals.starts, intervals.ends, strict=True)
        if start in ends and end in starts
    ]
    unit = gcd(*inner) or max(intervals.lengths)
    found = Intervals([], [], [])
    for start, end, rate in zip(intervals.starts, intervals.ends, intervals.rates, strict=True):
        over = (end - start) % unit
        if end - start > over:
            # Cut at the side of the bound: at the front unless something touches there.
            first = start + over if start not in ends else start
            found.starts.append(first)
            found.ends.append(first + end - start - over)
            found.rates.append(rate)
    return found, unit


def _uneven_grid(
    intervals: Intervals, job: Job, state: JobState, most: int | None, bound: float
) -> UnevenGrid:
    pause = overhead_costs(intervals.rates, job.pause_cost, job)
    restart = overhead_costs(intervals.rates, job.restart_cost, job)
    return UnevenGrid(
        intervals,
        [SiteCosts(intervals.rates, pause, restart, move=[0] * len(pause))],
        work=job.work,
        most=most,
        bound=bound + abs(bound) * NEAR + 1,
        current_site=0,
        started=state.started,
        running=state.running,
        touching=intervals.starts[0] == state.at,
    )
