"""The ledger: which commands ran and how they ended, and what is known of the sources.

It is a SQLite file apart from the store: a DuckDB file cannot be read while another process
writes it, so `gridtide status` could not report on a running refresh.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from gridtide.errors import BadInput
from gridtide.model import format_time, parse_time
from gridtide_store.data_directory import DataDirectory, make_root
from gridtide_store.errors import NewerHome, translate_errors
from gridtide_store.records import (
    CommandRecord,
    DayAnswer,
    Facts,
    Flag,
    Latest,
    Outcome,
    Stage,
)

SCHEMA = Path(__file__).parent / "schema"
VERSION = 5
RESTORE = "restore it from a backup, or delete it and run `gridtide refresh` to make a new one"


@contextmanager
def open_ledger(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the ledger at `path` for the length of the block; a missing one is made.

    Raises:
        Damaged: the file is not a ledger, or cannot be read; restore a backup.
        Unusable: it cannot be opened, or its disk is full.
    """
    with (
        translate_errors(path, RESTORE),
        # Ten seconds is far longer than any transaction here takes.
        closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as connection,
    ):
        yield connection


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the ledger at `path` and commit the whole block, or nothing of it."""
    with open_ledger(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield connection


def migrate(path: Path) -> None:
    """Bring the ledger at `path` to the newest version; a missing one is made.

    Raises:
        NewerHome: a newer gridtide wrote it.
        Damaged, Unusable: as of `open_ledger`.
    """
    with open_ledger(path) as connection:
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
            # Another process may have been faster since the version was read.
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            for number in range(version + 1, VERSION + 1):
                for statement in _statements(SCHEMA / f"ledger_{number:03}.sql"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")


def _statements(path: Path) -> Iterator[str]:
    """Yield the statements of a script one by one.

    `executescript` would end the transaction.
    """
    statement = ""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


class Ledger:
    """The ledger at `path`, made if it is missing; safe from several threads and processes.

    Each call opens the file, does one transaction and closes it: 0.1 ms, and nothing is
    shared with a thread or a forked worker.

    Raises:
        Damaged: the file is not a ledger; restore a backup.
        NewerHome: a newer gridtide wrote it; upgrade.
        Unusable: it cannot be opened, or not for writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with translate_errors(path):
            make_root(DataDirectory(path.parent))
        migrate(path)

    def start_command(
        self,
        command: str,
        args: Sequence[str],
        now: datetime,
        *,
        pid: int | None = None,
        alive: Callable[[int], bool] | None = None,
    ) -> int:
        """Record that a command begins, and return its number.

        Open commands whose process is gone are marked interrupted. `alive` says whether a
        process number is in use.
        """
        alive = alive or _alive
        with transaction(self.path) as connection:
            for run, holder in connection.execute(
                "SELECT id, pid FROM run WHERE outcome = 'running'"
            ).fetchall():
                if not alive(holder):
                    connection.execute(
                        "UPDATE run SET outcome = 'interrupted', finished = ? WHERE id = ?",
                        (format_time(now), run),
                    )
            cursor = connection.execute(
                "INSERT INTO run (command, args, pid, started, outcome) "
                "VALUES (?, ?, ?, ?, 'running')",
                (command, json.dumps(list(args)), pid or os.getpid(), format_time(now)),
            )
        return int(cursor.lastrowid or 0)

    def record_stage(self, command: int, stage: Stage) -> None:
        """Record one span of a command."""
        with transaction(self.path) as connection:
            connection.execute(
                "INSERT INTO step VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    command,
                    stage.source,
                    stage.kind,
                    json.dumps(list(stage.zones)),
                    format_time(stage.start) if stage.start else None,
                    format_time(stage.end) if stage.end else None,
                    stage.status,
                    stage.rows,
                    stage.bytes,
                    stage.ms,
                    stage.message,
                ),
            )

    def finish_command(
        self,
        command: int,
        now: datetime,
        outcome: Outcome,
        *,
        exit_code: int,
        summary: Mapping[str, object] | None = None,
    ) -> None:
        """Record how a command ended.

        Raises:
            BadInput: the command is unknown.
        """
        with transaction(self.path) as connection:
            changed = connection.execute(
                "UPDATE run SET finished = ?, outcome = ?, exit_code = ?, summary = ? "
                "WHERE id = ?",
                (
                    format_time(now),
                    outcome,
                    exit_code,
                    json.dumps(dict(summary or {})),
                    command,
                ),
            ).rowcount
            if not changed:
                raise BadInput(f"{self.path}: unknown command {command}")

    def commands(self, limit: int = 20) -> list[CommandRecord]:
        """Return the newest commands, newest first."""
        rows = self._rows(
            "SELECT id, command, args, pid, started, finished, outcome, exit_code, summary "
            "FROM run ORDER BY id DESC LIMIT ?",
            limit,
        )
        return [
            CommandRecord(
                id=number,
                command=command,
                args=tuple(json.loads(args)),
                pid=pid,
                started=parse_time(started),
                finished=parse_time(finished) if finished else None,
                outcome=Outcome(outcome),
                exit_code=code,
                summary=json.loads(summary) if summary else {},
            )
            for number, command, args, pid, started, finished, outcome, code, summary in rows
        ]

    def stages(self, command: int) -> list[Stage]:
        """Return the spans of one command, in the order in which they were done."""
        rows = self._rows(
            'SELECT source, kind, zones, "start", "end", status, rows, bytes, ms, message '
            "FROM step WHERE run = ? ORDER BY rowid",
            command,
        )
        return [
            Stage(
                source,
                kind,
                tuple(json.loads(zones)),
                parse_time(start) if start else None,
                parse_time(end) if end else None,
                *rest,
            )
            for source, kind, zones, start, end, *rest in rows
        ]

    def outcomes(self) -> dict[str, Latest]:
        """Return, by source, the last retrieval and when it last delivered everything."""
        rows = self._rows(
            "SELECT source, started, status, message, "
            "max(CASE WHEN status = 'done' THEN started END) OVER (PARTITION BY source) "
            "FROM step JOIN run ON run.id = step.run ORDER BY step.rowid"
        )
        return {
            source: Latest(
                at=parse_time(at),
                done_at=parse_time(done) if done else None,
                status=status,
                message=message,
            )
            for source, at, status, message, done in rows
        }

    def failures(self, since: datetime) -> dict[str, int]:
        """Return, by source, how many spans failed in commands that began since a moment."""
        rows = self._rows(
            "SELECT source, count(*) FROM step JOIN run ON run.id = step.run "
            "WHERE started >= ? AND status NOT IN ('done', 'skipped', 'nothing_yet') "
            "GROUP BY source",
            format_time(since),
        )
        return dict(rows)

    def answers(
        self, source: str, kind: str, *, since: date = date.min
    ) -> dict[str, dict[date, DayAnswer]]:
        """Return what is known of the answers about each UTC day from `since`, by zone."""
        rows = self._rows(
            "SELECT zone, day, answered_at, news_at, final FROM answered "
            "WHERE source = ? AND kind = ? AND day >= ?",
            source,
            kind,
            since.isoformat(),
        )
        found: dict[str, dict[date, DayAnswer]] = {}
        for zone, day, at, news_at, final in rows:
            found.setdefault(zone, {})[date.fromisoformat(day)] = DayAnswer(
                datetime.fromisoformat(at), datetime.fromisoformat(news_at), bool(final)
            )
        return found

    def record_answers(
        self,
        source: str,
        kind: str,
        *,
        complete: Iterable[tuple[str, date]],
        silent: Mapping[tuple[str, date], timedelta],
        now: datetime,
    ) -> None:
        """Record how whole days of zones were answered.

        A day is final when it is complete, or when an answer on another day brought nothing
        new: publishers fail for hours, and fill gaps over days.

        Args:
            complete: zone and day of each complete day.
            silent: the days with gaps or without any value, each with the time that values
                are stored for by now, added up over the series of the zone.
            now: when they were answered. A clock that was set back starts the wait again.
        """
        at = format_time(now)
        whole = [(source, kind, zone, day.isoformat(), at, at) for zone, day in complete]
        gaps = [
            (source, kind, zone, day.isoformat(), at, at, covered.total_seconds())
            for (zone, day), covered in silent.items()
        ]
        with transaction(self.path) as connection:
            connection.executemany(
                "INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?, 1, NULL) "
                "ON CONFLICT (source, kind, zone, day) DO UPDATE SET "
                "answered_at = excluded.answered_at, final = 1, covered = NULL, "
                "news_at = CASE WHEN covered IS NULL THEN news_at ELSE excluded.news_at END",
                whole,
            )
            # Two answers around midnight are not two days.
            connection.executemany(
                "INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?, 0, ?) "
                "ON CONFLICT (source, kind, zone, day) DO UPDATE SET "
                "answered_at = excluded.answered_at, "
                "final = CASE WHEN covered IS NULL THEN 1 "
                "WHEN excluded.covered > covered THEN 0 ELSE final "
                "OR (substr(news_at, 1, 10) <> substr(excluded.answered_at, 1, 10) "
                "AND julianday(excluded.answered_at) - julianday(news_at) >= 0.5) END, "
                "news_at = CASE WHEN excluded.covered > covered "
                "OR julianday(excluded.answered_at) < julianday(news_at) "
                "THEN excluded.answered_at ELSE news_at END, "
                "covered = max(covered, excluded.covered)",
                gaps,
            )

    def forget_answers(self) -> None:
        """Forget which days were answered, as the store that the answers went to is gone."""
        with transaction(self.path) as connection:
            connection.execute("DELETE FROM answered")

    def set_source(self, facts: Facts) -> None:
        """Record what a source is, replacing what was recorded before."""
        with transaction(self.path) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO source (name, title, url, licence, licence_url, "
                "attribution, simulated, restricted, lag_seconds) VALUES (:name, :title, :url, "
                ":licence, :licence_url, :attribution, :simulated, :restricted, :lag_seconds)",
                asdict(facts),
            )

    def sources(self) -> dict[str, Facts]:
        """Return the facts of each source, by name."""
        rows = self._rows(
            "SELECT name, title, url, licence, licence_url, attribution, simulated, "
            "restricted, lag_seconds FROM source ORDER BY name"
        )
        return {
            name: Facts(
                name, title, url, licence, terms, credit, bool(simulated), bool(restricted), lag
            )
            for name, title, url, licence, terms, credit, simulated, restricted, lag in rows
        }

    def count_flags(self, source: str, counts: Mapping[str, int], now: datetime) -> None:
        """Add to the counts of a source's anomalies."""
        with transaction(self.path) as connection:
            connection.executemany(
                "INSERT INTO flag VALUES (?, ?, ?, ?) ON CONFLICT (source, flag) DO UPDATE "
                "SET count = count + excluded.count, last_seen = excluded.last_seen",
                [(source, flag, count, format_time(now)) for flag, count in counts.items()],
            )

    def flags(self) -> list[Flag]:
        """Return the counts of all anomalies, by source and flag."""
        rows = self._rows("SELECT source, flag, count, last_seen FROM flag ORDER BY 1, 2")
        return [
            Flag(source, flag, count, parse_time(seen)) for source, flag, count, seen in rows
        ]

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with open_ledger(self.path) as connection:
            return connection.execute(query, values).fetchall()


def _alive(pid: int) -> bool:
    """Say whether a process has that number."""
    if sys.platform == "win32":  # there os.kill would end it; the writer's lock must do
        return pid == os.getpid()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
