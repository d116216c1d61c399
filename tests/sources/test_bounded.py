"""Answers are unpacked in bounded memory, in the one encoding that was requested."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide.http.deadline import Allowance
from gridtide_pipelines.ingest.limits import PART, TooLarge, Unreadable, at_most, unpack

MOST = 4 * 1024 * 1024


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


def whole(raw: Iterable[bytes], encoding: str, most: int = MOST) -> bytes:
    return b"".join(unpack(raw, encoding, most=most))


@settings(deadline=None)
@given(st.binary(max_size=2000), st.integers(1, 300), st.sampled_from(["gzip", " X-GZIP "]))
def test_what_was_packed_comes_back_however_it_is_cut(
    content: bytes, size: int, encoding: str
) -> None:
    assert whole(pieces(gzip.compress(content), size), encoding) == content
    assert whole(pieces(content, size), "") == content


def test_members_of_a_gzip_file_follow_one_another() -> None:
    packed = gzip.compress(b"one") + gzip.compress(b"two")
    assert whole([packed], "gzip") == b"onetwo"


def test_a_large_body_is_unpacked_piece_by_piece() -> None:
    packed = gzip.compress(bytes(3 * 1024 * 1024))
    parts = list(unpack([packed], "gzip", most=MOST))
    assert max(map(len, parts)) <= PART
    assert sum(map(len, parts)) == 3 * 1024 * 1024


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_ends_at_the_bound_and_takes_no_memory(layers: int) -> None:
    bomb = bytes(200 * 1024 * 1024)
    for _ in range(layers):
        bomb = gzip.compress(bomb, 1)
    tracemalloc.start()
    try:
        if layers == 1:
            with pytest.raises(TooLarge, match=f"more than {MOST} bytes"):
                for _ in unpack([bomb], "gzip", most=MOST):
                    pass
        else:
            # One layer is taken off, whatever lies below.
            assert len(whole([bomb], "gzip")) < MOST
        assert tracemalloc.get_traced_memory()[1] < 3 * MOST
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "deflate", "compress", "gzip, gzip", "gzip,identity", "gzi\x1bp"]
)
def test_an_encoding_that_was_not_requested_is_unreadable(encoding: str) -> None:
    with pytest.raises(Unreadable, match="not requested"):
        whole([zlib.compress(b"text")], encoding)


@pytest.mark.parametrize(
    "raw",
    [
        b"no gzip",
        gzip.compress(b"text" * 99, mtime=0)[:-9],
        gzip.compress(b"text", mtime=0) + b"more",
    ],
)
def test_what_is_no_whole_gzip_file_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable, match="said to be gzip"):
        whole([raw], "gzip")


def test_packed_bytes_that_unpack_to_nothing_end_too() -> None:
    empty = gzip.compress(b"")
    with pytest.raises(TooLarge, match="packed"):
        whole((empty for _ in range(10**9)), "gzip")


def test_a_wait_is_cut_to_what_is_left_of_the_deadline() -> None:
    at = [0.0]
    allowance = Allowance(lambda: at[0])
    allowance.renew(deadline=10.0, size=0)
    assert allowance.cut(30.0) == 10.0
    assert allowance.cut(2.0) == 2.0
    assert allowance.cut(None) == 10.0
    at[0] = 10.0
    with pytest.raises(Exception, match="time for one request is over"):
        allowance.cut(30.0)


def test_a_gzip_file_whose_end_is_wrong_is_unreadable() -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    good = packed.compress(bytes(PART * 4)) + packed.flush(zlib.Z_FULL_FLUSH)
    for bad in (b"\x07", b"\x06", b"\xff", b"\x03\x02\xff\xff"):
        for cut in range(4):
            with pytest.raises(Unreadable):
                whole([good[: len(good) - cut] + bad], "gzip")


def test_values_of_a_body_are_counted_before_they_fill_the_memory() -> None:
    assert list(at_most(iter(range(3)), 3)) == [0, 1, 2]
    with pytest.raises(ValueError, match="more than 3 values"):
        list(at_most(count(), 3))
