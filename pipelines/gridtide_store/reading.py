"""Read observations as they were known at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import duckdb
import numpy as np
import polars as pl

from gridtide.model import utc
from gridtide_store.database import Columns, columns, frame, microseconds
from gridtide_store.trust import REACH, merge, newest, order_by_trust
from gridtide_store.usual import Usual
from gridtide_store.vocabulary import GENERATION, OBSERVATION, SHARE

# What lies further apart is derived apart; a span is read with a week around it.
NEAR = timedelta(days=31)
# So much is read at a time where the rows of all zones are added up.
STEP = timedelta(days=31)

HISTORY = ("start", "end", "value", "quality", "source", "known_at")


@dataclass(frozen=True, slots=True)
class Span:
    """Slots of one zone and source, from the first start to the last end."""

    zone: str
    source: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """What a rule has not derived from yet, and the insertion up to which that is complete."""

    spans: tuple[Span, ...]
    cut: int


def history(
    connection: duckdb.DuckDBPyConnection,
    zone: str,
    signal: str,
    start: datetime,
    end: datetime,
    *,
    as_of: datetime,
    sources: Sequence[str],
    usual: Usual | None = None,
) -> pl.DataFrame:
    """Read slots starting in ``[start, end)`` as known at `as_of`, merged by trust, sorted.

    By stored knowledge times, or by the `usual` ones.
    """
    known = columns(
        connection,
        "SELECT id, source FROM series WHERE zone = ? AND signal = ?",
        [zone, signal],
    )
    order = order_by_trust(known["source"].tolist(), sources)
    reach = REACH if len(order) > 1 else timedelta(0)
    found = newest_revisions(
        connection, known["id"].tolist(), start - reach, end + reach, as_of=as_of, usual=usual
    )
    named = dict(zip(known["id"].tolist(), known["source"].tolist(), strict=True))
    rank_of = {number: order.index(source) for number, source in named.items()}
    rank = np.array([rank_of[number] for number in found["series"].tolist()], dtype=np.int64)
    slots = merge(
        microseconds(found["slot_start"]),
        microseconds(found["slot_end"]),
        found["value"].astype(np.float64),
        microseconds(found["known_at"]),
        rank,
    )
    found = {name: column[slots] for name, column in found.items()}
    found["source"] = np.array(order, dtype=np.object_)[rank[slots]]
    return (
        frame(found)
        .filter(pl.col("slot_start") >= start, pl.col("slot_start") < end)
        .rename({"slot_start": "start", "slot_end": "end"})
        .select(HISTORY)
        .cast({"source": pl.String, "quality": pl.String})
    )


def inputs(
    connection: duckdb.DuckDBPyConnection,
    zone: str,
    source: str,
    start: datetime,
    end: datetime,
    *,
    as_of: datetime | None = None,
    usual: Usual | None = None,
) -> pl.DataFrame:
    """Read one source's generation and shares, `OBSERVATION`, the newest revision of a slot."""
    names = _series_of(connection, zone, source)
    names = names.filter(
        pl.any_horizontal(
            pl.col("signal").str.starts_with(each) for each in (GENERATION, SHARE)
        )
    )
    numbers = names["series"].to_list()
    found = newest_revisions(connection, numbers, start, end, as_of=as_of, usual=usual)
    return _named(found, names)


def revisions(
    connection: duckdb.DuckDBPyConnection,
    zone: str,
    source: str,
    start: datetime,
    end: datetime,
) -> pl.DataFrame:
    """Read every revision of every signal of one source, by signal, slot and `known_at`."""
    names = _series_of(connection, zone, source)
    found = _all_revisions(connection, names["series"].to_list(), start, end, as_of=None)
    return _named(found, names)


def _series_of(connection: duckdb.DuckDBPyConnection, zone: str, source: str) -> pl.DataFrame:
    query = (
        "SELECT id AS series, zone, signal, source FROM series WHERE zone = ? AND source = ?"
    )
    return frame(columns(connection, query, [zone, source]))


def _named(found: Columns, names: pl.DataFrame) -> pl.DataFrame:
    return (
        frame(found)
        .join(names, on="series", how="inner")
        .select(OBSERVATION.names())
        .cast(OBSERVATION)
        .sort("signal", "slot_start", "known_at")
    )


def covered(
    connection: duckdb.DuckDBPyConnection, source: str, start: datetime, end: datetime
) -> dict[tuple[str, date], timedelta]:
    """Return the time with values by zone and UTC day, slots starting in ``[start, end)``.

    Added up over all series that `source` has of the zone; a flow counts for both its ends.
    """
    days = _time_by_day(connection, source, "", start, end).group_by("zone", "day")
    return {(zone, day): time for zone, day, time in days.agg(pl.col("time").sum()).iter_rows()}


