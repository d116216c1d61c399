"""kill -9 at arbitrary moments: what was acknowledged is there, the rest is not."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridtide_store.check import check
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.manifest import name_base
from gridtide_store.pointer import current_snapshot
from gridtide_store.publish import publish
from gridtide_store.snapshot import Snapshot
from gridtide_store.store import Store

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
SIGNAL = "ci_lifecycle_produced"
# Enough rows for an insertion to take a while, and to be written past the log.
ROWS = 20_000
# Rounds the writer may finish before each kill.
KILLED_AFTER = (1, 2, 1, 3, 1)

# Says what is done after it is done; each round revises all slots of one zone.
WRITER = f"""
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
import polars as pl
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.publish import Rebase, publish
from gridtide_store.store import Store

home, publishes = DataDirectory(Path(sys.argv[1])), sys.argv[2] == "publish"
start = datetime(2026, 3, 2, tzinfo=UTC)
slots = pl.DataFrame({{"number": range({ROWS})}}).select(
    zone=pl.lit("DE"), signal=pl.lit("{SIGNAL}"), source=pl.lit("a"),
    slot_start=start + timedelta(hours=1) * pl.col("number"),
    slot_end=start + timedelta(hours=1) * (pl.col("number") + 1),
)
with writer_lock(home, "writer", start), Store.open(home) as store:
    ledger = Ledger(home.ledger)
    while True:
        round = store.cut + 1
        store.append(slots.with_columns(
            value=pl.lit(float(round)), quality=pl.lit("measured"),
            known_at=start + timedelta(hours=round), retrieval_id=pl.lit(
                store.keep("a", f"/{{round}}", b"body %d" % round, start), pl.Int64),
        ).with_columns(pl.col("slot_start", "slot_end", "known_at").dt.cast_time_unit("us")))
        if publishes:
            publish(store, ledger, home, start + timedelta(hours=round), replay=False,
                    trust=lambda zone: (), rebase=Rebase(age=timedelta(hours=2)))
        print(round, flush=True)
"""


def acknowledged(home: DataDirectory, what: str, rounds: int) -> int:
    """Let a writer work, kill it some time after `rounds` rounds; what it said it had done."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home.root), what],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(rounds)]
    process.kill()
    rest, _ = process.communicate()
    return max([*said, *map(int, rest.split())])


@pytest.mark.slow
def test_killed_in_mid_append_five_times_the_store_has_whole_batches_and_all_acknowledged(
    home: DataDirectory,
) -> None:
    for rounds in KILLED_AFTER:
        done = acknowledged(home, "append", rounds)
        with writer_lock(home, "test", START), Store.open(home) as store:
            batches = store.connection.execute(
                "SELECT batch, count(*), count(DISTINCT value) FROM observation "
                "GROUP BY batch ORDER BY batch"
            ).fetchall()
            bodies = store.connection.execute("SELECT id FROM retrieval").fetchall()
            # One more than was acknowledged may have been done.
            assert store.cut in (done, done + 1)
            assert batches == [(number, ROWS, 1) for number in range(1, store.cut + 1)]
            for (number,) in bodies:
                assert store.body(number).startswith(b"body ")
    assert check(home, START + HOUR * 1000) == []


@pytest.mark.slow
def test_killed_in_mid_publish_five_times_the_pointer_names_a_whole_snapshot(
    home: DataDirectory,
) -> None:
    for rounds in KILLED_AFTER:
        done = acknowledged(home, "publish", rounds)
        folder = current_snapshot(home)
        assert folder is not None
        with Snapshot.open(folder) as snapshot:
            found = snapshot.observations("DE", SIGNAL, START, START + HOUR * ROWS)
        assert len(found.value) == ROWS
        assert set(found.value.tolist()) in ({float(done)}, {float(done + 1)})
    assert check(home, START + HOUR * 1000) == []
    with writer_lock(home, "test", START), Store.open(home) as store:
        publish(
            store,
            Ledger(home.ledger),
            home,
            START + HOUR * 1000,
            replay=False,
            trust=lambda zone: (),
        )
    folder = current_snapshot(home)
    assert folder is not None
    years = sorted(path.name for path in folder.glob("base-*"))
    assert years == [name_base(year) for year in (2026, 2027, 2028)]
    assert not [path for path in Path(home.snapshots).iterdir() if path.name.startswith(".")]
    assert len(list(home.snapshots.iterdir())) == 3
