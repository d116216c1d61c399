"""Whether a file is the store of its home, a new one, or none of ours."""

from __future__ import annotations

import duckdb

from gridtide.errors import BadInput, NoData
from gridtide_store.data_directory import DataDirectory
from gridtide_store.database import refuse_foreign
from gridtide_store.errors import Damaged
from gridtide_store.faults import RESTORE
from gridtide_store.ledger import Ledger

TABLES = ("meta", "series", "retrieval", "observation", "run", "step")
# Made by the schema for people with a DuckDB prompt; nothing here reads them.
OWN = ("belief", "belief_as_of")


def refuse_beside_snapshots(home: DataDirectory) -> None:
    """Refuse to make a store where snapshots of another one are published.

    Their store was lost or moved: filling a new one silently would end the history that is
    still served.

    Raises:
        BadInput: there is no store, but a pointer or snapshots.
    """
    if not _lost(home):
        return
    raise BadInput(
        f"{home.live} is missing, but {home.root} holds snapshots that were published from it; "
        "restore a backup with `gridtide restore`, or add --new-store to begin a new history"
    )


def refuse_without_store(home: DataDirectory) -> None:
    """Refuse to go on where there is no store; nothing is made.

    Raises:
        NoData: the data directory or the store in it is missing.
        BadInput: the store is missing while its snapshots are there.
    """
    refuse_beside_snapshots(home)
    if not home.live.exists():
        raise NoData(
            f"{home.root} holds nothing to publish or to read: it has no store; look at --home "
            "and GRIDTIDE_HOME, or fill it with `gridtide refresh` or `gridtide import`"
        )


def adopt(connection: duckdb.DuckDBPyConnection, home: DataDirectory, *, new: bool) -> None:
    """See that the file in use is a store of ours, or empty where a new one may be.

    Raises:
        Damaged: it is a database of something else, or is empty where a store was.
    """
    row = connection.execute(
        "SELECT (SELECT count(*) FROM duckdb_tables() WHERE database_name = 'live') + "
        "(SELECT count(*) FROM duckdb_views() WHERE database_name = 'live' AND NOT internal)"
    ).fetchone()
    if row and row[0]:
        refuse_foreign(connection, "live", home.live, tables=TABLES, own=OWN)
        return
    if not new and (_published(home) or any(home.raw.glob("*/*"))):
        # DuckDB takes a file of no bytes for a new database.
        raise Damaged(f"{home.live} is empty; {RESTORE}, or add --new-store")
    if home.ledger.exists():
        # What an earlier store had for good is to be requested again.
        Ledger(home.ledger).forget_settled()


def _lost(home: DataDirectory) -> bool:
    return not home.live.exists() and _published(home)


def _published(home: DataDirectory) -> bool:
    return home.current.exists() or any(home.snapshots.glob("[!.]*"))
