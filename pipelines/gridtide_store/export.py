"""Read observations for an export: many zones and signals, from a snapshot or the store.

What is read is what the service answers: sources merged by trust, slots of which nothing is
known with null. One zone and signal is in memory at a time, of the store some of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

import numpy as np
import polars as pl

from gridtide.errors import BadInput
from gridtide.model import DEFAULT_ORDER, Signal
from gridtide_store import reading
from gridtide_store.database import columns, instant, microseconds
from gridtide_store.gaps import missing_slots
from gridtide_store.snapshot import Observed, Snapshot
from gridtide_store.store import Store
from gridtide_store.trust import REACH, merge, order_by_trust
from gridtide_store.vocabulary import (
    FLOW,
    GENERATION,
    INSTANT,
    LOAD,
    PRICE,
    SHARE,
    unit_of,
)

# Earlier and later than any slot, with room for what is read around a range.
BEGINNING: Final = datetime(1900, 1, 1, tzinfo=UTC)
END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)
# Revisions of the store read at a time: bounds the memory of an export.
ROWS: Final = 400_000

ROW: Final = pl.Schema(
    {
        "zone": pl.String(),
        "signal": pl.String(),
        "start": INSTANT,
        "end": INSTANT,
        "value": pl.Float64(),
        "unit": pl.String(),
        "quality": pl.String(),
        "source": pl.String(),
        "known_at": INSTANT,
    }
)

# Names that stand for several signals: the mix by fuel, prices by currency.
FAMILIES: Final[Mapping[str, str]] = {
    GENERATION.rstrip("_"): GENERATION,
    SHARE.rstrip("_"): SHARE,
    PRICE.rstrip("_"): PRICE,
}
ALONE: Final = (*Signal, LOAD, FLOW)

Pair: TypeAlias = tuple[str, str]
"""A zone and a signal."""


@dataclass(frozen=True, slots=True)
class Range:
    """Which slots are read, and how.

    Attributes:
        start: of the first slot; None is the first one there is.
        end: exclusive.
        as_of: the knowledge time.
        source: only values of this source; None merges all by trust.
    """

    start: datetime | None
    end: datetime
    as_of: datetime
    source: str | None = None


def check_signals(names: Sequence[str]) -> tuple[str, ...]:
    """Return the signals and families of signals named, each once.

    Raises:
        BadInput: one is unknown.
    """
    prefixes = tuple(FAMILIES.values())
    for name in names:
        one_of_many = name.startswith(prefixes) and name not in prefixes
        if name not in (*ALONE, *FAMILIES) and not one_of_many:
            raise BadInput(
                f"unknown signal {name!r}; must be one of {', '.join((*ALONE, *FAMILIES))}, or "
                f"one fuel or currency such as {GENERATION}wind or {PRICE}eur"
            )
    return tuple(dict.fromkeys(names))


def choose_pairs(
    available: Collection[Pair],
    zones: Collection[str],
    signals: Collection[str],
    *,
    knows: Callable[[Pair], bool],
) -> list[Pair]:
    """Return the pairs to read, by signal and zone.

    Args:
        available: those that are there.
        zones: only these; empty for all. A flow counts where one of its ends is named.
        signals: names and families; empty for the default signal of each zone.
        knows: whether a value of the pair was known as of the export.
    """
    mine = [
        (zone, signal)
        for zone, signal in available
        if not zones or not set(zones).isdisjoint((zone, *zone.split("->")))
    ]
    if not signals:
        return sorted(_defaults(mine, knows), key=_by_signal)
    prefixes = tuple(FAMILIES[name] for name in signals if name in FAMILIES)
    return sorted(
        (pair for pair in mine if pair[1] in signals or pair[1].startswith(prefixes)),
        key=_by_signal,
    )


def _by_signal(pair: Pair) -> Pair:
    return pair[1], pair[0]


def _defaults(pairs: Collection[Pair], knows: Callable[[Pair], bool]) -> Iterator[Pair]:
    """Return the default pair of each zone: the first signal of the order that is known."""
    there = defaultdict(set)
    for zone, signal in pairs:
        there[zone].add(signal)
    for zone, signals in there.items():
        candidates = [(zone, str(each)) for each in DEFAULT_ORDER if each in signals]
        for pair in candidates:
            if pair == candidates[-1] or knows(pair):
                yield pair
                break


def read_snapshot(
    snapshot: Snapshot, pairs: Sequence[Pair], wanted: Range
) -> Iterator[Observed]:
    """Read the slots of each pair from a snapshot, merged by trust."""
    for zone, signal in pairs:
        yield snapshot.observations(
            zone,
            signal,
            wanted.start or BEGINNING,
            wanted.end,
            as_of=wanted.as_of,
            source=wanted.source,
        )


def read_store(
    store: Store,
    pairs: Sequence[Pair],
    wanted: Range,
    *,
    trust: Callable[[str], Sequence[str]],
) -> Iterator[Observed]:
    """Read the slots of each pair from the store, merged by trust.

    Several pairs are read by one query: rows of the store are in the order in which they came,
    so that each query looks through all series of its time.

    Args:
        trust: sources of a zone, most trusted first.
    """
    numbers = {
        pair: {
            number: source
            for number, source in named.items()
            if wanted.source in (None, source)
        }
        for pair, named in series_of(store).items()
        if pair in set(pairs)
    }
    start, end = (wanted.start or BEGINNING) - REACH, wanted.end + REACH
    counted = columns(
        store.connection,
        "SELECT series, count(*) AS n FROM observation WHERE slot_start >= ? "
        "AND slot_start < ? AND known_at <= ? GROUP BY series",
        [start, end, wanted.as_of],
    )
    rows = dict(zip(counted["series"].tolist(), counted["n"].tolist(), strict=True))
    group: list[Pair] = []
    taken = 0
    for pair in pairs:
        mine = sum(rows.get(number, 0) for number in numbers[pair])
        if group and taken + mine > ROWS:
            yield from _read_group(store, group, numbers, wanted, trust)
            group, taken = [], 0
        group.append(pair)
        taken += mine
    yield from _read_group(store, group, numbers, wanted, trust)


def series_of(store: Store) -> dict[Pair, dict[int, str]]:
    """Return number and source of the series of each zone and signal in the store."""
    found = columns(store.connection, "SELECT id, zone, signal, source FROM series")
    series: dict[Pair, dict[int, str]] = {}
    for number, zone, signal, source in zip(
        *(found[name].tolist() for name in ("id", "zone", "signal", "source")), strict=True
    ):
        series.setdefault((zone, signal), {})[number] = source
    return series


def _read_group(
    store: Store,
    pairs: Sequence[Pair],
    numbers: Mapping[Pair, Mapping[int, str]],
    wanted: Range,
    trust: Callable[[str], Sequence[str]],
) -> Iterator[Observed]:
    found = reading.newest_revisions(
        store.connection,
        [number for pair in pairs for number in numbers[pair]],
        (wanted.start or BEGINNING) - REACH,
        wanted.end + REACH,
        as_of=wanted.as_of,
    )
    series = found["series"].astype(np.int64)
    start, end = microseconds(found["slot_start"]), microseconds(found["slot_end"])
    value, known_at = found["value"].astype(np.float64), microseconds(found["known_at"])
    first = instant(wanted.start) if wanted.start else instant(BEGINNING)
    in_range = (start >= first) & (start < instant(wanted.end))
    for pair in pairs:
        named = numbers[pair]
        order = order_by_trust(named.values(), trust(pair[0]))
        # Only another source's slot that starts outside may cover one that starts inside.
        near = in_range if len(order) == 1 else np.ones(len(series), dtype=np.bool_)
        mine = np.flatnonzero(np.isin(series, list(named)) & near)
        rank = np.array(
            [order.index(named[number]) for number in series[mine].tolist()], dtype=np.int64
        )
        kept = merge(start[mine], end[mine], value[mine], known_at[mine], rank)
        kept = kept[in_range[mine[kept]]]
        slots = mine[kept]
        yield Observed(
            zone=pair[0],
            signal=pair[1],
            start_us=start[slots],
            end_us=end[slots],
            value=value[slots],
            quality=found["quality"][slots].astype(np.object_),
            known_at_us=known_at[slots],
            source=np.array(order, dtype=np.object_)[rank[kept]],
        )


def has_value(slots: Iterator[Observed]) -> bool:
    """Say whether any slot has a value."""
    return any(not bool(np.isnan(found.value).all()) for found in slots)


def to_frame(found: Observed, wanted: Range) -> pl.DataFrame:
    """Return the slots, and null for those of which nothing is known, columns `ROW` by start.

    Empty where the pair has no slot in the range.
    """
    if not len(found.start_us):
        return ROW.to_frame()
    bounds = list(zip(found.start_us.tolist(), found.end_us.tolist(), strict=True))
    # In a range that has ended every slot counts, as in the answers of the service.
    until = END_OF_TIME if wanted.end <= wanted.as_of else wanted.as_of
    first = bounds[0][0] if wanted.start is None else instant(wanted.start)
    gaps = list(missing_slots(bounds, first, instant(wanted.end), until=instant(until)))
    known = pl.DataFrame(
        {
            "start": found.start_us,
            "end": found.end_us,
            "value": pl.Series(found.value, nan_to_null=True),
            "quality": pl.Series(found.quality.tolist(), dtype=pl.String),
            "source": pl.Series(found.source.tolist(), dtype=pl.String),
            "known_at": found.known_at_us,
        }
    )
    missing = pl.DataFrame(gaps, schema=known.select("start", "end").schema, orient="row")
    return (
        pl.concat([known, missing], how="diagonal")
        .sort("start")
        .with_columns(
            pl.lit(found.zone).alias("zone"),
            pl.lit(found.signal).alias("signal"),
            pl.lit(unit_of(found.signal)).alias("unit"),
            pl.col("start", "end", "known_at").cast(INSTANT),
        )
        .select(ROW.names())
    )
