"""Anomalies: values of publishers that need a look, kept beside the series."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from gridtide_store.appending import insert
from gridtide_store.database import columns, frame
from gridtide_store.vocabulary import INSTANT

# One row is one value with one flag; `issued_at` is set on a publisher's forecast.
ANOMALY: Final = pl.Schema(
    {
        "zone": pl.String(),
        "signal": pl.String(),
        "source": pl.String(),
        "slot_start": INSTANT,
        "slot_end": INSTANT,
        "value": pl.Float64(),
        "quality": pl.String(),
        "issued_at": INSTANT,
        "flag": pl.String(),
        "known_at": INSTANT,
        "retrieval_id": pl.Int64(),
    }
)
# The same value of the same slot is one anomaly, however often it is received.
SLOT: Final = ("zone", "signal", "source", "slot_start")
KEY: Final = (*SLOT, "slot_end", "flag", "value")

# A value with one of these flags is not in its series. Others are remarks on a value that is.
EXCLUDED: Final = (
    "conflict",
    "duplicate",
    "frozen",
    "future",
    "implausible",
    "negative_total",
    "partial",
    "unasked_time",
    "unmerged",
)

# A publisher that sends nothing but garbage must not fill the disk: a day of EIA, the largest,
# is about 20,000 values, of which a quarter can be left out before only their number is kept.
# Remarks, on values that are in their series, have a limit of their own.
MOST_A_DAY: Final = 5_000
REMARKS: Final = 5  # one remark for so many values that are left out


def is_excluded(flag: str) -> bool:
    """Say whether values with this flag are left out of their series."""
    return flag.partition(":")[0] in EXCLUDED


def record_anomalies(
    connection: duckdb.DuckDBPyConnection,
    incoming: pl.DataFrame,
    *,
    batch: int,
    scratch: Path,
    most: int = MOST_A_DAY,
) -> int:
    """Add the anomalies that are not stored yet; call it inside a transaction.

    Of one source and UTC day at most `most` excluded values are kept, and at most a fifth as
    many remarks, those of newer slots first; how many were not is counted.

    Args:
        connection: with the live file in use.
        incoming: columns `ANOMALY`.
        batch: number of this insertion, above all before it.
        scratch: folder for the file the rows go in through.
        most: excluded values of each source and day.

    Returns:
        Rows added.
    """
    if incoming.is_empty():
        return 0
    fresh = _fresh(connection, incoming)
    if fresh.is_empty():
        return 0
    fresh = fresh.with_columns(
        day=pl.col("known_at").dt.strftime("%Y-%m-%d"),
        excluded=pl.col("flag").str.split(":").list.first().is_in(EXCLUDED),
    ).sort("slot_start", descending=True, maintain_order=True)
    group = ["source", "day", "excluded"]
    ranked = fresh.join(_kept(connection, fresh), on=group, how="left", maintain_order="left")
    place = pl.int_range(pl.len()).over(group) + pl.col("kept").fill_null(0)
    limit = pl.when("excluded").then(most).otherwise(most // REMARKS)
    ranked = ranked.with_columns(fits=place < limit)
    _count_left_out(connection, ranked.filter(~pl.col("fits")))
    added = ranked.filter("fits").select(ANOMALY.names()).sort("zone", "signal", "slot_start")
    row = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM anomaly").fetchone()
    rows = added.with_row_index("id", offset=row[0] if row else 1).with_columns(
        batch=pl.lit(batch, pl.Int64), accepted_at=pl.lit(None, INSTANT), note=pl.lit("")
    )
    insert(connection, rows, "anomaly", scratch=scratch)
    return len(rows)


def _fresh(connection: duckdb.DuckDBPyConnection, incoming: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are not stored, each once."""
    span = incoming["slot_start"].to_physical()
    stored = frame(
        columns(
            connection,
            f"SELECT {', '.join(KEY)} FROM anomaly WHERE source IN (SELECT unnest(?)) AND "  # noqa: S608  # our own names
            "slot_start BETWEEN make_timestamptz(?) AND make_timestamptz(?)",
            [incoming["source"].unique().to_list(), span.min(), span.max()],
        )
    ).cast({name: ANOMALY[name] for name in KEY})
    return incoming.unique(KEY, keep="first", maintain_order=True).join(
        stored, on=KEY, how="anti", nulls_equal=True, maintain_order="left"
    )


