"""Energy by the intensity of its time, and by the clean energy bought in the same hour. Pure.

Times are whole microseconds since 1970 UTC; energy is (start, end, kWh), drawn evenly.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import fsum

from gridtide.runs import Run

HOUR = 3_600_000_000  # microseconds


def mean_of(runs: Sequence[Run], start: int, end: int) -> float | None:
    """The mean over ``[start, end)``; ``None`` where any part of it is unknown."""
    i = bisect_right(runs, start, key=lambda run: run.edges[0]) - 1
    if i < 0 or runs[i].edges[-1] < end:
        return None
    return runs[i].mean(start, end)


def known_parts(
    runs: Sequence[Run], start: int, end: int, kwh: float
) -> list[tuple[float, float]]:
    """Energy and grams of the parts of ``[start, end)`` whose intensity is known."""
    found = []
    i = max(0, bisect_right(runs, start, key=lambda run: run.edges[0]) - 1)
    while i < len(runs) and runs[i].edges[0] < end:
        first, last = max(start, runs[i].edges[0]), min(end, runs[i].edges[-1])
        if first < last:
            part = kwh * (last - first) / (end - start)
            found.append((part, part * runs[i].mean(first, last)))
        i += 1
    return found


def unmatched(
    runs: Sequence[Run],
    drawn: Sequence[tuple[int, int, float]],
    bought: Sequence[tuple[int, int, float]],
) -> float:
    """Grams of what no purchase of the same hour covers; all of `drawn` is known."""
    energy: dict[int, float] = {}
    grams: dict[int, float] = {}
    covered: dict[int, float] = {}
    for start, end, kwh in drawn:
        for hour, first, last in _hours(start, end):
            part = kwh * (last - first) / (end - start)
            energy[hour] = energy.get(hour, 0.0) + part
            grams[hour] = grams.get(hour, 0.0) + part * (mean_of(runs, first, last) or 0.0)
    for start, end, kwh in bought:
        for hour, first, last in _hours(start, end):
            covered[hour] = covered.get(hour, 0.0) + kwh * (last - first) / (end - start)
    return fsum(
        grams[hour] * max(0.0, 1 - covered.get(hour, 0.0) / drawn_kwh)
        for hour, drawn_kwh in energy.items()
        if drawn_kwh
    )


def _hours(start: int, end: int) -> list[tuple[int, int, int]]:
    """The hours of the clock that ``[start, end)`` is in, each with the part in it."""
    hours = range(start // HOUR, -(-end // HOUR))
    return [(hour, max(start, hour * HOUR), min(end, (hour + 1) * HOUR)) for hour in hours]
