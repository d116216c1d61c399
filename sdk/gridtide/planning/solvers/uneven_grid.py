"""As `rows`, for cells of any lengths, any amount of work and several sites. Exact.

Without limits on the length of pieces, moving a start or an end inside a cell changes the cost
in proportion. So there is a best way in which all of them lie on edges of cells but one, and
the cell with that one takes up what whole cells leave over. The programme goes cell by cell
through the work that whole cells, and one part at most, can add up to.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf

from gridtide.planning.errors import TooFine
from gridtide.planning.solvers.cancellation import go_on
from gridtide.planning.solvers.costs import Cells
from gridtide.planning.solvers.transitions import ONWARDS, Start, State, Track, Use, Way

MOST_SUMS = 5_000
# A few seconds.
MOST_WAYS = 400_000


@dataclass
class Ragged:
    """One question.

    Attributes:
        cells: where the job may run, each with its least rate over all sites.
        tracks: the sites.
        work: microseconds.
        most: most pieces, a move beginning one; ``None`` for any number.
        bound: the cost of some way, in steps x microseconds; dearer ways are not followed.
        home: the site at which it is, or -1.
        started: whether it ran before, so that its first start is a restart.
        running: whether it runs already.
        touching: whether it runs right up to the first cell.
        through: whether it must not stand still between its start and its end.
    """

    cells: Cells
    tracks: Sequence[Track]
    work: int
    most: int | None = None
    bound: float = inf
    home: int = -1
    started: bool = False
    running: bool = False
    touching: bool = False
    through: bool = False
    # What was worked out for the cell at hand.
    _begins: dict[tuple[bool, bool, int, int], Start] = field(default_factory=dict)
    _fits: dict[int, list[int]] = field(default_factory=dict)

    def cheapest(self) -> tuple[float, list[Use]]:
        """Least cost, and what is used, ascending; infinite where there is no way.

        Raises:
            TooFine: the lengths of the cells add up in too many ways, or there are too many
                to follow.
        """
        cells, best, followed = self.cells, Way(inf), 0
        runs = self.running
        begin = State(self.home, done=0, parted=False, pieces=int(runs), running=runs)
        ways = {begin: Way(0)}
        for i, start in enumerate(cells.starts):
            touching = cells.ends[i - 1] == start if i else self.touching
            after: dict[State, Way] = {}
            followed += len(ways) * len(self.tracks)
            if followed > MOST_WAYS:
                raise TooFine(
                    f"an exact plan in pieces, or one that moves, follows over {MOST_WAYS:,} "
                    "ways; give earliest, deadline, duration and blackouts in multiples of "
                    "the slots, a nearer deadline, or fewer regions"
                )
            self._begins.clear()
            self._fits.clear()
            for state, way in ways.items():
                go_on()
                if way.cost + self._at_least(i, state) > min(self.bound, best.cost):
                    continue
                for following, next_way in self._uses(i, state, way, touching=touching):
                    if following.done == self.work:
                        if next_way.cost < best.cost:
                            best = next_way
                    elif following not in after or next_way.cost < after[following].cost:
                        after[following] = next_way
            ways = after
        return best.cost, _uses_of(best)

    def _uses(
        self, i: int, state: State, way: Way, *, touching: bool
    ) -> Iterator[tuple[State, Way]]:
        """All that can be done in cell `i`, which may touch the one before."""
        if not state.running:
            yield state, way
            yield from self._starts(i, state, way, touching=touching, edge=True)
            return
        site = state.site
        if touching:
            rate = self.tracks[site].rates[i]
            if rate is not None:
                yield from self._from_edge(i, state, way, ONWARDS, rate)
            if len(self.tracks) > 1 and state.pieces != self.most:
                yield from self._switches(i, state, way)
        if not self.through:
            pause, cell = self._pause(i, site, touching=touching)
            stopped = state._replace(running=False)
            stopping = way._replace(cost=way.cost + pause, stopped=cell)
            yield stopped, stopping
            yield from self._starts(i, stopped, stopping, touching=touching, edge=not touching)

    def _starts(
        self, i: int, state: State, way: Way, *, touching: bool, edge: bool
    ) -> Iterator[tuple[State, Way]]:
        """Starting inside cell `i`, and with `edge` at its beginning."""
        if state.pieces == self.most:
            return
        pieces = 1 if self.most is None else state.pieces + 1
        for site, track in enumerate(self.tracks):
            rate = track.rates[i]
            if rate is None:
                continue
            there = State(site, state.done, state.parted, pieces, state.running)
            if edge:
                start = self._begin(i, state, site, touching=touching)
                yield from self._from_edge(i, there, way, start, rate)
            if not state.parted and self._parts(i, state.done):
                start = self._begin(i, state, site, touching=False)
                yield from self._from_inside(i, there, way, start, rate)

    def _switches(self, i: int, state: State, way: Way) -> Iterator[tuple[State, Way]]:
        """Moving right before cell `i` without standing still: a stop, a move and a start."""
        pieces = 1 if self.most is None else state.pieces + 1
        origin, sooner = self.tracks[state.site], max(0, i - 1)
        for site, track in enumerate(self.tracks):
            rate = track.rates[i]
            if site == state.site or rate is None:
                continue
            # A moment before the edge or after it, in this order; each where the job may run.
            orders = [(sooner, sooner, i), (sooner, i, i)]
            if track.rates[sooner] is not None:
                orders.append((sooner, sooner, sooner))
            if origin.rates[i] is not None:
                orders.append((i, i, i))
            costs = (
                (origin.pause[a] + origin.move[b] + track.move[b] + track.restart[c], a, b, c)
                for a, b, c in orders
            )
            cost, stopped, *cells = min(costs)
            there = state._replace(site=site, pieces=pieces, running=False)
            stopping = way._replace(stopped=stopped)
            yield from self._from_edge(i, there, stopping, Start(cost, *cells), rate)

    def _pause(self, i: int, site: int, *, touching: bool) -> tuple[int, int]:
        """Stopping right before cell `i`, in the cheaper cell where both are there; which."""
        track, cells = self.tracks[site], [max(0, i - 1)]
        if touching and track.rates[i] is not None:
            cells.append(i)
        return min((track.pause[cell], cell) for cell in cells)

    def _begin(self, i: int, state: State, site: int, *, touching: bool) -> Start:
        """Starting at `site` in cell `i`, or with `touching` right before it, having stood."""
        begun, origin = state.pieces > 0, state.site
        key = touching, begun, origin, site
        if key not in self._begins:
            best = self._best_begin(i, origin, site, touching=touching, begun=begun)
            self._begins[key] = best
        return self._begins[key]

    def _best_begin(
        self, i: int, origin: int, site: int, *, touching: bool, begun: bool
    ) -> Start:
        track = self.tracks[site]
        sooner = i - 1 if touching and i else i
        cells = {i, sooner} if track.rates[sooner] is not None else {i}
        again = {c: track.restart[c] if begun or self.started else 0 for c in cells}
        if origin in (site, -1):
            return min(Start(again[c], -1, c) for c in cells)
        left = self.tracks[origin]
        found = [
            Start(left.move[b] + track.move[b] + again[c], b, c)
            for b in {i, sooner}
            for c in cells
            if b <= c
        ]
        if not begun:
            # Data may also be moved right now, long before the first start.
            found += [Start(track.upfront + again[c], -1, c) for c in cells]
        return min(found)

    def _from_edge(
        self, i: int, state: State, way: Way, begin: Start, rate: int
    ) -> Iterator[tuple[State, Way]]:
        """Running from the beginning of cell `i`: all of it, or the part that is left over."""
        start, end = self.cells.starts[i], self.cells.ends[i]
        site, done, parted, pieces, _ = state
        cost, *cells = begin
        cost += way.cost
        cells.insert(0, way.stopped if begin.begun >= 0 else -1)
        if done + end - start <= self.work:
            used = Way(cost + rate * (end - start), Use(start, end, site, *cells), way)
            yield State(site, done + end - start, parted, pieces, running=True), used
        if parted:
            return
        for length in self._parts(i, done):
            total, reached = cost + rate * length, done + length
            ends = reached == self.work
            if ends or not self.through:
                stop = 0 if ends else self.tracks[site].pause[i]
                used = Way(total + stop, Use(start, start + length, site, *cells), way, i)
                yield State(site, reached, parted=True, pieces=pieces, running=False), used

    def _from_inside(
        self, i: int, state: State, way: Way, begin: Start, rate: int
    ) -> Iterator[tuple[State, Way]]:
        """Running to the end of cell `i` for the part that is left over."""
        end, site = self.cells.ends[i], state.site
        cost, *cells = begin
        cells.insert(0, way.stopped)
        for length in self._parts(i, state.done):
            total = way.cost + cost + rate * length
            used = Way(total, Use(end - length, end, site, *cells), way)
            reached = state.done + length
            yield State(site, reached, parted=True, pieces=state.pieces, running=True), used

    def _parts(self, i: int, done: int) -> list[int]:
        """Lengths less than cell `i` that later whole cells make up to the work."""
        if done not in self._fits:
            left, sums = self.work - done, self._sums[i + 1]
            low = bisect_right(sums, left - (self.cells.ends[i] - self.cells.starts[i]))
            self._fits[done] = [left - later for later in sums[low : bisect_left(sums, left)]]
        return self._fits[done]

    def _at_least(self, i: int, state: State) -> float:
        """No way to do the rest of the work from cell `i` on counts less."""
        price, worth = self._price
        return price * (self.work - state.done) - worth[i]

    @cached_property
    def _sums(self) -> list[list[int]]:
        """What whole cells from each on can add up to, ascending."""
        found = [[0]]
        for length in reversed(self.cells.lengths):
            longer = (each + length for each in found[-1] if each + length <= self.work)
            more = {*found[-1], *longer}
            if len(more) > MOST_SUMS:
                raise TooFine(
                    "slots, bounds and the duration share too small a step for an exact plan "
                    "in pieces; give earliest, deadline, duration and blackouts in whole "
                    "minutes"
                )
            found.append(found[-1] if len(more) == len(found[-1]) else sorted(more))
        found.reverse()
        return found

    @cached_property
    def _price(self) -> tuple[int, list[int]]:
        """A rate, and what all cells from each on are worth at it: the excess over their own.

        Work from cells at that rate, less the worth of the cells, bounds any choice of them.
        """
        cells, left, price = self.cells, self.work, 0
        for i in cells.order:
            price = cells.rates[i]
            left -= cells.lengths[i]
            if left <= 0:
                break
        worth = [0]
        for rate, length in zip(reversed(cells.rates), reversed(cells.lengths), strict=True):
            worth.append(worth[-1] + max(0, price - rate) * length)
        worth.reverse()
        return price, worth


def _uses_of(way: Way) -> list[Use]:
    uses: list[Use] = []
    at: Way | None = way
    while at is not None:
        if at.use is not None:
            uses.append(at.use)
        at = at.before
    uses.reverse()
    return uses
