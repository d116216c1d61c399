"""Read a backup, which may come from anybody: every name and every byte is checked."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from gridtide.errors import BadInput
from gridtide_store.data_directory import DataDirectory, sync_file
from gridtide_store.database import attach, connect, refuse_foreign
from gridtide_store.errors import Damaged, NewerHome
from gridtide_store.manifest import File
from gridtide_store.opening import OWN, TABLES
from gridtide_store.pointer import read_pointer
from gridtide_store.snapshot import Snapshot

LIST = "backup.json"
FORMAT = 1
READ = 1 << 20
# A list has about a hundred bytes a file; what is far longer is not one.
LONGEST_LIST = 1 << 30
OTHER = "take another backup"
NAME_ONE = "name what `gridtide backup` wrote"

FILES = ("live.duckdb", "ledger.sqlite", "CURRENT")
FOLDERS = ("raw", "models", "snapshots")

Read = Callable[[str], BinaryIO]


@contextmanager
def open_backup(source: Path) -> Iterator[Read]:
    """Return a function that opens a file of a backup by its name; links are not followed.

    Raises:
        BadInput: `source` is neither a folder nor a tar file.
    """
    if source.is_dir():
        yield lambda name: _open_plain(source, name)
        return
    try:
        with tarfile.open(source, "r:") as tar:
            members = {member.name: member for member in tar.getmembers() if member.isreg()}
            yield lambda name: tar.extractfile(members[name])  # type: ignore[misc, return-value]  # a regular file has content
    except (tarfile.TarError, FileNotFoundError, EOFError) as error:
        raise BadInput(f"{source} is not a backup: {error}; {NAME_ONE}") from error


def read_list(source: Path, read: Read) -> dict[str, File]:
    """Return the files of a backup with their sizes and hashes when it was written.

    Raises:
        BadInput: it is not a backup.
        NewerHome: a newer gridtide made it.
        Damaged: it names a file that a backup does not hold.
    """
    try:
        with read(LIST) as content:
            document = json.loads(content.read(LONGEST_LIST))
        version = msgspec.convert(document["format"], int)
        if version <= FORMAT:
            listed = msgspec.convert(document["files"], dict[str, File])
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        RecursionError,
        msgspec.MsgspecError,
    ) as error:
        raise BadInput(
            f"{source} is not a backup: it has no {LIST} of ours; {NAME_ONE}"
        ) from error
    if version > FORMAT:
        raise NewerHome(f"{source} was made by a newer gridtide; upgrade this one")
    for name in listed:
        place = PurePosixPath(name)
        if place.is_absolute() or ".." in place.parts or "\\" in name or "\0" in name:
            raise Damaged(f"{source}: {name!r} is outside the data directory; {OTHER}")
        if name not in FILES and not (place.parts[:1] and place.parts[0] in FOLDERS):
            raise Damaged(f"{source}: {name!r} is not a file of a data directory; {OTHER}")
    return listed


def copy_compared(read: Read, name: str, wanted: File, target: Path | None) -> None:
    """Read one file of a backup, compare its hash, and write it to `target` if one is given.

    Raises:
        Damaged: it is missing, a link, or not as it was written.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with read(name) as file, _sink(target) as sink:
            # What is longer than it should be is not copied to its end.
            while size <= wanted.bytes and (block := file.read(READ)):
                digest.update(block)
                size += len(block)
                sink.write(block)
    except (FileNotFoundError, KeyError) as error:
        raise Damaged(f"the backup lacks {name}; {OTHER}") from error
    except tarfile.TarError as error:
        raise Damaged(f"{name} in the backup is cut off ({error}); {OTHER}") from error
    if (size, digest.hexdigest()) != (wanted.bytes, wanted.sha256):
        raise Damaged(f"{name} in the backup is not as it was written; {OTHER}")
    if target is not None:
        sync_file(target)


def refuse_unlike(home: DataDirectory) -> None:
    """Open the store and the snapshot of a restored data directory and refuse foreign ones.

    Raises:
        Damaged: one of them cannot be read, or has other names than ours in it.
        NewerHome: a newer gridtide or DuckDB wrote it.
    """
    with closing(connect(home.root, resources=home.resources)) as connection:
        attach(connection, home.live, "live", read_only=True)
        refuse_foreign(connection, {"live": (home.live, TABLES)}, own=OWN)
    if folder := read_pointer(home):
        Snapshot.open(folder).close()


def _open_plain(source: Path, name: str) -> BinaryIO:
    """Open a regular file below `source`; a link may lead to any file of this machine."""
    path = source
    for part in PurePosixPath(name).parts:
        path = path / part
        if path.is_symlink():
            raise Damaged(f"{path} is a link, which no backup has; {OTHER}")
    if path.exists() and not path.is_file():
        raise Damaged(f"{path} is not a file; {OTHER}")
    return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")


def _sink(target: Path | None) -> BinaryIO:
    if target is None:
        return Path(os.devnull).open("wb")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.open("wb")
