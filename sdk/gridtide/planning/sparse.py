"""As `rows`, for cells of any lengths and any amount of work. Exact to the microsecond.

Without limits on the length of pieces, moving a start or an end inside a cell changes the cost
in proportion. So there is a best way in which all of them lie on edges of cells but one, and
the cell with that one takes up what whole cells leave over. The programme goes cell by cell
through the work that whole cells, and one part at most, can add up to.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import NamedTuple

from gridtide.planning.curve import Cells
from gridtide.planning.errors import TooFine

MOST_SUMS = 5_000


class State(NamedTuple):
    """Between two cells: work done, whether the part is used, pieces begun, running or not.

    Pieces are told apart only where their number is limited.
    """

    done: int
    parted: bool
    pieces: int
    running: bool


class Way(NamedTuple):
    """What it counts to come to a state, and how: the use that led there and the way before."""

    cost: float
    use: tuple[int, int] | None
    before: Way | None


@dataclass(frozen=True)
class Ragged:
    """One question.

    Attributes:
        cells: where the job may run.
        pause: what it counts to stop in or right after each cell.
        restart: what it counts to start again in each cell.
        first: what it counts to start for the first time in each.
        work: microseconds.
        most: most pieces; ``None`` for any number.
        bound: the cost of some way, in steps x microseconds; dearer ways are not followed.
        stop: what it counts to stop before the first cell, for a job that runs already.
        touching: whether that job runs right up to the first cell.
    """

    cells: Cells
    pause: list[int]
    restart: list[int]
    first: list[int]
    work: int
    most: int | None = None
    bound: float = inf
    stop: int | None = None
    touching: bool = False

    def cheapest(self) -> tuple[float, list[tuple[int, int]]]:
        """Least cost, and the spans of time used, ascending; infinite where there is no way.

        Raises:
            TooFine: the lengths of the cells add up in too many ways.
        """
        cells, best = self.cells, Way(inf, None, None)
        runs = self.stop is not None
        begin = State(done=0, parted=False, pieces=1 if runs else 0, running=runs)
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
        return best.cost, _spans(best)

    def _stop(self, ways: dict[State, Way], i: int, *, touching: bool) -> None:
        """Beside each running state the one that stops right before cell `i`."""
        pause = self.pause[i - 1] if i else self.stop or 0
        for state, way in [pair for pair in ways.items() if pair[0].running]:
            stopped = state._replace(running=False)
            stopping = way._replace(cost=way.cost + pause)
            if stopped not in ways or stopping.cost < ways[stopped].cost:
                ways[stopped] = stopping
            if not touching:
                del ways[state]

    def _uses(self, i: int, state: State, way: Way) -> Iterator[tuple[State, Way]]:
        """All that can be done in cell `i`."""
        cells, (done, parted, pieces, running) = self.cells, state
        start, end, rate = cells.starts[i], cells.ends[i], cells.rates[i]
        cost = way.cost
        if not running:
            yield state, way
            if pieces == self.most:
                return
            cost += self.restart[i] if pieces else self.first[i]
            pieces = 1 if self.most is None else pieces + 1
        if done + end - start <= self.work:
            used = Way(cost + rate * (end - start), (start, end), way)
            yield State(done + end - start, parted, pieces, running=True), used
        if parted:
            return
        for length in self._parts(i, done):
            total, reached = cost + rate * length, done + length
            stop = 0 if reached == self.work else self.pause[i]
            yield (
                State(reached, parted=True, pieces=pieces, running=False),
                Way(total + stop, (start, start + length), way),
            )
            if not running:
                used = Way(total, (end - length, end), way)
                yield State(reached, parted=True, pieces=pieces, running=True), used

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
            more = {
                *found[-1],
                *(each + length for each in found[-1] if each + length <= self.work),
            }
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


def _spans(way: Way) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at: Way | None = way
    while at is not None:
        if at.use is not None:
            spans.append(at.use)
        at = at.before
    spans.reverse()
    return spans
