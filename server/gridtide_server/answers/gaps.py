"""Gaps made explicit: the slots of a range that are not known. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

Bounds = tuple[int, int]


def usual_step(slots: Sequence[Bounds]) -> int:
    """The most common length; of equally common ones the shortest."""
    lengths = Counter(end - start for start, end in slots)
    return min(lengths, key=lambda length: (-lengths[length], length))


def missing(slots: Sequence[Bounds], start: int, end: int, *, until: int) -> Iterator[Bounds]:
    """Slots that start in ``[start, end)`` and that none of `slots` covers, in order.

    They have the usual length and lie against their neighbours, so that the clock of the
    series goes on; the last one before a known slot is shorter where it has to be. Behind
    the last known slot only those that have ended by `until` count: a slot that still runs is
    not missing.

    Args:
        slots: known bounds, not empty, sorted, not overlapping. Any unit of time.
        start: of the range; as are `end` and `until`, in the same unit.
        end: of the range, exclusive.
        until: the moment things are known at.
    """
    step = usual_step(slots)
    first, last = slots[0][0], slots[-1][1]
    for k in range((first - start) // step, 0, -1):
        yield first - k * step, first - (k - 1) * step
    for (_, left), (right, _) in pairwise(slots):
        for begin in range(left, right, step):
            yield begin, min(begin + step, right)
    for begin in range(last, end, step):
        if begin + step > until:
            return
        yield begin, begin + step
