"""Opening DuckDB files the one right way, and rows out of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridtide.errors import Busy
from gridtide_store.errors import Damaged, Unusable

# Written so that every supported DuckDB (1.5.6 and newer) reads it.
STORAGE = "v1.5.0"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Columns = dict[str, NDArray[np.generic]]


def connect() -> duckdb.DuckDBPyConnection:
    """An empty in-memory DuckDB in UTC; files are attached to it.

    Only ATTACH takes a storage version, and only a database without a path of its own can
    let go of its files one by one.
    """
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    # DuckDB 2.0.0 splits a sorted read into scans that each go over all row groups: 140 ms
    # instead of 26. Older versions do not know the optimizer.
    known = connection.execute(
        "SELECT count(*) FROM duckdb_optimizers() WHERE name = 'partitioned_execution'"
    ).fetchone()
    if known and known[0]:
        connection.execute("SET disabled_optimizers = 'partitioned_execution'")
    return connection


def attach(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, *, read_only: bool
) -> None:
    """Attach the file at `path` under `name`; it is made if it is missing and writable.

    Raises:
        Busy: another process, or another part of this one, has the file open.
        Damaged: the file is missing, unreadable, or no DuckDB file.
    """
    option = "READ_ONLY" if read_only else f"STORAGE_VERSION '{STORAGE}'"
    place = str(path).replace("'", "''")
    try:
        connection.execute(f"ATTACH '{place}' AS {name} ({option})")
    except duckdb.Error as error:
        text = str(error).splitlines()[0]
        # The class differs between versions and between one's own and another process.
        if "set lock" in text or "file handle conflict" in text or "already attached" in text:
            raise Busy(
                f"{path} is open elsewhere; wait for the other gridtide command to end, "
                f"or stop it ({text})"
            ) from error
        raise Damaged(f"{path} cannot be opened; restore a backup ({text})") from error


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of the block or nothing of it.

    Raises:
        Unusable: the disk is full, or the file can no longer be written.
    """
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException) as error:
        _roll_back(connection)
        raise Unusable(
            f"the store cannot be written: {str(error).splitlines()[0]}; "
            "look at the room left on its disk, then run the command again"
        ) from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    # A commit that failed has been rolled back already.
    with suppress(duckdb.Error):
        connection.execute("ROLLBACK")


def columns(
    connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()
) -> Columns:
    """The answer as one numpy array a column.

    Instants are ``datetime64[us]`` in UTC. NULL is NaN or NaT, so that only columns of floats
    and instants may hold one. (Handing the relation to polars would do too, but
    then DuckDB 2.0.0 writes a page of leak warnings to standard error at exit.)
    """
    found = connection.execute(query, list(values)).fetchnumpy()
    return {
        name: column.filled(np.datetime64("NaT") if column.dtype.kind == "M" else np.nan)
        if isinstance(column, np.ma.MaskedArray)
        else column
        for name, column in found.items()
    }


def frame(found: Columns) -> pl.DataFrame:
    """The same as polars: NaN as null, instants in UTC, texts as `String`."""
    made = []
    for name, column in found.items():
        series = pl.Series(name, column, nan_to_null=True)
        if column.dtype.kind == "M":
            series = series.dt.cast_time_unit("us").dt.replace_time_zone("UTC")
        elif column.dtype.kind == "O":
            series = pl.Series(name, column.tolist(), dtype=pl.String)
        made.append(series)
    return pl.DataFrame(made)


def microseconds(column: NDArray[np.generic]) -> NDArray[np.int64]:
    """Instants as microseconds since 1970."""
    return column.astype("datetime64[us]").view(np.int64)


def instant(moment: datetime) -> int:
    """One instant as microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)
