"""A snapshot belongs to its store, and knowledge time to the clock that was right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_store import publish as publishing
from gridtide_store.check import check
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.manifest import name_base, read
from gridtide_store.opening import refuse_without_store
from gridtide_store.pointer import current_snapshot
from gridtide_store.publish import publish
from gridtide_store.snapshot import Snapshot
from gridtide_store.store import Store
from tests.final_days import final_days

SIGNAL = "ci_lifecycle_produced"
BASE = name_base(2026)  # the year of `now`
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Frame = Callable[..., pl.DataFrame]


def publish_with(
    home: DataDirectory, rows: pl.DataFrame | None, now: datetime, *, new: bool = False
) -> Path:
    """Append to the store of `home` and publish; the folder."""
    with writer_lock(home, "test", now), Store.open(home, new=new) as store:
        if rows is not None:
            store.append(rows)
        name = publish(
            store, Ledger(home.ledger), home, now, replay=False, trust=lambda zone: ()
        )
    return home.snapshots / name


def values(folder: Path, now: datetime, zone: str = "DE") -> list[float]:
    with Snapshot.open(folder) as snapshot:
        return [float(v) for v in snapshot.observations(zone, SIGNAL, now, now + DAY).value]


def test_a_new_store_does_not_answer_with_the_base_of_the_lost_one(
    home: DataDirectory, slots: Frame, now: datetime
) -> None:
    first = publish_with(home, slots([1.0, 2.0], now, zone="US-MIDA-PJM"), now)
    home.live.unlink()
    with pytest.raises(BadInput, match=r"live\.duckdb is missing.*--new-store"):
        Store.open(home)
    with pytest.raises(BadInput, match="gridtide restore"):
        refuse_without_store(home)
    assert not home.live.exists()
    (finding,) = [f for f in check(home, now + DAY) if f.path == str(home.live)]
    assert finding.problem == "is missing"
    second = publish_with(home, slots([9.0, 8.0], now, zone="US-NE-ISNE"), now, new=True)
    assert values(second, now, "US-NE-ISNE") == [9.0, 8.0]
    assert values(second, now, "US-MIDA-PJM") == []
    assert read(first).store != read(second).store
    found = [f for f in check(home, now + DAY) if "another store" in f.problem]
    assert [f.path for f in found] == [str(first)]


def test_a_store_gone_back_to_an_earlier_state_does_not_link_what_it_never_held(
    home: DataDirectory, slots: Frame, now: datetime, tmp_path: Path
) -> None:
    publish_with(home, slots([1.0], now), now)
    shutil.copy(home.live, tmp_path / "older")
    later = publish_with(home, slots([2.0], now + HOUR), now + HOUR)
    base_later = publish_with(home, slots([3.0], now + 2 * HOUR), now + DAY)
    assert (later / BASE).stat().st_ino != (base_later / BASE).stat().st_ino
    shutil.copy(tmp_path / "older", home.live)
    assert "newer than the store" in " ".join(f.problem for f in check(home, now + 3 * DAY))
    # As many insertions as before, and other ones.
    with writer_lock(home, "test", now), Store.open(home) as store:
        store.append(slots([7.0], now + HOUR))
        store.append(slots([6.0], now + 2 * HOUR))
    folder = publish_with(home, None, now + DAY)
    assert values(folder, now) == [6.0]
    # The history of what was believed is that of this store too.
    with Snapshot.open(folder) as snapshot:
        found = snapshot.observations("DE", SIGNAL, now, now + DAY, as_of=now + HOUR)
    assert found.value.tolist() == [7.0]


def test_what_a_lost_store_had_settled_is_requested_again(
    home: DataDirectory, slots: Frame, now: datetime
) -> None:
    publish_with(home, slots([1.0], now), now)
    ledger = Ledger(home.ledger)
    day = now.date()
    ledger.record_answers("eia", "generation", complete=[("GB", day)], silent={}, now=now)
    Store.open(home).close()
    assert final_days(ledger, "eia", "generation") == {"GB": {day}}
    home.live.unlink()
    Store.open(home, new=True).close()
    assert final_days(ledger, "eia", "generation") == {}


def test_where_there_is_no_store_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no store; look at --home"):
        refuse_without_store(DataDirectory(tmp_path / "mistyped"))
    assert not (tmp_path / "mistyped").exists()


def test_the_snapshot_has_its_name_on_the_disk_before_the_pointer_moves(
    home: DataDirectory, slots: Frame, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, write = publishing.sync_folder, publishing.write_durably

    def synced(folder: Path) -> None:
        sync(folder)
        named = list(home.snapshots.glob("[!.]*"))
        done.append(f"sync {folder.name} with {len(named)}")

    def written(path: Path, content: bytes) -> None:
        done.append(f"write {path.name}")
        write(path, content)

    monkeypatch.setattr(publishing, "sync_folder", synced)
    monkeypatch.setattr(publishing, "write_durably", written)
    folder = publish_with(home, slots([1.0], now), now)
    assert done == [
        f"sync .{folder.name}.partial with 0",
        "sync snapshots with 1",
        "write CURRENT",
    ]


def test_a_clock_that_was_set_back_never_takes_knowledge_back(
    home: DataDirectory, slots: Frame, now: datetime
) -> None:
    with writer_lock(home, "test", now), Store.open(home) as store:
        ahead = now + 5 * HOUR
        store.append(slots([1.0, 2.0], ahead), received=True)
        assert store.append(slots([3.0, 2.0], now), received=True) == 1
        assert store.raised == {"a": 1}
        found = store.history("DE", SIGNAL, now, now + DAY, as_of=now + DAY)
        assert found["value"].to_list() == [3.0, 2.0]
        assert found["known_at"][0] == ahead + timedelta(microseconds=1)
        # What was believed at the earlier moment has not changed.
        then = store.history("DE", SIGNAL, now, now + DAY, as_of=ahead)
        assert then["value"].to_list() == [1.0, 2.0]
        with pytest.raises(BadInput, match="not earlier"):
            store.append(slots([4.0], now))
    problems = [finding.problem for finding in check(home, now)]
    assert any("ahead of now" in problem for problem in problems)
    assert check(home, now + 6 * HOUR) == []


def test_what_a_clock_ahead_stored_is_answered_at_once_and_new_runs_win(
    home: DataDirectory, slots: Frame, steps: Frame, now: datetime
) -> None:
    with writer_lock(home, "test", now), Store.open(home) as store:
        ledger = Ledger(home.ledger)
        store.append(slots([1.0], now + 5 * HOUR), received=True)
        store.append_forecasts(steps([10.0], now + 5 * HOUR))
        store.append(slots([3.0], now), received=True)
        store.append_forecasts(steps([30.0], now))
        name = publish(store, ledger, home, now, replay=False, trust=lambda zone: ())
        replayed = publish(store, ledger, home, now, replay=True, trust=lambda zone: ())
    with Snapshot.open(home.snapshots / name) as snapshot:
        found = snapshot.observations("DE", SIGNAL, now, now + DAY, as_of=now)
        run = snapshot.run("DE", SIGNAL, as_of=now)
        assert found.value.tolist() == [3.0]
        assert run is not None
        assert run.p50.tolist() == [30.0]
        assert snapshot.series[0].newest_known_at == now
        # A question of the past sees what was known then, by the clock of then.
        past = snapshot.observations("DE", SIGNAL, now, now + DAY, as_of=now - HOUR)
        assert past.value.tolist() == []
    with Snapshot.open(home.snapshots / replayed) as snapshot:
        # In a replay what is known later is the future.
        assert (
            snapshot.observations("DE", SIGNAL, now, now + DAY, as_of=now).value.tolist() == []
        )


def test_a_damaged_pointer_leads_to_the_newest_whole_snapshot(
    home: DataDirectory, slots: Frame, now: datetime
) -> None:
    first = publish_with(home, slots([1.0], now), now)
    second = publish_with(home, slots([2.0], now + HOUR), now + HOUR)
    home.current.unlink()
    assert current_snapshot(home) == second
    (second / "delta.duckdb").write_bytes(b"")
    assert current_snapshot(home) == first
    third = publish_with(home, None, now + 2 * HOUR)
    assert current_snapshot(home) == third
    assert home.current.read_text() == f"{third.name}\n"
