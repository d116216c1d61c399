"""A publisher on loopback that misbehaves in many ways.

Below ``/uk`` and ``/eia`` it answers as the two real ones do. The one that is `hostile` goes
through its mode instead: a function from the request to bytes to send and pauses (seconds) to
make, without end if it likes. A connection ends when the client closes it.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlparse

from tests.flow.publishers import eia_document, uk_document

LONGEST = 60.0  # seconds for which a connection may be kept busy at most
RESET = -1.0  # as a pause: drop the connection without a goodbye


@dataclass(frozen=True)
class Ask:
    """What was requested, and the true answer to it."""

    now: datetime
    path: str
    query: dict[str, list[str]]
    document: dict[str, Any]

    @property
    def json(self) -> bytes:
        return json.dumps(self.document).encode()

    def reply(
        self,
        body: bytes | None = None,
        *headers: str,
        status: str = "200 OK",
        date: datetime | str | None = None,
        length: int | None = None,
    ) -> bytes:
        """A whole answer; the true one unless another is set."""
        content = self.json if body is None else body
        stamp = date if isinstance(date, str) else http_date(date or self.now)
        size = len(content) if length is None else length
        # Said, since a client that did not know might send its next request into the end.
        lines = [f"HTTP/1.1 {status}", f"Date: {stamp}", f"Content-Length: {size}"]
        lines += ["Connection: close", *headers]
        return "\r\n".join([*lines, "", ""]).encode() + content

    def open(self, *headers: str) -> bytes:
        """The head of an answer in chunks that never says how long it is."""
        lines = ["HTTP/1.1 200 OK", f"Date: {http_date(self.now)}", *headers]
        return "\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode()


Mode = Callable[[Ask], Iterator[bytes | float]]


@dataclass
class Publisher:
    """What it was requested, and who of ``uk`` and ``eia`` (or both) misbehaves how."""

    address: str
    now: datetime
    hostile: str = ""
    mode: Mode | None = None
    requested: list[str] = field(default_factory=list)


def http_date(moment: datetime) -> str:
    return f"{moment:%a, %d %b %Y %H:%M:%S} GMT"


@contextmanager
def publisher(now: datetime) -> Iterator[Publisher]:
    """It, running in threads of this process until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    state = Publisher(f"http://127.0.0.1:{listener.getsockname()[1]}", now)
    ended = threading.Event()
    threads = [threading.Thread(target=_accept, args=(listener, state, ended), daemon=True)]
    threads[0].start()
    try:
        yield state
    finally:
        ended.set()
        # Closing alone does not wake who waits in accept.
        with suppress(OSError):
            socket.create_connection(listener.getsockname(), timeout=1).close()
        threads[0].join(10)
        listener.close()


def _accept(listener: socket.socket, state: Publisher, ended: threading.Event) -> None:
    while not ended.is_set():
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection, state, ended), daemon=True).start()


def _serve(connection: socket.socket, state: Publisher, ended: threading.Event) -> None:
    """Answer one question and close; whoever asks again connects again."""
    with connection, suppress(OSError):
        connection.settimeout(LONGEST)
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(65536)
            if not data:
                return
            head += data
        target = head.split(b" ")[1].decode()
        state.requested.append(target)
        url = urlparse(target)  # a proxy is requested with the whole address
        name, _, path = url.path.removeprefix("/").partition("/")
        query = parse_qs(url.query)
        document = (
            uk_document(path, state.now)
            if name == "uk"
            else eia_document(path, query, state.now)
        )
        ask = Ask(state.now, target, query, document)
        mode = state.mode if state.mode and name in state.hostile.split(" and ") else good
        until = time.monotonic() + LONGEST
        for part in mode(ask):
            if ended.is_set() or time.monotonic() > until:
                return
            if part == RESET:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return
            if isinstance(part, float):
                ended.wait(part)
            else:
                connection.sendall(part)


def good(ask: Ask) -> Iterator[bytes | float]:
    """The true answer."""
    yield ask.reply()


def undated(ask: Ask) -> Iterator[bytes | float]:
    """The true answer without a Date header."""
    yield re.sub(rb"Date: [^\r]*\r\n", b"", ask.reply(), count=1)


def shifted(ask: Ask, by: timedelta) -> dict[str, Any]:
    """The true answer of the GB publisher with every slot moved in time."""
    stamp = "%Y-%m-%dT%H:%MZ"
    slots = []
    for slot in ask.document["data"]:
        moved = {
            name: (datetime.strptime(slot[name], stamp) + by).strftime(stamp)  # noqa: DTZ007  # stays naive
            for name in ("from", "to")
        }
        slots.append(slot | moved)
    return {"data": slots}
