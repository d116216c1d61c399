"""Decide slot by slot which source to use where several have the same zone and signal.

Pure; the store and the snapshots both merge with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from gridtide_store.vocabulary import input_of

# How far outside a range to read before merging: a slot of another source that starts there
# may still cover one inside. No publisher's slots are longer than a day.
REACH = timedelta(days=1)

Int = NDArray[np.int64]


def order_by_trust(sources: Iterable[str], trusted: Sequence[str]) -> list[str]:
    """Return `sources`, most trusted first.

    A source ranks as `trusted` lists it; a derived one that is not listed ranks just behind
    its publisher (``derived@ipcc_ar5/eia`` behind ``eia``). Those not listed at all come
    last. Ties go by name.
    """
    place = {name: position for position, name in enumerate(trusted)}
    last = len(place)

    def rank(source: str) -> tuple[int, bool, str]:
        listed = source in place
        return place.get(source, place.get(input_of(source), last)), not listed, source

    return sorted(set(sources), key=rank)


def newest(series: Int, start: Int, known_at: Int) -> Int:
    """Return the indexes of the newest revision of each slot, sorted by series and start."""
    order = np.lexsort((known_at, start, series))
    sorted_series, sorted_start = series[order], start[order]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = (sorted_series[1:] != sorted_series[:-1]) | (
        sorted_start[1:] != sorted_start[:-1]
    )
    return order[last]


def merge(start: Int, end: Int, value: NDArray[np.float64], known_at: Int, rank: Int) -> Int:
    """Return the indexes of the slots to use, sorted by start; none overlaps another.

    Within one source the slot known later wins where two overlap (a publisher went from
    half hours to hours). Then a slot counts only where it overlaps none of a more trusted
    source. A value that is unknown covers nothing: the next source may fill it.

    Args:
        start: microseconds since 1970, as are `end` and `known_at`.
        end: exclusive.
        value: NaN where it is unknown.
        known_at: when it was known.
        rank: rank of the slot's source in the order of trust; 0 is the most trusted.
    """
    kept: Int = np.empty(0, dtype=np.int64)
    sources = [
        _settled(start, end, known_at, np.flatnonzero(rank == r)) for r in np.unique(rank)
    ]
    if len(sources) == 1:
        return sources[0]
    for unknown in (False, True):
        for mine in sources:
            wanted = mine[np.isnan(value[mine]) == unknown]
            free = ~_overlaps(start[wanted], end[wanted], start[kept], end[kept])
            kept = np.concatenate([kept, wanted[free]])
            kept = kept[np.argsort(start[kept], kind="stable")]
    return kept


def _overlaps(start: Int, end: Int, others_start: Int, others_end: Int) -> NDArray[np.bool_]:
    """Say whether each slot overlaps one of the others, which are sorted and do not overlap."""
    if len(others_start) == 0:
        return np.zeros(len(start), dtype=np.bool_)
    # The last one that starts before our end reaches furthest.
    last = np.searchsorted(others_start, end, side="left") - 1
    return (last >= 0) & (others_end[last] > start)


def _settled(start: Int, end: Int, known_at: Int, mine: Int) -> Int:
    """Return the slots `mine` of one source sorted; where two overlap, the one known later."""
    mine = mine[np.argsort(start[mine], kind="stable")]
    if len(mine) < 2 or not (start[mine][1:] < end[mine][:-1]).any():
        return mine
    taken_start: list[int] = []
    taken: list[int] = []
    for position in mine[np.lexsort((start[mine], -known_at[mine]))].tolist():
        place = bisect_left(taken_start, end[position])
        if place and end[taken[place - 1]] > start[position]:
            continue
        place = bisect_left(taken_start, start[position])
        taken_start.insert(place, int(start[position]))
        taken.insert(place, position)
    return np.array(taken, dtype=np.int64)