def most_covered(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    signals: str,
    start: datetime,
    end: datetime,
) -> dict[tuple[str, date], timedelta]:
    """Return the time with values as `covered`, by the series that has most.

    Only of series whose signal begins with `signals`.
    """
    days = _time_by_day(connection, source, signals, start, end).group_by("zone", "day")
    return {(zone, day): time for zone, day, time in days.agg(pl.col("time").max()).iter_rows()}


def _time_by_day(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    signals: str,
    start: datetime,
    end: datetime,
) -> pl.DataFrame:
    """Return the time with values by zone, UTC day and series.

    It is added up by DuckDB, within its memory, a month at a time: half a year of all zones has
    millions of rows.
    """
    names = frame(
        columns(
            connection,
            "SELECT id AS series, zone FROM series WHERE source = ? AND starts_with(signal, ?)",
            [source, signals],
        )
    )
    steps = [start, *(start + n * STEP for n in range(1, -((start - end) // STEP))), end]
    added = [
        _time_of(connection, names["series"].to_list(), since, until)
        for since, until in pairwise(steps)
    ]
    return (
        pl.concat(added)
        .group_by("series", "day")  # a step may end within a day
        .agg(pl.col("time").sum())
        .join(names, on="series", how="inner")
        .select(
            "series",
            pl.col("zone").cast(pl.String).str.split("->"),
            pl.col("day").cast(pl.Int32).cast(pl.Date),
            pl.col("time").cast(pl.Duration("us")),
        )
        .explode("zone")
    )


def _time_of(
    connection: duckdb.DuckDBPyConnection,
    series: Sequence[int],
    start: datetime,
    end: datetime,
) -> pl.DataFrame:
    """Return series, number of the day and microseconds with values."""
    found = columns(
        connection,
        "WITH newest AS (SELECT series, slot_start, "
        "max_by({'ends': slot_end, 'value': value}, known_at) AS said "
        "FROM observation WHERE series IN (SELECT unnest(?::INTEGER[])) "
        "AND slot_start >= ? AND slot_start < ? GROUP BY series, slot_start) "
        "SELECT series, epoch_us(slot_start) // 86400000000 AS day, "
        "sum(epoch_us(said.ends) - epoch_us(slot_start))::BIGINT AS time "
        "FROM newest WHERE said.value IS NOT NULL GROUP BY ALL",
        [series, start, end],
    )
    return frame(found)


def underived(connection: duckdb.DuckDBPyConnection, *, after: int) -> list[Span]:
    """Return where generation or shares were added by insertions after number `after`.

    What lies further apart than NEAR are spans of their own: history that is filled newest
    first must not make a refresh derive again all that lies between it and today.
    """
    added = columns(
        connection,
        "SELECT zone, source, min(slot_start) AS first, max(slot_end) AS last "
        "FROM observation JOIN series ON series.id = observation.series "
        "WHERE batch > ? AND (starts_with(signal, ?) OR starts_with(signal, ?)) "
        "GROUP BY zone, source, date_trunc('month', make_timestamp(epoch_us(slot_start))) "
        "ORDER BY zone, source, first",
        [after, GENERATION, SHARE],
    )
    spans: list[Span] = []
    for zone, source, first, last in frame(added).iter_rows():
        start, end = utc(first), utc(last)
        before = spans[-1] if spans else None
        if (
            before
            and (before.zone, before.source) == (zone, source)
            and (start - before.end <= NEAR)
        ):
            spans[-1] = Span(zone, source, before.start, max(before.end, end))
        else:
            spans.append(Span(zone, source, start, end))
    return spans


def newest_revisions(
    connection: duckdb.DuckDBPyConnection,
    numbers: Sequence[int],
    start: datetime,
    end: datetime,
    *,
    as_of: datetime | None,
    usual: Usual | None = None,
) -> Columns:
    """Read the newest revision of each slot of some series, sorted by series and slot_start."""
    if usual is None or as_of is None:
        found = _all_revisions(connection, numbers, start, end, as_of=as_of)
    else:
        found = _all_revisions(connection, numbers, start, end, as_of=None)
        found = usual.known(connection, found, as_of)
    latest = newest(
        found["series"].astype(np.int64),
        microseconds(found["slot_start"]),
        microseconds(found["known_at"]),
    )
    return {name: column[latest] for name, column in found.items()}


def _all_revisions(
    connection: duckdb.DuckDBPyConnection,
    numbers: Sequence[int],
    start: datetime,
    end: datetime,
    *,
    as_of: datetime | None,
) -> Columns:
    """Read every revision of the slots of some series, unsorted."""
    return columns(
        connection,
        "SELECT series, slot_start, slot_end, value, quality::TEXT AS quality, known_at, "
        "retrieval_id FROM observation WHERE series IN (SELECT unnest(?::INTEGER[])) "
        "AND slot_start >= ? AND slot_start < ? AND known_at <= coalesce(?, known_at)",
        [list(numbers), start, end, as_of],
    )
