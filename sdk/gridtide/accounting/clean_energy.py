"""Energy by the intensity of its time, and by the clean energy bought in the same hour. Pure.

Times are whole microseconds since 1970 UTC; energy is (start, end, kWh), drawn evenly.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from math import fsum

from gridtide.planning.problem.job import HOUR
from gridtide.planning.solvers.cancellation import check_cancelled
from gridtide.slots import STEPS_PER_UNIT, Run

# Longer rows are counted by sums prepared once, so that each takes as long as a short one.
LONG_RUNS, LONG_HOURS = 4, 4


class Known:
    """The unbroken runs of a series with the time and the integral before each."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs
        self._firsts = [run.edges[0] for run in runs]
        spans = (run.edges[-1] - run.edges[0] for run in runs)
        self._time = list(accumulate(spans, initial=0))
        self._integrals = list(accumulate((run.integrals[-1] for run in runs), initial=0))

    def mean(self, start: int, end: int) -> float | None:
        """Return the mean over ``[start, end)``; ``None`` where any part of it is unknown."""
        i = bisect_right(self._firsts, start) - 1
        if i < 0 or self.runs[i].edges[-1] < end:
            return None
        return self.runs[i].mean(start, end)

    def parts(self, start: int, end: int, kwh: float) -> list[tuple[float, float]]:
        """Return energy and grams of the parts of ``[start, end)`` whose intensity is known."""
        low = max(0, bisect_right(self._firsts, start) - 1)
        high = bisect_left(self._firsts, end)
        if high - low <= LONG_RUNS:
            return self._each(range(low, high), start, end, kwh)
        inner = range(low + 1, high - 1)
        time = self._time[inner.stop] - self._time[inner.start]
        integral = self._integrals[inner.stop] - self._integrals[inner.start]
        share = kwh / (end - start)
        return [
            *self._each((low, high - 1), start, end, kwh),
            (share * time, share * time * (integral / (time * STEPS_PER_UNIT))),
        ]

    def _each(
        self, which: Sequence[int], start: int, end: int, kwh: float
    ) -> list[tuple[float, float]]:
        found = []
        for i in which:
            run = self.runs[i]
            first, last = max(start, run.edges[0]), min(end, run.edges[-1])
            if first < last:
                part = kwh * (last - first) / (end - start)
                found.append((part, part * run.mean(first, last)))
        return found


def unmatched(
    known: Known,
    used: Sequence[tuple[int, int, float]],
    bought: Sequence[tuple[int, int, float]],
) -> float:
    """Return the grams of what no purchase of the same hour covers; all of `used` is known."""
    energy: dict[int, float] = defaultdict(float)
    grams: dict[int, float] = defaultdict(float)
    for hour, first, last, kwh in _short(used):
        energy[hour] += kwh
        grams[hour] += kwh * (known.mean(first, last) or 0.0)
    for hour, kwh in _whole(used).items():
        energy[hour] += kwh
        grams[hour] += kwh * (known.mean(hour * HOUR, (hour + 1) * HOUR) or 0.0)
    covered: dict[int, float] = defaultdict(float)
    for hour, _, _, kwh in _short(bought):
        covered[hour] += kwh
    for hour, kwh in _whole(bought).items():
        covered[hour] += kwh
    return fsum(
        grams[hour] * max(0.0, 1 - covered.get(hour, 0.0) / kwh)
        for hour, kwh in energy.items()
        if kwh
    )


def _short(
    rows: Sequence[tuple[int, int, float]],
) -> Iterator[tuple[int, int, int, float]]:
    """Yield hour, start, end and energy of what `_whole` leaves: of long rows the ends."""
    for start, end, kwh in rows:
        check_cancelled()
        low, high = start // HOUR, -(-end // HOUR)
        inner = _inner(start, end)
        for hour in (*range(low, inner.start), *range(inner.stop, high)):
            first, last = max(start, hour * HOUR), min(end, (hour + 1) * HOUR)
            yield hour, first, last, kwh * (last - first) / (end - start)


def _whole(rows: Sequence[tuple[int, int, float]]) -> Mapping[int, float]:
    """Return the energy of the whole hours inside long rows, by hour."""
    changes: dict[int, list[float]] = defaultdict(list)
    beginning: dict[int, int] = defaultdict(int)
    for start, end, kwh in rows:
        inner = _inner(start, end)
        if inner:
            rate = kwh * HOUR / (end - start)
            changes[inner.start].append(rate)
            changes[inner.stop].append(-rate)
            beginning[inner.start] += 1
            beginning[inner.stop] -= 1
    found: dict[int, float] = {}
    rate, active = 0.0, 0
    # Behind the last change no row goes on.
    for hour, following in pairwise(sorted(changes)):
        check_cancelled()
        active += beginning[hour]
        # Where no row goes on, nothing is left of what rounding leaves.
        rate = fsum([rate, *changes[hour]]) if active else 0.0
        if active:
            found.update(dict.fromkeys(range(hour, following), max(0.0, rate)))
    return found


def _inner(start: int, end: int) -> range:
    """Return the whole hours inside a long row; of a short one none, at its end."""
    low, high = -(-start // HOUR), end // HOUR
    if high - low <= LONG_HOURS:
        high = low = -(-end // HOUR)
    return range(low, high)
