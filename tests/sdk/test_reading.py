"""Answers are read within a time and a size; every fault of one is an `ApiError`."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import threading
import time
import tracemalloc
from typing import Any

import httpcore
import pytest

from gridtide.client import AsyncClient, Client
from gridtide.errors import ApiError, ServiceUnavailable, TooManyRegions
from gridtide.http import session as bodies
from gridtide.http.deadline import OVERHEAD, Allowance


def ask(kind: Any, url: str, **kwargs: Any) -> Any:  # noqa: ANN401
    """The zones and the forecast of a service, by either client."""
    if kind is Client:
        with Client(url, environ={}, retries=0, **kwargs) as client:
            return client.forecast("DE")

    async def later() -> object:
        async with AsyncClient(url, environ={}, retries=0, **kwargs) as client:
            return await client.forecast("DE")

    return asyncio.run(later())


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_body_that_trickles_ends_with_the_time_limit(kind: Any) -> None:  # noqa: ANN401
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def trickle() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            connection.sendall(head + b"Content-Length: 100000\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=trickle)
    thread.start()
    began = time.monotonic()
    with pytest.raises(ApiError, match="did not answer"):
        ask(kind, f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=1.0)
    assert time.monotonic() - began < 30  # without a limit it goes on for 5,000 seconds
    stop.set()
    thread.join()
    listening.close()


BOMB = gzip.compress(b" " * 200_000_000, mtime=0)
DEEP = b"[" * 200_000


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BOMB, {"content_encoding": "gzip"}),
        (gzip.compress(BOMB, mtime=0), {"content_encoding": "gzip, gzip"}),
        (b"x", {"content_encoding": "br"}),
        (b"no gzip", {"content_encoding": "gzip"}),
        (gzip.compress(b"{}" * 1000, mtime=0)[:-9], {"content_encoding": "gzip"}),
        (DEEP, {}),
        (b'{"a": ' * 100_000, {}),
        (b'{"slots": NaN}', {}),
        (b'{"slots": 1e999}', {}),
        (b'{"zone": "\\ud800"}', {}),
        (b'{"zone": "\xed\xa0\x80"}', {}),
        (b"<html>", {}),
        (b"", {}),
        (b"9" * 10_000, {}),
    ],
)
def test_a_body_that_is_no_answer_is_an_api_error(
    kind: Any,  # noqa: ANN401
    body: bytes,
    headers: dict[str, str],
    address: str,
    service: Any,  # noqa: ANN401
) -> None:
    service.reply(200, body, **headers)
    with pytest.raises(ApiError):
        ask(kind, address)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_packed_answer_is_unpacked(kind: Any, address: str, service: Any, said: Any) -> None:  # noqa: ANN401
    packed = gzip.compress(json.dumps(said.forecast).encode())
    service.reply(200, packed, content_encoding="gzip")
    assert ask(kind, address).to_json() == said.forecast
    assert service.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("missing", [1, 4, 8])
def test_a_packed_answer_without_its_end_was_cut_off(
    kind: Any,  # noqa: ANN401
    missing: int,
    address: str,
    service: Any,  # noqa: ANN401
    said: Any,  # noqa: ANN401
) -> None:
    # The JSON is whole, but not its checksum and its size, which come last.
    packed = gzip.compress(json.dumps(said.forecast).encode(), mtime=0)[:-missing]
    service.reply(200, packed, content_encoding="gzip")
    with pytest.raises(ApiError, match="cut off"):
        ask(kind, address)


@pytest.mark.parametrize(
    "change",
    [
        {"p50": float("inf")},
        {"p50": 10**400},
        {"p50": "4"},
        {"p50": True},
        {"p50": None},
        {"start": "2026-03-02T13:00:00Z"},
        {"start": "2026-03-02T12:00:00"},
        {"start": 5},
        {"end": None},
    ],
)
def test_a_member_that_cannot_be_is_an_api_error(
    change: dict[str, Any],
    address: str,
    service: Any,  # noqa: ANN401
    said: Any,  # noqa: ANN401
) -> None:
    said.forecast["slots"][0].update(change)
    service.reply(200, said.forecast)
    with pytest.raises(ApiError):
        ask(Client, address)


def served(answer: Any) -> tuple[str, Any]:  # noqa: ANN401
    """An address whose every connection `answer` speaks on, and what ends it."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def speak() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            answer(connection, stop)

    thread = threading.Thread(target=speak)
    thread.start()

    def end() -> None:
        stop.set()
        listening.close()
        thread.join()

    return f"http://127.0.0.1:{listening.getsockname()[1]}", end


def endless(first: bytes, again: bytes) -> Any:  # noqa: ANN401
    def speak(connection: socket.socket, stop: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(first)
        while not stop.wait(0.05):
            connection.sendall(again)

    return speak


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HT", b""),
    ],
    ids=["headers", "a header", "103", "100", "silence"],
)
def test_headers_that_do_not_end_end_with_the_time_limit(
    kind: Any,  # noqa: ANN401
    first: bytes,
    again: bytes,
) -> None:
    address, end = served(endless(first, again))
    try:
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable, match="did not answer"):
            ask(kind, address, timeout=1.0)
        assert time.monotonic() - began < 30  # without a limit it never ends
    finally:
        end()


def test_a_name_lookup_that_hangs_ends_with_the_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(60) and [])
    try:
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable, match="did not answer"):
            ask(Client, "http://slow.example", timeout=0.5)
        assert time.monotonic() - began < 30
    finally:
        answered.set()


def test_threads_that_share_a_client_have_a_time_limit_each(
    address: str,
    said: Any,  # noqa: ANN401
) -> None:
    with Client(address, environ={}, retries=0) as client:
        found: list[object] = []
        threads = [
            threading.Thread(target=lambda: found.append(client.forecast("DE").to_json()))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [said.forecast] * 8


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("media", "accepted"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/geo+json", True),
        ("text/html; charset=utf-8", False),
        ("text/plain", False),
        ("application/jsonp", False),
        ("image/json", False),
    ],
)
def test_json_is_taken_only_where_it_is_called_json(
    kind: Any,  # noqa: ANN401
    media: str,
    accepted: bool,  # noqa: FBT001
    said: Any,  # noqa: ANN401
) -> None:
    body = json.dumps(said.forecast).encode()

    def speak(connection: socket.socket, stop: threading.Event) -> None:
        connection.recv(65536)
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        stop.wait(60)

    address, end = served(speak)
    try:
        if accepted:
            assert ask(kind, address).to_json() == said.forecast
        else:
            with pytest.raises(ApiError, match=media.partition(";")[0]):
                ask(kind, address)
    finally:
        end()


def test_a_bomb_is_not_unpacked_beyond_the_largest_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "LARGEST", 1_000_000)
    body = bodies.Body({"content-encoding": "gzip"}, lambda: 1.0, address="it")
    tracemalloc.start()
    try:
        with pytest.raises(ApiError, match="more than 1000000 bytes"):
            body.add(BOMB)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000  # of 200,000,000
    finally:
        tracemalloc.stop()


def test_bytes_of_headers_and_frames_count_too() -> None:
    allowance = Allowance(lambda: 0.0)
    allowance.renew(deadline=9.0, size=10)
    allowance.spend(10 + OVERHEAD)
    with pytest.raises(httpcore.RemoteProtocolError, match="more bytes"):
        allowance.spend(1)


def test_too_many_regions_are_refused_before_they_are_sent() -> None:
    with (
        Client("http://127.0.0.1:9", environ={}, retries=0) as client,
        pytest.raises(TooManyRegions, match="at most 500"),
    ):
        client.best_region([f"X{i}" for i in range(501)], 2)
