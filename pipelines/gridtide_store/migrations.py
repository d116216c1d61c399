"""Numbered steps from an empty file to today's tables; a home outlives a release."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gridtide_store.database import transaction
from gridtide_store.errors import Damaged, NewerHome

FOLDER = Path(__file__).parent / "schema"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number, counted from 1 without gaps, and what it does."""

    number: int
    name: str
    sql: str


def load(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """The migrations in `folder` (``001_first.sql``, ...), in order.

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
    """Number of the newest migration the file in use has had; 0 for an empty one."""
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
    """Bring the file in use to the newest version, each step whole or not at all.

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
