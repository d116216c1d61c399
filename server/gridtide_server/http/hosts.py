"""Which host names the server answers to, and what every response tells browsers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridtide.errors import BadInput
from gridtide_server.http.limits import is_loopback
from gridtide_server.problems import Row, problem

MISDIRECTED = Row(HTTPStatus.MISDIRECTED_REQUEST, "Misdirected Request")
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
NO_SNIFF = (b"x-content-type-options", b"nosniff")


def read_hosts(environ: Mapping[str, str], *, loopback: bool) -> tuple[str, ...] | None:
    """Host names of GRIDTIDE_ALLOWED_HOSTS; by default loopback ones, or None for any.

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
    """Whether it is a name or an address, an IPv6 one in brackets, and nothing beside it."""
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    return not set(bare) & set("/@?[] \t") and (":" not in bare or bare is not name)


class HostCheck:
    """Middleware that refuses requests for other hosts.

    A page on the web can give its own name the address 127.0.0.1 and so read what a server
    answers there; its requests still carry that name.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str]) -> None:
        self._app = app
        self._exact = {each for each in hosts if not each.startswith("*.")}
        self._below = tuple(each[1:] for each in hosts if each.startswith("*."))
        self._loopback = bool(self._exact & set(LOOPBACK))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, or refuse."""
        if scope["type"] == "http":
            given = [value for name, value in scope["headers"] if name == b"host"]
            # HTTP/1.0 knows no Host; browsers always send one.
            wrong = [each for each in given if not self._answers(each.decode("latin-1"))]
            if wrong or len(given) > 1:
                host = (wrong or given)[0].decode("latin-1")[:200]
                response = problem(
                    MISDIRECTED,
                    "misdirected_request",
                    f"the server does not answer to the host {host!r}; ask it by the address "
                    "it printed, or name the host in GRIDTIDE_ALLOWED_HOSTS",
                )
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _answers(self, given: str) -> bool:
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
    """Middleware: browsers take every response for what its Content-Type says."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, with the header."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), NO_SNIFF]
            await send(message)

        await self._app(scope, receive, marked if scope["type"] == "http" else send)
