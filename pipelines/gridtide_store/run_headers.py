"""Headers of forecast runs and of weather runs: which are new, and their numbers."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import polars as pl

from gridtide_store.database import columns, frame


def without_stored(
    connection: duckdb.DuckDBPyConnection,
    headers: pl.DataFrame,
    table: str,
    key: Sequence[str],
) -> pl.DataFrame:
    """Return the runs of `headers` that `table` lacks, in their order.

    Args:
        headers: one row for each run; not empty.
        key: the columns that name a run; issued_at is one of them.
    """
    stored = frame(
        columns(
            connection,
            f"SELECT {', '.join(key)} FROM {table} WHERE issued_at BETWEEN ? AND ?",  # noqa: S608  # our own names
            [headers["issued_at"].min(), headers["issued_at"].max()],
        )
    )
    return headers.join(stored, on=key, how="anti", maintain_order="left")


def with_numbers(
    connection: duckdb.DuckDBPyConnection, headers: pl.DataFrame, table: str
) -> pl.DataFrame:
    """Return `headers` with a first column id that goes on from the last of `table`."""
    row = connection.execute(
        f"SELECT coalesce(max(id), -1) + 1 FROM {table}"  # noqa: S608  # our own name
    ).fetchone()
    return headers.with_row_index("id", offset=row[0] if row else 0)
