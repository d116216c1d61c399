"""As `rows`, with limits: shortest and most pieces, marks, time lost, power over the progress.

Exact on equal units that every edge, limit and time is a whole number of: what holds a start or
an end in its place there is a difference of whole numbers. Time is counted in points between
units, work in units done. What a row of running states says is less what running has counted
since the work began, so that running on is a shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from operator import lt
from typing import NamedTuple

from gridtide.planning.solvers.cancellation import go_on
from gridtide.planning.solvers.grid import Units

Rows = list[list[float]]  # by layer, by work done


@dataclass(frozen=True)
class Limits:
    """What pieces keep to, in units. `Units` then says what a whole pause or restart counts
    that begins at each point, ``inf`` where there is no room for it.

    Attributes:
        shortest: least units of work in a piece, 1 or more.
        left: units that a job which runs already must run on before it may pause.
        most: most pieces, one that runs already counted; ``None`` for any number.
        marks: work done at which it may pause; ``None`` for all.
        pause_time: units without progress after a piece but the last.
        restart_time: units without progress before a piece but the first.
        first_time: the same before the first.
        weights: power of each unit of work, the most being 1.
    """

    shortest: int
    left: int
    most: int | None
    marks: Sequence[int] | None
    pause_time: int
    restart_time: int
    first_time: int
    weights: Sequence[float]


class Piece(NamedTuple):
    """A start at point `begins`, work from point `start` to point `end`."""

    begins: int
    start: int
    end: int


def cheapest(units: Units, work: int, limits: Limits) -> tuple[float, list[Piece]]:
    """Least cost and the pieces, ascending; infinite where there is no way."""
    return _Programme(units, work, limits).solve()


class _Programme:
    """The rows of one question, and which choice made each of their values."""

    def __init__(self, units: Units, work: int, limits: Limits) -> None:
        self.units, self.work, self.limits = units, work, limits
        self.layers = range(limits.most or 1)
        self.up = 1 if limits.most else 0
        self.began = _began(units.breaks)
        self.on: list[Rows] = []
        self.off: list[Rows] = []
        self.spent: Rows = []
        self.starts: list[list[bytes]] = []  # by point and layer: work where a start won
        self.stops: list[list[bytes]] = []  # and where a stop did

    def solve(self) -> tuple[float, list[Piece]]:
        """Go through all points, then back from the best end."""
        limits, blank = self.limits, [inf] * (self.work + 1)
        lag = limits.shortest + max(limits.restart_time, limits.first_time)
        lag = max(lag, limits.pause_time) + 1
        best, end = inf, (0, 0)
        for point in range(len(self.units.costs) + 1):
            self.spent.append(self._spent(point))
            self.on.append([])
            self.off.append([])
            self.starts.append([])
            self.stops.append([])
            for m in self.layers:
                go_on()
                begun = self._begun(point, m)
                joins = point and not self.units.breaks[point - 1]
                past = self.on[point - 1][m] if joins else blank
                onwards = [inf, *past[:-1]]
                if self._runs_already(point, m):
                    onwards[point] = 0.0
                self.starts[point].append(bytes(map(lt, begun, onwards)))
                row = [x if x <= y else y for x, y in zip(onwards, begun, strict=True)]
                self.on[point].append(row)
                self._stop(point, m, self.off[point - 1][m] if point else blank)
                total = row[-1] + self.spent[point][-1]
                if total < best:
                    best, end = total, (point, m)
            if point > lag:
                self.on[point - lag - 1] = self.off[point - lag - 1] = []
                self.spent[point - lag - 1] = []
        return best, self._pieces(*end) if best < inf else []

    def _runs_already(self, point: int, layer: int) -> bool:
        """Whether at `point` the piece that runs already may first stop."""
        first = layer == 0 and point == self.limits.left and point <= self.work
        return first and self._reaches(point)

    def _reaches(self, point: int) -> bool:
        """Whether a job that runs already can run on up to `point`."""
        joins = point == 0 or (self.began[point - 1] == 0 and not self.units.breaks[0])
        return self.units.running and joins

    def _spent(self, point: int) -> list[float]:
        """What running the work done counted, had it ended at `point` and never paused."""
        if point == 0:
            return [0.0] * (self.work + 1)
        cost, before = self.units.costs[point - 1], self.spent[point - 1]
        weights = self.limits.weights
        if not weights:
            upto = before[0] + cost  # one power: the same for all work, and differences count
            return [upto] * (self.work + 1)
        return [0.0, *(x + cost * weight for x, weight in zip(before, weights, strict=False))]

    def _begun(self, point: int, layer: int) -> list[float]:
        """Running at `point`, its piece as short as allowed."""
        limits, work = self.limits, self.work
        row = [inf] * (work + 1)
        start = point - limits.shortest
        if start < 0 or limits.shortest > work:
            return row
        spent, began = self.spent[start], self.began[point - 1]
        point_before = start - limits.restart_time
        if point_before >= began and layer >= self.up:
            restart = self.units.restart[point_before]
            before = self.off[point_before][layer - self.up]
            row[limits.shortest :] = [
                x + restart - y for x, y in zip(before, spent, strict=True)
            ][: work + 1 - limits.shortest]
        point_before = start - limits.first_time
        if point_before >= began and layer == 0 and not self.units.running:
            row[limits.shortest] = self.units.first[point_before] - spent[0]
        return row

    def _stop(self, point: int, layer: int, stay: list[float]) -> None:
        """Standing still at `point`: since before, or since a pause that ends there."""
        limits, row, stopped = self.limits, stay, bytes(self.work + 1)
        ended = point - limits.pause_time
        # `pause` is inf where a pause from there on has no room.
        cost = self.units.pause[ended] if 0 <= ended < len(self.units.costs) else inf
        if cost < inf:
            running, spent = self.on[ended][layer], self.spent[ended]
            paused = [x + y + cost for x, y in zip(running, spent, strict=True)]
            if limits.marks is not None:
                allowed = [inf] * (self.work + 1)
                for done in limits.marks:
                    allowed[done] = paused[done]
                paused = allowed
            row = [x if x <= y else y for x, y in zip(stay, paused, strict=True)]
            stopped = bytes(map(lt, paused, stay))
        self.off[point].append(row)
        self.stops[point].append(stopped)

    def _pieces(self, point: int, layer: int) -> list[Piece]:
        limits, done = self.limits, self.work
        pieces: list[Piece] = []
        while True:
            end = point
            while not self.starts[point][layer][done]:
                # Over a break it cannot have run on, though no time lies between the units.
                if done == point and self._reaches(point):
                    return [Piece(0, 0, end), *reversed(pieces)]
                point, done = point - 1, done - 1
            start, done = point - limits.shortest, done - limits.shortest
            if done == 0 and not self.units.running:
                pieces.append(Piece(start - limits.first_time, start, end))
                return pieces[::-1]
            point = start - limits.restart_time
            pieces.append(Piece(point, start, end))
            layer -= self.up
            while not self.stops[point][layer][done]:
                point -= 1
            point -= limits.pause_time
            if self.units.running and point == 0:
                return pieces[::-1]


def _began(breaks: Sequence[bool]) -> list[int]:
    """The first unit of the unbroken stretch that each unit is in."""
    began: list[int] = []
    for u, broken in enumerate(breaks):
        began.append(u if broken or not u else began[-1])
    return began
