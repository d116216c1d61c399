"""What a snapshot folder holds: the one file that names all others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from gridtide.model import format_time, parse_time
from gridtide_store.errors import Damaged, NewerHome
from gridtide_store.records import Facts

NAME = "manifest.json"
BASE = "base.duckdb"
DELTA = "delta.duckdb"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class File:
    """One file beside the manifest, as it was written."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Newest:
    """The run that is served for one zone: a row of a matrix, and what is known of it."""

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
    """One ``.npy`` of shape (zones, 3, steps): p10, p50, p90; NaN where there is none.

    Step ``k`` of row ``z`` is ``[start + k * step, start + (k + 1) * step)`` with the row's
    own start.
    """

    file: str
    signal: str
    step_seconds: int
    rows: tuple[Newest, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that must be known to read a snapshot.

    Attributes:
        id: name of the folder.
        published_at: by the publisher's clock.
        replay: whether that clock was set to another time.
        previous: the snapshot that was current before, "" for the first.
        cut: the newest insertion of the store that is in here.
        base_cut: the newest insertion that is in the base; what came after is in the delta.
        base_made_at: when the base was written.
        signals: the signals that are in here.
        qualities: words for the numbers in column ``quality``.
        served: models by preference, where two runs were issued at the same moment.
        trust: sources of a zone, most trusted first.
        sources: what is known of the sources.
        matrices: the runs served now.
        files: all other files in the folder.
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


def encode(manifest: Manifest) -> bytes:
    """`manifest` as JSON."""
    document = {"format": FORMAT, **_plain(manifest)}
    return json.dumps(document, default=_plain, indent=1).encode()


def read(folder: Path) -> Manifest:
    """The manifest of a snapshot.

    Raises:
        Damaged: it is missing or not whole, or a file it names is missing or not as long as
            it was. (Content is compared by `gridtide check`.)
        NewerHome: a newer gridtide published it.
    """
    path = folder / NAME
    try:
        document = json.loads(path.read_bytes())
        if document.pop("format") > FORMAT:
            raise NewerHome(f"{path} was published by a newer gridtide; upgrade this one")
        manifest = _decode(document)
    except FileNotFoundError as error:
        raise Damaged(f"{path} is missing; run `gridtide publish`") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{path} is not whole ({error}); run `gridtide publish`") from error
    for name, file in manifest.files.items():
        size = (folder / name).stat().st_size if (folder / name).exists() else None
        if size != file.bytes:
            raise Damaged(
                f"{folder / name} has {size} bytes, not {file.bytes}; run `gridtide publish`"
            )
    return manifest


def describe(path: Path) -> File:
    """Size and SHA-256 of a file as it is now."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(path.stat().st_size, digest)


def _plain(value: Any) -> Any:  # noqa: ANN401  # what JSON has no word for
    """An instant as text, one of our records as a dict of its fields, not copied deeply."""
    if isinstance(value, datetime):
        return format_time(value)
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _decode(document: dict[str, Any]) -> Manifest:
    document["published_at"] = parse_time(document["published_at"])
    document["base_made_at"] = parse_time(document["base_made_at"])
    for name in ("signals", "qualities", "served"):
        document[name] = tuple(document[name])
    document["sources"] = {name: Facts(**facts) for name, facts in document["sources"].items()}
    document["files"] = {name: File(**file) for name, file in document["files"].items()}
    document["matrices"] = tuple(
        MatrixPlan(**{**plan, "rows": tuple(map(_newest, plan["rows"]))})
        for plan in document["matrices"]
    )
    return Manifest(**document)


def _newest(row: dict[str, Any]) -> Newest:
    times = {name: parse_time(row[name]) for name in ("issued_at", "known_at", "start")}
    return Newest(**{**row, **times})
