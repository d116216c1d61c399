"""uvicorn's protocol class, counting what the parser reports of each request."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gridtide_server.http.limits import Limits
from gridtide_server.http.request_size import RequestSize

# Requests sent ahead of their answers; clients that pipeline at all send a handful.
MOST_PIPELINED = 16


class CountedProtocol(HttpToolsProtocol):
    """Keeps of a request what is within the limits, and starts it if all of it is."""

    _limits: Limits
    # The request that is being read, and whether any of it has come.
    _size: RequestSize
    _reading = False
    # What still comes on this connection is of no interest.
    _ignoring = False

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._size = RequestSize(self._limits, self._size.refusal)

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        if self._size.add_address(len(url)):
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, of which nothing is kept."""
        if self._size.add_header(len(name) + len(value)) and not self._size.in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The application is started, if the request is within bounds."""
        self._size.begin_body()
        if self._size.refusal is not None or self._ignoring:
            return
        if len(self.pipeline) >= MOST_PIPELINED:
            # Those before it are answered; a client sends the others again.
            self._ignoring = True
            self.pipeline[0][0].keep_alive = False
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._size.add_body(len(body))
        if self._size.refusal is None and not self._ignoring:
            super().on_body(body)

    def on_chunk_header(self) -> None:
        """A chunk begins."""
        self._size.add_chunk()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._size.end_body()
        self._reading = False
        if self._size.refusal is not None or self._ignoring:
            return
        super().on_message_complete()
        self._complete_body()

    def _complete_body(self) -> None:
        """Do what there is to do once the request is whole."""
