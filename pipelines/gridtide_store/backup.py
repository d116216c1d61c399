"""Back up a data directory to a folder or tar file, and restore it.

Every file is checked by hash.
"""

from __future__ import annotations

import glob
import io
import json
import logging
import os
import secrets
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from gridtide.errors import BadInput, GridtideError
from gridtide.model import format_time, utc
from gridtide_store.backup_files import (
    FORMAT,
    LIST,
    OTHER,
    READ,
    copy_compared,
    open_backup,
    read_list,
    refuse_unlike,
)
from gridtide_store.data_directory import DataDirectory, sync_file, sync_folder, writer_lock
from gridtide_store.database import attach, connect, refuse_foreign
from gridtide_store.errors import translate_errors
from gridtide_store.ledger import RESTORE as MAKE_ANEW
from gridtide_store.manifest import File, describe, read, verify
from gridtide_store.opening import OWN, TABLES
from gridtide_store.pointer import current_snapshot, whole_snapshots

STAGED = ".restore-"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Copied:
    """Number of files and bytes that were copied and compared."""

    files: int
    bytes: int


def backup(home: DataDirectory, target: Path, now: datetime) -> Copied:
    """Copy the store, the ledger, raw bodies, models and one whole snapshot to `target`.

    A folder, or one file if the name ends in ``.tar``, which its owner alone may read. It
    appears whole or not at all, and has been read back and compared when this returns.
    The caller holds the lock.

    Raises:
        BadInput: `home` has no store, or `target` exists.
        Busy: another process writes.
        Damaged: the store cannot be read, or the copy is not like the original.
        Unusable: `target` cannot be written.
    """
    if not home.live.exists():
        raise BadInput(
            f"{home.root} has nothing to back up, as it holds no store; look at --home"
            " and GRIDTIDE_HOME"
        )
    if target.resolve().is_relative_to(home.root.resolve()):
        raise BadInput(
            f"{target} is inside the data directory that is backed up; name a path outside it"
        )
    if target.exists() or target.is_symlink():
        raise BadInput(f"{target} exists; name a new folder or .tar file for the backup")
    with translate_errors(target), writer_lock(home, "gridtide backup", now):
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f".{glob.escape(target.name)}.*.partial"):
            _remove(left)
        # Others may write to the same folder (/tmp): no link of a random name can be put there.
        partial = target.with_name(f".{target.name}.{secrets.token_hex(8)}.partial")
        try:
            listed = _write(home, partial, folder=target.suffix != ".tar", now=now)
        except BaseException:
            _remove(partial)
            raise
        partial.replace(target)
        sync_folder(target.parent)
    return Copied(len(listed), sum(file.bytes for file in listed.values()))


def _write(
    home: DataDirectory, partial: Path, *, folder: bool, now: datetime
) -> dict[str, File]:
    """Write all files to `partial`, compare them and return their sizes and hashes by name."""
    with tempfile.TemporaryDirectory(dir=home.root, prefix=STAGED) as scratch:
        _settle(home)
        wanted = dict(_files(home, Path(scratch)))
        listed = {name: describe(path) for name, path in wanted.items()}
        document = {
            "format": FORMAT,
            "made_at": format_time(utc(now)),
            "files": {name: asdict(file) for name, file in listed.items()},
        }
        write = _write_folder if folder else _write_tar
        write(partial, wanted, json.dumps(document, indent=1).encode())
        with open_backup(partial) as opened:
            for name, file in listed.items():
                copy_compared(opened, name, file, None)
    return listed


def restore(
    source: Path, home: DataDirectory, now: datetime, *, replace: bool = False
) -> Copied:
    """Restore into `home` what `backup` wrote to `source`.

    Nothing in `home` changes before all files have been copied and compared, and the store
    and the snapshot among them have been opened. With `replace` what was there is kept
    beside, in a folder ``replaced-<time>`` of the data directory.

    Raises:
        BadInput: `source` is not a backup, or `home` is not empty and `replace` is not given.
        Busy: another process writes.
        Damaged: a file of the backup is missing, not as it was written, or not of ours.
        NewerHome: a newer gridtide made it.
        Unusable: `home` cannot be written, or its disk is full.
    """
    # Before the lock, whose file would be left where there is no backup.
    with translate_errors(source, OTHER), open_backup(source) as opened:
        read_list(source, opened)
    with translate_errors(home.root), writer_lock(home, "gridtide restore", now):
        for left in home.root.glob(f"{STAGED}*"):
            shutil.rmtree(left)
        locks = (home.lock, home.wanted)
        there = [path for path in home.root.iterdir() if path not in locks]
        if there and not replace:
            raise BadInput(
                f"{home.root} is not empty; restore into a new --home, or add --replace to "
                "keep what is there beside the restored files"
            )
        with tempfile.TemporaryDirectory(dir=home.root, prefix=STAGED) as scratch:
            staged = Path(scratch)
            copied = _stage(source, staged)
            refuse_unlike(DataDirectory(staged))
            if there:
                aside = _aside(home, now)
                for path in there:
                    path.rename(aside / path.name)
            for path in staged.iterdir():
                path.rename(home.root / path.name)
        sync_folder(home.root)
    return copied


