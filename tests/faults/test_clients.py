"""Hostile clients against a real server: bounded memory, newcomers answered, all ends."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta

import pytest

from gridtide_store.data_directory import DataDirectory
from tests.faults.hostile import (
    GET,
    PATIENCE,
    Server,
    flood,
    problem,
    read_to_end,
    reset,
    serving,
    status,
    unharmed,
)
from tests.server.published import NOW, Publisher, fill, observed

HOST = b"Host: localhost\r\n"
POST = b"POST /v1/footprint HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
QUARTER = timedelta(minutes=15)
LONG = 40_000
RANGE = b"GET /v1/zones/AT/intensity?start=2025-01-06T00:00Z HTTP/1.1\r\n" + HOST + b"\r\n"
MB = 1_000_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DataDirectory:
    """The small home, and a zone whose history is an answer of some megabytes."""
    publisher = Publisher(tmp_path_factory.mktemp("hostile") / "home")
    fill(publisher)
    values = [float(k % 700) for k in range(LONG)]
    publisher.add(observed("AT", values, start=NOW - LONG * QUARTER, step=QUARTER))
    publisher.publish()
    publisher.close()
    return publisher.home


@pytest.fixture(scope="module")
def server(home: DataDirectory) -> Iterator[Server]:
    with serving(home.root) as running:
        yield running


def header(size: int) -> bytes:
    return b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"x" * size + b"\r\n\r\n"


def posted(body: bytes, path: bytes = b"/v1/plan", more: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + length + more + b"\r\n" + body


# Name: what is sent, and the status that is answered before the connection ends.
REFUSED: dict[str, tuple[bytes, int]] = {
    "a TLS hello": (bytes.fromhex("16030100c8010000c40303") + b"\x9a" * 200, 400),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "an unknown method": (b"GRID / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "an unknown version": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 400),
    "no request at all": (b"\x00\xff\xfe hello\r\n\r\n" * 5, 400),
    "a null byte in the path": (b"GET /a\x00b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a space in the path": (b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "bytes that are no UTF-8": (b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a bare line feed in a header": (b"GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", 400),
    "a null byte in a header": (b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n", 400),
    "a header without colon": (b"GET / HTTP/1.1\r\nnonsense\r\n\r\n", 400),
    "a space in a header's name": (b"GET / HTTP/1.1\r\nA B: c\r\n\r\n", 400),
    "CONNECT": (b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "length and chunks": (
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 400),
    "a negative length": (POST + b"Content-Length: -5\r\n\r\n", 400),
    "a length with an exponent": (POST + b"Content-Length: 1e3\r\n\r\n", 400),
    "a length beyond 64 bits": (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
    "chunks of no size": (CHUNKED + b"zz\r\nabc\r\n", 400),
    "a chunk beyond 64 bits": (CHUNKED + b"FFFFFFFFFFFFFFFFF\r\nabc", 400),
    "a chunk longer than it says": (CHUNKED + b"3\r\nabcdefgh\r\n0\r\n\r\n", 400),
    "a header of 70 kB": (header(70_000), 431),
    "a header of 300 kB": (header(300_000), 431),
    "300 headers": (b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 300 + b"\r\n", 431),
    "an address of 70 kB": (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "a query of 300 kB": (
        b"GET /v1/zones?x=" + b"y" * 300_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        414,
    ),
    "a body that is announced too large": (POST + b"Content-Length: 9000000\r\n\r\n", 413),
    "the same, waiting for 100 Continue": (
        POST + b"Content-Length: 9000000\r\nExpect: 100-continue\r\n\r\n",
        413,
    ),
    "a plan of 2 MB": (posted(b" " * 2 * MB), 413),
    "chunks of 2 MB": (
        b"POST /v1/plan HTTP/1.1\r\n"
        + HOST
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 31,
        413,
    ),
    "half a request line": (b"GET /heal", 408),
    "headers without end": (b"GET /healthz HTTP/1.1\r\n" + HOST, 408),
    "blank lines": (b"\r\n" * 20, 408),
    "a body that stops": (POST + b"Content-Length: 100\r\n\r\n{", 408),
    "chunks that stop": (CHUNKED + b"5\r\nab", 408),
    "a body that never comes": (
        POST + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
        408,
    ),
    "a JSON of a million brackets": (
        posted(b"[" * 900_000, more=b"Connection: close\r\n"),
        422,
    ),
    "300 headers and another protocol": (
        b"GET /healthz HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
        + HOST
        + b"A: b\r\n" * 300
        + b"\r\n",
        431,
    ),
    "CONNECT with 300 headers": (
        b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 300 + b"\r\n",
        431,
    ),
    "another host": (
        b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        421,
    ),
    "two hosts": (
        b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"Connection: close\r\n\r\n",
        421,
    ),
    "a host that is no name": (
        b"GET /healthz HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n",
        421,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_is_a_problem_and_the_connection_ends(server: Server, name: str) -> None:
    data, expected = REFUSED[name]
    with unharmed(server):
        code, said = server.answer(data)
    assert code == expected, said[:500]
    printed = problem(said)
    assert printed["status"] == expected
    assert printed["detail"]
    assert printed["type"] == f"urn:gridtide:problem:{printed['code']}"


ANSWERED = {
    "no version, as in HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
    "a web socket": GET.replace(
        b"\r\n\r\n",
        b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ),
    "HTTP/2 in the clear": GET.replace(
        b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    ),
    "60 kB of headers": header(60_000),
    "a body without a request": b"GET /healthz HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 4000000000\r\n\r\n"
    + b"x" * 100_000,
}


@pytest.mark.parametrize("name", ANSWERED)
def test_what_is_odd_but_right_is_answered_and_ends(server: Server, name: str) -> None:
    with unharmed(server):
        code, said = server.answer(ANSWERED[name])
    assert code == 200, said


ENDLESS = {
    "headers": (b"GET / HTTP/1.1\r\n", b"A: " + b"x" * 1000 + b"\r\n"),
    "one header": (b"GET / HTTP/1.1\r\nA: ", b"x" * 65536),
    "a header's name": (b"GET / HTTP/1.1\r\n", b"x" * 65536),
    "an address": (b"GET /", b"x" * 65536),
    "a method": (b"", b"G" * 65536),
    "short headers": (b"GET / HTTP/1.1\r\n", b"A:b\r\n" * 1000),
    "a chunk's extension": (CHUNKED + b"5;a=", b"x" * 65536),
    "a trailer": (CHUNKED + b"1\r\na\r\n0\r\nA: ", b"x" * 65536),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\n", b"A: b\r\n" * 10_000),
    "a chunked body": (CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "a body after its answer": (
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 4000000000\r\n\r\n",
        b"x" * 65536,
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_has_no_end_is_cut_off(server: Server, name: str) -> None:
    first, part = ENDLESS[name]
    with unharmed(server):
        # Of 2 GB that are offered; the rest is in the kernel's buffers.
        assert flood(server, first, part, 2000 * MB) < 100 * MB


SLOW = {
    "headers": (b"", b"GET /healthz HTTP/1.1\r\n" + b"A: b\r\n" * 40),
    "a header": (POST, b"X: " + b"y" * 200),
    "a body": (POST + b"Content-Length: 500\r\n\r\n", b" " * 400),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_byte_at_a_time_is_too_slow(server: Server, name: str) -> None:
    first, part = SLOW[name]
    with unharmed(server), server.send(first) as connection:
        began = time.monotonic()
        with suppress(OSError):
            for k in range(len(part)):
                connection.sendall(part[k : k + 1])
                time.sleep(0.05)
        assert status(read_to_end(connection)) == 408
        assert time.monotonic() - began < PATIENCE


def test_idle_connections_give_way_to_a_newcomer(server: Server) -> None:
    with unharmed(server), ExitStack() as open_ones:
        for _ in range(200):
            open_ones.enter_context(server.connect())
        for _ in range(20):
            assert server.newcomer() < 5


def test_connections_kept_alive_give_way_and_end(server: Server) -> None:
    with unharmed(server), ExitStack() as open_ones:
        kept = [open_ones.enter_context(server.send(GET)) for _ in range(100)]
        assert server.newcomer() < 5
        for each in kept:
            read_to_end(each)


def test_slow_ones_by_the_hundred_give_way(server: Server) -> None:
    with unharmed(server), ExitStack() as open_ones:
        for k in range(150):
            data = (b"GET / HT", POST + b"Content-Length: 9\r\n\r\n{", GET, RANGE)[k % 4]
            open_ones.enter_context(server.send(data))
        assert server.newcomer() < 10


def test_pipelined_requests_are_answered_in_part_and_end(server: Server) -> None:
    with unharmed(server):
        code, said = server.answer(GET * 20_000)
    assert code == 200
    assert 0 < said.count(b"HTTP/1.1 200") < 20_000


def test_a_few_pipelined_requests_are_all_answered(server: Server) -> None:
    code, said = server.answer(GET * 5 + b"nonsense\r\n\r\n")
    assert code == 200
    assert said.count(b"HTTP/1.1 200") == 5


def test_answers_that_are_not_read_are_not_kept(server: Server) -> None:
    with unharmed(server, allowed_mb=300), ExitStack() as open_ones:
        for _ in range(39):
            open_ones.enter_context(server.send(RANGE))
        time.sleep(4)
        assert server.newcomer() < 10


def test_a_slow_reader_loses_the_connection(server: Server) -> None:
    with unharmed(server, allowed_mb=300), server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(RANGE)
        began, read = time.monotonic(), 0
        with suppress(ConnectionResetError):
            while part := connection.recv(1):
                read += len(part)
                time.sleep(0.2)
                assert time.monotonic() - began < 4 * PATIENCE
                if read % 20 == 0 and peek_end(connection) == b"":
                    break


def peek_end(connection: socket.socket) -> bytes | None:
    """Empty where the server has ended the connection, found by a look at its state."""
    # TCP_INFO's first byte is the state; 1 is established.
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return None if state == 1 else b""


def test_clients_that_leave_are_no_errors(server: Server) -> None:
    with unharmed(server, allowed_mb=300):
        for k in range(120):
            data = (RANGE, posted(b'{"job":{"hours":2},"region":"DE"}'), POST + b"Content-")
            connection = server.send((*data, POST + b"Content-Length: 99\r\n\r\n{")[k % 4])
            if k % 2:
                reset(connection)
            else:
                connection.close()
        time.sleep(2)
    assert '"status": 500' not in server.said()


def test_bodies_that_were_answered_are_no_longer_counted(server: Server) -> None:
    # 36 MB on one connection, where all may hold 20.
    data = posted(b" " * 900_000)
    with unharmed(server), server.connect() as connection:
        for _ in range(40):
            connection.sendall(data)
            said = b""
            while not said.endswith(b"}"):
                part = connection.recv(65_536)
                assert part, said
                said += part
            assert status(said) == 422, said


def test_half_closed_connections_end(server: Server) -> None:
    with unharmed(server):
        for data in (b"", b"GET / H", GET, POST + b"Content-Length: 99\r\n\r\n{"):
            with server.send(data) as connection:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                read_to_end(connection)


def test_twelve_large_bodies_at_once_leave_room(server: Server) -> None:
    row = {"start": "2026-03-02T00:00Z", "end": "2026-03-02T01:00Z", "kwh": 1.0}
    rows = ",".join([json.dumps(row)] * 90_000)
    body = f'{{"region":"DE","rows":[{rows}]}}'.encode()
    assert 6 * MB < len(body) < 8 * MB
    with unharmed(server, allowed_mb=600), ExitStack() as open_ones:
        data = posted(body, b"/v1/footprint", b"Connection: close\r\n")
        requested = [open_ones.enter_context(server.send(data)) for _ in range(12)]
        codes = [status(read_to_end(each, 40 * MB)) for each in requested]
    assert set(codes) <= {200, 408, 413, 422, 503, None}


def test_a_path_cannot_forge_a_log_entry(server: Server) -> None:
    forged = b"/%0d%0a%7b%22level%22:%22FORGED%22%7d?x=%0aFORGED%1b[2J\x0b"
    with unharmed(server):
        for path in (forged.replace(b"\x0b", b""), forged, b"/%c2%85%e2%80%a8%c2%9b2JFORGED"):
            server.answer(
                b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
            )
    lines = [line for line in server.said().splitlines() if "FORGED" in line]
    assert lines
    assert all(json.loads(line)["logger"] == "gridtide_server.access" for line in lines)
    assert all(line.isprintable() for line in lines)


def test_stalled_clients_do_not_hold_up_the_end(home: DataDirectory) -> None:
    long = {"GRIDTIDE_WRITE_SECONDS": "60", "GRIDTIDE_BODY_SECONDS": "60"}
    with serving(home.root, **long) as server, ExitStack() as open_ones:
        for data in (RANGE, POST + b"Content-Length: 9\r\n\r\n{", GET, b"GET /") * 4:
            open_ones.enter_context(server.send(data))
        time.sleep(1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
        assert "Traceback" not in server.said()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_with_few_descriptors_a_newcomer_is_answered(home: DataDirectory, workers: str) -> None:
    unset = {"GRIDTIDE_MAX_CONNECTIONS": "", "GRIDTIDE_IDLE_SECONDS": "30"}
    unset |= {"GRIDTIDE_HEADER_SECONDS": "30"}
    with serving(home.root, "--workers", workers, descriptors=160, **unset) as server:
        with ExitStack() as open_ones:
            for k in range(400):
                open_ones.enter_context(server.send((b"", GET, b"GET /")[k % 3]))
            for _ in range(10):
                assert server.newcomer() < 5
        assert "Traceback" not in server.said()
