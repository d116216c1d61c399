"""The data directory: paths in it, files written durably, and the lock of the one writer."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from gridtide.errors import Busy
from gridtide.model import format_time
from gridtide_store.errors import Unusable
from gridtide_store.file_locks import NO_LINK, WAIT, is_locked, lock_or_wait, try_lock


def write_durably(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write `content` to `path`, replacing an older file atomically; missing folders are made.

    It may come in parts, which are written as they come. A reader sees the old file or the new
    one. After the return the new one survives a power cut.
    """
    if not path.parent.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        sync_folder(path.parent.parent)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.writelines((content,) if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        # On a full disk the next try must find the room that this one took.
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Wait until the content of `path` is on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk."""
    if sys.platform == "win32":  # a folder cannot be opened there, and NTFS journals names
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Resources:
    """What DuckDB may take of this machine for one open store or snapshot.

    Attributes:
        memory_mb: memory; what does not fit is put into a temporary file, or refused where
            only reading is allowed.
        threads: for one query of the store; a query of a snapshot runs in one.
    """

    memory_mb: int = 512
    threads: int = 2


DEFAULT_RESOURCES: Final = Resources()


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The data directory and the paths in it; naming it creates nothing."""

    root: Path
    resources: Resources = DEFAULT_RESOURCES

    @property
    def live(self) -> Path:
        """The store of record, a DuckDB file; only the one writer opens it."""
        return self.root / "live.duckdb"

    @property
    def ledger(self) -> Path:
        """Commands that ran, what they retrieved, sources and anomalies; a SQLite file."""
        return self.root / "ledger.sqlite"

    @property
    def raw(self) -> Path:
        """Raw responses, gzip files named by the SHA-256 of their content."""
        return self.root / "raw"

    @property
    def snapshots(self) -> Path:
        """One immutable folder for each publication."""
        return self.root / "snapshots"

    @property
    def current(self) -> Path:
        """One line: the name of the snapshot to read."""
        return self.root / "CURRENT"

    @property
    def models(self) -> Path:
        """Fitted models."""
        return self.root / "models"

    @property
    def kept(self) -> Path:
        """Responses of publishers that say until when they hold; may be deleted at any time."""
        return self.root / "kept"

    @property
    def lock(self) -> Path:
        """The writer's lock, and who holds it since when."""
        return self.root / "writer.lock"

    @property
    def wanted(self) -> Path:
        """Locked by a command that waits for the writer's lock."""
        return self.root / "writer.wanted"


def default_home(environ: Mapping[str, str], platform: str) -> Path:
    """Return the platform's folder for a user's data, plus ``gridtide``.

    Args:
        environ: the environment; ``XDG_DATA_HOME``, ``LOCALAPPDATA`` and ``HOME`` are read.
        platform: as `sys.platform` has it.
    """
    user = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    if platform == "darwin":
        return user / "Library" / "Application Support" / "gridtide"
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return (Path(local) if local else user / "AppData" / "Local") / "gridtide"
    xdg = environ.get("XDG_DATA_HOME", "")
    # The XDG base directory specification: a relative path is to be ignored.
    return (Path(xdg) if xdg.startswith("/") else user / ".local" / "share") / "gridtide"


def make_root(home: DataDirectory) -> None:
    """Make the data directory if it is missing, readable by its owner alone.

    One that is there keeps its mode, so that an operator may let a group read it.
    """
    if not home.root.exists():
        home.root.parent.mkdir(parents=True, exist_ok=True)
        home.root.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def writer_lock(
    home: DataDirectory,
    command: str,
    now: datetime,
    *,
    gives_way: bool = False,
    wait: float = WAIT,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the writer's lock of `home` for the length of the block.

    The kernel releases the lock when the process ends, however it ends.

    Args:
        home: its folder is made if it is missing.
        command: what the holder is doing, for the message others get.
        now: since when, for the same message.
        gives_way: the holder looks at `is_wanted` from time to time and releases the lock for
            others. Such a command does not wait for another one.
        wait: seconds to wait for a holder that gives way.

    Raises:
        Busy: another process, or another block of this one, holds it.
        Unusable: the folder cannot be made or written.
    """
    try:
        make_root(home)
        descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | NO_LINK, 0o644)
    except OSError as error:
        raise Unusable(
            f"the data directory {home.root} cannot be written ({error.strerror}: "
            f"{error.filename}); see who owns it and how it is mounted, or name another with "
            "--home or GRIDTIDE_HOME"
        ) from error
    try:
        if not lock_or_wait(
            descriptor,
            home.wanted,
            gives_way=lambda: _gives_way(home),
            wait=0.0 if gives_way else wait,
            sleep=sleep,
        ):
            raise Busy(f"{home.root}: {_holder(home)}; wait for it, or stop it")
        _held.add(descriptor)
        note: dict[str, object] = {
            "command": command,
            "pid": os.getpid(),
            "since": format_time(now),
        }
        if gives_way:
            note["gives_way"] = True
        # For others to read, and not needed: a full disk shows where something is lost by it.
        with suppress(OSError):
            os.ftruncate(descriptor, 1)  # held, even if the note cannot be written
            os.write(descriptor, json.dumps(note).encode())
        yield
    finally:
        if descriptor in _held:
            _held.discard(descriptor)
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
        os.close(descriptor)


def is_wanted(home: DataDirectory) -> bool:
    """Say whether a command waits for the writer's lock."""
    return is_locked(home.wanted)


def lock_holder(home: DataDirectory) -> str | None:
    """Return who holds the writer's lock since when; None where no process does.

    A writer empties the file before it releases the lock: an empty file says that it is free.
    Only where there is a note the lock is tried, which fails at once beside its holder: it
    succeeds, for an instant, after a holder was killed.
    """
    try:
        descriptor = os.open(home.lock, os.O_RDWR | NO_LINK)
    except OSError:
        return None  # never locked, or not ours to lock
    try:
        if os.fstat(descriptor).st_size > 0:
            try_lock(descriptor)
    except OSError:
        return _holder(home)
    finally:
        os.close(descriptor)
    return None


def _gives_way(home: DataDirectory) -> bool:
    """Say whether the holder of the lock releases it for others."""
    try:
        text = home.lock.read_text()
        # Empty: it is about to release the lock, or to write its name; the next try shows.
        return not text or bool(json.loads(text).get("gives_way"))
    except (OSError, ValueError, AttributeError):
        return False


def _holder(home: DataDirectory) -> str:
    try:
        note = json.loads(home.lock.read_text())
        return f"{note['command']} (pid {note['pid']}) holds the lock since {note['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        # The holder has the lock and is about to write its name.
        return "another process holds the lock"


# A forked worker inherits the descriptor and with it the lock: if the writer is killed while
# a worker lives on, the data directory would stay locked without a writer.
_held: set[int] = set()


def _drop_in_child() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drop_in_child)
