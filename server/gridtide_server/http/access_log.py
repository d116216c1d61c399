"""One log line and one sample for each request."""

from __future__ import annotations

import logging
import re
from time import perf_counter

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("gridtide_server.access")

# A route's label is its template: a label for each requested path would grow without end.
UNMATCHED = "unmatched"
# Of a path or a query in the log.
LONGEST = 1000
# Keys of other services that users put into an address.
SECRET = re.compile(
    r"(?i)((?:^|[&;])[^=&;]*(?:key|token|secret|passw|auth|sig|cred)[^=&;]*=)[^&;]*"
)


class Observing:
    """Middleware around an application that times its answers."""

    def __init__(self, app: ASGIApp, *, seconds: Histogram) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, and take note."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            took = perf_counter() - began
            route = getattr(scope.get("route"), "path", UNMATCHED)
            self._seconds.labels(route, str(status)).observe(took)
            if log.isEnabledFor(logging.INFO):
                _note(scope, route, status, took)


def _note(scope: Scope, route: str, status: int, took: float) -> None:
    client = scope.get("client")
    log.info(
        "request",
        extra={
            "method": scope["method"],
            "path": scope["path"][:LONGEST],
            "query": _redact(scope["query_string"]),
            "route": route,
            "status": status,
            "ms": round(took * 1000, 3),
            "client": client[0] if client else None,
        },
    )


def _redact(query: bytes) -> str:
    text = query[:LONGEST].decode(errors="replace")
    # Names may be written in percent too, so those that are not plain lose their values.
    plain = re.sub(r"((?:^|[&;])[^=&;]*%[^=&;]*=)[^&;]*", r"\1...", text)
    return SECRET.sub(r"\1...", plain)
