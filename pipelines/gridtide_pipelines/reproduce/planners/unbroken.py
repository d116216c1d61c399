"""Best unbroken windows: of many zones at once, or of many starts and windows in one series.

Computes the same as `gridtide.windows.best_window`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from math import gcd

import numpy as np

from gridtide.errors import BadInput
from gridtide.slots import STEPS_PER_UNIT
from gridtide_pipelines.reproduce.planners.whole_steps import BLOCK, ROOM, Floats, Sums, Whole

NONE = -1  # the start where no run fits
# Beyond every sum, also when a negative one is added to it, or two of it.
UNKNOWN = 2 * ROOM
NEVER = np.iinfo(np.int64).max  # beyond those


def best_whole(
    sums: Sums, width: int, *, first: int = 0, last: int | None = None
) -> tuple[Whole, Whole]:
    """Return the best window of `width` whole slots of each row, starting at `first` to `last`.

    Returns:
        Starts (rows,), ties to the earliest, `NONE` where no run is known throughout; totals
        (rows,) in steps x slots.

    Raises:
        BadInput: no start from `first` to `last` leaves room for the run.
    """
    slots = sums.slots
    stop = (slots - width if last is None else min(last, slots - width)) + 1
    if width < 1 or not 0 <= first < stop:
        raise BadInput(
            f"no run of {width} slots starts at slots {first} to {stop - 1} of {slots}; give "
            "for a shorter run or a later deadline"
        )
    found = _sum_slots(sums, width, 1, np.empty(sums.totals.size, np.int64))
    best = _least_between(found, first, stop)
    totals = found[np.arange(len(best)), best]
    return np.where(totals >= ROOM, NONE, best), totals


def best_any(
    sums: Sums, step: int, duration: int, *, first: int = 0, last: int | None = None
) -> tuple[Whole, Floats]:
    """Return best window of any `duration`, starting anywhere from `first` to `last`, per row.

    Times are whole microseconds from the start of the rows, `step` the length of a slot. Exact:
    the total is piecewise linear in the start, so an edge of the run meets an edge of a slot or
    a bound.

    Returns:
        Starts (rows,) in microseconds, ties to the earliest, `NONE` where no run is known
        throughout; means (rows,) in the unit of the values, NaN where there is none.

    Raises:
        BadInput: no start leaves room for the run, or times so fine that sums would not fit.
    """
    slots = sums.slots
    end = slots * step - duration
    stop = end if last is None else min(last, end)
    if duration <= 0 or not 0 <= first <= stop:
        raise BadInput(
            f"no run of {duration / 3.6e9:g} h fits into {slots * step / 3.6e9:g} h of slots "
            "from the earliest start on; give a shorter run or a later deadline"
        )
    unit = gcd(step, duration, first, stop)
    parts = step // unit
    _check_room(sums, parts)
    low, high, length = first // unit, stop // unit, duration // unit
    rest = length % parts
    # A run that begins on an edge ends inside the slot after its whole ones; a run that ends on
    # an edge begins inside the slot before them. Where both are in bounds they share the sum of
    # the whole ones; the few starts where only one is, and the bounds, are tried alone.
    begin, end = -(-(low + rest) // parts), high // parts + 1
    alone = {low, high}
    alone |= {edge * parts for edge in range(-(-low // parts), min(begin, end))}
    alone |= {
        edge * parts - rest for edge in range(max(begin, end), (high + rest) // parts + 1)
    }
    totals, starts = _at(sums, sorted(alone), length, parts)
    if begin < end:
        found, at = _on_edges(sums, begin, end, length, parts)
        better = (found < totals) | ((found == totals) & (at < starts))
        totals, starts = np.where(better, found, totals), np.where(better, at, starts)
    none = totals >= ROOM
    sign = 1 if sums.lower_is_cleaner else -1
    means = np.where(none, np.nan, totals * (sign / (STEPS_PER_UNIT * length)))
    return np.where(none, NONE, starts * unit), means


def best_starts(sums: Sums, starts: Whole, widths: Whole, slacks: Whole) -> Whole:
    """Return for each job the best start from ``starts`` to ``starts + slacks``, in slots.

    `sums` has one row; jobs are arrays (jobs,) of whole slots. Starts whose run would leave the
    series do not count; of equal ones the earliest does. Every slot must be known.

    Raises:
        BadInput: a job does not fit at its own start, or a slot is unknown.
    """
    totals, slots = sums.totals[0], sums.slots
    if sums.unknown is not None or starts.min() < 0 or (starts + widths).max() > slots:
        raise BadInput(
            f"each job must fit at its start into known slots; there are {slots} slots"
        )
    later = np.arange(int(slacks.max()) + 1)
    tried = np.minimum(starts[:, None] + later, (slots - widths)[:, None])
    found = totals[tried + widths[:, None]] - totals[tried]
    found[later > slacks[:, None]] = UNKNOWN
    best: Whole = tried[np.arange(len(starts)), found.argmin(axis=1)]
    return best


def totals_at(sums: Sums, starts: Whole, widths: Whole) -> Floats:
    """Sum the one row over ``[starts, starts + widths)`` (jobs,), in value x slots."""
    totals = sums.totals[0]
    found: Floats = (totals[starts + widths] - totals[starts]) / STEPS_PER_UNIT
    return found


class _Scratch(threading.local):
    """Flat memory for the sums over a block of rows, of each thread.

    Kept from one call to the next: fresh memory takes several times as long as the sums. Flat,
    as numpy goes over one long row faster than over many short ones.
    """

    def __init__(self) -> None:
        self._kept: list[Whole] = []

    def take(self, sums: Sums, count: int) -> list[Whole]:
        """Return arrays for a block of rows, overwritten by the next call."""
        size = sums.rows_a_block * (sums.slots + 1)
        self._kept = [each for each in self._kept if len(each) >= size]
        while len(self._kept) < count:
            self._kept.append(np.empty(max(size, BLOCK), np.int64))
        return self._kept[:count]


_SCRATCH = _Scratch()


def _sum_slots(sums: Sums, width: int, parts: int, scratch: Whole) -> Whole:
    """Return `parts` x the totals of `width` slots from each edge on (rows, slots + 1).

    The last `width` of each row, where no such run begins, mean nothing.
    """
    totals = sums.totals.reshape(-1)
    found = scratch[: len(totals)]
    inside = found[: len(totals) - width]
    np.subtract(totals[width:], totals[: len(totals) - width], out=inside)
    if parts > 1:
        inside *= parts
    if sums.unknown is not None:
        unknown = sums.unknown.reshape(-1)
        inside[unknown[width:] > unknown[: len(totals) - width]] = UNKNOWN
    return found.reshape(sums.totals.shape)


def _least_between(found: Whole, begin: int, end: int) -> Whole:
    """Return the column of the least of ``[begin, end)`` in each row; overwrites the others.

    Whole rows are searched in a third of the time that parts of them take, which are copied.
    """
    found[:, :begin] = found[:, end:] = NEVER
    least: Whole = found.argmin(axis=1)
    return least


def _on_edges(sums: Sums, begin: int, end: int, length: int, parts: int) -> tuple[Whole, Whole]:
    """Return best total and start of windows whose whole slots begin in ``[begin, end)``."""
    width, rest = divmod(length, parts)
    totals, besides, cheaper = _SCRATCH.take(sums, 3)
    blocks = []
    for rows in sums.blocks():
        row = np.arange(len(rows.steps))
        whole = _sum_slots(rows, width, parts, totals)
        if rest == 0:
            best = _least_between(whole, begin, end)
            blocks.append((whole[row, best], best * parts))
            continue
        beside = np.multiply(rows.steps.reshape(-1), rest, out=besides[: rows.steps.size])
        if rows.unknown is not None:
            beside.reshape(whole.shape)[:, :-1][rows.unknown[:, 1:] > rows.unknown[:, :-1]] = (
                UNKNOWN
            )
        # Of the slots beside the whole ones, the one before them and the one after.
        apart = width + 1
        both = cheaper[: beside.size - apart]
        np.minimum(beside[: beside.size - apart], beside[apart:], out=both)
        whole.reshape(-1)[1 : both.size + 1] += both
        best = _least_between(whole, begin, end)
        # Of equal ones the run that begins before the edge is the earlier.
        slots = beside.reshape(whole.shape)
        sooner = slots[row, best - 1] <= slots[row, best + width]
        blocks.append((whole[row, best], best * parts - rest * sooner))
    best_totals, starts = (np.concatenate(column) for column in zip(*blocks, strict=True))
    return best_totals, starts


def _at(sums: Sums, starts: Sequence[int], length: int, parts: int) -> tuple[Whole, Whole]:
    """Return best total and start of a few windows, in parts of a slot; starts ascend."""
    tried = np.array(starts)
    found = _upto(sums, tried + length, parts) - _upto(sums, tried, parts)
    if sums.unknown is not None:
        left, right = tried // parts, -(-(tried + length) // parts)
        found[sums.unknown[:, right] > sums.unknown[:, left]] = UNKNOWN
    best = found.argmin(axis=1)
    return found[np.arange(len(best)), best], tried[best]


def _upto(sums: Sums, instants: Whole, parts: int) -> Whole:
    """Sum up to `instants`, in steps x parts of a slot."""
    slot, over = np.divmod(instants, parts)
    inside = np.minimum(slot, sums.slots - 1)
    upto: Whole = sums.totals[:, slot] * parts + sums.steps[:, inside] * over
    return upto


def _check_room(sums: Sums, parts: int) -> None:
    most = sums.largest * sums.slots
    if most * parts >= ROOM:
        raise BadInput(
            f"times split a slot into {parts} parts, too fine to sum exactly; give earliest, "
            "deadline and duration to the second"
        )
