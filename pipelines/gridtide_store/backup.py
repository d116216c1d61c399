"""A home in one folder or tar file, and back; every file is compared with its hash."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from gridtide.errors import BadInput
from gridtide.model import format_time, utc
from gridtide_store.database import attach, connect
from gridtide_store.durable import sync_file, sync_folder
from gridtide_store.errors import Damaged
from gridtide_store.home import Home, writer_lock
from gridtide_store.manifest import File, describe
from gridtide_store.snapshot import current

LIST = "backup.json"
FORMAT = 1
READ = 1 << 20
STAGED = ".restore-"


@dataclass(frozen=True, slots=True)
class Copied:
    """How much was copied and compared."""

    files: int
    bytes: int


def backup(home: Home, target: Path, now: datetime) -> Copied:
    """Copy the store, the ledger, raw bodies, models and the current snapshot to `target`.

    A folder, or one file if the name ends in ``.tar``. It appears whole or not at all, and
    has been read back and compared when this returns. Nobody writes meanwhile.

    Raises:
        BadInput: there is no store in `home`, or something at `target`.
        Busy: another process writes.
        Damaged: the store cannot be read, or the copy is not like the original.
    """
    if not home.live.exists():
        raise BadInput(f"{home.root} holds no store; there is nothing to back up")
    if target.resolve().is_relative_to(home.root.resolve()):
        raise BadInput(f"{target} lies in the home it is to save; name a place outside")
    if target.exists():
        raise BadInput(f"{target} exists; name a new folder or .tar file for the backup")
    partial = target.with_name(f".{target.name}.partial")
    _remove(partial)
    target.parent.mkdir(parents=True, exist_ok=True)
    with writer_lock(home, "gridtide backup", now), tempfile.TemporaryDirectory() as scratch:
        _settle(home)
        wanted = dict(_files(home, Path(scratch)))
        listed = {name: describe(path) for name, path in wanted.items()}
        document = {
            "format": FORMAT,
            "made_at": format_time(utc(now)),
            "files": {name: asdict(file) for name, file in listed.items()},
        }
        write = _write_tar if target.suffix == ".tar" else _write_folder
        write(partial, wanted, json.dumps(document, indent=1).encode())
        with _opened(partial) as read:
            for name, file in listed.items():
                _copy(read, name, file, None)
    partial.replace(target)
    sync_folder(target.parent)
    return Copied(len(listed), sum(file.bytes for file in listed.values()))


def restore(source: Path, home: Home, now: datetime, *, replace: bool = False) -> Copied:
    """Bring back into `home` what `backup` wrote to `source`.

    Nothing in `home` changes before all files have been copied and compared. With `replace`
    what was there is kept beside, in a folder ``replaced-<time>`` of the home.

    Raises:
        BadInput: `source` is no backup, or `home` is not empty and `replace` is not given.
        Busy: another process writes.
        Damaged: a file of the backup is missing or not as it was written.
    """
    with writer_lock(home, "gridtide restore", now):
        for left in home.root.glob(f"{STAGED}*"):
            shutil.rmtree(left)
        there = [path for path in home.root.iterdir() if path != home.lock]
        if there and not replace:
            raise BadInput(
                f"{home.root} is not empty; restore into a new --home, or say --replace to "
                "keep what is there beside the restored files"
            )
        with tempfile.TemporaryDirectory(dir=home.root, prefix=STAGED) as scratch:
            staged = Path(scratch)
            copied = _stage(source, staged)
            if there:
                aside = home.root / f"replaced-{utc(now):%Y%m%dT%H%M%SZ}"
                aside.mkdir()
                for path in there:
                    path.rename(aside / path.name)
            for path in staged.iterdir():
                path.rename(home.root / path.name)
        sync_folder(home.root)
    return copied


def _settle(home: Home) -> None:
    """Bring what DuckDB keeps beside the live file into it.

    The file must not be open when it is copied: closing the copy's descriptor would drop the
    lock DuckDB holds on it.
    """
    with closing(connect()) as connection:
        attach(connection, home.live, "live", read_only=False)
        connection.execute("CHECKPOINT live")
        connection.execute("DETACH live")


def _files(home: Home, scratch: Path) -> Iterator[tuple[str, Path]]:
    """Name in the backup and place of each file."""
    yield home.live.name, home.live
    if home.ledger.exists():
        copy = scratch / home.ledger.name
        with (
            closing(sqlite3.connect(home.ledger)) as ledger,
            closing(sqlite3.connect(copy)) as target,
        ):
            ledger.backup(target)
        yield home.ledger.name, copy
    snapshot = current(home)
    folders = [home.raw, home.models, *([snapshot] if snapshot else [])]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(home.root).as_posix(), path
    if snapshot:
        yield home.current.name, home.current


def _write_folder(partial: Path, wanted: Mapping[str, Path], document: bytes) -> None:
    for name, path in wanted.items():
        (partial / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, partial / name)
        sync_file(partial / name)
    (partial / LIST).write_bytes(document)
    sync_file(partial / LIST)


def _write_tar(partial: Path, wanted: Mapping[str, Path], document: bytes) -> None:
    with tarfile.open(partial, "w") as tar:
        entry = tarfile.TarInfo(LIST)
        entry.size = len(document)
        tar.addfile(entry, io.BytesIO(document))
        for name, path in wanted.items():
            tar.add(path, arcname=name)
    sync_file(partial)


Read = Callable[[str], BinaryIO]


@contextmanager
def _opened(source: Path) -> Iterator[Read]:
    """How to read a file of a backup by its name."""
    if source.is_dir():
        yield lambda name: (source / name).open("rb")
        return
    try:
        with tarfile.open(source, "r:") as tar:
            members = {member.name: member for member in tar.getmembers() if member.isreg()}
            yield lambda name: tar.extractfile(members[name])  # type: ignore[misc, return-value]  # a regular file has content
    except (tarfile.TarError, FileNotFoundError) as error:
        raise BadInput(f"{source} is no backup: {error}") from error


def _stage(source: Path, folder: Path) -> Copied:
    """Copy all files of a backup into `folder` and compare them."""
    with _opened(source) as read:
        try:
            with read(LIST) as content:
                document = json.loads(content.read())
            listed = {name: File(**entry) for name, entry in document["files"].items()}
        except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{source} is no backup: it has no {LIST} of ours") from error
        if document.get("format") != FORMAT:
            raise BadInput(f"{source} was made by a newer gridtide; upgrade this one")
        for name, file in listed.items():
            place = PurePosixPath(name)
            if place.is_absolute() or ".." in place.parts:
                raise Damaged(f"{source}: {name!r} lies outside a home; take another backup")
            _copy(read, name, file, folder / name)
    return Copied(len(listed), sum(file.bytes for file in listed.values()))


def _copy(read: Read, name: str, wanted: File, target: Path | None) -> None:
    """Read one file of a backup, compare it, and write it to `target` if one is given."""
    digest, size = hashlib.sha256(), 0
    try:
        with read(name) as file, _sink(target) as sink:
            while block := file.read(READ):
                digest.update(block)
                size += len(block)
                sink.write(block)
    except (FileNotFoundError, KeyError) as error:
        raise Damaged(f"the backup lacks {name}; take another backup") from error
    if (size, digest.hexdigest()) != (wanted.bytes, wanted.sha256):
        raise Damaged(f"{name} in the backup is not as it was written; take another backup")
    if target is not None:
        sync_file(target)


def _sink(target: Path | None) -> BinaryIO:
    if target is None:
        return Path(os.devnull).open("wb")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.open("wb")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
