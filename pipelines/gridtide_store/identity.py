"""Which store this is, and what was published from it.

Both are random numbers among the store's bookkeeping. A snapshot repeats them, so that a base
is never linked from another store's snapshot, nor from a later state of the same store than
the one a backup brought back.
"""

from __future__ import annotations

import secrets
from typing import Final

import duckdb

from gridtide_store.database import transaction

STORE: Final = "store"
BASE: Final = "published base"
DELTA: Final = "published delta"


def read_note(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    """One bookkeeping number of the store in use; 0 where there is none."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", [name]).fetchone()
    return int(row[0]) if row else 0


def write_note(connection: duckdb.DuckDBPyConnection, name: str, value: int) -> None:
    """Set one bookkeeping number of the store in use; run it inside a transaction."""
    connection.execute("DELETE FROM meta WHERE name = ?", [name])
    connection.execute("INSERT INTO meta VALUES (?, ?)", [name, value])


def identify(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the store in use its number, unless it has one; one of an older gridtide has not."""
    if not read_note(connection, STORE):
        with transaction(connection):
            write_note(connection, STORE, draw())


def draw() -> int:
    """A number that nothing else has: positive, and it fits BIGINT."""
    return secrets.randbits(62) + 1


def name_of(number: int) -> str:
    """How a manifest writes such a number; "" for none."""
    return f"{number:016x}" if number else ""
