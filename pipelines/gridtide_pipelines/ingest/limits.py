"""Limits on the time and bytes of publishers' responses, and the transport that keeps them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

import httpx

from gridtide.http.deadline import Allowance, bound
from gridtide.http.proxies import (
    AUTHENTICATION_REQUIRED,
    proxy_fault,
    proxy_status,
    refusal,
    without_secrets,
)
from gridtide.http.transport import open_transport, proxy_faults, proxy_of
from gridtide_pipelines.errors import SourceChanged, SourceUnavailable
from gridtide_pipelines.ingest.source import Source

Row = TypeVar("Row")
ENDLESS = "its paging has changed, the source needs a look"

PART = 256 * 1024  # bytes unpacked at a time


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on what one publisher can take; the largest recorded response has 2 MB.

    Attributes:
        seconds: for one request: connection, headers, body, all tries and the waits between.
        connect: seconds for one connection.
        silence: seconds without a byte.
        body: bytes of one answer, unpacked; None for `Source.largest_body`.
        error: bytes read of an unsuccessful response.
        pages: rounds of requests of one group, the first among them.
        group: bytes of all answers that are read together; None for two of the largest.
        span: bytes of all answers about one span; None for sixteen of the largest.
        span_seconds: for all requests of one span.
    """

    seconds: float = 120.0
    connect: float = 10.0
    silence: float = 30.0
    body: int | None = None
    error: int = 4096
    pages: int = 50
    group: int | None = None
    span: int | None = None
    span_seconds: float = 1200.0

    def of(self, source: Source) -> Bytes:
        """Return the bytes that answers of `source` may have."""
        most = source.largest_body
        return Bytes(self.body or most, self.group or 2 * most, self.span or 16 * most)


@dataclass(frozen=True, slots=True)
class Bytes:
    """The most bytes of one answer, of those of a group, and of those about a span."""

    body: int
    group: int
    span: int


DEFAULT = Limits()


class TooLarge(Exception):
    """A response has more bytes than its limit."""


class Unreadable(Exception):
    """A response is not in the encoding that was requested."""


