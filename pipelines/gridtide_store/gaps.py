"""The slots of a range of which nothing is known, for the service and for exports. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

Bounds = tuple[int, int]


def usual_length(slots: Sequence[Bounds]) -> int:
    """Return the most common length of slots; the shortest of equally common ones."""
    lengths = Counter(end - start for start, end in slots)
    return min(lengths, key=lambda length: (-lengths[length], length))


def missing_slots(
    slots: Sequence[Bounds], start: int, end: int, *, until: int
) -> Iterator[Bounds]:
    """Return the slots that start in ``[start, end)`` and overlap no known slot, in order.

    They have the usual length and adjoin their neighbours; the last one before a known slot is
    shorter if it has to be. After the last known slot only those that have ended by `until`
    count: a slot that has not ended is not missing.

    Args:
        slots: known bounds, not empty, sorted, not overlapping. Any unit of time.
        start: of the range; as are `end` and `until`, in the same unit.
        end: of the range, exclusive.
        until: the knowledge time.
    """
    length = usual_length(slots)
    first, last = slots[0][0], slots[-1][1]
    for k in range((first - start) // length, 0, -1):
        yield first - k * length, first - (k - 1) * length
    for (_, left), (right, _) in pairwise(slots):
        for begin in range(left, right, length):
            yield begin, min(begin + length, right)
    for begin in range(last, end, length):
        if begin + length > until:
            return
        yield begin, begin + length
