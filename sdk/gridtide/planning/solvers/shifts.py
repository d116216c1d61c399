"""Cost of the segments of one schedule, and shifts that lower it.

Unlike the dynamic programmes this needs no common unit of time: each start and end may lie
anywhere.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, product
from operator import mul
from typing import NamedTuple

from gridtide.planning.problem.job import Cost, Job
from gridtide.planning.problem.opening_hours import merged
from gridtide.planning.problem.state import JobState
from gridtide.planning.solvers.cancellation import check_cancelled
from gridtide.planning.solvers.costs import Intervals
from gridtide.planning.solvers.solution import (
    Solution,
    apply_power,
    in_units,
    overhead_costs,
    to_solution,
)
from gridtide.slots import to_microseconds

Spans = Sequence[tuple[int, int]]
# Shifts of one schedule; each takes some tens of microseconds.
MOST_SHIFTS = 60
# How many of the best places to grow and to shrink are tried with each other.
TRIED = 4
# Relative; what rounding leaves of a sum along a power profile.
NEAR = 1e-12


class _Edge(NamedTuple):
    """A start or an end that may shift by up to `most` inside an interval of one `rate`."""

    rate: int
    most: int
    segment: int
    side: int


@dataclass(frozen=True)
class Segments:
    """Prices and shifts the segments of `job` in the free time `intervals`."""

    intervals: Intervals
    job: Job
    state: JobState

    def price(self, spans: Spans) -> float:
        """Return the cost of a schedule, in rate x microseconds at the highest power."""
        job, state = self.job, self.state
        total = 0.0
        if len(job.steps) == 1:
            total += sum(self._upto(end) - self._upto(start) for start, end in spans)
        else:
            most = max(kw for *_, kw in job.steps)
            for start, end, kw, _ in apply_power(spans, job.steps):
                total += (self._upto(end) - self._upto(start)) * (kw / most)
        goes_on = self.goes_on(spans)
        stops = [end for _, end in spans[:-1]]
        if state.running and not goes_on:
            stops.append(self.intervals.starts[0])
        starts = [start for start, _ in spans[1:]]
        if state.started and not goes_on:
            starts.append(spans[0][0])
        total += sum(self._counted(job.pause_cost, stop, before=False) for stop in stops)
        return total + sum(self._counted(job.restart_cost, at, before=True) for at in starts)

    def solution(self, spans: Spans) -> Solution:
        """Return the schedule with its cost, and with the time and energy of its pauses."""
        most = max(kw for *_, kw in self.job.steps)
        return to_solution(
            self.intervals, spans, self.job, self.state, in_units(self.price(spans)) * most
        )

    def goes_on(self, spans: Spans) -> bool:
        """Say whether a job that already runs does not pause right now."""
        return self.state.running and spans[0][0] == self.state.at

    def improve(self, spans: Spans) -> Spans:
        """Return the schedule with work shifted to cheaper, or equally cheap but earlier, time.

        Work shifts from the end of one segment to that of another, within the limits. Where
        checkpoints or a power profile count the work from its beginning, whole segments shift
        too; with checkpoints only they do.
        """
        total, counts = self.price(spans), self._counts_progress
        for _ in range(MOST_SHIFTS):
            check_cancelled()
            least = total - abs(total) * NEAR if counts else total
            for better in self._tries(spans):
                price = self.price(better)
                if price < least or (price == total and better[-1][1] < spans[-1][1]):
                    total, spans = price, better
                    break
            else:
                break
        return spans

    @property
    def _counts_progress(self) -> bool:
        return bool(self.job.checkpoints) or len(self.job.steps) > 1

    def _tries(self, spans: Spans) -> Iterator[Spans]:
        """Yield schedules that may cost less."""
        if self._counts_progress:
            yield from self._slides(spans)
        if not self.job.checkpoints:
            yield from self._shifts(spans)

    def _slides(self, spans: Spans) -> Iterator[Spans]:
        """Yield schedules with one whole segment shifted up to the next bend of its cost.

        The cost is linear in the shift until a start, an end, a change of power or the time of
        an overhead meets an edge of an interval.
        """
        before, after = self._overhead_times
        done = 0
        for k, (start, end) in enumerate(spans):
            changes = [each - done for _, each, _ in self.job.steps if each > done]
            done += end - start
            if k == 0 and self.goes_on(spans):
                continue
            low, high = self._room(spans, k)
            inner = [start + each for each in changes if start + each < end]
            shifts = {low - start, high - end}
            for instant in {start, end, start - before, end + after, *inner}:
                i, j = bisect_left(self._edges, instant), bisect_right(self._edges, instant)
                shifts |= {edge - instant for edge in self._edges[max(0, i - 1) : j + 1]}
            sooner = max((each for each in shifts if low - start <= each < 0), default=0)
            later = min((each for each in shifts if 0 < each <= high - end), default=0)
            for shift in filter(None, (sooner, later)):
                yield [*spans[:k], (start + shift, end + shift), *spans[k + 1 :]]

    def _room(self, spans: Spans, segment: int) -> tuple[int, int]:
        """Return the time around a segment that other segments and overheads leave free."""
        before, after = self._overhead_times
        start, last = spans[segment][0], len(spans) - 1
        i = bisect_right(self.intervals.starts, start) - 1
        low, high = self._stretch[i]
        if segment or self.state.started:
            low += before
        if segment:
            low = max(low, spans[segment - 1][1] + after + before)
        elif self.state.running:
            low = max(low, self.intervals.starts[0] + after + before)
        if segment < last:
            high = min(high - after, spans[segment + 1][0] - after - before)
        return low, high

    def trim(self, spans: Spans, surplus: int) -> Spans | None:
        """Return the schedule with `surplus` less work; ``None``: no segment can be shorter."""
        if not surplus:
            return spans
        found = []
        for k, (start, end) in enumerate(spans):
            if end - start - surplus >= max(self._shortest(spans, k), 1):
                found.append([*spans[:k], (start, end - surplus), *spans[k + 1 :]])
                if not (k == 0 and self.goes_on(spans)):
                    found.append([*spans[:k], (start + surplus, end), *spans[k + 1 :]])
        if self._counts_progress:
            # The work counts from the beginning: only its end may be cut.
            found = [each for each in found if each[:-1] == [*spans[:-1]]]
            found = [each for each in found if each[-1][0] == spans[-1][0]]
        return min(found, key=self.price, default=None)

    def trim_start(self, spans: Spans, surplus: int) -> Spans | None:
        """Return the schedule with `surplus` less work before all other; ``None`` where the
        first segment cannot be shorter.

        What counts from the beginning of the job stays where it is in its work.
        """
        (start, end), *others = spans
        if end - start - surplus < max(self._shortest(spans, 0), 1):
            return None
        cut = [[(start + surplus, end), *others], [(start, end - surplus), *others]]
        return min(cut, key=self.price) if surplus else spans

    def _shifts(self, spans: Spans) -> Iterator[Spans]:
        """Yield schedules with work shifted to a lower rate, the largest gains first."""
        grows = sorted(each for each in self._grows(spans) if each.most > 0)
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
        """Yield where a segment may grow."""
        intervals = self.intervals
        for k, (start, end) in enumerate(spans):
            low, high = self._room(spans, k)
            i = bisect_left(intervals.starts, start) - 1
            if i >= 0 and intervals.ends[i] >= start and not (k == 0 and self.goes_on(spans)):
                most = start - max(low, intervals.starts[i])
                yield _Edge(intervals.rates[i], most, k, 0)
            i = bisect_right(intervals.starts, end) - 1
            if intervals.ends[i] > end:
                yield _Edge(intervals.rates[i], min(high, intervals.ends[i]) - end, k, 1)

    def _shrinks(self, spans: Spans) -> Iterator[_Edge]:
        """Yield where a segment may become shorter, and by how much at most."""
        for edge in self._inner(spans):
            start, end = spans[edge.segment]
            room = end - start - self._shortest(spans, edge.segment)
            yield edge._replace(most=min(edge.most, room))

    def _inner(self, spans: Spans) -> Iterator[_Edge]:
        """Yield where a segment may shrink inside an interval, whatever is left of it."""
        intervals = self.intervals
        for k, (start, end) in enumerate(spans):
            if not (k == 0 and self.goes_on(spans)):
                i = bisect_right(intervals.starts, start) - 1
                yield _Edge(intervals.rates[i], min(end, intervals.ends[i]) - start, k, 0)
            i = bisect_left(intervals.starts, end) - 1
            yield _Edge(intervals.rates[i], end - max(start, intervals.starts[i]), k, 1)

    def _shortest(self, spans: Spans, segment: int) -> int:
        """Return the least work in a segment, microseconds."""
        shortest = to_microseconds(self.job.min_segment) if self.job.min_segment else 0
        ran = self.state.ran if segment == 0 and self.goes_on(spans) else 0
        return max(0, shortest - ran)

    def _counted(self, cost: Cost, instant: int, *, before: bool) -> float:
        """Return the cost of a pause from `instant`, or with `before` of a restart."""
        steps = self._overhead_costs[before]
        time = to_microseconds(cost.time)
        intervals = self.intervals
        if not time:
            i = bisect_right(intervals.starts, instant) - 1
            beside = [i] if i == 0 or intervals.ends[i - 1] < instant else [i - 1, i]
            return min(steps[k] for k in beside if intervals.ends[k] >= instant)
        start = instant - time if before else instant
        i, total = max(0, bisect_right(intervals.starts, start) - 1), 0.0
        while i < len(steps) and intervals.starts[i] < start + time:
            shared = min(intervals.ends[i], start + time) - max(intervals.starts[i], start)
            total += steps[i] * shared / time
            i += 1
        return total

    def _upto(self, instant: int) -> int:
        """Return rate x time of all intervals up to `instant`, which lies in one."""
        i = max(0, bisect_right(self.intervals.starts, instant) - 1)
        return self._sums[i] + self.intervals.rates[i] * (instant - self.intervals.starts[i])

    @cached_property
    def _overhead_times(self) -> tuple[int, int]:
        """Time of a restart, before a segment, and of a pause, after it."""
        return (
            to_microseconds(self.job.restart_cost.time),
            to_microseconds(self.job.pause_cost.time),
        )

    @cached_property
    def _edges(self) -> list[int]:
        return sorted({*self.intervals.starts, *self.intervals.ends})

    @cached_property
    def _sums(self) -> list[int]:
        return list(
            accumulate(map(mul, self.intervals.rates, self.intervals.lengths), initial=0)
        )

    @cached_property
    def _overhead_costs(self) -> tuple[list[int], list[int]]:
        rates, job = self.intervals.rates, self.job
        return overhead_costs(rates, job.pause_cost, job), overhead_costs(
            rates, job.restart_cost, job
        )

    @cached_property
    def _stretch(self) -> list[tuple[int, int]]:
        """The unbroken free time that contains each interval."""
        spans = merged(zip(self.intervals.starts, self.intervals.ends, strict=True))
        starts = [start for start, _ in spans]
        return [spans[bisect_right(starts, start) - 1] for start in self.intervals.starts]
