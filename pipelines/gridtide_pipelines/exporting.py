"""Read what is exported from snapshot and store, pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

import polars as pl

from gridtide_pipelines.forecast.issue import Progress
from gridtide_store.catalogue import trusted
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.export import (
    FAMILIES,
    Pair,
    Range,
    choose_pairs,
    has_value,
    read_snapshot,
    read_store,
    series_of,
    to_frame,
)
from gridtide_store.opening import refuse_without_store
from gridtide_store.pointer import current_snapshot
from gridtide_store.snapshot import Observed, Snapshot
from gridtide_store.store import Store

# What is looked at first for whether a pair has a value: the whole history is read only once.
RECENT = timedelta(days=7)


@dataclass(slots=True)
class Reads:
    """What an export reads.

    Attributes:
        pairs: zones and signals, in the order in which they are read.
        slots: their slots, from files that stay open until the export has ended.
        snapshot: name of the snapshot that is read; empty where all comes from the store.
        empty: those without a slot in the range, filled while reading.
    """

    pairs: list[Pair] = field(default_factory=list)
    slots: list[Iterator[Observed]] = field(default_factory=list)
    snapshot: str = ""
    empty: list[Pair] = field(default_factory=list)

    def add(
        self,
        there: Collection[tuple[str, str, str]],
        zones: Sequence[str],
        signals: Sequence[str],
        wanted: Range,
        read: Callable[[Sequence[Pair], Range], Iterator[Observed]],
    ) -> None:
        """Add what is to be read of one place.

        Args:
            there: zone, signal and source of the series in it.
            zones: only these; empty for all.
            signals: names and families; empty for the default signal of each zone.
            wanted: the range.
            read: reads the slots of pairs.
        """
        pairs = choose_pairs(
            {(zone, signal) for zone, signal, name in there if wanted.source in (None, name)},
            zones,
            signals,
            knows=partial(_knows, read, wanted),
        )
        self.pairs += pairs
        self.slots.append(read(pairs, wanted))


def _knows(
    read: Callable[[Sequence[Pair], Range], Iterator[Observed]], wanted: Range, pair: Pair
) -> bool:
    """Say whether a value of the pair was known, by its newest slots before all of them."""
    recent = replace(wanted, start=min(wanted.end, wanted.as_of) - RECENT)
    return any(has_value(read([pair], part)) for part in (recent, replace(wanted, start=None)))


def open_reads(
    home: DataDirectory,
    zones: Sequence[str],
    signals: Sequence[str],
    wanted: Range,
    opened: ExitStack,
    *,
    now: datetime,
) -> Reads:
    """Open what the export reads: the snapshot, and the store for signals that it lacks.

    Args:
        home: the data directory.
        zones: only these; empty for all.
        signals: names and families; empty for the default signal of each zone.
        wanted: the range.
        opened: closes what is opened here.
        now: since when the lock of the store is held.

    Raises:
        Busy: another command writes the store.
        NoData: there is neither a snapshot nor a store.
    """
    reads = Reads()
    folder = current_snapshot(home)
    left = list(signals)
    if folder is not None:
        snapshot = opened.enter_context(Snapshot.open(folder, home.resources))
        published = [name for name in signals if _holds(snapshot, name)]
        left = [name for name in signals if name not in published]
        if published or not signals:
            there = [(each.zone, each.signal, each.source) for each in snapshot.series]
            reads.snapshot = snapshot.id
            reads.add(there, zones, published, wanted, partial(read_snapshot, snapshot))
    if left or folder is None:
        refuse_without_store(home)
        opened.enter_context(writer_lock(home, "export", now))
        store = opened.enter_context(Store.open(home))
        there = [
            (*pair, source)
            for pair, named in series_of(store).items()
            for source in named.values()
        ]
        reads.add(there, zones, left, wanted, partial(read_store, store, trust=trusted))
    return reads


def _holds(snapshot: Snapshot, name: str) -> bool:
    """Say whether a signal, or one of a family of signals, is in a snapshot."""
    prefix = FAMILIES.get(name)
    published = snapshot.manifest.signals
    return name in published or (
        prefix is not None and any(each.startswith(prefix) for each in published)
    )


def frames_of(reads: Reads, wanted: Range, progress: Progress) -> Iterator[pl.DataFrame]:
    """Yield the rows of each pair; those without any are recorded in `reads`."""
    for number, found in enumerate(chain.from_iterable(reads.slots), start=1):
        frame = to_frame(found, wanted)
        if frame.is_empty():
            reads.empty.append((found.zone, found.signal))
        else:
            yield frame
        progress(f"{found.zone} {found.signal}", number, len(reads.pairs))
