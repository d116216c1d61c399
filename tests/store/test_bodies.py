"""Raw bodies: kept once, read back as received, gone only when their time is over."""

from __future__ import annotations

import gzip
import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gridtide.errors import BadInput
from gridtide_store.data_directory import DataDirectory
from gridtide_store.errors import BodyExpired, Damaged
from gridtide_store.raw_responses import prune_raw
from gridtide_store.store import Store

DAY = timedelta(days=1)


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


def test_pruning_deletes_old_bodies_and_keeps_what_came_again(
    store: Store, now: datetime
) -> None:
    old = store.keep("eia", "/old", b"old", now - 3 * DAY)
    again = store.keep("eia", "/again", b"again", now - 3 * DAY)
    later = store.keep("eia", "/again", b"again", now)
    kept_size = sum(path.stat().st_size for path in files(store.home))
    pruned = prune_raw(store.connection, store.home.raw, now - DAY, now)
    assert pruned.bodies == 1
    assert pruned.bytes == kept_size - files(store.home)[0].stat().st_size
    assert store.body(later) == b"again"
    for number in (old, again):
        with pytest.raises(BodyExpired, match=r"deleted on 2026-03-02.*KEEP_RAW"):
            store.body(number)
    assert prune_raw(store.connection, store.home.raw, now - DAY, now).bodies == 0


def test_a_body_that_expired_can_come_again(store: Store, now: datetime) -> None:
    store.keep("eia", "/a", b"x", now - 3 * DAY)
    prune_raw(store.connection, store.home.raw, now - DAY, now)
    assert files(store.home) == []
    assert store.body(store.keep("eia", "/a", b"x", now)) == b"x"


def test_pruning_sweeps_bodies_without_a_retrieval(store: Store, now: datetime) -> None:
    store.keep("eia", "/a", b"x", now)
    stray = store.home.raw / "ab" / "cd.gz"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"")
    assert prune_raw(store.connection, store.home.raw, now - DAY, now).bodies == 1
    assert not stray.exists()
    assert len(files(store.home)) == 1
