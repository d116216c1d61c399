"""The service inside this process: its application, run on an event loop of its own.

A thread with its own loop serves scripts, threads and a notebook's running loop alike, and
keeps what an application ties to its loop in one place for as long as it lives.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from concurrent.futures import Future, wait
from contextlib import ExitStack
from typing import Any, TypeVar

import httpx

from gridtide.errors import ApiError, NoService
from gridtide.extras import how_to_install
from gridtide.forks import loading
from gridtide.plugins import LOCAL, found

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
T = TypeVar("T")


def host(environ: Mapping[str, str]) -> Host:
    """Return the installed service, running here for the data directory `environ` names.

    Raises:
        NoService: the service is not installed, or was started before a fork.
    """
    if _started not in (None, os.getpid()):
        raise _forked()
    point = found(LOCAL).get("application")
    if point is None:
        raise NoService(
            "no service is configured. Either set GRIDTIDE_URL to the address of one, such "
            "as http://localhost:8000; or install it beside the SDK "
            f"({how_to_install('service')}) and run "
            "'gridtide refresh', or 'gridtide import FILE' for data of your own"
        )
    with loading():
        app = point.load()(environ)
        _mark_started()
    return Host(app)


# The process in which a service was started first. What it runs on, its own threads and those
# of the libraries under it, is not there in a process forked from it, and waits for ever.
_started: int | None = None


def _mark_started() -> None:
    global _started  # it is the process's
    if _started is None:
        _started = os.getpid()


def _forked() -> NoService:
    return NoService(
        "this process was forked from one in which gridtide answers from the data on this "
        "machine, and that service does not live on in a fork. Start processes by 'spawn' "
        "instead (multiprocessing_context='spawn' of a DataLoader, or "
        "multiprocessing.set_start_method('spawn')), ask only in the children, or run "
        "'gridtide serve' and set GRIDTIDE_URL"
    )


class Host:
    """Runs one application, with its lifespan where it has one.

    It stops on `close`, when it is collected, or at the end of the process.
    """

    def __init__(self, app: App) -> None:
        _mark_started()
        self._process = os.getpid()
        self._loop = _Loop()
        lifespan = _Lifespan(app)
        self.close = weakref.finalize(self, self._loop.stop, lifespan.stop)
        self._transport = httpx.ASGITransport(lifespan.with_state)
        with ExitStack() as undo:
            undo.callback(self.close)
            self._loop.submit(lifespan.start()).result()
            undo.pop_all()

    def send(self, request: httpx.Request) -> Future[httpx.Response]:
        """Return the application's whole answer to `request`, in time.

        Raises:
            NoService: this process was forked from the one that runs it.
        """
        if self._process != os.getpid():
            raise _forked()
        return self._loop.submit(_answer(self._transport, request))


class LocalTransport(httpx.BaseTransport):
    """Blocking requests to a `Host`, which is closed with it."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to `request`."""
        answer = self._host.send(request)
        # Not `result(timeout)`: a timeout inside the application is not ours.
        wait([answer], _seconds(request))
        if not answer.done():
            answer.cancel()
            raise _too_slow(request)
        return answer.result()

    def close(self) -> None:
        """Stop the application."""
        self._host.close()


class AsyncLocalTransport(httpx.AsyncBaseTransport):
    """Requests to a `Host` from any other event loop; the host is closed with it."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to `request`."""
        answer = self._host.send(request)
        here = asyncio.wrap_future(answer)
        try:
            await asyncio.wait([here], timeout=_seconds(request))
        except asyncio.CancelledError:
            answer.cancel()
            raise
        if not here.done():
            answer.cancel()
            raise _too_slow(request)
        return here.result()

    async def aclose(self) -> None:
        """Stop the application, without holding up the caller's loop."""
        await asyncio.to_thread(self._host.close)


async def _answer(
    transport: httpx.AsyncBaseTransport, request: httpx.Request
) -> httpx.Response:
    answer = await transport.handle_async_request(request)
    body = b"".join([part async for part in answer.aiter_raw()])
    return httpx.Response(
        answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body)
    )


def _seconds(request: httpx.Request) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get("read")
    return seconds


def _too_slow(request: httpx.Request) -> httpx.ReadTimeout:
    return httpx.ReadTimeout("the service in this process took too long", request=request)


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        # Not `run_forever`: AnyIO, under Starlette, ties its worker threads to a task that
        # runs as long as the loop, else it starts new ones for every request.
        self._thread = threading.Thread(
            target=asyncio.run,
            args=(_until_stopped(ready),),
            name="gridtide-local",
            daemon=True,
        )
        self._thread.start()
        self._loop, self._stopped = ready.result()
        self._process = os.getpid()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run `work` on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `last` on the loop, end it, and wait for its thread."""
        if self._process != os.getpid():
            return  # After a fork the thread is the parent's, and so is its end.
        if threading.current_thread() is self._thread:
            self._stopped.set()  # Collected on the loop itself, which cannot wait for itself.
            return
        try:
            self.submit(last()).result()
        finally:
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()


async def _until_stopped(
    ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]],
) -> None:
    stopped = asyncio.Event()
    ready.set_result((asyncio.get_running_loop(), stopped))
    await stopped.wait()


class _Lifespan:
    """The start and the end of an ASGI application; both are optional for it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._state: dict[str, Any] = {}
        self._told: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Future[None] | None = None

    async def with_state(self, scope: Message, receive: Receive, send: Send) -> None:
        """Return the application, given what its lifespan keeps for its requests.

        They come from this process itself, not from one client of several.
        """
        own = {"state": self._state.copy(), "client": None}
        await self._app({**scope, **own}, receive, send)

    async def start(self) -> None:
        """Start it.

        Raises:
            ApiError: it says that it cannot start; or else what it raised itself.
        """
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self._state}
        self._task = asyncio.ensure_future(self._app(scope, self._told.get, self._said.put))
        await self._told.put({"type": "lifespan.startup"})
        said = asyncio.ensure_future(self._said.get())
        await asyncio.wait([said, self._task], return_when=asyncio.FIRST_COMPLETED)
        if not said.done():
            said.cancel()
            # Ended without a word, even by an exception: it has no lifespan (ASGI 3.0).
            self._task.exception()
        elif said.result()["type"] == "lifespan.startup.failed":
            await self._task
            raise ApiError(f"the service does not start: {said.result().get('message', '')}")

    async def stop(self) -> None:
        """End it, if it is there to be ended."""
        if self._task is not None and not self._task.done():
            await self._told.put({"type": "lifespan.shutdown"})
            await self._task
