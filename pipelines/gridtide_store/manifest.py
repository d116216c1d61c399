"""The manifest of a snapshot: the one file that names all others."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from gridtide.model import format_time
from gridtide_store.errors import Damaged, NewerHome, translate_errors
from gridtide_store.records import Facts, SourceReport

NAME = "manifest.json"
DELTA = "delta.duckdb"
RUNS = "runs.duckdb"
# The whole base of a snapshot before format 3; the others are `name_base(year)`.
WHOLE_BASE = "base.duckdb"
BASE = re.compile(r"base-(\d{4})\.duckdb", re.ASCII)
# 2 added the hash of the manifest itself, and of which store the snapshot is; 3 has a base
# file for each year and one for the forecast runs.
HASHED = 2
FORMAT = BY_YEAR = 3
REPUBLISH = "run `gridtide publish`"


@dataclass(frozen=True, slots=True)
class File:
    """Size and hash of one file beside the manifest when it was written."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Newest:
    """The run that is served for one zone: a row of a matrix, and the run's header."""

    run: int
    zone: str
    model: str
    issued_at: datetime
    known_at: datetime
    source: str
    simulated: bool
    start: datetime


@dataclass(frozen=True, slots=True)
class MatrixPlan:
    """One ``.npy`` of shape (zones, 3, slots): p10, p50, p90; NaN where there is none.

    Step ``k`` of row ``z`` is ``[start + k * step, start + (k + 1) * step)`` with the row's
    own start.
    """

    file: str
    signal: str
    step_seconds: int
    rows: tuple[Newest, ...]


@dataclass(frozen=True, slots=True)
class Database:
    """One DuckDB file of a snapshot.

    Attributes:
        name: what it is attached under.
        file: its name in the folder.
        tables: what is in it.
        year: of a file of the base: the UTC year in which its slots start; None: all years.
    """

    name: str
    file: str
    tables: tuple[str, ...]
    year: int | None = None


OBSERVED = ("belief", "superseded")
ISSUED = ("run", "step")
EVERYTHING = (*OBSERVED, "series", *ISSUED)


