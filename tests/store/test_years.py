"""The base of a snapshot by year: linked where nothing changed, and read where it is needed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from gridtide_store import manifest as manifests
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.errors import Damaged
from gridtide_store.ledger import Ledger
from gridtide_store.manifest import DELTA, RUNS, name_base
from gridtide_store.publish import Rebase, publish
from gridtide_store.snapshot import Snapshot
from gridtide_store.store import Store
from tests.store.older import make_older

SIGNAL = "ci_lifecycle_produced"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ANEW = Rebase(age=timedelta(0))
# Three hours around the turn of each of these years, the last of them before `now`.
TURNS = [datetime(year, 12, 31, 22, tzinfo=UTC) for year in (2023, 2024)]
YEARS = [name_base(year) for year in (2023, 2024, 2025)]

Frame = Callable[..., pl.DataFrame]
Publish = Callable[..., str]


@pytest.fixture
def published(
    store: Store, slots: Frame, steps: Frame, publish_at: Publish, now: datetime
) -> str:
    for number, turn in enumerate(TURNS):
        store.append(slots([10.0 * number + hour for hour in range(4)], now, start=turn))
    store.append_forecasts(steps([7.0], now))
    return publish_at(now)


def inodes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in folder.iterdir()}


def values(folder: Path, start: datetime, end: datetime, **how: datetime) -> list[float]:
    with Snapshot.open(folder) as snapshot:
        return snapshot.observations("DE", SIGNAL, start, end, **how).value.tolist()


def test_each_year_in_which_a_slot_starts_has_a_file(
    home: DataDirectory, published: str
) -> None:
    folder = home.snapshots / published
    assert sorted(path.name for path in folder.glob("base*")) == YEARS
    for year, rows in zip(YEARS, (2, 4, 2), strict=True):
        with duckdb.connect(folder / year, read_only=True) as connection:
            assert connection.execute("SELECT count(*) FROM belief").fetchone() == (rows,)


def test_a_range_over_several_years_is_read_from_all_of_them(
    home: DataDirectory, published: str
) -> None:
    folder = home.snapshots / published
    turn = TURNS[0]
    assert values(folder, turn, turn + 4 * HOUR) == [0.0, 1.0, 2.0, 3.0]
    assert values(folder, turn + 2 * HOUR, turn + 4 * HOUR) == [2.0, 3.0]
    assert values(folder, turn, turn + 2 * HOUR) == [0.0, 1.0]
    long_ago, far = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
    assert values(folder, long_ago, far) == [0.0, 1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 13.0]
    assert values(folder, long_ago, turn) == []
    assert values(folder, far - DAY, far) == []


def test_only_a_year_that_changed_is_written_again(
    home: DataDirectory,
    store: Store,
    slots: Frame,
    publish_at: Publish,
    published: str,
    now: datetime,
) -> None:
    first = inodes(home.snapshots / published)
    turn = TURNS[1]
    store.append(slots([99.0], now + HOUR, start=turn))
    # What is not published changes no base.
    store.append(slots([99.0], now + HOUR, start=TURNS[0], signal="generation_wind"))
    second = publish_at(now + HOUR, rebase=ANEW)
    there = inodes(home.snapshots / second)
    changed = {name for name in first if first[name] != there[name]}
    assert changed == {YEARS[1], RUNS, DELTA, manifests.NAME}
    folder = home.snapshots / second
    assert values(folder, turn, turn + 4 * HOUR) == [99.0, 11.0, 12.0, 13.0]
    assert values(folder, turn, turn + 4 * HOUR, as_of=now) == [10.0, 11.0, 12.0, 13.0]
    with duckdb.connect(folder / DELTA, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM belief").fetchone() == (0,)


def test_a_new_year_gets_a_file_and_leaves_the_others(
    home: DataDirectory,
    store: Store,
    slots: Frame,
    publish_at: Publish,
    published: str,
    now: datetime,
) -> None:
    first = inodes(home.snapshots / published)
    store.append(slots([5.0], now + HOUR))
    second = publish_at(now + HOUR)
    assert name_base(2026) not in inodes(home.snapshots / second)
    assert values(home.snapshots / second, now, now + DAY) == [5.0]
    third = publish_at(now + HOUR, rebase=ANEW)
    there = inodes(home.snapshots / third)
    assert name_base(2026) in there
    assert {name: there[name] for name in YEARS} == {name: first[name] for name in YEARS}
    assert values(home.snapshots / third, now, now + DAY) == [5.0]


@pytest.mark.parametrize("name", [YEARS[0], YEARS[2], RUNS])
@pytest.mark.parametrize("harm", ["other content", "missing", "of another store"])
def test_a_damaged_file_of_the_base_is_refused_and_written_again(
    home: DataDirectory,
    store: Store,
    slots: Frame,
    publish_at: Publish,
    published: str,
    now: datetime,
    tmp_path: Path,
    name: str,
    harm: str,
) -> None:
    folder = home.snapshots / published
    first = inodes(folder)
    path = folder / name
    if harm == "other content":
        content = bytearray(path.read_bytes())
        content[-1] ^= 0xFF
        path.write_bytes(content)
    elif harm == "missing":
        path.unlink()
    else:
        path.unlink()
        other = another_store(tmp_path, slots, now)
        shutil.copy(other / (name if name == RUNS else YEARS[0]), path)
    with pytest.raises(Damaged, match="gridtide publish"):
        Snapshot.open(folder)
    second = home.snapshots / publish_at(now + HOUR)
    assert values(second, TURNS[0], TURNS[0] + 4 * HOUR) == [0.0, 1.0, 2.0, 3.0]
    if harm == "other content":  # else the snapshot before is not one to link from
        there = inodes(second)
        assert there[name] != first[name]
        assert {each for each in YEARS if there[each] == first[each]} == {*YEARS} - {name}


def another_store(tmp_path: Path, slots: Frame, now: datetime) -> Path:
    """Publish a store of its own with other values of the same years; the folder."""
    home = DataDirectory(tmp_path / "other")
    with writer_lock(home, "test", now), Store.open(home) as store:
        store.append(slots([-1.0] * 4, now, start=TURNS[0]))
        name = publish(
            store, Ledger(home.ledger), home, now, replay=False, trust=lambda zone: ()
        )
    return home.snapshots / name


def test_the_years_of_another_store_are_not_linked(
    home: DataDirectory, store: Store, slots: Frame, published: str, now: datetime
) -> None:
    before = inodes(home.snapshots / published)
    store.close()
    home.live.unlink()
    with Store.open(home, new=True) as other:
        other.append(slots([-1.0] * 4, now, start=TURNS[0]))
        name = publish(
            other, Ledger(home.ledger), home, now, replay=False, trust=lambda zone: ()
        )
    folder = home.snapshots / name
    assert values(folder, TURNS[0], TURNS[0] + 4 * HOUR) == [-1.0] * 4
    assert values(folder, TURNS[1], TURNS[1] + 4 * HOUR) == []
    assert not set(inodes(folder).values()) & set(before.values())


@pytest.mark.parametrize("number", [1, 2])
def test_a_snapshot_with_one_base_is_read_and_made_anew_once(
    home: DataDirectory,
    store: Store,
    slots: Frame,
    publish_at: Publish,
    published: str,
    now: datetime,
    number: int,
) -> None:
    folder = home.snapshots / published
    make_older(folder, number)
    turn = TURNS[0]
    assert values(folder, turn, turn + 4 * HOUR) == [0.0, 1.0, 2.0, 3.0]
    with Snapshot.open(folder) as snapshot:
        snapshot.probe()
        run = snapshot.run("DE", SIGNAL, as_of=now, model="weekly@1")
        assert run is not None
        assert run.p50.tolist() == [7.0]
    second = home.snapshots / publish_at(now + HOUR)
    assert sorted(path.name for path in second.glob("base*")) == YEARS
    assert values(second, turn, turn + 4 * HOUR) == [0.0, 1.0, 2.0, 3.0]
    third = home.snapshots / publish_at(now + HOUR)
    assert [inodes(second)[name] for name in YEARS] == [inodes(third)[name] for name in YEARS]
