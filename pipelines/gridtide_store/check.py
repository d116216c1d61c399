"""Check a data directory against what was written: keys, raw responses, ledger, snapshots."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from gridtide.errors import BadInput, GridtideError
from gridtide.model import format_time
from gridtide_store import manifest as manifests
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.database import columns
from gridtide_store.errors import RESTORE, Damaged, translate_error
from gridtide_store.extents import COMPUTED
from gridtide_store.manifest import REPUBLISH, File
from gridtide_store.opening import LATER, TABLES
from gridtide_store.pointer import read_pointer, whole_snapshots
from gridtide_store.raw_responses import body_path, read_body
from gridtide_store.store import Store
from gridtide_store.tables import chunks

REQUEST_AGAIN = "restore a backup, or run `gridtide refresh`, which requests again what it can"
DELETE = f"{REPUBLISH}; if it is still there then, delete its folder, which is not served"


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect that the check found: what, where, and the remedy."""

    path: str
    problem: str
    remedy: str


# Each counts rows that break a rule the single writer keeps; no index enforces them.
RULES = {
    "series: two with one name or number": """
        SELECT (SELECT count(*) - count(DISTINCT (zone, signal, source)) FROM series)
            + (SELECT count(*) - count(DISTINCT id) FROM series)""",
    "observation: of no known series": """
        SELECT count(*) FROM observation WHERE series NOT IN (SELECT id FROM series)""",
    "extent: two of one series, or one of a series without observations": """
        SELECT (SELECT count(*) - count(DISTINCT series) FROM extent) + (SELECT count(*)
            FROM extent WHERE series NOT IN (SELECT series FROM observation))""",
    "run: two of one zone, signal, model and issue": """
        SELECT count(*) - count(DISTINCT (zone, signal, model, issued_at)) FROM run""",
    "run: without steps": """
        SELECT count(*) FROM run WHERE id NOT IN (SELECT run FROM step)""",
    "step: of no run": """
        SELECT count(*) FROM step WHERE run NOT IN (SELECT id FROM run)""",
    "step: two of one run and slot": """
        SELECT count(*) - count(DISTINCT (run, slot_start)) FROM step""",
    "weather_run: two of one zone, model and issue, or with one number": """
        SELECT (SELECT count(*) - count(DISTINCT (zone, model, issued_at)) FROM weather_run)
            + (SELECT count(*) - count(DISTINCT id) FROM weather_run)""",
    "weather: of no run": """
        SELECT count(*) FROM weather WHERE run NOT IN (SELECT id FROM weather_run)""",
    "weather: two of one run, quantity and lead time": """
        SELECT count(*) - count(DISTINCT (run, quantity, lead_h)) FROM weather""",
    "retrieval: two with one number": """
        SELECT count(*) - count(DISTINCT id) FROM retrieval""",
    "anomaly: two with one number": """
        SELECT count(*) - count(DISTINCT id) FROM anomaly""",
    "anomaly: accepted, but its value was never in its series": """
        SELECT count(*) FROM anomaly a WHERE accepted_at IS NOT NULL AND NOT EXISTS (
            FROM observation o JOIN series s ON s.id = o.series
            WHERE s.zone = a.zone AND s.signal = a.signal AND s.source = a.source
                AND o.slot_start = a.slot_start AND o.value = a.value)""",
}

