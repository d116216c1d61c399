"""Cost and energy of pauses and restarts, and the state of a job between two of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from gridtide.planning.problem.job import HOUR, Cost, Job
from gridtide.planning.solvers.costs import Intervals
from gridtide.planning.solvers.solution import EnergyDraw


@dataclass(frozen=True)
class JobState:
    """State of a job when the rest of it is planned.

    Attributes:
        at: the moment, microseconds.
        started: whether it ran before, so that its next start is a restart.
        running: whether it runs right up to `at`.
        ran: how long it has then run without a pause, microseconds.
        segments: how many segments it has had, the running one counted.
        may_stop: whether it may pause at `at`.
        workers: workers of an elastic job up to `at`, 0 where it is paused.
    """

    at: int = 0
    started: bool = False
    running: bool = False
    ran: int = 0
    segments: int = 0
    may_stop: bool = True
    workers: float = 0.0

    def segments_left(self, most: int | None) -> int | None:
        """Return how many of `most` segments remain, the running one counted."""
        return None if most is None else most - self.segments + self.running


NOT_STARTED = JobState()


def overhead_costs(rates: Sequence[int], cost: Cost, job: Job) -> list[int]:
    """Return the cost of the energy of `cost` at each rate, in rate x microseconds at most
    power.

    Never below 0: otherwise a rate below 0 would reward pausing.
    """
    if not cost.kwh:
        return [0] * len(rates)
    factor = cost.kwh * HOUR / max(kw for *_, kw in job.steps)
    return [round(rate * factor) if rate > 0 else 0 for rate in rates]


def at_edges(
    counted: Sequence[int], breaks: Sequence[bool], unit: int, *, after: bool
) -> list[float]:
    """Return the cost right before each interval, by `unit`, of an overhead `counted` inside
    them.

    Where two intervals touch, that of the cheaper one; else, with `after`, of the interval that
    begins, and without, of the one that has ended (for the first: of itself).
    """
    last = [counted[0], *counted[:-1]]
    return [
        ((here if after else before) if broken else min(before, here)) / unit
        for before, here, broken in zip(last, counted, breaks, strict=True)
    ]


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
