"""Limits on what one client can take of the server; each is a setting."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from math import isfinite

from gridtide.errors import BadInput

if sys.platform != "win32":
    import resource

# Connections that wait in the kernel to be accepted. All may be accepted at once, before any is
# closed, so as many descriptors are kept free.
BACKLOG = 256
# Descriptors for the snapshot's files, the log, the event loop and the listening socket.
OWN_DESCRIPTORS = 64
# A thousand clients at a time are many for one process. Each costs some 20 kB.
MOST_CONNECTIONS = 1000
FEWEST_CONNECTIONS = 8
# Enough for the connections above; some systems offer billions.
WANTED_DESCRIPTORS = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, or all of them together, may take.

    Attributes:
        header_bytes: of the request line and the headers together.
        header_seconds: from the first byte of a request (or the connection) to its last header.
        body_seconds: from the last header to the last byte of the body.
        write_seconds: for a client to take what was written before more is written.
        idle_seconds: between two requests of a connection.
        connections: at the same time in one process; None is as many as descriptors allow.
        body_bytes: of a request's body.
        rows_bytes: of the body of a footprint, which carries rows of metered energy.
        buffer_bytes: of request bodies, and again of responses that clients have not taken
            yet, of all connections together.
    """

    header_bytes: int = 65_536
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    write_seconds: float = 30.0
    idle_seconds: float = 30.0
    connections: int | None = None
    body_bytes: int = 1_000_000
    rows_bytes: int = 8_000_000
    buffer_bytes: int = 64_000_000

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Limits:
        """Return the limits in `environ`, with defaults for the others.

        Raises:
            BadInput: a value that cannot be decoded; the message says what would be right.
        """
        usual = cls()
        return cls(
            header_bytes=_count(environ, "MAX_HEADER_BYTES", usual.header_bytes),
            header_seconds=_seconds(environ, "HEADER_SECONDS", usual.header_seconds),
            body_seconds=_seconds(environ, "BODY_SECONDS", usual.body_seconds),
            write_seconds=_seconds(environ, "WRITE_SECONDS", usual.write_seconds),
            idle_seconds=_seconds(environ, "IDLE_SECONDS", usual.idle_seconds),
            connections=_count(environ, "MAX_CONNECTIONS", 0) or None,
            body_bytes=_count(environ, "MAX_BODY_BYTES", usual.body_bytes),
            rows_bytes=_count(environ, "MAX_ROWS_BYTES", usual.rows_bytes),
            buffer_bytes=_count(environ, "MAX_BUFFER_BYTES", usual.buffer_bytes),
        )


def most_connections(limits: Limits, descriptors: int) -> int:
    """Return how many connections one process keeps, below what its descriptor limit allows."""
    allowed = descriptors - OWN_DESCRIPTORS - backlog(descriptors)
    return max(FEWEST_CONNECTIONS, min(limits.connections or MOST_CONNECTIONS, allowed))


def backlog(descriptors: int) -> int:
    """Return how many connections may wait in the kernel, fewer if descriptors are few."""
    return min(BACKLOG, max(16, descriptors // 4))


def raise_descriptor_limit() -> int:
    """Raise the soft descriptor limit of this process to what is useful, and return it."""
    if sys.platform == "win32":
        return WANTED_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (
        WANTED_DESCRIPTORS if each == resource.RLIM_INFINITY else each for each in (soft, hard)
    )
    wanted = max(soft, min(hard, WANTED_DESCRIPTORS))
    if wanted > soft:
        with contextlib.suppress(ValueError, OSError):
            hard_as_set = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard_as_set))
            return wanted
    return soft


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server that listens at `host`."""
    name = host.strip("[]").partition("%")[0].lower()
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(f"GRIDTIDE_{name}", "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 15 or int(text) < 1:
        raise BadInput(f"GRIDTIDE_{name}={text!r}: must be a whole number of at least 1")
    return int(text)


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(f"GRIDTIDE_{name}", "").strip()
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not isfinite(seconds) or seconds <= 0:
        raise BadInput(f"GRIDTIDE_{name}={text!r}: must be a number of seconds above 0")
    return seconds
