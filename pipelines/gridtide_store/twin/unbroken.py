"""Best unbroken runs: of many zones at once, or of many starts and windows in one series.

The twin of `gridtide.windows.best_window`.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

from gridtide.errors import BadInput
from gridtide.runs import STEPS_PER_UNIT
from gridtide_store.twin.steps import ROOM, Floats, Sums, Whole

NONE = -1  # the start where no run fits


def best_whole(
    sums: Sums, width: int, *, first: int = 0, last: int | None = None
) -> tuple[Whole, Whole]:
    """The best run of `width` whole slots of each row, starting at slots `first` to `last`.

    Returns:
        Starts (rows,), ties to the earliest, `NONE` where no run is known throughout; totals
        (rows,) in steps x slots.

    Raises:
        BadInput: no start from `first` to `last` leaves room for the run.
    """
    slots = sums.steps.shape[-1]
    stop = (slots - width if last is None else min(last, slots - width)) + 1
    if width < 1 or not 0 <= first < stop:
        raise BadInput(
            f"no run of {width} slots starts at slots {first} to {stop - 1} of {slots}; ask "
            "for a shorter run or a later deadline"
        )
    found = sums.totals[:, first + width : stop + width] - sums.totals[:, first:stop]
    lacking = _lacking(sums, first, stop, width)
    if lacking is not None:
        found[lacking] = ROOM
    best = found.argmin(axis=1)
    totals = found[np.arange(len(best)), best]
    return np.where(totals == ROOM, NONE, best + first), totals


def best_any(
    sums: Sums, step: int, duration: int, *, first: int = 0, last: int | None = None
) -> tuple[Whole, Floats]:
    """The best run of any `duration`, starting anywhere from `first` to `last`, of each row.

    Times are whole microseconds from the start of the rows, `step` the length of a slot. Exact:
    the total is piecewise linear in the start, so an edge of the run meets an edge of a slot or
    a bound.

    Returns:
        Starts (rows,) in microseconds, ties to the earliest, `NONE` where no run is known
        throughout; means (rows,) in the unit of the values, NaN where there is none.

    Raises:
        BadInput: no start leaves room for the run, or times so fine that sums would not fit.
    """
    slots = sums.steps.shape[-1]
    end = slots * step - duration
    stop = end if last is None else min(last, end)
    if duration <= 0 or not 0 <= first <= stop:
        raise BadInput(
            f"no run of {duration / 3.6e9:g} h fits into {slots * step / 3.6e9:g} h of slots "
            "from the earliest start on; ask for a shorter run or a later deadline"
        )
    unit = gcd(step, duration, first, stop)
    parts = step // unit
    _check_room(sums, parts)
    width, rest = divmod(duration // unit, parts)
    starts = _corners(first // unit, stop // unit, parts, rest)
    found = _upto(sums.totals, sums.steps, starts + duration // unit, parts)
    found -= _upto(sums.totals, sums.steps, starts, parts)
    if sums.unknown is not None:
        left, right = starts // parts, -(-(starts + duration // unit) // parts)
        found[sums.unknown[:, right] > sums.unknown[:, left]] = ROOM
    best = found.argmin(axis=1)
    totals = found[np.arange(len(best)), best]
    none = totals == ROOM
    sign = 1 if sums.lower_is_cleaner else -1
    means = np.where(none, np.nan, totals * (sign / (STEPS_PER_UNIT * (width * parts + rest))))
    return np.where(none, NONE, starts[best] * unit), means


def best_starts(sums: Sums, starts: Whole, widths: Whole, slacks: Whole) -> Whole:
    """For each job the best of the starts from ``starts`` to ``starts + slacks``, in slots.

    `sums` has one row; jobs are arrays (jobs,) of whole slots. Starts whose run would leave the
    series do not count; of equal ones the earliest does. Every slot must be known.

    Raises:
        BadInput: a job does not fit at its own start, or a slot is unknown.
    """
    totals, slots = sums.totals[0], sums.steps.shape[-1]
    if sums.unknown is not None or starts.min() < 0 or (starts + widths).max() > slots:
        raise BadInput(
            f"each job must fit at its start into known slots; there are {slots} slots"
        )
    later = np.arange(int(slacks.max()) + 1)
    tried = np.minimum(starts[:, None] + later, (slots - widths)[:, None])
    found = totals[tried + widths[:, None]] - totals[tried]
    found[later > slacks[:, None]] = ROOM
    best: Whole = tried[np.arange(len(starts)), found.argmin(axis=1)]
    return best


def totals_at(sums: Sums, starts: Whole, widths: Whole) -> Floats:
    """Sum of the one row over ``[starts, starts + widths)`` (jobs,), in value x slots."""
    totals = sums.totals[0]
    found: Floats = (totals[starts + widths] - totals[starts]) / STEPS_PER_UNIT
    return found


def _lacking(sums: Sums, first: int, stop: int, width: int) -> NDArray[np.bool_] | None:
    if sums.unknown is None:
        return None
    return sums.unknown[:, first + width : stop + width] > sums.unknown[:, first:stop]


def _corners(first: int, last: int, parts: int, rest: int) -> Whole:
    """Starts, ascending, at which the total can turn, in parts of a slot."""
    on_edge = np.arange(-(-first // parts) * parts, last + 1, parts)
    ends_on_edge = np.arange(first + (-rest - first) % parts, last + 1, parts)
    bounds = np.array([first, last])
    return np.unique(np.concatenate([on_edge, ends_on_edge, bounds]))


def _upto(totals: Whole, steps: Whole, instants: Whole, parts: int) -> Whole:
    """Sum up to `instants`, in steps x parts of a slot."""
    slot, over = np.divmod(instants, parts)
    inside = np.minimum(slot, steps.shape[-1] - 1)
    upto: Whole = totals[:, slot] * parts + steps[:, inside] * over
    return upto


def _check_room(sums: Sums, parts: int) -> None:
    most = int(np.abs(sums.steps).max(initial=0)) * sums.steps.shape[-1]
    if most * parts >= ROOM:
        raise BadInput(
            f"times split a slot into {parts} parts, too fine to sum exactly; give earliest, "
            "deadline and duration to the second"
        )