def name_base(year: int) -> str:
    """Return the name of the file with the observations of one year."""
    return f"base-{year:04d}.duckdb"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that a reader of a snapshot must know.

    Attributes:
        id: name of the folder.
        published_at: by the publisher's clock.
        replay: whether that clock was set to another time.
        previous: the snapshot that was current before, "" for the first.
        cut: the newest insertion of the store that is in here.
        base_cut: the newest insertion that is in the base; what came after is in the delta.
        base_made_at: when the base was last brought up to date.
        signals: the signals that are in here.
        qualities: words for the numbers in column ``quality``.
        served: models by preference, where two runs were issued at the same moment.
        trust: sources of a zone, most trusted first.
        sources: what is known of the sources that gave something.
        reports: how each source was doing; empty in snapshots of an older gridtide.
        matrices: the runs served now.
        files: all other files in the folder.
        store: which store it was made from, see `identity`; "" in snapshots of format 1.
        base: which publication of that store last brought the base up to date.
        delta: which publication of that store wrote the delta.
    """

    id: str
    published_at: datetime
    replay: bool
    previous: str
    cut: int
    base_cut: int
    base_made_at: datetime
    signals: tuple[str, ...]
    qualities: tuple[str, ...]
    served: tuple[str, ...]
    trust: Mapping[str, Sequence[str]]
    sources: Mapping[str, Facts]
    matrices: tuple[MatrixPlan, ...]
    files: Mapping[str, File]
    store: str = ""
    base: str = ""
    delta: str = ""
    reports: Mapping[str, SourceReport] = field(default_factory=dict)

    @property
    def bases(self) -> tuple[Database, ...]:
        """The files of the base, by year; before format 3 there was one for all years."""
        if WHOLE_BASE in self.files:
            return (Database("base", WHOLE_BASE, EVERYTHING),)
        years = sorted(int(match[1]) for name in self.files if (match := BASE.fullmatch(name)))
        return tuple(
            Database(f"base_{year:04d}", name_base(year), OBSERVED, year) for year in years
        )

    @property
    def runs(self) -> Database:
        """The file with the forecast runs of the base."""
        if WHOLE_BASE in self.files:
            return self.bases[0]
        return Database("runs", RUNS, ISSUED)

    @property
    def databases(self) -> tuple[Database, ...]:
        """All DuckDB files, each once."""
        delta = Database("delta", DELTA, EVERYTHING)
        return (*dict.fromkeys((*self.bases, self.runs)), delta)


def encode(manifest: Manifest) -> bytes:
    """Encode `manifest` as JSON, whose last member is the SHA-256 of those before it."""
    content = json.dumps(manifest, default=_plain, indent=1)
    document = {"format": FORMAT, **json.loads(content), "sha256": _digest(content)}
    return json.dumps(document, indent=1).encode()


def read(folder: Path) -> Manifest:
    """Read the manifest of a snapshot.

    Raises:
        Damaged: it is missing or not as it was written, or a file it names is missing or not
            as long as it was. (`verify` compares the content.)
        NewerHome: a newer gridtide published it.
        Unusable: it cannot be read.
    """
    path = folder / NAME
    try:
        with translate_errors(path, REPUBLISH):
            document = msgspec.json.decode(path.read_bytes())
        version = document.pop("format")
        if version > FORMAT:
            raise NewerHome(f"{path} was published by a newer gridtide; upgrade this one")
        manifest = _decode(document, version)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Damaged(f"{path} is not whole ({error}); {REPUBLISH}") from error
    if manifest.id != folder.name:
        raise Damaged(f"{path} is that of {manifest.id!r}, another snapshot; {REPUBLISH}")
    for name, file in manifest.files.items():
        size = _size(folder / name)
        if size != file.bytes:
            raise Damaged(f"{folder / name} has {size} bytes, not {file.bytes}; {REPUBLISH}")
    return manifest


def verify(folder: Path, manifest: Manifest, names: Sequence[str] = ()) -> None:
    """Compare the files of a snapshot, or those in `names`, with their hashes.

    A file that is still the same one (inode, length, time of change) is read once in a
    process: the base is linked from snapshot to snapshot and may be large.

    Raises:
        Damaged: a file is missing or not as it was written.
        Unusable: a file cannot be read.
    """
    for name in names or manifest.files:
        path = folder / name
        with translate_errors(path, REPUBLISH):
            seen = path.stat()
            identity = (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)
            with _hashing:
                found = _hashed.get(identity) or describe(path)
                if found == manifest.files[name]:
                    _remember(identity, found)
                    continue
                _hashed.pop(identity, None)
        raise Damaged(f"{path} is not what was published; {REPUBLISH}")


def forget_hashes() -> None:
    """Read every file again at the next `verify`, as one was found to be damaged."""
    with _hashing:
        _hashed.clear()


# Hashes of files seen to be whole, by identity; bounded, as a server lives for months.
_hashed: dict[tuple[int, int, int, int], File] = {}
_hashing = threading.Lock()
REMEMBERED = 1000


def _remember(identity: tuple[int, int, int, int], found: File) -> None:
    if len(_hashed) >= REMEMBERED:
        _hashed.clear()
    _hashed[identity] = found


def _size(path: Path) -> int | None:
    """Return the size of a file in bytes; None if it does not exist."""
    with translate_errors(path, REPUBLISH):
        return path.stat().st_size if path.is_file() else None


def describe(path: Path) -> File:
    """Return size and SHA-256 of a file as it is now."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(path.stat().st_size, digest)


def describe_bytes(content: memoryview) -> File:
    """Return size and SHA-256 of content that is about to be written."""
    return File(len(content), hashlib.sha256(content).hexdigest())


def _plain(value: Any) -> Any:  # noqa: ANN401  # what JSON has no word for
    """Turn an instant into text, or a record into a dict of its fields, not copied deeply."""
    if isinstance(value, datetime):
        return format_time(value)
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _decode(document: dict[str, Any], version: int) -> Manifest:
    """Decode the manifest in `document`; its own hash and the names in it are checked.

    Args:
        document: without its format.
        version: its format; from `HASHED` on it must have a hash, and one that is there is
            compared in any case.
    """
    digest = document.pop("sha256", None)
    if (version >= HASHED or digest) and digest != _digest(json.dumps(document, indent=1)):
        raise ValueError("its hash is another one")
    manifest = msgspec.convert(document, Manifest)
    for name in manifest.files:
        if name in ("", ".", "..", NAME) or "/" in name or "\\" in name:
            raise ValueError(f"{name!r} is not the name of a file beside it")
    base = RUNS if version >= BY_YEAR else WHOLE_BASE
    wanted = {base, DELTA, *(plan.file for plan in manifest.matrices)}
    if missing := wanted - set(manifest.files):
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    if any(plan.step_seconds < 1 for plan in manifest.matrices):
        raise ValueError("a step shorter than a second")
    return manifest
