"""Sums of ENTSO-E's values: codes of documents to values of a zone or a border. Pure.

The rules are those of `summing`, in arrays: a document of a year has half a million values.
Of one code of an EIC area the newest body counts, codes and areas are added, and of prices,
which are not added, the newest counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from gridtide_pipelines.ingest.newest import CONFLICT
from gridtide_pipelines.ingest.production_types import FUELS
from gridtide_pipelines.ingest.source import PARTIAL
from gridtide_pipelines.ingest.sources.entsoe_documents import (
    LENGTHS,
    Floats,
    Slots,
    starts_of,
)
from gridtide_pipelines.ingest.sources.entsoe_values import Flags, Values, differ
from gridtide_store.vocabulary import GENERATION

TOTAL_CONTRACT: Final = "A05"
PRICE: Final = "price_"
MOST_CODES: Final = 200  # of areas, added to one value; 30 are known
STEP: Final = 300  # seconds; every slot is a multiple of it, or of a minute and alone


class Wanted(NamedTuple):
    """The time that a body was requested for, seconds since the epoch, and of which area."""

    body: int
    area: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Sums:
    """Values of a zone or of a border, in the order of their slots.

    Attributes:
        partial: for each slot whether a part of the sum is missing.
        flags: of each slot, partial among them, or None.
        bodies: for each slot the number of the last body in it.
    """

    zone: str
    signal: str
    issued_at: datetime | None
    slots: Slots
    values: Floats
    partial: Flags
    flags: Sequence[str | None]
    bodies: Slots


def add_values(zone: str, mine: Sequence[Values], wanted: Sequence[Wanted]) -> Sums:
    """Add values of one signal: the newest of each code, then codes and areas.

    A sum is partial where an area lacks a time that a body of it was requested for, and where a
    document lacks a code that it names. A publisher answers whole local days: what lies outside
    the time that its body was requested for counts where nothing else is.

    Args:
        mine: not empty, all with their body in `wanted`.

    Raises:
        ValueError: there are more codes than any area has.
    """
    if (count := len({(each.area, each.code) for each in mine})) > MOST_CODES:
        raise ValueError(f"{count} codes of one value; at most {MOST_CODES} are read")
    if mine[0].signal == "flow":
        total = [each for each in mine if each.code == TOTAL_CONTRACT]
        mine = total or mine
    mine = sorted(mine, key=lambda each: (each.order, each.body))
    slots = np.unique(np.concatenate([each.slots for each in mine]))
    positions = [np.searchsorted(slots, each.slots) for each in mine]
    starts = starts_of(slots)
    lacks, counts = _requested(mine, positions, starts, wanted)
    positions = [at[each] for at, each in zip(positions, counts, strict=True)]
    priced = mine[0].signal.startswith(PRICE)
    keys = [("" if priced else each.area, each.code, each.consumes) for each in mine]
    age = {key: np.full(len(slots), -1) for key in keys}
    newest = {key: np.zeros(len(slots)) for key in keys}
    wrong = {key: np.zeros(len(slots), np.bool_) for key in keys}
    bodies = np.zeros(len(slots), np.int64)
    ages = {each: number for number, each in enumerate((v.order, v.body) for v in mine)}
    for each, key, at, counted in zip(mine, keys, positions, counts, strict=True):
        values, now = each.values[counted], ages[each.order, each.body]
        again = age[key][at] == now
        odd = again & (wrong[key][at] | differ(newest[key][at], values))
        wrong[key][at] = odd | each.conflict[counted]
        newest[key][at] = np.where(odd, np.nan, values)
        age[key][at] = now
        bodies[at] = np.maximum(bodies[at], each.body)
    partial = lacks & (not priced)
    if mine[0].signal.startswith(GENERATION):
        named: dict[tuple[str, int], list[int]] = defaultdict(list)
        for number, each in enumerate(mine):
            named[each.area, each.document].append(number)
        for numbers in named.values():
            there = np.zeros(len(slots), np.bool_)
            for number in numbers:
                there[positions[number]] = True
            for number in numbers:
                if not mine[number].consumes:
                    partial |= there & (age[keys[number]] < 0)
    sums = np.sum(list(newest.values()), axis=0)
    conflict = np.any(list(wrong.values()), axis=0)
    new = {f"unmapped_code:{each.code}" for each in mine if _is_new(each)}
    flags = _flags(conflict, partial, new)
    kept = _finest(slots) if priced else np.ones(len(slots), np.bool_)
    if "->" in zone:
        # Where one direction of a border is not known, the flow is not.
        kept &= ~partial
    return Sums(
        zone,
        mine[0].signal,
        mine[0].issued_at,
        slots[kept],
        sums[kept],
        partial[kept],
        [flag for flag, keep in zip(flags, kept.tolist(), strict=True) if keep],
        bodies[kept],
    )


def _requested(
    mine: Sequence[Values], positions: Sequence[Slots], starts: Slots, wanted: Sequence[Wanted]
) -> tuple[Flags, list[Flags]]:
    """Return which slots lack an area, and of each of the values which ones count."""
    within: dict[int, Flags] = {}
    needed: dict[str, Flags] = {}
    for each in wanted:
        within[each.body] = (starts >= each.since) & (starts < each.until)
        before = needed.get(each.area, np.zeros(len(starts), np.bool_))
        needed[each.area] = before | within[each.body]
    has = {area: np.zeros(len(starts), np.bool_) for area in needed}
    for value, at in zip(mine, positions, strict=True):
        has[value.area][at] |= within[value.body][at]
    lacks = np.any([needed[area] & ~has[area] for area in needed], axis=0)
    some = np.any(list(has.values()), axis=0)
    return lacks, [
        within[value.body][at] | ~some[at] for value, at in zip(mine, positions, strict=True)
    ]


def _is_new(values: Values) -> bool:
    return (
        values.signal.startswith(GENERATION) and bool(values.code) and values.code not in FUELS
    )


def _flags(conflict: Flags, partial: Flags, new: set[str]) -> list[str | None]:
    """Return the flags of each slot, in order."""
    texts = [
        ";".join(sorted({*new, *[CONFLICT] * odd, *[PARTIAL] * less})) or None
        for odd in (0, 1)
        for less in (0, 1)
    ]
    return [texts[number] for number in (2 * conflict + partial).tolist()]


def _finest(slots: Slots) -> Flags:
    """Return which slots are left where those of several lengths overlap: the shortest."""
    kept = np.zeros(len(slots), np.bool_)
    taken: set[int] = set()
    for number in np.lexsort((slots, slots % LENGTHS)).tolist():
        start, minutes = divmod(int(slots[number]), LENGTHS)
        steps = range(start, start + minutes * 60, STEP)
        if taken.isdisjoint(steps):
            taken.update(steps)
            kept[number] = True
    return kept
