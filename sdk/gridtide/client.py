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
from gridtide.destination import Destination
from gridtide.errors import BadInput, ServiceUnavailable
from gridtide.patience import Patience
from gridtide.plugins import own_version
from gridtide.problems import understood
from gridtide.questions import AsyncQuestions, Questions

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class _Asker:
    """What both clients keep: whom they ask, how patiently, and how answers are read."""

    def __init__(
        self,
        destination: Destination,
        *,
        timeout: float,
        retries: int,
        clock: Callable[[], float],
        environ: Mapping[str, str],
    ) -> None:
        if not timeout > 0 or retries < 0:
            raise BadInput(
                f"timeout is {timeout} and retries {retries}; give seconds above 0 and a "
                "count of at least 0"
            )
        self.destination = destination
        self._timeout = timeout
        # What this process cannot answer now it cannot answer in a second either.
        self._retries = retries if destination.url else 0
        self._clock = clock
        self._environ = environ

    def base_url(self) -> httpx.URL:
        """The address below which everything is asked for.

        Raises:
            BadInput: it is none that requests can be sent to.
        """
        import httpx

        try:
            return httpx.URL(self.destination.address)
        except httpx.InvalidURL as error:
            raise BadInput(
                f"the service's address (GRIDTIDE_URL) is not valid ({error}); write it like "
                "http://host.example:8000"
            ) from error

    def patience(self) -> Patience:
        """The tries of one call."""
        from random import random  # by now httpx has it; before, it slows the import

        return Patience(self._retries, self._timeout, self._clock, random)

    def headers(self) -> dict[str, str]:
        """What goes with every request."""
        own = {"User-Agent": f"gridtide/{own_version()}", "Accept": "application/json"}
        key = self.destination.api_key
        return own | ({"Authorization": f"Bearer {key}"} if key else {})

    def headers_of(self, call: Call[T]) -> dict[str, str]:
        """What goes with this one call."""
        return {} if call.body is None else {"Content-Type": "application/json"}

    def read(self, call: Call[T], answer: httpx.Response) -> T:
        """The answer to `call`, or the error it means."""
        status = answer.status_code
        asked = str(answer.url) if self.destination.url else "this machine's home"
        return call.read(understood(status, answer.headers, answer.content, asked=asked))

    def no_answer(self, error: Exception) -> ServiceUnavailable:
        """What it means that a request came back without any."""
        from gridtide.network import without_secrets
        from gridtide.transport import proxy_of

        address, way = without_secrets(self.destination.address), ""
        if self.destination.url and (proxy := proxy_of(address, self._environ)):
            way = f" through the proxy {without_secrets(proxy)}"
        remedy = "is it running, and is GRIDTIDE_URL right?"
        if way:
            remedy += " hosts that are reached without the proxy go into NO_PROXY"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            remedy = (
                "name the certificates it is to be trusted by in SSL_CERT_FILE, e.g. those of "
                "your company"
            )
        return ServiceUnavailable(
            f"{address} did not answer{way} ({error or type(error).__name__}); {remedy}"
        )


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

        known = os.environ if environ is None else environ
        whom = Destination.choose(known, url=url, api_key=api_key, key_over_http=key_over_http)
        self._asker = _Asker(whom, timeout=timeout, retries=retries, clock=clock, environ=known)
        self._pause = pause
        if whom.url is None:
            from gridtide import local

            transport = local.LocalTransport(local.host(whom.told))
        elif transport is None:
            from gridtide import transport as network

            transport = network.open_transport(whom.address, known)
        self._http = httpx.Client(
            base_url=self._asker.base_url(),
            headers=self._asker.headers(),
            transport=transport,
            trust_env=False,  # `network` has read it
        )

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

    def ask(self, call: Call[T]) -> T:
        patience = self._asker.patience()
        while True:
            try:
                return self._once(call, patience.left)
            except ServiceUnavailable as error:
                pause = patience.pause_after(error)
                if pause is None:
                    raise
            self._pause(pause)

    def _once(self, call: Call[T], seconds: float) -> T:
        import httpx

        try:
            answer = self._http.request(
                call.method,
                call.path,
                params=call.params,
                content=call.body,
                headers=self._asker.headers_of(call),
                timeout=seconds,
            )
        except (httpx.RequestError, httpx.InvalidURL, UnicodeError) as error:
            raise self._asker.no_answer(error) from error
        return self._asker.read(call, answer)


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
        self._asker = _Asker(whom, timeout=timeout, retries=retries, clock=clock, environ=known)
        self._pause = pause or asyncio.sleep
        if whom.url is None:
            from gridtide import local

            transport = local.AsyncLocalTransport(local.host(whom.told))
        elif transport is None:
            from gridtide import transport as network

            transport = network.open_async_transport(whom.address, known)
        self._http = httpx.AsyncClient(
            base_url=self._asker.base_url(),
            headers=self._asker.headers(),
            transport=transport,
            trust_env=False,  # `network` has read it
        )

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

    async def ask(self, call: Call[T]) -> T:
        patience = self._asker.patience()
        while True:
            try:
                return await self._once(call, patience.left)
            except ServiceUnavailable as error:
                pause = patience.pause_after(error)
                if pause is None:
                    raise
            await self._pause(pause)

    async def _once(self, call: Call[T], seconds: float) -> T:
        import httpx

        try:
            answer = await self._http.request(
                call.method,
                call.path,
                params=call.params,
                content=call.body,
                headers=self._asker.headers_of(call),
                timeout=seconds,
            )
        except (httpx.RequestError, httpx.InvalidURL, UnicodeError) as error:
            raise self._asker.no_answer(error) from error
        return self._asker.read(call, answer)
