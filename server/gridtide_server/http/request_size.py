"""Size of a request, counted while it is parsed, and its refusal if it is too large."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gridtide_server.http.limits import Limits
from gridtide_server.problems import Row, problem

# Python's own phrases differ from release to release, and codes are stable.
NAMES = {
    HTTPStatus.BAD_REQUEST: ("bad_request", "Bad Request"),
    HTTPStatus.REQUEST_TIMEOUT: ("request_timeout", "Request Timeout"),
    HTTPStatus.REQUEST_URI_TOO_LONG: ("uri_too_long", "URI Too Long"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "request_header_fields_too_large",
        "Request Header Fields Too Large",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: ("overloaded", "Service Unavailable"),
}


class Refusal(NamedTuple):
    """Why a request is refused before the application sees it."""

    status: HTTPStatus
    why: str


def encode_refusal(refusal: Refusal, default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the whole HTTP response, after which the connection ends."""
    code, phrase = NAMES[refusal.status]
    retry = {"Retry-After": "5"} if refusal.status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    response = problem(Row(refusal.status, phrase), code, refusal.why, headers=retry)
    lines = [b"HTTP/1.1 %d %s" % (refusal.status, phrase.encode())]
    given = [*default_headers, *response.raw_headers]
    given += [(b"x-content-type-options", b"nosniff"), (b"connection", b"close")]
    lines += [name + b": " + value for name, value in given]
    return b"\r\n".join([*lines, b"", bytes(response.body)])


# Browsers send some 20, proxies add a few.
MOST_HEADERS = 200
# Bytes of a chunk's own line: its size, its end and a short extension.
CHUNK_LINE = 32
# Around the name and the value of a header: a colon, a space and the end of the line.
HEADER_MARKS = 4


class RequestSize:
    """Counts the bytes of one request, and keeps why it is refused, if it is."""

    def __init__(self, limits: Limits, refusal: Refusal | None = None) -> None:
        self.refusal = refusal
        self.in_body = False
        self._most = limits.header_bytes
        self._head = self._headers = 0
        # Bytes received beside the data of a body; in the head, those after its first bytes.
        self._excess = 0

    def refuse(self, status: HTTPStatus, why: str) -> None:
        """Refuse the request; the first reason counts."""
        self.refusal = self.refusal or Refusal(status, why)

    def add_received(self, size: int) -> None:
        """Count bytes as they came, before they are parsed."""
        # The parser does not report a part of a header.
        if self.in_body or self._head:
            self._excess += size

    def add_address(self, size: int) -> bool:
        """Count a part of the address; return whether it may be kept."""
        self._head += size
        if self._head > self._most:
            self.refuse(
                HTTPStatus.REQUEST_URI_TOO_LONG,
                f"the address and the headers may be {self._most:,} bytes in all; ask in "
                "parts, or by POST /v1/batch",
            )
        return self.refusal is None

    def add_header(self, size: int) -> bool:
        """Count a header or trailer; return whether it may be kept."""
        self._head += size + HEADER_MARKS
        self._headers += 1
        if self._headers > MOST_HEADERS:
            self._too_large(f"more than {MOST_HEADERS}")
        if self._head > self._most:
            self._too_large(f"more than {self._most:,} bytes with the address")
        return self.refusal is None

    def begin_body(self) -> None:
        """Note that the headers are complete."""
        self.in_body, self._excess = True, 0

    def add_body(self, size: int) -> None:
        """Count data of the body."""
        self._excess -= size

    def add_chunk(self) -> None:
        """Count the line of a chunk, which is not an excess."""
        self._excess -= CHUNK_LINE

    def end_body(self) -> None:
        """Note that the request is complete."""
        self.in_body = False

    def check_excess(self) -> None:
        """Refuse a head without end, or a body that is mostly not data."""
        if self._excess <= self._most:
            return
        if self.in_body:
            self.refuse(
                HTTPStatus.BAD_REQUEST,
                "the chunked body has too much beside its data; send it in larger chunks "
                "without extensions",
            )
        else:
            self._too_large(f"more than {self._most:,} bytes with the address")

    def _too_large(self, seen: str) -> None:
        self.refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"the headers are {seen}; send fewer or shorter ones",
        )


# Requests sent ahead of their answers; clients that pipeline at all send a handful.
MOST_PIPELINED = 16


class CountedProtocol(HttpToolsProtocol):
    """uvicorn's protocol class, which counts what the parser reports of each request."""

    _limits: Limits
    # The request that is being received, and whether any of it has arrived.
    _size: RequestSize
    _reading = False
    # Further bytes of this connection are discarded.
    _ignoring = False

    def on_message_begin(self) -> None:
        """Start to count a request."""
        super().on_message_begin()
        self._size = RequestSize(self._limits, self._size.refusal)

    def on_url(self, url: bytes) -> None:
        """Keep a part of the address, within the limits."""
        if self._size.add_address(len(url)):
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, within the limits; a trailer is only counted."""
        if self._size.add_header(len(name) + len(value)) and not self._size.in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the application, if the request is within the limits."""
        self._size.begin_body()
        if self._size.refusal is not None or self._ignoring:
            return
        if len(self.pipeline) >= MOST_PIPELINED:
            # Those before it get responses; a client sends the others again.
            self._ignoring = True
            self.pipeline[0][0].keep_alive = False
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body, unless the request is refused."""
        self._size.add_body(len(body))
        if self._size.refusal is None and not self._ignoring:
            super().on_body(body)

    def on_chunk_header(self) -> None:
        """Count the line of a chunk."""
        self._size.add_chunk()

    def on_message_complete(self) -> None:
        """Note that the request is complete."""
        self._size.end_body()
        self._reading = False
        if self._size.refusal is not None or self._ignoring:
            return
        super().on_message_complete()
        self._complete_body()

    def _complete_body(self) -> None:
        """Do what follows once the request is complete."""
