"""The one place that talks to publishers: sends a request, with its key, and gives the bytes.

Everything that can go wrong becomes one of three errors (see errors.py). A key is added below
the client and blotted out of what comes back, so that no log line, message, kept address or
kept body holds it.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import metadata
from types import TracebackType
from typing import TypeAlias

import httpx

from gridtide.clock import Clock
from gridtide.errors import BadInput
from gridtide_pipelines.errors import SourceChanged, SourceRefused, SourceUnavailable
from gridtide_pipelines.source import KeySpec, Request, Source
from gridtide_store.settings import Settings

Fetch: TypeAlias = Callable[[Source, Request], bytes]

ATTEMPTS = 5
FIRST_WAIT = 1.0  # seconds, doubled at each try, with up to as much again by chance
DEADLINE = 180.0  # seconds for one request with all its tries
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
LIMITS = httpx.Limits(max_connections=8, max_keepalive_connections=8)
# The largest recorded answer has 2 MB (a page of 5,000 EIA rows 0.9); this is no answer.
MAX_BODY = 64 * 1024 * 1024
# A key so short might be a word of the body; it is blotted out only where it stands in quotes.
SHORT_KEY = 8

log = logging.getLogger(__name__)


def skipped(source: Source, settings: Settings) -> str | None:
    """Why `source` is not asked under these settings and what to do; None if it is."""
    if source.restricted and not settings.allow_restricted:
        return "its licence restricts use: set GRIDTIDE_ALLOW_RESTRICTED=1 if yours allows it"
    if source.answer:
        return None
    if source.key and not settings.secrets.get(source.key.env):
        return f"{source.key.env} is not set: get a free key at {source.key.obtain}"
    if settings.now and source.name not in settings.base_urls:
        # Today's revised numbers would be stored as if they had been known then.
        return (
            f"now is {settings.now:%Y-%m-%dT%H:%MZ}: no publisher is asked at another time "
            f"unless GRIDTIDE_{source.name.upper()}_URL points to a replay server"
        )
    return None


class Fetcher:
    """Asks publishers over HTTP, politely; a context manager, and a `Fetch`.

    Tries again on no answer, 408, 429 and 5xx, with growing waits or as long as the publisher
    asks for; never longer than DEADLINE in all.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = Clock(),  # noqa: B008  # it holds no state
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Opens no connection yet.

        Raises:
            BadInput: a base URL among the settings is no http(s) address.
        """
        for name, url in settings.base_urls.items():
            if not url.startswith(("http://", "https://")):
                raise BadInput(f"GRIDTIDE_{name.upper()}_URL={url!r} is no http(s) address")
        self._settings = settings
        self._sleep, self._monotonic, self._now, self._jitter = sleep, monotonic, now, jitter
        self._next: dict[str, float] = {}
        self._client = httpx.Client(
            transport=_Keyed(transport or httpx.HTTPTransport(limits=LIMITS)),
            timeout=TIMEOUT,
            headers={"User-Agent": _agent()},
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
        """The body that answers `request`.

        Raises:
            SourceUnavailable: no answer, 429 or 5xx after all tries; ask again later.
            SourceRefused: 401 or 403; look at the key or the licence.
            SourceChanged: another status, or a body far too large.
        """
        if source.answer:
            return source.answer(request)
        began = self._monotonic()
        tries = 0
        while True:
            tries += 1
            self._pace(source)
            try:
                content = self._once(source, request, began + DEADLINE)
            except _Again as again:
                wait = again.wait or FIRST_WAIT * 2 ** (tries - 1) * (1 + self._jitter())
                spent = self._monotonic() - began
                if tries == ATTEMPTS or spent + wait > DEADLINE:
                    asked = f" and asks to wait {wait:.0f} s" if again.wait else ""
                    raise SourceUnavailable(
                        source.name,
                        f"{again}{asked}; gave up after {tries} tries in {spent:.0f} s, "
                        "the next refresh asks again",
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
        try:
            with self._client.stream(
                request.method,
                url + request.path,
                params=list(request.params),
                extensions={"key": (source.key, key)},
            ) as response:
                content = _blotted(self._read(source, response, deadline), source.key, key)
        except httpx.RequestError as error:
            name = type(error).__name__
            raise _Again(f"no answer from {request.path} ({name}: {error})") from error
        if not response.is_success:
            raise self._refusal(source, request, response, content)
        return content

    def _read(self, source: Source, response: httpx.Response, deadline: float) -> bytes:
        parts = bytearray()
        for part in response.iter_bytes():
            parts += part
            if len(parts) > MAX_BODY:
                raise SourceChanged(
                    source.name,
                    f"more than {MAX_BODY} bytes in one answer; is the base URL right?",
                )
            if self._monotonic() > deadline:
                raise _Again(f"only {len(parts)} bytes in {DEADLINE:.0f} s")
        return bytes(parts)

    def _refusal(
        self, source: Source, request: Request, response: httpx.Response, content: bytes
    ) -> Exception:
        """The error for an answer that is no success; says what the publisher says."""
        status = response.status_code
        said = " ".join(content.decode("utf-8", "replace").split())[:200]
        text = f"HTTP {status} at {request.path}" + (f" ({said})" if said else "")
        if status in (408, 429) or status >= 500:
            return _Again(text, self._retry_after(response))
        if status in (401, 403):
            remedy = f"check {source.key.env}" if source.key else "check the licence and limits"
            return SourceRefused(source.name, f"{text}; {remedy}", zone=_only_zone(request))
        remedy = "the address or its meaning has changed, the source needs a look"
        return SourceChanged(source.name, f"{text}; {remedy}", zone=_only_zone(request))

    def _retry_after(self, response: httpx.Response) -> float | None:
        """Seconds the publisher asks to wait, given as a number or as a date."""
        text = response.headers.get("Retry-After", "").strip()
        if text.isdigit():
            return max(float(text), FIRST_WAIT)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max((moment - self._now()).total_seconds(), FIRST_WAIT)

    def _pace(self, source: Source) -> None:
        """Wait until the source's least time between two requests has passed."""
        wait = self._next.get(source.name, 0.0) - self._monotonic()
        if wait > 0:
            self._sleep(wait)
        self._next[source.name] = self._monotonic() + source.min_interval.total_seconds()


class _Again(Exception):
    """Worth another try, after `wait` seconds if the publisher says so."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class _Keyed(httpx.BaseTransport):
    """Adds the key to a copy of the request: the client, which logs its own, never sees it."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        spec, key = request.extensions.pop("key")
        if not key:
            return self._inner.handle_request(request)
        url, headers = request.url, request.headers.copy()
        if spec.param:
            url = url.copy_add_param(spec.param, key)
        else:
            headers[spec.header] = key
        return self._inner.handle_request(
            httpx.Request(
                request.method,
                url,
                headers=headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    def close(self) -> None:
        self._inner.close()


def _blotted(content: bytes, spec: KeySpec | None, key: str) -> bytes:
    """`content` without the key, which some publishers repeat in their answer."""
    if not spec or not key:
        return content
    name = f"<{spec.env}>".encode()
    content = content.replace(b'"' + key.encode() + b'"', b'"' + name + b'"')
    return content.replace(key.encode(), name) if len(key) >= SHORT_KEY else content


def _only_zone(request: Request) -> str | None:
    return request.zones[0] if len(request.zones) == 1 else None


def _agent() -> str:
    """Name and version, with the project's address once it has one."""
    about = metadata("gridtide-service")
    urls = [line.partition(", ")[2] for line in about.get_all("Project-URL") or ()]
    return f"gridtide/{about['Version']}" + (f" (+{urls[0]})" if urls else "")
