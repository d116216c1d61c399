"""TLS through an https proxy: TLS within TLS, held to the time and the bytes of the call.

The certificate of both is `data/loopback.pem`, made for these tests alone by

    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
        -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gridtide.client import AsyncClient, Client
from gridtide.errors import ApiError, ServiceUnavailable
from gridtide.http.session import LARGEST

PEM = Path(__file__).parent / "data" / "loopback.pem"
Speak = Callable[["Inner", threading.Event], None]


class Inner:
    """The service's side of TLS inside the encrypted connection of a proxy."""

    def __init__(self, outer: ssl.SSLSocket) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context().wrap_bio(self._incoming, self._outgoing, server_side=True)

    def shake_hands(self) -> None:
        self._exchange(self._tls.do_handshake)

    def receive(self) -> bytes:
        return self._exchange(lambda: self._tls.read(65536))

    def packed(self, data: bytes) -> bytes:
        """`data` as the bytes of records, not sent."""
        for at in range(0, len(data), 16384):
            self._tls.write(data[at : at + 16384])
        return self._outgoing.read()

    def send_raw(self, data: bytes) -> None:
        self._outer.sendall(data)

    def receive_raw(self) -> bytes:
        return self._outer.recv(65536)

    def _exchange(self, step: Callable[[], Any]) -> Any:  # noqa: ANN401
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._outer.sendall(self._outgoing.read())
                part = self._outer.recv(65536)
                if not part:
                    raise OSError("the client left") from None
                self._incoming.write(part)
            else:
                self._outer.sendall(self._outgoing.read())
                return done


def context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(PEM)
    return made


@contextlib.contextmanager
def proxy(speak: Speak) -> Iterator[dict[str, str]]:
    """The environment that names an https proxy behind which `speak` is every service."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listening.accept()
            with context().wrap_socket(connection, server_side=True) as outer:
                assert outer.recv(65536).startswith(b"CONNECT ")
                outer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                speak(Inner(outer), stop)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        port = listening.getsockname()[1]
        yield {"HTTPS_PROXY": f"https://localhost:{port}", "SSL_CERT_FILE": str(PEM)}
    finally:
        stop.set()
        listening.close()
        thread.join()


def ask(kind: Any, environ: dict[str, str], timeout: float = 60) -> Any:  # noqa: ANN401
    url = "https://localhost"
    if kind is Client:
        with Client(url, environ=environ, retries=0, timeout=timeout) as client:
            return client.zones()

    async def later() -> object:
        async with AsyncClient(url, environ=environ, retries=0, timeout=timeout) as client:
            return await client.zones()

    return asyncio.run(later())


def answered(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_large_answer_comes_through_whole(kind: Any, said: Any) -> None:  # noqa: ANN401
    wire = said.zones | {"zones": said.zones["zones"] * 500}

    def speak(inner: Inner, _: threading.Event) -> None:
        inner.shake_hands()
        assert inner.receive().startswith(b"GET /v1/zones HTTP/1.1\r\nHost: localhost\r\n")
        inner.send_raw(inner.packed(answered(json.dumps(wire).encode())))

    with proxy(speak) as environ:
        assert ask(kind, environ).to_json() == wire


def trickle(inner: Inner, data: bytes, stop: threading.Event) -> None:
    """Send `data` a byte at a time: bytes that belong to one record."""
    for at in range(len(data)):
        if stop.wait(0.05):
            return
        inner.send_raw(data[at : at + 1])


def shake_slowly(inner: Inner, stop: threading.Event) -> None:
    inner.receive_raw()
    # A handshake record of 16 KB that never becomes whole.
    trickle(inner, b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" + bytes(16000), stop)


def answer_slowly(inner: Inner, stop: threading.Event) -> None:
    inner.shake_hands()
    inner.receive()
    trickle(inner, inner.packed(answered(b" " * 16000)), stop)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("speak", [shake_slowly, answer_slowly])
def test_a_record_that_trickles_ends_with_the_time_limit(kind: Any, speak: Speak) -> None:  # noqa: ANN401
    with proxy(speak) as environ:
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable, match="did not answer"):
            ask(kind, environ, timeout=2)
        assert time.monotonic() - began < 60  # without a limit it takes 13 minutes


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_who_leaves_within_the_answer_is_no_answer(kind: Any) -> None:  # noqa: ANN401
    def speak(inner: Inner, _: threading.Event) -> None:
        inner.shake_hands()
        inner.receive()
        inner.send_raw(inner.packed(answered(b" " * 100)[:-50]))

    with proxy(speak) as environ, pytest.raises(ServiceUnavailable, match="did not answer"):
        ask(kind, environ)


def test_a_certificate_for_another_host_is_refused() -> None:
    def speak(inner: Inner, _: threading.Event) -> None:
        inner.shake_hands()

    with (
        proxy(speak) as environ,
        pytest.raises(ServiceUnavailable, match=r"through the proxy .*SSL_CERT_FILE"),
        Client("https://other.localhost:443", environ=environ, retries=0) as client,
    ):
        client.zones()


def test_more_bytes_than_any_answer_has_are_refused() -> None:
    def speak(inner: Inner, stop: threading.Event) -> None:
        inner.shake_hands()
        inner.receive()
        head = answered(b"").replace(b"Content-Length: 0", b"Content-Length: 99999999999")
        inner.send_raw(inner.packed(head))
        with contextlib.suppress(OSError):
            for _ in range(LARGEST // 1_000_000 + 20):
                if stop.is_set():
                    return
                inner.send_raw(inner.packed(b" " * 1_000_000))

    with proxy(speak) as environ, pytest.raises(ApiError, match="bytes"):
        ask(Client, environ)
