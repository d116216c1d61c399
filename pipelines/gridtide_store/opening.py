"""Opening the store: whether the file is ours, its schema version and its identity.

The store's identity and the number of each publication are random numbers in its table
``meta``. A snapshot repeats them, so that a base is never linked from another store's snapshot,
nor from a later state of the same store than the one a backup restored.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from gridtide.errors import BadInput
from gridtide_store.data_directory import DataDirectory
from gridtide_store.database import refuse_foreign, transaction
from gridtide_store.errors import RESTORE, Damaged, NewerHome
from gridtide_store.ledger import Ledger

FOLDER = Path(__file__).parent / "schema"

STORE_ID: Final = "store"
PUBLISHED_BASE: Final = "published base"
PUBLISHED_DELTA: Final = "published delta"

# Tables of the first version, which every file of ours has, and those of later migrations.
TABLES = ("meta", "series", "retrieval", "observation", "run", "step")
LATER = ("anomaly", "anomaly_left_out", "extent", "weather_run", "weather")
# Made by the schema for people with a DuckDB prompt; nothing here reads them.
OWN = ("belief", "belief_as_of", "weather_forecast")


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration: its number, counted from 1 without gaps, and its SQL."""

    number: int
    name: str
    sql: str


def load(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """Return the migrations in `folder` (``001_first.sql``, ...), in order.

    Raises:
        Damaged: a number is missing or there twice, so the installation is not whole.
    """
    found = tuple(
        Migration(int(match[1]), path.stem, path.read_text(encoding="utf-8"))
        for path in sorted(folder.iterdir())
        if (match := re.fullmatch(r"(\d{3})_\w+\.sql", path.name))
    )
    if not found or [step.number for step in found] != list(range(1, len(found) + 1)):
        raise Damaged(
            f"{folder}: migrations are not numbered 001, 002, ...; reinstall gridtide"
        )
    return found


def version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the newest migration that was applied; 0 for an empty file."""
    there = connection.execute(
        "SELECT count(*) FROM duckdb_tables() "
        "WHERE database_name = current_database() AND table_name = 'meta'"
    ).fetchone()
    if not there or not there[0]:
        return 0
    row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    return int(row[0]) if row else 0


def migrate(
    connection: duckdb.DuckDBPyConnection, migrations: Sequence[Migration], *, who: str
) -> int:
    """Apply the migrations that are missing, each whole or not at all.

    Args:
        connection: with the file in use.
        migrations: as `load` gives them.
        who: name of the file for messages.

    Returns:
        How many steps were applied.

    Raises:
        NewerHome: the file has had migrations this gridtide does not know.
    """
    before = version(connection)
    if before > len(migrations):
        raise NewerHome(
            f"{who} has schema version {before}, this gridtide knows up to {len(migrations)}; "
            "upgrade gridtide, or restore a backup made by this version"
        )
    for step in migrations[before:]:
        with transaction(connection):
            connection.execute(step.sql)
            connection.execute("DELETE FROM meta WHERE name = 'schema'")
            connection.execute("INSERT INTO meta VALUES ('schema', ?)", [step.number])
    return len(migrations) - before


def refuse_incomplete(connection: duckdb.DuckDBPyConnection, home: DataDirectory) -> None:
    """Refuse a migrated file that lacks a table which a migration made.

    Raises:
        Damaged: one is missing.
    """
    found = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'live'"
    ).fetchall()
    if missing := sorted(set(LATER) - {name for (name,) in found}):
        raise Damaged(f"{home.live} lacks the table {missing[0]!r}; {RESTORE}")


def read_note(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """Read one number of the table ``meta``; 0 where there is none."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", [name]).fetchone()
    return int(row[0]) if row else 0


def write_note(connection: duckdb.DuckDBPyConnection, name: str, value: int) -> None:
    """Set one number of the table ``meta``; call it inside a transaction."""
    connection.execute("DELETE FROM meta WHERE name = ?", [name])
    connection.execute("INSERT INTO meta VALUES (?, ?)", [name, value])


def identify(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the store its identity, unless it has one; a store of an older gridtide has none."""
    if not read_note(connection, STORE_ID):
        with transaction(connection):
            write_note(connection, STORE_ID, new_identity())


def new_identity() -> int:
    """Return a new random identity: positive, and it fits BIGINT."""
    return secrets.randbits(62) + 1


def format_identity(number: int) -> str:
    """Return an identity as a manifest writes it; "" for none."""
    return f"{number:016x}" if number else ""


def refuse_beside_snapshots(home: DataDirectory) -> None:
    """Refuse to make a store where snapshots of another one are published.

    Their store was lost or moved: filling a new one silently would end the history that is
    still served.

    Raises:
        BadInput: the store is missing, but a pointer or snapshots exist.
    """
    if not _lost(home):
        return
    raise BadInput(
        f"{home.live} is missing, but {home.root} holds snapshots that were published from it; "
        "restore a backup with `gridtide restore`, or add --new-store to begin a new history"
    )


def refuse_without_store(home: DataDirectory) -> None:
    """Refuse to go on where there is no store; nothing is created.

    Raises:
        BadInput: the data directory or the store in it is missing.
    """
    refuse_beside_snapshots(home)
    if not home.live.exists():
        raise BadInput(
            f"{home.root} holds no store; look at --home and GRIDTIDE_HOME, or fill it with "
            "`gridtide refresh` or `gridtide import`"
        )


def adopt(connection: duckdb.DuckDBPyConnection, home: DataDirectory, *, new: bool) -> None:
    """Check that the attached file is a store of ours, or empty where a new one is allowed.

    Raises:
        Damaged: it is a database of something else, or is empty where a store was.
    """
    row = connection.execute(
        "SELECT (SELECT count(*) FROM duckdb_tables() WHERE database_name = 'live') + "
        "(SELECT count(*) FROM duckdb_views() WHERE database_name = 'live' AND NOT internal)"
    ).fetchone()
    if row and row[0]:
        refuse_foreign(connection, {"live": (home.live, TABLES)}, own=OWN)
        return
    if not new and (_published(home) or any(home.raw.glob("*/*"))):
        # DuckDB takes a file of no bytes for a new database.
        raise Damaged(f"{home.live} is empty; {RESTORE}, or add --new-store")
    if home.ledger.exists():
        # What an earlier store had for good is to be requested again.
        Ledger(home.ledger).forget_answers()


def _lost(home: DataDirectory) -> bool:
    return not home.live.exists() and _published(home)


def _published(home: DataDirectory) -> bool:
    return home.current.exists() or any(home.snapshots.glob("[!.]*"))
