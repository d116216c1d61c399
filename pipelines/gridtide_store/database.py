"""Connections to DuckDB files, and whether a file's write-ahead log can be replayed whole."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridtide.errors import Busy
from gridtide_store.data_directory import DEFAULT_RESOURCES, Resources
from gridtide_store.errors import Damaged, translate_error, translate_errors

# Of DuckDB 1.5 and 2: field 100, type 98 (version), field 101, version 2, field 102, 16 bytes.
HEADER: Final = bytes.fromhex("640062650002660010")
KIND: Final = HEADER[:3]  # of every version: the log's first entry says its version
IDENTIFIER: Final = 16
FIRST_BLOCK: Final = 4096  # of a database file: it says which one it is
LEAST: Final = 16  # bytes of length and sum before each entry
# An entry holds at most 2,048 rows, which for our tables is below 1 MiB.
MOST: Final = 256 * 1024 * 1024

# Written so that every supported DuckDB (1.5.6 and newer) reads it.
STORAGE = "v1.5.0"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Columns = dict[str, NDArray[np.generic]]


def log_of(path: Path) -> Path:
    """Return the path of the write-ahead log beside the database file at `path`."""
    return path.with_name(f"{path.name}.wal")


def refuse_damaged_log(path: Path) -> None:
    """Check the log of the database file at `path`, if there is one.

    An unfinished entry at the end is left to DuckDB, which drops it: its writer was killed
    before it said that anything was stored.

    Raises:
        Damaged: it does not begin as a log, or has an entry longer than any is.
        OSError: it cannot be read.
    """
    log = log_of(path)
    try:
        file = log.open("rb")
    except FileNotFoundError:
        return
    with file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(len(HEADER))
        if not (KIND.startswith(start) or start.startswith(KIND)):
            raise _damaged(log, "does not begin as one")
        identifier = _read_identifier(file) if start == HEADER else None
        if identifier is None:
            return  # cut off within, or of another version, which DuckDB judges
        with path.open("rb") as database:
            if identifier not in database.read(FIRST_BLOCK):
                raise _damaged(log, f"does not belong to {path.name}")
        while (at := file.tell()) + LEAST <= size:
            length = int.from_bytes(file.read(8), "little")
            if length > MOST:
                raise _damaged(log, f"has an entry of {length} bytes at byte {at}")
            file.seek(at + LEAST + length)


def _read_identifier(file: BinaryIO) -> bytes | None:
    """Read the rest of the header, which names the database file; None where it is damaged."""
    numbers = [_number(file) for _ in range(IDENTIFIER)]
    if file.read(2) != b"\x67\x00" or _number(file) is None or file.read(2) != b"\xff\xff":
        return None
    found = [number for number in numbers if number is not None and number <= 0xFF]
    return bytes(found) if len(found) == IDENTIFIER else None


def _number(file: BinaryIO) -> int | None:
    """Read the next number, seven bits a byte; None at the end or if it is too long."""
    value = 0
    for place in range(10):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << 7 * place
        if byte[0] < 0x80:
            return value
    return None


def _damaged(log: Path, what: str) -> Damaged:
    return Damaged(
        f"{log} is damaged: it {what}; restore a backup with `gridtide restore`, or delete "
        "this file to go on without what was stored last"
    )


def connect(
    *folders: Path, resources: Resources = DEFAULT_RESOURCES
) -> duckdb.DuckDBPyConnection:
    """Return an empty in-memory DuckDB in UTC, to which files are attached.

    Only ATTACH takes a storage version, and only a database without a path of its own can
    release its files one by one.

    Its queries reach files in `folders` alone, and nothing can widen that afterwards: a file
    from elsewhere (a backup that somebody sent) may hold a view instead of a table, and a
    view may read any file, load code or use the network.

    Args:
        folders: where files are attached from and temporary ones may be written.
        resources: how much memory and how many threads it may use.
    """
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    # Without a limit DuckDB takes four fifths of the machine's memory before it lets go.
    connection.execute(f"SET memory_limit = '{resources.memory_mb}MB'")
    connection.execute(f"SET threads = {resources.threads}")
    # DuckDB 2.0.0 splits a sorted read into scans that each go over all row groups: 140 ms
    # instead of 26. Older versions do not know the optimizer.
    known = connection.execute(
        "SELECT count(*) FROM duckdb_optimizers() WHERE name = 'partitioned_execution'"
    ).fetchone()
    if known and known[0]:
        connection.execute("SET disabled_optimizers = 'partitioned_execution'")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    allowed = ", ".join(
        _quoted(folder) for each in folders for folder in (each, each.resolve())
    )
    connection.execute(f"SET allowed_directories = [{allowed}]")
    return connection


def lock_down(connection: duckdb.DuckDBPyConnection, *, scratch: Path | None = None) -> None:
    """Close everything but the folders of `connect`, and lock the settings.

    Args:
        connection: as `connect` gave it, its own settings made.
        scratch: folder for what does not fit in memory; without it nothing is written to disk.
    """
    where = _quoted(scratch) if scratch else "''"
    connection.execute(f"SET temp_directory = {where}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _quoted(path: Path) -> str:
    return "'" + str(path.absolute()).replace("'", "''") + "'"


def attach(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, *, read_only: bool
) -> None:
    """Attach the file at `path` under `name`; a missing one is made if it is writable.

    Raises:
        Busy: another process, or another part of this one, has the file open.
        Damaged: the file is missing, unreadable, or no DuckDB file, or its log is damaged.
        NewerHome: another DuckDB wrote it.
        Unusable: the file may not be opened, or its disk is full.
    """
    with translate_errors(path):
        refuse_damaged_log(path)
    option = "READ_ONLY" if read_only else f"STORAGE_VERSION '{STORAGE}'"
    try:
        connection.execute(f"ATTACH {_quoted(path)} AS {name} ({option})")
    except duckdb.Error as error:
        text = str(error).splitlines()[0]
        # The class differs between versions and between one's own and another process.
        if "set lock" in text or "file handle conflict" in text or "already attached" in text:
            raise Busy(
                f"{path} is open elsewhere; wait for the other gridtide command to end, "
                f"or stop it ({text})"
            ) from error
        raise translate_error(error, path) from error


def refuse_foreign(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, tuple[Path, Collection[str]]],
    *,
    own: Collection[str] = (),
) -> None:
    """Refuse a file in which one of our names is not a table, or which has names of its own.

    All at once, as listing the macros takes as long for one file as for ten.

    Args:
        connection: with the files attached.
        files: by the name each is attached under its path and what must be tables in it.
        own: views and macros that we made ourselves.

    Raises:
        Damaged: one lacks a table, or holds a view or a macro that we did not make.
    """
    found = connection.execute(
        "SELECT database_name, 'table', table_name FROM duckdb_tables() "
        "WHERE database_name IN (SELECT unnest($1)) AND schema_name = 'main' UNION ALL "
        "SELECT database_name, 'view', view_name FROM duckdb_views() "
        "WHERE database_name IN (SELECT unnest($1)) AND NOT internal UNION ALL "
        "SELECT database_name, 'macro', function_name FROM duckdb_functions() "
        "WHERE database_name IN (SELECT unnest($1)) AND NOT internal",
        [list(files)],
    ).fetchall()
    for database, (path, tables) in files.items():
        mine = [(kind, name) for where, kind, name in found if where == database]
        strange = sorted(
            f"{kind} {name!r}" for kind, name in mine if kind != "table" and name not in own
        )
        missing = sorted(set(tables) - {name for kind, name in mine if kind == "table"})
        if strange or missing:
            what = f"holds the {strange[0]}" if strange else f"lacks the table {missing[0]!r}"
            raise Damaged(
                f"{path} {what}, so gridtide did not write it like this; restore a backup of "
                "your own with `gridtide restore`"
            )


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit the whole block, or nothing of it.

    Raises:
        Unusable: the disk is full, or the file can no longer be written.
        Damaged: what is in the file cannot be read.
    """
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException) as error:
        _roll_back(connection)
        raise translate_error(error, Path("the store")) from error
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
    """Run a query and return one numpy array for each column.

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
    """Convert the columns to polars: NaN to null, instants to UTC, text to `String`."""
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
    """Convert instants to microseconds since 1970."""
    return column.astype("datetime64[us]").view(np.int64)


def instant(moment: datetime) -> int:
    """Convert one instant to microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)
