"""Connections that end: one deadline over connection, headers and body, a bound on bytes.

A timeout of httpx holds for each wait alone, so a publisher that sends a byte now and then
holds a request for ever, and endless informational answers never reach the caller. Here each
wait is cut to what is left until the deadline, below everything that could wait.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import httpcore
import httpx

from gridtide.transport import open_transport

# Headers, and the frames of an answer in chunks, come on top of its body.
OVERHEAD = 4 * 1024 * 1024
PIECE = 256 * 1024  # bytes unpacked at a time


class TooLarge(Exception):
    """An answer has more bytes than its bound."""


class Unreadable(Exception):
    """An answer is not in the encoding that was asked for."""


class Allowance:
    """What is left of the time and the bytes of the request that is under way."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._deadline = float("inf")
        self._bytes = 0

    def renew(self, *, deadline: float, size: int) -> None:
        """Begin a request that ends at `deadline` of the clock and may bring `size` bytes."""
        self._deadline, self._bytes = deadline, size + OVERHEAD

    def cut(self, timeout: float | None) -> float:
        """The seconds of one wait: `timeout`, or less if the deadline is nearer.

        Raises:
            httpcore.ReadTimeout: the deadline has passed.
        """
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for one request is over")
        return left if timeout is None else min(timeout, left)

    def spend(self, size: int) -> None:
        """Take `size` received bytes off.

        Raises:
            httpcore.RemoteProtocolError: more have come than an answer may have.
        """
        self._bytes -= size
        if self._bytes < 0:
            raise httpcore.RemoteProtocolError("more bytes than any answer has")


def bound(transport: httpx.HTTPTransport, allowance: Allowance) -> httpx.HTTPTransport:
    """`transport` with every connection it opens from now on held to `allowance`."""
    # httpcore takes a backend where a pool is made, and httpx does not pass one on.
    pool: Any = transport._pool
    pool._network_backend = _Backend(pool._network_backend, allowance)
    return transport


class Routed(httpx.BaseTransport):
    """Requests to each publisher by the proxy and the certificates its address calls for.

    Transports are opened when first needed, so a proxy that cannot be used harms only those
    who would be asked through it.
    """

    def __init__(self, environ: Mapping[str, str], allowance: Allowance) -> None:
        self._environ, self._allowance = environ, allowance
        self._opened: dict[tuple[str, str, int | None], httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it.

        Raises:
            BadInput, MissingExtra: the environment names what cannot be used.
        """
        url = request.url
        key = url.scheme, url.host, url.port
        if key not in self._opened:
            # Only scheme, host and port: the query may hold a key, and messages name the URL.
            origin = str(url.copy_with(raw_path=b"/"))
            self._opened[key] = bound(open_transport(origin, self._environ), self._allowance)
        return self._opened[key].handle_request(request)

    def close(self) -> None:
        """Close what was opened."""
        for transport in self._opened.values():
            transport.close()


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend, allowance: Allowance) -> None:
        self._inner, self._allowance = inner, allowance

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._inner.connect_tcp(
            host, port, self._allowance.cut(timeout), local_address, socket_options
        )
        return _Stream(stream, self._allowance)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(self._allowance.cut(seconds))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, allowance: Allowance) -> None:
        self._inner, self._allowance = inner, allowance

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inner.read(max_bytes, self._allowance.cut(timeout))
        self._allowance.spend(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._allowance.cut(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._inner.start_tls(
            ssl_context, server_hostname, self._allowance.cut(timeout)
        )
        return _Stream(stream, self._allowance)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # as httpcore has it
        return self._inner.get_extra_info(info)


def unpack(raw: Iterable[bytes], encoding: str, *, most: int) -> Iterator[bytes]:
    """The parts of a body whose ``Content-Encoding`` is `encoding`, in bounded memory.

    One gzip, which is what we ask for, or none: a second one around it multiplies a bomb.

    Raises:
        TooLarge: it has more than `most` bytes, packed or not.
        Unreadable: another encoding, several, or no whole gzip file.
    """
    name = encoding.strip().lower()
    if name not in ("", "identity", "gzip", "x-gzip"):
        raise Unreadable(f"encoded as {encoding[:40]!r}, which was not asked for")
    parts = _identity(raw) if name in ("", "identity") else _gunzip(raw, most)
    size = 0
    for part in parts:
        size += len(part)
        if size > most:
            raise TooLarge(f"more than {most} bytes in one answer")
        yield part


def _identity(raw: Iterable[bytes]) -> Iterator[bytes]:
    yield from raw


def _gunzip(raw: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Unpacked pieces of at most PIECE bytes each; several members follow one another."""
    packed, machine = 0, None
    for data in raw:
        packed += len(data)
        if packed > most:
            raise TooLarge(f"more than {most} packed bytes in one answer")
        while data:
            machine = machine or zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                part = machine.decompress(data, PIECE)
            except zlib.error as error:
                raise Unreadable(f"said to be gzip, but {error}") from error
            data = machine.unconsumed_tail
            if machine.eof:
                data, machine = machine.unused_data, None
            if part:
                yield part
    while machine is not None and (part := machine.decompress(b"", PIECE)):
        yield part
    if machine is not None and not machine.eof:
        raise Unreadable("said to be gzip, but cut short")
