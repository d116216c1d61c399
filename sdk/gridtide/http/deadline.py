"""Connections that end: one deadline over connection, headers and body, a bound on bytes.

A timeout of httpx holds for each wait alone, so a host that sends a byte now and then holds a
request for ever, and endless informational answers never reach the caller. Here each wait is
cut to what is left until the deadline, below everything that could wait.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, TypeVar

import httpcore
import httpx

T = TypeVar("T")

# Headers, and the frames of an answer in chunks, come on top of its body.
OVERHEAD = 4 * 1024 * 1024
# The most that one record of TLS carries (RFC 8446, 5.1).
RECORD = 16 * 1024


class Allowance(threading.local):
    """What is left of the time and the bytes of the request under way in this thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._deadline = float("inf")
        self._bytes = 0

    def renew(self, *, deadline: float, size: int) -> None:
        """Begin a request that ends at `deadline` of the clock and may bring `size` bytes."""
        self._deadline, self._bytes = deadline, size + OVERHEAD

    def cut(self, timeout: float | None) -> float:
        """Return the seconds of one wait: `timeout`, or less if the deadline is nearer.

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
    """Return `transport` with every connection it opens from now on held to `allowance`."""
    # httpcore takes a backend where a pool is made, and httpx does not pass one on.
    pool: Any = transport._pool
    pool._network_backend = _Backend(pool._network_backend, allowance)
    return transport


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
        seconds = self._allowance.cut(timeout)
        connection: Future[httpcore.NetworkStream] = Future()

        def connect() -> None:
            try:
                stream = self._inner.connect_tcp(
                    host, port, seconds, local_address, socket_options
                )
            except BaseException as error:  # noqa: BLE001  # raised by who waits for it
                if connection.set_running_or_notify_cancel():
                    connection.set_exception(error)
                return
            if connection.set_running_or_notify_cancel():
                connection.set_result(stream)
            else:
                stream.close()

        # A name lookup takes no time limit, and a name of many addresses takes the limit for
        # each: what does not end in time is left to a thread that is not waited for.
        threading.Thread(target=connect, name="gridtide-connect", daemon=True).start()
        done, _ = wait([connection], seconds)
        if not done and connection.cancel():
            raise httpcore.ConnectTimeout(f"no connection to {host} in {seconds:.3g} s")
        return _Stream(connection.result(), self._allowance)

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
        # httpcore waits the whole time anew for each part that is taken.
        for at in range(0, len(buffer), RECORD):
            self._inner.write(buffer[at : at + RECORD], self._allowance.cut(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        if self._inner.get_extra_info("ssl_object") is not None:
            return _Tunnel(self, ssl_context, server_hostname, timeout)
        stream = self._inner.start_tls(
            ssl_context, server_hostname, self._allowance.cut(timeout)
        )
        return _Stream(stream, self._allowance)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # as httpcore has it
        return self._inner.get_extra_info(info)


class _Tunnel(httpcore.NetworkStream):
    """TLS in a stream that is encrypted itself, as that to an https proxy is.

    That of httpcore waits at the socket below, and so anew for each part of a message.
    """

    def __init__(
        self,
        outer: _Stream,
        context: ssl.SSLContext,
        hostname: str | None,
        timeout: float | None,
    ) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(
                self._incoming, self._outgoing, server_hostname=hostname
            )
            self._exchange(self._tls.do_handshake, timeout)
        except Exception as error:
            self.close()
            if isinstance(error, OSError):  # an SSLError is one
                raise httpcore.ConnectError(str(error)) from error
            raise

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._exchange(lambda: self._tls.read(max_bytes), timeout)
        except ssl.SSLEOFError:
            return b""  # whether something is missing is seen from the answer
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            while buffer:
                part = buffer
                buffer = part[self._exchange(lambda: self._tls.write(part), timeout) :]  # noqa: B023
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._outer.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # as httpcore has it
        return self._tls if info == "ssl_object" else self._outer.get_extra_info(info)

    def _exchange(self, step: Callable[[], T], timeout: float | None) -> T:
        """Take one step of TLS, with the reads and writes of the outer stream it needs."""
        while True:
            done: list[T] = []
            with suppress(ssl.SSLWantReadError):
                done.append(step())
            self._outer.write(self._outgoing.read(), timeout)
            if done:
                return done[0]
            if part := self._outer.read(RECORD, timeout):
                self._incoming.write(part)
            else:
                self._incoming.write_eof()
