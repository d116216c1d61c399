"""Values of ENTSO-E's documents: codes, contracts and auctions to rows of values. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gridtide_pipelines.ingest.production_types import FUELS
from gridtide_pipelines.ingest.sources.entsoe_documents import (
    LENGTHS,
    Document,
    Floats,
    Series,
    Slots,
    is_rising,
    read_acknowledgement,
    read_series,
    starts_of,
    text_of,
)
from gridtide_store.vocabulary import generation

Flags: TypeAlias = NDArray[np.bool_]

ACTUAL: Final = "A16"
TOTAL_CONTRACT: Final = "A05"


@dataclass(frozen=True, slots=True)
class Values:
    """Values of one area, or of one exchange ``from->to``, in the order of their slots.

    Attributes:
        values: of the slots, each of which is there once; NaN is known to be unknown.
        partial: for each slot whether a part of the sum is missing.
        issued_at: of a forecast.
        flag: of all of them, or "".
        body: number of the body that they are from.
    """

    area: str
    signal: str
    slots: Slots
    values: Floats
    partial: Flags
    issued_at: datetime | None
    flag: str
    body: int


def read_values(document: Document, body: int, issued_at: datetime) -> Iterator[Values]:
    """Yield the values of one document, under the codes of its areas.

    Args:
        body: number of the body that the document is from.
        issued_at: of a forecast.

    Raises:
        ValueError: it is not a document of these types, or refuses the request.
    """
    root = document.root
    if root.tag == "Acknowledgement_MarketDocument":
        read_acknowledgement(root)
        return
    if root.tag not in ("GL_MarketDocument", "Publication_MarketDocument"):
        raise ValueError(f"a {root.tag[:60]}, not a market document")
    item = text_of(root, "type")
    process = root.findtext("process.processType", "")
    series = [read_series(each, document) for each in root.iter("TimeSeries")]
    match item:
        case "A75":
            yield from _by_fuel(series, body, None, generation)
        case "A69":
            yield from _by_fuel(series, body, issued_at, generation)
        case "A71":
            yield from _by_fuel(series, body, issued_at, lambda _: generation("total"))
        case "A65" if process == ACTUAL:
            yield from _sums(series, "load", body, None)
        case "A65":
            yield from _sums(series, "load", body, issued_at)
        case "A11":
            yield from _sums(_total(series), "flow", body, None)
        case "A09":
            yield from _sums(_total(series), "flow", body, issued_at)
        case "A44":
            yield from _prices(series, body)
        case _:
            raise ValueError(f"document type {item[:20]!r} is not one of those that are read")


def add(parts: Sequence[tuple[Slots, Floats]]) -> tuple[Slots, Floats]:
    """Add values slot by slot; NaN where one of them is.

    A slot that only some of the parts have is the sum of those.
    """
    if len(parts) == 1 and is_rising(parts[0][0]):
        return parts[0]
    slots, index = np.unique(np.concatenate([each for each, _ in parts]), return_inverse=True)
    sums = np.zeros(len(slots))
    np.add.at(sums, index, np.concatenate([each for _, each in parts]))
    return slots, sums


def _join(parts: Sequence[tuple[Slots, Floats]]) -> tuple[Slots, Floats]:
    """Join values of one code: a slot that comes again counts once, NaN where they differ."""
    if len(parts) == 1 and is_rising(parts[0][0]):
        return parts[0]
    values = np.concatenate([each for _, each in parts])
    slots, first, index = np.unique(
        np.concatenate([each for each, _ in parts]), return_index=True, return_inverse=True
    )
    joined = values[first]
    same = (values == joined[index]) | (np.isnan(values) & np.isnan(joined[index]))
    joined[index[~same]] = np.nan
    return slots, joined


def add_bodies(mine: Sequence[Values], wanted: Mapping[int, tuple[float, float]]) -> Values:
    """Add values of one area and signal; partial where a body lacks a time it was wanted for.

    A publisher answers whole local days: what lies outside the time that its body was requested
    for counts where nothing else is.

    Args:
        wanted: for each body the time that it was requested for, seconds since the epoch.
    """
    if len(mine) == len(wanted) == 1:
        return mine[0]
    slots = np.unique(np.concatenate([each.slots for each in mine]))
    starts = starts_of(slots)
    lacks = np.zeros(len(slots), np.bool_)
    within: dict[int, Flags] = {}
    some = np.zeros(len(slots), np.bool_)
    for index, (since, until) in wanted.items():
        within[index] = (starts >= since) & (starts < until)
        has = np.zeros(len(slots), np.bool_)
        for each in mine:
            if each.body == index:
                has[np.searchsorted(slots, each.slots)] = True
        lacks |= within[index] & ~has
        some |= within[index] & has
    values = np.zeros(len(slots))
    partial = lacks
    for each in mine:
        at = np.searchsorted(slots, each.slots)
        counts = within[each.body][at] | ~some[at]
        values[at] += np.where(counts, each.values, 0.0)
        partial[at] |= each.partial & counts
    flags = [flag for each in mine for flag in each.flag.split(";") if flag]
    return replace(
        mine[0],
        slots=slots,
        values=values,
        partial=partial,
        flag=";".join(dict.fromkeys(flags)),
    )


def _by_fuel(
    series: Sequence[Series],
    body: int,
    issued_at: datetime | None,
    signal_of: Callable[[str], str],
) -> Iterator[Values]:
    """Add the codes of each fuel; what consumes counts negative.

    Where one of the codes that generate is missing, or comes in slots of another length, the
    sum is flagged as partial: codes end at different times, and the rest must not pass for the
    whole. A pump that is not named rests.
    """
    mine: dict[tuple[str, str], list[Series]] = defaultdict(list)
    for each in series:
        mine[each.area, signal_of(FUELS.get(each.code, "unknown"))].append(each)
    for (area, signal), found in mine.items():
        alike: dict[tuple[str, bool], list[tuple[Slots, Floats]]] = defaultdict(list)
        for each in found:
            signed = -each.values if each.consumes else each.values
            alike[each.code, each.consumes].append((each.slots, signed))
        slots, values = add([_join(parts) for parts in alike.values()])
        codes: dict[str, list[Slots]] = defaultdict(list)
        for each in found:
            if not each.consumes:
                codes[each.code].append(each.slots)
        known = np.zeros(len(slots), np.int64)
        for mine_of_code in codes.values():
            has = np.zeros(len(slots), np.int64)
            for of_series in mine_of_code:
                has[np.searchsorted(slots, of_series)] = 1
            known += has
        new = [each.code for each in found if each.code and each.code not in FUELS]
        flag = ";".join(f"unmapped_code:{code}" for code in dict.fromkeys(new))
        partial = known < len(codes)
        yield Values(area, signal, slots, values, partial, issued_at, flag, body)


def _sums(
    series: Sequence[Series], signal: str, body: int, issued_at: datetime | None
) -> Iterator[Values]:
    mine: dict[str, dict[str, list[tuple[Slots, Floats]]]] = {}
    for each in series:
        contracts = mine.setdefault(each.area, {})
        contracts.setdefault(each.contract, []).append((each.slots, each.values))
    for area, contracts in mine.items():
        slots, values = add([_join(parts) for parts in contracts.values()])
        whole = np.zeros(len(slots), np.bool_)
        yield Values(area, signal, slots, values, whole, issued_at, "", body)


def _total(series: Sequence[Series]) -> Sequence[Series]:
    """Return the series of the total contract, where any is; else all."""
    total = [each for each in series if each.contract == TOTAL_CONTRACT]
    return total or series


def _prices(series: Sequence[Series], body: int) -> Iterator[Values]:
    """Yield the first auction of each area, in the finest resolution of each time."""
    chosen: dict[tuple[str, str], list[Series]] = defaultdict(list)
    first = {
        area: min(each.sequence for each in series if each.area == area)
        for area in {each.area for each in series}
    }
    for each in series:
        if not each.currency:
            raise ValueError("a price without a currency")
        if each.sequence == first[each.area]:
            chosen[each.area, f"price_{each.currency}"].append(each)
    for (area, signal), found in chosen.items():
        prices: dict[int, float] = {}
        for each in found:
            for slot, value in zip(each.slots.tolist(), each.values.tolist(), strict=True):
                prices.setdefault(slot, value)
        taken: set[int] = set()
        for slot in sorted(prices, key=lambda slot: (slot % LENGTHS, slot)):
            start, minutes = divmod(slot, LENGTHS)
            steps = range(start, start + minutes * 60, 300)
            if taken.isdisjoint(steps):
                taken.update(steps)
            else:
                del prices[slot]
        slots = np.array(sorted(prices), np.int64)
        values = np.array([prices[slot] for slot in slots.tolist()])
        whole = np.zeros(len(slots), np.bool_)
        yield Values(area, signal, slots, values, whole, None, "", body)
