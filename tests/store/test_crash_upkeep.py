"""kill -9 while a store is migrated, and while raw responses are pruned."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl
import pytest

from gridtide_store.check import check
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.database import attach, connect
from gridtide_store.opening import load, migrate, version
from gridtide_store.raw_responses import FOLDERS, prune_raw
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION
from tests.store.test_migrations import ROWS, SIGNAL

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATER = START + 100 * DAY
BODIES = 300
KILLED_AFTER = (1, 3, 2)

# The last statement never ends, so the process is killed with its migration open.
MIGRATING = """
import sys
from dataclasses import replace
from pathlib import Path
from gridtide_store.data_directory import DataDirectory
from gridtide_store.opening import load
from gridtide_store.store import Store

number = int(sys.argv[2])
endless = "SELECT sum(a.range + b.range) FROM range(10000000) a, range(10000000) b;"
steps = [replace(each, sql=each.sql + endless) if each.number == number else each
         for each in load()]
print("begins", flush=True)
Store.open(DataDirectory(Path(sys.argv[1])), steps)
"""

PRUNING = """
import sys
from datetime import datetime
from pathlib import Path
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.raw_responses import prune_raw
from gridtide_store.store import Store

home, later = DataDirectory(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2])
with writer_lock(home, "pruning", later), Store.open(home) as store:
    while True:
        print(prune_raw(store.connection, home.raw, later, later, most=7).bodies, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2, len(load()) + 1))
def test_a_migration_that_is_killed_is_done_again_from_the_version_before(
    home: DataDirectory, number: int
) -> None:
    home.root.mkdir()
    connection = connect()
    attach(connection, home.live, "live", read_only=False)
    connection.execute("USE live")
    migrate(connection, load()[: number - 1], who="test")
    connection.execute(ROWS[number - 1])
    connection.close()
    process = subprocess.Popen(
        [sys.executable, "-c", MIGRATING, str(home.root), str(number)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    while process.poll() is None and not _is_locked(home):
        time.sleep(0.01)
    time.sleep(0.5)  # in the statement that does not end
    process.kill()
    process.communicate()
    day = START.replace(hour=0)
    with Store.open(home) as store:
        assert version(store.connection) == len(load())
        history = store.history("DE", SIGNAL, day, day + DAY, as_of=LATER)
        assert history["value"].to_list() == [5.5]


def _is_locked(home: DataDirectory) -> bool:
    """Whether the other process has the file open."""
    try:
        duckdb.connect(str(home.live), read_only=True).close()
    except duckdb.Error:
        return True
    return False


@pytest.mark.slow
def test_pruning_that_is_killed_loses_no_body_that_is_kept_and_leaves_none_for_good(
    home: DataDirectory,
) -> None:
    with writer_lock(home, "test", START), Store.open(home) as store:
        for number in range(1, BODIES + 1):
            store.keep("a", f"/{number}", b"body %d" % number, START + number * HOUR)
        # Every tenth one gave a value that is served.
        served = range(10, BODIES + 1, 10)
        slots = [START + number * HOUR for number in served]
        store.append(
            pl.DataFrame(
                {
                    "zone": "DE",
                    "signal": SIGNAL,
                    "source": "a",
                    "slot_start": slots,
                    "slot_end": [each + HOUR for each in slots],
                    "value": 1.0,
                    "quality": "measured",
                    "known_at": START + 30 * DAY,
                    "retrieval_id": list(served),
                },
                schema=OBSERVATION,
            )
        )
    for rounds in KILLED_AFTER:
        process = subprocess.Popen(
            [sys.executable, "-c", PRUNING, str(home.root), LATER.isoformat()],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        for _ in range(rounds):
            assert process.stdout.readline()
        process.kill()
        process.communicate()
        assert check(home, LATER) == []
    with writer_lock(home, "test", LATER), Store.open(home) as store:
        for _ in range(FOLDERS):
            prune_raw(store.connection, home.raw, LATER, LATER)
        kept = store.connection.execute(
            "SELECT id, kept_as FROM retrieval WHERE expired_at IS NULL ORDER BY id"
        ).fetchall()
    firsts = [(number, kind) for number, kind in kept if kind == "first"]
    assert len(firsts) == 1 + BODIES * HOUR // DAY
    assert {number for number, kind in kept if kind == "served"} | {
        number for number, _ in firsts
    } == {*served, *(number for number, _ in firsts)}
    assert len(list(home.raw.glob("??/*.gz"))) == len(kept)
    assert check(home, LATER) == []
