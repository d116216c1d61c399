"""The two DuckDB files of a snapshot: a sorted base, and a delta of what came after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from gridtide.model import Quality
from gridtide_store.appending import insert
from gridtide_store.database import attach, columns, frame, transaction
from gridtide_store.snapshot_anomalies import write_anomalies
from gridtide_store.vocabulary import FRACTION_DIGITS, QUALITIES, digits

# The end of a slot and when it was known are kept as distances from its start: they are the
# same along most of a series, and as instants would cost a third of the file where one series
# ends and the next begins. `length_us` is slot_end - slot_start, `known_us` is known_at -
# slot_start, both in microseconds; `quality` is a number into the manifest's `qualities`. Table
# `belief` holds the newest revision of each slot, `superseded` all earlier ones.
TABLES = """
    CREATE TABLE out.belief (
        series INTEGER NOT NULL, slot_start TIMESTAMPTZ NOT NULL, length_us BIGINT NOT NULL,
        value DOUBLE, quality UTINYINT NOT NULL, known_us BIGINT NOT NULL);
    CREATE TABLE out.superseded AS FROM out.belief;
    CREATE TABLE out.series (
        id INTEGER NOT NULL, zone TEXT NOT NULL, signal TEXT NOT NULL, source TEXT NOT NULL,
        first_start TIMESTAMPTZ, last_end TIMESTAMPTZ, newest_known_at TIMESTAMPTZ NOT NULL,
        simulated BOOLEAN NOT NULL);
    CREATE TABLE out.run (
        id BIGINT NOT NULL, zone TEXT NOT NULL, signal TEXT NOT NULL, model TEXT NOT NULL,
        issued_at TIMESTAMPTZ NOT NULL, known_at TIMESTAMPTZ NOT NULL, source TEXT NOT NULL,
        simulated BOOLEAN NOT NULL);
    CREATE TABLE out.step (
        run BIGINT NOT NULL, slot_start TIMESTAMPTZ NOT NULL, slot_end TIMESTAMPTZ NOT NULL,
        p10 DOUBLE, p50 DOUBLE NOT NULL, p90 DOUBLE);
"""

# How many rows of the store are ranked and sorted at a time: bounds the memory of a base.
CHUNK = 2_000_000

INFO = """
    SELECT series, min(slot_start) FILTER (value IS NOT NULL) AS first_start,
        make_timestamptz(max(epoch_us(slot_start) + length_us) FILTER (value IS NOT NULL))
            AS last_end,
        make_timestamptz(max(epoch_us(slot_start) + known_us)) AS newest_known_at,
        bool_or(quality = ?) AS simulated
    FROM {rows} GROUP BY series
"""


def write_base(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    signals: Sequence[str],
    scratch: Path,
) -> None:
    """Write all observations and runs of `signals`: the newest sorted, superseded ones apart.

    Args:
        connection: with the live file in use.
        path: must not exist.
        signals: what is published.
        scratch: folder for temporary files.
    """
    _choose(connection, signals)
    with _new(connection, path):
        for low, high in chunks(connection):
            _stage(connection, f"o.series BETWEEN {low} AND {high}")
            with transaction(connection):
                _move(connection, "belief", "rank = 1")
                _move(connection, "superseded", "rank > 1")
        _write_runs(connection, signals, after=-1)
        simulated = QUALITIES.index(Quality.SIMULATED)
        info = frame(columns(connection, INFO.format(rows="out.belief"), [simulated]))
        _write_series(connection, info, scratch)


def write_delta(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    base: Path,
    *,
    after: int,
    signals: Sequence[str],
    scratch: Path,
) -> None:
    """Write the observations and runs added after insertion `after`, series and anomalies.

    Insertions are counted rather than times compared, because an import can bring a
    known_at that is older than the base.

    Args:
        connection: with the live file in use.
        path: must not exist.
        base: the base this is the delta to.
        after: the newest insertion that is in the base.
        signals: what is published.
        scratch: folder for temporary files.
    """
    _choose(connection, signals)
    attach(connection, base, "base", read_only=True)
    try:
        with _new(connection, path):
            _stage(connection, f"o.batch > {after}")
            with transaction(connection):
                _move(connection, "belief", "true")
            _write_runs(connection, signals, after=after)
            _write_series(connection, _updated_info(connection), scratch)
            write_anomalies(connection)
    finally:
        connection.execute("DETACH base")


def rows_after(connection: duckdb.DuckDBPyConnection, cut: int) -> int:
    """Count the observations and forecast slots added after insertion `cut`."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM observation WHERE batch > $1) + (SELECT count(*) "
        "FROM step WHERE run IN (SELECT id FROM run WHERE batch > $1))",
        [cut],
    ).fetchone()
    return int(row[0]) if row else 0


