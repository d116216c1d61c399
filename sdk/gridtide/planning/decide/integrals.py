"""Sums and values over the energy of a schedule."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from gridtide.errors import NoData
from gridtide.planning.problem.job import HOUR
from gridtide.planning.solvers.solution import EnergyDraw, Part
from gridtide.slots import Run


def integrated(runs: Sequence[Run], draws: Iterable[EnergyDraw]) -> float | None:
    """Return the sum of kWh x the mean over their time; ``None`` where any of it is unknown."""
    starts = [run.edges[0] for run in runs]
    total = 0.0
    for start, end, kwh in draws:
        i = bisect_right(starts, start) - 1
        if i < 0 or runs[i].edges[-1] < end:
            return None
        total += kwh * runs[i].mean(start, end)
    return total


def value_from(runs: Sequence[Run], instant: int, name: str) -> float:
    """Return the first known value at or after `instant`, or else the last one.

    Raises:
        NoData: no value is known; `name` says of what.
    """
    for run in runs:
        if instant < run.edges[-1]:
            return run.values[max(0, bisect_right(run.edges, instant) - 1)]
    if not runs:
        raise NoData(
            f"{name}: no value is known, so moving data from or to it cannot be counted; give "
            "a forecast that has some, or leave the data where it is"
        )
    return runs[-1].values[-1]


def energy(part: Part) -> float:
    """Return the kWh that a part draws, before PUE."""
    return (part.end - part.start) * part.power_kw / HOUR