# The same for the big table, some series at a time. A revision must be known after the one it
# replaces, and come in an insertion of its own.
BY_SERIES = {
    "observation: known no later than the one before": """
        SELECT count(*) FROM (
            SELECT known_at <= lag(known_at) OVER one_slot OR batch = lag(batch) OVER one_slot
                AS wrong
            FROM observation WHERE series BETWEEN ? AND ?
            WINDOW one_slot AS (PARTITION BY series, slot_start ORDER BY batch, known_at)
        ) WHERE wrong""",
    "extent: not what the observations cover": f"""
        SELECT count(*) FROM ({COMPUTED}) c LEFT JOIN extent e ON e.series = c.series
        WHERE (c.rows, c.first_start, c.last_end, c.newest_known_at, c.simulated) IS DISTINCT
            FROM (e.rows, e.first_start, e.last_end, e.newest_known_at, e.simulated)""",  # noqa: S608  # our own words
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store says that its snapshots are compared with."""

    store: str
    cut: int


def check(home: DataDirectory, now: datetime) -> list[Finding]:
    """Return everything that is wrong with `home`, empty when it is whole; nothing is repaired.

    Reads every file there is once, and holds the writer's lock meanwhile.

    Raises:
        BadInput: `home` has no files of gridtide.
        Busy: another process writes.
        Unusable: `home` may not be written.
    """
    if not any(
        path.exists() for path in (home.live, home.current, home.snapshots, home.ledger)
    ):
        raise BadInput(f"{home.root} holds no store; give --home, or run `gridtide refresh`")
    with writer_lock(home, "gridtide check", now):
        found: list[Finding] = []
        known = _store(home, now, found)
        found += _ledger(home)
        found += _snapshots(home, known)
    return found


def _store(home: DataDirectory, now: datetime, found: list[Finding]) -> _Known | None:
    """Add the defects of store to `found` and return what the store says, if it is readable."""
    if not home.live.exists():
        found.append(Finding(str(home.live), "is missing", RESTORE))
        return None
    try:
        with Store.open(home) as store:
            known = _Known(store.id, store.cut)
            found += _rows(store)
            found += _clock(store, now)
            found += _bodies(store)
    except GridtideError as error:
        found.append(_finding(home.live, error))
        return None
    return known


def _finding(path: Path, error: GridtideError) -> Finding:
    """Turn an error into a finding; the remedy follows the last semicolon of its message."""
    said = str(error).splitlines()[0].removeprefix(f"{path} ")
    problem, _, remedy = said.rpartition("; ")
    return Finding(str(path), problem or said, remedy if problem else RESTORE)


def _clock(store: Store, now: datetime) -> Iterator[Finding]:
    newest = store.newest_known_at()
    if newest and newest > now:
        yield Finding(
            str(store.home.live),
            f"its newest knowledge is of {format_time(newest)}, which is ahead of now "
            f"({format_time(now)})",
            "set the clock right; values that come in until then are flagged, none is lost",
        )


def _rows(store: Store) -> Iterator[Finding]:
    connection, live = store.connection, str(store.home.live)
    for table in (*TABLES, *LATER):
        # DuckDB compares a block with its checksum when it reads it, so read all of them.
        connection.execute(f"SELECT bit_xor(hash(t)) FROM {table} t").fetchall()  # noqa: S608  # our own names
    for rule, query in RULES.items():
        wrong = _count(connection, query)
        if wrong:
            yield Finding(live, f"{rule} ({wrong})", RESTORE)
    parts = list(chunks(connection))
    for rule, query in BY_SERIES.items():
        wrong = sum(_count(connection, query, low, high) for low, high in parts)
        if wrong:
            yield Finding(live, f"{rule} ({wrong})", RESTORE)


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
            yield _finding(body_path(store.home.raw, digest), error)


def _ledger(home: DataDirectory) -> Iterator[Finding]:
    if not home.ledger.exists():
        if home.live.exists() and home.current.exists():
            yield Finding(str(home.ledger), "is missing", REQUEST_AGAIN)
        return
    try:
        with closing(sqlite3.connect(home.ledger)) as connection:
            said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            there = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    except sqlite3.Error as error:
        said, there = [str(error)], {"run"}
    if said != ["ok"]:
        yield Finding(str(home.ledger), "; ".join(said), RESTORE)
    elif "run" not in there:
        yield Finding(str(home.ledger), "is empty", RESTORE)


def _snapshots(home: DataDirectory, known: _Known | None) -> Iterator[Finding]:
    newest = None
    folders = set(home.snapshots.glob("[!.]*"))
    try:
        newest = read_pointer(home)
        if newest is None and folders:
            raise Damaged(f"{home.current} is missing; {REPUBLISH}")  # as if it named none
    except GridtideError as error:
        yield _finding(home.current, error)
        newest = next(whole_snapshots(home), None)
    seen: dict[int, File] = {}
    for folder in sorted(folders):
        for finding in _snapshot(folder, seen, known):
            remedy = finding.remedy if folder == newest else DELETE
            yield replace(finding, remedy=remedy)


def _snapshot(folder: Path, seen: dict[int, File], known: _Known | None) -> Iterator[Finding]:
    """Yield the defects of one snapshot; `seen` has the files read so far by inode."""
    try:
        manifest = manifests.read(folder)
    except GridtideError as error:
        yield _finding(folder, error)
        return
    if known and manifest.store != known.store and manifest.store:
        yield Finding(str(folder), "was published from another store", REPUBLISH)
    elif known and manifest.cut > known.cut:
        yield Finding(str(folder), "is newer than the store it was published from", REPUBLISH)
    for name, written in manifest.files.items():
        path = folder / name
        try:
            inode = path.stat().st_ino
            if inode not in seen:
                seen[inode] = manifests.describe(path)
        except OSError as error:
            yield _finding(path, translate_error(error, path, REPUBLISH))
            continue
        if seen[inode] != written:
            yield Finding(str(path), "is not what was published", REPUBLISH)
