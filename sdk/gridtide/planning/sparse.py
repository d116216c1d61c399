"""As `rows`, for cells of any lengths, any amount of work and several sites. Exact.

Without limits on the length of pieces, moving a start or an end inside a cell changes the cost
in proportion. So there is a best way in which all of them lie on edges of cells but one, and
the cell with that one takes up what whole cells leave over. The programme goes cell by cell
through the work that whole cells, and one part at most, can add up to.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import NamedTuple

from gridtide.planning.curve import Cells
from gridtide.planning.errors import TooFine

MOST_SUMS = 5_000


class Track(NamedTuple):
    """One site, by cell: all in steps of rate, PUE included, x microseconds where not said.

    `rates` are steps alone, ``None`` where it may not run there; `pause` is of stopping in or
    right after a cell, `restart` and `first` of starting in it, `move` of one end of a move.
    """

    rates: Sequence[int | None]
    pause: Sequence[int]
    restart: Sequence[int]
    first: Sequence[int]
    move: Sequence[int]


class State(NamedTuple):
    """Between two cells: where, work done, whether the part is used, pieces begun, running.

    Pieces are told apart only where their number is limited. `site` is -1 before the first
    start of a job that has no home.
    """

    site: int
    done: int
    parted: bool
    pieces: int
    running: bool


class Use(NamedTuple):
    """A cell, or its beginning or end, used at a site."""

    start: int
    end: int
    site: int


class Way(NamedTuple):
    """What it counts to come to a state, and how: the use that led there and the way before."""

    cost: float
    use: Use | None
    before: Way | None


@dataclass(frozen=True)
class Ragged:
    """One question.

    Attributes:
        cells: where the job may run, each with its least rate over all sites.
        tracks: the sites.
        work: microseconds.
        most: most pieces, a move beginning one; ``None`` for any number.
        bound: the cost of some way, in steps x microseconds; dearer ways are not followed.
        home: the site at which it is, or -1.
        stop: what it counts to stop before the first cell, for a job that runs already.
        touching: whether that job runs right up to the first cell.
        through: whether it must not stand still between its start and its end.
    """

    cells: Cells
    tracks: Sequence[Track]
    work: int
    most: int | None = None
    bound: float = inf
    home: int = -1
    stop: int | None = None
    touching: bool = False
    through: bool = False

    def cheapest(self) -> tuple[float, list[Use]]:
        """Least cost, and what is used, ascending; infinite where there is no way.

        Raises:
            TooFine: the lengths of the cells add up in too many ways.
        """
        cells, best = self.cells, Way(inf, None, None)
        runs = self.stop is not None
        begin = State(self.home, done=0, parted=False, pieces=int(runs), running=runs)
        ways = {begin: Way(0, None, None)}
        for i, start in enumerate(cells.starts):
            touching = cells.ends[i - 1] == start if i else self.touching
            self._stop(ways, i, touching=touching)
            after: dict[State, Way] = {}
            for state, way in ways.items():
                if way.cost + self._at_least(i, state) > min(self.bound, best.cost):
                    continue
                for following, next_way in self._uses(i, state, way):
                    if following.done == self.work:
                        if next_way.cost < best.cost:
                            best = next_way
                    elif following not in after or next_way.cost < after[following].cost:
                        after[following] = next_way
            ways = after
        return best.cost, _uses_of(best)

    def _stop(self, ways: dict[State, Way], i: int, *, touching: bool) -> None:
        """Beside each running state the one that stops right before cell `i`."""
        for state, way in [pair for pair in ways.items() if pair[0].running]:
            if touching or not self.through:
                pause = self.tracks[state.site].pause[i - 1] if i else self.stop or 0
                stopped = state._replace(running=False)
                stopping = way._replace(cost=way.cost + pause)
                if stopped not in ways or stopping.cost < ways[stopped].cost:
                    ways[stopped] = stopping
            if not touching:
                del ways[state]

    def _uses(self, i: int, state: State, way: Way) -> Iterator[tuple[State, Way]]:
        """All that can be done in cell `i`."""
        if state.running:
            rate = self.tracks[state.site].rates[i]
            if rate is not None:
                yield from self._used(i, state, way, way.cost, rate)
            return
        if not (self.through and state.pieces):
            yield state, way
        if state.pieces == self.most:
            return
        pieces = 1 if self.most is None else state.pieces + 1
        for site, track in enumerate(self.tracks):
            rate = track.rates[i]
            if rate is None:
                continue
            cost = way.cost + (track.restart[i] if state.pieces else track.first[i])
            if state.site not in (site, -1):
                cost += track.move[i] + self.tracks[state.site].move[i]
            yield from self._used(i, state._replace(site=site, pieces=pieces), way, cost, rate)

    def _used(
        self, i: int, state: State, way: Way, cost: float, rate: int
    ) -> Iterator[tuple[State, Way]]:
        """All ways to run in cell `i` at the state's site, from `cost` on."""
        start, end = self.cells.starts[i], self.cells.ends[i]
        site, done, parted, pieces, running = state
        if done + end - start <= self.work:
            used = Way(cost + rate * (end - start), Use(start, end, site), way)
            yield State(site, done + end - start, parted, pieces, running=True), used
        if parted:
            return
        for length in self._parts(i, done):
            total, reached = cost + rate * length, done + length
            ends = reached == self.work
            if ends or not self.through:
                stop = 0 if ends else self.tracks[site].pause[i]
                used = Way(total + stop, Use(start, start + length, site), way)
                yield State(site, reached, parted=True, pieces=pieces, running=False), used
            if not running and not (self.through and done):
                used = Way(total, Use(end - length, end, site), way)
                yield State(site, reached, parted=True, pieces=pieces, running=True), used

    def _parts(self, i: int, done: int) -> list[int]:
        """Lengths less than cell `i` that later whole cells make up to the work."""
        left, sums = self.work - done, self._sums[i + 1]
        low = bisect_right(sums, left - (self.cells.ends[i] - self.cells.starts[i]))
        return [left - later for later in sums[low : bisect_left(sums, left)]]

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
