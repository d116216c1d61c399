"""Middleware: the host check, the header against content sniffing, and the access log."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from time import perf_counter
from urllib.parse import urlsplit

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridtide.errors import BadInput
from gridtide_server.http.limits import is_loopback
from gridtide_server.problems import Row, problem

MISDIRECTED = Row(HTTPStatus.MISDIRECTED_REQUEST, "Misdirected Request")
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
NO_SNIFF = (b"x-content-type-options", b"nosniff")


def read_hosts(environ: Mapping[str, str], *, loopback: bool) -> tuple[str, ...] | None:
    """Return the hosts of GRIDTIDE_ALLOWED_HOSTS; by default loopback names, or None for any.

    Raises:
        BadInput: a name with a scheme, a path or a space in it.
    """
    text = environ.get("GRIDTIDE_ALLOWED_HOSTS", "").strip()
    if not text:
        return LOOPBACK if loopback else None
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    for name in names:
        if name != "*" and not _is_name(name):
            raise BadInput(
                f"GRIDTIDE_ALLOWED_HOSTS: {name!r} must be a host name as in "
                "api.example.org, *.example.org or [::1], without scheme, port or path"
            )
    return None if "*" in names else names


def _is_name(name: str) -> bool:
    """Return whether `name` is a host name or an address, an IPv6 one in brackets."""
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    return not set(bare) & set("/@?[] \t") and (":" not in bare or bare is not name)


class HostCheck:
    """Refuses requests for other hosts.

    A page on the web can give its own name the address 127.0.0.1 and so read what a server
    there responds; its requests still carry that name.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str]) -> None:
        self._app = app
        self._exact = {each for each in hosts if not each.startswith("*.")}
        self._below = tuple(each[1:] for each in hosts if each.startswith("*."))
        self._loopback = bool(self._exact & set(LOOPBACK))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond as the application does, or refuse."""
        if scope["type"] == "http":
            given = [value for name, value in scope["headers"] if name == b"host"]
            # Requests of HTTP/1.0 have no Host; browsers always send one.
            wrong = [each for each in given if not self._serves(each.decode("latin-1"))]
            if wrong or len(given) > 1:
                host = (wrong or given)[0].decode("latin-1")[:200]
                response = problem(
                    MISDIRECTED,
                    "misdirected_request",
                    f"the server does not serve the host {host!r}; use the address it "
                    "printed, or add the host to GRIDTIDE_ALLOWED_HOSTS",
                )
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _serves(self, given: str) -> bool:
        try:
            host = (urlsplit(f"//{given}").hostname or "").rstrip(".")
        except ValueError:
            return False
        shown = f"[{host}]" if ":" in host else host
        return (
            shown in self._exact
            or host.endswith(self._below)
            or (self._loopback and is_loopback(host))
        )


class NoSniff:
    """Tells browsers to take every response for what its Content-Type says."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond as the application does, with the header."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), NO_SNIFF]
            await send(message)

        await self._app(scope, receive, marked if scope["type"] == "http" else send)


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
    """Measures each request and logs it in one line."""

    def __init__(self, app: ASGIApp, *, seconds: Histogram) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond as the application does, then record the request."""
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
    # Names may be percent-encoded, so the values of such names are removed too.
    plain = re.sub(r"((?:^|[&;])[^=&;]*%[^=&;]*=)[^&;]*", r"\1...", text)
    return SECRET.sub(r"\1...", plain)
