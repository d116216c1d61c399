"""HTTP/1.1 of one connection, within the limits: a subclass of uvicorn's protocol class.

uvicorn bounds neither the size of headers nor the time a client takes for headers, a body or
an answer. This class counts bytes as the parser reports them, states what the connection waits
for, and leaves parsing and ASGI to uvicorn. A request that is refused here, before the
application sees it, gets a problem document too.
"""

from __future__ import annotations

import asyncio
import logging
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import httptools
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from gridtide_server.http.connections import Connections, bound, reset
from gridtide_server.http.request_size import (
    CountedProtocol,
    Refusal,
    RequestSize,
    encode_refusal,
)

log = logging.getLogger(__name__)

# After a response before the end of a body: long enough for the client to read it.
LINGER_SECONDS = 2.0
# Twice the largest body.
LINGER_BYTES = 16_000_000
# At the end of the server, for clients that send or read slowly.
ENDING_SECONDS = 3.0


class Phase(Enum):
    """What a connection is doing."""

    HEAD = auto()  # the client sends the request line and headers
    BODY = auto()  # the client sends a body
    WORK = auto()  # the application answers
    IDLE = auto()  # between two requests
    LINGER = auto()  # answered and half closed; what still comes is discarded


class BoundedProtocol(CountedProtocol):
    """One connection; `gridtide_server.http.connections` keeps all of a process."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None,
        table: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._table = table
        self._limits = table.limits
        self._size = RequestSize(table.limits)
        self.app = bound(config.loaded_app, table, self)
        self._phase = Phase.HEAD
        self._deadline = self._soon(self._limits.header_seconds)
        self._stalled_until: float | None = None
        self._closed_at: float | None = None
        self._discarded = 0
        # The request that is being answered; `cycle` is the one read last.
        self._answering: RequestResponseCycle | None = None
        self.unsent = self.held = 0
        self.overloaded = False

    # What the table asks.

    @property
    def receiving(self) -> bool:
        """Whether a body is being received."""
        return self._phase is Phase.BODY

    @property
    def stalled(self) -> bool:
        """Whether the client does not read what was written."""
        return self._stalled_until is not None

    def drop(self) -> None:
        """Close at once, whatever has not been sent yet."""
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        reset(self.transport)

    def refuse_body(self) -> None:
        """Answer 503 as soon as the application asks for more of the body."""
        self.overloaded = True
        if self._answering is not None:
            self._answering.message_event.set()

    def check_deadline(self, now: float) -> None:
        """Close the connection if the client took too long."""
        if self.transport.is_closing():
            # Closed here, but the client has not read what was written.
            self._closed_at = self._closed_at or now
            if now > self._closed_at + self._limits.write_seconds:
                reset(self.transport)
        elif self._stalled_until is not None:
            if now > self._stalled_until:
                self._note("took its answer too slowly")
                reset(self.transport)
        elif now <= self._deadline or self._phase is Phase.WORK:
            return
        elif self._phase is Phase.HEAD and self._reading:
            seconds = self._limits.header_seconds
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT, f"the headers took longer than {seconds:g} s"
            )
        elif self._phase is Phase.BODY:
            seconds = self._limits.body_seconds
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"the body took longer than {seconds:g} s")
        else:
            self.transport.abort()

    # What the event loop says.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio types a wider transport
        """Take the connection, or respond that the server is full."""
        super().connection_made(transport)
        if not self._table.enter(self):
            self._ignoring = True
            self._say(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "every connection of the server is in use; ask again in a few seconds",
            )
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._table.leave(self)
        self.pipeline.clear()
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, and refuse what exceeds the limits."""
        if self._ignoring or self.parser is None:
            self._discarded += len(data)
            if self._discarded > LINGER_BYTES:
                reset(self.transport)
            return
        self._unset_keepalive_if_required()
        if self._phase is Phase.IDLE:
            self._begin_head()
        self._reading = True
        self._size.add_received(len(data))
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Treated as the plain request it also is; what follows would not be HTTP.
            self._ignoring = True
            if self.cycle is not None:  # else it was refused before it was started
                self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._size.refuse(
                HTTPStatus.BAD_REQUEST, "this is not a valid HTTP/1.1 request; send plain HTTP"
            )
        if self._reading:
            self._size.check_excess()
        if self._size.refusal is not None:
            self._refuse(*self._size.refusal)

    def pause_writing(self) -> None:
        """Note that the client reads nothing more for now."""
        super().pause_writing()
        self._stalled_until = self._soon(self._limits.write_seconds)
        self._table.wait(self)

    def resume_writing(self) -> None:
        """Note that the client has read what was written."""
        super().resume_writing()
        self._stalled_until = None
        if self._phase is Phase.WORK:
            self._table.work(self)

    def shutdown(self) -> None:
        """End soon: a connection that waits for its client must not delay the server's end."""
        super().shutdown()
        end = self._soon(ENDING_SECONDS)
        self._deadline = min(self._deadline, end)
        self._closed_at = end - self._limits.write_seconds
        if self._stalled_until is not None:
            self._stalled_until = min(self._stalled_until, end)

    # What uvicorn does with a request.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:  # type: ignore[override]  # uvicorn has ASGI types of its own
        if cycle.more_body:
            self._phase = Phase.BODY
            self._deadline = self._soon(self._limits.body_seconds)
            self._table.wait(self)
        else:
            self._work()
        self._answering = cycle
        super()._start_asgi_task(cycle, app)  # type: ignore[arg-type]  # as above

    def on_response_complete(self) -> None:
        """Go on with the next request, or end the connection."""
        if self._phase is Phase.LINGER:
            return
        if self._size.in_body and not self.pipeline:
            # The rest of the body would have to be received and discarded.
            self.server_state.total_requests += 1
            self._linger()
            return
        super().on_response_complete()
        if self.transport.is_closing():
            self._table.wait(self)
        elif self.cycle.response_complete:
            if self._reading:
                self._begin_head()
            else:
                self._phase = Phase.IDLE
                self._deadline = self._soon(self._limits.idle_seconds)
                self._table.wait(self)

    # What is done about it.

    def _soon(self, seconds: float) -> float:
        return float(self.loop.time()) + seconds

    def _complete_body(self) -> None:
        if self._phase is Phase.BODY:
            self._work()

    def _begin_head(self) -> None:
        self._phase = Phase.HEAD
        self._deadline = self._soon(self._limits.header_seconds)
        self._table.wait(self)

    def _work(self) -> None:
        self._phase = Phase.WORK
        if self._stalled_until is None:
            self._table.work(self)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        """Report what is wrong, unless a response is in progress, and end."""
        if self._phase is Phase.LINGER or self.transport.is_closing():
            return
        self._ignoring = True
        current = self._answering
        answering = current is not None and not current.response_complete
        if current is not None and answering:
            if self._phase is not Phase.BODY:
                # The requests before the bad one get their responses.
                (self.pipeline[0][0] if self.pipeline else current).keep_alive = False
                return
            current.disconnected = True
            current.message_event.set()
            if current.response_started:
                reset(self.transport)
                return
        self._say(status, why)
        self._linger()

    def _say(self, status: HTTPStatus, why: str) -> None:
        self._note(why)
        head = self.server_state.default_headers
        self.transport.write(encode_refusal(Refusal(status, why), head))

    def _linger(self) -> None:
        """Half close, and discard what arrives until the client has read the response.

        If it were closed at once with bytes unread, the kernel would reset the connection, and
        the client might never see the reason.
        """
        self._phase, self._ignoring = Phase.LINGER, True
        self._deadline = self._soon(LINGER_SECONDS)
        self._table.wait(self)
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _note(self, why: str) -> None:
        if log.isEnabledFor(logging.INFO):
            client = self.client[0] if self.client else None
            log.info("connection refused", extra={"reason": why, "client": client})
