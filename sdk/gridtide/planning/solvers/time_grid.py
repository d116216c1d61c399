"""The time grid: free time in equal units, with the costs and limits of a job counted in them.

The dynamic programmes for segments need a unit of time of which every edge of a slot, bound,
length and limit is a whole number.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import gcd, inf
from typing import NamedTuple

from gridtide.planning.problem.job import Cost, Job
from gridtide.planning.problem.state import JobState
from gridtide.planning.solvers.costs import Curve, Intervals, Stretch
from gridtide.planning.solvers.solution import overhead_costs
from gridtide.slots import Run, to_microseconds

# What one unit of time takes by itself, in states of a dynamic programme.
OVERHEAD = 50


@dataclass(frozen=True)
class Units:
    """Units of time that a job may use, ascending, all of one length.

    Attributes:
        costs: cost of running through each unit.
        breaks: whether a unit does not touch the one before it.
        pause: cost of a pause that begins right before each unit, having run until then.
        restart: cost of a restart that begins at each unit.
        first: cost of the first start at each unit; ``inf`` where it is not allowed.
        running: whether the job already runs, right up to the first unit.

    A pause or restart that takes time costs ``inf`` where there is no room for it.
    """

    costs: Sequence[float]
    breaks: Sequence[bool]
    pause: Sequence[float]
    restart: Sequence[float]
    first: Sequence[float]
    running: bool = False


@dataclass(frozen=True)
class Limits:
    """Limits of the segments, in units.

    Attributes:
        shortest: least units of work in a segment, 1 or more.
        left: units that a running job must run on before it may pause.
        most: most segments, a running one counted; ``None`` for any number.
        checkpoints: work done at which the job may pause; ``None`` for all.
        pause_time: units without progress after every segment but the last.
        restart_time: units without progress before every segment but the first.
        first_time: the same before the first.
        weights: power of each unit of work, relative to the largest; empty for one power.
    """

    shortest: int
    left: int
    most: int | None
    checkpoints: Sequence[int] | None
    pause_time: int
    restart_time: int
    first_time: int
    weights: Sequence[float]


class Segment(NamedTuple):
    """A start at boundary `begins`, then work from boundary `start` to boundary `end`."""

    begins: int
    start: int
    end: int


@dataclass(frozen=True)
class TimeGrid:
    """Free time in units: the start and rate of each, and whether it follows a break."""

    unit: int
    starts: Sequence[int]
    rates: Sequence[int]
    breaks: Sequence[bool]

    @classmethod
    def of(cls, intervals: Intervals, unit: int, state: JobState) -> TimeGrid:
        """Cut intervals, each a whole number of units, for a job in this state."""
        before = [state.at if state.running else None, *intervals.ends[:-1]]
        broken = [start != end for start, end in zip(intervals.starts, before, strict=True)]
        if intervals.step == unit:
            return cls(unit, intervals.starts, intervals.rates, broken)
        starts, rates, breaks = list[int](), list[int](), list[bool]()
        for start, end, rate, apart in zip(
            intervals.starts, intervals.ends, intervals.rates, broken, strict=True
        ):
            count = (end - start) // unit
            starts.extend(range(start, end, unit))
            rates.extend([rate] * count)
            breaks.extend([apart, *[False] * (count - 1)])
        return cls(unit, starts, rates, breaks)

    def units(self, job: Job, state: JobState) -> Units:
        """Return the costs of `job` by unit."""
        pauses = restarts = overhead_costs(self.rates, job.pause_cost, job)
        if job.restart_cost.kwh != job.pause_cost.kwh:
            restarts = overhead_costs(self.rates, job.restart_cost, job)
        restart = self._overheads(restarts, job.restart_cost, before=False)
        first: Sequence[float] = restart if state.started else [0.0] * len(restart)
        return Units(
            costs=[*map(float, self.rates)],
            breaks=self.breaks,
            pause=self._overheads(pauses, job.pause_cost, before=True),
            restart=restart,
            first=[inf] * len(restart) if state.running else first,
            running=state.running,
        )

    def limits(self, job: Job, state: JobState) -> Limits:
        """Return the limits of `job` in units."""
        shortest = to_microseconds(job.min_segment) if job.min_segment else self.unit
        restart_time = to_microseconds(job.restart_cost.time) // self.unit
        checkpoints = [to_microseconds(each) // self.unit for each in job.checkpoints]
        power, most = max(kw for *_, kw in job.steps), state.segments_left(job.max_segments)
        weights = [
            kw / power for start, end, kw in job.steps for _ in range(start, end, self.unit)
        ]
        return Limits(
            shortest=shortest // self.unit,
            left=max(0, shortest - state.ran) // self.unit if job.min_segment else 0,
            # One more than fit: a running job may stop at once.
            most=None if most is None else min(most, job.work // shortest + 1),
            checkpoints=[*([0] if state.may_stop else []), *checkpoints]
            if checkpoints
            else None,
            pause_time=to_microseconds(job.pause_cost.time) // self.unit,
            restart_time=restart_time,
            first_time=restart_time if state.started else 0,
            weights=weights if len(job.steps) > 1 else (),
        )

    def spans(self, segments: Iterable[Segment]) -> list[tuple[int, int]]:
        """Return the work of the segments in time, without their overheads."""
        return [
            (self.starts[each.start], self.starts[each.end - 1] + self.unit)
            for each in segments
        ]

    def _overheads(self, counted: list[int], cost: Cost, *, before: bool) -> list[float]:
        """Return the cost of an overhead from each boundary on, ``inf`` without time for it.

        `counted` is its cost in each unit. With `before` it follows the unit before the
        boundary, otherwise it precedes the one after. Without time it is in the cheaper of the
        two, where they touch.
        """
        unit, breaks = self.unit, self.breaks
        time = to_microseconds(cost.time) // unit
        if not time:
            last = [counted[0], *counted[:-1]]
            return [
                (one if (before if broken else one <= other) else other) / unit
                for one, other, broken in zip(last, counted, breaks, strict=True)
            ]
        upto, gaps = [*accumulate(counted, initial=0)], [*accumulate(breaks, initial=0)]
        found = []
        for boundary in range(len(counted)):
            end = boundary + time
            room = end < len(upto) and gaps[end] == gaps[boundary + (not before)]
            found.append((upto[end] - upto[boundary]) / (time * unit) if room else inf)
        return found


def exact_unit(intervals: Intervals, job: Job, state: JobState) -> int:
    """Return the largest unit of which slots, bounds, work and limits are whole multiples."""
    lengths = [job.work, *intervals.lengths, *limit_lengths(job)]
    if job.min_segment and state.running:
        lengths.append(state.ran)
    return gcd(*lengths)


def limit_lengths(job: Job) -> list[int]:
    """Return the lengths that limit the segments of a job."""
    checkpoints = [to_microseconds(each) for each in job.checkpoints]
    return [*overhead_lengths(job), *checkpoints, *(end for _, end, _ in job.steps[:-1])]


def overhead_lengths(job: Job) -> list[int]:
    """Return the times of pauses and restarts, and of the shortest segment."""
    spans = [job.pause_cost.time, job.restart_cost.time]
    if job.min_segment and job.min_segment < job.duration:
        spans.append(job.min_segment)
    return [to_microseconds(span) for span in spans if span]


def states(intervals: Intervals, job: Job, unit: int) -> int:
    """Return how many states a dynamic programme with this unit takes."""
    shortest = to_microseconds(job.min_segment) if job.min_segment else unit
    layers = min(job.max_segments or 1, job.work // max(shortest, unit) + 1)
    return sum(intervals.lengths) // unit * (job.work // unit + OVERHEAD) * layers


def edges_within(curve: Curve) -> list[int]:
    """Return all edges of slots within the free time, ascending."""
    found: set[int] = set()
    for run, start, end in curve.stretches:
        found.update(edge for edge in run.edges if start <= edge <= end)
    return sorted(found)


def gridded(curve: Curve, unit: int, phase: int) -> Curve:
    """Return the free time in whole units from `phase` on, each at its mean rate."""
    found = []
    for run, start, end in curve.stretches:
        first = start + (phase - start) % unit
        count = (end - first) // unit
        if count <= 0:
            continue
        last = first + count * unit
        inside = run.edges[bisect_right(run.edges, first) : bisect_left(run.edges, last)]
        if not any((edge - phase) % unit for edge in inside):
            found.append(Stretch(run, first, last))
            continue
        edges = list(range(first, last + 1, unit))
        sums = [run.upto(edge) for edge in edges]
        scaled = [round((later - earlier) / unit) for earlier, later in pairwise(sums)]
        values = [each / 1e9 for each in scaled]
        integrals = [*accumulate((each * unit for each in scaled), initial=0)]
        found.append(Stretch(Run(edges, values, scaled, integrals, unit), first, last))
    return Curve(curve.name, tuple(found))


def widened(curve: Curve, unit: int, phase: int) -> Curve:
    """Return the free time extended to whole units from `phase` on."""
    found: list[Stretch] = []
    for run, start, end in curve.stretches:
        first, last = start - (start - phase) % unit, end + (phase - end) % unit
        first, last = max(first, run.edges[0]), min(last, run.edges[-1])
        if found and found[-1].run is run and first <= found[-1].end:
            first = found.pop().start
        found.append(Stretch(run, first, last))
    return Curve(curve.name, tuple(found))
