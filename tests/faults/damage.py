"""A small published home, and what is done to its files."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from gridtide_store.data_directory import DataDirectory
from gridtide_store.pointer import current_snapshot
from tests.server.published import HOUR, NOW, Publisher, observed, run

FORECAST = [300.0, 100.0, 200.0] * 24
HISTORY = [100.0 + hour for hour in range(24)]
MATRIX = "ci_lifecycle_produced_3600s.npy"


def fill(root: Path) -> DataDirectory:
    """A home of one zone with two snapshots: base and delta, a forecast, a body, a run."""
    publisher = Publisher(root)
    first = HISTORY[:20]
    publisher.add(observed("DE", first, start=NOW - 24 * HOUR), run("DE", FORECAST))
    publisher.store.keep("alpha", "/history", b"as it was received", NOW)
    publisher.ledger.finish_command(
        publisher.ledger.start_command("refresh", [], NOW),
        NOW,
        "done",
        exit_code=0,  # type: ignore[arg-type]  # as it is stored
    )
    publisher.publish(NOW)
    publisher.add(observed("DE", HISTORY[20:], start=NOW - 4 * HOUR))
    publisher.publish(NOW)
    home = publisher.home
    publisher.close()
    return home


Damage = Callable[[DataDirectory], None]


@dataclass(frozen=True)
class Case:
    """One kind of damage, and what must come of it.

    Attributes:
        named: what `gridtide check` must name.
        served: "right" where the values must still be answered, "refused" where the answer
            must be 503.
        heals: whether `gridtide publish` makes all well; else it says what is wrong.
        harmless: whether it may also go well without mending anything.
    """

    name: str
    damage: Damage
    named: str
    served: str = "right"
    heals: bool = False
    harmless: bool = False


def snapshot(home: DataDirectory) -> Path:
    """The folder that is read now."""
    folder = current_snapshot(home)
    assert folder is not None
    return folder


def flip(path: Path, place: int) -> None:
    """Turn all bits of one byte."""
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


def overwrite(path: Path, offset: int, length: int, *, seed: int | None = None) -> None:
    """Zeros, or random bytes of a seed, in the middle of a file."""
    drawn = random.Random(seed)  # noqa: S311  # only for damage that is the same each time
    content = bytes(length) if seed is None else drawn.randbytes(length)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def cut(path: Path, share: float) -> None:
    """Keep only the beginning of a file."""
    os.truncate(path, int(path.stat().st_size * share))


def into_folder(path: Path) -> None:
    """A folder in place of a file."""
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


def rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a JSON document."""
    document = json.loads(path.read_bytes())
    changed = change(document)
    path.write_text(json.dumps(document if changed is None else changed, indent=1))


def forge(home: DataDirectory, name: str, content: bytes) -> None:
    """Put other content in a file of the snapshot, and its hash in the manifest."""
    folder = snapshot(home)
    (folder / name).unlink()
    (folder / name).write_bytes(content)
    path = folder / "manifest.json"
    document = json.loads(path.read_bytes())
    version = document.pop("format")
    document.pop("sha256")
    document["files"][name] = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    digest = hashlib.sha256(json.dumps(document, indent=1).encode()).hexdigest()
    path.write_text(json.dumps({"format": version, **document, "sha256": digest}, indent=1))


def npy(values: object, *, pickled: bool = False) -> bytes:
    """The bytes of a .npy file."""
    content = io.BytesIO()
    np.save(content, np.array(values), allow_pickle=pickled)
    return content.getvalue()


class Opens:
    """Unpickling it makes a file, as a pickle from a stranger could."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def pickled(home: DataDirectory) -> None:
    """A pickle in place of the matrix, with its right hash."""
    forge(home, MATRIX, pickle.dumps(Opens(home.root / "pwned")))


def sql(path: Path, *statements: str) -> None:
    """What a stranger did to a DuckDB file."""
    with duckdb.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)


def view_of(secret: Path) -> tuple[str, ...]:
    """Statements that put a view over a file of this machine in place of a table."""
    return (
        "ALTER TABLE retrieval RENAME TO hidden",
        "CREATE VIEW retrieval AS SELECT 1::BIGINT AS id, content AS source, '' AS address, "  # noqa: S608
        "now() AS known_at, '' AS body_sha256, 0::BIGINT AS body_bytes, NULL AS expired_at "
        f"FROM read_text('{secret}')",
    )


def pointer(content: bytes | None) -> Damage:
    """Write other content into the pointer; None removes it."""

    def damage(home: DataDirectory) -> None:
        home.current.unlink()
        if content is not None:
            home.current.write_bytes(content)

    return damage


def manifest(content: Callable[[bytes], bytes]) -> Damage:
    """Write another manifest into the current snapshot."""

    def damage(home: DataDirectory) -> None:
        path = snapshot(home) / "manifest.json"
        path.write_bytes(content(path.read_bytes()))

    return damage


def changed(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Change the manifest of the current snapshot, its own hash left as it was."""
    return lambda home: rewrite(snapshot(home) / "manifest.json", change)


def of(name: str, how: Callable[[Path], object]) -> Damage:
    """Do something to a file of the current snapshot."""

    def damage(home: DataDirectory) -> None:
        how(snapshot(home) / name)

    return damage


def live(how: Callable[[Path], object]) -> Damage:
    """Do something to the store's file."""

    def damage(home: DataDirectory) -> None:
        how(home.live)

    return damage


def ledger(how: Callable[[Path], object]) -> Damage:
    """Do something to the ledger's file, without what SQLite keeps beside it."""

    def damage(home: DataDirectory) -> None:
        with sqlite3.connect(home.ledger) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        for name in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
            (home.root / name).unlink(missing_ok=True)
        how(home.ledger)

    return damage


def body(how: Callable[[Path], object]) -> Damage:
    """Do something to the one raw body."""

    def damage(home: DataDirectory) -> None:
        (path,) = home.raw.rglob("*.gz")
        how(path)

    return damage


def replaced(content: bytes) -> Callable[[Path], object]:
    """Other content."""
    return lambda path: path.write_bytes(content)


def swap(home: DataDirectory) -> None:
    """Base and delta, each whole, under each other's name."""
    folder = snapshot(home)
    base, delta = folder / "base-2026.duckdb", folder / "delta.duckdb"
    shutil.move(base, folder / "aside")
    shutil.move(delta, base)
    shutil.move(folder / "aside", delta)
