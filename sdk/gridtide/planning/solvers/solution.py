"""What a planner returns: parts, cost, and the time and energy of pauses and restarts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from gridtide.planning.problem.job import HOUR, Cost, Job
from gridtide.planning.problem.state import JobState
from gridtide.planning.solvers.costs import Intervals
from gridtide.slots import STEPS_PER_UNIT, to_microseconds


class Part(NamedTuple):
    """Running at one power over ``[start, end)``, microseconds, an elastic job on `workers`."""

    start: int
    end: int
    power_kw: float
    workers: float | None = None


class EnergyDraw(NamedTuple):
    """Energy drawn evenly over ``[start, end)``."""

    start: int
    end: int
    kwh: float


@dataclass(frozen=True)
class Solution:
    """When a job runs, and its cost under the goal, before PUE.

    Attributes:
        cost: in the unit of the goal: grams, kWh that are not carbon-free, or cost.
        parts: ascending, not overlapping.
        segments: how many segments the job runs in; a move that costs begins one.
        extra: energy of pauses and restarts that take no time.
        bound: no schedule costs less; ``None`` where this one is optimal.
    """

    cost: float
    parts: tuple[Part, ...]
    segments: int = 1
    extra: tuple[EnergyDraw, ...] = ()
    bound: float | None = None

    @property
    def least(self) -> float:
        """Proven lower bound on the cost of any schedule."""
        return self.cost if self.bound is None else min(self.bound, self.cost)

    @property
    def start(self) -> int:
        """When the job first runs."""
        return self.parts[0].start

    @property
    def end(self) -> int:
        """When the job ends."""
        return self.parts[-1].end

    @property
    def draws(self) -> list[EnergyDraw]:
        """All energy before PUE."""
        return [
            *(
                EnergyDraw(start, end, (end - start) * kw / HOUR)
                for start, end, kw, _ in self.parts
            ),
            *self.extra,
        ]


def join_parts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return the parts with those that touch at the same power and workers joined."""
    found: list[Part] = []
    for part in parts:
        if found and found[-1].end == part.start and found[-1][2:] == part[2:]:
            part = found.pop()._replace(end=part.end)
        found.append(part)
    return tuple(found)


def apply_power(
    spans: Sequence[tuple[int, int]], steps: Sequence[tuple[int, int, float]]
) -> tuple[Part, ...]:
    """Return `spans` of work as parts, run in order through the power profile `steps`."""
    parts, done, i = [], 0, 0
    for start, end in spans:
        while start < end:
            while steps[i][1] <= done and i < len(steps) - 1:
                i += 1
            left = min(end - start, steps[i][1] - done)
            parts.append(Part(start, start + left, steps[i][2]))
            start, done = start + left, done + left
    return join_parts(parts)


def count_segments(parts: Sequence[Part]) -> int:
    """Return how many times a job with these parts starts."""
    return 1 + sum(later.start > earlier.end for earlier, later in pairwise(parts))


def in_units(total: float) -> float:
    """Convert a sum of rate x kW x microseconds to the unit of the goal."""
    return total / STEPS_PER_UNIT / HOUR


def to_solution(
    intervals: Intervals,
    spans: Sequence[tuple[int, int]],
    job: Job,
    state: JobState,
    cost: float,
) -> Solution:
    """Return the segments as a solution, with the time and energy of the pauses."""
    parts = list(apply_power(spans, job.steps))
    goes_on = state.running and spans[0][0] == state.at
    pause_time, restart_time = (
        to_microseconds(each.time) for each in (job.pause_cost, job.restart_cost)
    )
    if pause_time:
        kw = job.pause_cost.kwh * HOUR / pause_time
        stops = [end for _, end in spans[:-1]]
        if state.running and not goes_on:
            stops.append(state.at)
        parts += [Part(stop, stop + pause_time, kw) for stop in stops]
    if restart_time:
        kw = job.restart_cost.kwh * HOUR / restart_time
        again = spans if state.started and not goes_on else spans[1:]
        parts += [Part(start - restart_time, start, kw) for start, _ in again]
    return Solution(
        cost,
        join_parts(sorted(parts)),
        len(spans),
        place_overheads(intervals, spans, job, state),
    )


def overhead_costs(rates: Sequence[int], cost: Cost, job: Job) -> list[int]:
    """Return the cost of the energy of `cost` at each rate, in rate x microseconds at most
    power.

    Never below 0: otherwise a rate below 0 would reward pausing.
    """
    if not cost.kwh:
        return [0] * len(rates)
    factor = cost.kwh * HOUR / max(kw for *_, kw in job.steps)
    return [round(rate * factor) if rate > 0 else 0 for rate in rates]


def place_overheads(
    intervals: Intervals, spans: Sequence[tuple[int, int]], job: Job, state: JobState
) -> tuple[EnergyDraw, ...]:
    """Return the energy of pauses and restarts that take no time, in the intervals they fall
    in.

    `spans` are the segments, ascending.
    """
    stops = [end for _, end in spans[:-1]]
    starts = [start for start, _ in spans[1:]]
    if state.running and spans[0][0] != state.at:
        stops.insert(0, intervals.starts[0])
    if state.started and not (state.running and spans[0][0] == state.at):
        starts.insert(0, spans[0][0])
    found = [place_overhead(intervals, instant, job.pause_cost) for instant in stops]
    found += [place_overhead(intervals, instant, job.restart_cost) for instant in starts]
    return tuple(each for each in found if each.kwh)


def place_overhead(intervals: Intervals, instant: int, cost: Cost) -> EnergyDraw:
    """Return the energy of `cost` in the cheapest interval at `instant`.

    Zero where the overhead takes time.
    """
    last = bisect_right(intervals.starts, instant) - 1
    beside = [i for i in (last, last - 1) if i >= 0 and intervals.ends[i] >= instant]
    i = min(beside, key=intervals.rates.__getitem__)
    return EnergyDraw(intervals.starts[i], intervals.ends[i], 0.0 if cost.time else cost.kwh)
