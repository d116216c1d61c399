"""Retrieve raw responses from publishers: the only module that sends requests to them.

Everything that can go wrong becomes one of the errors in errors.py: nothing a publisher sends
ends more than its own step. A key is added below the client and taken out of what comes back,
so that no log line, message, kept address or kept body holds it.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import metadata
from types import TracebackType
from typing import TypeAlias

import httpx

from gridtide.clock import Clock
from gridtide.errors import BadInput, MissingExtra
from gridtide.http.deadline import Allowance
from gridtide_pipelines.errors import (
    NothingYet,
    SourceChanged,
    SourceRefused,
    SourceUnavailable,
)
from gridtide_pipelines.ingest.credentials import Keyed, redact
from gridtide_pipelines.ingest.headers import ClockCheck, read_retry_after
from gridtide_pipelines.ingest.limits import (
    DEFAULT,
    Limits,
    Routed,
    TooLarge,
    Unreadable,
    unpack,
)
from gridtide_pipelines.ingest.parsing import says_nothing_yet
from gridtide_pipelines.ingest.source import Request, Source
from gridtide_store.settings import Settings

Fetch: TypeAlias = Callable[[Source, Request], bytes]

ATTEMPTS = 5
FIRST_WAIT = 1.0  # seconds, doubled at each try, with up to as much again by chance
# Statuses with which some publishers say that they have no data for the requested time.
NO_DATA = frozenset({400, 404})

log = logging.getLogger(__name__)


def reason_to_skip(source: Source, settings: Settings) -> str | None:
    """Return why `source` is not used under these settings, with the remedy.

    None if it is used.
    """
    if source.restricted and not settings.allow_restricted:
        return "its licence restricts use: set GRIDTIDE_ALLOW_RESTRICTED=1 if yours allows it"
    if source.answer:
        return None
    if source.key and not settings.secrets.get(source.key.env):
        return f"{source.key.env} is not set: get a free key at {source.key.obtain}"
    if settings.now and source.name not in settings.base_urls:
        # Today's revised numbers would be stored as if they had been known then.
        return (
            f"now is {settings.now:%Y-%m-%dT%H:%MZ}: publishers receive no requests at "
            f"another time unless GRIDTIDE_{source.name.upper()}_URL points to a replay server"
        )
    return None


class Fetcher:
    """Sends requests to publishers over HTTP, politely; a context manager, and a `Fetch`.

    Tries again on no answer, 408, 429 and 5xx, with growing waits or as long as the publisher
    requests; never longer than `limits` has it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        limits: Limits = DEFAULT,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = Clock(),  # noqa: B008  # it holds no state
        jitter: Callable[[], float] = random.random,
        undated_last: bool = False,
    ) -> None:
        """Prepare the client without opening a connection.

        Args:
            undated_last: whether a publisher whose answers have no Date header gets
                ClockUnknown once, so that others can show first that the clock is ahead.
            environ: what it says of proxies and certificates is obeyed; see
                gridtide.http.proxies.

        Raises:
            BadInput: a base URL among the settings is not an http(s) URL.
        """
        for name, url in settings.base_urls.items():
            if not url.startswith(("http://", "https://")):
                raise BadInput(f"GRIDTIDE_{name.upper()}_URL={url!r} is not an http(s) URL")
        self._settings = settings
        self._sleep, self._monotonic, self._now, self._jitter = sleep, monotonic, now, jitter
        self._limits, self._next = limits, dict[str, float]()
        # At another time (GRIDTIDE_NOW) the answers come from a replay, whose own clock says
        # nothing.
        self._clock = None if settings.now else ClockCheck(now, postpone=undated_last)
        self._allowance = Allowance(monotonic)
        self._client = httpx.Client(
            transport=Keyed(transport or Routed(environ or {}, self._allowance)),
            timeout=httpx.Timeout(limits.silence, connect=limits.connect),
            headers={"User-Agent": _agent(), "Accept-Encoding": "gzip"},
        )

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def __call__(self, source: Source, request: Request) -> bytes:
        """Send `request` and return the body of the response.

        Raises:
            SourceUnavailable: no response, 429 or 5xx after all tries; try again later.
            SourceRefused: 401 or 403; look at the key or the licence.
            SourceChanged: another status, an encoding not requested, or a body far too large.
            NothingYet: the response says that it has no data yet.
            ClockAhead: this machine's clock is far ahead of the publishers'.
            ClockUnknown: see `undated_last`; try again after the other publishers.
        """
        if source.answer:
            return source.answer(request)
        began = self._monotonic()
        tries = 0
        while True:
            tries += 1
            self._pace(source)
            try:
                content = self._once(source, request, began + self._limits.seconds)
            except _Again as again:
                wait = again.wait or FIRST_WAIT * 2 ** (tries - 1) * (1 + self._jitter())
                spent = self._monotonic() - began
                if tries == ATTEMPTS or spent + wait > self._limits.seconds:
                    wanted = f" and requests to wait {wait:.0f} s" if again.wait else ""
                    raise SourceUnavailable(
                        source.name,
                        f"{again}{wanted}; gave up after {tries} tries in {spent:.0f} s, "
                        "the next refresh tries again",
                        zone=_only_zone(request),
                    ) from again
                log.debug("%s: %s; again in %.1f s", source.name, again, wait)
                self._sleep(wait)
            else:
                fields = {
                    "source": source.name,
                    "kind": str(request.kind),
                    "zones": len(request.zones),
                    "bytes": len(content),
                    "ms": round((self._monotonic() - began) * 1000),
                }
                log.info("retrieved %s%s", source.name, request.path, extra=fields)
                return content

    def _once(self, source: Source, request: Request, deadline: float) -> bytes:
        url = self._settings.base_urls.get(source.name, source.base_url).rstrip("/")
        key = self._settings.secrets.get(source.key.env, "") if source.key else ""
        self._allowance.renew(deadline=deadline, size=self._limits.body)
        try:
            with self._client.stream(
                request.method,
                url + request.path,
                params=list(request.params),
                extensions={"key": (source.key, key)},
            ) as response:
                if self._clock:
                    success = response.is_success
                    self._clock.judge(source.name, response.headers, success=success)
                content = redact(self._read(source, response, deadline), source.key, key)
        except (BadInput, MissingExtra) as error:
            # Of a proxy or certificates: another try would say the same.
            raise SourceUnavailable(source.name, str(error)) from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise _Again(f"no answer from {request.path} ({_describe(error, key)})") from error
        if response.status_code == httpx.codes.NO_CONTENT:
            raise NothingYet(source.name, f"HTTP 204 at {request.path}: no content yet")
        if not response.is_success:
            raise self._refusal(source, request, response, content, secret=bool(key))
        return content

    def _read(self, source: Source, response: httpx.Response, deadline: float) -> bytes:
        parts = bytearray()
        most = self._limits.body
        encoding = response.headers.get("Content-Encoding", "")
        # The bytes as they came: httpx itself would unpack as deep as the answer says.
        raw = response.stream
        assert isinstance(raw, httpx.SyncByteStream)  # noqa: S101  # the client is a blocking one
        try:
            for part in unpack(raw, encoding, most=most):
                parts += part
                if not response.is_success and len(parts) > self._limits.error:
                    break
                if self._monotonic() > deadline:
                    raise _Again(f"only {len(parts)} bytes in {self._limits.seconds:g} s")
        except TooLarge as error:
            remedy = "is the base URL right?"
            raise SourceChanged(source.name, f"{error}; {remedy}") from error
        except Unreadable as error:
            remedy = "look whether something between here and the publisher changes answers"
            raise SourceChanged(source.name, f"the body is {error}; {remedy}") from error
        return bytes(parts)

    def _refusal(
        self,
        source: Source,
        request: Request,
        response: httpx.Response,
        content: bytes,
        *,
        secret: bool,
    ) -> Exception:
        """Return the error for an unsuccessful response, with what the publisher says.

        Not where a key was sent, as it might be repeated in many spellings.
        """
        status = response.status_code
        text = f"HTTP {status} at {request.path}"
        said = " ".join(content.decode("utf-8", "replace").split())
        if status in NO_DATA and says_nothing_yet(said):
            return NothingYet(source.name, f"{text}: the publisher has no data for this time")
        if said and not secret:
            text += f" ({said[:200]})"
        if status in (408, 429) or status >= 500:
            header = response.headers.get("Retry-After", "")
            return _Again(text, read_retry_after(header, self._now(), least=FIRST_WAIT))
        if status in (401, 403):
            remedy = f"check {source.key.env}" if source.key else "check the licence and limits"
            return SourceRefused(source.name, f"{text}; {remedy}", zone=_only_zone(request))
        remedy = "the address or its meaning has changed, the source needs a look"
        return SourceChanged(source.name, f"{text}; {remedy}", zone=_only_zone(request))

    def _pace(self, source: Source) -> None:
        """Wait until the source's least time between two requests has passed."""
        wait = self._next.get(source.name, 0.0) - self._monotonic()
        if wait > 0:
            self._sleep(wait)
        self._next[source.name] = self._monotonic() + source.min_interval.total_seconds()


class _Again(Exception):
    """The request may succeed at another try, after `wait` seconds if the publisher says so."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


def _describe(error: Exception, key: str) -> str:
    """Describe an error, without the publisher's own text where that may repeat a key.

    An error before the request, at a proxy say, repeats none.
    """
    name = type(error).__name__
    before = httpx.TimeoutException | httpx.ConnectError | httpx.ProxyError
    if key and not isinstance(error, before):
        return name
    return f"{name}: {error}"


def _only_zone(request: Request) -> str | None:
    return request.zones[0] if len(request.zones) == 1 else None


def _agent() -> str:
    """Return name and version, with the project's address once it has one."""
    about = metadata("gridtide-service")
    urls = [line.partition(", ")[2] for line in about.get_all("Project-URL") or ()]
    return f"gridtide/{about['Version']}" + (f" (+{urls[0]})" if urls else "")
