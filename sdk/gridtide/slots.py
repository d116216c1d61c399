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
from itertools import accumulate, chain, pairwise
from math import floor, fsum
from operator import mul, sub
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
# Over more slots a mean is of the integrals, which are exact to a step, instead of a sum.
LONG = 168


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

    @cached_property
    def falls(self) -> list[int]:
        """Indices of the edges at which the value falls."""
        return [i for i, (one, two) in enumerate(pairwise(self.scaled), 1) if two < one]

    @cached_property
    def rises(self) -> list[int]:
        """Indices of the edges at which the value rises."""
        return [i for i, (one, two) in enumerate(pairwise(self.scaled), 1) if two > one]

    def mean(self, start: int, end: int) -> float:
        """Exact mean over ``[start, end)``, which must lie inside the run."""
        first = bisect_right(self.edges, start) - 1
        last = bisect_left(self.edges, end) - 1
        if first == last:
            return self.values[first]
        if last - first > LONG:
            integral = self.upto(end) - self.upto(start)
            return integral / ((end - start) * STEPS_PER_UNIT)
        edges, inner = self.edges[first + 1 : last + 1], self.values[first + 1 : last]
        if self.step:
            parts = map(float(self.step).__mul__, inner)
        else:
            parts = map(mul, inner, map(sub, edges[1:], edges))
        ends = (
            self.values[first] * (edges[0] - start),
            self.values[last] * (end - edges[-1]),
        )
        return fsum(chain(ends, parts)) / (end - start)

    def cleanest(
        self, first: int, last: int, duration: int, *, lower_is_cleaner: bool
    ) -> tuple[int, int]:
        """Integral and start of the cleanest window that starts in ``[first, last]``.

        Ties go to the earliest start.
        """
        pick = min if lower_is_cleaner else max
        if self.step and duration % self.step == 0:
            starts, found = self._whole_slots(first, last, duration // self.step)
        else:
            starts, found = self._at_corners(first, last, duration, lower=lower_is_cleaner)
        for bound in {first, last}.difference(starts[:1], starts[-1:]):
            starts.append(bound)
            found.append(self.upto(bound + duration) - self.upto(bound))
        best = pick(found)
        if found.count(best) == 1:
            return best, starts[found.index(best)]
        return best, min(s for s, value in zip(starts, found, strict=True) if value == best)

    def _whole_slots(self, first: int, last: int, width: int) -> tuple[list[int], list[int]]:
        """Starts on edges, and the integrals over `width` slots from each.

        Both ends meet edges together, so a difference of prefix sums is all it takes.
        """
        low, high = bisect_left(self.edges, first), bisect_right(self.edges, last)
        upto = self.integrals[low + width : high + width]
        return self.edges[low:high], list(map(sub, upto, self.integrals[low:high]))

    def _at_corners(
        self, first: int, last: int, duration: int, *, lower: bool
    ) -> tuple[list[int], list[int]]:
        """Starts where the mean, piecewise linear in the start, can turn; their integrals.

        As the window moves on, its integral grows by the value entered and shrinks by the value
        left. It turns from better to worse only where it begins to leave a cleaner value (the
        start meets an edge) or to enter a dirtier one (the end meets an edge).
        """
        edges, integrals, scaled, top = (
            self.edges,
            self.integrals,
            self.scaled,
            len(self.values),
        )
        cleaner, dirtier = (self.falls, self.rises) if lower else (self.rises, self.falls)
        left, right = bisect_left(edges, first), bisect_right(edges, last)
        starts, found = [], []
        for i in cleaner[bisect_left(cleaner, left) : bisect_left(cleaner, right)]:
            end = edges[i] + duration
            j = bisect_right(edges, end, i, top) - 1
            starts.append(edges[i])
            found.append(integrals[j] + scaled[j] * (end - edges[j]) - integrals[i])
        left, right = (
            bisect_left(edges, first + duration),
            bisect_right(edges, last + duration),
        )
        for j in dirtier[bisect_left(dirtier, left) : bisect_left(dirtier, right)]:
            start = edges[j] - duration
            i = bisect_right(edges, start, 0, j) - 1
            starts.append(start)
            found.append(integrals[j] - integrals[i] - scaled[i] * (start - edges[i]))
        return starts, found

    def upto(self, instant: int) -> int:
        """Integral from the start of the run to `instant`."""
        i = bisect_right(self.edges, instant, 0, len(self.values)) - 1
        return self.integrals[i] + self.scaled[i] * (instant - self.edges[i])


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
