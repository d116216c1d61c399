"""Raw responses as received: gzip files named by the SHA-256 of their content."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

import duckdb
import polars as pl

from gridtide.errors import BadInput
from gridtide.model import utc
from gridtide_store.data_directory import DataDirectory, write_durably
from gridtide_store.database import columns, frame, transaction
from gridtide_store.errors import BodyExpired, Damaged, translate_errors
from gridtide_store.opening import read_note, write_note

# What one `prune_raw` judges at most, so that it takes as long on a store of seven years as on
# a new one: more than an hour of all sources brings, and at most about a million values.
MOST_JUDGED: Final = 2_000
MOST_BYTES: Final = 128_000_000
KEEP_WEATHER: Final = timedelta(days=7)  # it is as large as all else, and kept by its publisher

# Bodies are in as many folders, of which each `prune_raw` sweeps one.
FOLDERS: Final = 256
SWEPT: Final = "swept"
PART: Final = 256 * 1024  # bytes of a body that are packed at a time

FROM_BACKUP: Final = "restore it from a backup with `gridtide restore`"


def keep_body(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    source: str,
    address: str,
    content: bytes | BinaryIO,
    known_at: datetime,
    *,
    kind: str,
) -> int:
    """Write `content` below `folder` unless it is there, and return the number of retrieval.

    The row is added when the file is whole and on the disk. A large body is a seekable file at
    its beginning, which is read part by part.
    """
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    digest, size = hash_body(stream), stream.seek(0, io.SEEK_END)
    path = body_path(folder, digest)
    stored = 0  # a body that came before takes no further room
    if not path.exists():
        stream.seek(0)
        with translate_errors(folder):
            write_durably(path, _packed(stream))
            stored = path.stat().st_size
    row = connection.execute(
        "INSERT INTO retrieval (id, source, address, known_at, body_sha256, body_bytes, kind, "
        "stored_bytes) SELECT coalesce(max(id), 0) + 1, ?, ?, ?, ?, ?, ?, ? FROM retrieval "
        "RETURNING id",
        [source, address, utc(known_at, name="known_at"), digest, size, kind, stored],
    ).fetchone()
    assert row is not None  # noqa: S101  # an aggregate always gives one row
    return int(row[0])


def _packed(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a gzip file of the rest of `stream`, in parts.

    It has no time of day in it, so the same content always gives the same file.
    """
    machine = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    while part := stream.read(PART):
        yield machine.compress(part)
    yield machine.flush()


def read_kept(
    connection: duckdb.DuckDBPyConnection, home: DataDirectory, retrieval_id: int
) -> bytes:
    """Return the body of one retrieval as it was received.

    Raises:
        BadInput: the retrieval is unknown.
        BodyExpired: it was deleted when its time was over.
        Damaged: the file is missing or changed.
    """
    row = connection.execute(
        "SELECT body_sha256, source, address, strftime(expired_at, '%Y-%m-%d') "
        "FROM retrieval WHERE id = ?",
        [retrieval_id],
    ).fetchone()
    if row is None:
        raise BadInput(f"unknown retrieval {retrieval_id} in {home.root}")
    digest, source, address, expired = row
    if expired is not None:
        raise BodyExpired(
            f"{source}: the body of {address} was deleted on {expired}; fetch it again, "
            "and raise GRIDTIDE_KEEP_RAW_DAYS to keep such bodies longer"
        )
    return read_body(home.raw, digest)


