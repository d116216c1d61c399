"""The exact dynamic programme for segments with every limit.

Lengths and number of segments, checkpoints, pauses that take time and power profiles, on equal
units of which every edge, limit and time is a whole number. Time is counted in boundaries
between units, work in units done. A row of running states is kept less the cost of running
since the work began, so that running on is a shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from operator import lt

from gridtide.planning.solvers.cancellation import check_cancelled
from gridtide.planning.solvers.time_grid import Limits, Segment, Units

Rows = list[list[float]]  # by layer, by work done


def cheapest(units: Units, work: int, limits: Limits) -> tuple[float, list[Segment]]:
    """Return the least cost and the segments, ascending; infinite where it is infeasible."""
    return _Programme(units, work, limits).solve()


class _Programme:
    """The rows of one problem, and the decision behind each of their values."""

    def __init__(self, units: Units, work: int, limits: Limits) -> None:
        self.units, self.work, self.limits = units, work, limits
        self.layers = range(limits.most or 1)
        self.up = 1 if limits.most else 0
        self.began = _began(units.breaks)
        self.on: list[Rows] = []
        self.off: list[Rows] = []
        self.spent: Rows = []
        self.starts: list[list[bytes]] = []  # by boundary and layer: work where a start won
        self.stops: list[list[bytes]] = []  # and where a stop did

    def solve(self) -> tuple[float, list[Segment]]:
        """Fill the rows for all boundaries, then trace back from the best end."""
        limits, blank = self.limits, [inf] * (self.work + 1)
        lag = limits.shortest + max(limits.restart_time, limits.first_time)
        lag = max(lag, limits.pause_time) + 1
        best, end = inf, (0, 0)
        for boundary in range(len(self.units.costs) + 1):
            self.spent.append(self._spent(boundary))
            self.on.append([])
            self.off.append([])
            self.starts.append([])
            self.stops.append([])
            for m in self.layers:
                check_cancelled()
                begun = self._begun(boundary, m)
                joins = boundary and not self.units.breaks[boundary - 1]
                past = self.on[boundary - 1][m] if joins else blank
                continued = [inf, *past[:-1]]
                if self._runs_already(boundary, m):
                    continued[boundary] = 0.0
                self.starts[boundary].append(bytes(map(lt, begun, continued)))
                row = [x if x <= y else y for x, y in zip(continued, begun, strict=True)]
                self.on[boundary].append(row)
                self._stop(boundary, m, self.off[boundary - 1][m] if boundary else blank)
                total = row[-1] + self.spent[boundary][-1]
                if total < best:
                    best, end = total, (boundary, m)
            if boundary > lag:
                self.on[boundary - lag - 1] = self.off[boundary - lag - 1] = []
                self.spent[boundary - lag - 1] = []
        return best, self._segments(*end) if best < inf else []

    def _runs_already(self, boundary: int, layer: int) -> bool:
        """Say whether the segment that already runs may first stop at `boundary`."""
        first = layer == 0 and boundary == self.limits.left and boundary <= self.work
        return first and self._reaches(boundary)

    def _reaches(self, boundary: int) -> bool:
        """Say whether a job that already runs can run on up to `boundary`."""
        joins = boundary == 0 or (self.began[boundary - 1] == 0 and not self.units.breaks[0])
        return self.units.running and joins

    def _spent(self, boundary: int) -> list[float]:
        """Return the cost of the work done, had it ended at `boundary` without a pause."""
        if boundary == 0:
            return [0.0] * (self.work + 1)
        cost, before = self.units.costs[boundary - 1], self.spent[boundary - 1]
        weights = self.limits.weights
        if not weights:
            upto = before[0] + cost  # one power: the same for all work, and differences count
            return [upto] * (self.work + 1)
        return [0.0, *(x + cost * weight for x, weight in zip(before, weights, strict=False))]

    def _begun(self, boundary: int, layer: int) -> list[float]:
        """Return the costs of running at `boundary` in a segment as short as allowed."""
        limits, work = self.limits, self.work
        row = [inf] * (work + 1)
        start = boundary - limits.shortest
        if start < 0 or limits.shortest > work:
            return row
        spent, began = self.spent[start], self.began[boundary - 1]
        boundary_before = start - limits.restart_time
        if boundary_before >= began and layer >= self.up:
            restart = self.units.restart[boundary_before]
            before = self.off[boundary_before][layer - self.up]
            row[limits.shortest :] = [
                x + restart - y for x, y in zip(before, spent, strict=True)
            ][: work + 1 - limits.shortest]
        boundary_before = start - limits.first_time
        if boundary_before >= began and layer == 0 and not self.units.running:
            row[limits.shortest] = self.units.first[boundary_before] - spent[0]
        return row

    def _stop(self, boundary: int, layer: int, stay: list[float]) -> None:
        """Add the costs of being paused at `boundary`, since before or since a pause ended."""
        limits, row, stopped = self.limits, stay, bytes(self.work + 1)
        ended = boundary - limits.pause_time
        # `pause` is inf where a pause from there on has no room.
        cost = self.units.pause[ended] if 0 <= ended < len(self.units.costs) else inf
        if cost < inf:
            running, spent = self.on[ended][layer], self.spent[ended]
            paused = [x + y + cost for x, y in zip(running, spent, strict=True)]
            if limits.checkpoints is not None:
                allowed = [inf] * (self.work + 1)
                for done in limits.checkpoints:
                    allowed[done] = paused[done]
                paused = allowed
            row = [x if x <= y else y for x, y in zip(stay, paused, strict=True)]
            stopped = bytes(map(lt, paused, stay))
        self.off[boundary].append(row)
        self.stops[boundary].append(stopped)

    def _segments(self, boundary: int, layer: int) -> list[Segment]:
        limits, done = self.limits, self.work
        segments: list[Segment] = []
        while True:
            end = boundary
            while not self.starts[boundary][layer][done]:
                # Over a break it cannot have run on, though no time lies between the units.
                if done == boundary and self._reaches(boundary):
                    return [Segment(0, 0, end), *reversed(segments)]
                boundary, done = boundary - 1, done - 1
            start, done = boundary - limits.shortest, done - limits.shortest
            if done == 0 and not self.units.running:
                segments.append(Segment(start - limits.first_time, start, end))
                return segments[::-1]
            boundary = start - limits.restart_time
            segments.append(Segment(boundary, start, end))
            layer -= self.up
            while not self.stops[boundary][layer][done]:
                boundary -= 1
            boundary -= limits.pause_time
            if self.units.running and boundary == 0:
                return segments[::-1]


def _began(breaks: Sequence[bool]) -> list[int]:
    """Return, for each unit, the first unit of the unbroken stretch that contains it."""
    began: list[int] = []
    for u, broken in enumerate(breaks):
        began.append(u if broken or not u else began[-1])
    return began
