"""Clients of the service: `Client` blocks, `AsyncClient` is awaited; both ask the same.

Without an address they ask GRIDTIDE_URL, or else the service installed here, in this process.
httpx is loaded by the first client made.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from gridtide.calls import Call
from gridtide.errors import ServiceUnavailable
from gridtide.http.body import LARGEST
from gridtide.http.destination import Destination
from gridtide.http.retry import Patience
from gridtide.http.shared import Asker
from gridtide.questions import AsyncQuestions, Questions

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
# Seconds; httpx takes no less for a time limit.
LEAST = 0.001


class Client(Questions):
    """Asks and waits for the answer. Close it, or use it in a ``with``.

    Args:
        url: address of a service; default: GRIDTIDE_URL, else the service installed here.
        timeout: seconds for one answer, tries and pauses together.
        retries: further tries when there is no answer, or 429, 502, 503 or 504.
        api_key: sent as a bearer token; default: GRIDTIDE_API_KEY.
        key_over_http: whether it may travel unencrypted to another machine; default: only
            where GRIDTIDE_KEY_OVER_HTTP is 1.
        environ: stands for the process's environment.
        transport: how requests travel, for a proxy or a test; default: by network.
        pause: waits the seconds between two tries.
        clock: seconds of a clock that only goes forward.

    Raises:
        NoService: no address, and no service installed.
        BadInput: an address, a timeout or a count that cannot be; a key that would travel
            unencrypted; a proxy or certificates of the environment that cannot be used.
        MissingExtra: the environment names a SOCKS proxy, whose package is not installed.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 3,
        api_key: str | None = None,
        key_over_http: bool | None = None,
        environ: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import httpx

        from gridtide.http.deadline import Allowance

        known = os.environ if environ is None else environ
        whom = Destination.choose(known, url=url, api_key=api_key, key_over_http=key_over_http)
        self._asker = Asker(whom, timeout=timeout, retries=retries, clock=clock, environ=known)
        self._pause = pause
        self._clock = clock
        self._allowance = Allowance(clock)
        self._own: tuple[str, Mapping[str, str]] | None = None
        if whom.url is None:
            from gridtide import local

            transport = local.LocalTransport(local.host(whom.told))
        elif transport is None:
            from gridtide.http import transport as network

            self._own = whom.address, known
            transport = network.open_bounded(*self._own, self._allowance)
        self._http = httpx.Client(
            base_url=self._asker.base_url(),
            headers=self._asker.headers(),
            transport=transport,
            trust_env=False,  # `network` has read it
        )
        self._process = os.getpid()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give connections back, and stop the service in this process."""
        self._http.close()

    def _renew(self) -> None:
        """Open connections of its own in a fork: two processes on one mix up their answers."""
        if self._own is None or self._process == os.getpid():
            return
        import httpx

        from gridtide.http.transport import open_bounded

        self._before = self._http  # kept, so that nothing of the parent's is closed here
        self._http = httpx.Client(
            base_url=self._asker.base_url(),
            headers=self._asker.headers(),
            transport=open_bounded(*self._own, self._allowance),
            trust_env=False,
        )
        self._process = os.getpid()

    def ask(self, call: Call[T]) -> T:
        patience = self._asker.patience()
        while True:
            try:
                return self._once(call, patience)
            except ServiceUnavailable as error:
                pause = patience.pause_after(error)
                if pause is None:
                    raise
            self._pause(pause)

    def _once(self, call: Call[T], patience: Patience) -> T:
        import httpx

        self._renew()
        seconds = max(patience.left, LEAST)
        self._allowance.renew(deadline=self._clock() + seconds, size=LARGEST)
        try:
            with self._http.stream(
                call.method,
                call.path,
                params=call.params,
                content=call.body,
                headers=self._asker.headers_of(call),
                timeout=seconds,
            ) as answer:
                body = self._asker.body(answer, patience)
                for part in answer.iter_raw():
                    body.add(part)
        except (httpx.RequestError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
            raise self._asker.no_answer(error) from error
        return self._asker.read(call, answer, body.whole())


class AsyncClient(AsyncQuestions):
    """Asks without blocking. Close it with `aclose`, or use it in an ``async with``.

    Arguments are those of `Client`; `pause` is awaited, by default ``asyncio.sleep``.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        timeout: float = 30.0,
        retries: int = 3,
        api_key: str | None = None,
        key_over_http: bool | None = None,
        environ: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import asyncio

        import httpx

        known = os.environ if environ is None else environ
        whom = Destination.choose(known, url=url, api_key=api_key, key_over_http=key_over_http)
        self._asker = Asker(whom, timeout=timeout, retries=retries, clock=clock, environ=known)
        self._pause = pause or asyncio.sleep
        self._own: tuple[str, Mapping[str, str]] | None = None
        if whom.url is None:
            from gridtide import local

            transport = local.AsyncLocalTransport(local.host(whom.told))
        elif transport is None:
            from gridtide.http import transport as network

            self._own = whom.address, known
            transport = network.open_async_transport(*self._own)
        self._http = httpx.AsyncClient(
            base_url=self._asker.base_url(),
            headers=self._asker.headers(),
            transport=transport,
            trust_env=False,  # `network` has read it
        )
        self._process = os.getpid()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give connections back, and stop the service in this process."""
        await self._http.aclose()

    def _renew(self) -> None:
        """Open connections of its own in a fork, as `Client` does."""
        if self._own is None or self._process == os.getpid():
            return
        import httpx

        from gridtide.http.transport import open_async_transport

        self._before = self._http
        self._http = httpx.AsyncClient(
            base_url=self._asker.base_url(),
            headers=self._asker.headers(),
            transport=open_async_transport(*self._own),
            trust_env=False,
        )
        self._process = os.getpid()

    async def ask(self, call: Call[T]) -> T:
        patience = self._asker.patience()
        while True:
            try:
                return await self._once(call, patience)
            except ServiceUnavailable as error:
                pause = patience.pause_after(error)
                if pause is None:
                    raise
            await self._pause(pause)

    async def _once(self, call: Call[T], patience: Patience) -> T:
        import asyncio

        import httpx

        self._renew()
        seconds = max(patience.left, LEAST)
        try:
            async with (
                asyncio.timeout(seconds),
                self._http.stream(
                    call.method,
                    call.path,
                    params=call.params,
                    content=call.body,
                    headers=self._asker.headers_of(call),
                    timeout=seconds,
                ) as answer,
            ):
                body = self._asker.body(answer, patience)
                async for part in answer.aiter_raw():
                    body.add(part)
        except (httpx.RequestError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
            raise self._asker.no_answer(error) from error
        return self._asker.read(call, answer, body.whole())
