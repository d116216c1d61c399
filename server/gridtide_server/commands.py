"""``gridtide serve``."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any

import typer
import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState
from uvicorn.supervisors import Multiprocess

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.clock import Clock
from gridtide.errors import BadInput
from gridtide_server.app import ServerSettings, create_app
from gridtide_server.errors import CannotListen, NotReady
from gridtide_server.http.connections import Connections
from gridtide_server.http.limits import (
    BACKLOG,
    Limits,
    backlog,
    is_loopback,
    most_connections,
    raise_descriptor_limit,
)
from gridtide_server.http.protocol import BoundedProtocol
from gridtide_server.reader import Reader
from gridtide_store import logs
from gridtide_store.data_directory import DataDirectory
from gridtide_store.settings import Settings


class BoundedHttp:
    """Creates the protocol of each connection in place of uvicorn's; can be pickled."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._connections: Connections | None = None

    def __call__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> BoundedProtocol:
        """Return the protocol of a new connection; those of one process share one table."""
        if self._connections is None:
            most = most_connections(self._limits, raise_descriptor_limit())
            self._connections = Connections(self._limits, most, _loop)
        return BoundedProtocol(config, server_state, app_state, _loop, self._connections)


# Long enough for years of history; plans that take longer are cancelled.
GRACE_SECONDS = 5
# How long a planning thread may keep others waiting for the interpreter.
SWITCH_SECONDS = 0.0002


@dataclass(frozen=True)
class Worker:
    """Creates the application in the process that serves it; can be pickled."""

    environ: Mapping[str, str]
    settings: ServerSettings

    def __call__(self) -> ASGIApp:
        """Create the application for the data directory in the environment, with its log."""
        settings = Settings.from_env(self.environ)
        # The command has reported unknown settings already.
        logs.configure(replace(settings, unknown=()), sys.stderr)
        own = replace(self.settings, max_age=settings.max_age)
        app = create_app(
            own,
            Reader(DataDirectory(settings.home, settings.resources), background=True),
            Clock(settings.now),
        )
        _prefer_responses()
        return app


class Announced(uvicorn.Server):
    """A server that announces that it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then announce it."""
        await super().startup(sockets)
        self._ready()


@command("serve", examples=["serve", "serve --host 0.0.0.0 --port 8000 --workers 2"])
def serve(
    terminal: Terminal,
    *,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="address to serve at")
    ] = "127.0.0.1",
    port: Annotated[str, typer.Option(metavar="PORT", help="0 picks a free one")] = "8000",
    workers: Annotated[
        str,
        typer.Option(
            metavar="N", help="processes that answer side by side; each counts its own metrics"
        ),
    ] = "1",
    cors: Annotated[
        bool | None,
        typer.Option(
            help="let web pages of other hosts ask (GRIDTIDE_CORS); left out: not on loopback"
        ),
    ] = None,
) -> int:
    """Answer over HTTP from what is published.

    Serves until SIGTERM or SIGINT; requests in flight are answered first.
    """
    processes, listen_port = _workers(workers), _port(port)
    settings = Settings.from_env(terminal.environ)
    logs.configure(settings, terminal.err)
    _check_published(settings, terminal)
    limits, descriptors = Limits.from_env(terminal.environ), raise_descriptor_limit()
    listening = listen(host, listen_port, backlog(descriptors))
    served = ServerSettings.from_env(
        terminal.environ, limits=limits, loopback=is_loopback(host), cors=cors
    )
    config = uvicorn.Config(
        Worker(dict(terminal.environ), served),
        factory=True,
        lifespan="on",
        workers=processes,
        log_config=None,
        access_log=False,
        server_header=False,
        # It has the signature of uvicorn's class, whose place it takes.
        http=BoundedHttp(limits),  # type: ignore[arg-type]  # uvicorn types a class by name
        ws="none",
        backlog=backlog(descriptors),
        # The limits above end connections; uvicorn's own timer takes whole seconds only.
        timeout_keep_alive=int(limits.idle_seconds) + 5,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    ready = partial(_announce, address(listening), terminal, as_json=terminal.json)
    with listening:
        if processes > 1:
            # Connections wait in the listening socket until the workers take them.
            ready()
            Multiprocess(config, sockets=[listening]).run()
        else:
            _run(Announced(config, ready), listening)
    return 0


def listen(host: str, port: int, waiting: int = BACKLOG) -> socket.socket:
    """Return a socket that listens at `host` and `port`; port 0 is any free one.

    Raises:
        BadInput: the host is not an address of this machine.
        CannotListen: the port is in use or not allowed.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=waiting)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        of_host = isinstance(error, socket.gaierror | UnicodeError)
        if of_host or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
            raise BadInput(
                f"--host: {host!r} is not an address of this machine ({why}); give one such "
                "as 127.0.0.1, or 0.0.0.0 for all"
            ) from error
        raise CannotListen(
            f"cannot serve at {host} port {port}: {why}; take another --port (0 picks a free "
            "one), or end the process that has it"
        ) from error


def address(listening: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    """Run until a signal, which uvicorn would raise again at the end."""

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run(sockets=[listening])
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _check_published(settings: Settings, terminal: Terminal) -> None:
    """Report at once that nothing is published, as every response would."""
    reader = Reader(DataDirectory(settings.home, settings.resources))
    try:
        with reader.read():
            pass
    except NotReady as error:
        terminal.say(f"{error}. Until then every response is 503.")
    finally:
        reader.close()


def _prefer_responses() -> None:
    """Configure the interpreter so that responses wait for nothing that takes long.

    A response with a thousand slots creates enough objects to start a full garbage collection,
    which then visits half a million objects of imported modules: 100 ms in which no request is
    served. Objects that live as long as the process are left out of it. And while a thread
    plans, the thread that responds waits for the interpreter each time it has read from a
    socket: 5 ms by default, 60 ms for one response.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_SECONDS)


def _announce(url: str, terminal: Terminal, *, as_json: bool) -> None:
    terminal.say(f"gridtide serves {url}")
    if as_json:
        terminal.document({"url": url})
        terminal.out.flush()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise BadInput(f"--port: must be 0 to 65535, not {text!r}")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise BadInput(f"--workers: must be 1 or more, not {text!r}")
    return int(text)
