"""Errors of the data directory, and what DuckDB, SQLite and the system raise as one of them.

GridtideError
├── Damaged          a file differs from what was written
├── NewerHome        written by a newer gridtide
├── Unusable         cannot be read or written
└── NoData
    └── BodyExpired  the raw response is past its retention period
"""

from __future__ import annotations

import errno
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from gridtide.errors import GridtideError, NoData

# Quota, file size limit and a full disk have one remedy.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
# What DuckDB and SQLite say when a disk is full or a file may not grow; neither gives a number.
NO_ROOM = re.compile(
    r"no space left|disk quota|file too large|disk is full|disk i/o error|could not write|"
    r"failed to offload|max_temp_directory_size|could not truncate|could not fsync",
    re.IGNORECASE,
)
NOT_ALLOWED = re.compile(r"permission denied|read-?only|unable to open", re.IGNORECASE)

MAKE_ROOM = "make room on its disk, then run the command again"
LOOK_AT_OWNER = (
    "see who owns it and how it is mounted, "
    "or name another path (--home for the data directory)"
)
RESTORE = "run `gridtide check`, then restore a backup with `gridtide restore`"


class Damaged(GridtideError):
    """A file differs from what was written: run `gridtide check`, restore a backup."""

    code = "damaged"


class NewerHome(GridtideError):
    """A newer gridtide wrote the data directory: upgrade, or restore an older backup."""

    code = "newer_home"


class Unusable(GridtideError):
    """The data directory cannot be read or written: check owner and path, or name another."""

    code = "unusable_home"


class BodyExpired(NoData):
    """The raw response was deleted after its retention period."""

    code = "body_expired"


def translate_error(error: Exception, path: Path, remedy: str = RESTORE) -> GridtideError:
    """Turn `error` into one sentence about `path`, with the remedy.

    Args:
        error: of DuckDB, SQLite or the operating system.
        path: the file or folder in use when it came.
        remedy: what to do where the file itself is not as it was written.
    """
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, OSError):
        return _explain_os(error, path, remedy)
    if "version number" in said:
        return NewerHome(f"{path} was written by another DuckDB ({said}); upgrade duckdb")
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return Unusable(
            f"{path}: not enough memory ({said}); raise GRIDTIDE_MEMORY_MB, or free some, "
            "then try again"
        )
    if NO_ROOM.search(str(error)):
        return Unusable(f"{path} cannot be written ({said}); {MAKE_ROOM}")
    if NOT_ALLOWED.search(str(error)) or "database is locked" in said:
        return Unusable(f"{path} cannot be opened or written ({said}); {LOOK_AT_OWNER}")
    return Damaged(f"{path} cannot be read ({said}); {remedy}")


def _explain_os(error: OSError, path: Path, remedy: str) -> GridtideError:
    where = error.filename or path
    said = error.strerror or str(error)
    if error.errno in FULL:
        return Unusable(f"{where} cannot be written ({said}); {MAKE_ROOM}")
    if error.errno in DENIED:
        return Unusable(f"{where} cannot be opened or written ({said}); {LOOK_AT_OWNER}")
    if error.errno == errno.ENOENT:
        return Damaged(f"{where} is missing; {remedy}")
    if error.errno in (errno.EISDIR, errno.ENOTDIR, errno.ELOOP):
        return Damaged(f"{where} is not a file of ours ({said}); {remedy}")
    return Unusable(f"{where} cannot be read or written ({said}); look at its disk")


@contextmanager
def translate_errors(path: Path, remedy: str = RESTORE) -> Iterator[None]:
    """Raise errors of DuckDB, SQLite and the operating system in the block as ours.

    Raises:
        Unusable: no room, no right, or not enough memory.
        Damaged: a file is not as it was written.
        NewerHome: another DuckDB wrote it.
    """
    try:
        yield
    except (duckdb.Error, sqlite3.Error, OSError) as error:
        raise translate_error(error, path, remedy) from error
