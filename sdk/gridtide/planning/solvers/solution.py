"""What a planner returns, before baselines and explanation are added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from gridtide.planning.problem.job import HOUR
from gridtide.slots import STEPS_PER_UNIT


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
