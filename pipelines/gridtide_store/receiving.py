"""Take in what a publisher sent: observations into series, anomalies beside them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridtide_store.anomalies import ANOMALY, EXCLUDED, SLOT, record_anomalies
from gridtide_store.appending import append
from gridtide_store.database import Columns, columns, frame, microseconds, transaction
from gridtide_store.opening import write_note
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION

# Remarks on values that are in their series.
CLOCK_BEHIND: Final = "clock_behind"
LATE: Final = "late"

# So much after its usual lag a first value is late: publishers catch up within a day when one
# of their own runs fails. Of older slots it is not a delay but history that was requested.
LATE_AFTER: Final = timedelta(days=1)
LATE_UNTIL: Final = timedelta(days=14)


@dataclass(slots=True)
class Received:
    """Rows added to the series, and the anomalies that the store itself found, by flag."""

    rows: int = 0
    flags: Counter[str] = field(default_factory=Counter)


def receive(
    store: Store, observations: pl.DataFrame, anomalies: pl.DataFrame, *, lag: timedelta
) -> Received:
    """Add what one group of responses said, whole or not at all.

    A value that was accepted by hand is let into its series as often as it comes again. A
    first value is flagged ``late`` if it fills a gap between stored slots more than `lag` and
    LATE_AFTER after its slot; a value whose `known_at` had to be moved behind that of the
    revision it replaces is flagged ``clock_behind``.

    Args:
        store: open for writing.
        observations: columns `OBSERVATION`.
        anomalies: columns `ANOMALY`; those with a flag in EXCLUDED are not in `observations`.
        lag: how long after the end of a slot its source usually publishes it.

    Raises:
        BadInput: as `Store.append`; nothing is stored then.
    """
    received = Received()
    connection = store.connection
    remarks = _Remarks(lag)
    with transaction(connection):
        batch = store.cut + 1
        received.rows = append(
            connection,
            _with_accepted(connection, observations, anomalies),
            batch=batch,
            scratch=store.scratch,
            raised=store.raised,
            remark=remarks,
        )
        found = pl.concat([anomalies.select(ANOMALY.names()), *remarks.found])
        kept = record_anomalies(connection, found, batch=batch, scratch=store.scratch)
        if received.rows or kept:
            write_note(connection, "batch", batch)
    for each in remarks.found:
        received.flags.update(each["flag"].to_list())
    return received


@dataclass(slots=True)
class _Remarks:
    """Collects what an append finds out about the values it adds."""

    lag: timedelta
    found: list[pl.DataFrame] = field(default_factory=list)

    def __call__(
        self,
        incoming: pl.DataFrame,
        stored: Columns,
        before: NDArray[np.int64],
        moved: NDArray[np.int64],
    ) -> None:
        """Note the rows of `incoming` with the indexes `moved`, and those that are late."""
        if len(moved):
            self._add(incoming[moved.tolist()], CLOCK_BEHIND)
        late = _late(incoming, stored, before, self.lag)
        if not late.is_empty():
            self._add(late, LATE)

    def _add(self, rows: pl.DataFrame, flag: str) -> None:
        self.found.append(
            rows.with_columns(
                flag=pl.lit(flag), issued_at=pl.lit(None, ANOMALY["issued_at"])
            ).select(ANOMALY.names())
        )


def _late(
    incoming: pl.DataFrame, stored: Columns, before: NDArray[np.int64], lag: timedelta
) -> pl.DataFrame:
    """Return the first values of slots between stored ones that came much later than usual."""
    old = stored["value"].astype(np.float64)
    first = before < 0
    first[~first] = np.isnan(old[before[~first]])
    there = ~np.isnan(old)
    known = pl.DataFrame(
        {
            "series": stored["series"][there].astype(np.int32),
            "at": microseconds(stored["slot_start"][there]),
        }
    )
    ends = known.group_by("series").agg(
        pl.col("at").min().alias("low"), pl.col("at").max().alias("high")
    )
    age = pl.col("known_at") - pl.col("slot_end")
    return (
        incoming.filter(pl.Series(first) & incoming["value"].is_not_null())
        .join(ends, on="series", how="inner")
        .filter(
            pl.col("slot_start").to_physical().is_between("low", "high"),
            age > lag + LATE_AFTER,
            age <= LATE_UNTIL,
        )
    )


def _with_accepted(
    connection: duckdb.DuckDBPyConnection, observations: pl.DataFrame, anomalies: pl.DataFrame
) -> pl.DataFrame:
    """Return `observations` with those values of `anomalies` that were accepted by hand."""
    mine = anomalies.filter(
        pl.col("flag").str.split(":").list.first().is_in(EXCLUDED),
        pl.col("issued_at").is_null(),
        pl.col("value").is_not_null(),
    )
    if mine.is_empty():
        return observations
    span = mine["slot_start"].to_physical()
    accepted = frame(
        columns(
            connection,
            "SELECT zone, signal, source, slot_start, slot_end, value, accepted_at "
            "FROM anomaly WHERE accepted_at IS NOT NULL AND source IN (SELECT unnest(?)) "
            "AND slot_start BETWEEN make_timestamptz(?) AND make_timestamptz(?)",
            [mine["source"].unique().to_list(), span.min(), span.max()],
        )
    )
    if accepted.is_empty():
        return observations
    again = (
        mine.join(accepted, on=[*SLOT, "slot_end", "value"], how="inner")
        .sort("accepted_at", descending=True, maintain_order=True)
        .unique(SLOT, keep="first", maintain_order=True)
        .select(OBSERVATION.names())
    )
    return pl.concat([observations.join(again, on=SLOT, how="anti"), again])


def recent_values(
    connection: duckdb.DuckDBPyConnection,
    observations: pl.DataFrame,
    signals: tuple[str, ...],
    reach: timedelta,
) -> pl.DataFrame:
    """Return what publishers said of the slots up to `reach` before those in `observations`.

    The newest observations and the values that were left out as frozen, of the series of
    `observations` whose signal is in `signals`; columns zone, signal, slot_start, slot_end,
    value.
    """
    mine = observations.filter(pl.col("signal").is_in(signals))
    names = ("zone", "signal", "slot_start", "slot_end", "value")
    if mine.is_empty():
        return mine.select(names)
    first = mine["slot_start"].to_physical().min()
    span = [first, reach // timedelta(microseconds=1), mine["slot_start"].to_physical().max()]
    of = [mine[name].unique().to_list() for name in ("zone", "signal", "source")]
    found = columns(
        connection,
        """
        WITH wanted AS (
            SELECT id, zone, signal, source FROM series WHERE zone IN (SELECT unnest($1))
            AND signal IN (SELECT unnest($2)) AND source IN (SELECT unnest($3))
        )
        SELECT zone, signal, slot_start, slot_end, value FROM (
            SELECT zone, signal, slot_start, slot_end, value, known_at
            FROM observation JOIN wanted ON wanted.id = series
            WHERE slot_start BETWEEN make_timestamptz($4 - $5) AND make_timestamptz($6)
                AND value IS NOT NULL
            UNION ALL
            SELECT zone, signal, slot_start, slot_end, value, known_at FROM anomaly
            WHERE flag = 'frozen' AND zone IN (SELECT unnest($1))
                AND signal IN (SELECT unnest($2)) AND source IN (SELECT unnest($3))
                AND slot_start BETWEEN make_timestamptz($4 - $5) AND make_timestamptz($6)
        )
        QUALIFY row_number() OVER (
            PARTITION BY zone, signal, slot_start ORDER BY known_at DESC) = 1
        """,
        [*of, *span],
    )
    return frame(found).cast({name: OBSERVATION[name] for name in names})
