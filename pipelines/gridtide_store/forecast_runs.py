"""Forecast runs in the store: added whole, read, and thinned after their retention period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from gridtide.model import utc
from gridtide_store.appending import insert
from gridtide_store.database import columns, frame, transaction
from gridtide_store.run_headers import with_numbers, without_stored
from gridtide_store.vocabulary import FORECAST, RUN, forecasts

HEADER = ("zone", "signal", "model", "issued_at", "known_at", "source", "simulated")


def append_runs(
    connection: duckdb.DuckDBPyConnection, incoming: pl.DataFrame, *, batch: int, scratch: Path
) -> int:
    """Add the runs of `incoming` that are not stored yet; call it inside a transaction.

    A publisher is requested more often than it changes its forecast. A run that says nothing
    but what its newest run said of the same slots is not stored: that run's `seen_at` becomes
    the `known_at` of the new one, and its `issued_at` stays when it was first received.

    Args:
        connection: with the live file in use.
        incoming: columns `FORECAST`; each run whole.
        batch: number of this insertion, above all before it.
        scratch: folder for the file the rows go in through.

    Returns:
        Rows (steps) added.

    Raises:
        BadInput: see `vocabulary.forecasts`.
    """
    incoming = forecasts(incoming)
    headers = incoming.select(HEADER).unique().sort(RUN)
    if headers.is_empty():
        return 0
    headers = without_stored(connection, headers, "run", RUN)
    headers = headers.join(
        _see_unchanged(connection, incoming, headers), on=RUN, how="anti", maintain_order="left"
    )
    if headers.is_empty():
        return 0
    headers = with_numbers(connection, headers, "run")
    steps = incoming.join(headers.select("id", *RUN), on=RUN, how="inner").sort(
        "id", "slot_start"
    )
    headers = headers.with_columns(
        batch=pl.lit(batch, pl.Int64), seen_at=pl.lit(None, FORECAST["known_at"])
    )
    insert(connection, headers, "run", scratch=scratch)
    insert(
        connection,
        steps.select("id", "slot_start", "slot_end", "p10", "p50", "p90"),
        "step",
        scratch=scratch,
    )
    return len(steps)


def _see_unchanged(
    connection: duckdb.DuckDBPyConnection, incoming: pl.DataFrame, headers: pl.DataFrame
) -> pl.DataFrame:
    """Mark the runs that publishers repeat as seen again; return what names the new ones."""
    mine = headers.filter(pl.col("model") == pl.col("source"))
    if mine.is_empty():
        return mine.select(RUN)
    newest = frame(
        columns(
            connection,
            "SELECT id, zone, signal, model, source, issued_at AS before FROM run "
            "WHERE model = source AND model IN (SELECT unnest(?)) "
            "AND zone IN (SELECT unnest(?)) QUALIFY row_number() OVER ("
            "PARTITION BY zone, signal, model ORDER BY issued_at DESC, known_at DESC) = 1",
            [mine["model"].unique().to_list(), mine["zone"].unique().to_list()],
        )
    )
    if newest.is_empty():
        return mine.select(RUN)[:0]
    pairs = mine.join(newest, on=["zone", "signal", "model", "source"], how="inner").filter(
        pl.col("issued_at") > pl.col("before")
    )
    said = frame(
        columns(
            connection,
            "SELECT run AS id, slot_start, slot_end, p10, p50, p90 FROM step "
            "WHERE run IN (SELECT unnest(?::BIGINT[]))",
            [pairs["id"].to_list()],
        )
    )
    if said.is_empty():
        return mine.select(RUN)[:0]
    quantiles = ("p10", "p50", "p90")
    again = (
        incoming.join(pairs.select("id", *RUN), on=RUN, how="inner")
        .join(
            said.with_columns(same=pl.lit(value=True)),
            on=["id", "slot_start", "slot_end", *quantiles],
            how="left",
            nulls_equal=True,
        )
        .group_by("id", *RUN)
        .agg(pl.col("same").fill_null(value=False).all(), pl.col("known_at").first())
        .filter("same")
    )
    for number, known_at in again.select("id", "known_at").iter_rows():
        connection.execute("UPDATE run SET seen_at = ? WHERE id = ?", [known_at, number])
    return again.select(RUN)


def read_runs(
    connection: duckdb.DuckDBPyConnection,
    zone: str,
    signal: str,
    start: datetime,
    end: datetime,
    *,
    as_of: datetime,
    models: Sequence[str],
) -> pl.DataFrame:
    """Read the slots starting in ``[start, end)`` of each model's newest run known at `as_of`.

    Columns `FORECAST`, sorted by model and slot; no `models` means all of them.
    """
    found = frame(
        columns(
            connection,
            """
            WITH newest AS (
                SELECT * FROM run WHERE zone = ? AND signal = ? AND known_at <= ?
                AND (len(?) = 0 OR model IN (SELECT unnest(?)))
                QUALIFY row_number() OVER (
                    PARTITION BY model ORDER BY issued_at DESC, known_at DESC) = 1
            )
            SELECT zone, signal, model, issued_at, slot_start, slot_end, p10, p50, p90,
                known_at, source, simulated
            FROM step JOIN newest ON newest.id = step.run
            WHERE slot_start >= ? AND slot_start < ?
            """,
            [zone, signal, as_of, list(models), list(models), start, end],
        )
    )
    return found.select(FORECAST.names()).cast(FORECAST).sort("model", "slot_start")


def read_known_between(
    connection: duckdb.DuckDBPyConnection,
    zone: str,
    signal: str,
    start: datetime,
    end: datetime,
) -> pl.DataFrame:
    """Read all runs whose `known_at` is in ``[start, end)``, each whole.

    Columns `FORECAST`, sorted by known_at, model, issued_at and slot.
    """
    found = frame(
        columns(
            connection,
            """
            SELECT zone, signal, model, issued_at, slot_start, slot_end, p10, p50, p90,
                known_at, source, simulated
            FROM step JOIN run ON run.id = step.run
            WHERE zone = ? AND signal = ? AND known_at >= ? AND known_at < ?
            """,
            [zone, signal, start, end],
        )
    )
    return (
        found.select(FORECAST.names())
        .cast(FORECAST)
        .sort("known_at", "model", "issued_at", "slot_start")
    )


@dataclass(frozen=True, slots=True)
class Thinned:
    """Forecast runs and steps deleted."""

    runs: int
    steps: int


# Six hours are how often weather models run, and with them what publishers forecast; a model
# that runs more rarely keeps all its runs.
THIN = """
    SELECT id FROM run WHERE issued_at < ? QUALIFY
        row_number() OVER (PARTITION BY zone, signal, model,
            time_bucket(INTERVAL '6 hours', issued_at) ORDER BY issued_at) > 1
"""
NEWEST = """
    SELECT id FROM run QUALIFY row_number() OVER (
        PARTITION BY zone, signal, model ORDER BY issued_at DESC) = 1
"""


def thin_runs(connection: duckdb.DuckDBPyConnection, before: datetime) -> Thinned:
    """Delete the runs issued before `before` but the first in each quarter of a UTC day.

    The newest run of each zone, signal and model stays in any case.
    """
    with transaction(connection):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE thinned AS {THIN} EXCEPT {NEWEST}",
            [utc(before)],
        )
        steps = connection.execute(
            "DELETE FROM step WHERE run IN (SELECT id FROM thinned)"
        ).fetchone()
        runs = connection.execute(
            "DELETE FROM run WHERE id IN (SELECT id FROM thinned)"
        ).fetchone()
    return Thinned(runs=int(runs[0]) if runs else 0, steps=int(steps[0]) if steps else 0)
