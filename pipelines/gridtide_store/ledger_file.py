"""The file of the ledger: opened, brought to the newest version, its errors translated."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gridtide_store.errors import NewerHome
from gridtide_store.faults import explained

SCHEMA = Path(__file__).parent / "schema"
VERSION = 3
RESTORE = "restore it from a backup, or delete it and run `gridtide refresh` to make it anew"


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The ledger at `path` for the length of the block, made if it is missing.

    Raises:
        Damaged: the file is no ledger, or cannot be read; restore a backup.
        Unusable: it cannot be opened, or its disk is full.
    """
    with (
        explained(path, RESTORE),
        # Ten seconds is far longer than any transaction here takes.
        closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as connection,
    ):
        yield connection


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """The ledger at `path`; all of the block or nothing of it. Errors as of `opened`."""
    with opened(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield connection


def migrate(path: Path) -> None:
    """Bring the ledger at `path` to the newest version, made if it is missing.

    Raises:
        NewerHome: a newer gridtide wrote it.
        Damaged, Unusable: as of `opened`.
    """
    with opened(path) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise NewerHome(
                f"{path} has version {version}, this gridtide knows up to {VERSION}; "
                "upgrade gridtide, or restore a backup made by this version"
            )
        if version == VERSION:
            return
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            # Another process may have been faster since we looked.
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            for number in range(version + 1, VERSION + 1):
                for statement in _statements(SCHEMA / f"ledger_{number:03}.sql"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")


def _statements(path: Path) -> Iterator[str]:
    """The statements of a script one by one; `executescript` would end the transaction."""
    statement = ""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
