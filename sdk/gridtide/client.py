"""Clients of the service: `Client` blocks, `AsyncClient` is awaited; both have the same calls.

The methods are those of the table `gridtide.calls`, and may raise any of `gridtide.errors`.
Without an address a client uses GRIDTIDE_URL, or else the service installed here, in this
process. httpx is loaded by the first client made.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Self, TypeVar

from gridtide import calls
from gridtide.errors import ServiceUnavailable
from gridtide.forks import load_for_calls, loading
from gridtide.http.call import Call, awaited, blocking
from gridtide.http.destination import Destination
from gridtide.http.session import LARGEST, Patience, Session
from gridtide.schema.result import attach_forecast

if TYPE_CHECKING:
    import httpx

    from gridtide.schema.responses import Forecast

T = TypeVar("T")
# Seconds; httpx takes no less for a time limit.
LEAST = 0.001


class Client:
    """A client that waits for each response. Close it, or use it in a ``with``.

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

    zones, sources = blocking(calls.zones), blocking(calls.sources)
    intensity, price = blocking(calls.intensity), blocking(calls.price)
    forecast = blocking(calls.forecast)
    quality = blocking(calls.quality)
    best_window = blocking(calls.best_window)
    best_region = blocking(calls.best_region)
    plan = blocking(calls.plan)
    replan = blocking(calls.replan)
    schedule = blocking(calls.schedule)
    footprint = blocking(calls.footprint)
    batch = blocking(calls.batch)

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
        load_for_calls()
        from gridtide.http.deadline import Allowance

        known = os.environ if environ is None else environ
        destination = Destination.choose(
            known, url=url, api_key=api_key, key_over_http=key_over_http
        )
        ways = known if transport is None else {}
        self._session = Session(
            destination, timeout=timeout, retries=retries, clock=clock, environ=ways
        )
        self._pause, self._clock = pause, clock
        self._allowance = Allowance(clock)
        self._own: tuple[str, Mapping[str, str]] | None = None
        if destination.url is None:
            with loading():
                from gridtide import local

            transport = local.LocalTransport(local.host(destination.settings))
        elif transport is None:
            from gridtide.http import transport as network

            self._own = destination.address, known
            transport = network.open_bounded(*self._own, self._allowance)
        self._http, self._process = self._open(transport), os.getpid()

    def _open(self, transport: httpx.BaseTransport | None) -> httpx.Client:
        import httpx

        return httpx.Client(
            base_url=self._session.base_url(),
            headers=self._session.headers(),
            transport=transport,
            trust_env=False,  # the transport has read it
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Give connections back, and stop the service in this process."""
        self._http.close()

    def _renew(self) -> None:
        """Open connections of its own in a fork: two processes on one mix up their answers."""
        if self._own is None or self._process == os.getpid():
            return

        from gridtide.http.transport import open_bounded

        with loading():
            if self._process != os.getpid():
                self._before = self._http  # kept, so that nothing of the parent's is closed
                self._http = self._open(open_bounded(*self._own, self._allowance))
                self._process = os.getpid()  # last: then other threads go on with it

    def send(self, call: Call[T]) -> T:
        """Return the response to `call`; what may pass is tried again within the time limit."""
        patience = self._session.patience()
        while True:
            try:
                result = self._once(call, patience)
                return attach_forecast(result, self._forecast_of) if call.charted else result
            except ServiceUnavailable as error:
                pause = patience.pause_after(error)
                if pause is None:
                    raise
            self._pause(pause)

    def _forecast_of(self, result: object) -> Forecast:
        return self._once(calls.forecast_behind(result), self._session.patience_for_a_chart())

    def _once(self, call: Call[T], patience: Patience) -> T:
        from gridtide.http.transport import faults

        self._renew()
        seconds = max(patience.left, LEAST)
        self._allowance.renew(deadline=self._clock() + seconds, size=LARGEST)
        try:
            with self._http.stream(
                call.method,
                call.path,
                params=call.params,
                content=call.body,
                headers=self._session.headers_of(call),
                timeout=seconds,
            ) as response:
                body = self._session.body(response, patience)
                for part in response.iter_raw():
                    body.add(part)
        except faults() as error:
            raise self._session.no_response(error) from error
        return self._session.decode(call, response, body.whole())


class AsyncClient:
    """A client that is awaited. Close it with `aclose`, or use it in an ``async with``.

    Arguments are those of `Client`; `pause` is awaited, by default ``asyncio.sleep``.
    """

    zones, sources = awaited(calls.zones), awaited(calls.sources)
    intensity, price = awaited(calls.intensity), awaited(calls.price)
    forecast = awaited(calls.forecast)
    quality = awaited(calls.quality)
    best_window = awaited(calls.best_window)
    best_region = awaited(calls.best_region)
    plan = awaited(calls.plan)
    replan = awaited(calls.replan)
    schedule = awaited(calls.schedule)
    footprint = awaited(calls.footprint)
    batch = awaited(calls.batch)

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
        load_for_calls()
        import asyncio

        known = os.environ if environ is None else environ
        destination = Destination.choose(
            known, url=url, api_key=api_key, key_over_http=key_over_http
        )
        ways = known if transport is None else {}
        self._session = Session(
            destination, timeout=timeout, retries=retries, clock=clock, environ=ways
        )
        self._pause = pause or asyncio.sleep
        self._own: tuple[str, Mapping[str, str]] | None = None
        if destination.url is None:
            with loading():
                from gridtide import local

            transport = local.AsyncLocalTransport(local.host(destination.settings))
        elif transport is None:
            from gridtide.http import transport as network

            self._own = destination.address, known
            transport = network.open_async_transport(*self._own)
        self._http, self._process = self._open(transport), os.getpid()

    def _open(self, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
        import httpx

        return httpx.AsyncClient(
            base_url=self._session.base_url(),
            headers=self._session.headers(),
            transport=transport,
            trust_env=False,  # the transport has read it
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give connections back, and stop the service in this process."""
        await self._http.aclose()

    def _renew(self) -> None:
        """Open connections of its own in a fork, as `Client` does."""
        if self._own is None or self._process == os.getpid():
            return

        from gridtide.http.transport import open_async_transport

        self._before = self._http
        self._http, self._process = self._open(open_async_transport(*self._own)), os.getpid()

    async def send(self, call: Call[T]) -> T:
        """Return the response to `call`; what may pass is tried again within the time limit."""
        patience = self._session.patience()
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

        from gridtide.http.transport import faults

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
                    headers=self._session.headers_of(call),
                    timeout=seconds,
                ) as response,
            ):
                body = self._session.body(response, patience)
                async for part in response.aiter_raw():
                    body.add(part)
        except faults() as error:
            raise self._session.no_response(error) from error
        return self._session.decode(call, response, body.whole())