class Routed(httpx.BaseTransport):
    """Transport to each publisher through the proxy and certificates that its URL needs.

    Transports are opened when first needed, so a proxy that cannot be used harms only those
    that would be requested through it.
    """

    def __init__(self, environ: Mapping[str, str], allowance: Allowance) -> None:
        self._environ, self._allowance = environ, allowance
        self._lock = Lock()  # several threads may send requests
        self._opened: dict[tuple[str, str, int | None], httpx.HTTPTransport] = {}
        self._proxies: dict[tuple[str, str, int | None], str] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return the response.

        Raises:
            BadInput, MissingExtra: the environment names what cannot be used, or the proxy
                that it names refuses to pass requests on.
            httpx.RequestError: no answer; where a proxy lies between, the message names it.
        """
        url = request.url
        key = url.scheme, url.host, url.port
        with self._lock:
            if key not in self._opened:
                # Only scheme, host and port: the query may hold a key, and messages name it.
                origin = str(url.copy_with(raw_path=b"/"))
                opened = bound(open_transport(origin, self._environ), self._allowance)
                self._opened[key] = opened
                self._proxies[key] = without_secrets(proxy_of(origin, self._environ) or "")
        if not (proxy := self._proxies[key]):
            return self._opened[key].handle_request(request)
        try:
            response = self._opened[key].handle_request(request)
        except proxy_faults() as error:
            status = proxy_status(str(error))
            if 400 <= status < 500:  # client errors: it will say the same again
                raise refusal(proxy, url.host, status) from error
            why = proxy_fault(proxy, str(error))
            raise httpx.ProxyError(f"the proxy {proxy}: {why}") from error
        except httpx.ConnectError as error:
            raise httpx.ConnectError(f"{error}, by the proxy {proxy}") from error
        if response.status_code == AUTHENTICATION_REQUIRED:
            response.close()
            raise refusal(proxy, url.host, response.status_code)
        return response

    def close(self) -> None:
        """Close all transports that were opened."""
        for transport in self._opened.values():
            transport.close()


def unpack(raw: Iterable[bytes], encoding: str, *, most: int) -> Iterator[bytes]:
    """Yield the parts of a body whose ``Content-Encoding`` is `encoding`, in bounded memory.

    One gzip, which is what we request, or none: a second one around it multiplies a bomb.

    Raises:
        TooLarge: it has more than `most` bytes, packed or not.
        Unreadable: another encoding, several, or no whole gzip file.
    """
    name = encoding.strip().lower()
    if name not in ("", "identity", "gzip", "x-gzip"):
        raise Unreadable(f"encoded as {encoding[:40]!r}, which was not requested")
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
    """Yield unpacked parts of at most PART bytes.

    Several gzip members may follow one another.
    """
    packed, machine = 0, None
    for data in raw:
        packed += len(data)
        if packed > most:
            raise TooLarge(f"more than {most} packed bytes in one answer")
        while data:
            machine = machine or zlib.decompressobj(zlib.MAX_WBITS | 16)
            part = _inflate(machine, data)
            data = machine.unconsumed_tail
            if machine.eof:
                data, machine = machine.unused_data, None
            if part:
                yield part
    while machine is not None and (part := _inflate(machine, b"")):
        yield part
    if machine is not None and not machine.eof:
        raise Unreadable("said to be gzip, but cut short")


def _inflate(machine: zlib._Decompress, data: bytes) -> bytes:
    """Return the next part; bytes that were accepted before may turn out wrong only now."""
    try:
        return machine.decompress(data, PART)
    except zlib.error as error:
        raise Unreadable(f"said to be gzip, but {error}") from error


class Watch:
    """Counts how much of their limits the responses of one span have used; for all threads.

    Attributes:
        exhausted: whether a limit of the whole span is used up.
    """

    def __init__(self, source: Source, limits: Limits, monotonic: Callable[[], float]) -> None:
        self.source, self.limits, self.bytes = source.name, limits, limits.of(source)
        self._monotonic = monotonic
        self._until = monotonic() + limits.span_seconds
        self._size = 0
        self._lock = Lock()
        self.exhausted = False

    def add(self, size: int) -> None:
        """Count a response of `size` bytes.

        Raises:
            SourceChanged: more bytes than all answers about a span have.
            SourceUnavailable: the time for the span is over.
        """
        with self._lock:
            self._size += size
            if self._size > self.bytes.span:
                self.exhausted = True
                raise SourceChanged(
                    self.source, f"more than {self.bytes.span} bytes; {ENDLESS}"
                )
        self.refuse_overtime()

    def refuse_overtime(self) -> None:
        """Raise SourceUnavailable if the time for the span is over."""
        if self._monotonic() > self._until:
            self.exhausted = True
            raise SourceUnavailable(
                self.source,
                f"no whole answer in {self.limits.span_seconds:g} s; the next refresh goes on",
            )


class GroupWatch:
    """Counts the pages and bytes of the responses that are parsed together."""

    def __init__(self, watch: Watch) -> None:
        """Begin a group.

        Raises:
            SourceUnavailable: the time for the span is over.
        """
        self._watch, self._size = watch, 0
        watch.refuse_overtime()

    def page(self, number: int, size: int) -> None:
        """Count a response of page `number`, from 1, of `size` bytes.

        Raises:
            SourceChanged: more pages or bytes than any answer has.
            SourceUnavailable: the time for the span is over.
        """
        self._size += size
        source, pages = self._watch.source, self._watch.limits.pages
        if number > pages:
            raise SourceChanged(source, f"more than {pages} pages; {ENDLESS}")
        if self._size > self._watch.bytes.group:
            most = self._watch.bytes.group
            raise SourceChanged(source, f"more than {most} bytes; {ENDLESS}")
        self._watch.add(size)


def at_most(rows: Iterable[Row], most: int) -> Iterator[Row]:
    """Yield `rows`, of which a body has at most so many.

    Raises:
        ValueError: there are more: a body that would fill the memory.
    """
    for count, row in enumerate(rows):
        if count >= most:
            raise ValueError(f"more than {most} values in a body")
        yield row
