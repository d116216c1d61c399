"""Whether a home is as it was written: keys, bodies, ledger, snapshots."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from gridtide.errors import BadInput
from gridtide_store import manifest as manifests
from gridtide_store.bodies import body_path, read_body
from gridtide_store.database import columns
from gridtide_store.errors import Damaged, NewerHome
from gridtide_store.home import Home, writer_lock
from gridtide_store.manifest import File
from gridtide_store.snapshot import current
from gridtide_store.store import Store
from gridtide_store.tables import chunks

RESTORE = "restore a backup with `gridtide restore`"
REPUBLISH = "delete CURRENT and run `gridtide publish`"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be, where, and what to do about it."""

    place: str
    problem: str
    remedy: str


# Each counts rows that break a rule the single writer keeps; no index enforces them.
RULES = {
    "series: two with one name or number": """
        SELECT (SELECT count(*) - count(DISTINCT (zone, signal, source)) FROM series)
            + (SELECT count(*) - count(DISTINCT id) FROM series)""",
    "observation: of no known series": """
        SELECT count(*) FROM observation WHERE series NOT IN (SELECT id FROM series)""",
    "run: two of one zone, signal, model and issue": """
        SELECT count(*) - count(DISTINCT (zone, signal, model, issued_at)) FROM run""",
    "run: without steps": """
        SELECT count(*) FROM run WHERE id NOT IN (SELECT run FROM step)""",
    "step: of no run": """
        SELECT count(*) FROM step WHERE run NOT IN (SELECT id FROM run)""",
    "step: two of one run and slot": """
        SELECT count(*) - count(DISTINCT (run, slot_start)) FROM step""",
    "retrieval: two with one number": """
        SELECT count(*) - count(DISTINCT id) FROM retrieval""",
}

# A belief must be known after the one it replaces, and come in an insertion of its own.
ORDER = """
    SELECT count(*) FROM (
        SELECT known_at <= lag(known_at) OVER one_slot OR batch = lag(batch) OVER one_slot
            AS wrong
        FROM observation WHERE series BETWEEN ? AND ?
        WINDOW one_slot AS (PARTITION BY series, slot_start ORDER BY batch, known_at)
    ) WHERE wrong
"""

TABLES = ("meta", "series", "retrieval", "observation", "run", "step")


def check(home: Home, now: datetime) -> list[Finding]:
    """All that is wrong with `home`; empty when it is whole. Nothing is mended.

    Reads every file there is once, and holds the writer's lock meanwhile.

    Raises:
        BadInput: there is no store in `home`.
        Busy: another process writes.
    """
    if not home.live.exists():
        raise BadInput(f"{home.root} holds no store; give --home, or run `gridtide refresh`")
    with writer_lock(home, "gridtide check", now):
        return [*_store(home), *_ledger(home), *_snapshots(home)]


def _store(home: Home) -> Iterator[Finding]:
    try:
        with Store.open(home) as store:
            yield from _rows(store)
            yield from _bodies(store)
    except (Damaged, NewerHome, duckdb.Error) as error:
        yield Finding(str(home.live), str(error).splitlines()[0], RESTORE)


def _rows(store: Store) -> Iterator[Finding]:
    connection, live = store.connection, str(store.home.live)
    for table in TABLES:
        # DuckDB compares a block with its checksum when it reads it, so read all of them.
        connection.execute(f"SELECT bit_xor(hash(t)) FROM {table} t").fetchall()  # noqa: S608  # our own names
    for rule, query in RULES.items():
        wrong = _count(connection, query)
        if wrong:
            yield Finding(live, f"{rule} ({wrong})", RESTORE)
    wrong = sum(_count(connection, ORDER, low, high) for low, high in chunks(connection))
    if wrong:
        yield Finding(
            live, f"observation: known no later than the one before ({wrong})", RESTORE
        )


def _count(connection: duckdb.DuckDBPyConnection, query: str, *values: int) -> int:
    row = connection.execute(query, list(values)).fetchone()
    return int(row[0]) if row else 0


def _bodies(store: Store) -> Iterator[Finding]:
    kept = columns(
        store.connection,
        "SELECT DISTINCT body_sha256 FROM retrieval WHERE expired_at IS NULL ORDER BY 1",
    )
    for digest in kept["body_sha256"].tolist():
        try:
            read_body(store.home.raw, digest)
        except Damaged as error:
            yield Finding(str(body_path(store.home.raw, digest)), str(error), RESTORE)


def _ledger(home: Home) -> Iterator[Finding]:
    if not home.ledger.exists():
        return
    try:
        with closing(sqlite3.connect(home.ledger)) as connection:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        said = [str(error)]
    if said != ["ok"]:
        yield Finding(str(home.ledger), "; ".join(said), RESTORE)


def _snapshots(home: Home) -> Iterator[Finding]:
    try:
        newest = current(home)
    except Damaged as error:
        yield Finding(str(home.current), str(error), REPUBLISH)
        return
    seen: dict[int, File] = {}
    folders = {newest} if newest else set()
    folders |= set(home.snapshots.glob("[!.]*"))
    for folder in sorted(folders):
        yield from _snapshot(folder, seen)


def _snapshot(folder: Path, seen: dict[int, File]) -> Iterator[Finding]:
    """What is wrong with one snapshot; `seen` has the files read so far by inode."""
    try:
        manifest = manifests.read(folder)
    except (Damaged, NewerHome) as error:
        yield Finding(str(folder), str(error), REPUBLISH)
        return
    for name, written in manifest.files.items():
        inode = (folder / name).stat().st_ino
        if inode not in seen:
            seen[inode] = manifests.describe(folder / name)
        if seen[inode] != written:
            yield Finding(str(folder / name), "is not what was published", REPUBLISH)
