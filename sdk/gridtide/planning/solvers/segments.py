"""The segments of one schedule: what they count, and how they shift to count less.

Unlike the programmes this needs no common unit of time: each start and end may lie anywhere.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, product
from operator import mul
from typing import NamedTuple

from gridtide.planning.problem.job import HOUR, Cost, Job
from gridtide.planning.problem.opening_hours import merged
from gridtide.planning.solvers.cancellation import go_on
from gridtide.planning.solvers.costs import Cells
from gridtide.planning.solvers.overheads import Standing, drawn, tolls
from gridtide.planning.solvers.solution import Draft, Part, in_units, joined, powered
from gridtide.slots import to_microseconds

Spans = Sequence[tuple[int, int]]
# Shifts of one schedule; each takes some tens of microseconds.
MOST_SHIFTS = 60
# How many of the best places to grow and to shrink are tried with each other.
TRIED = 4


class _Edge(NamedTuple):
    """A start or an end that may move by up to `most` inside a cell of one `rate`."""

    rate: int
    most: int
    segment: int
    side: int


@dataclass(frozen=True)
class Segments:
    """Prices and shifts the segments of `job` in the free time `cells`."""

    cells: Cells
    job: Job
    standing: Standing

    def price(self, spans: Spans) -> float:
        """What a schedule counts, in rate x microseconds at the most power."""
        job, standing = self.job, self.standing
        total = 0.0
        if len(job.steps) == 1:
            total += sum(self._upto(end) - self._upto(start) for start, end in spans)
        else:
            most = max(kw for *_, kw in job.steps)
            for start, end, kw, _ in powered(spans, job.steps):
                total += (self._upto(end) - self._upto(start)) * (kw / most)
        goes_on = self.goes_on(spans)
        stops = [end for _, end in spans[:-1]]
        if standing.running and not goes_on:
            stops.append(self.cells.starts[0])
        starts = [start for start, _ in spans[1:]]
        if standing.started and not goes_on:
            starts.append(spans[0][0])
        total += sum(self._counted(job.pause_cost, stop, before=False) for stop in stops)
        return total + sum(self._counted(job.restart_cost, at, before=True) for at in starts)

    def draft(self, spans: Spans) -> Draft:
        """The schedule with its price, and with the time and energy of its pauses."""
        most = max(kw for *_, kw in self.job.steps)
        return laid(
            self.cells, spans, self.job, self.standing, in_units(self.price(spans)) * most
        )

    def goes_on(self, spans: Spans) -> bool:
        """Whether a job that runs already does not pause right now."""
        return self.standing.running and spans[0][0] == self.standing.at

    def improve(self, spans: Spans) -> Spans:
        """The schedule with work shifted to cheaper time, or to as cheap an earlier one.

        Work moves from the end of one segment to that of another, within the limits. Marks and
        power profiles tie the work to the segments; those stay as they are.
        """
        if self.job.checkpoints or len(self.job.steps) > 1:
            return spans
        total = self.price(spans)
        for _ in range(MOST_SHIFTS):
            go_on()
            for better in self._shifts(spans):
                price = self.price(better)
                if price < total or (price == total and better[-1][1] < spans[-1][1]):
                    total, spans = price, better
                    break
            else:
                break
        return spans

    def trim(self, spans: Spans, surplus: int) -> Spans | None:
        """The schedule with `surplus` less work; ``None`` where no segment can be shorter."""
        if not surplus:
            return spans
        found = []
        for k, (start, end) in enumerate(spans):
            if end - start - surplus >= max(self._shortest(spans, k), 1):
                found.append([*spans[:k], (start, end - surplus), *spans[k + 1 :]])
                if not (k == 0 and self.goes_on(spans)):
                    found.append([*spans[:k], (start + surplus, end), *spans[k + 1 :]])
        if self.job.checkpoints or len(self.job.steps) > 1:
            # The work counts from the beginning: only its end may be cut.
            found = [each for each in found if each[:-1] == [*spans[:-1]]]
            found = [each for each in found if each[-1][0] == spans[-1][0]]
        return min(found, key=self.price, default=None)

    def _shifts(self, spans: Spans) -> Iterator[Spans]:
        """Schedules in which work has moved to a lower rate, the largest gains first."""
        grows = sorted(self._grows(spans))
        shrinks = sorted(self._shrinks(spans), reverse=True)
        within = [each for each in shrinks if each.most > 0]
        pairs = list(product(grows[:TRIED], within[:TRIED]))
        # A segment as short as allowed moves as a whole.
        pairs += [
            (grow, shrink)
            for grow, shrink in product(grows, self._inner(spans))
            if grow.segment == shrink.segment and grow.side != shrink.side
        ]
        for grow, shrink in pairs:
            same = grow.segment == shrink.segment
            if grow.rate <= shrink.rate and not (same and grow.side == shrink.side):
                length = min(grow.most, shrink.most)
                yield self._moved(spans, grow, shrink, length)

    def _moved(self, spans: Spans, grow: _Edge, shrink: _Edge, length: int) -> Spans:
        edges = [list(span) for span in spans]
        edges[grow.segment][grow.side] += length if grow.side else -length
        edges[shrink.segment][shrink.side] -= length if shrink.side else -length
        return merged((start, end) for start, end in edges if start < end)

    def _grows(self, spans: Spans) -> Iterator[_Edge]:
        """Where a segment may grow outwards."""
        cells, job, standing = self.cells, self.job, self.standing
        before, after = (
            to_microseconds(each.time) for each in (job.restart_cost, job.pause_cost)
        )
        last = len(spans) - 1
        for k, (start, end) in enumerate(spans):
            i = bisect_left(cells.starts, start) - 1
            if i >= 0 and cells.ends[i] >= start and not (k == 0 and self.goes_on(spans)):
                low = self._stretch[i][0] + (before if k or standing.started else 0)
                if k == 0 and standing.running:
                    low = max(low, self.cells.starts[0] + after + before)
                if k:
                    low = max(low, spans[k - 1][1] + after + before)
                if (most := start - max(low, cells.starts[i])) > 0:
                    yield _Edge(cells.rates[i], most, k, 0)
            i = bisect_right(cells.starts, end) - 1
            if cells.ends[i] > end:
                high = self._stretch[i][1] - (after if k < last else 0)
                if k < last:
                    high = min(high, spans[k + 1][0] - after - before)
                if (most := min(high, cells.ends[i]) - end) > 0:
                    yield _Edge(cells.rates[i], most, k, 1)

    def _shrinks(self, spans: Spans) -> Iterator[_Edge]:
        """Where a segment may become shorter, by how much at most."""
        for edge in self._inner(spans):
            start, end = spans[edge.segment]
            room = end - start - self._shortest(spans, edge.segment)
            yield edge._replace(most=min(edge.most, room))

    def _inner(self, spans: Spans) -> Iterator[_Edge]:
        """Where a segment may shrink inside a cell, whatever is left of it."""
        cells = self.cells
        for k, (start, end) in enumerate(spans):
            if not (k == 0 and self.goes_on(spans)):
                i = bisect_right(cells.starts, start) - 1
                yield _Edge(cells.rates[i], min(end, cells.ends[i]) - start, k, 0)
            i = bisect_left(cells.starts, end) - 1
            yield _Edge(cells.rates[i], end - max(start, cells.starts[i]), k, 1)

    def _shortest(self, spans: Spans, segment: int) -> int:
        """Least work in a segment, microseconds."""
        shortest = to_microseconds(self.job.min_piece) if self.job.min_piece else 0
        ran = self.standing.ran if segment == 0 and self.goes_on(spans) else 0
        return max(0, shortest - ran)

    def _counted(self, cost: Cost, instant: int, *, before: bool) -> float:
        """What a pause from `instant` on counts, or with `before` a restart up to it."""
        steps = self._tolls[before]
        time = to_microseconds(cost.time)
        cells = self.cells
        if not time:
            i = bisect_right(cells.starts, instant) - 1
            beside = [i] if i == 0 or cells.ends[i - 1] < instant else [i - 1, i]
            return min(steps[k] for k in beside if cells.ends[k] >= instant)
        start = instant - time if before else instant
        i, total = max(0, bisect_right(cells.starts, start) - 1), 0.0
        while i < len(steps) and cells.starts[i] < start + time:
            shared = min(cells.ends[i], start + time) - max(cells.starts[i], start)
            total += steps[i] * shared / time
            i += 1
        return total

    def _upto(self, instant: int) -> int:
        """Rate x time of all cells up to `instant`, which lies in one."""
        i = max(0, bisect_right(self.cells.starts, instant) - 1)
        return self._sums[i] + self.cells.rates[i] * (instant - self.cells.starts[i])

    @cached_property
    def _sums(self) -> list[int]:
        return list(accumulate(map(mul, self.cells.rates, self.cells.lengths), initial=0))

    @cached_property
    def _tolls(self) -> tuple[list[int], list[int]]:
        rates, job = self.cells.rates, self.job
        return tolls(rates, job.pause_cost, job), tolls(rates, job.restart_cost, job)

    @cached_property
    def _stretch(self) -> list[tuple[int, int]]:
        """The unbroken free time that each cell is in."""
        spans = merged(zip(self.cells.starts, self.cells.ends, strict=True))
        starts = [start for start, _ in spans]
        return [spans[bisect_right(starts, start) - 1] for start in self.cells.starts]


def laid(cells: Cells, spans: Spans, job: Job, standing: Standing, cost: float) -> Draft:
    """The segments as a draft, with the time and energy between them."""
    parts = list(powered(spans, job.steps))
    goes_on = standing.running and spans[0][0] == standing.at
    pause_time, restart_time = (
        to_microseconds(each.time) for each in (job.pause_cost, job.restart_cost)
    )
    if pause_time:
        kw = job.pause_cost.kwh * HOUR / pause_time
        stops = [end for _, end in spans[:-1]]
        if standing.running and not goes_on:
            stops.append(standing.at)
        parts += [Part(stop, stop + pause_time, kw) for stop in stops]
    if restart_time:
        kw = job.restart_cost.kwh * HOUR / restart_time
        again = spans if standing.started and not goes_on else spans[1:]
        parts += [Part(start - restart_time, start, kw) for start, _ in again]
    return Draft(cost, joined(sorted(parts)), len(spans), drawn(cells, spans, job, standing))