def _aside(home: DataDirectory, now: datetime) -> Path:
    """Make a new folder for what was there; two restores in one second do not share one."""
    aside = home.root / f"replaced-{utc(now):%Y%m%dT%H%M%SZ}"
    if aside.exists():
        aside = aside.with_name(f"{aside.name}-{secrets.token_hex(4)}")
    aside.mkdir(mode=0o700)
    return aside


def _settle(home: DataDirectory) -> None:
    """Write what DuckDB keeps beside the store's file into it.

    The file must not be open when it is copied: closing the copy's descriptor would drop the
    lock DuckDB holds on it.
    """
    with closing(connect(home.root, resources=home.resources)) as connection:
        attach(connection, home.live, "live", read_only=False)
        refuse_foreign(connection, {"live": (home.live, TABLES)}, own=OWN)
        connection.execute("CHECKPOINT live")
        connection.execute("DETACH live")


def _files(home: DataDirectory, scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name in the backup and the path of each file."""
    yield home.live.name, home.live
    if home.ledger.exists():
        copy = scratch / home.ledger.name
        with (
            translate_errors(home.ledger, MAKE_ANEW),
            closing(sqlite3.connect(home.ledger)) as ledger,
            closing(sqlite3.connect(copy)) as target,
        ):
            ledger.backup(target)
        yield home.ledger.name, copy
    snapshot = _snapshot(home)
    folders = [home.raw, home.models, *([snapshot] if snapshot else [])]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(home.root).as_posix(), path
    if snapshot:
        # Written again: the pointer itself may be damaged, or name another snapshot.
        pointer = scratch / home.current.name
        pointer.write_text(f"{snapshot.name}\n")
        yield home.current.name, pointer


def _snapshot(home: DataDirectory) -> Path | None:
    """Return the snapshot to save: the current one, or the newest whole one; None without any.

    A damaged one would make a backup that cannot be restored, while the store, from which all
    of it can be published again, is what a backup is for.
    """
    try:
        folder = current_snapshot(home)
        if folder is None:
            return None
        verify(folder, read(folder))
    except GridtideError as error:
        instead = next(whole_snapshots(home), None)
        what = f"{instead.name} is saved" if instead else "none is saved"
        log.warning("%s; %s in place of it", error, what)
        return instead
    return folder


def _write_folder(partial: Path, wanted: Mapping[str, Path], document: bytes) -> None:
    partial.mkdir(mode=0o700)
    for name, path in wanted.items():
        (partial / name).parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as content, _new_file(partial / name) as file:
            shutil.copyfileobj(content, file, READ)
        sync_file(partial / name)
    with _new_file(partial / LIST) as file:
        file.write(document)
    sync_file(partial / LIST)


def _write_tar(partial: Path, wanted: Mapping[str, Path], document: bytes) -> None:
    with _new_file(partial) as file, tarfile.open(fileobj=file, mode="w") as tar:
        entry = tarfile.TarInfo(LIST)
        entry.size, entry.mode = len(document), 0o600
        tar.addfile(entry, io.BytesIO(document))
        for name, path in wanted.items():
            tar.add(path, arcname=name, filter=_own)
    sync_file(partial)


def _own(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return `entry` as readable by its owner alone; the owner is not kept."""
    entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = 0o600, 0, 0, "", ""
    return entry


def _new_file(path: Path) -> BinaryIO:
    """Create a file that did not exist, readable by its owner alone."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _stage(source: Path, folder: Path) -> Copied:
    """Copy all files of a backup into `folder` and compare them."""
    with open_backup(source) as opened:
        listed = read_list(source, opened)
        for name, file in listed.items():
            copy_compared(opened, name, file, folder / name)
    return Copied(len(listed), sum(file.bytes for file in listed.values()))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