def _kept(connection: duckdb.DuckDBPyConnection, fresh: pl.DataFrame) -> pl.DataFrame:
    """Return how many are stored of each source and day in `fresh`, excluded or remarks."""
    days = fresh["day"]
    return frame(
        columns(
            connection,
            "SELECT source, strftime(known_at, '%Y-%m-%d') AS day, "
            "list_contains(?, split_part(flag, ':', 1)) AS excluded, count(*) AS kept "
            "FROM anomaly WHERE source IN (SELECT unnest(?)) AND known_at >= ?::TIMESTAMPTZ "
            "AND known_at < ?::TIMESTAMPTZ + INTERVAL 1 DAY GROUP BY ALL",
            [list(EXCLUDED), fresh["source"].unique().to_list(), days.min(), days.max()],
        )
    ).cast({"source": pl.String, "day": pl.String, "excluded": pl.Boolean, "kept": pl.Int64})


def _count_left_out(connection: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> None:
    for source, day, count in rows.group_by("source", "day").len().sort("day").iter_rows():
        there = connection.execute(
            "UPDATE anomaly_left_out SET count = count + ? WHERE source = ? AND day = ?",
            [count, source, day],
        ).fetchone()
        if not there or not there[0]:
            connection.execute(
                "INSERT INTO anomaly_left_out VALUES (?, ?, ?)", [source, day, count]
            )


@dataclass(frozen=True, slots=True)
class Filter:
    """Which anomalies are wanted; what is empty or None is any.

    Attributes:
        flags: whole, or the part before the colon: ``unmapped_code`` of ``unmapped_code:WIN``.
        start, end: of the slot's start, `end` exclusive.
    """

    ids: Collection[int] = ()
    zones: Collection[str] = ()
    sources: Collection[str] = ()
    flags: Collection[str] = ()
    start: datetime | None = None
    end: datetime | None = None

    def where(self) -> tuple[str, list[object]]:
        """Return the condition in SQL, and its values."""
        parts: list[str] = ["true"]
        values: list[object] = []
        for column, wanted in (
            ("id IN (SELECT unnest(?))", self.ids),
            ("zone IN (SELECT unnest(?))", self.zones),
            ("source IN (SELECT unnest(?))", self.sources),
        ):
            if wanted:
                parts.append(column)
                values.append(list(wanted))
        if self.flags:
            parts.append(
                "(flag IN (SELECT unnest(?)) OR split_part(flag, ':', 1) IN (SELECT unnest(?)))"
            )
            values += [list(self.flags), list(self.flags)]
        for column, moment in (("slot_start >= ?", self.start), ("slot_start < ?", self.end)):
            if moment:
                parts.append(column)
                values.append(moment)
        return " AND ".join(parts), values


# What a reader gets of each anomaly.
LISTED: Final = pl.Schema(
    {"id": pl.Int64(), **dict(ANOMALY.items()), "accepted_at": INSTANT, "note": pl.String()}
)


def read_anomalies(
    connection: duckdb.DuckDBPyConnection, which: Filter, *, limit: int
) -> pl.DataFrame:
    """Return the newest anomalies by `known_at` and id, newest first; columns `LISTED`."""
    where, values = which.where()
    found = frame(
        columns(
            connection,
            f"SELECT {', '.join(LISTED.names())} FROM anomaly WHERE {where} "  # noqa: S608  # our own names
            "ORDER BY known_at DESC, id DESC LIMIT ?",
            [*values, limit],
        )
    )
    return found.cast(LISTED)


def count_anomalies(
    connection: duckdb.DuckDBPyConnection, which: Filter
) -> list[tuple[str, str, int, int]]:
    """Return source, flag, number, and number accepted by hand, by source and flag."""
    where, values = which.where()
    rows: list[tuple[str, str, int, int]] = connection.execute(
        "SELECT source, flag, count(*), count(accepted_at) FROM anomaly "  # noqa: S608  # as above
        f"WHERE {where} GROUP BY ALL ORDER BY ALL",
        values,
    ).fetchall()
    return rows


def left_out(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    """Return source, UTC day and number of anomalies that were only counted, newest last."""
    rows: list[tuple[str, str, int]] = connection.execute(
        "SELECT source, strftime(day, '%Y-%m-%d'), count FROM anomaly_left_out ORDER BY 2, 1"
    ).fetchall()
    return rows
