"""A backup of a damaged home can be restored, or is not made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gridtide.errors import GridtideError
from gridtide_store import manifest as manifests
from gridtide_store.backup import backup, restore
from gridtide_store.check import check
from gridtide_store.data_directory import DataDirectory
from gridtide_store.errors import Damaged
from gridtide_store.store import Store
from tests.faults.damage import (
    MATRIX,
    Damage,
    cut,
    flip,
    into_folder,
    manifest,
    of,
    pointer,
    snapshot,
)
from tests.server.published import HOUR, NOW
from tests.store.older import make_older

pytestmark = [pytest.mark.faults, pytest.mark.slow]

DAMAGE: dict[str, Damage] = {
    "pointer empty": pointer(b""),
    "pointer missing": pointer(None),
    "pointer to nowhere": pointer(b"20260101T000000Z-gone\n"),
    "pointer a folder": lambda home: into_folder(home.current),
    "manifest cut": manifest(lambda b: b[: len(b) // 2]),
    "delta flipped": of("delta.duckdb", lambda p: flip(p, -1)),
    "base cut": of("base-2026.duckdb", lambda p: cut(p, 0.5)),
    "base missing": of("base-2026.duckdb", Path.unlink),
    "runs cut": of("runs.duckdb", lambda p: cut(p, 0.5)),
    "matrix flipped": of(MATRIX, lambda p: flip(p, -1)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_backup_with_damaged_snapshots_can_be_restored(
    home: DataDirectory, tmp_path: Path, damage: Damage
) -> None:
    damage(home)
    name = "copy.tar" if home.current.is_file() else "copy"
    backup(home, tmp_path / name, NOW + HOUR)
    again = DataDirectory(tmp_path / "again")
    restore(tmp_path / name, again, NOW + HOUR)
    assert check(again, NOW + HOUR) == []
    with Store.open(home) as one, Store.open(again) as other:
        assert one.cut == other.cut > 0


def renamed(key: str) -> Callable[[bytes], bytes]:
    """A flipped bit in the name of a member."""
    return lambda content: content.replace(f'"{key}":'.encode(), f'"{key[:-1]}!":'.encode())


@pytest.mark.parametrize("key", ["store", "sha256", "format", "base", "delta", "replay"])
def test_a_manifest_with_a_flipped_name_is_refused(home: DataDirectory, key: str) -> None:
    folder = snapshot(home)
    manifest(renamed(key))(home)
    with pytest.raises(
        Damaged, match=r"manifest\.json is not whole .*; run `gridtide publish`"
    ):
        manifests.read(folder)


def test_a_snapshot_of_format_1_is_still_read_and_restored(
    home: DataDirectory, tmp_path: Path
) -> None:
    folder = snapshot(home)
    make_older(folder, 1)
    assert manifests.read(folder).store == ""
    backup(home, tmp_path / "copy", NOW + HOUR)
    again = DataDirectory(tmp_path / "again")
    restore(tmp_path / "copy", again, NOW + HOUR)
    assert check(again, NOW + HOUR) == []


def test_a_log_without_its_store_does_not_become_a_new_one(home: DataDirectory) -> None:
    log = home.root / "live.duckdb.wal"
    log.write_bytes(home.live.read_bytes()[:5000])
    home.live.unlink()
    try:
        with Store.open(home, new=True) as store:
            assert store.cut == 0
    except GridtideError as error:
        assert "; " in str(error)  # noqa: PT017  # either is right, silence is not
