"""Exact plans for an interruptible job with limits on its segments, timed pauses or a profile.

Translates a job into equal units of time for `limited_grid`, and the solution back into time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import gcd, inf

from gridtide.planning.errors import TooFine
from gridtide.planning.problem.job import Cost, Job
from gridtide.planning.solvers import interruptible
from gridtide.planning.solvers.costly_pauses import too_few_segments
from gridtide.planning.solvers.costs import Curve, Intervals
from gridtide.planning.solvers.grid import Units
from gridtide.planning.solvers.limited_grid import Limits
from gridtide.planning.solvers.limited_grid import cheapest as by_limits
from gridtide.planning.solvers.overheads import NOT_STARTED, JobState, at_edges, overhead_costs
from gridtide.planning.solvers.segments import Spans, to_solution
from gridtide.planning.solvers.solution import Solution, in_units
from gridtide.slots import to_microseconds

# Two seconds and a few tens of megabytes.
MOST_STATES = 8_000_000
# States that take as long as a point of time does by itself.
OVERHEAD = 50


def is_limited(job: Job) -> bool:
    """Whether more than the number and the energy of its pauses matters."""
    return bool(
        job.min_segment
        or job.checkpoints
        or job.pause_cost.time
        or job.restart_cost.time
        or len(job.steps) > 1
    )


def states(intervals: Intervals, job: Job, state: JobState = NOT_STARTED) -> int:
    """Return how many states of the dynamic programme a plan takes."""
    unit = _unit(intervals, job, state)
    shortest = to_microseconds(job.min_segment) if job.min_segment else unit
    layers = min(job.max_segments or 1, job.work // shortest + 1)
    return sum(intervals.lengths) // unit * (job.work // unit + OVERHEAD) * layers


def _unit(intervals: Intervals, job: Job, state: JobState) -> int:
    """Return the largest unit of which slots, bounds, work and limits are whole multiples."""
    spans = [job.min_segment, job.pause_cost.time, job.restart_cost.time]
    lengths = [to_microseconds(span) for span in spans if span]
    lengths += [to_microseconds(mark) for mark in job.checkpoints]
    lengths += [end for _, end, _ in job.steps]
    if job.min_segment and state.running:
        lengths.append(state.ran)
    return gcd(*intervals.lengths, *lengths)


def cheapest(curve: Curve, job: Job, state: JobState = NOT_STARTED) -> Solution:
    """Return the schedule with the least cost; of equal ones, one that ends early.

    Raises:
        NoFeasibleWindow: there is not enough free time, or not for such segments.
        TooFine: the times share only a very small unit.
    """
    total, spans = _solved(curve, job, state)
    cost = in_units(total) * max(kw for *_, kw in job.steps)
    return to_solution(curve.intervals, spans, job, state, cost)


def segments(curve: Curve, job: Job, state: JobState = NOT_STARTED) -> Spans:
    """Return the segments of `cheapest`, without the time that pauses and restarts take."""
    return _solved(curve, job, state)[1]


def _solved(curve: Curve, job: Job, state: JobState) -> tuple[float, Spans]:
    """Return the least cost in rate x microseconds at the highest power, and the segments."""
    most = state.segments_left(job.max_segments)
    if interruptible.pick(curve.intervals, job.work) is None:
        raise curve.refuse(job.work, unbroken=False)
    if most is not None and most < 1:
        raise too_few_segments(curve, job)
    grid = _Grid.of(curve.intervals, job, state)
    total, found = by_limits(
        grid.units(job, state), job.work // grid.unit, grid.limits(job, state, most)
    )
    if not found:
        raise too_few_segments(curve, job)
    ends = [start + grid.unit for start in grid.starts]
    spans = [(grid.starts[piece.start], ends[piece.end - 1]) for piece in found]
    return total * grid.unit, spans


@dataclass(frozen=True)
class _Grid:
    """Free time in units: when each starts, its rate, and whether it touches the last."""

    unit: int
    starts: list[int]
    rates: list[int]
    breaks: list[bool]

    @classmethod
    def of(cls, intervals: Intervals, job: Job, state: JobState) -> _Grid:
        unit, taken = _unit(intervals, job, state), states(intervals, job, state)
        if taken > MOST_STATES:
            raise TooFine(
                f"an exact plan takes {taken:,} steps of the smallest time that slots, "
                "bounds, duration and limits share; give them in whole minutes or longer, a "
                "nearer deadline, or drop a limit"
            )
        grid = cls(unit, [], [], [])
        last = state.at if state.running else None
        for start, length, rate in zip(
            intervals.starts, intervals.lengths, intervals.rates, strict=True
        ):
            count = length // unit
            grid.starts.extend(range(start, start + length, unit))
            grid.rates.extend([rate] * count)
            grid.breaks.extend([start != last, *[False] * (count - 1)])
            last = start + length
        return grid

    def units(self, job: Job, state: JobState) -> Units:
        """Return the cost of running, pausing and starting at each unit."""
        restart = self._counted(job.restart_cost, job, before=False)
        first = restart if state.started else [0.0] * len(self.rates)
        return Units(
            costs=[float(rate) for rate in self.rates],
            breaks=self.breaks,
            pause=self._counted(job.pause_cost, job, before=True),
            restart=restart,
            first=first,
            running=state.running,
        )

    def limits(self, job: Job, state: JobState, most: int | None) -> Limits:
        """Return the limits of the job in units."""
        shortest = to_microseconds(job.min_segment) if job.min_segment else self.unit
        restart_time = to_microseconds(job.restart_cost.time) // self.unit
        marks = [to_microseconds(mark) // self.unit for mark in job.checkpoints]
        power = max(kw for *_, kw in job.steps)
        weights = [
            kw / power for start, end, kw in job.steps for _ in range(start, end, self.unit)
        ]
        segments = job.work // shortest + 1
        return Limits(
            shortest=shortest // self.unit,
            left=max(0, shortest - state.ran) // self.unit if job.min_segment else 0,
            most=None if most is None else min(most, segments),
            marks=[*([0] if state.may_stop else []), *marks] if marks else None,
            pause_time=to_microseconds(job.pause_cost.time) // self.unit,
            restart_time=restart_time,
            first_time=restart_time if state.started else 0,
            weights=weights if len(job.steps) > 1 else (),
        )

    def _counted(self, cost: Cost, job: Job, *, before: bool) -> list[float]:
        """Return the cost of `cost` beginning at each boundary, ``inf`` without time for it.

        With `before` it follows the unit before the boundary, otherwise it precedes the one
        after.
        """
        time = to_microseconds(cost.time) // self.unit
        if not time:
            steps = overhead_costs(self.rates, cost, job)
            return at_edges(steps, self.breaks, self.unit, after=not before)
        upto = list(accumulate(overhead_costs(self.rates, cost, job), initial=0))
        breaks = list(accumulate(self.breaks, initial=0))
        found = []
        for point in range(len(self.rates)):
            end = point + time
            room = end < len(upto) and breaks[end] == breaks[point + (not before)]
            found.append((upto[end] - upto[point]) / (time * self.unit) if room else inf)
        return found
