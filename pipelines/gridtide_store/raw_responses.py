"""Raw responses as received: gzip files named by the SHA-256 of their content."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from gridtide.model import utc
from gridtide_store.data_directory import write_durably
from gridtide_store.database import columns, transaction
from gridtide_store.errors import Damaged


@dataclass(frozen=True, slots=True)
class Pruned:
    """Raw bodies deleted, and the room that made."""

    bodies: int
    bytes: int


def keep_body(folder: Path, content: bytes) -> str:
    """Write `content` below `folder` unless it is there already, and return its SHA-256.

    When this returns the file is whole and on the disk, so a row may name it.
    """
    digest = hash_body(content)
    path = body_path(folder, digest)
    if not path.exists():
        # Without the time of day the same content always gives the same file.
        write_durably(path, gzip.compress(content, mtime=0))
    return digest


def read_body(folder: Path, digest: str) -> bytes:
    """Return the content whose SHA-256 is `digest`.

    Raises:
        Damaged: the file is missing, or its content is not what was kept.
    """
    path = body_path(folder, digest)
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise Damaged(f"{path} is missing; restore it from a backup") from error
    except (OSError, EOFError, zlib.error) as error:
        raise Damaged(f"{path} is not a whole gzip file; restore it from a backup") from error
    if hash_body(content) != digest:
        raise Damaged(f"{path}: the content is not what its name says; restore it")
    return content


def hash_body(content: bytes) -> str:
    """Return the name of a body: the SHA-256 of its content."""
    return hashlib.sha256(content).hexdigest()


def body_path(folder: Path, digest: str) -> Path:
    """Return the path of the body with that SHA-256: ``ab/cdef….gz``."""
    return folder / digest[:2] / f"{digest[2:]}.gz"


def prune_raw(
    connection: duckdb.DuckDBPyConnection, folder: Path, before: datetime, now: datetime
) -> Pruned:
    """Delete the raw bodies of retrievals before `before`; the retrievals stay, marked.

    A body that a later retrieval brought again stays too. Bodies that no retrieval names,
    left by a process that died between the two, go as well.
    """
    with transaction(connection):
        connection.execute(
            "UPDATE retrieval SET expired_at = ? WHERE expired_at IS NULL AND known_at < ?",
            [utc(now), utc(before)],
        )
    # Rows first: a body without a row is swept the next time, a row without its body is
    # damage.
    kept = columns(
        connection, "SELECT DISTINCT body_sha256 FROM retrieval WHERE expired_at IS NULL"
    )
    named = set(kept["body_sha256"].tolist())
    bodies = size = 0
    for path in sorted(folder.glob("??/*.gz")):
        if path.parent.name + path.name.removesuffix(".gz") not in named:
            bodies, size = bodies + 1, size + path.stat().st_size
            path.unlink()
    return Pruned(bodies, size)
