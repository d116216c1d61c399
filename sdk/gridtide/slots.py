"""Unbroken runs of known slots, prepared once so that a window is found fast.

Times are whole microseconds since 1970 UTC. Integrals are whole numbers of
1e-9 signal units x microseconds: sums of integers do not depend on their order and do not
drift, so two windows with equal means compare as equal and a tie can go to the earliest.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from math import floor, fsum
from operator import add, mul, neg, sub
from typing import TYPE_CHECKING

from gridtide.errors import BadInput

if TYPE_CHECKING:
    from gridtide.model import Slot

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Values are compared in steps of 1e-9 g/kWh or of 1e-9 of a fraction: far below what any
# source knows, far above what floating point leaves behind when it computes a value.
STEPS_PER_UNIT = 10**9
PER_UNIT = float(STEPS_PER_UNIT)
# Runs of more slots are histories, of which no minima are kept.
LONGEST_KEPT = 1000
# How many minima are kept for each slot of a run; one takes about 90 bytes, a slot 350.
KEPT = 4
# Over more slots a mean is of the integrals, which are exact to a step, instead of a sum.
LONG = 168


# Starts, ascending, and the integrals from there, negative where more is cleaner.
Minima = tuple[list[int], list[int]]


def to_microseconds(span: timedelta) -> int:
    """Return `span` as whole microseconds."""
    return span // MICROSECOND


def to_instant(moment: datetime) -> int:
    """Return an aware `moment` as whole microseconds since 1970 UTC."""
    return (moment - EPOCH) // MICROSECOND


def to_moment(instant: int) -> datetime:
    """Return the UTC time of an instant in microseconds since 1970."""
    return EPOCH + timedelta(microseconds=instant)


def check_deadline(earliest: int, deadline: int) -> None:
    """Refuse a latest end that leaves no time after the earliest start, both as instants.

    Raises:
        BadInput: it is not later.
    """
    if deadline <= earliest:
        from gridtide.model import format_time  # which imports this module

        raise BadInput(
            f"deadline before start: {format_time(to_moment(deadline))} is not after the "
            f"earliest start {format_time(to_moment(earliest))}; the deadline is when the job "
            "must have ended"
        )


@dataclass(frozen=True)
class Run:
    """Known slots that follow each other without a gap.

    Attributes:
        edges: starts of the slots and, last, the end of the last one; ascending.
        values: mean of each slot; one fewer than `edges`.
        scaled: the same in whole steps of 1e-9.
        integrals: sum of ``scaled x length`` up to each edge; as many as `edges`.
        step: the length all slots share, or 0 when they differ.
    """

    edges: list[int]
    values: list[float]
    scaled: list[int]
    integrals: list[int]
    step: int

    def mean(self, start: int, end: int) -> float:
        """Exact mean over ``[start, end)``, which must lie inside the run."""
        edges, values = self.edges, self.values
        first, last = bisect_right(edges, start) - 1, bisect_left(edges, end) - 1
        if first == last:
            return values[first]
        if last - first > LONG:
            integral = self.upto(end) - self.upto(start)
            return integral / ((end - start) * STEPS_PER_UNIT)
        head = values[first] * (edges[first + 1] - start)
        tail = values[last] * (end - edges[last])
        return fsum((head, *self._products[first + 1 : last], tail)) / (end - start)

    @cached_property
    def _products(self) -> list[float]:
        """Value x length of each slot."""
        return list(map(mul, self.values, map(sub, self.edges[1:], self.edges)))

    def cleanest(
        self, first: int, last: int, duration: int, *, lower_is_cleaner: bool
    ) -> tuple[int, int]:
        """Integral and start of the cleanest window that starts in ``[first, last]``.

        Ties go to the earliest start.
        """
        starts, totals = self._minima(first, last, duration, lower=lower_is_cleaner)
        low = bisect_left(starts, first)
        high = bisect_right(starts, last, low)
        sign = 1 if lower_is_cleaner else -1
        best, start = sign * (self.upto(first + duration) - self.upto(first)), first
        if low < high:
            inside = totals[low:high]
            least = min(inside)
            if least < best:
                best, start = least, starts[low + inside.index(least)]
        if not starts or starts[-1] > last:
            at_last = sign * (self.upto(last + duration) - self.upto(last))
            if at_last < best:
                best, start = at_last, last
        return sign * best, start

    @cached_property
    def _kept(self) -> dict[tuple[int, bool], Minima]:
        """The minima of lengths that were searched before; see `_minima`."""
        return {}

    def _minima(self, first: int, last: int, duration: int, *, lower: bool) -> Minima:
        """The local minima over all starts, or at least those within ``[first, last]``.

        Those of a forecast are kept, by length: as many as take about the memory of the run
        itself, and no longer than the run. Of a long history few starts are usually allowed.
        """
        if len(self.values) > LONGEST_KEPT:
            low = max(0, bisect_right(self.edges, first) - 1)
            return self._find_minima(
                duration, low, bisect_left(self.edges, last + duration), lower=lower
            )
        key = duration, lower
        found = self._kept.get(key)
        if found is None:
            found = self._find_minima(duration, 0, len(self.values), lower=lower)
            if sum(len(starts) for starts, _ in [*self._kept.values()]) > KEPT * len(
                self.values
            ):
                self._kept.clear()
            self._kept[key] = found
        return found

    def _find_minima(self, duration: int, low: int, high: int, *, lower: bool) -> Minima:
        """Starts of which no start right beside is better, from edge `low` to edge `high`.

        As the window moves on, its integral grows by the value entered and shrinks by the value
        left. It can turn only where the start or the end meets an edge. Of a level stretch the
        first start counts. The last start is the last of them, whether it is a minimum or not.
        """
        edges, integrals = self.edges[low : high + 1], self.integrals[low : high + 1]
        width, rest = divmod(duration, self.step) if self.step else (0, 0)
        if not self.step:
            inside = [edge - duration for edge in edges if edge - duration > edges[0]]
            starts = sorted({*edges[: bisect_right(edges, edges[-1] - duration)], *inside})
            totals = [self.upto(start + duration) - self.upto(start) for start in starts]
        elif rest == 0:
            starts = edges[: len(edges) - width]
            totals = list(map(sub, integrals[width:], integrals))
        else:
            # By turns the start is on an edge and the end `rest` into a slot, or the end on an
            # edge and the start `rest` before one.
            count = len(edges) - 1 - width
            parts = list(map(rest.__mul__, self.scaled[low:high]))
            starts, totals = [0] * (2 * count), [0] * (2 * count)
            starts[::2] = edges[:count]
            starts[1::2] = [edge - rest for edge in edges[1 : count + 1]]
            inside = list(map(sub, integrals[width:], integrals))
            totals[::2] = map(add, inside, parts[width:])
            totals[1::2] = map(add, inside[1:], parts)
        if not lower:
            totals = list(map(neg, totals))
        threes = zip(totals, totals[1:], totals[2:], strict=False)
        minima = [i for i, (one, two, three) in enumerate(threes, 1) if one > two <= three]
        minima.append(len(starts) - 1)
        return [starts[i] for i in minima], [totals[i] for i in minima]

    def upto(self, instant: int) -> int:
        """Integral from the start of the run to `instant`."""
        i = bisect_right(self.edges, instant, 0, len(self.values)) - 1
        return self.integrals[i] + self.scaled[i] * (instant - self.edges[i])


def find_cleanest(
    runs: Sequence[Run], span: int, low: int | None, high: int | None, *, lower_is_cleaner: bool
) -> tuple[int, Run] | None:
    """Return start and run of the cleanest window of `span` within ``[low, high)``, if any.

    Ties go to the earliest; ``None`` is no bound.
    """
    best: tuple[int, int, Run] | None = None
    for run in runs:
        edges = run.edges
        first = edges[0] if low is None or low < edges[0] else low
        last = (edges[-1] if high is None or high > edges[-1] else high) - span
        if first <= last:
            total, start = run.cleanest(first, last, span, lower_is_cleaner=lower_is_cleaner)
            # Strictly cleaner: of equal means the earlier run keeps its place.
            if best is None or (total < best[0] if lower_is_cleaner else total > best[0]):
                best = total, start, run
    return best and best[1:]


def mean_between(runs: Sequence[Run], first: int, last: int) -> float | None:
    """Return the exact mean over ``[first, last)``; ``None`` where any part is unknown."""
    for run in runs:
        if run.edges[0] <= first and last <= run.edges[-1]:
            return run.mean(first, last)
    return None


def edges_of(slots: Sequence[Slot]) -> tuple[list[datetime], list[datetime]]:
    """Return the starts and the ends of `slots`."""
    return [slot.start for slot in slots], [slot.end for slot in slots]


def unbroken(slots: Sequence[Slot]) -> tuple[Run, ...]:
    """Return the runs of `slots` (sorted, not overlapping), cut at gaps and unknown values."""
    if not slots:
        return ()
    values = [slot.value for slot in slots]
    starts, ends = edges_of(slots)
    if None not in values and starts[1:] == ends[:-1]:
        return (_prepared(starts, ends, values),)  # type: ignore[arg-type]  # none is None
    return tuple(
        _prepared(
            [slot.start for slot in part],
            [slot.end for slot in part],
            [slot.value for slot in part if slot.value is not None],
        )
        for part in _parts(slots)
    )


def _parts(slots: Sequence[Slot]) -> list[list[Slot]]:
    """Known slots that follow each other."""
    parts: list[list[Slot]] = []
    for slot in slots:
        if slot.value is None:
            continue
        if parts and parts[-1][-1].end == slot.start:
            parts[-1].append(slot)
        else:
            parts.append([slot])
    return parts


def _prepared(starts: Sequence[datetime], ends: Sequence[datetime], values: list[float]) -> Run:
    """Return one run; each slot starts where the one before it ends."""
    lengths = list(map(sub, ends, starts))
    first, scaled = to_instant(starts[0]), _scaled(values)
    if lengths.count(lengths[0]) == len(lengths):
        step = to_microseconds(lengths[0])
        edges = list(range(first, first + len(lengths) * step + 1, step))
        parts = map(step.__mul__, scaled)
    else:
        step = 0
        spans = [to_microseconds(length) for length in lengths]
        edges = list(accumulate(spans, initial=first))
        parts = map(mul, scaled, spans)
    return Run(edges, values, scaled, list(accumulate(parts, initial=0)), step)


def _scaled(values: list[float]) -> list[int]:
    """Return `values` in whole steps, in parts where one is too large for a float of steps."""
    try:
        return list(map(float.__round__, [value * PER_UNIT for value in values]))
    except OverflowError:
        return [
            floor(value) * STEPS_PER_UNIT + round((value - floor(value)) * STEPS_PER_UNIT)
            for value in values
        ]
