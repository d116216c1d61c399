"""kill -9 in import, publish, backup and restore: done as a whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from gridtide_store.backup import restore
from gridtide_store.data_directory import DataDirectory
from gridtide_store.store import Store
from tests.faults.test_full_disk import PATIENCE, gridtide, import_words, mix

pytestmark = [
    pytest.mark.faults,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX"),
]

HOURS = 20_000


def killed(
    home: Path, moment: datetime, words: tuple[str, ...], reached: Path, wait: float
) -> None:
    """Start a command and kill it `wait` seconds after `reached` is there, or when it ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gridtide", *words],
        env={**os.environ, "GRIDTIDE_HOME": str(home), "GRIDTIDE_NOW": moment.isoformat()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + PATIENCE
    while process.poll() is None and not any(reached.parent.glob(reached.name)):
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.002)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)


def rows(home: Path) -> int:
    with Store.open(DataDirectory(home)) as store:
        row = store.connection.execute("SELECT count(*) FROM observation").fetchone()
    assert row is not None
    return int(row[0])


def test_killed_commands_leave_all_or_nothing(tmp_path: Path, moment: datetime) -> None:
    draw = random.Random(7)  # noqa: S311  # the same moments each time
    home, copy, again = tmp_path / "home", tmp_path / "copy", tmp_path / "again"
    file = mix(tmp_path / "mix.csv", moment, HOURS)
    whole = import_words(file)
    for _ in range(3):
        killed(home, moment, whole, home / "live.duckdb", draw.uniform(0, 0.8))
        # Each fuel of each hour, with what was derived from them or without.
        stored = rows(home)
        assert stored == 0 or stored >= 2 * HOURS
    assert gridtide(home, moment, *whole).returncode == 0
    stored = rows(home)
    for _ in range(3):
        killed(home, moment, ("publish",), home / "snapshots" / ".*", draw.uniform(0, 0.3))
    assert gridtide(home, moment, "publish").returncode == 0
    assert not list((home / "snapshots").glob(".*"))
    for _ in range(3):
        killed(home, moment, ("backup", str(copy)), tmp_path / ".copy.*", draw.uniform(0, 0.2))
        if copy.exists():
            break
    if not copy.exists():
        assert gridtide(home, moment, "backup", str(copy)).returncode == 0
    assert not list(tmp_path.glob(".copy.*"))
    for _ in range(3):
        killed(
            again, moment, ("restore", str(copy)), again / ".restore-*", draw.uniform(0, 0.2)
        )
        if (again / "live.duckdb").exists():
            break
    if not (again / "live.duckdb").exists():
        restore(copy, DataDirectory(again), moment)
    assert rows(home) == rows(again) == stored
    for root in (home, again):
        checked = gridtide(root, moment, "check")
        assert checked.returncode == 0, checked.stdout