def chunks(
    connection: duckdb.DuckDBPyConnection, size: int = CHUNK
) -> Iterator[tuple[int, int]]:
    """Return ranges of series numbers, both ends included, with about `size` rows each."""
    found = columns(
        connection, "SELECT series, count(*) AS n FROM observation GROUP BY 1 ORDER BY 1"
    )
    low, taken = None, 0
    for number, rows in zip(found["series"].tolist(), found["n"].tolist(), strict=True):
        low = number if low is None else low
        taken += rows
        if taken >= size:
            yield low, number
            low, taken = None, 0
    if low is not None:
        yield low, int(found["series"][-1])


@contextmanager
def _new(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    """Attach a new file at `path` as ``out`` with the tables in it; detach it at the end."""
    attach(connection, path, "out", read_only=False)
    try:
        connection.execute(TABLES)
        yield
        connection.execute("CHECKPOINT out")
    finally:
        connection.execute("DETACH out")
        connection.execute("DROP TABLE IF EXISTS temp.staged")


def _choose(connection: duckdb.DuckDBPyConnection, signals: Sequence[str]) -> None:
    """Make temporary table ``chosen``: the published series, and whether they are fractions."""
    fractions = [signal for signal in signals if digits(signal) == FRACTION_DIGITS]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE chosen AS SELECT *, signal IN (SELECT unnest(?)) AS "
        "fraction FROM series WHERE signal IN (SELECT unnest(?))",
        [fractions, list(signals)],
    )


def _stage(connection: duckdb.DuckDBPyConnection, which: str) -> None:
    """Make the temporary table ``staged``: published observations, rounded.

    Rank 1 is the newest.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE staged AS
        SELECT o.series, slot_start, epoch_us(slot_end) - epoch_us(slot_start) AS length_us,
            CASE WHEN fraction THEN round(value, {FRACTION_DIGITS}) ELSE round(value, 2) END
                AS value,
            enum_code(quality)::UTINYINT AS quality,
            epoch_us(known_at) - epoch_us(slot_start) AS known_us,
            row_number() OVER (
                PARTITION BY o.series, slot_start ORDER BY known_at DESC) AS rank
        FROM observation o JOIN chosen ON chosen.id = o.series WHERE {which}
        """  # noqa: S608  # numbers of our own
    )


def _move(connection: duckdb.DuckDBPyConnection, table: str, which: str) -> None:
    connection.execute(
        f"INSERT INTO out.{table} SELECT * EXCLUDE (rank) FROM staged WHERE {which} "  # noqa: S608  # our own words
        "ORDER BY series, slot_start, known_us"
    )


def _write_runs(
    connection: duckdb.DuckDBPyConnection, signals: Sequence[str], *, after: int
) -> None:
    with transaction(connection):
        connection.execute(
            "INSERT INTO out.run SELECT * EXCLUDE (batch, seen_at) FROM run "
            "WHERE batch > ? AND signal IN (SELECT unnest(?)) ORDER BY id",
            [after, list(signals)],
        )
        connection.execute(
            "INSERT INTO out.step SELECT step.* FROM step "
            "WHERE run IN (SELECT id FROM out.run) ORDER BY run, slot_start"
        )


def _updated_info(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return what the base says of each series, corrected by what is staged for the delta."""
    simulated = QUALITIES.index(Quality.SIMULATED)
    newer = "(FROM staged WHERE rank = 1)"
    # Where the delta took the value of the first or last slot away, the base is read again.
    base = frame(
        columns(
            connection,
            f"""
            WITH gone AS (
                SELECT series, slot_start,
                    make_timestamptz(epoch_us(slot_start) + length_us) AS slot_end
                FROM {newer} WHERE value IS NULL
            ), shorter AS (
                SELECT DISTINCT id FROM base.series JOIN gone ON gone.series = id
                WHERE gone.slot_end = last_end OR gone.slot_start = first_start
            ), left_over AS (
                FROM base.belief b WHERE series IN (FROM shorter) AND NOT EXISTS (
                    FROM gone WHERE gone.series = b.series AND gone.slot_start = b.slot_start)
            )
            SELECT id AS series, first_start, last_end, newest_known_at, simulated
            FROM base.series WHERE id NOT IN (FROM shorter)
            UNION ALL {INFO.format(rows="left_over")}
            """,  # noqa: S608  # no value of a caller's
            [simulated],
        )
    )
    delta = frame(columns(connection, INFO.format(rows=newer), [simulated]))
    return (
        pl.concat([base, delta])
        .group_by("series")
        .agg(
            pl.col("first_start").min(),
            pl.col("last_end").max(),
            pl.col("newest_known_at").max(),
            pl.col("simulated").any(),
        )
    )


def _write_series(
    connection: duckdb.DuckDBPyConnection, info: pl.DataFrame, scratch: Path
) -> None:
    names = frame(columns(connection, "SELECT id AS series, zone, signal, source FROM chosen"))
    rows = names.join(info, on="series", how="inner").sort("zone", "signal", "source")
    insert(connection, rows, "out.series", scratch=scratch)
