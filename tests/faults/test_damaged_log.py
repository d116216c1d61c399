"""The log of a killed writer is replayed; one that was damaged is not dropped in silence."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.database import LEAST, MOST, log_of, refuse_damaged_log
from gridtide_store.errors import Damaged
from gridtide_store.store import Store

KEPT = 8
WRITER = f"""
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from gridtide_store.data_directory import DataDirectory
from gridtide_store.store import Store

store = Store.open(DataDirectory(Path(sys.argv[1])))
store.connection.execute("CHECKPOINT")
for number in range({KEPT}):
    store.keep("a", f"/{{number}}", b"body", datetime(2026, 3, 2, tzinfo=UTC))
os._exit(9)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a home whose writer ended before the log went into the file."""
    root = tmp_path_factory.mktemp("killed") / "home"
    process = subprocess.run([sys.executable, "-c", WRITER, str(root)], check=False)
    assert process.returncode == 9
    return root


@pytest.fixture
def home(killed: Path, tmp_path: Path) -> DataDirectory:
    shutil.copytree(killed, tmp_path / "home")
    return DataDirectory(tmp_path / "home")


def kept(home: DataDirectory, now: datetime) -> int:
    """How many bodies the store knows of."""
    with writer_lock(home, "test", now), Store.open(home) as store:
        row = store.connection.execute("SELECT count(*) FROM retrieval").fetchone()
    assert row is not None
    return int(row[0])


def entries(log: bytes) -> list[int]:
    """Where each entry begins, found from the end of the header on by the lengths."""
    at = log.index(b"\xff\xff") + 2
    found = []
    while at < len(log):
        found.append(at)
        at += LEAST + int.from_bytes(log[at : at + 8], "little")
    assert at == len(log)
    return found


def test_what_a_killed_writer_had_stored_is_there(home: DataDirectory, now: datetime) -> None:
    assert kept(home, now) == KEPT


def test_an_entry_cut_off_anywhere_is_dropped_and_the_rest_is_there(
    home: DataDirectory, killed: Path, now: datetime
) -> None:
    log = log_of(home.live)
    whole = log.read_bytes()
    for cut in range(0, len(whole), len(whole) // 12):
        shutil.copy2(killed / home.live.name, home.live)
        log.write_bytes(whole[:cut])
        assert 0 <= kept(home, now) <= KEPT
    for cut in range(len(whole)):
        log.write_bytes(whole[:cut])
        refuse_damaged_log(home.live)


def test_random_bytes_are_damage_wherever_they_stand(
    home: DataDirectory, now: datetime
) -> None:
    log = log_of(home.live)
    whole = log.read_bytes()
    places = entries(whole)
    noise = np.random.default_rng(2).bytes(len(whole))
    damaged = {
        "all": noise,
        "the first bytes": noise[:8] + whole[8:],
        "which file it is of": patched(whole, 12, bytes([whole[12] ^ 1])),
        "a length in the middle": patched(whole, places[len(places) // 2], noise[:8]),
        "all lengths": patched(whole, places[0], b"\xff" * 8),
        "a sum": patched(whole, places[2] + 8, noise[:8]),
        "a body": patched(whole, places[3] + 20, noise[:4]),
        "half of it": whole[: places[4]] + noise[places[4] :],
        "text": b"not a log\n" * 20,
        "zeros": bytes(len(whole)),
    }
    for name, content in damaged.items():
        log.write_bytes(content)
        with pytest.raises(Damaged, match="restore"):
            kept(home, now)
        assert log.read_bytes() == content, name
    log.write_bytes(whole)
    assert kept(home, now) == KEPT


def patched(whole: bytes, at: int, new: bytes) -> bytes:
    return whole[:at] + new + whole[at + len(new) :]


def test_the_longest_entry_that_counts_as_cut_off(home: DataDirectory) -> None:
    log = log_of(home.live)
    whole = log.read_bytes()
    for length, fine in ((MOST, True), (MOST + 1, False)):
        log.write_bytes(patched(whole, entries(whole)[-1], length.to_bytes(8, "little")))
        if fine:
            refuse_damaged_log(home.live)
        else:
            with pytest.raises(Damaged, match=f"an entry of {length} bytes"):
                refuse_damaged_log(home.live)


def test_the_log_of_another_duckdb_version_is_left_to_duckdb(home: DataDirectory) -> None:
    log = log_of(home.live)
    whole = log.read_bytes()
    log.write_bytes(patched(whole, 5, b"\x07"))
    refuse_damaged_log(home.live)
