"""Read series by name: where they were added to since an insertion, and their newest values."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import duckdb
import polars as pl

from gridtide.model import utc
from gridtide_store.database import columns, frame
from gridtide_store.reading import newest_revisions
from gridtide_store.vocabulary import OBSERVATION

Names = Collection[tuple[str, str]]
"""Zone and signal of series, each of whichever sources there are."""


def added(
    connection: duckdb.DuckDBPyConnection, names: Names, *, after: int
) -> dict[str, list[tuple[datetime, datetime]]]:
    """Return by zone where observations were added by insertions after number `after`.

    From the first start to the last end in each month, by month.
    """
    found = columns(
        connection,
        "SELECT zone, min(slot_start) AS first, max(slot_end) AS last "
        "FROM observation JOIN series ON series.id = observation.series "
        "WHERE batch > ? AND (zone || ' ' || signal) IN (SELECT unnest(?::TEXT[])) "
        "GROUP BY zone, date_trunc('month', make_timestamp(epoch_us(slot_start))) "
        "ORDER BY zone, first",
        [after, _joined(names)],
    )
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for zone, first, last in frame(found).iter_rows():
        spans.setdefault(zone, []).append((utc(first), utc(last)))
    return spans


def newest_values(
    connection: duckdb.DuckDBPyConnection, names: Names, start: datetime, end: datetime
) -> pl.DataFrame:
    """Read the newest revision of each slot that starts in ``[start, end)``, of every source.

    Columns `OBSERVATION`, sorted by series and slot.
    """
    series = frame(
        columns(
            connection,
            "SELECT id AS series, zone, signal, source FROM series "
            "WHERE (zone || ' ' || signal) IN (SELECT unnest(?::TEXT[]))",
            [_joined(names)],
        )
    )
    found = newest_revisions(connection, series["series"].to_list(), start, end, as_of=None)
    return (
        frame(found)
        .join(series, on="series", how="inner")
        .select(OBSERVATION.names())
        .cast(OBSERVATION)
        .sort("zone", "signal", "source", "slot_start")
    )


def _joined(names: Names) -> list[str]:
    return [f"{zone} {signal}" for zone, signal in names]
