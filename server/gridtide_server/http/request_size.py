"""How large a request is, counted while it is parsed."""

from __future__ import annotations

from http import HTTPStatus

from gridtide_server.http.limits import Limits
from gridtide_server.http.refusals import Refusal

# Browsers send some 20, proxies add a few.
MOST_HEADERS = 200
# Bytes of a chunk's own line: its size, its end and a short extension.
CHUNK_LINE = 32
# Around the name and the value of a header: a colon, a space and the end of the line.
HEADER_MARKS = 4


class RequestSize:
    """Bytes of one request by what they are, and why it is refused if it is."""

    def __init__(self, limits: Limits, refusal: Refusal | None = None) -> None:
        self.refusal = refusal
        self.in_body = False
        self._most = limits.header_bytes
        self._head = self._headers = 0
        # What came beside the data of a body; in the head, what came since its first bytes.
        self._excess = 0

    def refuse(self, status: HTTPStatus, why: str) -> None:
        """Refuse the request; the first reason counts."""
        self.refusal = self.refusal or Refusal(status, why)

    def add_received(self, size: int) -> None:
        """Count bytes as they came, before they are parsed."""
        # The parser keeps the part of a header that it has without a word.
        if self.in_body or self._head:
            self._excess += size

    def add_address(self, size: int) -> bool:
        """Count a part of the address; whether it may be kept."""
        self._head += size
        if self._head > self._most:
            self.refuse(
                HTTPStatus.REQUEST_URI_TOO_LONG,
                f"the address and the headers may be {self._most:,} bytes in all; ask in "
                "parts, or by POST /v1/batch",
            )
        return self.refusal is None

    def add_header(self, size: int) -> bool:
        """Count a header or trailer; whether it may be kept."""
        self._head += size + HEADER_MARKS
        self._headers += 1
        if self._headers > MOST_HEADERS:
            self._too_large(f"more than {MOST_HEADERS}")
        if self._head > self._most:
            self._too_large(f"more than {self._most:,} bytes with the address")
        return self.refusal is None

    def begin_body(self) -> None:
        """The headers are complete."""
        self.in_body, self._excess = True, 0

    def add_body(self, size: int) -> None:
        """Count data of the body."""
        self._excess -= size

    def add_chunk(self) -> None:
        """Count the line of a chunk, which is no excess."""
        self._excess -= CHUNK_LINE

    def end_body(self) -> None:
        """The request is complete."""
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
