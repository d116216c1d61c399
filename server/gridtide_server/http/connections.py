"""The open connections of one process: how many, how long each waits, what all of them hold.

A connection waits when the next byte must come from the client, or be taken by it. When the
limit is reached, the connection that waits longest makes room for a new one. A client that
sends its request at once waits for the shortest time of all, so it is answered however many
others just hold connections.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from gridtide_server.http.limits import Limits

log = logging.getLogger(__name__)

# A full table is reported once in this many seconds, not once for each connection.
REPORT_EVERY = 60.0
# What is held below this by one connection is not worth closing it for.
SMALL = 65_536


class Connection(Protocol):
    """What the table asks of a connection."""

    unsent: int
    held: int
    overloaded: bool

    @property
    def receiving(self) -> bool:
        """Whether a body is on its way."""

    @property
    def stalled(self) -> bool:
        """Whether the client does not take what was written."""

    def check_deadline(self, now: float) -> None:
        """Close the connection where it waited for too long."""

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
        """Take a new connection; False where all others are being answered, so none can go."""
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
        """From now on the connection waits for its client."""
        if connection in self._all:
            self._waiting.pop(connection, None)
            self._waiting[connection] = None

    def work(self, connection: Connection) -> None:
        """From now on the client waits for us."""
        self._waiting.pop(connection, None)

    def hold(self, connection: Connection, size: int) -> None:
        """Count `size` bytes of body; the longest upload ends where all hold too much."""
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
        """The body of a connection is no longer held."""
        self._held -= connection.held
        connection.held = 0

    def queue(self, connection: Connection, size: int) -> None:
        """Count `size` bytes to be sent, negative for bytes taken.

        Where clients leave too much untaken, those go that took nothing for the longest time.
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
