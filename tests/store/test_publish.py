"""Publishing: immutable folders, linked where nothing changed, the pointer last."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_store import staging
from gridtide_store.data_directory import DataDirectory
from gridtide_store.errors import Damaged, NewerHome
from gridtide_store.ledger import Ledger
from gridtide_store.manifest import DELTA, RUNS, name_base
from gridtide_store.pointer import current_snapshot
from gridtide_store.publish import Rebase, publish
from gridtide_store.records import Facts
from gridtide_store.snapshot import Snapshot
from gridtide_store.store import Store
from gridtide_store.vocabulary import QUALITIES

SIGNAL = "ci_lifecycle_produced"
BASE = name_base(2026)  # the year of `now`
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Frame = Callable[..., pl.DataFrame]
Publish = Callable[..., str]


def inodes(home: DataDirectory, snapshot: str) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in (home.snapshots / snapshot).iterdir()}


def kept(home: DataDirectory) -> set[str]:
    return {path.name for path in home.snapshots.iterdir()}


def read(home: DataDirectory, now: datetime, **how: datetime) -> list[float]:
    folder = current_snapshot(home)
    assert folder is not None
    with Snapshot.open(folder) as snapshot:
        found = snapshot.observations("DE", SIGNAL, now - DAY, now + DAY, **how)
    return [float(value) for value in found.value]


def test_before_the_first_publication_there_is_nothing_to_read(home: DataDirectory) -> None:
    assert current_snapshot(home) is None


def test_an_empty_store_can_be_published(
    home: DataDirectory, publish_at: Publish, now: datetime
) -> None:
    name = publish_at(now)
    with Snapshot.open(home.snapshots / name) as snapshot:
        assert snapshot.series == ()
        assert snapshot.observations("DE", SIGNAL, now, now + DAY).value.tolist() == []
        assert snapshot.run("DE", SIGNAL, as_of=now) is None


def test_the_pointer_names_the_newest_and_each_has_a_name_of_its_own(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append(slots([1.0], now))
    first, second = publish_at(now), publish_at(now)
    assert first != second
    assert home.current.read_text() == f"{second}\n"
    assert current_snapshot(home) == home.snapshots / second
    with Snapshot.open(home.snapshots / second) as snapshot:
        assert (snapshot.id, snapshot.published_at, snapshot.replay) == (second, now, False)


def test_a_publication_at_another_time_says_so(
    home: DataDirectory, publish_at: Publish, now: datetime
) -> None:
    with Snapshot.open(home.snapshots / publish_at(now, replay=True)) as snapshot:
        assert snapshot.replay is True


def test_what_did_not_change_is_linked_and_what_did_is_not(
    home: DataDirectory,
    store: Store,
    slots: Frame,
    steps: Frame,
    publish_at: Publish,
    now: datetime,
) -> None:
    store.append(slots([1.0], now))
    store.append_forecasts(steps([1.0], now))
    first = inodes(home, publish_at(now))
    second = inodes(home, publish_at(now))
    matrix = f"{SIGNAL}_3600s.npy"
    assert {name for name in first if first[name] == second[name]} == {
        BASE,
        RUNS,
        DELTA,
        matrix,
    }
    store.append(slots([2.0], now + HOUR))
    third = inodes(home, publish_at(now + HOUR))
    assert {name for name in second if second[name] == third[name]} == {BASE, RUNS, matrix}
    store.append_forecasts(steps([2.0], now + HOUR))
    fourth = inodes(home, publish_at(now + HOUR))
    assert {name for name in third if third[name] == fourth[name]} == {BASE, RUNS}


def test_files_are_copied_where_links_do_not_work(
    home: DataDirectory,
    store: Store,
    slots: Frame,
    publish_at: Publish,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_links(*_: object) -> None:
        raise OSError("this file system has none")

    store.append(slots([1.0], now))
    first = publish_at(now)
    monkeypatch.setattr(staging.os, "link", no_links)
    second = publish_at(now)
    assert inodes(home, first)[BASE] != inodes(home, second)[BASE]
    assert read(home, now) == [1.0]


@pytest.mark.parametrize(
    ("rebase", "later", "anew"),
    [
        (Rebase(age=DAY), DAY - HOUR, False),
        (Rebase(age=DAY), DAY, True),
        (Rebase(age=10 * DAY, rows=2), HOUR, False),
        (Rebase(age=10 * DAY, rows=1), HOUR, True),
    ],
)
def test_the_base_is_written_anew_when_it_is_old_or_the_delta_long(
    home: DataDirectory,
    store: Store,
    slots: Frame,
    publish_at: Publish,
    now: datetime,
    rebase: Rebase,
    later: timedelta,
    anew: bool,  # noqa: FBT001  # a case
) -> None:
    store.append(slots([1.0], now))
    first = publish_at(now, rebase=rebase)
    store.append(slots([2.0, 3.0], now + HOUR))
    second = publish_at(now + later, rebase=rebase)
    assert (inodes(home, first)[BASE] != inodes(home, second)[BASE]) is anew
    assert read(home, now) == [2.0, 3.0]
    assert read(home, now, as_of=now) == [1.0]


@pytest.mark.parametrize("change", ["fewer", "in another order", "none"])
def test_the_base_is_written_anew_when_the_words_of_quality_change(
    home: DataDirectory,
    store: Store,
    slots: Frame,
    publish_at: Publish,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    """A base holds numbers that stand for words: those of another version say other things."""
    words = tuple(QUALITIES)
    earlier = {"fewer": words[:-1], "in another order": words[::-1], "none": words}[change]
    store.append(slots([1.0], now))
    with monkeypatch.context() as version:
        version.setattr("gridtide_store.publish.QUALITIES", earlier)
        first = publish_at(now)
    second = publish_at(now)
    anew = inodes(home, first)[BASE] != inodes(home, second)[BASE]
    assert anew is (change != "none")
    again = json.loads((home.snapshots / second / "manifest.json").read_text())
    assert again["qualities"] == list(words)
    assert read(home, now) == [1.0]


def test_steps_of_forecasts_count_for_the_length_of_the_delta(
    home: DataDirectory, store: Store, steps: Frame, publish_at: Publish, now: datetime
) -> None:
    first = publish_at(now)
    store.append_forecasts(steps([1.0, 2.0], now))
    second = publish_at(now, rebase=Rebase(rows=1))
    assert inodes(home, first)[RUNS] != inodes(home, second)[RUNS]


def test_three_snapshots_are_kept_and_older_ones_removed(
    home: DataDirectory, publish_at: Publish, now: datetime
) -> None:
    names = [publish_at(now + HOUR * hour) for hour in range(5)]
    assert kept(home) == set(names[2:])


def test_which_snapshots_are_kept_goes_by_publication_not_by_the_clock(
    home: DataDirectory, publish_at: Publish, now: datetime
) -> None:
    names = [publish_at(now - DAY * day, replay=True) for day in range(4)]
    assert kept(home) == set(names[1:])
    assert current_snapshot(home) == home.snapshots / names[-1]


def test_what_a_dead_publisher_left_is_swept_by_the_next(
    home: DataDirectory, publish_at: Publish, now: datetime
) -> None:
    first = publish_at(now)
    partial = home.snapshots / ".20260302T120000Z-0.partial"
    unnamed = home.snapshots / "20260302T120000Z-unnamed"
    for left in (partial, unnamed):
        left.mkdir()
        (left / BASE).write_text("half")
    second = publish_at(now)
    assert kept(home) == {first, second}


def test_room_is_made_before_a_snapshot_is_written(
    home: DataDirectory, store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([1.0], now))
    partial = home.snapshots / ".20260302T120000Z-0.partial"
    partial.mkdir(parents=True)
    left = []

    def trust(zone: str) -> list[str]:
        left.append(partial.exists())
        return []

    publish(store, Ledger(home.ledger), home, now, replay=False, trust=trust)
    assert left == [False]


def test_a_further_signal_is_published_from_its_first_slot_on(
    home: DataDirectory, store: Store, slots: Frame, now: datetime
) -> None:
    store.append(pl.concat([slots([1.0], now), slots([9.0], now, signal="load")]))
    for signals in ([SIGNAL], [SIGNAL, "load"]):
        name = publish(
            store,
            Ledger(home.ledger),
            home,
            now,
            replay=False,
            trust=lambda zone: [],
            signals=signals,
        )
    with Snapshot.open(home.snapshots / name) as snapshot:
        assert snapshot.observations("DE", "load", now, now + DAY).value.tolist() == [9.0]


def test_a_snapshot_stays_readable_after_it_was_removed(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append(slots([1.0], now))
    with Snapshot.open(home.snapshots / publish_at(now)) as snapshot:
        for _ in range(4):
            publish_at(now, rebase=Rebase(age=timedelta(0)))
        assert snapshot.id not in kept(home)
        assert snapshot.observations("DE", SIGNAL, now, now + DAY).value.tolist() == [1.0]


def test_an_old_and_a_new_snapshot_are_open_side_by_side(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append(slots([1.0], now))
    with Snapshot.open(home.snapshots / publish_at(now)) as old:
        store.append(slots([2.0], now + HOUR))
        with Snapshot.open(home.snapshots / publish_at(now + HOUR)) as new:
            read = [s.observations("DE", SIGNAL, now, now + DAY).value[0] for s in (old, new)]
        assert read == [1.0, 2.0]
        assert old.observations("DE", SIGNAL, now, now + DAY).value[0] == 1.0


def test_a_damaged_snapshot_before_is_not_linked_from(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append(slots([1.0], now))
    first = publish_at(now)
    (home.snapshots / first / BASE).write_text("short")
    publish_at(now)
    assert read(home, now) == [1.0]


@pytest.mark.parametrize(
    ("name", "content"),
    [("manifest.json", "{}"), ("manifest.json", "no json"), (DELTA, ""), (RUNS, "x")],
)
def test_a_snapshot_that_is_not_whole_is_damage(
    home: DataDirectory, publish_at: Publish, now: datetime, name: str, content: str
) -> None:
    folder = home.snapshots / publish_at(now)
    (folder / name).write_text(content)
    with pytest.raises(Damaged, match="run `gridtide publish`"):
        Snapshot.open(folder)


def test_a_snapshot_whose_folder_is_missing_is_damage(home: DataDirectory) -> None:
    home.root.mkdir()
    home.current.write_text("20260302T120000Z-gone\n")
    with pytest.raises(Damaged, match="20260302T120000Z-gone, which is missing"):
        current_snapshot(home)
    with pytest.raises(Damaged, match=r"manifest\.json is missing"):
        Snapshot.open(home.snapshots / "20260302T120000Z-gone")


def test_a_pointer_that_names_no_snapshot_is_damage(home: DataDirectory) -> None:
    home.root.mkdir()
    home.current.write_text("../elsewhere\n")
    with pytest.raises(Damaged, match="names no snapshot"):
        current_snapshot(home)


def test_a_snapshot_of_a_newer_version_is_refused(
    home: DataDirectory, publish_at: Publish, now: datetime
) -> None:
    path = home.snapshots / publish_at(now) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(NewerHome, match="upgrade"):
        Snapshot.open(path.parent)


def test_what_is_known_of_sources_travels_with_the_snapshot(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    facts = Facts("sim", "Simulated grid", "", "none", simulated=True)
    Ledger(home.ledger).set_source(facts)
    store.append(slots([1.0], now, source="derived@ipcc_ar5/sim"))
    store.append(slots([1.0], now, source="real", zone="AT"))
    with Snapshot.open(home.snapshots / publish_at(now)) as snapshot:
        assert snapshot.sources == {"sim": facts}
        assert [(info.zone, info.simulated) for info in snapshot.series] == [
            ("AT", False),
            ("DE", True),
        ]


def test_signals_that_are_not_served_stay_in_the_store(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append(pl.concat([slots([1.0], now), slots([9.0], now, signal="generation_wind")]))
    with Snapshot.open(home.snapshots / publish_at(now)) as snapshot:
        assert [info.signal for info in snapshot.series] == [SIGNAL]


def test_publishing_leaves_the_store_open_for_more(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    publish_at(now)
    assert store.append(slots([1.0], now)) == 1
    publish_at(now)
    assert read(home, now) == [1.0]
    assert Path(store.scratch).exists()