def read_body(folder: Path, digest: str) -> bytes:
    """Return the content whose SHA-256 is `digest`.

    Raises:
        Damaged: the file is missing, or its content is not what was kept.
    """
    path = body_path(folder, digest)
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise Damaged(f"{path} is missing; {FROM_BACKUP}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise Damaged(f"{path} is not a whole gzip file; {FROM_BACKUP}") from error
    if hash_body(content) != digest:
        raise Damaged(f"{path} has not the content of its name; {FROM_BACKUP}")
    return content


def hash_body(content: bytes | BinaryIO) -> str:
    """Return the name of a body: the SHA-256 of its content, of a file from where it stands."""
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # it has readinto


def body_path(folder: Path, digest: str) -> Path:
    """Return the path of the body with that SHA-256: ``ab/cdef….gz``."""
    return folder / digest[:2] / f"{digest[2:]}.gz"


@dataclass(frozen=True, slots=True)
class Pruned:
    """Raw bodies deleted, and the room that made."""

    bodies: int
    bytes: int


def retrievals(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return every retrieval in order, with `expired_at` where its body was deleted."""
    found = columns(
        connection,
        "SELECT id, source, address, known_at, body_sha256, body_bytes, expired_at "
        "FROM retrieval ORDER BY id",
    )
    return frame(found)


def prune_raw(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    before: datetime,
    now: datetime,
    *,
    most: int = MOST_JUDGED,
) -> Pruned:
    """Judge the oldest retrievals before `before`: delete their bodies, or keep them for good.

    Kept are the first of each source, kind and UTC day, and those that the newest observation
    of a slot comes from. A retrieval is judged once, weather after KEEP_WEATHER, at most `most`
    at a time; its row stays, with address, time and hash. So does a body that another retrieval
    brought too. One folder is compared with the rows each time, for bodies without a row.
    """
    due = connection.execute(
        "SELECT id FROM (SELECT id, sum(body_bytes) OVER (ORDER BY id) - body_bytes AS ahead "
        "FROM (SELECT id, body_bytes FROM retrieval WHERE expired_at IS NULL "
        "AND kept_as = '' AND (known_at < $1 OR (kind = 'weather' AND known_at < $2)) "
        "ORDER BY id LIMIT $3)) WHERE ahead < $4 ORDER BY id",
        [utc(before), utc(now) - KEEP_WEATHER, most, MOST_BYTES],
    ).fetchall()
    deleted = _judge(connection, [number for (number,) in due], now) if due else set[str]()
    # Rows first: a body without a row is swept later, a row without its body is damage.
    paths = [body_path(folder, digest) for digest in sorted(deleted)]
    paths += _strays(connection, folder)
    bodies = size = 0
    for path in paths:
        if path.exists():
            bodies, size = bodies + 1, size + path.stat().st_size
            path.unlink()
    return Pruned(bodies, size)


def _judge(connection: duckdb.DuckDBPyConnection, due: list[int], now: datetime) -> set[str]:
    """Mark retrievals as kept or expired, and return the hashes of bodies to delete."""
    with transaction(connection):
        connection.execute("CREATE OR REPLACE TEMP TABLE due AS SELECT unnest(?) AS id", [due])
        connection.execute(
            """
            WITH span AS (
                SELECT date_trunc('day', min(known_at)) AS low, max(known_at) AS high
                FROM retrieval WHERE id IN (FROM due)
            )
            UPDATE retrieval SET kept_as = 'first' WHERE id IN (FROM due) AND id IN (
                SELECT min(id) FROM retrieval, span WHERE known_at BETWEEN low AND high
                GROUP BY source, kind, date_trunc('day', known_at)
            )
            """
        )
        # The slots that these retrievals gave values of, and then who gave the newest ones.
        # Numbers of retrievals and of insertions grow with time, so most of the table is left
        # unread.
        connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE given AS
            SELECT series, slot_start, min(batch) AS batch FROM observation
            WHERE retrieval_id BETWEEN ? AND ? AND retrieval_id IN (FROM due)
            GROUP BY series, slot_start
            """,
            [due[0], due[-1]],
        )
        row = connection.execute(
            "SELECT epoch_us(min(slot_start)), epoch_us(max(slot_start)), min(batch) FROM given"
        ).fetchone()
        connection.execute(
            """
            UPDATE retrieval SET kept_as = 'served' WHERE id IN (FROM due) AND kept_as = ''
            AND id IN (
                SELECT arg_max(retrieval_id, known_at) FROM observation
                SEMI JOIN given USING (series, slot_start)
                WHERE slot_start BETWEEN make_timestamptz(?) AND make_timestamptz(?)
                    AND batch >= ?
                GROUP BY series, slot_start
            )
            """,
            row,
        )
        gone = connection.execute(
            "UPDATE retrieval SET expired_at = ? WHERE id IN (FROM due) AND kept_as = '' "
            "RETURNING body_sha256",
            [utc(now)],
        ).fetchall()
        kept = connection.execute(
            "SELECT body_sha256 FROM retrieval WHERE expired_at IS NULL "
            "AND body_sha256 IN (SELECT unnest(?))",
            [[digest for (digest,) in gone]],
        ).fetchall()
        connection.execute("DROP TABLE given; DROP TABLE due")
    return {digest for (digest,) in gone} - {digest for (digest,) in kept}


def _strays(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[Path]:
    """Return the files in the next folder that no retrieval names; note the others' sizes."""
    number = read_note(connection, SWEPT) % FOLDERS
    prefix = f"{number:02x}"
    there = folder / prefix
    # Those written in part, by a process that died, are named by none either.
    files = {
        prefix + path.name.removesuffix(".gz"): path
        for path in (*there.glob("*.gz"), *there.glob(".*.partial"))
    }
    rows = connection.execute(
        "SELECT id, body_sha256, stored_bytes FROM retrieval WHERE expired_at IS NULL "
        "AND starts_with(body_sha256, ?) ORDER BY id",
        [prefix],
    ).fetchall()
    named: set[str] = set()
    with transaction(connection):
        for row, digest, stored in rows:
            right = (
                files[digest].stat().st_size if digest in files and digest not in named else 0
            )
            if stored != right:  # of an older gridtide, or another had the file and has expired
                connection.execute(
                    "UPDATE retrieval SET stored_bytes = ? WHERE id = ?", [right, row]
                )
            named.add(digest)
        write_note(connection, SWEPT, number + 1)
    return [path for digest, path in sorted(files.items()) if digest not in named]


@dataclass(frozen=True, slots=True)
class RawSize:
    """How many retrievals of a source have a body, its bytes as received, and on the disk."""

    retrievals: int
    bytes: int
    stored_bytes: int


def raw_sizes(connection: duckdb.DuckDBPyConnection) -> Mapping[str, RawSize]:
    """Return the disk that the raw responses of each source take, by name.

    A body that came several times counts once, for the first. Bodies kept by an older
    gridtide count once `prune_raw` has passed their folder.
    """
    rows = connection.execute(
        "SELECT source, count(*), sum(body_bytes), coalesce(sum(stored_bytes), 0) "
        "FROM retrieval WHERE expired_at IS NULL GROUP BY source ORDER BY source"
    ).fetchall()
    return {
        source: RawSize(count, received, stored) for source, count, received, stored in rows
    }
