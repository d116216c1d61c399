"""Cost of one kWh over the time in which a job may run, under an objective. Less is better."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Quality, Slot, format_time
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import HOUR
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.slots import STEPS_PER_UNIT, Run, to_moment, unbroken

# In steps: beyond 1e12 a value cannot be a rate per kWh, and its sums leave floating point.
LARGEST = 10**12 * STEPS_PER_UNIT


class Stretch(NamedTuple):
    """Free time ``[start, end)`` in which every value is known, inside one run of slots."""

    run: Run
    start: int
    end: int


@dataclass(frozen=True)
class Intervals:
    """Free time cut where the rate changes: ascending, microseconds, rates in 1e-9 units.

    Neighbours touch where one ends when the next starts.
    """

    starts: list[int]
    ends: list[int]
    rates: list[int]

    @cached_property
    def order(self) -> list[int]:
        """Indices of the intervals by rate; of equal rates the earlier first."""
        return sorted(range(len(self.rates)), key=self.rates.__getitem__)

    @cached_property
    def lengths(self) -> list[int]:
        """Length of each interval, microseconds."""
        return [end - start for start, end in zip(self.starts, self.ends, strict=True)]

    @cached_property
    def step(self) -> int:
        """The length that all intervals share, or 0 when they differ."""
        return self.lengths[0] if len(set(self.lengths)) == 1 else 0

    def before(self, deadline: int) -> Intervals:
        """Return the intervals up to `deadline`."""
        count = bisect_left(self.starts, deadline)
        ends = self.ends[:count]
        if ends and ends[-1] > deadline:
            ends[-1] = deadline
        return Intervals(self.starts[:count], ends, self.rates[:count])


@dataclass(frozen=True)
class Curve:
    """The stretches of free time in order, with their rates; `name` is for messages."""

    name: str
    stretches: tuple[Stretch, ...]

    @cached_property
    def intervals(self) -> Intervals:
        """The stretches, cut where the rate changes.

        Raises:
            BadInput: a rate is too large.
        """
        intervals = Intervals([], [], [])
        for run, start, end in self.stretches:
            first, last = bisect_right(run.edges, start) - 1, bisect_left(run.edges, end)
            edges = [start, *run.edges[first + 1 : last], end]
            intervals.starts.extend(edges[:-1])
            intervals.ends.extend(edges[1:])
            intervals.rates.extend(run.scaled[first:last])
        if (
            intervals.rates
            and max(intervals.rates[intervals.order[-1]], -intervals.rates[intervals.order[0]])
            > LARGEST
        ):
            raise BadInput(f"{self.name}: a value is beyond 1e12 a kWh; check its unit")
        return intervals

    def before(self, deadline: int) -> Curve:
        """Return the free time up to `deadline`."""
        left = [
            Stretch(run, start, min(end, deadline))
            for run, start, end in self.stretches
            if start < deadline
        ]
        return Curve(self.name, tuple(left))

    def refuse(self, need: int, *, unbroken: bool) -> NoFeasibleWindow:
        """Return the error that says why `need` does not fit, and what to request instead."""
        kind = "unbroken run" if unbroken else "time for a job"
        missing = f"{self.name}: no {kind} of {hours(need)} within the bounds"
        if not self.stretches:
            return NoFeasibleWindow(
                f"{missing}: no value is known at a time when the job may run; move "
                "earliest or deadline, or bring the forecast up to date"
            )
        known = f"{span(self.stretches[0].start, self.stretches[-1].end)}"
        if unbroken:
            _, start, end = max(self.stretches, key=lambda each: each.end - each.start)
            return NoFeasibleWindow(
                f"{missing}: values are known at times when the job may run {known}, unbroken "
                f"for at most {hours(end - start)}, {span(start, end)}: ask for at most that, "
                "for a later deadline, or let the job pause"
            )
        free = sum(end - start for _, start, end in self.stretches)
        return NoFeasibleWindow(
            f"{missing}: values are known at times when the job may run {known}, for "
            f"{hours(free)} in all: ask for at most that, or for a later deadline"
        )


def curve(outlook: Outlook, goal: Goal, spans: Sequence[tuple[int, int]]) -> Curve:
    """Return the cost curve of `outlook` under `goal`, within `spans`.

    Args:
        spans: free time, microseconds: ascending, not touching.

    Raises:
        BadInput: the goal does not fit the signal of the outlook.
        NoData: the outlook lacks the quantile of the goal.
    """
    return Curve(outlook.expected.zone, tuple(clipped(rates(outlook, goal), spans)))


def rates(
    outlook: Outlook, goal: Goal, window: tuple[datetime, datetime] | None = None
) -> tuple[Run, ...]:
    """Return the cost of a kWh under `goal` wherever it is known and within the threshold.

    Covers at least `window`; a series that is already prepared is not cut to it.
    """
    lower = outlook.signal.lower_is_cleaner
    if (goal.objective is Objective.CFE) == lower and goal.objective is not Objective.COST:
        raise BadInput(
            f"goal {goal.objective} does not fit {outlook.signal}; "
            + ("a carbon intensity goes" if lower else "a CFE fraction goes")
            + " with the objectives "
            + ("carbon, cost and weighted" if lower else "cfe and cost")
        )
    series = outlook.deciding(goal.quantile)
    if goal.objective is Objective.CARBON and goal.threshold is None:
        return series.runs
    slots = _inside(series.slots, window)
    if goal.threshold is not None:
        sign, limit = (1 if lower else -1), goal.threshold
        slots = [each for each in slots if each.value is not None]
        slots = [each for each in slots if sign * (each.value or 0.0) <= sign * limit]
    if goal.objective is Objective.CFE:
        return unbroken([_with(slot, lambda value: 1 - value) for slot in slots])
    if not goal.has_costs:
        return unbroken(slots)
    if goal.costs is None:
        raise BadInput(
            f"{outlook.expected.zone}: goal {goal.objective} has no cost of a kWh here; give "
            "costs in the goal, or with each region"
        )
    carbon, cost = goal.weights
    costs = _inside(goal.costs.slots, window)
    return unbroken(
        list(joined(slots, costs, lambda left, right: carbon * left + cost * right))
    )


def joined(
    left: Sequence[Slot], right: Sequence[Slot], value: Callable[[float, float], float]
) -> Iterator[Slot]:
    """Combine two sequences of slots where both are known, cut at the edges of both."""
    i = j = 0
    while i < len(left) and j < len(right):
        one, other = left[i], right[j]
        start, end = max(one.start, other.start), min(one.end, other.end)
        if start < end and one.value is not None and other.value is not None:
            yield Slot(start, end, value(one.value, other.value), Quality.FORECAST)
        if one.end <= other.end:
            i += 1
        if other.end <= one.end:
            j += 1


def clipped(runs: Sequence[Run], spans: Sequence[tuple[int, int]]) -> Iterator[Stretch]:
    """Return the intersection of the runs with the spans, in order."""
    i = j = 0
    while i < len(runs) and j < len(spans):
        edges = runs[i].edges
        start, end = max(edges[0], spans[j][0]), min(edges[-1], spans[j][1])
        if start < end:
            yield Stretch(runs[i], start, end)
        if edges[-1] <= spans[j][1]:
            i += 1
        else:
            j += 1


def hours(length: int) -> str:
    """Format a length of time for a message."""
    return f"{length / HOUR:g} h"


def span(start: int, end: int) -> str:
    """Format an interval of time for a message."""
    return f"from {format_time(to_moment(start))} to {format_time(to_moment(end))}"


def _with(slot: Slot, change: Callable[[float], float]) -> Slot:
    value = None if slot.value is None else change(slot.value)
    return Slot(slot.start, slot.end, value, slot.quality)


def _inside(slots: Sequence[Slot], window: tuple[datetime, datetime] | None) -> Sequence[Slot]:
    """Return the slots that overlap `window`."""
    if window is None:
        return slots
    start, end = window
    first = bisect_right(slots, start, key=lambda slot: slot.end)
    return slots[first : bisect_left(slots, end, key=lambda slot: slot.start)]
