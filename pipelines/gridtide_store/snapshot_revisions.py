"""Read observations from a snapshot's files: the base by query, the delta from memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Self

import duckdb
import numpy as np
from numpy.typing import NDArray

from gridtide_store.database import Columns, columns, instant, microseconds
from gridtide_store.manifest import Database
from gridtide_store.trust import newest

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Text = NDArray[np.object_]

COLUMNS = "series, slot_start, length_us, value, quality, known_us"


@dataclass(frozen=True, slots=True)
class Slots:
    """Observations as parallel arrays; times in microseconds since 1970, NaN is unknown.

    `quality` is a number into the manifest's `qualities`.
    """

    series: Int
    start: Int
    end: Int
    value: NDArray[np.float64]
    quality: Int
    known_at: Int

    @classmethod
    def of(cls, found: Columns) -> Self:
        """Return the observations in the result of a query for `COLUMNS`."""
        start = microseconds(found["slot_start"])
        return cls(
            found["series"].astype(np.int64),
            start,
            start + found["length_us"].astype(np.int64),
            found["value"].astype(np.float64),
            found["quality"].astype(np.int64),
            start + found["known_us"].astype(np.int64),
        )

    def take(self, which: NDArray[np.generic] | slice) -> Slots:
        """Return the observations at these indexes."""
        return Slots(
            self.series[which],
            self.start[which],
            self.end[which],
            self.value[which],
            self.quality[which],
            self.known_at[which],
        )

    @classmethod
    def join(cls, parts: Sequence[Slots]) -> Slots:
        """Return all of `parts`, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.series for part in parts]),
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.end for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.quality for part in parts]),
            np.concatenate([part.known_at for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Observed:
    """Slots of one zone and signal as parallel arrays, sorted, none overlapping another.

    Times are microseconds since 1970 in UTC, `end_us` is exclusive; a `value` of NaN is
    unknown; `quality` and `source` are texts.
    """

    zone: str
    signal: str
    start_us: Int
    end_us: Int
    value: Float
    quality: Text
    known_at_us: Int
    source: Text

    def at(self, position: int) -> Observed:
        """Return one slot alone, which keeps nothing of the others in memory."""
        return self._part(slice(position, position + 1))

    def first(self, count: int) -> Observed:
        """Return the first slots alone."""
        return self._part(slice(0, count))

    def _part(self, part: slice) -> Observed:
        _, _, *arrays = fields(self)
        return replace(
            self, **{each.name: getattr(self, each.name)[part].copy() for each in arrays}
        )


class Revisions:
    """The revisions in a snapshot; its connection has the files of the manifest attached.

    Of the base only the years that a range touches are read. The delta is small and used by
    nearly every request, so it is held in memory: finding 72 hours in it takes microseconds, a
    query half a millisecond.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, bases: Sequence[Database]
    ) -> None:
        self._connection = connection
        self._bases = [(each.name, *_bounds(each.year)) for each in bases]
        self._delta = Slots.of(
            columns(
                connection,
                f"SELECT {COLUMNS} FROM delta.belief ORDER BY series, slot_start, known_us",  # noqa: S608  # our own names
            )
        )
        numbers, first = np.unique(self._delta.series, return_index=True)
        last = np.append(first, len(self._delta.series))[1:]
        self._part = {
            int(number): slice(int(low), int(high))
            for number, low, high in zip(numbers, first, last, strict=True)
        }
        row = connection.execute(
            "SELECT epoch_us(max(newest_known_at)) FROM delta.series"
        ).fetchone()
        self._newest_known_at: int | None = row[0] if row else None

    def read(
        self, series: Sequence[int], start: datetime, end: datetime, as_of: datetime | None
    ) -> Slots:
        """Read the newest revisions of slots starting in ``[start, end)``, by series and start.

        With `as_of` those known then, else all.
        """
        if as_of is not None and self._newest_known_at is not None:
            # Nothing has been known later, so the newest observation is what is requested.
            as_of = None if instant(as_of) >= self._newest_known_at else as_of
        low, high = instant(start), instant(end)
        tables = ("belief",) if as_of is None else ("belief", "superseded")
        parts = [self._query(tables, series, low, high)]
        for number in series:
            if number in self._part:
                mine = self._delta.take(self._part[number])
                inside = slice(*np.searchsorted(mine.start, [low, high], side="left").tolist())
                parts.append(mine.take(inside))
        found = Slots.join(parts)
        if as_of is not None:
            found = found.take(found.known_at <= instant(as_of))
        return found.take(newest(found.series, found.start, found.known_at))

    def _query(
        self, tables: Sequence[str], series: Sequence[int], low: int, high: int
    ) -> Slots:
        """Read from these tables of the base, in the years that the range touches."""
        which = ", ".join(map(str, series)) or "NULL"
        span = (
            f"slot_start >= make_timestamptz({low}) AND slot_start < make_timestamptz({high})"
        )
        reads = [
            f"SELECT {COLUMNS} FROM {name}.{table} WHERE series IN ({which}) AND {span}"  # noqa: S608  # numbers of our own
            for name, first, last in self._bases
            for table in tables
            if first < high and low < last
        ]
        if not reads:
            return self._delta.take(slice(0))
        # A cursor is a connection of its own, so threads do not wait for each other.
        return Slots.of(columns(self._connection.cursor(), " UNION ALL ".join(reads)))


def _bounds(year: int | None) -> tuple[int, int]:
    """Return the first instant of a year and that after its last; of all time without one."""
    if year is None:
        return -(1 << 63), 1 << 63
    last = datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    return instant(datetime(year, 1, 1, tzinfo=UTC)), instant(last) + 1
