"""As `grid`, for intervals of any length, any amount of work and several sites. Exact.

Without limits on the length of segments, moving a start or an end inside an interval changes
the cost in proportion. So in some optimum all of them but one lie on edges of intervals, and
the interval with that one takes up what whole intervals leave over. The dynamic programme goes
through the amounts of work that whole intervals, and at most one part, add up to.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import NamedTuple

from gridtide.planning.errors import TooFine
from gridtide.planning.solvers.cancellation import check_cancelled
from gridtide.planning.solvers.costs import Intervals

MOST_SUMS = 5_000
# A few seconds.
MOST_PATHS = 400_000


class SiteCosts(NamedTuple):
    """Costs of one site by interval, PUE included, in rate x microseconds unless noted.

    `rates` are rates alone, ``None`` where the job may not run; `pause` is the cost of stopping
    in an interval, `restart` of starting again in it, `move` of one end of a move in it;
    `upfront` is the cost of moving there from the current site right now, before the first
    start.
    """

    rates: Sequence[int | None]
    pause: Sequence[int]
    restart: Sequence[int]
    move: Sequence[int]
    upfront: int = 0


class State(NamedTuple):
    """State between two intervals: site, work done, whether the partial interval is used,
    segments.

    Segments are counted only where their number is limited. `site` is -1 before the first start
    of a job that has no current site.
    """

    site: int
    done: int
    parted: bool
    segments: int
    running: bool


class Use(NamedTuple):
    """An interval, or its beginning or end, used at a site.

    Where the job starts with it: the intervals in which it stopped before, moved and starts; -1
    where it did not stop, move or start.
    """

    start: int
    end: int
    site: int
    stopped: int = -1
    moved: int = -1
    begun: int = -1


class Path(NamedTuple):
    """Cost of reaching a state, with the use that led there and the path before it.

    `stopped` is the interval in which the job stopped, if it is paused.
    """

    cost: float
    use: Use | None = None
    before: Path | None = None
    stopped: int = -1  # by itself, or before a move


class Start(NamedTuple):
    """Cost of starting, and the intervals in which the job moves and starts; -1 for neither."""

    cost: float
    moved: int
    begun: int


CONTINUE = Start(0, -1, -1)


@dataclass
class UnevenGrid:
    """One problem over intervals of any length.

    Attributes:
        intervals: where the job may run, each with its lowest rate over all sites.
        site_costs: the sites.
        work: microseconds.
        most: most segments, a move beginning one; ``None`` for any number.
        bound: cost of a known schedule, rate x microseconds; dearer paths are not followed.
        current_site: the site at which the job is, or -1.
        started: whether it ran before, so that its first start is a restart.
        running: whether it already runs.
        touching: whether it runs right up to the first interval.
        through: whether it must not pause between its start and its end.
    """

    intervals: Intervals
    site_costs: Sequence[SiteCosts]
    work: int
    most: int | None = None
    bound: float = inf
    current_site: int = -1
    started: bool = False
    running: bool = False
    touching: bool = False
    through: bool = False
    # Computed for the present interval.
    _begins: dict[tuple[bool, bool, int, int], Start] = field(default_factory=dict)
    _fits: dict[int, list[int]] = field(default_factory=dict)

    def cheapest(self) -> tuple[float, list[Use]]:
        """Return the least cost and the uses, ascending; infinite where it is infeasible.

        Raises:
            TooFine: the lengths of the intervals have too many different sums, or too many
                paths have to be followed.
        """
        intervals, best, followed = self.intervals, Path(inf), 0
        runs = self.running
        begin = State(self.current_site, done=0, parted=False, segments=int(runs), running=runs)
        paths = {begin: Path(0)}
        for i, start in enumerate(intervals.starts):
            touching = intervals.ends[i - 1] == start if i else self.touching
            after: dict[State, Path] = {}
            followed += len(paths) * len(self.site_costs)
            if followed > MOST_PATHS:
                raise TooFine(
                    f"an exact plan in segments, or with moves, follows over {MOST_PATHS:,} "
                    "paths; give earliest, deadline, duration and blackouts in multiples of "
                    "the slots, a nearer deadline, or fewer regions"
                )
            self._begins.clear()
            self._fits.clear()
            for state, path in paths.items():
                check_cancelled()
                if path.cost + self._at_least(i, state) > min(self.bound, best.cost):
                    continue
                for following, next_path in self._uses(i, state, path, touching=touching):
                    if following.done == self.work:
                        if next_path.cost < best.cost:
                            best = next_path
                    elif following not in after or next_path.cost < after[following].cost:
                        after[following] = next_path
            paths = after
        return best.cost, _uses_of(best)

    def _uses(
        self, i: int, state: State, path: Path, *, touching: bool
    ) -> Iterator[tuple[State, Path]]:
        """Yield all transitions in interval `i`, which may touch the one before."""
        if not state.running:
            yield state, path
            yield from self._starts(i, state, path, touching=touching, edge=True)
            return
        site = state.site
        if touching:
            rate = self.site_costs[site].rates[i]
            if rate is not None:
                yield from self._from_edge(i, state, path, CONTINUE, rate)
            if len(self.site_costs) > 1 and state.segments != self.most:
                yield from self._switches(i, state, path)
        if not self.through:
            pause, interval = self._pause(i, site, touching=touching)
            stopped = state._replace(running=False)
            stopping = path._replace(cost=path.cost + pause, stopped=interval)
            yield stopped, stopping
            yield from self._starts(i, stopped, stopping, touching=touching, edge=not touching)

    def _starts(
        self, i: int, state: State, path: Path, *, touching: bool, edge: bool
    ) -> Iterator[tuple[State, Path]]:
        """Yield starts inside interval `i`, and with `edge` at its beginning."""
        if state.segments == self.most:
            return
        segments = 1 if self.most is None else state.segments + 1
        for site, here in enumerate(self.site_costs):
            rate = here.rates[i]
            if rate is None:
                continue
            there = State(site, state.done, state.parted, segments, state.running)
            if edge:
                start = self._begin(i, state, site, touching=touching)
                yield from self._from_edge(i, there, path, start, rate)
            if not state.parted and self._parts(i, state.done):
                start = self._begin(i, state, site, touching=False)
                yield from self._from_inside(i, there, path, start, rate)

    def _switches(self, i: int, state: State, path: Path) -> Iterator[tuple[State, Path]]:
        """Yield moves right before interval `i` without a pause."""
        segments = 1 if self.most is None else state.segments + 1
        origin, sooner = self.site_costs[state.site], max(0, i - 1)
        for site, here in enumerate(self.site_costs):
            rate = here.rates[i]
            if site == state.site or rate is None:
                continue
            # A moment before the edge or after it, in this order; each where the job may run.
            orders = [(sooner, sooner, i), (sooner, i, i)]
            if here.rates[sooner] is not None:
                orders.append((sooner, sooner, sooner))
            if origin.rates[i] is not None:
                orders.append((i, i, i))
            costs = (
                (
                    origin.pause[a] + origin.move[b] + here.move[b] + here.restart[c],
                    a,
                    b,
                    c,
                )
                for a, b, c in orders
            )
            cost, stopped, *intervals = min(costs)
            there = state._replace(site=site, segments=segments, running=False)
            stopping = path._replace(stopped=stopped)
            yield from self._from_edge(i, there, stopping, Start(cost, *intervals), rate)

    def _pause(self, i: int, site: int, *, touching: bool) -> tuple[int, int]:
        """Return the cost of stopping before interval `i`, and the interval it is in."""
        here, intervals = self.site_costs[site], [max(0, i - 1)]
        if touching and here.rates[i] is not None:
            intervals.append(i)
        return min((here.pause[interval], interval) for interval in intervals)

    def _begin(self, i: int, state: State, site: int, *, touching: bool) -> Start:
        """Return the start at `site` in interval `i`, or with `touching` right before it."""
        begun, origin = state.segments > 0, state.site
        key = touching, begun, origin, site
        if key not in self._begins:
            best = self._best_begin(i, origin, site, touching=touching, begun=begun)
            self._begins[key] = best
        return self._begins[key]

    def _best_begin(
        self, i: int, origin: int, site: int, *, touching: bool, begun: bool
    ) -> Start:
        here = self.site_costs[site]
        sooner = i - 1 if touching and i else i
        intervals = {i, sooner} if here.rates[sooner] is not None else {i}
        again = {c: here.restart[c] if begun or self.started else 0 for c in intervals}
        if origin in (site, -1):
            return min(Start(again[c], -1, c) for c in intervals)
        left = self.site_costs[origin]
        found = [
            Start(left.move[b] + here.move[b] + again[c], b, c)
            for b in {i, sooner}
            for c in intervals
            if b <= c
        ]
        if not begun:
            # Data may also be moved right now, long before the first start.
            found += [Start(here.upfront + again[c], -1, c) for c in intervals]
        return min(found)

    def _from_edge(
        self, i: int, state: State, path: Path, begin: Start, rate: int
    ) -> Iterator[tuple[State, Path]]:
        """Yield runs from the start of interval `i`: all of it, or the part left."""
        start, end = self.intervals.starts[i], self.intervals.ends[i]
        site, done, parted, segments, _ = state
        cost, *intervals = begin
        cost += path.cost
        intervals.insert(0, path.stopped if begin.begun >= 0 else -1)
        if done + end - start <= self.work:
            used = Path(cost + rate * (end - start), Use(start, end, site, *intervals), path)
            yield State(site, done + end - start, parted, segments, running=True), used
        if parted:
            return
        for length in self._parts(i, done):
            total, reached = cost + rate * length, done + length
            ends = reached == self.work
            if ends or not self.through:
                stop = 0 if ends else self.site_costs[site].pause[i]
                used = Path(total + stop, Use(start, start + length, site, *intervals), path, i)
                yield State(site, reached, parted=True, segments=segments, running=False), used

    def _from_inside(
        self, i: int, state: State, path: Path, begin: Start, rate: int
    ) -> Iterator[tuple[State, Path]]:
        """Yield the run to the end of interval `i` for the part that is left over."""
        end, site = self.intervals.ends[i], state.site
        cost, *intervals = begin
        intervals.insert(0, path.stopped)
        for length in self._parts(i, state.done):
            total = path.cost + cost + rate * length
            used = Path(total, Use(end - length, end, site, *intervals), path)
            reached = state.done + length
            yield State(site, reached, parted=True, segments=state.segments, running=True), used

    def _parts(self, i: int, done: int) -> list[int]:
        """Return lengths below interval `i` that whole intervals complete."""
        if done not in self._fits:
            left, sums = self.work - done, self._sums[i + 1]
            low = bisect_right(sums, left - (self.intervals.ends[i] - self.intervals.starts[i]))
            self._fits[done] = [left - later for later in sums[low : bisect_left(sums, left)]]
        return self._fits[done]

    def _at_least(self, i: int, state: State) -> float:
        """Return a lower bound on the cost of the rest of the work from interval `i` on."""
        price, worth = self._price
        return price * (self.work - state.done) - worth[i]

    @cached_property
    def _sums(self) -> list[list[int]]:
        """Sums of whole intervals from each one on, ascending."""
        found = [[0]]
        for length in reversed(self.intervals.lengths):
            longer = (each + length for each in found[-1] if each + length <= self.work)
            more = {*found[-1], *longer}
            if len(more) > MOST_SUMS:
                raise TooFine(
                    "slots, bounds and the duration share too small a step for an exact plan "
                    "in segments; give earliest, deadline, duration and blackouts in whole "
                    "minutes"
                )
            found.append(found[-1] if len(more) == len(found[-1]) else sorted(more))
        found.reverse()
        return found

    @cached_property
    def _price(self) -> tuple[int, list[int]]:
        """A rate, and the worth at it of all intervals from each one on.

        Remaining work at that rate, less the worth, bounds any choice of intervals.
        """
        intervals, left, price = self.intervals, self.work, 0
        for i in intervals.order:
            price = intervals.rates[i]
            left -= intervals.lengths[i]
            if left <= 0:
                break
        worth = [0]
        for rate, length in zip(
            reversed(intervals.rates), reversed(intervals.lengths), strict=True
        ):
            worth.append(worth[-1] + max(0, price - rate) * length)
        worth.reverse()
        return price, worth


def _uses_of(path: Path) -> list[Use]:
    uses: list[Use] = []
    at: Path | None = path
    while at is not None:
        if at.use is not None:
            uses.append(at.use)
        at = at.before
    uses.reverse()
    return uses
