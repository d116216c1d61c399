"""The DuckDB files of a snapshot: a base sorted for reading, and a delta of what came after it.

The base is one file for each year and one for the forecast runs, so that a year in which
nothing changed is linked from the snapshot before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from gridtide_store.database import attach, columns, transaction
from gridtide_store.snapshot_anomalies import write_anomalies
from gridtide_store.vocabulary import FRACTION_DIGITS, LOAD, digits

# The end of a slot and when it was known are kept as distances from its start: they are the
# same along most of a series, and as instants would cost a third of the file where one series
# ends and the next begins. `length_us` is slot_end - slot_start, `known_us` is known_at -
# slot_start, both in microseconds; `quality` is a number into the manifest's `qualities`. Table
# `belief` holds the newest revision of each slot, `superseded` all earlier ones; in a delta
# `belief` holds every revision that came after the base.
OBSERVED = """
    CREATE TABLE out.belief (
        series INTEGER NOT NULL, slot_start TIMESTAMPTZ NOT NULL, length_us BIGINT NOT NULL,
        value DOUBLE, quality UTINYINT NOT NULL, known_us BIGINT NOT NULL);
    CREATE TABLE out.superseded AS FROM out.belief;
"""
ISSUED = """
    CREATE TABLE out.run (
        id BIGINT NOT NULL, zone TEXT NOT NULL, signal TEXT NOT NULL, model TEXT NOT NULL,
        issued_at TIMESTAMPTZ NOT NULL, known_at TIMESTAMPTZ NOT NULL, source TEXT NOT NULL,
        simulated BOOLEAN NOT NULL);
    CREATE TABLE out.step (
        run BIGINT NOT NULL, slot_start TIMESTAMPTZ NOT NULL, slot_end TIMESTAMPTZ NOT NULL,
        p10 DOUBLE, p50 DOUBLE NOT NULL, p90 DOUBLE);
"""
SERIES = """
    CREATE TABLE out.series (
        id INTEGER NOT NULL, zone TEXT NOT NULL, signal TEXT NOT NULL, source TEXT NOT NULL,
        first_start TIMESTAMPTZ, last_end TIMESTAMPTZ, newest_known_at TIMESTAMPTZ NOT NULL,
        simulated BOOLEAN NOT NULL);
"""

# How many rows of the store are ranked and sorted at a time: bounds the memory of a base.
CHUNK = 1_000_000

# The UTC year of a slot; the function for TIMESTAMPTZ asks the calendar of a time zone for it.
YEAR = "year(make_timestamp(epoch_us(slot_start)))"
CHOSEN = "series IN (SELECT id FROM temp.chosen)"


def write_year(
    connection: duckdb.DuckDBPyConnection, path: Path, year: int, *, signals: Sequence[str]
) -> None:
    """Write the observations of slots that start in `year`: the newest sorted, others apart.

    Args:
        connection: with the live file in use.
        path: must not exist.
        year: in UTC.
        signals: what is published.
    """
    _choose(connection, signals)
    span = (
        f"slot_start >= '{year:04d}-01-01T00:00:00Z' "
        f"AND slot_start < '{year + 1:04d}-01-01T00:00:00Z'"
    )
    with _new(connection, path, OBSERVED):
        for low, high in chunks(connection, f"{CHOSEN} AND {span}"):
            _stage(connection, f"o.series BETWEEN {low} AND {high} AND {span}")
            with transaction(connection):
                _move(connection, "belief", "rank = 1")
                _move(connection, "superseded", "rank > 1")


def write_runs(
    connection: duckdb.DuckDBPyConnection, path: Path, *, signals: Sequence[str]
) -> None:
    """Write all forecast runs of `signals` to a new file at `path`."""
    with _new(connection, path, ISSUED):
        _write_runs(connection, signals, after=-1)


def write_delta(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    after: int,
    signals: Sequence[str],
) -> None:
    """Write the observations and runs added after insertion `after`, series and anomalies.

    Insertions are counted rather than times compared, because an import can bring a
    known_at that is older than the base.

    Args:
        connection: with the live file in use.
        path: must not exist.
        after: the newest insertion that is in the base.
        signals: what is published.
    """
    _choose(connection, signals)
    with _new(connection, path, OBSERVED + ISSUED + SERIES):
        _stage(connection, f"o.batch > {after}")
        with transaction(connection):
            _move(connection, "belief", "true")
        _write_runs(connection, signals, after=after)
        with transaction(connection):
            connection.execute(
                "INSERT INTO out.series SELECT id, zone, signal, source, first_start, "
                "last_end, newest_known_at, simulated FROM chosen "
                "JOIN extent ON extent.series = chosen.id ORDER BY zone, signal, source"
            )
        write_anomalies(connection)


def rows_after(connection: duckdb.DuckDBPyConnection, cut: int) -> int:
    """Count the observations and forecast slots added after insertion `cut`."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM observation WHERE batch > $1) + (SELECT count(*) "
        "FROM step WHERE run IN (SELECT id FROM run WHERE batch > $1))",
        [cut],
    ).fetchone()
    return int(row[0]) if row else 0


def years_after(
    connection: duckdb.DuckDBPyConnection, cut: int, signals: Sequence[str]
) -> list[int]:
    """Return the years of the observations of `signals` added after insertion `cut`, sorted."""
    _choose(connection, signals)
    found = connection.execute(
        f"SELECT DISTINCT {YEAR} FROM observation WHERE batch > ? AND {CHOSEN} ORDER BY 1",  # noqa: S608  # our own words
        [cut],
    ).fetchall()
    return [int(year) for (year,) in found]


def chunks(
    connection: duckdb.DuckDBPyConnection, which: str = "true", size: int = CHUNK
) -> Iterator[tuple[int, int]]:
    """Return ranges of series numbers, both ends included, with about `size` rows each.

    Args:
        connection: with the live file in use.
        which: the rows of `observation` that count.
        size: how many rows.
    """
    found = columns(
        connection,
        f"SELECT series, count(*) AS n FROM observation WHERE {which} GROUP BY 1 ORDER BY 1",  # noqa: S608  # our own words
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
def _new(connection: duckdb.DuckDBPyConnection, path: Path, tables: str) -> Iterator[None]:
    """Attach a new file at `path` as ``out`` and make `tables`; detach it at the end."""
    attach(connection, path, "out", read_only=False)
    try:
        connection.execute(tables)
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
    forecast = [signal for signal in signals if signal != LOAD]  # load only weighs
    with transaction(connection):
        connection.execute(
            "INSERT INTO out.run SELECT * EXCLUDE (batch, seen_at) FROM run "
            "WHERE batch > ? AND signal IN (SELECT unnest(?)) ORDER BY id",
            [after, forecast],
        )
        connection.execute(
            "INSERT INTO out.step SELECT step.* FROM step "
            "WHERE run IN (SELECT id FROM out.run) ORDER BY run, slot_start"
        )
