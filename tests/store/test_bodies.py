"""Raw bodies: kept once, read back as received, gone only when their time is over."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_store.data_directory import DataDirectory
from gridtide_store.errors import BodyExpired, Damaged
from gridtide_store.raw_responses import Pruned, RawSize, body_path, prune_raw, raw_sizes
from gridtide_store.store import Store

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def files(home: DataDirectory) -> list[Path]:
    return [path for path in home.raw.rglob("*") if path.is_file()]


def test_a_body_is_a_gzip_file_named_by_the_hash_of_its_content(
    store: Store, now: datetime
) -> None:
    number = store.keep("eia", "/data?start=1", b'{"a": 1}', now)
    digest = hashlib.sha256(b'{"a": 1}').hexdigest()
    (path,) = files(store.home)
    assert path == store.home.raw / digest[:2] / f"{digest[2:]}.gz"
    assert gzip.decompress(path.read_bytes()) == b'{"a": 1}'
    assert store.body(number) == b'{"a": 1}'


def test_the_same_content_is_kept_once_with_a_retrieval_for_each_time(
    store: Store, now: datetime
) -> None:
    first = store.keep("eia", "/a", b"same", now)
    second = store.keep("eia", "/b", b"same", now + DAY)
    assert first != second
    assert len(files(store.home)) == 1
    assert store.body(first) == store.body(second) == b"same"


def test_an_empty_body_is_a_body(store: Store, now: datetime) -> None:
    assert store.body(store.keep("eia", "/a", b"", now)) == b""


def test_a_retrieval_that_never_was_is_refused(store: Store) -> None:
    with pytest.raises(BadInput, match="unknown retrieval 7"):
        store.body(7)


@pytest.mark.parametrize("content", [gzip.compress(b"other", mtime=0), b"no gzip", b""])
def test_a_body_that_changed_on_the_disk_is_damage(
    store: Store, now: datetime, content: bytes
) -> None:
    number = store.keep("eia", "/a", b"right", now)
    files(store.home)[0].write_bytes(content)
    with pytest.raises(Damaged, match="restore"):
        store.body(number)


def test_a_body_that_is_missing_is_damage(store: Store, now: datetime) -> None:
    number = store.keep("eia", "/a", b"right", now)
    files(store.home)[0].unlink()
    with pytest.raises(Damaged, match="is missing; restore"):
        store.body(number)


def prune(store: Store, before: datetime, *, times: int = 1) -> Pruned:
    """Prune so many times, and add up."""
    found = [prune_raw(store.connection, store.home.raw, before, before) for _ in range(times)]
    return Pruned(sum(each.bodies for each in found), sum(each.bytes for each in found))


def is_kept(store: Store, number: int) -> bool:
    try:
        store.body(number)
    except BodyExpired:
        return False
    return True


def test_pruning_deletes_old_bodies_and_keeps_what_came_again(
    store: Store, now: datetime
) -> None:
    first = store.keep("eia", "/first", b"first", now - 3 * DAY)
    old = store.keep("eia", "/old", b"old", now - 3 * DAY)
    again = store.keep("eia", "/again", b"again", now - 3 * DAY)
    later = store.keep("eia", "/again", b"again", now)
    room = sum(path.stat().st_size for path in files(store.home))
    pruned = prune_raw(store.connection, store.home.raw, now - DAY, now)
    assert pruned.bodies == 1
    assert pruned.bytes == room - sum(path.stat().st_size for path in files(store.home))
    assert store.body(later) == b"again"
    assert store.body(first) == b"first"
    for number in (old, again):
        with pytest.raises(BodyExpired, match=r"deleted on 2026-03-02.*KEEP_RAW"):
            store.body(number)
    assert prune_raw(store.connection, store.home.raw, now - DAY, now).bodies == 0
    rows = store.connection.execute(
        "SELECT address, body_sha256, epoch(known_at) FROM retrieval WHERE id = ?", [old]
    ).fetchall()
    assert rows == [("/old", hashlib.sha256(b"old").hexdigest(), (now - 3 * DAY).timestamp())]


def test_the_first_body_of_each_day_source_and_kind_stays(store: Store, now: datetime) -> None:
    kept = {}
    for day in (5, 4):
        for source in ("eia", "entsoe"):
            for kind in ("load", "flow"):
                for hour in (1, 2):
                    known_at = now - day * DAY + hour * timedelta(hours=1)
                    said = f"{day} {source} {kind} {hour}"
                    number = store.keep(source, "/x", said.encode(), known_at, kind=kind)
                    kept[number] = hour == 1
    prune(store, now)
    assert {number: is_kept(store, number) for number in kept} == kept


def test_a_body_that_a_served_value_comes_from_stays(
    store: Store, slots: Callable[..., pl.DataFrame], now: datetime
) -> None:
    old = now - 100 * DAY
    store.keep("a", "/first", b"first", old)
    numbers = [store.keep("a", "/x", b"%d" % n, old + n * HOUR) for n in range(1, 4)]
    revised, partly, newest = numbers
    store.append(slots([1.0], old + HOUR, start=old, retrieval_id=revised))
    store.append(
        slots([2.0, 5.0], old + 2 * HOUR, start=old, retrieval_id=partly),
    )
    store.append(slots([3.0], old + 3 * HOUR, start=old, retrieval_id=newest))
    store.append(slots([7.0], old, start=old - DAY, source="b", retrieval_id=0))
    assert prune(store, now - 90 * DAY).bodies == 1
    assert [is_kept(store, number) for number in numbers] == [False, True, True]


def test_a_revision_after_the_judged_retrievals_counts(
    store: Store, slots: Callable[..., pl.DataFrame], now: datetime
) -> None:
    old = now - 100 * DAY
    store.keep("a", "/first", b"first", old)
    number = store.keep("a", "/x", b"x", old + HOUR)
    store.append(slots([1.0], old + HOUR, start=old, retrieval_id=number))
    later = store.keep("a", "/y", b"y", now - DAY)
    store.append(slots([2.0], now - DAY, start=old, retrieval_id=later))
    prune(store, now - 90 * DAY)
    assert [is_kept(store, each) for each in (number, later)] == [False, True]


def test_pruning_judges_so_many_at_a_time_and_none_twice(store: Store, now: datetime) -> None:
    for n in range(6):
        store.keep("eia", "/x", b"%d" % n, now - 3 * DAY)
    bodies = [
        prune_raw(store.connection, store.home.raw, now - DAY, now, most=2).bodies
        for _ in range(4)
    ]
    assert bodies == [1, 2, 2, 0]  # the first stays


def test_a_body_that_expired_can_come_again(store: Store, now: datetime) -> None:
    store.keep("eia", "/first", b"first", now - 3 * DAY)
    number = store.keep("eia", "/a", b"x", now - 3 * DAY)
    prune(store, now - DAY)
    assert not is_kept(store, number)
    assert store.body(store.keep("eia", "/a", b"x", now)) == b"x"


@pytest.mark.parametrize("name", ["cd.gz", ".cd.gz.7.partial"])
def test_pruning_sweeps_bodies_without_a_retrieval(
    store: Store, now: datetime, name: str
) -> None:
    store.keep("eia", "/a", b"x", now)
    for folder in ("00", "ab", "ff"):
        stray = store.home.raw / folder / name
        stray.parent.mkdir(exist_ok=True)
        stray.write_bytes(b"")
    assert prune(store, now - DAY, times=256).bodies == 3
    assert len(files(store.home)) == 1


def test_a_kill_between_rows_and_files_leaves_what_the_next_sweep_deletes(
    store: Store, now: datetime
) -> None:
    store.keep("eia", "/first", b"first", now - 3 * DAY)
    number = store.keep("eia", "/a", b"x", now - 3 * DAY)
    path = body_path(store.home.raw, hashlib.sha256(b"x").hexdigest())
    content = path.read_bytes()
    prune(store, now - DAY)
    path.write_bytes(content)  # as if the process had died before it was deleted
    assert not is_kept(store, number)
    assert prune(store, now - DAY, times=256).bodies == 1
    assert not path.exists()


def test_the_disk_that_each_source_takes(store: Store, now: datetime) -> None:
    content = b"x" * 10_000
    store.keep("eia", "/a", content, now - 3 * DAY)
    store.keep("eia", "/a", content, now)
    store.keep("entsoe", "/b", b"y" * 20_000, now)
    sizes = raw_sizes(store.connection)
    (packed, other) = sorted(path.stat().st_size for path in files(store.home))
    assert sizes == {"eia": RawSize(2, 20_000, packed), "entsoe": RawSize(1, 20_000, other)}
    # Of bodies that an older gridtide kept the sizes are found out in passing.
    store.connection.execute("UPDATE retrieval SET stored_bytes = NULL")
    assert raw_sizes(store.connection)["eia"].stored_bytes == 0
    prune(store, now - 9 * DAY, times=256)
    assert raw_sizes(store.connection) == sizes


def test_weather_is_deleted_after_a_week_but_the_first_of_a_day(
    store: Store, now: datetime
) -> None:
    numbers = [
        store.keep(
            "gfs", f"/f003 bytes={n}-", b"field %d" % n, now + n * DAY / 4, kind="weather"
        )
        for n in range(6)
    ]
    other = store.keep("eia", "/old", b"load", now, kind="load")
    later = now + 8 * DAY + timedelta(hours=1)
    assert prune_raw(store.connection, store.home.raw, now - 90 * DAY, later).bodies == 3
    kept = [number for number in (*numbers, other) if is_kept(store, number)]
    assert kept == [numbers[0], numbers[2], numbers[5], other]
