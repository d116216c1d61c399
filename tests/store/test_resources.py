"""The database keeps to the memory and the threads that it was given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from gridtide_store.data_directory import DataDirectory, Resources, writer_lock
from gridtide_store.errors import Unusable
from gridtide_store.ledger import Ledger
from gridtide_store.publish import publish
from gridtide_store.snapshot import Snapshot
from gridtide_store.store import Store

SETTINGS = "SELECT current_setting('memory_limit'), current_setting('threads')"
SMALL = Resources(memory_mb=100, threads=3)
# More than fits, and nothing that could be put aside.
MUCH = "SELECT list(i) FROM range(30_000_000) t(i)"


def test_a_store_and_a_snapshot_keep_to_what_they_were_given(
    tmp_path: Path, slots: Callable[..., pl.DataFrame], now: datetime
) -> None:
    home = DataDirectory(tmp_path / "home", SMALL)
    with writer_lock(home, "test", now), Store.open(home) as store:
        store.append(slots([1.0], now))
        name = publish(
            store, Ledger(home.ledger), home, now, replay=False, trust=lambda zone: ()
        )
        assert store.connection.execute(SETTINGS).fetchone() == ("95.3 MiB", 3)
    with Snapshot.open(home.snapshots / name, home.resources) as snapshot:
        # Requests run in threads of their own, so each query has one.
        assert snapshot._connection.execute(SETTINGS).fetchone() == ("95.3 MiB", 1)


def test_a_query_that_needs_more_ends_with_the_remedy(tmp_path: Path, now: datetime) -> None:
    home = DataDirectory(tmp_path / "home", SMALL)
    with (
        pytest.raises(Unusable, match=r"not enough memory.*raise GRIDTIDE_MEMORY_MB"),
        writer_lock(home, "test", now),
        Store.open(home) as store,
    ):
        store.connection.execute(MUCH).fetchall()
