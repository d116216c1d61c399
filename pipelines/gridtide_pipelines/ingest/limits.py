"""How much time and room a publisher gets before its step ends."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one publisher can take; the largest recorded answer has 2 MB.

    Attributes:
        seconds: for one request: connection, headers, body, all tries and the waits between.
        connect: seconds for one connection.
        silence: seconds without a byte.
        body: bytes of one answer, unpacked.
        error: bytes read of an answer that is no success.
        pages: answers to one request, the first page among them.
        group: bytes of all pages that are read together.
        span: bytes of all answers about one span.
        span_seconds: for all requests of one span.
    """

    seconds: float = 120.0
    connect: float = 10.0
    silence: float = 30.0
    body: int = 32 * MIB
    error: int = 4096
    pages: int = 50
    group: int = 64 * MIB
    span: int = 512 * MIB
    span_seconds: float = 1200.0


DEFAULT = Limits()
