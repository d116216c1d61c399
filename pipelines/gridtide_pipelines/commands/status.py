"""``gridtide status``: the state of a data directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import GridtideError
from gridtide.model import format_time
from gridtide_pipelines.commands.session import Session, begin
from gridtide_store.data_directory import DataDirectory, lock_holder
from gridtide_store.ledger import Ledger
from gridtide_store.pointer import current_snapshot
from gridtide_store.snapshot import Snapshot

# The newest refresh is searched among so many runs of all commands.
RUNS = 1000
UNKNOWN: dict[str, Any] = {"snapshot": None, "published_at": None, "zones": 0, "late": []}
T = TypeVar("T")
UNITS = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


@command("status", examples=["status", "status --json", "status --home /var/lib/gridtide"])
def status(terminal: Terminal) -> int:
    """Show the data directory, the last refresh, late zones and the disk.

    A zone is late when its newest slot ended longer ago than GRIDTIDE_MAX_AGE_HOURS, so that
    'gridtide now' refuses it. Exits with 1 where a part cannot be read. Nothing is written.
    """
    session = begin(terminal)
    found = _status(session)
    if terminal.json:
        terminal.document(found)
    else:
        terminal.result(*_lines(found))
    return 1 if found["problems"] else 0


def _status(session: Session) -> dict[str, Any]:
    home, now = session.home, session.clock()
    there = home.root if home.root.exists() else _existing(home.root)
    disk = shutil.disk_usage(there)
    problems: list[str] = []
    last = _read(lambda: _last_refresh(home), None, problems)
    published = _read(
        lambda: _published(home, now, session.settings.max_age), UNKNOWN, problems
    )
    return {
        "data_directory": str(home.root),
        "bytes": sum(_file_bytes(home.root)),
        "parts": {
            "store": sum(_file_bytes(home.live)),
            "raw": sum(_file_bytes(home.raw)),
            "snapshots": sum(_file_bytes(home.snapshots)),
        },
        "last_refresh": last,
        **published,
        "lock": lock_holder(home),
        "disk": {"free_bytes": disk.free, "total_bytes": disk.total},
        "now": format_time(now),
        "problems": problems,
    }


def _read(read: Callable[[], T], otherwise: T, problems: list[str]) -> T:
    """Return a part of the status; of one that is damaged say why, and show the others."""
    try:
        return read()
    except GridtideError as error:
        problems.append(str(error))
        return otherwise


def _last_refresh(home: DataDirectory) -> dict[str, Any] | None:
    if not home.ledger.exists():
        return None
    ledger = Ledger(home.ledger)
    for run in ledger.commands(RUNS):
        if run.command == "refresh":
            sources = run.summary.get("sources", {})
            return {
                "started": format_time(run.started),
                "finished": format_time(run.finished) if run.finished else None,
                "outcome": str(run.outcome),
                "exit_code": run.exit_code,
                "failed": {
                    name: entry["message"]
                    for name, entry in sources.items()
                    if "message" in entry
                },
            }
    return None


def _published(home: DataDirectory, now: datetime, max_age: timedelta) -> dict[str, Any]:
    """Return the snapshot that servers read, and the zones in it whose newest slot is old."""
    folder = current_snapshot(home)
    if folder is None:
        return UNKNOWN
    with Snapshot.open(folder, home.resources) as snapshot:
        newest: dict[str, datetime | None] = {}
        for series in snapshot.series:
            ends = [end for end in (newest.get(series.zone), series.last_end) if end]
            newest[series.zone] = max(ends, default=None)
        return {
            "snapshot": snapshot.id,
            "published_at": format_time(snapshot.published_at),
            "zones": len(newest),
            "late": [
                {
                    "zone": zone,
                    "newest_end": format_time(end) if end else None,
                    "age_seconds": (now - end).total_seconds() if end else None,
                }
                for zone, end in sorted(newest.items())
                if end is None or now - end > max_age
            ],
        }


def _existing(folder: Path) -> Path:
    """Return the nearest folder above that exists."""
    return next(each for each in folder.absolute().parents if each.exists())


def _file_bytes(path: Path) -> Iterable[int]:
    files = [path] if path.is_file() else path.rglob("*") if path.is_dir() else []
    for file in files:
        try:
            if file.is_file() and not file.is_symlink():
                yield file.stat().st_size
        except FileNotFoundError:
            continue  # deleted meanwhile, as by a refresh


def _lines(found: dict[str, Any]) -> list[str]:
    parts = ", ".join(f"{name} {format_bytes(size)}" for name, size in found["parts"].items())
    disk = found["disk"]
    free = format_bytes(disk["free_bytes"])
    lines = [
        f"data directory  {found['data_directory']}",
        f"size            {format_bytes(found['bytes'])} ({parts})",
        f"last refresh    {_refresh_line(found['last_refresh'])}",
    ]
    for name, message in (found["last_refresh"] or {}).get("failed", {}).items():
        lines.append(f"                {name}: {message}")
    if found["snapshot"] is None:
        nothing = "nothing yet; run 'gridtide refresh', or import and publish"
        lines.append(f"published       {'unknown' if found['problems'] else nothing}")
    else:
        lines.append(f"published       {found['snapshot']} at {found['published_at']}")
    late = found["late"]
    lines.append(f"zones           {found['zones']}, {len(late)} of them late")
    lines += [
        f"                {each['zone']}: newest slot ended {each['newest_end'] or 'never'}"
        for each in late
    ]
    return [
        *lines,
        f"lock            {found['lock'] or 'free'}",
        f"disk            {free} of {format_bytes(disk['total_bytes'])} free",
        *(f"problem         {each}" for each in found["problems"]),
    ]


def _refresh_line(last: dict[str, Any] | None) -> str:
    if last is None:
        return "never"
    if last["finished"] is None:
        return f"{last['outcome']}, started {last['started']}"
    return f"{last['outcome']} (exit code {last['exit_code']}), finished {last['finished']}"


def format_bytes(count: float) -> str:
    """Return a number of bytes in the largest unit that is not larger."""
    for unit, size in UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} B"
