"""The usual knowledge time of observations that were received long after their slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import numpy as np
from numpy.typing import NDArray

from gridtide_store.database import Columns, columns, instant, microseconds
from gridtide_store.vocabulary import GENERATION, SHARE, input_of

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Usual:
    """Usual knowledge times: the end of the slot and the lag of its source.

    The first revision of a slot counts as known then, or when it was received if that is
    earlier: as if it had been requested at the time, and its publisher had sent the same
    value. Of values that were received years later that is their final one. Later revisions
    are known when they were received. A derived value is as old as its inputs, so one that a
    later revision of an input may be in keeps its stored knowledge time.

    Attributes:
        lags: by publisher; those of others keep their stored knowledge times.
        context: so far back a derived value depends on the inputs of slots before its own.
    """

    lags: Mapping[str, timedelta]
    context: timedelta

    def known(
        self, connection: duckdb.DuckDBPyConnection, found: Columns, as_of: datetime
    ) -> Columns:
        """Return the revisions in `found` that are known at `as_of`, `known_at` as usual.

        Args:
            connection: with the store in use.
            found: all revisions of some slots; series, slot_start, slot_end, known_at.
            as_of: the moment.
        """
        series = found["series"].astype(np.int64)
        start, known = microseconds(found["slot_start"]), microseconds(found["known_at"])
        usual = np.full(len(series), np.iinfo(np.int64).max)
        first = _is_first(series, start, known)
        for number in np.unique(series).tolist():
            zone, source = _name(connection, number)
            lag = self.lags.get(input_of(source))
            if lag is None:
                continue
            mine = np.flatnonzero(first & (series == number))
            if source != input_of(source):
                mine = self._as_old(connection, zone, input_of(source), found, mine)
            end = microseconds(found["slot_end"])[mine]
            usual[mine] = end + lag // timedelta(microseconds=1)
        known = np.minimum(known, usual)
        there = known <= instant(as_of)
        moved = {**found, "known_at": known.astype("datetime64[us]")}
        return {name: column[there] for name, column in moved.items()}

    def _as_old(
        self,
        connection: duckdb.DuckDBPyConnection,
        zone: str,
        publisher: str,
        found: Columns,
        rows: Int,
    ) -> Int:
        """Return those of `rows` of a derived series in which no later revision can be."""
        if not len(rows):
            return rows
        start = microseconds(found["slot_start"])[rows]
        end = microseconds(found["slot_end"])[rows]
        known = microseconds(found["known_at"])[rows]
        reach = self.context // timedelta(microseconds=1)
        revised = columns(
            connection,
            """
            SELECT slot_start, min(known_at) AS known_at FROM (
                SELECT slot_start, known_at, row_number() OVER (
                    PARTITION BY series, slot_start ORDER BY known_at) AS number
                FROM observation WHERE series IN (
                    SELECT id FROM series WHERE zone = ? AND source = ?
                    AND (starts_with(signal, ?) OR starts_with(signal, ?)))
                AND slot_start >= make_timestamptz(?) AND slot_start < make_timestamptz(?)
            ) WHERE number > 1 GROUP BY slot_start ORDER BY slot_start
            """,
            [zone, publisher, GENERATION, SHARE, int(start.min()) - reach, int(end.max())],
        )
        slots, since = microseconds(revised["slot_start"]), microseconds(revised["known_at"])
        low = np.searchsorted(slots, start - reach)
        high = np.searchsorted(slots, end)
        clean = [
            first == last or since[first:last].min() > at
            for first, last, at in zip(low.tolist(), high.tolist(), known, strict=True)
        ]
        return rows[np.array(clean, dtype=np.bool_)]


def _is_first(series: Int, start: Int, known: Int) -> NDArray[np.bool_]:
    """Say of each revision whether it is the first of its series and slot."""
    order = np.lexsort((known, start, series))
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (np.diff(series[order]) != 0) | (np.diff(start[order]) != 0)
    first = np.zeros(len(order), dtype=np.bool_)
    first[order] = begins
    return first


def _name(connection: duckdb.DuckDBPyConnection, number: int) -> tuple[str, str]:
    row = connection.execute(
        "SELECT zone, source FROM series WHERE id = ?", [number]
    ).fetchone()
    assert row is not None  # noqa: S101  # every observation is of a series
    return row[0], row[1]
