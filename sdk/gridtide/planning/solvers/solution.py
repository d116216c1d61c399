"""What a planner hands back, before it is measured and explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from gridtide.planning.problem.job import HOUR
from gridtide.slots import STEPS_PER_UNIT


class Part(NamedTuple):
    """Running at one power over ``[start, end)``, microseconds; `chips` of an elastic job."""

    start: int
    end: int
    power_kw: float
    chips: float | None = None


class Drawn(NamedTuple):
    """Energy drawn evenly over ``[start, end)``, beside what the parts draw."""

    start: int
    end: int
    kwh: float


@dataclass(frozen=True)
class Draft:
    """When a job runs, and what the goal counts that at, before PUE.

    Attributes:
        cost: in the goal's unit: grams, kWh that are not carbon-free, or cost.
        parts: ascending, not overlapping.
        pieces: how many pieces it runs in, a move to another place beginning one that costs.
        extra: energy of pauses and restarts that take no time.
        bound: no way counts less; ``None`` where this one is known to be the best.
    """

    cost: float
    parts: tuple[Part, ...]
    pieces: int = 1
    extra: tuple[Drawn, ...] = ()
    bound: float | None = None

    @property
    def least(self) -> float:
        """What no way counts less than."""
        return self.cost if self.bound is None else min(self.bound, self.cost)

    @property
    def start(self) -> int:
        """When it first runs."""
        return self.parts[0].start

    @property
    def end(self) -> int:
        """When it has ended."""
        return self.parts[-1].end

    @property
    def drawn(self) -> list[Drawn]:
        """All energy before PUE."""
        return [
            *(Drawn(start, end, (end - start) * kw / HOUR) for start, end, kw, _ in self.parts),
            *self.extra,
        ]


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Parts that touch at one power and size become one."""
    found: list[Part] = []
    for part in parts:
        if found and found[-1].end == part.start and found[-1][2:] == part[2:]:
            part = found.pop()._replace(end=part.end)
        found.append(part)
    return tuple(found)


def powered(
    spans: Sequence[tuple[int, int]], steps: Sequence[tuple[int, int, float]]
) -> tuple[Part, ...]:
    """`spans` of work, run in order through the power `steps` of the job."""
    parts, done, i = [], 0, 0
    for start, end in spans:
        while start < end:
            while steps[i][1] <= done and i < len(steps) - 1:
                i += 1
            left = min(end - start, steps[i][1] - done)
            parts.append(Part(start, start + left, steps[i][2]))
            start, done = start + left, done + left
    return joined(parts)


def pieces(parts: Sequence[Part]) -> int:
    """How many times a job starts that runs like this."""
    return 1 + sum(later.start > earlier.end for earlier, later in pairwise(parts))


def in_units(total: float) -> float:
    """A sum of rate steps x kW x microseconds, in the goal's unit."""
    return total / STEPS_PER_UNIT / HOUR
