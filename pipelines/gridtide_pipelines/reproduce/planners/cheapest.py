"""The cheapest slots of many windows, for jobs that may pause at no cost.

Computes the same as `gridtide.planning.solvers.interruptible`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.planners.whole_steps import Floats, Whole

Ranks = NDArray[np.uint16] | NDArray[np.uint32]

SMALL = 2**16 - 1  # ranks up to here fit 16 bits, which numpy sorts by radix


def cheapest_slots(values: Floats, need: int) -> Whole:
    """Return the `need` slots of least value of each row (rows, slots); ascending (rows, need).

    Ties go to the earliest; NaN is an unknown slot.

    Raises:
        BadInput: a row has fewer known slots.
    """
    if not 1 <= need <= values.shape[-1]:
        raise BadInput(f"{need} of {values.shape[-1]} slots; give 1 to all of them")
    limit = np.partition(values, need - 1, axis=-1)[:, need - 1 : need]
    if np.isnan(limit).any():
        raise BadInput(f"a row has fewer than {need} known slots; give fewer")
    chosen = values <= limit
    if np.count_nonzero(chosen) > need * len(values):  # more slots are at the limit
        below, level = values < limit, values == limit
        left = need - below.sum(axis=-1, keepdims=True)
        chosen = below | (level & (np.cumsum(level, axis=-1) <= left))
    slots: Whole = np.nonzero(chosen)[1].reshape(len(values), need)
    return slots


def cheapest_totals(
    values: Floats,
    starts: Whole,
    needs: Whole,
    spans: Whole,
    *,
    parts: int = 1,
    counted: Floats | None = None,
) -> Floats:
    """Sum the cheapest `needs` of the `spans` slots from `starts` on, for each job.

    `values` (slots,) decide; `counted` (slots,), by default the same, are what is summed, so
    that a choice by a forecast can be paid at the truth. Jobs are arrays (jobs,) in whole
    parts of a slot, `parts` to a slot; a slot that a window or a need cuts counts by its
    share. Ties go to the earliest slot.

    Returns:
        Sums (jobs,) of value x parts.

    Raises:
        BadInput: a job needs more than its span, or leaves the series; a value is unknown.
    """
    if np.isnan(values).any():
        raise BadInput("a value is unknown; cut the series at its gaps")
    if starts.min() < 0 or (starts + spans).max() > len(values) * parts:
        raise BadInput(f"a window leaves the series of {len(values)} slots")
    if needs.min() < 1 or (needs > spans).any():
        raise BadInput("a job needs at least one part and at most its whole span")
    order = np.argsort(values, kind="stable")
    paid = np.append((values if counted is None else counted)[order], 0.0)
    ranks = _windows(order, starts // parts, -(-(starts + spans) // parts))
    if parts == 1:
        taken = ranks[:, : int(needs.max())]
        inside = np.arange(taken.shape[1]) < needs[:, None]
        totals: Floats = (paid[taken] * inside).sum(axis=1)
        return totals
    shares = _shares(order, ranks, starts, spans, parts)
    earlier = np.cumsum(shares, axis=1) - shares
    used = np.clip(needs[:, None] - earlier, 0, shares)
    cut: Floats = (paid[ranks] * used).sum(axis=1)
    return cut


def _windows(order: Whole, first: Whole, stop: Whole) -> Ranks:
    """Return ranks of slots ``[first, stop)`` (jobs, longest), ascending and their count."""
    slots, longest = len(order), int((stop - first).max())
    small = slots <= SMALL
    unranked = np.full(slots + longest, slots)
    rank: Ranks = unranked.astype(np.uint16) if small else unranked.astype(np.uint32)
    rank[order] = np.arange(slots)
    within = np.arange(longest)
    ranks: Ranks = rank[first[:, None] + within]
    ranks[within >= (stop - first)[:, None]] = slots
    ranks.sort(axis=1, kind="stable" if small else None)
    return ranks


def _shares(
    order: Whole,
    ranks: Ranks,
    starts: Whole,
    spans: Whole,
    parts: int,
) -> Whole:
    """Return how many parts of each ranked slot lie inside the window (jobs, longest)."""
    slot = np.append(order, 0)[ranks] * parts
    low, high = starts[:, None], (starts + spans)[:, None]
    shares: Whole = np.minimum(slot + parts, high) - np.maximum(slot, low)
    shares[ranks == len(order)] = 0
    return shares
