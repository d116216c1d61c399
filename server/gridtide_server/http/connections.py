"""The open connections of one process: how many, how long each waits, what all of them hold.

A connection waits when the next byte must come from the client, or be taken by it. When the
limit is reached, the connection that waits longest makes room for a new one. A client that
sends its request at once waits for the shortest time of all, so it is answered however many
others just hold connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridtide_server.errors import Overloaded
from gridtide_server.http.limits import Limits

log = logging.getLogger(__name__)

# A full table is reported once in this many seconds, not once for each connection.
REPORT_EVERY = 60.0
# A connection that holds less is not worth closing.
SMALL = 65_536


class Connection(Protocol):
    """What the table needs of a connection."""

    unsent: int
    held: int
    overloaded: bool

    @property
    def receiving(self) -> bool:
        """Whether a body is being received."""

    @property
    def stalled(self) -> bool:
        """Whether the client does not read what was written."""

    def check_deadline(self, now: float) -> None:
        """Close the connection if it waited too long."""

    def drop(self) -> None:
        """Close the connection at once, to make room."""

    def refuse_body(self) -> None:
        """Answer 503 instead of reading the rest of the body."""


class Connections:
    """The connections of one process, the longest waiting first."""

    def __init__(
        self, limits: Limits, most: int, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self.limits = limits
        self.most = most
        self.loop = loop or asyncio.get_running_loop()
        self._all: set[Connection] = set()
        # A dict keeps the order in which waiting began.
        self._waiting: dict[Connection, None] = {}
        self._unsent = 0
        self._held = 0
        self._sweep: asyncio.TimerHandle | None = None
        self._reported = float("-inf")
        shortest = min(
            limits.header_seconds,
            limits.body_seconds,
            limits.write_seconds,
            limits.idle_seconds,
        )
        self._every = min(1.0, shortest / 4)

    def __len__(self) -> int:
        return len(self._all)

    def enter(self, connection: Connection) -> bool:
        """Take a new connection; return False if all others are busy and none can be closed."""
        if len(self._all) >= self.most:
            self._report()
            if not self._waiting:
                return False
            self._drop(next(iter(self._waiting)))
        self._all.add(connection)
        self._waiting[connection] = None
        if self._sweep is None:
            self._sweep = self.loop.call_later(self._every, self._check)
        return True

    def leave(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._all.discard(connection)
        self._waiting.pop(connection, None)
        self._held -= connection.held
        connection.held = 0

    def wait(self, connection: Connection) -> None:
        """Note that the connection waits for its client from now on."""
        if connection in self._all:
            self._waiting.pop(connection, None)
            self._waiting[connection] = None

    def work(self, connection: Connection) -> None:
        """Note that the client waits for the server from now on."""
        self._waiting.pop(connection, None)

    def hold(self, connection: Connection, size: int) -> None:
        """Count `size` bytes of body; if all hold too many, the longest upload is refused."""
        connection.held += size
        self._held += size
        while self._held > self.limits.buffer_bytes:
            victim = next(
                (each for each in self._waiting if each.receiving and each.held > SMALL),
                connection,
            )
            victim.refuse_body()
            self.release(victim)
            if victim is connection:
                return

    def release(self, connection: Connection) -> None:
        """Forget the bytes of a connection's body, which is no longer held."""
        self._held -= connection.held
        connection.held = 0

    def queue(self, connection: Connection, size: int) -> None:
        """Count `size` bytes to be sent, negative for bytes that were sent.

        If clients leave too much unread, those that read nothing for longest are closed.
        """
        connection.unsent += size
        self._unsent += size
        if size <= 0 or self._unsent <= self.limits.buffer_bytes:
            return
        excess = self._unsent - self.limits.buffer_bytes
        for each in list(self._waiting):
            if excess <= 0:
                return
            if each.stalled and each.unsent > SMALL:
                excess -= each.unsent
                self._unsent -= each.unsent
                each.unsent = 0
                self._drop(each)

    def _drop(self, connection: Connection) -> None:
        self._all.discard(connection)
        self._waiting.pop(connection, None)
        connection.drop()

    def _check(self) -> None:
        self._sweep = None
        now = self.loop.time()
        for connection in list(self._all):
            connection.check_deadline(now)
        if self._all:
            self._sweep = self.loop.call_later(self._every, self._check)

    def _report(self) -> None:
        now = self.loop.time()
        if now - self._reported >= REPORT_EVERY:
            self._reported = now
            log.warning(
                "all connections are taken; the longest waiting are closed for new ones. "
                "Raise GRIDTIDE_MAX_CONNECTIONS and the descriptor limit, or limit clients in "
                "a proxy",
                extra={"connections": self.most},
            )


# A response is written in parts of this size, each sent before the next.
PART = 65_536


def bound(app: ASGIApp, table: Connections, connection: Connection) -> ASGIApp:
    """Return `app` for one connection, whose bodies are counted in `table`."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(
                scope,
                _count_received(receive, table, connection),
                _send_in_parts(send, table, connection),
            )
        except asyncio.CancelledError:
            # The server stops and has waited long enough: not a failure, so no traceback.
            connection.drop()
        finally:
            table.release(connection)
            table.queue(connection, -connection.unsent)

    return respond


def reset(transport: asyncio.Transport) -> None:
    """End a connection at once, and drop what the kernel still holds for its client.

    Closed in the usual way, megabytes wait in the kernel for a client that reads nothing.
    """
    with contextlib.suppress(OSError, ValueError):
        descriptor = transport.get_extra_info("socket").fileno()
        # A copy, since the event loop's own socket objects refuse options.
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _count_received(receive: Receive, table: Connections, connection: Connection) -> Receive:
    async def counted() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            table.hold(connection, len(message["body"]))
        if connection.overloaded:
            connection.overloaded = False
            raise Overloaded("too many bodies are being received; ask again in a while")
        return message

    return counted


def _send_in_parts(send: Send, table: Connections, connection: Connection) -> Send:
    async def parted(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or len(body) <= PART:
            await send(message)
            return
        table.queue(connection, len(body))
        view, more = memoryview(body), message.get("more_body", False)
        for start in range(0, len(body), PART):
            part = bytes(view[start : start + PART])
            last = start + PART >= len(body)
            await send({**message, "body": part, "more_body": more or not last})
            table.queue(connection, -min(len(part), connection.unsent))

    return parted
