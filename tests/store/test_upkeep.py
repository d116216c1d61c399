"""Checking, backing up, restoring and thinning a home."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from gridtide.errors import BadInput, Busy
from gridtide_store.backup import backup, restore
from gridtide_store.check import check
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.errors import Damaged
from gridtide_store.forecast_runs import thin_runs
from gridtide_store.ledger import Ledger
from gridtide_store.pointer import current_snapshot
from gridtide_store.publish import publish
from gridtide_store.snapshot import Snapshot
from gridtide_store.store import Store

SIGNAL = "ci_lifecycle_produced"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Frame = Callable[..., pl.DataFrame]


@pytest.fixture
def filled(home: DataDirectory, slots: Frame, steps: Frame, now: datetime) -> DataDirectory:
    """A home with a bit of everything, without a writer."""
    with writer_lock(home, "test", now), Store.open(home) as store:
        number = store.keep("a", "/x", b"the body", now)
        store.append(slots([1.0, 2.0] * 500, now, retrieval_id=number))
        store.append(slots([3.0], now + HOUR, retrieval_id=number))
        store.append_forecasts(steps([1.0, 2.0], now))
        ledger = Ledger(home.ledger)
        ledger.start_command("refresh", [], now)
        for moment in (now, now + HOUR):
            publish(store, ledger, home, moment, replay=False, trust=lambda zone: ())
    home.models.mkdir()
    (home.models / "weekly.bin").write_bytes(b"fitted")
    return home


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


def places(home: DataDirectory, now: datetime) -> list[str]:
    return [finding.path for finding in check(home, now + DAY)]


def test_a_whole_home_has_no_findings(filled: DataDirectory, now: datetime) -> None:
    assert check(filled, now + DAY) == []


def test_checking_where_there_is_no_store_is_bad_input(
    home: DataDirectory, now: datetime
) -> None:
    with pytest.raises(BadInput, match="holds no store"):
        check(home, now + DAY)
    assert not home.root.exists()


def test_checking_does_not_wait_for_a_writer(filled: DataDirectory, now: datetime) -> None:
    with writer_lock(filled, "gridtide refresh", now), pytest.raises(Busy, match="refresh"):
        check(filled, now + DAY)


def test_a_flipped_byte_of_a_body_is_found(filled: DataDirectory, now: datetime) -> None:
    (body,) = filled.raw.rglob("*.gz")
    flip(body, -9)
    assert places(filled, now) == [str(body)]


def test_a_missing_body_is_found(filled: DataDirectory, now: datetime) -> None:
    (body,) = filled.raw.rglob("*.gz")
    body.unlink()
    (finding,) = check(filled, now + DAY)
    assert finding.path == str(body)
    assert finding.problem == "is missing"
    assert finding.remedy == "restore it from a backup with `gridtide restore`"


@pytest.mark.parametrize(
    "name", ["base-2026.duckdb", "runs.duckdb", "delta.duckdb", f"{SIGNAL}_3600s.npy"]
)
def test_a_flipped_byte_of_a_snapshot_is_found_in_every_snapshot_that_shares_the_file(
    filled: DataDirectory, now: datetime, name: str
) -> None:
    folder = current_snapshot(filled)
    assert folder is not None
    flip(folder / name, -1)
    found = check(filled, now + DAY)
    assert {Path(finding.path).name for finding in found} == {name}
    assert len(found) == 2
    assert "gridtide publish" in found[0].remedy


def test_a_flipped_byte_in_any_block_of_the_store_is_found(
    home: DataDirectory, slots: Frame, now: datetime
) -> None:
    # So many different values that they fill blocks of their own.
    values = [one % 977 / 7.0 for one in range(1, 4_000_000, 97)]
    with writer_lock(home, "test", now), Store.open(home) as store:
        store.append(slots(values, now))
        store.connection.execute("CHECKPOINT live")
        ((used,),) = store.connection.execute(
            "SELECT used_blocks FROM pragma_database_size() WHERE database_name = 'live'"
        ).fetchall()
    assert check(home, now + DAY) == []
    # After three pages of headers come blocks of 256 KiB, each with a checksum.
    blocks = range(3 * 4096, home.live.stat().st_size, 256 * 1024)
    found = 0
    for block in blocks:
        flip(home.live, block + 2048)
        found += places(home, now) == [str(home.live)]
        flip(home.live, block + 2048)
    assert found == used > 3
    assert check(home, now + DAY) == []


def test_a_pointer_to_nowhere_is_found(filled: DataDirectory, now: datetime) -> None:
    filled.current.write_text("20260101T000000Z-gone\n")
    assert places(filled, now) == [str(filled.current)]
    filled.current.write_text("??\n")
    assert places(filled, now) == [str(filled.current)]


def test_a_ledger_that_is_none_is_found(filled: DataDirectory, now: datetime) -> None:
    filled.ledger.write_bytes(b"not a database" * 400)
    assert places(filled, now) == [str(filled.ledger)]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("INSERT INTO observation FROM observation", "known no later than"),
        (
            "INSERT INTO observation SELECT * REPLACE (batch + 9 AS batch, known_at - INTERVAL "
            "1 hour AS known_at) FROM observation",
            "known no later than",
        ),
        ("UPDATE extent SET rows = rows + 1", "extent: not what the observations cover"),
        ("INSERT INTO extent FROM extent", "extent: two of one series"),
        ("DELETE FROM extent", "extent: not what the observations cover"),
        ("INSERT INTO series FROM series", "series: two"),
        ("DELETE FROM series", "of no known series"),
        ("INSERT INTO run SELECT * REPLACE (id + 1 AS id) FROM run", "run: two of one zone"),
        ("DELETE FROM run", "step: of no run"),
        ("DELETE FROM step", "run: without steps"),
        ("INSERT INTO step FROM step", "step: two of one run"),
        ("INSERT INTO retrieval FROM retrieval", "retrieval: two"),
    ],
)
def test_rows_that_break_a_rule_are_found(
    filled: DataDirectory, now: datetime, damage: str, problem: str
) -> None:
    with Store.open(filled) as store:
        store.connection.execute(damage)
    found = check(filled, now + DAY)
    assert {finding.path for finding in found} == {str(filled.live)}
    assert any(problem in finding.problem for finding in found)


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_what_was_backed_up_comes_back_whole(
    filled: DataDirectory, tmp_path: Path, now: datetime, name: str
) -> None:
    target = tmp_path / "away" / name
    copied = backup(filled, target, now)
    assert copied.files > 6
    assert target.is_dir() is (name == "backup")
    assert [path.name for path in target.parent.iterdir()] == [name]
    again = DataDirectory(tmp_path / "again")
    assert restore(target, again, now) == copied
    assert check(again, now + DAY) == []
    assert (again.models / "weekly.bin").read_bytes() == b"fitted"
    assert len(Ledger(again.ledger).commands()) == 1
    folder, original = current_snapshot(again), current_snapshot(filled)
    assert folder is not None
    assert original is not None
    assert folder.name == original.name
    with Store.open(filled) as before, Store.open(again) as after:
        for as_of in (now, now + HOUR):
            span = ("DE", SIGNAL, now, now + DAY)
            expected = before.history(*span, as_of=as_of)
            assert after.history(*span, as_of=as_of).equals(expected)
        assert after.body(1) == b"the body"
    with Snapshot.open(folder) as snapshot:
        assert snapshot.observations("DE", SIGNAL, now, now + HOUR).value.tolist() == [3.0]


def test_what_was_written_since_the_last_checkpoint_is_in_the_backup(
    filled: DataDirectory, tmp_path: Path, now: datetime
) -> None:
    with duckdb.connect(filled.live) as killed:
        killed.execute("PRAGMA disable_checkpoint_on_shutdown")
        killed.execute(
            "INSERT INTO observation SELECT series, slot_start, slot_end, 7.0, quality, "
            "known_at + INTERVAL 2 HOUR, retrieval_id, batch + 10 FROM observation "
            "WHERE slot_start = ? ORDER BY known_at DESC LIMIT 1",
            [now],
        )
    assert filled.live.with_name("live.duckdb.wal").stat().st_size > 0
    backup(filled, tmp_path / "copy", now)
    again = DataDirectory(tmp_path / "again")
    restore(tmp_path / "copy", again, now)
    with Store.open(again) as store:
        found = store.history("DE", SIGNAL, now, now + HOUR, as_of=now + DAY)
    assert found["value"].to_list() == [7.0]


def test_a_backup_does_not_overwrite(
    filled: DataDirectory, tmp_path: Path, now: datetime
) -> None:
    target = tmp_path / "there.tar"
    target.write_text("mine")
    with pytest.raises(BadInput, match="exists; name a new"):
        backup(filled, target, now)
    assert target.read_text() == "mine"


def test_no_backup_is_made_while_somebody_writes(
    filled: DataDirectory, tmp_path: Path, now: datetime
) -> None:
    with writer_lock(filled, "gridtide refresh", now), pytest.raises(Busy, match="refresh"):
        backup(filled, tmp_path / "copy", now)
    assert not (tmp_path / "copy").exists()


def test_a_home_without_a_store_has_nothing_to_back_up(
    home: DataDirectory, tmp_path: Path, now: datetime
) -> None:
    with pytest.raises(BadInput, match="nothing to back up"):
        backup(home, tmp_path / "copy", now)


def test_the_files_of_locks_are_nothing_that_a_restore_would_write_over(
    filled: DataDirectory, tmp_path: Path, now: datetime
) -> None:
    copied = backup(filled, tmp_path / "copy", now)
    again = DataDirectory(tmp_path / "again")
    again.root.mkdir()
    for path in (again.lock, again.wanted):  # of a command that waited here
        path.touch()
    assert restore(tmp_path / "copy", again, now) == copied


def test_restoring_over_something_takes_a_word_and_keeps_it_aside(
    filled: DataDirectory, slots: Frame, tmp_path: Path, now: datetime
) -> None:
    backup(filled, tmp_path / "copy", now)
    with Store.open(filled) as store:
        store.append(slots([8.0], now + 2 * HOUR))
    with pytest.raises(BadInput, match=r"not empty.*--replace"):
        restore(tmp_path / "copy", filled, now)
    restore(tmp_path / "copy", filled, now, replace=True)
    span = ("DE", SIGNAL, now, now + HOUR)
    aside = DataDirectory(filled.root / "replaced-20260302T120000Z")
    with Store.open(filled) as restored, Store.open(aside) as replaced:
        assert restored.history(*span, as_of=now + DAY)["value"].to_list() == [3.0]
        assert replaced.history(*span, as_of=now + DAY)["value"].to_list() == [8.0]


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_flipped_byte_of_a_backup_is_found_and_nothing_is_restored(
    filled: DataDirectory, tmp_path: Path, now: datetime, name: str
) -> None:
    target = tmp_path / name
    backup(filled, target, now)
    if target.is_dir():
        flip(target / "live.duckdb", 100_000)
    else:
        with tarfile.open(target) as tar:
            place = tar.getmember("live.duckdb").offset_data
        flip(target, place + 100_000)
    again = DataDirectory(tmp_path / "again")
    with pytest.raises(Damaged, match=r"live\.duckdb in the backup is not as it was written"):
        restore(target, again, now)
    assert [path.name for path in again.root.iterdir()] == [again.lock.name]


def test_a_backup_that_lacks_a_file_is_not_restored(
    filled: DataDirectory, tmp_path: Path, now: datetime
) -> None:
    backup(filled, tmp_path / "copy", now)
    (tmp_path / "copy" / "ledger.sqlite").unlink()
    with pytest.raises(Damaged, match=r"lacks ledger\.sqlite"):
        restore(tmp_path / "copy", DataDirectory(tmp_path / "again"), now)


def test_a_backup_that_reaches_out_of_the_home_is_not_restored(
    filled: DataDirectory, tmp_path: Path, now: datetime
) -> None:
    backup(filled, tmp_path / "copy", now)
    listed = tmp_path / "copy" / "backup.json"
    document = json.loads(listed.read_text())
    document["files"]["../evil"] = document["files"]["CURRENT"]
    listed.write_text(json.dumps(document))
    (tmp_path / "evil").write_bytes((tmp_path / "copy" / "CURRENT").read_bytes())
    with pytest.raises(Damaged, match="is outside the data directory"):
        restore(tmp_path / "copy", DataDirectory(tmp_path / "again" / "home"), now)


@pytest.mark.parametrize("content", [None, b"", b"no tar"])
def test_what_is_no_backup_is_not_restored(
    tmp_path: Path, now: datetime, content: bytes | None
) -> None:
    source = tmp_path / "source"
    if content is None:
        source.mkdir()
    else:
        source.write_bytes(content)
    with pytest.raises(BadInput, match="is not a backup"):
        restore(source, DataDirectory(tmp_path / "home"), now)
    with pytest.raises(BadInput, match="is not a backup"):
        restore(tmp_path / "nowhere", DataDirectory(tmp_path / "home"), now)


def test_thinning_keeps_the_first_run_of_each_quarter_day_and_the_newest(
    store: Store, steps: Frame, now: datetime
) -> None:
    # 12:00 to 23:00 two days ago, hourly; then two runs of today.
    hours = [now - 2 * DAY + HOUR * hour for hour in range(12)]
    for issued_at in [*hours, now, now + HOUR]:
        store.append_forecasts(steps([1.0, 2.0], issued_at))
    store.append_forecasts(steps([1.0], hours[3], model="naive@1"))
    thinned = thin_runs(store.connection, now - DAY)
    assert (thinned.runs, thinned.steps) == (10, 20)
    left = store.connection.execute(
        "SELECT model, epoch_us(issued_at) FROM run ORDER BY model, issued_at"
    ).fetchall()
    expected = [hours[0], hours[6], now, now + HOUR]
    assert left == [
        ("naive@1", int(hours[3].timestamp()) * 1_000_000),
        *(("weekly@1", int(moment.timestamp()) * 1_000_000) for moment in expected),
    ]
    assert thin_runs(store.connection, now - DAY).runs == 0


def test_the_newest_run_stays_however_old_it_is(
    store: Store, steps: Frame, now: datetime
) -> None:
    for minute in (0, 10, 20):
        store.append_forecasts(steps([1.0], now + timedelta(minutes=minute)))
    assert thin_runs(store.connection, now + 100 * DAY).runs == 1
    found = store.forecasts("DE", SIGNAL, now, now + DAY, as_of=now + DAY)
    assert found["issued_at"].to_list() == [now + timedelta(minutes=20)]
